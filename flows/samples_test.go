package flows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

// TestEverySampleHasACard: what people look at under docs/pictures is what the same rules hold for as for all cards.
func TestEverySampleHasACard(t *testing.T) {
	w := newWorld(t)
	for _, s := range memory.Samples(start) {
		screen, err := w.flows.Card(s.Order, start, s.Around)
		w.must(err)
		checkScreen(t, s.Name, screen)
	}
}

// TestNothingLeadsToAPaymentThatComesTooLate: once a payment can't be in time any more, the card shows no address to
// pay to, neither as text nor as a QR, and has no button that copies one.
func TestNothingLeadsToAPaymentThatComesTooLate(t *testing.T) {
	w, seen := newWorld(t), 0
	for _, s := range memory.Samples(start) {
		late := !start.Before(s.Order.Hold) || s.Around.Tip.Height+1 >= s.Order.Show.EndOfSale
		if s.Order.State != order.AwaitingPayment || !late {
			continue
		}
		seen++
		screen, err := w.flows.Card(s.Order, start.Add(time.Second), s.Around)
		w.must(err)
		if strings.Contains(screen.Text.String(), string(s.Order.Address)) || !strings.HasPrefix(screen.PictureName, "stage:") {
			t.Errorf("%s: asks for money: %s, %q", s.Name, screen.PictureName, screen.Text)
		}
		for _, row := range screen.Buttons {
			for _, b := range row {
				if b.Copy != "" {
					t.Errorf("%s: %q copies something", s.Name, b.Text)
				}
			}
		}
	}
	if seen < 2 {
		t.Errorf("%d samples are too late to pay", seen)
	}
}
