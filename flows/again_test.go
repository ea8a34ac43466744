package flows_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// forgetful loses the end of the next turns: what was done to orders stands, but the update does not count as handled.
type forgetful struct {
	flows.Sessions
	fails int
}

var errForgot = errors.New("not saved")

func (s *forgetful) End(ctx context.Context, customer, update int64, session flows.Session) error {
	if s.fails > 0 {
		s.fails--
		return errors.Join(errForgot, s.Release(ctx, customer))
	}
	return s.Sessions.End(ctx, customer, update, session)
}

// told goes through lines of a story.
func (w *world) told(lines ...string) {
	for _, line := range lines {
		w.happens(line)
	}
}

// toSeats are the lines that lead to the last screen before payment, for some seats.
func toSeats(seats ...string) []string {
	lines := []string{"write /shows", "tap Night Trains", "tap Choose a seat"}
	for _, seat := range seats {
		lines = append(lines, "tap "+seat)
	}
	last := "tap Continue with 2 seats"
	if len(seats) == 1 {
		last = "tap Continue with " + seats[0]
	}
	return append(lines, last, "write "+string(addressNr(90)), "chat opens")
}

// toLost are the lines that lead to a lost seat for which another may be taken.
func toLost() []string {
	return append(toSeats("1A"),
		"tap Order and pay 120.5 CRS", "wait 3s", "pay what is due", "block", "taken 1A", "block", "wait 4s")
}

// TestATapWhoseEndIsLostCountsOnce: the process may die after an order was changed and before the tap counts as handled.
// The tap comes again then, and must change nothing more and say the same.
func TestATapWhoseEndIsLostCountsOnce(t *testing.T) {
	for _, test := range []struct {
		name, tap string
		before    []string
		says      string
		tickets   int // of all orders, dropped ones included
	}{
		{"order", "Order and pay 120.5 CRS", toSeats("1A"), "You have ordered seat", 1},
		{"each seat", "Pay each seat on its own", toSeats("1A", "1B"), "each as an order of its own", 2},
		{"another seat", "Take 1B", append(toLost(), "tap Another seat", "tap 1B"), "You have taken seat", 2},
		{"a dearer seat", "Take 3C", append(toLost(), "tap Another seat", "tap 3C"), "You have taken seat", 2},
		{"money back", "Money back", toLost(), "goes back", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.told(test.before...)
			message, button, ok := w.chat(ann).button(test.tap)
			if !ok {
				t.Fatalf("no button %q", test.tap)
			}
			forgets := &forgetful{Sessions: w.db, fails: 1}
			w.flows.Sessions = forgets
			e := flows.Event{
				ID: 777, Kind: flows.Private, Actor: flows.Actor{ID: ann, Language: "en"}, Chat: ann, Message: message,
				Action: button.Action, Callback: "tap",
			}
			if _, err := w.flows.Handle(t.Context(), e); !errors.Is(err, errForgot) {
				t.Fatalf("got %v", err)
			}
			reply, err := w.flows.Handle(t.Context(), e)
			w.must(err)
			said := reply.Answer
			for _, out := range reply.Screens {
				said += out.Text.String()
			}
			if !strings.Contains(said, test.says) {
				t.Errorf("said %q", said)
			}
			if got := w.countTickets(); got != test.tickets {
				t.Errorf("%d tickets, want %d", got, test.tickets)
			}
		})
	}
}

// TestTheSameTapOnTwoDevicesCountsOnce: both come at the same moment; one of them waits for its turn.
func TestTheSameTapOnTwoDevicesCountsOnce(t *testing.T) {
	for _, test := range []struct {
		tap     string
		before  []string
		tickets int
	}{
		{"Order and pay 120.5 CRS", toSeats("1A"), 1},
		{"Pay each seat on its own", toSeats("1A", "1B"), 2},
		{"Take 3C", append(toLost(), "tap Another seat", "tap 3C"), 2},
	} {
		w := newWorld(t)
		w.told(test.before...)
		message, button, _ := w.chat(ann).button(test.tap)
		var both sync.WaitGroup
		for id := range 2 {
			both.Go(func() {
				e := flows.Event{
					ID: int64(700 + id), Kind: flows.Private, Actor: flows.Actor{ID: ann, Language: "en"}, Chat: ann, Message: message,
					Action: button.Action, Callback: "tap",
				}
				for {
					_, err := w.flows.Handle(t.Context(), e)
					if errors.Is(err, order.ErrBusy) {
						runtime.Gosched()
						continue
					}
					if err != nil {
						t.Errorf("%s: %v", test.tap, err)
					}
					return
				}
			})
		}
		both.Wait()
		if got := w.countTickets(); got != test.tickets {
			t.Errorf("%s: %d tickets, want %d", test.tap, got, test.tickets)
		}
	}
}

