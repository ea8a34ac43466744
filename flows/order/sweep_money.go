package order

import (
	"context"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/bug"
)

// sweepLeftovers sends back what lies at an address of the order although everything there has ended: a payment after
// the hold or after cancelling, or one that came on top.
func (r *run) sweepLeftovers(ctx context.Context) (bool, error) {
	if r.o.unfilled() || r.o.State == Expired && bug.Is(bug.ForgetLate) {
		return false, nil
	}
	if !r.o.paysTicket() && r.o.settled("") {
		own := Payout{Account: r.o.Account, From: r.o.Address}
		if total, ok := r.leftover(r.o.Address); ok {
			r.payBackFrom(own, r.leftoverWhy(nil), total)
			return r.moved(ctx)
		}
	}
	for i := range r.o.Tickets {
		t := &r.o.Tickets[i]
		if !t.State.Final() || t.Choosing() || !r.o.settled(t.ID) {
			continue
		}
		if total, ok := r.leftover(t.Address); ok {
			r.payBack(t, r.leftoverWhy(t), total)
			return r.moved(ctx)
		}
	}
	return false, nil
}

// leftover is what lies at an address, as deep as a payment must be; ok tells whether it is worth sending.
func (r *run) leftover(address cirrus.Address) (total cirrus.Strats, ok bool) {
	if address == r.o.Address && !r.partUntil().IsZero() {
		return 0, false
	}
	coins := r.free(address, "")
	total = sum(coins, r.cfg.Confirmations)
	return total, total-NetworkFee(len(coins), 1) >= MinOutput
}

// paysTicket tells whether the customer pays at the address of a ticket, not at one of the order's own.
func (o Order) paysTicket() bool {
	return slices.ContainsFunc(o.Tickets, func(t Ticket) bool { return t.Address == o.Address })
}

// unfilled tells whether the money of the order is still needed for its tickets.
func (o Order) unfilled() bool {
	return o.State.Unpaid() || o.State == Paid || o.State == Joining || o.State == Splitting
}

// settled tells whether nothing of a ticket, or of the order's own address, is on its way back.
func (o *Order) settled(ticket string) bool {
	return !slices.ContainsFunc(o.Payouts, func(p Payout) bool { return p.Ticket == ticket && !p.State.Final() })
}

// free lists the coins at an address that nothing of ours spent or wrote off, as far as is known: a coin just spent
// may still be listed. but names a payout whose own coins count as free.
func (r *run) free(address cirrus.Address, but string) []cirrus.Coin {
	spent := r.o.spent(but)
	return slices.DeleteFunc(at(r.k.coins, address), func(coin cirrus.Coin) bool { return spent[coin.Outpoint] })
}

// spent is what transactions of ours spend, contract calls that are not mined aside.
func (o Order) spent(but string) map[cirrus.Outpoint]bool {
	spent := map[cirrus.Outpoint]bool{}
	add := func(coins ...cirrus.Coin) {
		for _, coin := range coins {
			spent[coin.Outpoint] = true
		}
	}
	add(o.Move.Coins...)
	for _, t := range o.Tickets {
		add(t.Top.Coins...)
		if !t.gaveUp() {
			add(t.Swap.Coins...)
		}
		for _, c := range []Call{t.Reserve, t.Release} {
			if c.Block > 0 {
				add(c.Coin)
			}
		}
	}
	for _, p := range o.Payouts {
		if p.ID != but {
			add(p.Coins...)
		}
	}
	return spent
}

// leftoverWhy says why money goes back that lies at a ticket's address, or at the order's own (nil), after the end.
func (r *run) leftoverWhy(t *Ticket) Why {
	switch {
	case r.o.State == Cancelled:
		return WhyCancelled
	case r.o.State == Expired:
		return WhyLate
	case t != nil && t.State == Lost && r.o.Payout(t.ID) == nil: // a person gave up on buying
		return WhyLost
	}
	return WhyExtra
}
