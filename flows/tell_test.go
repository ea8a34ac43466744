package flows_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// owned is an order with a ticket that is with the customer, not shown yet.
func owned(w *world) order.Order {
	o := longOrder(w)
	o.Payouts = nil
	o.Tickets[0].Delivery.State = order.DeliverySeen
	return o
}

func TestCardIsEditedAtMostEveryThreeSecondsAndTheLastStateWins(t *testing.T) {
	w := newWorld(t)
	o := owned(w)
	w.must(w.flows.Tell(t.Context(), &o))
	message, shown := o.Card.Message, o.Card.Shown
	if message == 0 || shown == "" || !o.Card.Again.IsZero() {
		t.Fatalf("not shown: %+v", o.Card)
	}
	w.clock.Advance(time.Second)
	o.Tickets[0].State, o.Tickets[0].Release.TxID = order.Releasing, ""
	w.must(w.flows.Tell(t.Context(), &o))
	if o.Card.Shown != shown || !o.Card.Again.Equal(o.Card.Edited.Add(3*time.Second)) {
		t.Fatalf("edited too early: %+v", o.Card)
	}
	w.clock.Set(o.Card.Again)
	o.Tickets[0].State = order.Released
	w.must(w.flows.Tell(t.Context(), &o))
	if o.Card.Shown == shown || o.Card.Message != message || !o.Card.Again.IsZero() {
		t.Fatalf("not edited: %+v", o.Card)
	}
	if log := w.seen(); strings.Contains(log, "is being given back") || !strings.Contains(log, "was given back") {
		t.Errorf("the state in between was shown:\n%s", log)
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	w := newWorld(t)
	for name, o := range variants(w) {
		o.Hold = w.clock.Now().Add(time.Hour) // one that runs out meanwhile would be news
		for i := range o.Tickets {
			for _, at := range []*time.Time{&o.Tickets[i].Undo, &o.Tickets[i].Until, &o.Tickets[i].Choice} {
				if !at.IsZero() {
					*at = o.Hold
				}
			}
		}
		w.must(w.flows.Tell(t.Context(), &o))
		w.seen()
		rung := slices.Clone(o.Card.Rung)
		w.clock.Advance(time.Minute)
		w.must(w.flows.Tell(t.Context(), &o))
		if log := w.seen(); log != "" || !slices.Equal(rung, o.Card.Rung) {
			t.Errorf("%s: said again:\n%s", name, log)
		}
	}
}

func TestBlocksAloneNeverEditACard(t *testing.T) {
	w := newWorld(t)
	o := owned(w)
	w.must(w.flows.Tell(t.Context(), &o))
	edited := o.Card.Edited
	for range 20 {
		w.chain.block()
		w.clock.Advance(7 * time.Second) // blocks are never quite on time
		w.must(w.flows.Tell(t.Context(), &o))
	}
	if !o.Card.Edited.Equal(edited) {
		t.Error("a new block alone edited the card")
	}
}

func TestCardThatWasDeletedIsSentAnew(t *testing.T) {
	w := newWorld(t)
	o := owned(w)
	o.Card.Message, o.Card.Shown = 77, "something else"
	w.must(w.flows.Tell(t.Context(), &o))
	if o.Card.Message == 77 || o.Card.Message == 0 {
		t.Errorf("card %+v", o.Card)
	}
}

func TestMessageThatWasTheCardBeforeSaysThatItStandsFurtherDown(t *testing.T) {
	w := newWorld(t)
	o := owned(w)
	w.must(w.flows.Tell(t.Context(), &o))
	o.Card.Left = []int{o.Card.Message, 99} // the second was deleted by the customer
	o.Card.Message, o.Card.Shown = w.chat(ann).show(flows.Outgoing{Chat: ann}), ""
	w.clock.Advance(time.Minute)
	w.showing = func() error { return errors.New("no answer") }
	if err := w.flows.Tell(t.Context(), &o); err == nil || len(o.Card.Left) != 2 {
		t.Fatalf("without an answer: %v, %v", o.Card.Left, err)
	}
	w.showing = nil
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); len(o.Card.Left) != 0 || strings.Count(log, "stands further down now") != 1 {
		t.Errorf("left %v, seen\n%s", o.Card.Left, log)
	}
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); log != "" {
		t.Errorf("said again:\n%s", log)
	}
}

