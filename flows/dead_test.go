package flows_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

const saidDead = "is dead: it opens no door. The chain undid"

// lostAfter is an order whose ticket was handed over and then lost.
func lostAfter(w *world) order.Order {
	o := owned(w)
	o.Tickets[0].State, o.Tickets[0].Reason, o.Tickets[0].Since = order.Lost, order.ReasonSeatTaken, start
	o.Tickets[0].Delivery.Count = 1
	w.courier.open[ann] = flows.ChatOpen
	return o
}

func TestTheQROfAVoidOrderIsCalledDeadAndNothingIsOwed(t *testing.T) {
	w := newWorld(t)
	o := lostAfter(w)
	o.State = order.Void
	w.must(w.flows.Tell(t.Context(), &o))
	log := w.seen()
	for _, words := range []string{saidDead + " the payment that the seat had been bought with. You owe nothing.", "its QR is dead", "A QR that was sent for it is dead"} {
		if strings.Count(log, words) != 1 {
			t.Errorf("%q was not said once:\n%s", words, log)
		}
	}
	w.clock.Set(o.Card.Edited.Add(time.Minute))
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); log != "" {
		t.Errorf("said again:\n%s", log)
	}
}

func TestADeadQRIsCalledSoEvenToSomebodyWhoBlockedTheBot(t *testing.T) {
	w := newWorld(t)
	o := lostAfter(w)
	w.chat(ann).blocked, o.Card.Blocked = true, true
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); strings.Count(log, saidDead) != 1 {
		t.Errorf("they read:\n%s", log)
	}
}

// TestADeadQRIsCalledSoOnceAlthoughThatWasNotSaved: a crash right after it was said forgets that it was.
func TestADeadQRIsCalledSoOnceAlthoughThatWasNotSaved(t *testing.T) {
	w := newWorld(t)
	o := lostAfter(w)
	before := o.Card
	w.must(w.flows.Tell(t.Context(), &o))
	o.Card = before
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); strings.Count(log, saidDead) != 1 {
		t.Errorf("they read:\n%s", log)
	}
}

func TestADeadQRIsCalledSoInTheBotChatWhereThereIsNoSecretChat(t *testing.T) {
	w := newWorld(t)
	o := lostAfter(w)
	delete(w.courier.open, ann)
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); strings.Contains(log, saidDead) || strings.Count(log, "A QR that was sent for it is dead") != 2 {
		t.Errorf("they read:\n%s", log)
	}
}

func TestWhatTheCourierDidNotTakeIsSaidLater(t *testing.T) {
	w := newWorld(t)
	o := lostAfter(w)
	w.courier.refuses = errors.New("the store is away")
	if err := w.flows.Tell(t.Context(), &o); !errors.Is(err, w.courier.refuses) {
		t.Errorf("got %v", err)
	}
	w.courier.refuses = nil
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); strings.Count(log, saidDead) != 1 {
		t.Errorf("they read:\n%s", log)
	}
}

func TestATicketThatNeverWasOnItsWayIsNotCalledDead(t *testing.T) {
	w := newWorld(t)
	o := lostAfter(w)
	o.Tickets[0].Delivery = order.Delivery{}
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); strings.Contains(log, "dead") || slices.Contains(o.Card.Rung, "dead:t1") {
		t.Errorf("they read:\n%s", log)
	}
}

// TestEachDeadQRHasItsSentence: also where another seat was taken in place of one meanwhile.
func TestEachDeadQRHasItsSentence(t *testing.T) {
	w := newWorld(t)
	o := lostAfter(w)
	o = several(o)
	o.Tickets[0].State, o.Tickets[1].State = order.Exchanged, order.Owned
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); strings.Count(log, saidDead) != order.MaxSeats-1 {
		t.Errorf("they read:\n%s", log)
	}
}
