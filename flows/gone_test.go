package flows_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

const repeated = "This is the same ticket once more, not a second one."

// twoTickets is a world in which Ann has two tickets on her phone.
func twoTickets(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.told(toSeats("3C", "3D")...)
	w.told("tap Order and pay "+w.priceOf()+" CRS", "wait 4s", "pay what is due", "block", "block", "block", "wait 5m")
	if log := w.seen(); strings.Count(log, "(picture: the ticket)") != 2 {
		t.Fatalf("not handed over:\n%s", log)
	}
	return w
}

// priceOf is the sum on the button that orders.
func (w *world) priceOf() string {
	for _, screen := range w.chat(ann).messages {
		for _, row := range screen.Buttons {
			if sum, found := strings.CutPrefix(row[0].Text, "Order and pay "); found {
				return strings.TrimSuffix(sum, " CRS")
			}
		}
	}
	w.t.Fatal("nothing to order")
	return ""
}

// stumbling is a desk that fails before or after its nth wish.
type stumbling struct {
	desk
	nth   int
	after bool
}

var errStumbled = errors.New("stumbled")

func (s *stumbling) Do(ctx context.Context, customer int64, id order.ID, ask order.Ask) (order.Order, error) {
	s.nth--
	if s.nth == 0 && !s.after {
		return order.Order{}, errStumbled
	}
	o, err := s.desk.Do(ctx, customer, id, ask)
	if s.nth == 0 && err == nil {
		err = errStumbled
	}
	return o, err
}

// mishaps are what may go wrong once while news of a secret chat are taken; they are given again then.
func mishaps() map[string]func(*world) {
	all := map[string]func(*world){
		"nothing":            func(*world) {},
		"the end is lost":    func(w *world) { w.flows.Sessions = &forgetful{Sessions: w.db, fails: 1} },
		"the screen is lost": func(w *world) { w.showing = once(errStumbled) },
	}
	for nth := range 4 {
		for name, after := range map[string]bool{"before wish ": false, "after wish ": true} {
			all[name+string(rune('1'+nth))] = func(w *world) { w.flows.Desk = &stumbling{desk{w}, nth + 1, after} }
		}
	}
	return all
}

// once fails the first time.
func once(err error) func() error {
	return func() error {
		defer func() { err = nil }()
		return err
	}
}

// given gives news until they are taken, as the courier does.
func (w *world) given(give func(context.Context, int64) error) {
	w.t.Helper()
	var err error
	for range 5 {
		err = give(w.t.Context(), ann)
		w.must(w.jobs.RunUntilIdle(w.t.Context())) // meanwhile the orders go on
		if err == nil {
			break
		}
	}
	w.must(err)
}

func (w *world) closed(why flows.Why) {
	w.t.Helper()
	delete(w.courier.open, ann)
	w.given(func(ctx context.Context, customer int64) error { return w.flows.ChatClosed(ctx, customer, why) })
}

func (w *world) opened() {
	w.t.Helper()
	w.courier.open[ann] = flows.ChatOpen
	w.courier.phone.chats++
	w.given(w.flows.ChatOpened)
}

// TestWithAnotherAccountEverythingValidIsSentOnceMore: and once only, whatever goes wrong and however often the news come.
func TestWithAnotherAccountEverythingValidIsSentOnceMore(t *testing.T) {
	for where, mishap := range mishaps() {
		for _, closing := range []bool{true, false} {
			w := twoTickets(t)
			w.courier.username = "QuayTwo"
			if closing {
				mishap(w)
			}
			w.closed(flows.WhyAccount)
			w.closed(flows.WhyAccount)
			log := w.seen()
			if n := strings.Count(log, "Your 2 tickets stay yours"); n < 1 || n > 1 && where != "the end is lost" || !strings.Contains(log, "@QuayTwo takes its place") {
				t.Errorf("%s: said %d times:\n%s", where, n, log)
			}
			if !closing {
				mishap(w)
			}
			w.opened()
			w.given(w.flows.ChatOpened) // told again
			w.wait(5 * time.Minute)
			log = w.seen()
			if strings.Count(log, "(picture: the ticket)") != 2 || strings.Count(log, repeated) != 2 {
				t.Errorf("%s, closing %t: handed over:\n%s", where, closing, log)
			}
			for _, ticket := range w.last(ann).Tickets {
				if d := ticket.Delivery; d.State != order.DeliverySeen || d.Via != "QuayTwo" || d.Count != 2 {
					t.Errorf("%s: %+v", where, d)
				}
			}
		}
	}
}

// TestWithAnotherAccountEverythingComesEvenWhereNobodyToldThatTheFirstIsGone: the news may be lost, or come after the new
// chat opened.
func TestWithAnotherAccountEverythingComesEvenWhereNobodyToldThatTheFirstIsGone(t *testing.T) {
	for where, mishap := range mishaps() {
		w := twoTickets(t)
		w.courier.username = "QuayTwo"
		mishap(w)
		w.opened()
		w.given(w.flows.ChatOpened)
		w.given(func(ctx context.Context, customer int64) error {
			return w.flows.ChatClosed(ctx, customer, flows.WhyAccount)
		})
		w.wait(5 * time.Minute)
		log := w.seen()
		if strings.Count(log, "(picture: the ticket)") != 2 || strings.Count(log, repeated) != 2 || strings.Contains(log, "stay yours") {
			t.Errorf("%s:\n%s", where, log)
		}
	}
}

