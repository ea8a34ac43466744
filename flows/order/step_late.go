package order

import (
	"context"
	"errors"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/bug"
)

// stepLate takes up an order that expired before its money came. Each seat that can still be had is bought; another may
// be chosen in place of each that cannot. Where there is neither, sweepLeftovers sends the money back.
func (r *run) stepLate(ctx context.Context, coins []cirrus.Coin) (bool, error) {
	if len(r.o.Payouts) > 0 || bug.Is(bug.ForgetLate) {
		return false, nil
	}
	if moved, err := r.note(ctx, coins); moved || err != nil {
		return moved, err
	}
	if sum(coins, r.cfg.Confirmations) < r.o.Due {
		return false, nil
	}
	until := r.k.now.Add(r.cfg.Hold)
	takes := false
	for _, t := range r.o.Tickets {
		got, err := r.takeAgain(ctx, t, until)
		if err != nil {
			return false, err
		}
		takes = takes || got || r.otherSeat(t)
	}
	if !takes {
		return false, nil
	}
	r.o.Hold, r.o.Extended, r.o.Late = until, true, true
	r.o.Created = r.k.now // the cap on holding for an unconfirmed payment counts from here
	for i := range r.o.Tickets {
		r.o.Tickets[i].move(Held, r.k.now)
	}
	r.o.move(Paying, r.k.now)
	return r.moved(ctx)
}

// takeAgain holds a seat anew, where it can still be bought; got is false where it cannot, or where another customer
// holds it.
func (r *run) takeAgain(ctx context.Context, t Ticket, until time.Time) (got bool, err error) {
	if r.buyable(t) != "" {
		return false, nil
	}
	err = r.hold(ctx, spot{"order", string(r.o.State)}, t.Seat, until)
	if errors.Is(err, ErrSeatHeld) {
		return false, nil
	}
	return err == nil, err
}

// hold takes a seat for this order, again or anew. Errors: ErrSeatHeld.
func (r *run) hold(ctx context.Context, at spot, seat cirrus.Seat, until time.Time) error {
	hold := Hold{Order: r.o.ID, Customer: r.o.Customer, Until: until}
	return r.call(ctx, at.table, at.state, SiteHold, func(ctx context.Context) error {
		return r.Holds.Hold(ctx, r.o.Show.TxID, seat, hold, r.k.now)
	})
}

// PartWaiting tells whether some, not all, of the money came and the hold is over: until PartUntil the rest may still
// come, and the seats are then bought late where they are free.
func (o Order) PartWaiting() bool {
	return o.State == Expired && len(o.Payouts) == 0 && sum(o.Coins, 0) >= Sendable
}

// PartUntil is until when a part waits for its rest; after that it goes back by itself. hold is Config.Hold.
func (o Order) PartUntil(hold time.Duration) time.Time { return o.Hold.Add(hold) }

// partUntil is until when what lies at the address of an expired order is left there; zero where it is not. What is
// enough but not confirmed yet is waited for a while longer.
func (r *run) partUntil() time.Time {
	coins := at(r.k.coins, r.o.Address)
	seen := sum(coins, 0)
	if r.k.ends || r.o.State != Expired || len(r.o.Payouts) > 0 || seen == 0 || sum(coins, r.cfg.Confirmations) >= r.o.Due {
		return time.Time{}
	}
	until := r.o.PartUntil(r.cfg.Hold)
	if seen >= r.o.Due {
		until = until.Add(holdCap * r.cfg.Hold)
	}
	if !r.k.now.Before(until) {
		return time.Time{}
	}
	return until
}
