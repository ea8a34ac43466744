package order

import (
	"context"
)

// stepFork leads back whatever rests on a block that was undone since the order was last looked through: a transaction
// that counted as mined is awaited again, like one just sent. Most are mined again at once, and then nothing is lost but
// a look at each. It makes no call: the steps of the states that it leads back to find out.
func (r *run) stepFork(ctx context.Context) (bool, error) {
	tip := r.k.tip
	if r.o.Forks == tip.Forks {
		return false, nil
	}
	r.o.Forks = tip.Forks // saved with whatever is saved next; looking twice is no harm
	if r.cfg.Finality == 0 {
		return false, nil
	}
	back := false
	for i := range r.o.Payouts {
		back = r.undonePayout(&r.o.Payouts[i]) || back
	}
	if !back {
		return false, nil
	}
	return r.moved(ctx)
}

// undonePayout has a payout whose block may be undone awaited again. One that is on its way may rest on such a block.
func (r *run) undonePayout(p *Payout) bool {
	switch {
	case p.State == Done && p.Mined > r.k.tip.Fork:
		p.Mined = 0
		p.move(Sent, r.k.now)
	case p.State == Built, p.State == Sent:
	default:
		return false
	}
	p.Undone, p.Block = r.k.tip.Height, r.k.tip.Height
	return true
}

// finalAt is the block with which all that the order rests on is final; 0 where it rests on none that was seen.
func (r *run) finalAt() uint64 {
	var newest uint64
	for _, m := range r.o.Payouts {
		newest = max(newest, m.Mined)
	}
	for _, t := range r.o.Tickets {
		newest = max(newest, t.Reserve.Block, t.Release.Block, t.Top.Mined, t.Swap.Mined)
	}
	newest = max(newest, r.o.Move.Mined)
	if newest == 0 || r.cfg.Finality == 0 {
		return 0
	}
	return newest + r.cfg.Finality
}
