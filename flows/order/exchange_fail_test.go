package order_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// What can go wrong with another seat in place of a lost one.

// stuckSwap has an exchange under way whose transfer lost one of its coins to an undone block.
func stuckSwap(t *testing.T) *world {
	t.Helper()
	w := lostSeat(t)
	w.mine(1)
	w.must(w.instead(seat3C))
	swap := w.newest().Swap
	if !swap.Sent {
		t.Fatalf("not sent: %+v", swap)
	}
	w.node.vanish()
	for _, c := range w.node.coins {
		if c.spentBy == swap.TxID {
			c.spentBy = ""
		}
	}
	least := slices.MinFunc(swap.Coins, func(a, b cirrus.Coin) int { return int(a.Amount - b.Amount) })
	delete(w.node.coins, least.Outpoint)
	for range 10 {
		w.mine(3)
		w.pass(10 * time.Minute)
	}
	w.wantsNewest(order.Attention)
	if len(w.told) != 1 || w.told[0] != string(order.ReasonUnresolved) {
		t.Errorf("operator told %v", w.told)
	}
	return w
}

func TestATransferThatIsNeverMinedNeedsAPersonWhoPaysBack(t *testing.T) {
	w := stuckSwap(t)
	_, err := w.engine.Operate(t.Context(), w.o.ID, order.Ask{Verb: order.PayBack, Ticket: w.newest().ID})
	w.must(err)
	w.run()
	w.mine(3)
	w.wants(order.Filled, order.Lost)
	w.wantsNewest(order.Lost)
	if p := w.payout(); p.Why != order.WhyLost {
		t.Errorf("payout %+v", p)
	}
	if s := order.Account(w.o, w.there()); s.Held != 0 || s.Returned != w.node.arrived(refund) || s.Returned == 0 || w.o.Open() {
		t.Errorf("account %+v", s)
	}
}

func TestATransferThatIsTriedAgainGetsTime(t *testing.T) {
	w := stuckSwap(t)
	_, err := w.engine.Operate(t.Context(), w.o.ID, order.Ask{Verb: order.Resolve, Ticket: w.newest().ID})
	w.must(err)
	w.run()
	w.mine(3)
	w.wantsNewest(order.Held)
}

// The contract's payment for the failed call never comes: the choice ends, and a person sees to the rest.
func TestMoneyOfTheLostSeatThatNeverComesNeedsAPerson(t *testing.T) {
	w := losing(t)
	w.mine(1)
	w.must(w.instead(seat3C))
	for key, c := range w.node.coins {
		if c.Address == w.o.Address && c.Amount == price {
			delete(w.node.coins, key)
		}
	}
	w.mine(50)
	w.wantsNewest(order.Dropped)
	w.wants(order.Filled, order.Attention)
	if len(w.told) != 1 || w.told[0] != string(order.ReasonMissing) || len(w.freeSeats()) != 0 {
		t.Errorf("operator told %v, held %v", w.told, w.freeSeats())
	}
}

func TestTheOtherSeatIsSnatchedWhenItsHoldIsRenewed(t *testing.T) {
	for name, step := range map[string]func(*world){
		"with a part of the difference": func(w *world) {
			w.pass(time.Minute)
			w.next(order.SiteHold, refusedWith(order.ErrSeatHeld))
			w.node.pay(w.newest().Address, cirrus.CRS)
			w.post()
		},
		"with all of it": func(w *world) {
			w.next(order.SiteHold, fine(), refusedWith(order.ErrSeatHeld))
			w.pass(time.Second)
			w.topUp(0)
			w.mine(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := lostCheap(t)
			w.must(w.instead(seat3D))
			step(w)
			w.wantsNewest(order.Dropped)
			if !w.ticket().Choosing() || w.newest().Reason != order.ReasonSeatTaken {
				t.Errorf("lost %+v", w.ticket())
			}
			w.must(w.ask(order.MoneyBack))
			w.mine(3)
			w.settled(w.paidIn())
		})
	}
}

func TestTheOtherSeatIsSnatchedRightBeforeThePurchase(t *testing.T) {
	w := lostSeat(t)
	w.next(order.SiteHold, fine(), refusedWith(order.ErrSeatHeld))
	w.must(w.instead(seat3C))
	w.mine(3)
	w.wantsNewest(order.Lost)
	if n := w.newest(); !n.Choosing() || n.Reason != order.ReasonSeatTaken || w.sites.count[order.SiteReserve] != 1 {
		t.Errorf("other %+v", n)
	}
	w.must(w.askOf(1, order.MoneyBack))
	w.mine(3)
	w.settled(w.paidIn())
}

