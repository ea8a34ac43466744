package order_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// story plays a purchase and a refund to the end, however often the process dies on the way.
func (w *world) story() {
	w.t.Helper()
	w.open()
	w.pay()
	w.mine(16)
	if w.ticket().State == order.Owned {
		w.must(w.ask(order.GiveBack))
	}
	w.pass(11 * time.Second)
	w.pass(5 * time.Minute)
	w.mine(16)
	w.pass(5 * time.Minute)
	w.mine(4)
}

// TestDeathAtAnyCallSiteChangesNothing lets the process die before and after each call of a whole story.
func TestDeathAtAnyCallSiteChangesNothing(t *testing.T) {
	calm := newWorld(t)
	calm.story()
	calm.wants(order.Filled, order.Released)
	for site, count := range calm.sites.count {
		for nth := range count {
			for _, before := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%d/before=%t", site, nth+1, before), func(t *testing.T) {
					deadly(t, site, nth, before)
				})
			}
		}
	}
}

// groupStory plays three seats with an over-payment and a second payment, and the refund of one seat.
func (w *world) groupStory() {
	w.t.Helper()
	w.open(threeSeats...)
	w.node.pay(w.o.Address, w.o.Due+cirrus.CRS)
	w.post()
	w.mine(2)
	w.node.pay(w.o.Address, w.o.Due)
	w.mine(16)
	w.pass(5 * time.Minute)
	w.mine(4)
	if w.ticket().State == order.Owned {
		w.must(w.ask(order.GiveBack))
	}
	w.pass(11 * time.Second)
	w.pass(5 * time.Minute)
	w.mine(16)
	w.pass(5 * time.Minute)
	w.mine(4)
}

// TestDeathAtAnyCallSiteOfAGroupChangesNothing does the same with three seats in one order.
func TestDeathAtAnyCallSiteOfAGroupChangesNothing(t *testing.T) {
	calm := newWorld(t)
	calm.groupStory()
	calm.wantsAll(order.Filled, order.Released, order.Owned, order.Owned)
	for site, count := range calm.sites.count {
		for nth := range count {
			for _, before := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%d/before=%t", site, nth+1, before), func(t *testing.T) {
					w := newWorld(t)
					w.next(site, slices.Repeat([]fault{fine()}, nth)...)
					w.next(site, fault{before: before, crash: true})
					w.groupStory()
					w.survived(site)
				})
			}
		}
	}
}

// survived wants the story's end, or one ticket whose secret died with the process, and no other consequence.
func (w *world) survived(site string) {
	w.t.Helper()
	if w.deaths != 1 {
		w.t.Fatalf("died %d times", w.deaths)
	}
	alone := 0
	for i, want := range []order.TicketState{order.Released, order.Owned, order.Owned} {
		switch ticket := w.o.Tickets[i]; ticket.State {
		case want:
		case order.Attention:
			alone++
			if ticket.Reason != order.ReasonNoSecret || site != order.SiteReserve && site != order.SiteSave {
				w.t.Errorf("ticket %s needs a person for %s", ticket.Seat, ticket.Reason)
			}
		default:
			w.t.Errorf("ticket %s is %s", ticket.Seat, ticket.State)
		}
	}
	if alone > 1 || len(w.told) != alone || len(w.parcels) != 3-alone {
		w.t.Errorf("%d tickets need a person, operator told %v, parcels %v", alone, w.told, w.parcels)
	}
	if alone == 0 {
		w.adds(w.paidIn())
	}
}

func deadly(t *testing.T, site string, nth int, before bool) {
	w := newWorld(t)
	for range nth {
		w.next(site, fine())
	}
	w.next(site, fault{before: before, crash: true})
	w.story()
	if w.deaths != 1 {
		t.Fatalf("died %d times", w.deaths)
	}
	answerLost := site == order.SiteReserve && !before
	if site == order.SiteSave && before && w.ticket().State == order.Attention {
		answerLost = true // the save of the answer
	}
	if answerLost {
		// The secret died with the process: the one thing that nobody can mend.
		w.wants(order.Filled, order.Attention)
		if len(w.told) != 1 || w.told[0] != string(order.ReasonNoSecret) {
			t.Errorf("operator told %v", w.told)
		}
		return
	}
	w.wants(order.Filled, order.Released)
	if len(w.parcels) != 1 {
		t.Errorf("parcels %v", w.parcels)
	}
	w.settled(w.o.Due)
}

// strayStory plays a purchase whose answer is lost, to the end, with a float.
func (w *world) strayStory() {
	w.t.Helper()
	w.open()
	w.pay()
	w.mine(16)
	w.pass(5 * time.Minute)
	w.mine(16)
	w.pass(5 * time.Minute)
	w.mine(4)
}

// TestDeathAtAnyCallSiteOnTheWayToTheFloatChangesNothing: once the secret is lost, no death costs anybody a strat more, nor
// the float a coin.
func TestDeathAtAnyCallSiteOnTheWayToTheFloatChangesNothing(t *testing.T) {
	calm := newFloated(t, fewCoins)
	calm.next(order.SiteReserve, lost())
	calm.strayStory()
	calm.wants(order.Filled, order.Lost)
	for site, count := range calm.sites.count {
		for nth := range count {
			for _, before := range []bool{true, false} {
				if site == order.SiteReserve {
					continue // it is the call whose answer is lost
				}
				t.Run(fmt.Sprintf("%s/%d/before=%t", site, nth+1, before), func(t *testing.T) {
					w := newFloated(t, fewCoins)
					w.next(order.SiteReserve, lost())
					w.next(site, slices.Repeat([]fault{fine()}, nth)...)
					w.next(site, fault{before: before, crash: true})
					w.strayStory()
					if w.deaths != 1 {
						t.Fatalf("died %d times", w.deaths)
					}
					w.wants(order.Filled, order.Lost)
					w.wantsClaims(1)
					w.settled(w.o.Due)
				})
			}
		}
	}
}
