package flows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/flows/order"
)

// crowd is two people in one hall, and what happens around them.
type crowd struct {
	w *world
	t *rapid.T
}

func (c crowd) seat() *order.SeatOnSale {
	return &c.w.sale.Seats[rapid.IntRange(0, len(c.w.sale.Seats)-1).Draw(c.t, "seat")]
}

func (c crowd) who() string { return rapid.SampledFrom([]string{"", "bob "}).Draw(c.t, "who") }

// tap taps one of the buttons that a person sees, where it is there.
func (c crowd) tap(buttons ...string) {
	who := c.who()
	id := map[string]int64{"": ann, "bob ": bob}[who]
	button := rapid.SampledFrom(buttons).Draw(c.t, "button")
	for _, text := range []string{button, button + " ✓"} {
		if _, b, ok := c.w.chat(id).button(text); ok && b.Action != "" {
			c.w.happens(who + "tap " + text)
			return
		}
	}
}

func (c crowd) actions() map[string]func(*rapid.T) {
	seats := seatNames(c.w)
	return map[string]func(*rapid.T){
		"taken":      func(*rapid.T) { c.seat().Owner = addressNr(250); c.w.post() },
		"given back": func(*rapid.T) { c.seat().Owner = ""; c.w.post() },
		"held": func(*rapid.T) {
			hold := order.Hold{Order: "other", Customer: operator, Until: c.w.clock.Now().Add(time.Minute)}
			c.w.must(c.w.db.Hold(c.t.Context(), c.w.sale.Show.TxID, c.seat().Seat, hold, c.w.clock.Now()))
		},
		"chooses":  func(*rapid.T) { c.tap(seats...) },
		"together": func(*rapid.T) { c.tap("Best 2", "Best 3", "Clear") },
		"reads":    func(*rapid.T) { c.tap("As a list", "As a picture") },
		"leaves":   func(*rapid.T) { c.tap("‹ Back", "Choose a seat") },
		"waits": func(*rapid.T) {
			c.w.clock.Advance(time.Duration(rapid.IntRange(1, 70).Draw(c.t, "seconds")) * time.Second)
		},
		"pass": func(*rapid.T) { c.w.happens("live") },
	}
}

func seatNames(w *world) (names []string) {
	for _, on := range w.sale.Seats {
		names = append(names, on.Seat.String())
	}
	return names
}

// offers lists the free seats that a person's hall offers; ok is false where no hall is on the screen.
func (w *world) offers(t *rapid.T, id int64) (names []string, ok bool) {
	session, err := w.db.Peek(t.Context(), id)
	w.must(err)
	if session.Hall.Show == "" {
		return nil, false
	}
	for _, row := range w.chat(id).messages[session.Shown].Buttons {
		for _, b := range row {
			if name, _ := strings.CutSuffix(b.Text, " ✓"); slices.Contains(seatNames(w), name) {
				names = append(names, name)
			}
		}
	}
	return names, true
}

func (w *world) freeSeats(t *rapid.T) (names []string) {
	held, err := w.db.Held(t.Context(), w.sale.Show.TxID)
	w.must(err)
	for _, on := range w.sale.Seats {
		if on.Owner == "" && !held[on.Seat].Until.After(w.clock.Now()) {
			names = append(names, on.Seat.String())
		}
	}
	return names
}

// TestHallShowsWhatIsTrue: whatever happened, three seconds and a pass later every hall on a screen offers the free
// seats and no other, and chosen seats are free.
func TestHallShowsWhatIsTrue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		for _, who := range []string{"", "bob "} {
			for _, line := range []string{"write /shows", "tap Night Trains", "tap Choose a seat"} {
				w.happens(who + line)
			}
		}
		rt.Repeat(crowd{w, rt}.actions())
		w.clock.Advance(3 * time.Second)
		w.happens("live")
		free := w.freeSeats(rt)
		for _, id := range []int64{ann, bob} {
			session, err := w.db.Peek(rt.Context(), id)
			w.must(err)
			looks, err := w.db.Looking(rt.Context(), w.clock.Now().Add(-10*time.Minute))
			w.must(err)
			offered, ok := w.offers(rt, id)
			if !ok || !slices.Contains(looks, id) {
				continue
			}
			if !slices.Equal(offered, free) {
				rt.Errorf("%d is offered %v, free are %v", id, offered, free)
			}
			for _, seat := range session.Draft.Seats {
				if !slices.Contains(free, seat.String()) {
					rt.Errorf("%d has chosen %s, which is not free", id, seat)
				}
			}
		}
	})
}
