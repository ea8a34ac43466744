package order

import (
	"context"
	"errors"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
)

// stepTicket moves one seat: bought, owned, given back.
func (r *run) stepTicket(ctx context.Context, t *Ticket) (bool, error) {
	if r.o.State != Filled {
		return false, nil
	}
	switch t.State {
	case Held:
		return r.stepHeld(ctx, t)
	case Reserving:
		return r.stepReserving(ctx, t)
	case Unknown:
		return r.stepUnknown(ctx, t)
	case Reserved:
		return r.stepReserved(ctx, t)
	case Stray:
		return r.stepStray(ctx, t)
	case Owned:
		return r.stepOwned(ctx, t)
	case Releasing:
		return r.stepReleasing(ctx, t)
	case Lost:
		return r.stepLost(ctx, t)
	case Attention:
		return r.stepAttention(ctx, t)
	case Dropped, Exchanged, Released, Ended:
		return false, nil
	}
	return false, nil
}

// stepHeld begins to buy.
func (r *run) stepHeld(ctx context.Context, t *Ticket) (bool, error) {
	if t.Arriving() {
		return r.stepSwap(ctx, t)
	}
	if t.Coin.IsZero() { // a person had to see to the coins
		coin, enough := callCoin(r.free(t.Address, ""), t.Price+r.o.Gas.Budget())
		if !enough {
			r.attention(t, ReasonMissing)
			return r.moved(ctx)
		}
		t.Coin = coin
	}
	reason := r.buyable(*t)
	if t.Reason == ReasonSeatTaken { // another customer held it when the payment came
		reason = t.Reason
	}
	if reason == "" && t.Was != "" { // its seat was held for so long as bringing the money over should take
		err := r.hold(ctx, spot{"ticket", string(t.State)}, t.Seat, r.k.now.Add(r.cfg.Hold))
		if errors.Is(err, ErrSeatHeld) {
			reason = ReasonSeatTaken
		} else if err != nil {
			return false, err
		}
	}
	if reason != "" {
		r.lose(ctx, t, reason)
		return r.moved(ctx)
	}
	return r.callReserve(ctx, t)
}

// stepReserving finds the intent saved. Where a call was begun and no answer was saved, we died in between: the
// outcome is unknown. Where it was refused for a reason that passes, it is made again.
func (r *run) stepReserving(ctx context.Context, t *Ticket) (bool, error) {
	c := &t.Reserve
	switch {
	case c.Calling:
		c.Calling = false
		t.move(Unknown, r.k.now)
		return r.moved(ctx)
	case r.k.now.Before(c.Again):
		return false, nil
	case c.Refused >= maxRefused:
		r.attention(t, ReasonTooMany)
		return r.moved(ctx)
	}
	if reason := r.buyable(*t); reason != "" {
		r.lose(ctx, t, reason)
		return r.moved(ctx)
	}
	return r.callReserve(ctx, t)
}

// callReserve saves the intent, makes the call, and saves what it came to.
func (r *run) callReserve(ctx context.Context, t *Ticket) (bool, error) {
	t.Reserve.begin(t.Coin, r.k.tip, r.k.now)
	t.move(Reserving, r.k.now)
	if _, err := r.moved(ctx); err != nil {
		return false, err
	}
	// From here on a stop must not cut the call off from the saving of its answer: the secret exists only there.
	ctx = context.WithoutCancel(ctx)
	var got Reservation
	err := r.call(ctx, "ticket", string(Reserving), SiteReserve, func(ctx context.Context) (err error) {
		got, err = r.Booth.Reserve(ctx, r.boothCall(*t, t.Reserve))
		return err
	})
	r.answered(ctx, t, got, err)
	if err := r.saveAnswer(ctx, t.ID, got); err != nil {
		return false, err
	}
	if t.State == Reserved {
		r.keepRaw(ctx, Reserving, &t.Reserve)
	}
	return true, nil
}

// answered notes what a Reserve call came to.
func (r *run) answered(ctx context.Context, t *Ticket, got Reservation, err error) {
	c := &t.Reserve
	if err != nil {
		r.Log.Warn("reserve not answered well", "order", r.o.ID, "ticket", t.ID, "attempt", c.Attempt, "error", err)
	}
	switch judge(err) {
	case broadcast:
		c.Calling, c.TxID = false, got.TxID
		r.keepSecret(t.ID, got)
		t.move(Reserved, r.k.now)
	case again:
		c.refuse(r.k.now)
	case refused:
		c.Calling = false
		if errors.Is(err, ErrSeatTaken) && c.Attempt > 1 {
			t.move(Unknown, r.k.now) // perhaps an earlier call of ours took it: the chain tells
			return
		}
		r.lose(ctx, t, reasonOf(err))
	case doubtful:
		c.Calling = false
		t.move(Unknown, r.k.now)
	}
}

// keepSecret adds the secret of one more answered call; those of earlier ones are kept, the chain tells which counts.
func (r *run) keepSecret(ticket string, got Reservation) {
	if r.o.Private.Secrets == nil {
		r.o.Private.Secrets = map[string][]Secret{}
	}
	secret := got.Secret
	secret.TxID = got.TxID
	r.o.Private.Secrets[ticket] = append(r.o.Private.Secrets[ticket], secret)
}

