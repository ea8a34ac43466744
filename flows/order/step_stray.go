package order

import (
	"cmp"
	"context"

	"github.com/usherbot/usher/chain/cirrus"
)

// stepStray sees to a seat that is ours on chain and opens no door. It is given back where the contract pays for that;
// otherwise it stays, and the float pays its price. Without a float a person must look.
func (r *run) stepStray(ctx context.Context, t *Ticket) (bool, error) {
	if r.Float == nil && !t.Stray {
		r.attention(t, t.Reason)
		return r.moved(ctx)
	}
	t.Stray = true
	if r.windowOpen() && r.o.Terms.Refund(t.Price) > r.o.Gas.Budget() {
		t.move(Releasing, r.k.now)
		return r.moved(ctx)
	}
	t.Kept = t.Price
	return r.makeWhole(ctx, t)
}

// makeWhole has the float bring what is missing of all that was paid for a ticket, the network fee of sending it back
// included. Then the ticket is lost like any other: another seat may be chosen, or the money goes back.
func (r *run) makeWhole(ctx context.Context, t *Ticket) (bool, error) {
	missing := t.Coin.Amount + MinFee - t.left()
	if missing <= 0 {
		r.lose(ctx, t, cmp.Or(t.Reason, ReasonNoSecret))
		return r.moved(ctx)
	}
	return r.aided(ctx, t, AidStray, missing)
}

// aided waits for the float to give to a ticket, and has it do so. Where it is empty the ticket waits in attention.
func (r *run) aided(ctx context.Context, t *Ticket, why AidWhy, amount cirrus.Strats) (bool, error) {
	switch a := r.o.aiding(t.ID); {
	case a == nil && r.Float == nil: // it was taken out of the configuration
		r.attention(t, ReasonFloat)
	case a == nil:
		r.want(t, why, amount)
	case a.Short:
		r.attention(t, ReasonFloat)
	default:
		return false, nil
	}
	return r.moved(ctx)
}

// stepAttention goes on by itself with a ticket that waited for the float, once that has enough.
func (r *run) stepAttention(ctx context.Context, t *Ticket) (bool, error) {
	if t.Reason != ReasonFloat {
		return false, nil
	}
	if a := r.o.aiding(t.ID); a == nil && r.Float == nil || a != nil && a.Short {
		return false, nil
	}
	t.Reason = t.goesOnFor()
	t.move(t.Before, r.k.now)
	return r.moved(ctx)
}

// goesOnFor is the reason that a ticket keeps when it goes on after a person looked at it.
func (t Ticket) goesOnFor() Reason {
	if t.Stray {
		return ReasonNoSecret
	}
	return ""
}
