package flows_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// refusing is a desk that answers with an error from some moment on.
type refusing struct {
	flows.Desk
	err error
}

func (d refusing) Do(context.Context, int64, order.ID, order.Ask) (order.Order, error) {
	return order.Order{}, fmt.Errorf("asking: %w", d.err)
}

func (d refusing) OpenEach(context.Context, order.New) ([]order.Order, error) {
	return nil, fmt.Errorf("opening: %w", d.err)
}

// TestWhatIsRefusedIsSaidWithTheNextStep: whatever the desk answers, the customer reads what is the matter and has a way
// to go on.
func TestWhatIsRefusedIsSaidWithTheNextStep(t *testing.T) {
	another := append(toLost(), "tap Another seat", "tap 3C")
	for _, test := range []struct {
		name   string
		before []string
		tap    string
		err    error
		says   string
		button string
	}{
		{"seat held", another, "Take 3C", order.ErrSeatHeld, "is held for somebody", "3B"},
		{"seat taken", another, "Take 3C", order.ErrSeatTaken, "was sold a moment ago", "3B"},
		{"sale closed", another, "Take 3C", order.ErrSaleClosed, "has just ended", "Money back"},
		{"too often", another, "Take 3C", order.ErrTooMany, "no further one can be", "Money back"},
		{"not any more", another, "Take 3C", order.ErrNotAllowed, "things have moved on", "Another seat"},
		{"money not any more", toLost(), "Money back", order.ErrNotAllowed, "things have moved on", "Another seat"},
		{"each held", toSeats("1A", "1B"), "Pay each seat on its own", order.ErrSeatHeld, "went to somebody else", "Other seats"},
		{"each too many", toSeats("1A", "1B"), "Pay each seat on its own", order.ErrTooMany, "unpaid orders", "Try again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.told(test.before...)
			w.seen()
			w.flows.Desk = refusing{w.flows.Desk, test.err}
			w.happens("tap " + test.tap)
			if log := w.seen(); !strings.Contains(log, test.says) {
				t.Errorf("said:\n%s", log)
			}
			if _, _, ok := w.chat(ann).button(test.button); !ok {
				t.Errorf("no way on: %q", test.button)
			}
		})
	}
}

// TestADifferenceThatChangedIsShownFirst: nothing is taken at another price than the one that was seen.
func TestADifferenceThatChangedIsShownFirst(t *testing.T) {
	w := newWorld(t)
	w.told(append(toLost(), "tap Another seat", "tap 3C", "price 3C 19000000000")...)
	w.seen()
	w.happens("tap Take 3C")
	if log := w.seen(); !strings.Contains(log, "The price has changed") || !strings.Contains(log, "*70 CRS* on top") {
		t.Errorf("said:\n%s", log)
	}
	if w.countTickets() != 1 {
		t.Error("taken all the same")
	}
	w.happens("tap Take 3C")
	if w.countTickets() != 2 {
		t.Error("not taken at the price that was seen")
	}
}

func TestAnAddressThatComesTooLateIsSaidSo(t *testing.T) {
	w := newWorld(t)
	w.told(append(toLost(), "tap Another address")...)
	w.seen()
	w.flows.Desk = refusing{w.flows.Desk, order.ErrNotAllowed}
	answer, err := w.flows.TextReceived(t.Context(), ann, string(addressNr(92)))
	w.must(err)
	if !strings.Contains(answer, "Nothing was changed") || !strings.Contains(w.seen(), "Nothing was changed") {
		t.Errorf("said %q", answer)
	}
	if s, err := w.db.Peek(t.Context(), ann); err != nil || s.Redirect != "" {
		t.Errorf("still asked for: %q, %v", s.Redirect, err)
	}
}

func TestWithoutACourierThereIsNobodyToGiveAnAddressTo(t *testing.T) {
	w := newWorld(t)
	w.told(append(toLost(), "courier gone")...)
	w.seen()
	w.happens("tap Another address")
	if log := w.seen(); !strings.Contains(log, "nobody can answer there") {
		t.Errorf("said:\n%s", log)
	}
	if s, err := w.db.Peek(t.Context(), ann); err != nil || s.Redirect != "" {
		t.Errorf("asked for all the same: %q, %v", s.Redirect, err)
	}
}

// TestAnAddressThatNothingGoesToAnyMoreIsNotNoted: the money went back while the answer was being written.
func TestAnAddressThatNothingGoesToAnyMoreIsNotNoted(t *testing.T) {
	w := newWorld(t)
	w.told(append(toLost(), "tap Another address", "tap Money back", "wait 4s", "block", "wait 4s", "block")...)
	answer, err := w.flows.TextReceived(t.Context(), ann, string(addressNr(92)))
	w.must(err)
	if !strings.Contains(answer, "Nothing was changed") || w.last(ann).Private.Refund != addressNr(90) {
		t.Errorf("said %q", answer)
	}
}