// TestAWantedNewChatBringsEverythingOnce: whatever goes wrong, and however often the news come.
func TestAWantedNewChatBringsEverythingOnce(t *testing.T) {
	for where, mishap := range mishaps() {
		w := twoTickets(t)
		w.told("tap It did not arrive", "tap New secret chat")
		w.closed(flows.WhyFault)
		if log := w.seen(); strings.Contains(log, "stay yours") {
			t.Errorf("%s: rings for what was wanted:\n%s", where, log)
		}
		mishap(w)
		w.opened()
		w.given(w.flows.ChatOpened)
		w.wait(5 * time.Minute)
		log := w.seen()
		if strings.Count(log, "(picture: the ticket)") != 2 || strings.Count(log, repeated) != 2 || strings.Contains(log, "earlier secret chat") {
			t.Errorf("%s:\n%s", where, log)
		}
	}
}

func TestANewChatThatCannotBeBegunIsTriedAgain(t *testing.T) {
	w := twoTickets(t)
	w.told("tap It did not arrive")
	renew := w.flows.Renew
	w.flows.Renew = func(context.Context, int64) error { return errStumbled }
	message, button, _ := w.chat(ann).button("New secret chat")
	e := flows.Event{ID: 900, Kind: flows.Private, Actor: flows.Actor{ID: ann}, Chat: ann, Message: message, Action: button.Action}
	if _, err := w.flows.Handle(t.Context(), e); !errors.Is(err, errStumbled) {
		t.Fatalf("got %v", err)
	}
	w.flows.Renew = renew
	reply, err := w.flows.Handle(t.Context(), e)
	w.must(err)
	if w.courier.renewed != 1 || len(reply.Screens) != 1 || !strings.Contains(reply.Screens[0].Text.String(), "A new secret chat") {
		t.Errorf("renewed %d times: %+v", w.courier.renewed, reply)
	}
	w.courier.username = ""
	w.wait(2 * time.Minute)
	w.told("tap New secret chat")
	if log := w.seen(); !strings.Contains(log, "Nobody can open a secret chat just now") {
		t.Errorf("said:\n%s", log)
	}
}

// TestAChatThatIsGoneRingsOnceAndOnlyWhereTicketsAreAtStake: not for somebody who has none, nor after the show.
func TestAChatThatIsGoneRingsOnceAndOnlyWhereTicketsAreAtStake(t *testing.T) {
	for _, why := range []flows.Why{flows.WhyPeer, flows.WhyBlocked, flows.WhyFault, flows.WhyAccount} {
		w := twoTickets(t)
		w.closed(why)
		w.closed(why)
		if log := w.seen(); strings.Count(log, "stay yours") != 1 || strings.Count(log, "Start Secret Chat") != 1 {
			t.Errorf("%s:\n%s", why, log)
		}
		w.wait(time.Hour)
		log := w.seen()
		if waits := why == flows.WhyAccount; waits != strings.Contains(log, "still wait here") {
			t.Errorf("%s: reminded %t:\n%s", why, !waits, log)
		}
	}
	w := newWorld(t)
	w.told("write /start", "chat opens")
	w.seen()
	w.closed(flows.WhyPeer)
	w = newWorld(t)
	o := owned(w)
	o.Show.Time = start.Add(-order.AfterShow - time.Second)
	w.flows.Desk = shelf{desk{w}, []order.Order{o}}
	w.closed(flows.WhyPeer)
	w.opened()
	if log := w.seen(); log != "" {
		t.Errorf("rang for nothing:\n%s", log)
	}
}

// TestWhatWasSentAMomentAgoIsNotOffered: news of the very chat that it went into may come again.
func TestWhatWasSentAMomentAgoIsNotOffered(t *testing.T) {
	w := newWorld(t)
	w.told(toTicket()...)
	w.seen()
	w.given(w.flows.ChatOpened)
	if log := w.seen(); strings.Contains(log, "earlier secret chat") {
		t.Errorf("offered:\n%s", log)
	}
	w.wait(10 * time.Minute)
	w.seen()
	w.opened()
	w.given(w.flows.ChatOpened)
	if log := w.seen(); strings.Count(log, "earlier secret chat") != 1 {
		t.Errorf("not offered once:\n%s", log)
	}
}

// TestAllTicketsAreSentAgainWithOneTap: those that went into an earlier chat; a second tap sends nothing.
func TestAllTicketsAreSentAgainWithOneTap(t *testing.T) {
	w := twoTickets(t)
	w.opened()
	w.told("tap twice Send all 2 again")
	log := w.seen()
	if strings.Count(log, repeated) != 2 || !strings.Contains(log, "2 tickets are being sent") || !strings.Contains(log, "on its way to your secret chat already") {
		t.Errorf("said:\n%s", log)
	}
	if s, err := w.db.Peek(t.Context(), ann); err != nil || len(s.Tries.Sends) != 2 || !slices.IsSortedFunc(s.Tries.Sends, time.Time.Compare) {
		t.Errorf("noted %v, %v", s.Tries.Sends, err)
	}
}

// TestATicketThatNobodyCanHandOverSaysSo: not that it comes within moments.
func TestATicketThatNobodyCanHandOverSaysSo(t *testing.T) {
	w := newWorld(t)
	w.told(toTicket()[:11]...)
	w.courier.username = ""
	delete(w.courier.open, ann)
	w.told("block", "wait 10s")
	log := w.seen()
	if strings.Contains(log, "within moments") || !strings.Contains(log, "nobody can hand it over just now") {
		t.Errorf("said:\n%s", log)
	}
}
