package flows_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// looking brings Ann to the hall, with 3D chosen, four seconds ago.
func looking(t *testing.T) *world {
	w := newWorld(t)
	for _, line := range []string{"write /shows", "tap Night Trains", "tap Choose a seat", "tap 3D", "wait 4s"} {
		w.happens(line)
	}
	w.seen()
	return w
}

// sees tells whether something was shown since the last time, and all of it.
func (w *world) sees() (string, bool) {
	what := w.seen()
	return what, what != ""
}

func TestHallFollowsWhatOthersTake(t *testing.T) {
	w := looking(t)
	w.happens("taken 3D")
	w.happens("live")
	if what, _ := w.sees(); !strings.Contains(what, "3D was taken a moment ago") || !strings.Contains(what, "message 3 becomes") {
		t.Fatalf("Ann sees %q", what)
	}
}

func TestHallIsLeftAloneWhileItsCustomerIsAnswered(t *testing.T) {
	w := looking(t)
	w.happens("taken 3D")
	if _, _, err := w.db.Begin(t.Context(), ann, 0); err != nil {
		t.Fatal(err)
	}
	w.happens("live")
	if what, shown := w.sees(); shown {
		t.Fatalf("shown while the customer is being answered: %s", what)
	}
	w.must(w.db.Release(t.Context(), ann))
	w.happens("live")
	if _, shown := w.sees(); !shown {
		t.Fatal("nothing is shown with the next pass")
	}
}

func TestNothingElseIsShownToTheCustomerWhileAHallIsShownAnew(t *testing.T) {
	w := looking(t)
	w.happens("taken 3D")
	w.showing = func() error {
		if _, _, err := w.db.Begin(t.Context(), ann, 77); !errors.Is(err, order.ErrBusy) {
			t.Errorf("a tap is handled meanwhile: %v", err)
		}
		return nil
	}
	w.happens("live")
	if _, shown := w.sees(); !shown {
		t.Fatal("nothing was shown")
	}
}

func TestHallRestsTenMinutesAfterTheLastTap(t *testing.T) {
	w := looking(t)
	w.clock.Advance(flows.LookFor - 5*time.Second)
	w.happens("taken 3A")
	w.happens("live")
	if _, shown := w.sees(); !shown {
		t.Fatal("it rests too early")
	}
	w.clock.Advance(5 * time.Second)
	w.happens("taken 3B")
	w.happens("live")
	if what, shown := w.sees(); shown {
		t.Fatalf("it still follows: %s", what)
	}
}

func TestHallThatCannotBeShownIsShownWithTheNextPass(t *testing.T) {
	w := looking(t)
	w.happens("taken 3D")
	lost := errors.New("no answer")
	w.showing = func() error { return lost }
	if err := w.flows.RefreshHalls(t.Context()); !errors.Is(err, lost) {
		t.Fatalf("got %v", err)
	}
	w.showing = nil
	w.happens("live")
	if what, _ := w.sees(); !strings.Contains(what, "3D was taken a moment ago") {
		t.Fatalf("Ann sees %q", what)
	}
}

func TestOneHallThatCannotBeShownHoldsUpNoOther(t *testing.T) {
	w := looking(t)
	for _, line := range []string{"bob write /shows", "bob tap Night Trains", "bob tap Choose a seat", "wait 4s", "taken 3D"} {
		w.happens(line)
	}
	w.seen()
	lost, tries := errors.New("no answer"), 0
	w.showing = func() error {
		if tries++; tries == 1 {
			return lost
		}
		return nil
	}
	if err := w.flows.RefreshHalls(t.Context()); !errors.Is(err, lost) || tries != 2 {
		t.Fatalf("got %v after %d tries", err, tries)
	}
}

func TestWhoBlockedTheBotLooksNoMore(t *testing.T) {
	for name, why := range map[string]error{"blocked": order.ErrBlocked, "message deleted": order.ErrGone} {
		t.Run(name, func(t *testing.T) {
			w := looking(t)
			w.happens("taken 3D")
			w.showing = func() error { return why }
			w.happens("live")
			looking, err := w.db.Looking(t.Context(), time.Time{})
			if err != nil || len(looking) != 0 {
				t.Fatalf("looking: %v, %v", looking, err)
			}
		})
	}
}

