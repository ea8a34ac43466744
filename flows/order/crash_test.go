package order_test

import (
	"fmt"
	"testing"
	"time"

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
