package ledger

import (
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
)

// Reorg undoes the newest blocks. Their transactions return to the mempool; coinbases and generated transactions
// vanish, and so does what spends them. Errors: ErrTooDeep.
func (c *Chain) Reorg(depth uint64) error {
	if depth > Finality || depth > c.Height() {
		return fmt.Errorf("%w: %d of %d blocks, at most %d", ErrTooDeep, depth, c.Height(), Finality)
	}
	for range depth {
		c.undo()
	}
	c.sweep()
	return nil
}

func (c *Chain) undo() {
	block := c.Tip()
	c.blocks = c.blocks[:len(c.blocks)-1]
	c.contracts, c.purses = block.contracts, block.purses
	for _, id := range block.Calls {
		delete(c.receipts, id)
	}
	for _, id := range block.Txs {
		entry := c.entries[id]
		if entry.Kind == Coinbase || entry.Kind == Generated {
			c.move(entry, Vanished)
		} else {
			c.move(entry, InMempool)
		}
	}
}

// sweep removes from the mempool what spends coins that are not there any more, until nothing does.
func (c *Chain) sweep() {
	for found := true; found; {
		found = false
		for _, entry := range c.Mempool() {
			if _, still := c.pool[entry.ID]; still && !c.spendable(entry) {
				c.move(entry, Vanished)
				found = true
			}
		}
	}
}

// spendable tells whether the inputs of a mempool transaction exist and are mature.
func (c *Chain) spendable(entry *Entry) bool {
	for _, in := range entry.Tx.Ins {
		made, ok := c.entries[in.Prev.TxID]
		if !ok || (made.State != Mined && made.State != InMempool) || !c.mature(in.Prev.TxID) {
			return false
		}
		if spender, ok := c.Spender(in.Prev); ok && spender != entry {
			return false
		}
	}
	return true
}

// Sum is a count of all money, in strats. Issued is always Unspent plus Fees.
type Sum struct {
	Issued  uint64 // came from outside
	Unspent uint64 // lies in coins that no block and no mempool transaction spends
	Fees    uint64 // of mempool transactions, not yet in anybody's coin
}

// Sum counts all money.
func (c *Chain) Sum() Sum {
	var sum Sum
	for _, entry := range c.entries {
		switch {
		case entry.Kind == Outside:
			sum.Issued += entry.Tx.Outs[0].Amount
		case entry.State == InMempool:
			sum.Fees += entry.Fee
		}
	}
	for point, coin := range c.coins {
		if c.Unspent(point, true) {
			sum.Unspent += coin.Amount
		}
	}
	return sum
}

// Sender gives the address that a transaction's first input belongs to.
func (c *Chain) Sender(tx *Tx) (cirrus.Hash, bool) {
	if len(tx.Ins) == 0 {
		return cirrus.Hash{}, false
	}
	coin, ok := c.coins[tx.Ins[0].Prev]
	if !ok {
		return cirrus.Hash{}, false
	}
	return coin.Owner, true
}