func TestHallSaysThatItsSaleIsOver(t *testing.T) {
	w := looking(t)
	w.happens("over")
	w.happens("live")
	if what, _ := w.sees(); !strings.Contains(what, "The sale of this show is over") || !strings.Contains(what, "silent") {
		t.Fatalf("Ann sees %q", what)
	}
	w.happens("live")
	if what, shown := w.sees(); shown {
		t.Fatalf("said again: %s", what)
	}
}

// Until it is known which message a hall is in, it is not followed: an edit could hit another message.
func TestHallInAMessageThatIsNotKnownIsLeftAlone(t *testing.T) {
	w := looking(t)
	w.happens("tap As a list")
	session, _, err := w.db.Begin(t.Context(), ann, 0)
	w.must(err)
	session.Shown = 0
	w.must(w.db.End(t.Context(), ann, 0, session))
	w.happens("wait 4s")
	w.happens("taken 3D")
	w.seen()
	w.happens("live")
	if what, shown := w.sees(); shown {
		t.Fatalf("shown: %s", what)
	}
	w.must(w.flows.CardShown(t.Context(), "hall:1001", 4))
	w.happens("live")
	if what, _ := w.sees(); !strings.Contains(what, "message 4 becomes") {
		t.Fatalf("Ann sees %q", what)
	}
}

// readings counts how often what a pass reads is read.
type readings struct {
	flows.Lookers
	order.View
	lookers, views int
}

func (r *readings) Looking(ctx context.Context, since time.Time) ([]int64, error) {
	r.lookers++
	return r.Lookers.Looking(ctx, since)
}

func (r *readings) Tip(ctx context.Context) (order.Tip, error) {
	r.views++
	return r.View.Tip(ctx)
}

func TestHallsCostOneReadWhenNobodyLooks(t *testing.T) {
	w := newWorld(t)
	r := &readings{Lookers: w.db, View: w.db}
	w.flows.Lookers, w.flows.View = r, r
	w.must(w.flows.RefreshHalls(t.Context()))
	if r.lookers != 1 || r.views != 0 {
		t.Fatalf("%d reads of the lookers, %d of the board", r.lookers, r.views)
	}
}

// choosingAnother brings Ann to the hall with the seats that could take the place of her lost one.
func choosingAnother(t *testing.T) *world {
	w := newWorld(t)
	for _, line := range []string{
		"chat opens", "write /wallet", "write CUtNvY1Jxpn4V4RD1tgphsUKpQdo4q5i54", "write /shows", "tap Night Trains",
		"tap Choose a seat", "tap 3D", "tap Continue with 3D", "tap Order and pay 180.5 CRS", "wait 4s", "pay what is due",
		"block", "taken 3D", "block", "wait 4s", "tap Another seat", "wait 4s",
	} {
		w.happens(line)
	}
	w.seen()
	return w
}

func TestHallOfAChoiceThatWasMadeElsewhereIsLeftAlone(t *testing.T) {
	w := choosingAnother(t)
	o := w.last(ann)
	_, err := w.engine.Do(t.Context(), ann, o.ID, order.Ask{Verb: order.MoneyBack, Ticket: o.Tickets[0].ID})
	w.must(err)
	w.happens("taken 3C")
	w.seen()
	w.happens("live")
	if what, shown := w.sees(); shown {
		t.Fatalf("Ann sees %q", what)
	}
	if looking, err := w.db.Looking(t.Context(), time.Time{}); err != nil || len(looking) != 0 {
		t.Errorf("looking: %v, %v", looking, err)
	}
}

func TestHallOfAChoiceSaysThatTheSaleIsOver(t *testing.T) {
	w := choosingAnother(t)
	w.sale.Show = nil
	w.must(w.db.PostSale(t.Context(), w.sale)) // the order has not heard of it yet
	w.happens("live")
	if what, _ := w.sees(); !strings.Contains(what, "no other seat can be taken") {
		t.Fatalf("Ann sees %q", what)
	}
}
