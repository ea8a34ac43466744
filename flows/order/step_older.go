package order

import (
	"context"
	"fmt"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// The store may come back with older records: a backup was put back, or Redis was killed and had not written its last
// second. Then an order may not know of a call or payment that it made. Each such return counts Tip.Older up, and each order
// is held against the history of its addresses once before it does anything more. What it does not know of is written into
// its record, and the steps of the states that it is led to find out the rest, as after a lost answer.

// SitePast is the call site of Past.Movements, made by no row: the record is not trusted yet.
const SitePast = "order.past"

// forgotten is what the chain has of an order and its record has not.
type forgotten struct {
	past  map[cirrus.Address][]Movement // all that came and went, the oldest first
	calls map[cirrus.Address][]PastCall // to the contract, the oldest first
	known map[cirrus.TxID]bool
}

// stepOlder holds an order against the chain whose record may be older than what was done. waits tells that nothing else
// may be done with it yet.
func (r *run) stepOlder(ctx context.Context) (moved, waits bool, err error) {
	if r.o.Older == r.k.tip.Older {
		return false, false, nil
	}
	if r.k.tip.Stale {
		return false, true, nil
	}
	if err := r.claimAgain(ctx); err != nil {
		return false, true, err
	}
	f, err := r.lookBack(ctx)
	if err != nil {
		return false, true, err
	}
	pending, some := f.unknown()
	switch {
	case some && pending && (r.o.OlderFrom == 0 || r.k.tip.Height < r.o.OlderFrom+maxUnknown):
		return r.awaitPast(ctx)
	case some && pending: // it is in no block for long, and perhaps never will be
		for i := range r.o.Tickets {
			r.unexplained(&r.o.Tickets[i])
		}
	case some:
		r.Log.Warn("record was older than the chain", "order", r.o.ID, "state", r.o.State)
		if err := r.rebuild(ctx, f); err != nil {
			return false, true, err
		}
	}
	r.o.Older, r.o.OlderFrom = r.k.tip.Older, 0
	moved, err = r.moved(ctx)
	return moved, false, err
}

// awaitPast waits until all that was found is in a block: only then it tells what came of it.
func (r *run) awaitPast(ctx context.Context) (moved, waits bool, err error) {
	if r.o.OlderFrom > 0 {
		return false, true, nil
	}
	r.o.OlderFrom = r.k.tip.Height
	moved, err = r.moved(ctx)
	return moved, true, err
}

// claimAgain makes sure that the order's addresses are its own: a claim may be lost where the order is not.
func (r *run) claimAgain(ctx context.Context) error {
	for _, address := range r.o.Addresses() {
		if err := r.Addresses.Claim(ctx, address, r.o.ID); err != nil {
			return fmt.Errorf("claiming an address again: %w", err)
		}
	}
	return nil
}

// lookBack reads the history of the order's addresses.
func (r *run) lookBack(ctx context.Context) (forgotten, error) {
	f := forgotten{past: map[cirrus.Address][]Movement{}, calls: map[cirrus.Address][]PastCall{}, known: r.o.transactions()}
	for _, address := range r.o.Addresses() {
		account := r.o.Account
		for _, t := range r.o.Tickets {
			if t.Address == address {
				account = t.Account
			}
		}
		err := r.Sites.Do(ctx, SitePast, func(ctx context.Context) (err error) {
			f.past[address], err = r.Past.Movements(ctx, account, address)
			return err
		})
		if err != nil {
			return f, fmt.Errorf("reading what came and went: %w", err)
		}
		var calls []PastCall
		err = r.Sites.Do(ctx, SiteCalls, func(ctx context.Context) (err error) {
			calls, err = r.Ledger.Calls(ctx, account, address)
			return err
		})
		if err != nil {
			return f, fmt.Errorf("reading what was called: %w", err)
		}
		f.calls[address] = slices.DeleteFunc(calls, func(c PastCall) bool { return c.To != r.o.Show.Contract })
		slices.SortStableFunc(f.calls[address], oldestCall)
		slices.SortStableFunc(f.past[address], oldestMovement)
	}
	return f, nil
}

// oldestCall orders by block; what is in none comes last.
func oldestCall(a, b PastCall) int { return oldest(block(a), block(b)) }

func oldestMovement(a, b Movement) int { return oldest(a.Block, b.Block) }

func oldest(a, b uint64) int {
	switch {
	case a == b:
		return 0
	case b == 0 || a != 0 && a < b:
		return -1
	}
	return 1
}

// block is the height of a call's block, 0 where it is in none.
func block(c PastCall) uint64 {
	if c.Block == nil {
		return 0
	}
	return *c.Block
}

// transactions are all of ours that the order knows of.
func (o *Order) transactions() map[cirrus.TxID]bool {
	known := map[cirrus.TxID]bool{o.Move.TxID: true}
	for _, t := range o.Tickets {
		known[t.Top.TxID], known[t.Swap.TxID] = true, true
		for _, c := range []Call{t.Reserve, t.Release} {
			known[c.TxID] = true
			for _, tx := range c.Past {
				known[tx] = true
			}
		}
	}
	for _, p := range o.Payouts {
		known[p.TxID] = true
	}
	return known
}

// unknown tells whether there is anything that the record does not know of, and whether some of it is in no block yet.
func (f forgotten) unknown() (pending, some bool) {
	for address := range f.past {
		for _, c := range f.calls[address] {
			if !f.known[c.TxID] {
				pending, some = pending || block(c) == 0, true
			}
		}
		for _, m := range f.sent(address) {
			pending, some = pending || m.Block == 0, true
		}
	}
	return pending, some
}

// sent lists the plain payments from an address that the record does not know of.
func (f forgotten) sent(address cirrus.Address) []Movement {
	var list []Movement
	for _, m := range f.past[address] {
		call := slices.ContainsFunc(f.calls[address], func(c PastCall) bool { return c.TxID == m.TxID })
		if m.Kind == MovedOut && !call && !f.known[m.TxID] {
			list = append(list, m)
		}
	}
	return list
}

// received lists what came to an address from elsewhere.
func (f forgotten) received(address cirrus.Address) []Movement {
	return slices.DeleteFunc(slices.Clone(f.past[address]), func(m Movement) bool { return m.Kind != MovedIn })
}