func (w *world) countTickets() int {
	all, err := w.engine.List(context.Background(), ann)
	w.must(err)
	count := 0
	for _, o := range all {
		count += len(o.Tickets)
	}
	return count
}

// TestAnAddressWhoseEndIsLostIsTakenOnce: the same, for an address that was written in the secret chat.
func TestAnAddressWhoseEndIsLostIsTakenOnce(t *testing.T) {
	w := newWorld(t)
	w.told(append(toLost(), "tap Another address")...)
	w.flows.Sessions = &forgetful{Sessions: w.db, fails: 1}
	if _, err := w.flows.TextReceived(t.Context(), ann, string(addressNr(92))); !errors.Is(err, errForgot) {
		t.Fatalf("got %v", err)
	}
	answer, err := w.flows.TextReceived(t.Context(), ann, string(addressNr(92)))
	w.must(err)
	o := w.last(ann)
	if !strings.Contains(answer, "Noted") || o.Private.Refund != addressNr(92) || len(o.Private.Before) != 1 {
		t.Errorf("said %q; it was %v before", answer, o.Private.Before)
	}
}

// TestTheMostRecentQuestionInTheSecretChatCounts: a name and an address may both be asked for there.
func TestTheMostRecentQuestionInTheSecretChatCounts(t *testing.T) {
	w := newWorld(t)
	w.told(toLost()...)
	first := w.last(ann)
	w.told("identity", "write /shows", "tap Night Trains", "tap Choose a seat", "tap 2B", "tap Continue with 2B", "tap Another address")
	answer, err := w.flows.TextReceived(t.Context(), ann, "Ada Winter")
	w.must(err)
	session, err := w.db.Peek(t.Context(), ann)
	w.must(err)
	if !strings.Contains(answer, "not an address") || len(session.Names) != 0 {
		t.Errorf("asked for an address and said %q, %d names", answer, len(session.Names))
	}
	w.told("tap Ask me again")
	for _, text := range []string{string(addressNr(92)), "Ada Winter"} {
		_, err = w.flows.TextReceived(t.Context(), ann, text)
		w.must(err)
	}
	session, err = w.db.Peek(t.Context(), ann)
	w.must(err)
	if len(session.Names) != 1 || session.Redirect != "" {
		t.Errorf("asked for a name and noted %d, redirect %q", len(session.Names), session.Redirect)
	}
	now, err := w.db.Load(t.Context(), first.ID)
	w.must(err)
	if now.Private.Refund != first.Private.Refund {
		t.Error("an answer to another question changed the address")
	}
}

// TestNobodyElseRedirects: a button of an order only works for its customer, and a text only for who was asked.
func TestNobodyElseRedirects(t *testing.T) {
	w := newWorld(t)
	w.told(append(toLost(), "tap Another address")...)
	w.courier.open[bob] = flows.ChatOpen
	if _, err := w.flows.TextReceived(t.Context(), bob, string(addressNr(92))); err != nil {
		t.Fatal(err)
	}
	w.told("bob steal Another address", "bob steal Another seat", "bob steal Money back")
	if o := w.last(ann); o.Private.Refund != addressNr(90) || !o.Tickets[0].Choosing() || len(o.Tickets) != 1 {
		t.Errorf("somebody else changed order %s: %+v", o.ID, o.Tickets)
	}
	if s, err := w.db.Peek(t.Context(), bob); err != nil || s.Redirect != "" {
		t.Errorf("redirect %q, %v", s.Redirect, err)
	}
}

// TestTheReminderForAnAddressIsNotSentTwiceWhereItsNoteIsLost: the process may die after the reminder was said and
// before the order was saved.
func TestTheReminderForAnAddressIsNotSentTwiceWhereItsNoteIsLost(t *testing.T) {
	w := newWorld(t)
	w.courier.open[ann] = flows.ChatOpen
	o := longOrder(w)
	o.Payouts[0].State = order.AddressNeeded
	again := o
	w.must(w.flows.Tell(t.Context(), &o))
	w.must(w.flows.Tell(t.Context(), &again))
	if log := w.seen(); strings.Count(log, "secret chat:") != 1 {
		t.Errorf("said:\n%s", log)
	}
	if o.Card.Again.IsZero() {
		t.Error("nothing wakes it for the next reminder")
	}
}
