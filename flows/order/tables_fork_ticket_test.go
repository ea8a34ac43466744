package order_test

import (
	"testing"

	"github.com/usherbot/usher/flows/order"
)

// hasBought is a ticket whose purchase was mined in the block before the newest.
func hasBought(t *testing.T) *world {
	t.Helper()
	w := forking()(t)
	w.buy()
	return w
}

// asksBack is one that the customer has just asked to give back.
func asksBack(t *testing.T) *world {
	t.Helper()
	w := hasBought(t)
	w.must(w.ask(order.GiveBack))
	w.wants(order.Filled, order.Releasing)
	return w
}

// asksBackUndone is the same, with the purchase undone and not mined again yet.
func asksBackUndone(t *testing.T) *world {
	t.Helper()
	w := asksBack(t)
	w.undo(2)
	w.wants(order.Filled, order.Reserved)
	return w
}

// boughtUndone is a ticket that was handed over, with its purchase undone and not mined again yet.
func boughtUndone(t *testing.T) *world {
	t.Helper()
	w := hasBought(t)
	w.undo(2)
	w.wants(order.Filled, order.Reserved)
	return w
}

// isLost is one that somebody else was faster with, in the newest block.
func isLost(change ...func(*order.Config)) func(*testing.T) *world {
	return func(t *testing.T) *world {
		t.Helper()
		w := forking(change...)(t)
		w.open()
		w.pay()
		w.mine(1)
		w.node.seat(seat3D).Owner = others
		w.mine(1)
		w.wants(order.Filled, order.Lost)
		return w
	}
}

func mayChoose(cfg *order.Config) { cfg.Choice = choice }

// endedAtOnce is a ticket that cannot be given back, so that its deposit goes back at once.
func endedAtOnce(t *testing.T) *world {
	t.Helper()
	w := forking()(t)
	w.node.sale.Terms.NoReleaseBlocks = end
	w.post()
	w.open()
	w.pay()
	w.mine(3)
	w.wants(order.Filled, order.Ended)
	return w
}

// outbid has the newest blocks undone, and others take the seat in those that take their place.
func outbid(depth int) func(*world) {
	return func(w *world) {
		w.undo(depth)
		w.node.seat(seat3D).Owner = others
		w.mine(depth + 1)
	}
}

// luckier has the newest block undone, and in the one that takes its place nobody is faster.
func luckier(w *world) {
	w.node.reorg(1)
	w.node.seat(seat3D).Owner = ""
	w.post()
	w.mine(3)
}

func forkTicketStages() []stage {
	row := func(state order.TicketState, enter func(*testing.T) *world, happens func(*world), ends order.TicketState, cases ...ending) stage {
		return stage{table: "ticket", state: string(state), enter: enter, happens: happens, ends: ends, cases: cases}
	}
	return []stage{
		row(order.Owned, hasBought, forks(2), order.Owned,
			ending{outcome: "its block is undone", leads: "reserved", parcels: 1},
			ending{outcome: "its block and that of the payment are undone", leads: "reserved", parcels: 1, happens: forks(3)}),
		row(order.Reserved, boughtUndone, outbid(1), order.Lost,
			ending{outcome: "it was owned, and somebody is faster now", leads: "lost"}),
		row(order.Reserved, asksBackUndone, func(w *world) { w.mine(3) }, order.Released,
			ending{outcome: "it was being given back when its block was undone", leads: "releasing"}),
		row(order.Releasing, asksBack, forks(2), order.Released,
			ending{outcome: "the block of the purchase is undone", leads: "reserved"}),
		row(order.Lost, isLost(), luckier, order.Owned,
			ending{outcome: "its block is undone, and now it is ours", leads: "reserved"},
			ending{outcome: "its block is undone, and now it is ours while another could be chosen", leads: "reserved", enter: isLost(mayChoose)},
			ending{outcome: "its block is undone, and nothing changes", leads: "reserved", ends: order.Lost, happens: forks(1)}),
		row(order.Released, handsBack, forks(1), order.Released,
			ending{outcome: "its block is undone", leads: "releasing"},
			ending{outcome: "its block is undone when the money has arrived", leads: "releasing", enter: hasPaidBack, happens: forks(3)},
			ending{outcome: "all blocks since the payment are undone", leads: "releasing", enter: hasPaidBack, happens: forks(7)}),
		row(order.Ended, endedAtOnce, forks(2), order.Ended,
			ending{outcome: "its block is undone", leads: "reserved"},
			ending{outcome: "its block is undone when the deposit has arrived", leads: "reserved", enter: endedAndPaid, happens: forks(4)}),
	}
}

// endedAndPaid is endedAtOnce with the deposit back.
func endedAndPaid(t *testing.T) *world {
	t.Helper()
	w := endedAtOnce(t)
	w.mine(2)
	w.wantsPayout(order.Done)
	return w
}

func TestATicketThatWasHandedOverAndThenLostIsDead(t *testing.T) {
	w := hasBought(t)
	outbid(2)(w)
	w.wants(order.Filled, order.Lost)
	if !w.ticket().Dead() {
		t.Error("its QR does not count as dead")
	}
	w.mine(5)
	w.settled(w.o.Due)
}

func TestAnotherSeatChosenIsGivenUpWhereTheLostOneIsOursAfterAll(t *testing.T) {
	w := isLost(mayChoose)(t)
	w.must(w.instead(seat3C))
	luckier(w)
	w.mine(4)
	w.wantsAll(order.Filled, order.Owned, order.Dropped)
	w.giveBack()
	w.settled(w.o.Due)
}
