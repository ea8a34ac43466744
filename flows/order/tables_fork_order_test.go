package order_test

import (
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// joinedAndBought is a seat that was paid in two parts, in a world in which blocks may be undone.
func joinedAndBought(t *testing.T) *world {
	t.Helper()
	w := forking()(t)
	w.open()
	w.node.pay(w.o.Address, 100*cirrus.CRS)
	w.mine(1)
	w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS)
	w.mine(4)
	w.wants(order.Filled, order.Owned)
	return w
}

// splitAndBought are three seats that were paid at once.
func splitAndBought(t *testing.T) *world {
	t.Helper()
	w := forking()(t)
	w.open(threeSeats...)
	w.node.pay(w.o.Address, w.o.Due+cirrus.CRS)
	w.mine(4)
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
	return w
}

// paidFromElsewhere is a ticket that was handed over, whose blocks were undone and whose payment was spent elsewhere.
func paidFromElsewhere(t *testing.T) *world {
	t.Helper()
	w := hasBought(t)
	w.undo(3)
	w.node.vanish()
	w.post()
	w.wants(order.Filled, order.Reserved)
	return w
}

// isVoid is that, long after.
func isVoid(t *testing.T) *world {
	t.Helper()
	w := paidFromElsewhere(t)
	longGoneAgain(w)
	w.wants(order.Void, order.Lost)
	return w
}

func longGoneAgain(w *world) { w.mine(125) }

// vanishesAgain has blocks undone and all that was in them gone from the mempool, but for the payment.
func vanishesAgain(depth int) func(*world) {
	return func(w *world) {
		w.node.reorg(depth)
		w.node.vanish()
		w.post()
		w.mine(6)
	}
}

// exchangedAndGone is a ticket that took a lost one's place, with the blocks undone in which the lost one's call gave its
// money back.
func exchangedAndGone(t *testing.T) *world {
	t.Helper()
	w := isLost(mayChoose)(t)
	w.must(w.instead(seat3C))
	w.mine(4)
	w.wantsAll(order.Filled, order.Exchanged, order.Owned)
	w.fork(5)
	w.wantsAll(order.Filled, order.Exchanged, order.Reserved)
	return w
}

func forkOrderStages() []stage {
	return []stage{
		{table: "ticket", state: "reserved", site: order.SiteForget, enter: exchangedAndGone, happens: longGoneAgain, ends: order.Lost, cases: append(
			stays(order.ErrUnreachable, order.ErrRefused, order.ErrWallet, order.ErrUnknownOutcome),
			ending{outcome: "forgotten", leads: "lost"}, ending{outcome: butDone},
		)},
		{table: "order", state: "filled", ends: order.Owned, enter: joinedAndBought, cases: []ending{
			{outcome: "the joining is undone", leads: "joining", happens: forks(3), parcels: 1},
			{outcome: "the joining is undone and vanishes", leads: "joining", happens: vanishesAgain(3), parcels: 1},
			{outcome: "the payment is gone after the purchase", leads: "void", enter: paidFromElsewhere, ends: order.Lost, happens: longGoneAgain},
		}},
		{table: "order", state: "filled", ends: order.Owned, enter: splitAndBought, cases: []ending{
			{outcome: "the splitting is undone", leads: "splitting", happens: forks(3)},
			{outcome: "the splitting is undone and vanishes", leads: "splitting", happens: vanishesAgain(3)},
		}},
		{table: "order", state: "void", enter: isVoid, happens: oneBlock, ends: order.Lost, cases: []ending{
			{outcome: "nothing comes"},
			{outcome: "something comes", happens: func(w *world) {
				w.node.pay(w.o.Address, cirrus.CRS)
				w.mine(3)
			}},
		}},
		{table: "ticket", state: "reserved", site: order.SiteRaw, enter: paidFromElsewhere, happens: longGoneAgain, ends: order.Lost, cases: append(
			readAgain(),
			ending{outcome: order.ErrNotFound.Error(), leads: "lost"},
			ending{outcome: order.ErrNotFound.Error(), when: "only the money from another seat is gone", leads: "lost", enter: exchangedAndGone},
			ending{outcome: "read", leads: "attention", ends: order.Attention, enter: boughtUndone, happens: func(w *world) { w.idle(125) }},
		)},
	}
}
