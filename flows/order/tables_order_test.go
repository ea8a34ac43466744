package order_test

import (
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// The rows of an order, from the address shown to the money at each ticket's address.

// opened is an order of one seat whose address is shown.
func opened(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.open()
	return w
}

// partly has some of the money seen and mined.
func partly(t *testing.T) *world {
	t.Helper()
	w := opened(t)
	w.node.pay(w.o.Address, 100*cirrus.CRS)
	w.mine(1)
	return w
}

// lapsed is an order that was not paid in time.
func lapsed(t *testing.T) *world {
	t.Helper()
	w := opened(t)
	w.pass(16 * time.Minute)
	return w
}

// partWaits is one of which a part was paid in time.
func partWaits(t *testing.T) *world {
	t.Helper()
	w := partly(t)
	w.pass(15 * time.Minute)
	w.wants(order.Expired, order.Dropped)
	return w
}

func cancelled(t *testing.T) *world {
	t.Helper()
	w := opened(t)
	w.must(w.ask(order.Cancel))
	return w
}

// comes has what is missing seen, not mined.
func comes(w *world) {
	w.node.pay(w.o.Address, w.o.Due-sum(w.there()))
	w.post()
}

func comesConfirmed(w *world) {
	comes(w)
	w.mine(1)
}

func oneBlock(w *world) { w.mine(1) }

func vanishes(w *world) {
	w.node.vanish()
	w.post()
}

func waits(d time.Duration) func(*world) { return func(w *world) { w.pass(d) } }

// isLookedAt has the order run although nothing happened.
func isLookedAt(w *world) {
	w.must(w.jobs.Wake(w.t.Context(), w.o.ID, order.Woken, w.clock.Now()))
	w.run()
}

func asks(verb order.Verb) func(*world) { return func(w *world) { w.must(w.ask(verb)) } }

func orderStages() []stage {
	waiting := slices.Concat(leadTo("paying", "", order.ErrSeatHeld), stays(order.ErrUnknownOutcome), []ending{
		{outcome: "held", leads: "paying"}, {outcome: butDone},
	})
	return []stage{
		{table: "order", state: "awaiting_payment", site: order.SiteHold, enter: opened, happens: comes, ends: order.Owned, cases: waiting},
		{table: "order", state: "awaiting_payment", enter: opened, ends: order.Dropped, cases: []ending{
			{outcome: "enough is seen", leads: "paying", ends: order.Owned, happens: comes},
			{outcome: "a part is seen", leads: "part_paid", happens: func(w *world) { w.node.pay(w.o.Address, cirrus.CRS); w.post() }},
			{outcome: "the hold ends", leads: "expired", happens: waits(16 * time.Minute)},
			{outcome: "the customer cancels", leads: "cancelled", happens: asks(order.Cancel)},
		}},
		{table: "order", state: "part_paid", site: order.SiteHold, enter: partly, happens: comes, ends: order.Owned, cases: waiting},
		{table: "order", state: "part_paid", ends: order.Dropped, enter: partly, cases: []ending{
			{outcome: "the rest is seen", leads: "paying", ends: order.Owned, happens: comes},
			{outcome: "the part vanishes", leads: "awaiting_payment", happens: vanishes, enter: func(t *testing.T) *world {
				w := opened(t)
				w.node.pay(w.o.Address, cirrus.CRS)
				w.post()
				return w
			}},
			{outcome: "the hold ends", leads: "expired", happens: waits(31 * time.Minute)},
			{outcome: "the customer cancels", leads: "cancelled", happens: asks(order.Cancel)},
		}},
		payingHold(),
		{table: "order", state: "paying", ends: order.Owned, enter: bought, cases: []ending{
			{outcome: "it is confirmed", leads: "paid", happens: oneBlock},
			{outcome: "a part of it vanishes", leads: "part_paid", ends: order.Dropped, enter: inParts, happens: vanishes},
			{outcome: "it vanishes", leads: "awaiting_payment", ends: order.Dropped, happens: vanishes},
			{outcome: "it is never confirmed", leads: "expired", happens: waits(2 * time.Hour)},
		}},
		{table: "order", state: "paid", site: order.SiteHold, enter: bought, happens: oneBlock, ends: order.Owned, cases: slices.Concat(
			leadTo("filled", order.Lost, order.ErrSeatHeld), stays(order.ErrUnknownOutcome), []ending{{outcome: "held", leads: "filled"}, {outcome: butDone}},
		)},
		{table: "order", state: "paid", happens: oneBlock, ends: order.Owned, cases: []ending{
			{outcome: "one coin pays one seat", leads: "filled", enter: bought},
			{outcome: "coins pay one seat", leads: "joining", enter: inParts},
			{outcome: "several seats are paid", leads: "splitting", enter: toSplit},
		}},
		{table: "order", state: "expired", site: order.SiteHold, enter: lapsed, happens: comesConfirmed, ends: order.Owned, cases: slices.Concat(
			leadTo("", order.Dropped, order.ErrSeatHeld), stays(order.ErrUnknownOutcome), []ending{{outcome: "held", leads: "paying"}, {outcome: butDone}},
		)},
		{table: "order", state: "expired", enter: lapsed, ends: order.Dropped, cases: []ending{
			{outcome: "nothing comes", happens: oneBlock},
			{outcome: "the money comes late", leads: "paying", ends: order.Owned, happens: comesConfirmed},
			{outcome: "the rest of a part comes late", leads: "paying", ends: order.Owned, enter: partWaits, happens: comesConfirmed},
			{outcome: "the rest of a part does not come", enter: partWaits, happens: waits(time.Hour)},
			{outcome: "the customer cancels while a part waits", leads: "cancelled", enter: partWaits, happens: asks(order.Cancel)},
		}},
		{table: "order", state: "cancelled", enter: cancelled, ends: order.Dropped, cases: []ending{
			{outcome: "nothing comes", happens: oneBlock},
			{outcome: "the money comes all the same", happens: comesConfirmed},
		}},
		{table: "order", state: "filled", ends: order.Owned, cases: []ending{{outcome: "the tickets go their ways", enter: bought, happens: func(w *world) { w.mine(3) }}}},
	}
}

// payingHold: the holds are taken again where a part of the payment is gone.
func payingHold() stage {
	return stage{
		table: "order", state: "paying", site: order.SiteHold, enter: inParts, happens: vanishes, ends: order.Dropped,
		cases: slices.Concat(leadTo("part_paid", "", order.ErrSeatHeld), stays(order.ErrUnknownOutcome), []ending{
			{outcome: "held", leads: "part_paid"}, {outcome: butDone},
		}),
	}
}

// moveStages are the rows joining and splitting, which differ in how they are entered.
func moveStages() []stage {
	plain := transferStages(stage{table: "order", state: "joining", enter: inParts, happens: oneBlock, ends: order.Owned}, "filled")
	split := transferStages(stage{table: "order", state: "splitting", enter: toSplit, happens: oneBlock, ends: order.Owned}, "filled")
	address := stage{
		table: "order", state: "splitting", site: order.SiteIsContract, enter: toSplit, happens: oneBlock, ends: order.Owned,
		cases: append(readAgain(), ending{outcome: "no contract"}, ending{outcome: "a contract", bring: refundBecomesContract}),
	}
	gone := []ending{{outcome: "its payment is undone", leads: "paid", happens: goneForGood}}
	return slices.Concat(plain, split, []stage{
		address,
		{table: "order", state: "joining", enter: unbuilt(inParts), ends: order.Dropped, cases: gone},
		{table: "order", state: "splitting", enter: unbuilt(toSplit), ends: order.Dropped, cases: gone},
		{table: "order", state: "paid", enter: unbuilt(toSplit), ends: order.Dropped, cases: []ending{
			{outcome: "its payment is undone", leads: "paying", happens: goneForGood},
		}},
	})
}

// unbuilt is an order that is paid and whose transfer could not be built yet.
func unbuilt(enter func(*testing.T) *world) func(*testing.T) *world {
	return func(t *testing.T) *world {
		w := enter(t)
		w.next(order.SiteBuild, refusedWith(order.ErrUnreachable))
		w.mine(1)
		return w
	}
}

// goneForGood has the payment undone for good before that.
func goneForGood(w *world) {
	w.node.undo()
	w.node.vanish()
	w.post()
	w.calm(2*time.Second, 0)
}

func refundBecomesContract(w *world) { w.node.contract[refund] = true }

// transferStages are the calls of a plain transaction of ours, from the state that it is built and sent in to the one
// that it leads to when it is mined.
func transferStages(s stage, mined string) []stage {
	build, send, look := s, s, s
	build.site, build.cases = order.SiteBuild, append(spendingFails(), ending{outcome: "built"})
	send.site, send.cases = order.SiteSend, append(sendingFails(), ending{outcome: "accepted"})
	look.site = order.SiteUnspent
	sent := func(t *testing.T) *world {
		w := s.enter(t)
		s.happens(w)
		return w
	}
	look.cases = append(readAgain(), []ending{
		{outcome: "there", when: "the sending was refused", bring: func(w *world) { w.next(order.SiteSend, refusedWith(order.ErrNoPeers)) }},
		{outcome: "gone", when: "the sending had no answer", bring: func(w *world) { w.next(order.SiteSend, lost()) }},
		{outcome: "there", when: "it is not mined yet", enter: sent, happens: isLookedAt},
		{outcome: "there", when: "it vanished", enter: sent, happens: func(w *world) { w.node.vanish(); w.mine(3) }},
		{outcome: "gone", when: "it is mined", leads: mined, enter: sent, happens: func(w *world) { w.mine(2) }},
	}...)
	for i := range look.cases[:3] {
		look.cases[i].enter, look.cases[i].happens = sent, func(w *world) { w.mine(2) }
	}
	return []stage{build, send, look}
}

// spendingFails are all the ways in which building a transaction fails: it is built again later.
func spendingFails() []ending {
	return append(stays(order.ErrUnreachable, order.ErrRefused, order.ErrPassword, order.ErrWallet, order.ErrCoins,
		order.ErrOutpoints, order.ErrInputsReserved, order.ErrUnknownOutcome), ending{outcome: butDone})
}

// sendingFails are all the ways in which sending fails, with the transaction not out, or out.
func sendingFails() []ending {
	return append(stays(order.ErrUnreachable, order.ErrRefused, order.ErrNoPeers, order.ErrSyncing, order.ErrUnknownOutcome), ending{outcome: butDone})
}
