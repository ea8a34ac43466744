package order_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// aged is a store that comes back older once: after so many saves it holds what it held after fewer.
type aged struct {
	order.Store
	w         *world
	saved     []order.Order
	after, to int // saves; after 0: it does not come back older
	returned  bool
}

func copied(o order.Order) (c order.Order) {
	body, _ := json.Marshal(o)
	private, _ := json.Marshal(o.Private)
	_, _ = json.Unmarshal(body, &c), json.Unmarshal(private, &c.Private)
	return c
}

func (a *aged) Save(ctx context.Context, o *order.Order) error {
	if err := a.Store.Save(ctx, o); err != nil {
		return err
	}
	a.saved = append(a.saved, copied(*o))
	if len(a.saved) != a.after {
		return nil
	}
	back := copied(a.saved[a.to-1])
	back.Version = o.Version
	tip, err := a.w.db.Tip(ctx)
	if err != nil {
		return err
	}
	a.w.older++
	tip.Older, tip.Stale, a.returned = a.w.older, true, true
	// Whoever works on the newer record meets a conflict.
	return errors.Join(a.Store.Save(ctx, &back), a.w.db.PostTip(ctx, tip))
}

// ages has the world's store come back older.
func (w *world) ages(after, to int) *aged {
	a := &aged{Store: w.db, w: w, after: after, to: to}
	w.engine.Store = a
	return a
}

// noticed is what Usher does once it has noticed that the store may be older: it counts that, and wakes every order.
func (w *world) noticed() {
	w.t.Helper()
	w.post()
	w.must(w.jobs.Wake(w.t.Context(), w.o.ID, order.Woken, w.clock.Now()))
	w.run()
}

// agedStory is the story with a look after each of its moves.
func (w *world) agedStory(story func(*world)) {
	w.t.Helper()
	story(w)
	for range 2 { // the store may come back older while this is going on
		w.noticed()
		w.mine(30)
	}
}

// everyPair has the store come back older from each save to each earlier one, which takes minutes: make models.
var everyPair = flag.Bool("everypair", false, "take the record back from each save of each story to each earlier one")

// agedStories are what happens while the store comes back older.
var agedStories = map[string]func(*world){
	"one seat":    func(w *world) { w.story() },
	"three seats": func(w *world) { w.groupStory() },
	"paid in parts": func(w *world) {
		w.open()
		w.node.pay(w.o.Address, 100*cirrus.CRS)
		w.mine(1)
		w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS)
		w.mine(6)
	},
	"paid twice": func(w *world) {
		w.open()
		w.pay()
		w.mine(3)
		w.node.pay(w.o.Address, w.o.Due)
		w.mine(6)
	},
	"paid late": func(w *world) {
		w.open()
		w.pass(w.cfg.Hold + time.Minute)
		w.pay()
		w.mine(6)
	},
	"paid late for a seat that is gone": func(w *world) {
		w.open()
		w.pass(w.cfg.Hold + time.Minute)
		w.node.seat(seat3D).Owner = others
		w.pay()
		w.mine(6)
	},
	"paid after cancelling": func(w *world) {
		w.open()
		if w.o.State == order.AwaitingPayment {
			_, err := w.engine.Do(w.t.Context(), customer, w.o.ID, order.Ask{Verb: order.Cancel})
			w.must(err)
		}
		w.pay()
		w.mine(6)
	},
	"kept to the end": func(w *world) {
		w.open()
		w.pay()
		w.mine(int(end - w.node.height)) // #nosec G115 -- small
	},
}

// TestAStoreThatComesBackOlderCostsNobodyMoney takes the record back from each save of a story to each earlier one: the
// ticket is the customer's, or their money is back; at worst its secret is gone with the record, and a person is told.
func TestAStoreThatComesBackOlderCostsNobodyMoney(t *testing.T) {
	for name, story := range agedStories {
		t.Run(name, func(t *testing.T) {
			calm := newWorld(t)
			a := calm.ages(0, 0)
			story(calm)
			saves, step := len(a.saved), 1
			if !*everyPair {
				step = 1 + saves/3
			}
			for after := saves; after >= 2; after -= step {
				for to := after - 1; to >= 1; to -= step {
					t.Run(fmt.Sprintf("from %d to %d", after, to), func(t *testing.T) {
						w := newWorld(t)
						oldAgain(w, story, after, to)
					})
				}
			}
		})
	}
}

// TestAStoreThatComesBackOlderCostsNoTicketWhoseSecretIsDerived: then nobody has to be asked at all.
func TestAStoreThatComesBackOlderCostsNoTicketWhoseSecretIsDerived(t *testing.T) {
	calm, _ := newDeriving(t)
	a := calm.ages(0, 0)
	calm.story()
	for after := len(a.saved); after >= 2; after -= 2 {
		w, _ := newDeriving(t)
		oldAgain(w, func(w *world) { w.story() }, after, (after+1)/2)
		if len(w.told) > 0 {
			t.Errorf("back from %d: a person was told %v", after, w.told)
		}
	}
}

// oldAgain plays a story in which the store comes back older, and wants everybody to have their ticket or their money.
func oldAgain(w *world, story func(*world), after, to int) {
	w.t.Helper()
	a := w.ages(after, to)
	w.agedStory(story)
	if !a.returned {
		w.t.Fatal("the store did not come back older")
	}
	alone := false
	for _, ticket := range w.o.Tickets {
		switch ticket.State {
		case order.Owned, order.Released, order.Ended, order.Lost:
		case order.Dropped:
			if w.o.State == order.Filled {
				w.t.Errorf("ticket %s is dropped", ticket.Seat)
			}
		case order.Attention:
			alone = true
			if ticket.Reason != order.ReasonNoSecret {
				w.t.Errorf("ticket %s needs a person for %s", ticket.Seat, ticket.Reason)
			}
		default:
			w.t.Errorf("ticket %s is %s", ticket.Seat, ticket.State)
		}
	}
	if !alone {
		w.adds(w.paidIn())
	}
	w.nothingTwice()
}

// nothingTwice wants what came to the customer not to be more than they paid, and each seat to be bought once.
func (w *world) nothingTwice() {
	w.t.Helper()
	if came := w.node.arrived(refund) + w.node.arrived(other); came > w.paidIn() {
		w.t.Errorf("%s came back of %s", came, w.paidIn())
	}
	good := map[cirrus.Seat]int{}
	for _, c := range w.node.calls {
		if receipt, mined := w.node.receipts[c.id]; mined && receipt.Success && !c.call.release {
			good[c.call.seat]++
		}
	}
	for seat, n := range good {
		if n > 1 {
			w.t.Errorf("seat %s was bought %d times", seat, n)
		}
	}
}
