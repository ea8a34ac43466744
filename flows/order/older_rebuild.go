package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// rebuild writes into the order what was done and forgotten. What cannot be understood is left to a person.
func (r *run) rebuild(ctx context.Context, f forgotten) error {
	if !r.o.paysTicket() {
		for _, m := range f.sent(r.o.Address) {
			r.rebuildMove(f, m)
		}
	}
	for i := range r.o.Tickets {
		t := &r.o.Tickets[i]
		for _, m := range f.sent(t.Address) {
			r.rebuildSent(f, t, m)
		}
		if err := r.rebuildCalls(ctx, f, t); err != nil {
			return err
		}
	}
	return nil
}

// rebuildMove takes a payment from the order's own address for what it was: the split, or money that went back.
func (r *run) rebuildMove(f forgotten, m Movement) {
	split := false
	for i := range r.o.Tickets {
		t := &r.o.Tickets[i]
		if m.pays(t.Address) == 0 {
			continue
		}
		split = true
		for _, in := range f.received(t.Address) {
			if in.TxID == m.TxID && t.Coin.IsZero() {
				t.Coin = in.coin(t.Address, r.k.tip)
			}
		}
		if t.State == Dropped {
			t.move(Held, r.k.now)
		}
	}
	if !split {
		r.paidBack(Payout{Account: r.o.Account, From: r.o.Address, Why: WhyExtra}, m)
		return
	}
	r.o.Move = Transfer{TxID: m.TxID, Fee: m.Fee, Back: r.toCustomer(m), Sent: true, Block: m.Block, Mined: m.Block}
	r.fillOlder()
}

// rebuildSent takes a payment from a ticket's address for what it was: the joining of coins, or money that went back.
func (r *run) rebuildSent(f forgotten, t *Ticket, m Movement) {
	own, back := m.pays(t.Address), r.toCustomer(m)
	service := cirrus.Strats(0)
	if r.cfg.FeeTo != "" {
		service = m.pays(r.cfg.FeeTo)
	}
	if m.Amount != back+service+own+m.Fee { // it went to where no record says, as to another seat's address
		r.unexplained(t)
		return
	}
	if own > 0 && back+service == 0 && r.joined(t, m) {
		return
	}
	if !t.Coin.IsZero() || len(f.calls[t.Address]) > 0 { // else it went before there was a coin for the ticket
		t.Away += m.Fee + back + service
	}
	if back+service > 0 {
		r.paidBack(Payout{Ticket: t.ID, Account: t.Account, From: t.Address, Why: WhyExtra, Keep: own, Service: service}, m)
		return
	}
	t.Fees += m.Fee
}

// joined takes a payment from a ticket's address to itself for the joining of what was paid in parts, where the ticket has no
// coin yet. It has one output.
func (r *run) joined(t *Ticket, m Movement) bool {
	if !t.Coin.IsZero() || t.Address != r.o.Address || r.o.Move.TxID != "" && r.o.Move.TxID != m.TxID {
		return false
	}
	t.Coin = cirrus.Coin{
		Outpoint: cirrus.Outpoint{TxID: m.TxID}, Address: t.Address, Amount: m.pays(t.Address), Confirmations: 1,
	}
	r.o.Move = Transfer{TxID: m.TxID, Hex: r.o.Move.Hex, Coins: r.o.Move.Coins, Fee: m.Fee, Sent: true, Block: m.Block, Mined: m.Block}
	r.fillOlder()
	return true
}

// ownMove finds what the transfer that the record knows of gave to a ticket.
func (r *run) ownMove(f forgotten, t *Ticket) {
	for _, m := range f.past[t.Address] {
		switch {
		case m.TxID != r.o.Move.TxID || m.Block == 0:
		case m.Kind == MovedOut && m.pays(t.Address) > 0:
			r.joined(t, m)
		case m.Kind == MovedIn && t.Coin.IsZero():
			t.Coin = m.coin(t.Address, r.k.tip)
			r.o.Move.Mined = max(r.o.Move.Mined, m.Block)
		}
	}
}

// paidBack notes money that is with the customer already: of a payout that was owed, or of one that is not known at all.
func (r *run) paidBack(p Payout, m Movement) {
	to := r.o.Payout(p.Ticket)
	if to == nil || to.State != PayoutDue && to.State != AddressNeeded || to.Keep > 0 != (p.Keep > 0) {
		p.ID = r.NewID()
		to = r.o.owe(p)
	}
	to.TxID, to.Fee, to.Amount, to.Service, to.Mined, to.Rung = m.TxID, m.Fee, r.toCustomer(m), p.Service, max(m.Block, 1), true
	to.move(Done, r.k.now)
}

// toCustomer is what a payment brought to addresses of the customer's.
func (r *run) toCustomer(m Movement) (total cirrus.Strats) {
	for _, address := range append([]cirrus.Address{r.o.Private.Refund}, r.o.Private.Before...) {
		total += m.pays(address)
	}
	return total
}

