package order

import (
	"context"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// returnBlocks is after how many blocks all that a call gives back is spendable, the gas in the coinbase too.
const returnBlocks = 2

// sweepExcess begins to send back what came on top of what was due, while the ticket lives.
func (r *run) sweepExcess(ctx context.Context) (bool, error) {
	if r.o.State != Filled {
		return false, nil
	}
	for i := range r.o.Tickets {
		t := &r.o.Tickets[i]
		early := r.k.tip.Height < t.Owned+returnBlocks
		if t.State != Owned || early || r.o.extra(t.ID) != nil {
			continue
		}
		if over, ok := r.excess(*t, ""); ok {
			p := r.payBack(t, WhyExtra, t.left()-t.Price)
			p.Keep = over.keep
			return r.moved(ctx)
		}
	}
	return false, nil
}

// excess is how a payout of what came on top divides the coins of a ticket.
type excess struct {
	coins             []cirrus.Coin
	amount, keep, fee cirrus.Strats
}

// excess tells what lies at a ticket's address beyond the rest of its deposit. ok is false where that is too little to
// be sent, or where something is not confirmed yet.
func (r *run) excess(t Ticket, but string) (over excess, ok bool) {
	coins := r.free(t.Address, but)
	total, keep := sum(coins, 1), r.o.remains(t)
	if total != sum(coins, 0) || total < t.left()-t.Price || keep < MinOutput {
		return excess{}, false
	}
	over = excess{coins: coins, keep: keep, fee: NetworkFee(len(coins), 2)}
	over.amount = total - keep - over.fee
	return over, total-keep >= Sendable && over.amount >= MinOutput
}

// extra finds the payout of an excess that is on its way, nil where there is none.
func (o *Order) extra(ticket string) *Payout {
	for i := range o.Payouts {
		if p := &o.Payouts[i]; p.Ticket == ticket && p.Keep > 0 && !p.State.Final() {
			return p
		}
	}
	return nil
}

// endExtra tells whether an excess on its way must be waited for. One that cannot be paid is dropped: it leaves with
// the last payout.
func (r *run) endExtra(t *Ticket) (wait bool) {
	p := r.o.extra(t.ID)
	if p == nil {
		return false
	}
	if p.State != AddressNeeded {
		return true
	}
	r.drop(p.ID)
	return false
}

func (r *run) drop(payout string) {
	r.o.Payouts = slices.DeleteFunc(r.o.Payouts, func(p Payout) bool { return p.ID == payout })
}

// stepExtra builds the payout of an excess: one output to the customer, one back to the ticket's own address. Where
// there is no excess any more, because a block was undone, the payout goes too; it is begun anew when there is.
func (r *run) stepExtra(ctx context.Context, p *Payout) (bool, error) {
	t := r.o.Ticket(p.Ticket)
	over, ok := r.excess(*t, p.ID)
	if !ok {
		r.drop(p.ID)
		return r.moved(ctx)
	}
	contract, err := r.refundIsContract(ctx, spot{"payout", string(p.State)})
	if err != nil {
		return false, err
	}
	if contract {
		p.move(AddressNeeded, r.k.now)
		return r.moved(ctx)
	}
	p.Keep = over.keep
	return r.build(ctx, p, over.coins, over.amount, over.fee)
}

// stepTop joins what lies at a ticket's address where no coin alone is enough to give it back: after a payment in
// parts, whose network fee came out of the deposit.
func (r *run) stepTop(ctx context.Context, t *Ticket) (bool, error) {
	m := &t.Top
	if r.k.now.Before(m.Again) {
		return false, nil
	}
	coins := moveCoins(r.free(t.Address, ""), 1)
	fee := NetworkFee(len(coins), 1)
	joined := cirrus.Coin{Amount: sum(coins, 0) - fee, Confirmations: 1}
	if len(coins) < 2 || !usable(joined, r.o.Gas.Budget()) {
		return false, nil
	}
	payment := Payment{Account: t.Account, Fee: fee, Outputs: []Output{{Address: t.Address, Amount: joined.Amount}}}
	if !r.buildTransfer(ctx, spot{"ticket", string(t.State)}, m, coins, payment) {
		return false, nil
	}
	t.Fees += fee
	t.Away += fee
	return r.moved(ctx)
}

// topUp is what the float must add so that all that lies at a ticket's address is enough to give it back, once that is
// joined; 0 where that is enough, or where not all is there that must be.
func (r *run) topUp(t Ticket) cirrus.Strats {
	coins := r.free(t.Address, "")
	total := sum(coins, 1)
	settled := r.k.tip.Height >= max(t.Owned, t.Top.Mined)+returnBlocks
	if !settled || total != sum(coins, 0) || total < t.left()-t.Price || len(coins) >= maxInputs {
		return 0
	}
	missing := r.o.Gas.Budget() + NetworkFee(len(coins)+1, 1) - total
	if missing > 0 && missing < MinOutput { // the least that is sent leaves a change that can be made
		return missing + changeMade
	}
	return max(0, missing)
}

// awaitTop sends the join and waits for it.
func (r *run) awaitTop(ctx context.Context, t *Ticket) (bool, error) {
	moved, mined, err := r.stepTransfer(ctx, spot{"ticket", string(t.State)}, &t.Top)
	if moved || err != nil || !mined {
		return moved, err
	}
	t.Top.Mined = r.k.tip.Height
	return r.moved(ctx)
}
