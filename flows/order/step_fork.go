package order

import (
	"context"
	"slices"
	"time"
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
	back := r.undoneMove()
	for i := range r.o.Aids {
		back = r.undoneAid(&r.o.Aids[i]) || back
	}
	for i := range r.o.Tickets {
		back = r.undoneTicket(ctx, &r.o.Tickets[i]) || back
	}
	for i := range r.o.Payouts {
		back = r.undonePayout(&r.o.Payouts[i]) || back
	}
	if !back {
		return false, nil
	}
	return r.moved(ctx)
}

// undoneMove has the transfer that gave the tickets their coins awaited again, so that it is sent again where it vanished.
func (r *run) undoneMove() bool {
	m := &r.o.Move
	if r.o.State != Filled || m.Mined <= r.k.tip.Fork {
		return false
	}
	m.Mined, m.Block = 0, r.k.tip.Height
	to := Joining
	if len(r.o.Tickets) > 1 && r.o.Tickets[1].Was == "" {
		to = Splitting
	}
	r.o.move(to, r.k.now)
	return true
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

// undoneTicket has a ticket whose call may be undone wait for it again; what the customer was handed stays with them,
// for the same call brings the same ticket. One that a person looks at is left to them.
func (r *run) undoneTicket(ctx context.Context, t *Ticket) bool {
	tip := r.k.tip
	switch {
	case t.Release.Block > tip.Fork && (t.State == Released || t.State == Owned && !t.Release.Success):
		r.undoneRelease(t)
	case t.Release.Block > tip.Fork && t.Stray && t.Release.Success && (t.State == Releasing || t.State == Lost && r.unexchanged(ctx, t)):
		t.Choice = time.Time{}
		r.undoneRelease(t)
	case t.State == Reserved:
		t.Reserve.Undone = tip.Height // what it spends may be gone with a block
	case t.State == Releasing && t.Release.TxID != "":
		t.Release.Undone = tip.Height
	case t.Reserve.Block <= tip.Fork:
		return false
	case t.State == Owned, t.State == Ended, t.State == Lost && r.unexchanged(ctx, t):
		t.Choice = time.Time{}
		r.undoneReserve(t)
	case t.State == Releasing && !t.Release.Calling && !t.Top.begun():
		t.Undo = later(t.Undo, r.k.now) // remembers that it is to be given back
		r.undoneReserve(t)
	default:
		return false
	}
	for i := range r.o.Payouts {
		if p := &r.o.Payouts[i]; p.Ticket == t.ID && p.lasting() && p.State != Dust {
			p.Undone = tip.Height
		}
	}
	r.o.Payouts = slices.DeleteFunc(r.o.Payouts, func(p Payout) bool {
		return p.Ticket == t.ID && p.lasting() && p.State == Dust // what will lie there is not the same
	})
	return true
}

func (r *run) undoneReserve(t *Ticket) {
	t.Reserve.undo(r.o.Gas, t.Price, r.k.tip)
	t.Owned, t.Reason, t.Kept = 0, "", 0
	t.move(Reserved, r.k.now)
}

func (r *run) undoneRelease(t *Ticket) {
	t.Release.undo(r.o.Gas, 0, r.k.tip)
	t.Reason, t.Kept = t.goesOnFor(), 0
	if t.Delivery.State == DeliveryNone && !t.Delivery.Sent.IsZero() {
		t.Delivery.State = DeliverySent
	}
	t.move(Releasing, r.k.now)
}

// unexchanged tells whether no money of a lost ticket was moved for another seat; a choice that was not paid for yet is
// given up, for the lost one may be had after all.
func (r *run) unexchanged(ctx context.Context, t *Ticket) bool {
	other := r.o.Instead(t.ID)
	if other == nil {
		return true
	}
	if !other.undecided() {
		return false
	}
	other.move(Dropped, r.k.now)
	r.freeHold(ctx, *other)
	return true
}

// lasting tells whether a payout is the one with which all that lies at a ticket's address leaves.
func (p Payout) lasting() bool {
	return p.Why == WhyReleased || p.Why == WhyDeposit || p.Why == WhyLost
}

// begun finds such a payout of a ticket that was begun before a block was undone; nil where there is none.
func (o *Order) begun(ticket string, why Why) *Payout {
	for i := range o.Payouts {
		if p := &o.Payouts[i]; p.Ticket == ticket && p.Why == why && p.lasting() && p.Undone > 0 {
			return p
		}
	}
	return nil
}

// Dead tells whether the ticket was handed over and then lost: the block of its purchase was undone, and another buyer
// was faster in the one that took its place. The customer's QR opens nothing.
func (t Ticket) Dead() bool { return t.State == Lost && t.Delivery.Count > 0 }

// finalAt is the block with which all that the order rests on is final; 0 where it rests on none that was seen.
func (r *run) finalAt() uint64 {
	var newest uint64
	for _, m := range r.o.Payouts {
		newest = max(newest, m.Mined)
	}
	for _, t := range r.o.Tickets {
		newest = max(newest, t.Reserve.Block, t.Release.Block, t.Top.Mined, t.Swap.Mined)
	}
	for _, a := range r.o.Aids {
		newest = max(newest, a.Mined)
	}
	newest = max(newest, r.o.Move.Mined)
	if newest == 0 || r.cfg.Finality == 0 {
		return 0
	}
	return newest + r.cfg.Finality
}
