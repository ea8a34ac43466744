package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// The edges that lead back when blocks are undone.

// finality of worlds in which blocks are undone, in blocks.
const finality = 30

// forking is a world in which blocks may be undone.
func forking(change ...func(*order.Config)) func(*testing.T) *world {
	return func(t *testing.T) *world {
		t.Helper()
		return newWorldWith(t, func(cfg *order.Config) {
			cfg.Finality = finality
			for _, one := range change {
				one(cfg)
			}
		})
	}
}

// handsBack takes an order in such a world as far as the ticket being given back, its call mined.
func handsBack(t *testing.T) *world {
	t.Helper()
	w := forking()(t)
	w.buy()
	w.mine(2)
	w.must(w.ask(order.GiveBack))
	undoOver(w)
	w.mine(1)
	w.wants(order.Filled, order.Released)
	return w
}

// sendsBack is a ticket given back whose money is on its way.
func sendsBack(t *testing.T) *world {
	t.Helper()
	w := handsBack(t)
	w.mine(1)
	w.wantsPayout(order.Sent)
	return w
}

// hasPaidBack is one whose money has just arrived.
func hasPaidBack(t *testing.T) *world {
	t.Helper()
	w := sendsBack(t)
	w.mine(1)
	w.wantsPayout(order.Done)
	return w
}

// forks undoes so many blocks.
func forks(depth int) func(*world) {
	return func(w *world) { w.fork(depth) }
}

// undoneForgets has blocks undone, and the payout that was in them gone from the mempool with what it spends.
func undoneForgets(w *world) {
	w.fork(2)
	w.calm(5*time.Second, 3)
}

func forkStages() []stage {
	row := func(state order.PayoutState, site string, enter func(*testing.T) *world, happens func(*world), cases ...ending) stage {
		return stage{table: "payout", state: string(state), site: site, enter: enter, happens: happens, ends: order.Released, cases: cases}
	}
	return []stage{
		row(order.Done, "", hasPaidBack, forks(1), ending{outcome: "its block is undone", leads: "sent"}),
		row(order.Sent, "", sendsBack, undoneForgets,
			ending{outcome: "what it spends was undone", leads: "due"}),
		row(order.Sent, "", hasPaidBack, forks(1),
			ending{outcome: "it is mined again", leads: "done"},
			ending{outcome: "it is mined again, and was spent", leads: "done", happens: spentByCustomer},
			ending{outcome: "it vanished with its block", leads: "built", happens: undoneAndVanished}),
		row(order.Sent, order.SiteForget, sendsBack, undoneForgets,
			ending{outcome: "forgotten", leads: "due"},
			ending{outcome: order.ErrUnreachable.Error()}, ending{outcome: order.ErrRefused.Error()}, ending{outcome: order.ErrWallet.Error()},
			ending{outcome: noAnswer}, ending{outcome: butDone}),
	}
}

// spentByCustomer has the customer spend at once what came again.
func spentByCustomer(w *world) {
	w.undo(1)
	w.node.mine()
	for _, c := range w.node.coins {
		if c.Address == refund {
			c.mined, c.spentBy = true, "spent"
		}
	}
	w.post()
	w.mine(25)
}

// undoneAndVanished has the payout's block undone and the payout gone from the mempool.
func undoneAndVanished(w *world) {
	w.node.reorg(1)
	w.node.vanish()
	w.post()
	w.mine(4)
}