func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, ErrSeatTaken):
		return ReasonSeatTaken
	case errors.Is(err, ErrSaleClosed):
		return ReasonSaleClosed
	case errors.Is(err, ErrSeatUnknown), errors.Is(err, ErrNoContract):
		return ReasonShowChanged
	}
	return ReasonCallFailed
}

func (r *run) boothCall(t Ticket, c Call) BoothCall {
	return BoothCall{
		Contract: r.o.Show.Contract, Account: t.Account, Sender: t.Address, Coin: c.Coin.Outpoint, Seat: t.Seat,
		Price: t.Price, GasPrice: r.o.Gas.Price, GasLimit: r.o.Gas.Limit, Name: r.o.Private.Names[t.ID],
	}
}

// stepReserved waits for the receipt and then looks at the contract itself.
func (r *run) stepReserved(ctx context.Context, t *Ticket) (bool, error) {
	c := &t.Reserve
	receipt, mined, err := r.receipt(ctx, t, c.TxID)
	if err != nil {
		return false, err
	}
	if !mined {
		if c.stuck(r.k.tip) {
			return r.stepStuck(ctx, t)
		}
		known, err := r.revive(ctx, t, c)
		if err != nil || known {
			return false, err
		}
		t.move(Unknown, r.k.now)
		return r.moved(ctx)
	}
	if !receipt.Success {
		c.settle(receipt, r.o.Gas, t.Price)
		r.lose(ctx, t, ReasonCallFailed)
		return r.moved(ctx)
	}
	if err := r.own(ctx, t, receipt); err != nil {
		return false, err
	}
	return r.moved(ctx)
}

// own checks a good receipt against the contract: the seat must be ours, and a secret of ours must fit.
func (r *run) own(ctx context.Context, t *Ticket, receipt Receipt) error {
	var tickets []cirrus.Ticket
	err := r.call(ctx, "ticket", string(t.State), SiteTickets, func(ctx context.Context) (err error) {
		tickets, err = r.Booth.Tickets(ctx, r.o.Show.Contract)
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the contract after a purchase: %w", err)
	}
	onChain, found := ticketOf(tickets, t.Seat)
	if !found || onChain.Address != t.Address {
		r.attention(t, ReasonUnresolved)
		return nil
	}
	t.Reserve.settle(receipt, r.o.Gas, t.Price)
	t.Owned = receipt.Block
	r.derive(*t, receipt.TxID)
	switch secret, fits := r.fitting(*t, onChain); {
	case fits:
		t.Reserve.TxID = receipt.TxID
		r.promote(t.ID, secret)
		if t.Delivery.State == DeliveryNone { // else it was owned before, in a block that was undone: the QR is the same
			t.Delivery.State, t.Delivery.Since = DeliveryWaiting, r.k.now
		}
		t.move(Owned, r.k.now)
		if !t.Undo.IsZero() { // the customer had asked to give it back before that block was undone
			t.move(Releasing, r.k.now)
		}
	case len(r.o.Private.Secrets[t.ID]) == 0:
		t.Reason = ReasonNoSecret
		t.move(Stray, r.k.now)
	default:
		t.Reason = ReasonBadSecret
		t.move(Stray, r.k.now)
	}
	return nil
}

func ticketOf(tickets []cirrus.Ticket, seat cirrus.Seat) (cirrus.Ticket, bool) {
	for _, ticket := range tickets {
		if ticket.Seat == seat {
			return ticket, true
		}
	}
	return cirrus.Ticket{}, false
}

// fitting finds which of the kept secrets is the one that the contract stored.
func (r *run) fitting(t Ticket, onChain cirrus.Ticket) (int, bool) {
	secrets := r.o.Private.Secrets[t.ID]
	for i := len(secrets) - 1; i >= 0; i-- {
		if r.Deliverer.Check(*r.o, t.ID, secrets[i], onChain) == nil {
			return i, true
		}
	}
	return 0, false
}

// promote puts the secret that counts last, where Secret finds it.
func (r *run) promote(ticket string, i int) {
	secrets := r.o.Private.Secrets[ticket]
	last := len(secrets) - 1
	secrets[i], secrets[last] = secrets[last], secrets[i]
}

// Secret is the secret that counts for a ticket that is owned.
func (o Order) Secret(ticket string) (Secret, bool) {
	secrets := o.Private.Secrets[ticket]
	if len(secrets) == 0 {
		return Secret{}, false
	}
	return secrets[len(secrets)-1], true
}

// stepOwned ends a ticket whose refund deadline has passed: the rest of its deposit goes back.
func (r *run) stepOwned(ctx context.Context, t *Ticket) (bool, error) {
	if r.k.ends && CanWindDown(*r.o, *t, r.k.tip) {
		return r.windDown(ctx, t)
	}
	if last, ok := r.o.Terms.LastRelease(r.o.Show.EndOfSale); ok && r.k.tip.Height < last {
		return false, nil
	}
	if r.endExtra(t) {
		return false, nil
	}
	t.move(Ended, r.k.now)
	r.payBack(t, WhyDeposit, t.left()-t.Price)
	return r.moved(ctx)
}
