package order_test

import (
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// The row held of a ticket that takes a lost one's place, and what becomes of the lost one.

// takes chooses a seat in place of the lost one, all of whose money is there.
func takes(seat cirrus.Seat) func(*world) {
	return func(w *world) { w.must(w.instead(seat)) }
}

// dearer is a choice whose difference is still to be paid.
func dearer(t *testing.T) *world {
	t.Helper()
	w := lostCheap(t)
	w.must(w.instead(seat3D))
	w.pass(5 * time.Minute)
	return w
}

// movesOver is a choice whose transfer is in the mempool.
func movesOver(t *testing.T) *world {
	t.Helper()
	w := lostSeat(t)
	takes(seat3C)(w)
	return w
}

// lostUnseenAgain is a choice whose transfer could not be built, and then the lost seat's money is not seen any more.
func lostUnseenAgain(t *testing.T) *world {
	t.Helper()
	w := lostSeat(t)
	w.next(order.SiteBuild, refusedWith(order.ErrUnreachable))
	takes(seat3C)(w)
	w.hide(func(*coin) bool { return true })
	w.post()
	w.calm(5*time.Second, 1)
	return w
}

// tookPlace is a ticket that another one took the place of.
func tookPlace(t *testing.T) *world {
	t.Helper()
	w := movesOver(t)
	w.mine(4)
	w.wants(order.Filled, order.Exchanged)
	w.wantsNewest(order.Owned)
	return w
}

// paysAPart has some of the difference seen.
func paysAPart(w *world) {
	w.node.pay(w.newest().Address, cirrus.CRS)
	w.post()
}

func paysTheDifference(w *world) {
	w.topUp(0)
	w.mine(1)
}

func swapStages() []stage {
	row := stage{table: "ticket", state: "held", enter: lostSeat, happens: takes(seat3C), ends: order.Owned}
	hold, extend, again, address := row, row, row, row
	hold.site = order.SiteHold
	hold.cases = whenever("the money is about to move", slices.Concat(leadTo("dropped", order.Lost, order.ErrSeatHeld),
		stays(order.ErrUnknownOutcome), []ending{{outcome: "held"}, {outcome: butDone}}))
	extend.site, extend.enter, extend.happens, extend.ends = order.SiteHold, dearer, paysAPart, order.Lost
	extend.cases = whenever("a part of the difference is seen", slices.Concat(leadTo("dropped", "", order.ErrSeatHeld),
		stays(order.ErrUnknownOutcome), []ending{{outcome: "held"}, {outcome: butDone}}))
	again.site, again.enter, again.happens = order.SiteHold, movesOver, oneBlock
	again.cases = whenever("the money is there", slices.Concat(leadTo("lost", order.Lost, order.ErrSeatHeld),
		stays(order.ErrUnknownOutcome), []ending{{outcome: "held", leads: "reserving"}, {outcome: butDone}}))
	address.site, address.happens = order.SiteIsContract, takes(seat4A)
	address.cases = append(readAgain(), ending{outcome: "no contract"}, ending{outcome: "a contract", bring: refundBecomesContract})
	return slices.Concat(transferStages(row, "held"), []stage{hold, extend, again, address}, choiceStages())
}

// choiceStages are the edges of a choice, without a call.
func choiceStages() []stage {
	return []stage{
		{table: "ticket", state: "held", enter: movesOver, ends: order.Owned, cases: []ending{
			{outcome: "the money of a lost seat is brought over", leads: "reserving", happens: oneBlock},
			{outcome: "the other seat is sold on the way", leads: "lost", ends: order.Lost, bring: alsoSold, happens: oneBlock},
			{outcome: "the money brought over is not seen", leads: "attention", ends: order.Attention, bring: hidesSwap, happens: func(w *world) { w.mine(25) }},
			{outcome: "what brings the money over is not mined for long", leads: "attention", ends: order.Attention, happens: func(w *world) { w.idle(300) }},
		}},
		{table: "ticket", state: "held", enter: dearer, ends: order.Lost, cases: []ending{
			{outcome: "the lost seat's money is not seen any more", leads: "dropped", ends: order.Attention, enter: lostUnseenAgain, happens: func(w *world) { w.mine(25) }},
			{outcome: "the difference is paid", leads: "reserving", ends: order.Owned, happens: func(w *world) { paysTheDifference(w); w.mine(1) }},
			{outcome: "the difference is not paid in time", leads: "dropped", happens: waits(15 * time.Minute)},
			{outcome: "the other seat is sold first", leads: "dropped", bring: func(w *world) { w.node.seat(seat3D).Owner = others }, happens: oneBlock},
			{outcome: "yet another seat is chosen", leads: "dropped", ends: order.Owned, happens: takes(seat4B)},
			{outcome: "the money is wanted back", leads: "dropped", happens: asks(order.MoneyBack)},
		}},
		{table: "ticket", state: "lost", enter: movesOver, ends: order.Owned, cases: []ending{
			{outcome: "another seat takes its place", leads: "exchanged", happens: oneBlock},
			{outcome: "nothing is chosen in time", enter: lostSeat, ends: order.Lost, happens: waits(choice)},
			{outcome: "its money is wanted back", enter: lostSeat, ends: order.Lost, happens: asks(order.MoneyBack)},
			{outcome: "nothing is left to choose", enter: lostSeat, ends: order.Lost, bring: everythingSold, happens: oneBlock},
		}},
		{table: "ticket", state: "exchanged", enter: tookPlace, ends: order.Owned, cases: []ending{
			{outcome: "nothing more happens", happens: oneBlock},
			{outcome: "more money comes", happens: comesOnTop},
		}},
	}
}

func alsoSold(w *world) { w.node.seat(seat3C).Owner = others }

func everythingSold(w *world) {
	for i := range w.node.sale.Seats {
		w.node.sale.Seats[i].Owner = others
	}
}

// hidesSwap mines the transfer without the wallet showing what it paid.
func hidesSwap(w *world) { w.node.hide(w.newest().Swap.TxID) }