func TestTwoDevicesAtOnceMakeOneTicket(t *testing.T) {
	w := lostSeat(t)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			_, err := w.engine.Do(t.Context(), customer, w.o.ID, order.Ask{Verb: order.Exchange, Ticket: w.ticket().ID, Seat: seat3C})
			if err != nil && !errors.Is(err, order.ErrBusy) {
				t.Error(err)
			}
		})
	}
	both.Wait()
	w.run()
	w.mine(5)
	if len(w.o.Tickets) != 2 || len(w.freeSeats()) != 1 {
		t.Errorf("%d tickets, held %v", len(w.o.Tickets), w.freeSeats())
	}
	w.wantsNewest(order.Owned)
}

func TestNothingIsChosenWhileTheNodeIsNotWell(t *testing.T) {
	w := lostSeat(t)
	w.must(w.db.PostTip(t.Context(), order.Tip{Height: w.node.height, Why: "no peers"}))
	if err := w.instead(seat3C); !errors.Is(err, order.ErrNotAllowed) || len(w.o.Tickets) != 1 {
		t.Errorf("chosen: %v", err)
	}
	if !w.ticket().Choosing() {
		t.Error("the choice ended")
	}
}

// dry is a wallet that gives no addresses.
type dry struct{ order.Purse }

func (dry) Candidates(context.Context, cirrus.Account, int) ([]cirrus.Address, error) {
	return nil, order.ErrUnreachable
}

func TestSeatIsGivenUpAgainWhereThereIsNoAddressForIt(t *testing.T) {
	w := lostSeat(t)
	deps := w.engine.Deps
	deps.Purse = dry{deps.Purse}
	w.engine = order.NewEngine(w.cfg, deps)
	if err := w.instead(seat3C); !errors.Is(err, order.ErrUnreachable) {
		t.Errorf("chosen: %v", err)
	}
	w.load()
	if len(w.freeSeats()) != 0 || len(w.o.Tickets) != 1 || !w.ticket().Choosing() {
		t.Errorf("held %v, tickets %+v", w.freeSeats(), w.o.Tickets)
	}
}

func TestDifferenceThatVanishesIsWaitedForUntilTheHoldEnds(t *testing.T) {
	w := lostCheap(t)
	w.must(w.instead(seat3D))
	w.topUp(0)
	w.node.vanish()
	w.post()
	if w.newest().Missing() != w.newest().Due {
		t.Errorf("missing %s", w.newest().Missing())
	}
	w.pass(31 * time.Minute)
	w.wantsNewest(order.Dropped)
	w.pass(choice)
	w.mine(3)
	w.settled(w.paidIn())
}

// exchangeStory plays a lost seat, a dearer one in its place paid in two parts, and its refund.
func (w *world) exchangeStory() {
	w.t.Helper()
	w.open(seat4A)
	w.pay()
	w.node.seat(seat4A).Owner = others
	w.mine(16)
	w.pass(5 * time.Minute)
	if w.ticket().Choosing() {
		w.must(w.instead(seat3D))
	}
	w.pass(3 * time.Second)
	w.node.pay(w.newest().Address, cirrus.CRS)
	w.mine(1)
	w.node.pay(w.newest().Address, w.newest().Due+cirrus.CRS)
	w.mine(16)
	w.pass(5 * time.Minute)
	w.mine(4)
	if w.newest().State == order.Owned {
		w.must(w.askOf(1, order.GiveBack))
	}
	w.pass(11 * time.Second)
	w.pass(5 * time.Minute)
	w.mine(16)
	w.pass(5 * time.Minute)
	w.mine(4)
}

// TestDeathAtAnyCallSiteOfAnExchangeChangesNothing lets the process die before and after each call of that story.
func TestDeathAtAnyCallSiteOfAnExchangeChangesNothing(t *testing.T) {
	calm := newChoosing(t)
	calm.exchangeStory()
	calm.wants(order.Filled, order.Exchanged)
	calm.wantsNewest(order.Released)
	calm.settled(calm.paidIn())
	for site, count := range calm.sites.count {
		for nth := range count {
			for _, before := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%d/before=%t", site, nth+1, before), func(t *testing.T) {
					w := newChoosing(t)
					w.next(site, slices.Repeat([]fault{fine()}, nth)...)
					w.next(site, fault{before: before, crash: true})
					w.exchangeStory()
					w.exchanged(site)
				})
			}
		}
	}
}

// exchanged wants the story's end, or the one ticket whose secret died with the process.
func (w *world) exchanged(site string) {
	w.t.Helper()
	if w.deaths != 1 || len(w.o.Tickets) != 2 {
		w.t.Fatalf("died %d times, %d tickets", w.deaths, len(w.o.Tickets))
	}
	w.wants(order.Filled, order.Exchanged)
	if n := w.newest(); n.State == order.Attention {
		if n.Reason != order.ReasonNoSecret || site != order.SiteReserve && site != order.SiteSave {
			w.t.Errorf("needs a person for %s", n.Reason)
		}
		return
	}
	w.wantsNewest(order.Released)
	w.settled(w.paidIn())
}