// rebuildCalls leads a ticket to the state that finds out what came of its calls.
func (r *run) rebuildCalls(ctx context.Context, f forgotten, t *Ticket) error {
	calls := f.calls[t.Address]
	if !slices.ContainsFunc(calls, func(c PastCall) bool { return !f.known[c.TxID] }) {
		return nil
	}
	if t.State == Attention { // it may be for what it had forgotten
		t.move(t.Before, r.k.now)
	}
	if t.Coin.IsZero() && r.o.Move.TxID != "" {
		r.ownMove(f, t)
	}
	if t.Coin.IsZero() {
		coin, err := r.coinOf(ctx, f, *t)
		if err != nil {
			return err
		}
		if coin.IsZero() {
			r.unexplained(t)
			return nil
		}
		t.Coin = coin
	}
	r.fillOlder()
	var receipts []Receipt
	var waits cirrus.TxID // the newest call, where it is in no block
	for _, c := range calls {
		var receipt Receipt
		err := r.Sites.Do(ctx, SiteReceipt, func(ctx context.Context) (err error) {
			receipt, err = r.Ledger.Receipt(ctx, c.TxID)
			return err
		})
		switch {
		case errors.Is(err, ErrNotMined):
			waits = c.TxID
		case err != nil:
			return fmt.Errorf("reading a receipt: %w", err)
		default:
			receipts = append(receipts, receipt)
		}
	}
	r.replay(t, receipts, waits)
	return nil
}

// replay goes through a ticket's calls as they were mined: the first good one bought it, the next good one gave it back.
func (r *run) replay(t *Ticket, receipts []Receipt, waits cirrus.TxID) {
	if t.Delivery.Count == 0 {
		t.Delivery.Count = 1 // it may have been handed over: what comes is marked as repeated
	}
	bought := slices.IndexFunc(receipts, func(c Receipt) bool { return c.Success })
	if bought < 0 {
		r.resolveReserve(t, receipts, waits)
		return
	}
	back := receipts[bought+1:]
	if len(back) == 0 && waits == "" {
		if t.State != Owned && t.State != Ended && t.State != Releasing {
			r.resolveReserve(t, receipts[:bought+1], "")
		}
		return
	}
	if t.Owned == 0 {
		r.resolveReserve(t, receipts[:bought+1], "") // its cost so far
		t.Reserve.settle(receipts[bought], r.o.Gas, t.Price)
		t.Owned, t.Reserve.TxID = receipts[bought].Block, receipts[bought].TxID
	}
	r.resolveRelease(t, back, waits)
}

// resolveReserve has the newest of the calls to buy looked into; what those before it cost is noted.
func (r *run) resolveReserve(t *Ticket, receipts []Receipt, waits cirrus.TxID) {
	c := &t.Reserve
	*c = Call{Attempt: max(c.Attempt, 1), Coin: t.Coin, Height: r.k.tip.Height, Begun: r.k.now}
	before := receipts
	if waits == "" {
		before = receipts[:len(receipts)-1]
	}
	for _, receipt := range before {
		c.Past, c.Spent = append(c.Past, receipt.TxID), c.Spent+r.o.Gas.Cost(receipt.GasUsed)
	}
	t.Reason, t.Choice = "", time.Time{}
	t.move(Unknown, r.k.now)
}

// resolveRelease has the newest of the calls to give back looked into.
func (r *run) resolveRelease(t *Ticket, receipts []Receipt, waits cirrus.TxID) {
	c := &t.Release
	*c = Call{Attempt: max(c.Attempt, 1), Height: r.k.tip.Height, Begun: r.k.now, TxID: waits}
	for i, receipt := range receipts {
		if waits == "" && i == len(receipts)-1 {
			c.TxID = receipt.TxID
			break
		}
		c.Past, c.Spent = append(c.Past, receipt.TxID), c.Spent+r.o.Gas.Cost(receipt.GasUsed)
	}
	t.move(Releasing, r.k.now)
}

// coinOf finds the payment that the first call spent: the only one that was enough, came before it, and is gone. It is
// none where that cannot be told.
func (r *run) coinOf(ctx context.Context, f forgotten, t Ticket) (cirrus.Coin, error) {
	first := block(f.calls[t.Address][0])
	var found []cirrus.Coin
	for _, in := range f.received(t.Address) {
		if in.Amount < t.Price+r.o.Gas.Budget() || in.Block == 0 || first > 0 && in.Block >= first {
			continue
		}
		coin := in.coin(t.Address, r.k.tip)
		var there bool
		err := r.Sites.Do(ctx, SiteUnspent, func(ctx context.Context) (err error) {
			there, err = r.Ledger.Unspent(ctx, coin.Outpoint, true)
			return err
		})
		if err != nil {
			return cirrus.Coin{}, fmt.Errorf("looking for the coin of a call: %w", err)
		}
		if !there {
			found = append(found, coin)
		}
	}
	if len(found) != 1 {
		return cirrus.Coin{}, nil
	}
	return found[0], nil
}

// unexplained leaves a ticket to a person.
func (r *run) unexplained(t *Ticket) {
	r.fillOlder()
	if t.State != Attention {
		t.move(Unknown, r.k.now)
		r.attention(t, ReasonUnresolved)
	}
}

// fillOlder has the tickets of an order that waited for money go their own ways.
func (r *run) fillOlder() {
	if r.o.State == Filled || r.o.State == Void {
		return
	}
	for i := range r.o.Tickets {
		if t := &r.o.Tickets[i]; t.State == Dropped {
			t.move(Held, r.k.now)
		}
	}
	r.o.move(Filled, r.k.now)
}

// pays is what a payment brings to an address.
func (m Movement) pays(address cirrus.Address) (total cirrus.Strats) {
	for _, out := range m.Outputs {
		if out.Address == address {
			total += out.Amount
		}
	}
	return total
}

func (m Movement) coin(address cirrus.Address, tip Tip) cirrus.Coin {
	c := cirrus.Coin{Outpoint: cirrus.Outpoint{TxID: m.TxID, Index: m.Index}, Address: address, Amount: m.Amount}
	if m.Block > 0 && m.Block <= tip.Height {
		c.Confirmations = tip.Height - m.Block + 1
	}
	return c
}
