package order_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// counted gives how often the node was asked anything about the order while something happened.
func (w *world) counted(happens func()) int {
	w.t.Helper()
	count := func() (n int) {
		for site, calls := range w.sites.count {
			if site != order.SiteSave && site != order.SiteTell {
				n += calls
			}
		}
		return n
	}
	before := count()
	happens()
	return count() - before
}

func TestSettledOrdersAreLookedAtAgainOnlyWhereBlocksWereUndone(t *testing.T) {
	w := hasPaidBack(t)
	if calls := w.counted(func() { w.mine(10) }); calls != 0 {
		t.Errorf("%d calls for ten quiet blocks", calls)
	}
	if calls := w.counted(func() { w.fork(3) }); calls != 0 {
		t.Errorf("%d calls although its own blocks are still there", calls)
	}
	if calls := w.counted(func() { w.fork(15) }); calls == 0 {
		t.Error("not looked at although its block was undone")
	}
	w.mine(5)
	w.wantsPayout(order.Done)
	w.settled(w.paidIn())
}

func TestWhatIsFinalIsNotWokenByAFork(t *testing.T) {
	w := hasPaidBack(t)
	w.mine(finality)
	if w.o.NextHeight != 0 {
		t.Fatalf("a next step is due at block %d, at block %d", w.o.NextHeight, w.node.height)
	}
	tells := w.sites.count[order.SiteTell]
	w.fork(2)
	if w.sites.count[order.SiteTell] != tells {
		t.Error("looked at again")
	}
	w.wantsPayout(order.Done)
}

// forkStory plays a purchase and a refund, and the blocks with both undone when the money has arrived.
func (w *world) forkStory() {
	w.t.Helper()
	w.open()
	w.pay()
	w.mine(16)
	if w.ticket().State == order.Owned {
		w.must(w.ask(order.GiveBack))
	}
	w.pass(11 * time.Second)
	w.mine(3)
	w.fork(4)
	for range 4 {
		w.pass(5 * time.Minute)
		w.mine(6)
	}
}

// TestDeathAtAnyCallSiteWhileBlocksAreUndoneChangesNothing lets the process die before and after each call of that.
func TestDeathAtAnyCallSiteWhileBlocksAreUndoneChangesNothing(t *testing.T) {
	calm := forking()(t)
	calm.forkStory()
	calm.wants(order.Filled, order.Released)
	calm.settled(calm.o.Due)
	for site, count := range calm.sites.count {
		for nth := range count {
			for _, before := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%d/before=%t", site, nth+1, before), func(t *testing.T) {
					w := forking()(t)
					w.next(site, slices.Repeat([]fault{fine()}, nth)...)
					w.next(site, fault{before: before, crash: true})
					w.forkStory()
					w.survivedFork(site)
				})
			}
		}
	}
}

// survivedFork wants the story's end, or the ticket whose secret died with the process.
func (w *world) survivedFork(site string) {
	w.t.Helper()
	if w.ticket().State == order.Attention && w.ticket().Reason == order.ReasonNoSecret &&
		(site == order.SiteReserve || site == order.SiteSave) {
		return
	}
	w.wants(order.Filled, order.Released)
	w.settled(w.o.Due)
}

// TestAnExcessThatVanishedHoldsUpNoRefund has the customer give a ticket back while what came on top is on its way to
// them, and the blocks undone that it rests on: one of its inputs was given back by the purchase and is gone.
func TestAnExcessThatVanishedHoldsUpNoRefund(t *testing.T) {
	w := forking()(t)
	w.open()
	w.pay()
	w.pay()
	w.mine(3)
	w.wants(order.Filled, order.Owned)
	for w.mine(1); w.payout().State != order.Done; {
		w.mine(1)
	}
	w.must(w.ask(order.GiveBack))
	w.fork(8)
	undoOver(w)
	w.mine(10)
	w.wants(order.Filled, order.Released)
	w.mine(5)
	w.settled(w.paidIn())
}

// TestMoneyThatVanishedWithItsBlocksIsSentAgain has the blocks undone, twice, in which the money for a lost seat went
// back: what the failed purchase had given back comes again as other coins. The payments are still there, though the
// wallet counts them as spent by what vanished.
func TestMoneyThatVanishedWithItsBlocksIsSentAgain(t *testing.T) {
	w := forking()(t)
	w.open()
	w.pay()
	w.pay()
	w.mine(1)
	w.pay()
	w.node.seat(seat3D).Owner = others
	w.mine(1)
	w.wants(order.Filled, order.Lost)
	w.pay()
	w.pay()
	w.fork(5)
	w.fork(20)
	w.mine(30)
	w.wants(order.Filled, order.Lost)
	w.settled(w.paidIn())
}

// TestAPayoutOfWhichOneInputWasSpentElsewhereIsMadeOfTheRest has two payments on their way back when blocks are undone,
// and one of them spent elsewhere by the payer in the blocks that take their place.
func TestAPayoutOfWhichOneInputWasSpentElsewhereIsMadeOfTheRest(t *testing.T) {
	w := forking()(t)
	w.open()
	w.must(w.ask(order.Cancel))
	w.pay()
	w.pay()
	w.mine(3)
	w.wantsPayout(order.Done)
	w.node.reorg(3)
	w.node.spentElsewhere(w.node.payments[0])
	w.post()
	w.mine(28)
	w.wantsPayout(order.Done)
	w.settled(w.o.Due)
}
