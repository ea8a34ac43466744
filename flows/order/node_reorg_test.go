package order_test

import (
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// reorg undoes the newest blocks: their transactions return to the mempool, what their calls gave back vanishes, and so
// does what spends that; the wallet goes on counting its inputs as spent.
func (n *node) reorg(depth int) {
	var back []*tx
	for range depth {
		block := n.blocks[n.height]
		delete(n.blocks, n.height)
		for _, t := range slices.Backward(block) {
			n.unmine(t)
		}
		for key, c := range n.coins {
			if c.block == n.height {
				delete(n.coins, key) // what a call gave back
			}
		}
		back = slices.Concat(block, back)
		n.height--
	}
	if n.forks == 0 || n.height < n.fork {
		n.fork = n.height
	}
	n.forks++
	n.pending = append(back, n.pending...)
	n.dropOrphans()
}

func (n *node) unmine(t *tx) {
	t.mined = 0
	for _, in := range t.inputs {
		if c, ok := n.coins[in]; ok {
			c.mined = false
		}
	}
	for _, out := range t.outputs {
		n.coins[out.Outpoint].block = 0
	}
	if t.call != nil {
		delete(n.receipts, t.id)
		seat := n.seat(t.call.seat)
		seat.Owner, seat.Secret = t.call.owner, t.call.stored
	}
}

// dropOrphans takes out of the mempool what spends coins that are gone.
func (n *node) dropOrphans() {
	for found := true; found; {
		i := slices.IndexFunc(n.pending, func(t *tx) bool {
			return slices.ContainsFunc(t.inputs, func(in cirrus.Outpoint) bool { return n.coins[in] == nil })
		})
		if found = i >= 0; found {
			for _, out := range n.pending[i].outputs {
				delete(n.coins, out.Outpoint)
			}
			n.pending = slices.Delete(n.pending, i, i+1)
		}
	}
}

// spentElsewhere has the payer spend what they paid, and was not mined, another way.
func (n *node) spentElsewhere(payment cirrus.Coin) {
	delete(n.coins, payment.Outpoint)
	n.pending = slices.DeleteFunc(n.pending, func(t *tx) bool { return t.id == payment.TxID })
	n.dropOrphans()
}

// fork is a reorganisation: blocks are undone, and others take their place, with one more on top, which mine again what
// can be mined.
func (w *world) fork(depth int) {
	w.t.Helper()
	w.undo(depth)
	w.mine(depth + 1)
}

// undo is the first half of that.
func (w *world) undo(depth int) {
	w.t.Helper()
	w.node.reorg(depth)
	w.post()
}

// unmined tells whether a payment waits again whose block was undone.
func (n *node) unmined() bool {
	return n.forks > 0 && slices.ContainsFunc(n.pending, func(t *tx) bool { return len(t.inputs) == 0 })
}

// idle has so many blocks mined that take up nothing.
func (w *world) idle(blocks int) {
	w.t.Helper()
	for range blocks {
		waiting := w.node.pending
		w.node.pending = nil
		w.clock.Advance(cirrus.BlockTime)
		w.node.mine()
		w.node.pending = waiting
		w.post()
	}
}