func TestBlockedCustomerIsLeftInPeace(t *testing.T) {
	w := newWorld(t)
	o := owned(w)
	w.chat(ann).blocked = true
	w.must(w.flows.Tell(t.Context(), &o))
	if !o.Card.Blocked || len(o.Card.Rung) != 0 {
		t.Fatalf("card %+v", o.Card)
	}
	w.chat(ann).blocked = false
	w.must(w.flows.Tell(t.Context(), &o))
	if log := w.seen(); log != "" {
		t.Errorf("told all the same:\n%s", log)
	}
}

func TestOperatorIsToldUnlessNobodyCanBe(t *testing.T) {
	w := newWorld(t)
	o := owned(w)
	o.Tickets[0].State, o.Tickets[0].Reason, o.Tickets[0].Before = order.Attention, order.ReasonTooMany, order.Reserving
	w.must(w.flows.Attend(t.Context(), o, "t1"))
	if log := w.seen(); !strings.Contains(log, "[Go on] [Pay it back]") {
		t.Errorf("operator read:\n%s", log)
	}
	w.chat(operator).blocked = true
	if err := w.flows.Attend(t.Context(), o, "t1"); !errors.Is(err, order.ErrBlocked) {
		t.Errorf("got %v", err)
	}
	if err := w.flows.Attend(t.Context(), o, "other"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestTicketWithoutSecretIsNotHandedOver(t *testing.T) {
	w := newWorld(t)
	o := owned(w)
	o.Private.Secrets = nil
	if handed, err := w.flows.Deliver(t.Context(), o, "t1"); !errors.Is(err, order.ErrNotFound) || handed.State != "" {
		t.Errorf("got %v, %v", handed, err)
	}
}

func TestUpdateThatComesAgainDoesNothing(t *testing.T) {
	w := newWorld(t)
	e := flows.Event{ID: 5, Kind: flows.Private, Actor: flows.Actor{ID: ann}, Chat: ann, Message: 1, Command: "start"}
	first, err := w.flows.Handle(t.Context(), e)
	w.must(err)
	again, err := w.flows.Handle(t.Context(), e)
	w.must(err)
	if len(first.Screens) != 1 || len(again.Screens) != 0 || again.Answer == "" {
		t.Errorf("first %v, again %v", first, again)
	}
}

func TestFailedUpdateIsHandledWhenItComesAgain(t *testing.T) {
	w := newWorld(t)
	e := flows.Event{ID: 5, Kind: flows.Private, Actor: flows.Actor{ID: ann}, Chat: ann, Message: 1, Text: string(addressNr(9))}
	w.happens("write /wallet")
	broken := errors.New("store down")
	own := w.flows.Config.OwnAddress
	w.flows.Config.OwnAddress = func(context.Context, cirrus.Address) (bool, error) { return false, broken }
	if _, err := w.flows.Handle(t.Context(), e); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	w.flows.Config.OwnAddress = own
	reply, err := w.flows.Handle(t.Context(), e)
	w.must(err)
	if len(reply.Screens) != 1 || !strings.Contains(reply.Screens[0].Text.String(), string(addressNr(9))) {
		t.Errorf("got %v", reply)
	}
}

func TestNewsFromTheCourierWaitForTheCustomersTurn(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.db.Begin(t.Context(), ann, 99)
	w.must(err)
	if err := w.flows.ChatOpened(t.Context(), ann); !errors.Is(err, order.ErrBusy) {
		t.Fatalf("got %v", err)
	}
	waits := 0
	w.flows.Wait = func(ctx context.Context, _ time.Duration) error {
		waits++
		return w.db.Release(ctx, ann)
	}
	w.must(w.flows.ChatOpened(t.Context(), ann))
	if s, err := w.db.Peek(t.Context(), ann); err != nil || !s.Chat || waits != 1 {
		t.Errorf("session %+v, %v after %d waits", s, err, waits)
	}
}

func TestTextInTheSecretChatIsPointedToTheBot(t *testing.T) {
	w := newWorld(t)
	answer, err := w.flows.TextReceived(t.Context(), ann, "hello")
	w.must(err)
	if !strings.Contains(answer, "@UsherBot") {
		t.Errorf("got %q", answer)
	}
}
