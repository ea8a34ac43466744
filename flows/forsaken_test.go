package flows_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// TestATapThatDiedBetweenHoldAndOrderOrdersWhenItComesAgain: the seat is held for an order that never was saved. Who
// tapped gets it all the same; what another customer holds stays held.
func TestATapThatDiedBetweenHoldAndOrderOrdersWhenItComesAgain(t *testing.T) {
	for who, tickets := range map[int64]int{ann: 1, bob: 0} {
		w := newWorld(t)
		w.told(toSeats("1A")...)
		message, button, ok := w.chat(ann).button("Order and pay 120.5 CRS")
		if !ok {
			t.Fatal("no button")
		}
		hold := order.Hold{Order: "never", Customer: who, Until: w.clock.Now().Add(15 * time.Minute)}
		w.must(w.db.Hold(t.Context(), w.sale.Show.TxID, w.seat("1A").Seat, hold, w.clock.Now()))
		_, err := w.flows.Handle(t.Context(), flows.Event{
			ID: 777, Kind: flows.Private, Actor: flows.Actor{ID: ann, Language: "en"}, Chat: ann, Message: message,
			Action: button.Action, Callback: "tap",
		})
		w.must(err)
		if got := w.countTickets(); got != tickets {
			t.Errorf("held by %d: %d tickets, want %d", who, got, tickets)
		}
	}
}
