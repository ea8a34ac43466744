package order

import (
	"context"
	"errors"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// stepUndone finds out what became of a payout that was sent, when a block that it rests on was undone: that its inputs
// are spent no longer tells, for they may be gone. Its own outputs tell, or the money lying there again.
func (r *run) stepUndone(ctx context.Context, p *Payout) (bool, error) {
	mined, err := r.paysIn(ctx, p, false)
	if err != nil {
		return false, err
	}
	if mined {
		return r.arrived(ctx, p)
	}
	out, err := r.paysIn(ctx, p, true)
	if err != nil || out || r.k.tip.Height < p.Block+vanishedAfter {
		return false, err
	}
	there, err := r.inputsThere(ctx, p)
	if err != nil {
		return false, err
	}
	if there < len(p.Coins) {
		return r.inputGone(ctx, p, there > 0)
	}
	p.move(Built, r.k.now) // it vanished, and its inputs are all there: the same bytes again
	return r.moved(ctx)
}

// inputsThere is how many inputs of the payout are there unspent, as the mempool sees it.
func (r *run) inputsThere(ctx context.Context, p *Payout) (n int, err error) {
	for _, coin := range p.Coins {
		there, err := r.coinThere(ctx, spot{"payout", string(p.State)}, coin.Outpoint, true)
		if err != nil {
			return 0, err
		}
		if there {
			n++
		}
	}
	return n, nil
}

// paysIn tells whether an output of the payout is there unspent, as the mempool sees it or as the chain alone does.
func (r *run) paysIn(ctx context.Context, p *Payout, mempool bool) (bool, error) {
	for index := range p.outputs() {
		out := cirrus.Outpoint{TxID: p.TxID, Index: index}
		there, err := r.coinThere(ctx, spot{"payout", string(p.State)}, out, mempool)
		if err != nil || there {
			return there, err
		}
	}
	return false, nil
}

// outputs is how many outputs the payout's transaction has; in which order the node put them is not known.
func (p Payout) outputs() uint32 {
	n := uint32(1)
	for _, more := range []cirrus.Strats{p.Keep, p.Service} {
		if more > 0 {
			n++
		}
	}
	return n
}

// inputGone sees to a payout of which neither an output nor an input can be found. Either its outputs were spent by
// whom they were paid to, or an input vanished with the call that had made it. That call is made again in another block
// and gives back other coins: where such lie there the old transaction can never be mined, and the money is owed anew.
// So it is where another input is there, for then it was not mined; the wallet shows that one only when it is told.
func (r *run) inputGone(ctx context.Context, p *Payout, unmined bool) (bool, error) {
	if t := r.o.Ticket(p.Ticket); t != nil && t.inFlight() && !t.awaits(*p) {
		return false, nil
	}
	fresh := slices.ContainsFunc(r.free(p.From, ""), func(c cirrus.Coin) bool { return c.Confirmations > 0 })
	if !unmined && !fresh && r.stillOwed(*p) {
		if r.k.tip.Height <= max(p.Undone, p.Block)+lateBlocks {
			return false, nil
		}
		return r.arrived(ctx, p)
	}
	err := r.call(ctx, "payout", string(p.State), SiteForget, func(ctx context.Context) error {
		return r.Ledger.Forget(ctx, p.Account, p.TxID) // else the wallet counts what is left of its inputs as spent
	})
	if err != nil {
		return false, err
	}
	if t := r.o.Ticket(p.Ticket); t != nil {
		t.Away -= p.Took
	}
	p.Coins, p.Amount, p.Fee, p.Service, p.Took = nil, 0, 0, 0, 0
	p.Hex, p.TxID, p.Tries, p.Block, p.Undone = "", "", 0, r.k.tip.Height, r.k.tip.Height
	p.move(PayoutDue, r.k.now)
	return r.moved(ctx)
}

// arrived ends a payout: it is in a block.
func (r *run) arrived(ctx context.Context, p *Payout) (bool, error) {
	p.Mined = r.k.tip.Height
	p.move(Done, r.k.now)
	return r.moved(ctx)
}

// stillOwed tells whether what a payout was begun for is still so, after blocks were undone: a ticket that was given back
// may be the customer's again.
func (r *run) stillOwed(p Payout) bool {
	t := r.o.Ticket(p.Ticket)
	switch {
	case p.Undone == 0:
		return true
	case r.o.State == Void:
		return false
	case t == nil:
		return true
	}
	state := t.State
	if state == Attention {
		state = t.Before
	}
	switch p.Why {
	case WhyReleased:
		return state == Released
	case WhyDeposit:
		return state == Ended
	case WhyLost:
		return state == Lost && !t.Choosing()
	case WhyLate, WhyCancelled, WhyExtra:
	}
	return true
}

// inFlight tells whether a call of the ticket's is to be made or mined: what lies at its address is not settled.
func (t Ticket) inFlight() bool {
	return t.State == Reserving || t.State == Unknown || t.State == Reserved || t.State == Releasing
}

// awaits tells whether giving the ticket back has not begun because this payout of an excess is to arrive first.
func (t Ticket) awaits(p Payout) bool {
	return p.Keep > 0 && t.State == Releasing && t.Release.TxID == "" && !t.Release.Calling
}

// stepStuck sees to a purchase whose block was undone long ago and that was not mined again. A call that is in no
// mempool while its coin is not there either spends what is gone with the payment: that was spent elsewhere.
func (r *run) stepStuck(ctx context.Context, t *Ticket) (bool, error) {
	c := &t.Reserve
	there, err := r.unspent(ctx, t, c.Coin.Outpoint)
	if err != nil {
		return false, err
	}
	err = r.call(ctx, "ticket", string(t.State), SiteRaw, func(ctx context.Context) error {
		_, err := r.Ledger.Raw(ctx, c.TxID)
		return err
	})
	switch gone := errors.Is(err, ErrNotFound); {
	case err != nil && !gone:
		return false, err
	case there, !gone, t.Was == "" && !r.o.allGone():
		r.attention(t, ReasonUnresolved)
		return r.moved(ctx)
	case r.k.tip.Height <= c.Undone+r.cfg.Finality: // it may still come again
		return false, nil
	case t.Was != "":
		return r.swapGone(ctx, t)
	}
	return r.void(ctx)
}

// swapGone ends a ticket that took a lost one's place, where the transfer that brought its money over spent what vanished
// with an undone block. That money lies at the lost one's address again, as other coins, and goes back from there.
func (r *run) swapGone(ctx context.Context, t *Ticket) (bool, error) {
	err := r.call(ctx, "ticket", string(t.State), SiteForget, func(ctx context.Context) error {
		return r.Ledger.Forget(ctx, t.Account, t.Reserve.TxID, t.Swap.TxID) // else what is left of its inputs counts as spent
	})
	if err != nil {
		return false, err
	}
	t.Swap, t.Coin, t.Reason = Transfer{}, cirrus.Coin{}, ReasonMissing
	t.move(Lost, r.k.now)
	r.freeHold(ctx, *t)
	return r.moved(ctx)
}

// allGone tells whether nothing that was bought with the payment is in a block any more.
func (o *Order) allGone() bool {
	return !slices.ContainsFunc(o.Tickets, func(t Ticket) bool { return t.Reserve.Block > 0 })
}

// void ends an order whose payment is gone after its tickets were bought. Nothing is owed; what still comes goes back.
func (r *run) void(ctx context.Context) (bool, error) {
	r.Log.Error("payment gone after purchase", "order", r.o.ID, "address", r.o.Address)
	for i := range r.o.Tickets {
		if t := &r.o.Tickets[i]; t.State == Reserved {
			t.Reason = ReasonMissing
			t.move(Lost, r.k.now)
			r.freeHold(ctx, *t)
		}
	}
	r.o.move(Void, r.k.now)
	return r.moved(ctx)
}
