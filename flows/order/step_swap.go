package order

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// stepSwap sees to a ticket that takes a lost one's place until its coin is there: the difference is paid, then one
// transfer brings that and the lost one's money together. Until that is built the choice can be made anew.
func (r *run) stepSwap(ctx context.Context, t *Ticket) (bool, error) {
	old := r.o.Ticket(t.Was)
	if t.Swap.TxID != "" {
		return r.awaitSwap(ctx, t, old)
	}
	if reason := r.buyable(*t); reason != "" {
		return r.giveUp(ctx, t, old, reason)
	}
	coins := r.free(t.Address, "")
	if seen := sum(coins, 0); seen != t.Seen {
		t.Seen = seen
		return r.moved(ctx)
	}
	if sum(coins, r.cfg.Confirmations) < t.Due {
		return r.awaitDifference(ctx, t, old)
	}
	return r.buildSwap(ctx, t, old)
}

// giveUp ends a ticket that was to take a lost one's place; the choice begins anew. What was paid for it goes back.
func (r *run) giveUp(ctx context.Context, t, old *Ticket, reason Reason) (bool, error) {
	t.Reason = reason
	t.move(Dropped, r.k.now)
	r.freeHold(ctx, *t)
	r.offer(old)
	return r.moved(ctx)
}

// awaitDifference keeps the seat while the difference is being paid: it is held longer once when a part is seen, and up
// to a cap while all of it is seen and not confirmed.
func (r *run) awaitDifference(ctx context.Context, t, old *Ticket) (bool, error) {
	now := r.k.now
	extended := t.Until.After(t.Since.Add(r.cfg.Hold))
	capped := !now.Before(t.Since.Add(holdCap * r.cfg.Hold))
	switch over := !now.Before(t.Until); {
	case over && (t.Seen < t.Due || capped):
		return r.giveUp(ctx, t, old, "")
	case over, t.Seen > 0 && !extended:
		return r.extend(ctx, t, old)
	}
	return false, nil
}

// extend holds the seat from now on for as long as an unpaid one.
func (r *run) extend(ctx context.Context, t, old *Ticket) (bool, error) {
	until := r.k.now.Add(r.cfg.Hold)
	if !until.After(t.Until) {
		return false, nil
	}
	err := r.hold(ctx, spot{"ticket", string(t.State)}, t.Seat, until)
	if errors.Is(err, ErrSeatHeld) {
		return r.giveUp(ctx, t, old, ReasonSeatTaken)
	}
	if err != nil {
		return false, err
	}
	t.Until = until
	return r.moved(ctx)
}

// buildSwap makes the transfer once everything is there: what a failed call gives back comes in its block, its gas two
// confirmations later.
func (r *run) buildSwap(ctx context.Context, t, old *Ticket) (bool, error) {
	m := &t.Swap
	if r.k.now.Before(m.Again) {
		return false, nil
	}
	coins := moveCoins(slices.Concat(
		moveCoins(r.free(old.Address, ""), 1), moveCoins(r.free(t.Address, ""), r.cfg.Confirmations)), 1)
	if sum(coins, 0) < old.left()+t.Due {
		return r.swapLate(ctx, t, old)
	}
	at := spot{"ticket", string(t.State)}
	until := later(t.Until, r.k.now.Add(r.cfg.Hold))
	err := r.hold(ctx, at, t.Seat, until)
	if errors.Is(err, ErrSeatHeld) {
		return r.giveUp(ctx, t, old, ReasonSeatTaken)
	}
	if err != nil {
		return false, err
	}
	payment, back, err := r.swapPayment(ctx, *t, *old, coins)
	if err != nil || !r.buildTransfer(ctx, at, m, coins, payment) {
		return false, err
	}
	m.Back, t.Until, old.Choice = back, until, time.Time{}
	return r.moved(ctx)
}

// swapPayment says what the transfer pays: to the new ticket what was reckoned with when it was chosen, and the rest,
// where that can be sent, to the customer.
func (r *run) swapPayment(ctx context.Context, t, old Ticket, coins []cirrus.Coin) (p Payment, back cirrus.Strats, err error) {
	total := sum(coins, 0)
	keep := old.left() + t.Due - t.Swap.Back - swapFee()
	p = Payment{Account: t.Account, Fee: NetworkFee(len(coins), 2)}
	if back = total - p.Fee - keep; back >= MinOutput {
		contract, err := r.refundIsContract(ctx, spot{"ticket", string(t.State)})
		if err != nil {
			return Payment{}, 0, err
		}
		if !contract {
			p.Outputs = []Output{{Address: t.Address, Amount: keep}, {Address: r.o.Private.Refund, Amount: back}}
			return p, back, nil
		}
	}
	p.Fee = NetworkFee(len(coins), 1)
	p.Outputs = []Output{{Address: t.Address, Amount: total - p.Fee}}
	return p, 0, nil
}

// swapLate gives up when the lost ticket's money has not come for a while; its payout then tells a person.
func (r *run) swapLate(ctx context.Context, t, old *Ticket) (bool, error) {
	if r.k.tip.Height <= t.Swap.Block+lateBlocks {
		return false, nil
	}
	r.Log.Error("money missing", "order", r.o.ID, "address", old.Address, "expected", old.left())
	t.move(Dropped, r.k.now)
	r.freeHold(ctx, *t)
	r.endChoice(old)
	return r.moved(ctx)
}

// awaitSwap sends the transfer and waits for its coin. From then on the ticket is like any other.
func (r *run) awaitSwap(ctx context.Context, t, old *Ticket) (bool, error) {
	m := &t.Swap
	moved, mined, err := r.stepTransfer(ctx, spot{"ticket", string(t.State)}, m)
	if moved || err != nil {
		return moved, err
	}
	if !mined {
		return r.swapStuck(ctx, t)
	}
	if m.Mined == 0 {
		m.Mined = r.k.tip.Height
	}
	coin, ok := r.movedCoin(*t, *m)
	if !ok {
		if r.k.tip.Height > m.Mined+lateBlocks {
			r.attention(t, ReasonMissing)
			return r.moved(ctx)
		}
		return false, nil
	}
	t.Coin = coin
	old.move(Exchanged, r.k.now)
	return r.moved(ctx)
}

// swapStuck hands a transfer that is not mined for long to a person: an undone block may have taken one of its coins.
func (r *run) swapStuck(ctx context.Context, t *Ticket) (bool, error) {
	if r.k.now.Before(t.Until.Add(holdCap * r.cfg.Hold)) {
		return false, nil
	}
	r.attention(t, ReasonUnresolved)
	return r.moved(ctx)
}

// nextArriving is when a ticket that takes a lost one's place must be looked at again.
func (r *run) nextArriving(t Ticket) time.Time {
	switch {
	case t.Swap.TxID != "", t.Swap.Tries > 0:
		return r.nextTransfer(t.Swap)
	case r.k.now.Before(t.ShowFrom()):
		return t.ShowFrom()
	case t.Missing() > 0:
		return t.Until
	}
	return r.k.now.Add(Safety)
}
