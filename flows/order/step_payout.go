package order

import (
	"context"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/bug"
)

// lateBlocks is after how many blocks money that must be there and is not needs a person.
const lateBlocks = 20

// payBack begins to send back what lies at a ticket's address once so much of it is there. Where that was begun before a
// block was undone, it goes on.
func (r *run) payBack(t *Ticket, why Why, expect cirrus.Strats) *Payout {
	if p := r.o.begun(t.ID, why); p != nil {
		p.Expect, p.Block = expect, r.k.tip.Height
		return p
	}
	return r.payBackFrom(Payout{Ticket: t.ID, Account: t.Account, From: t.Address}, why, expect)
}

func (r *run) payBackFrom(p Payout, why Why, expect cirrus.Strats) *Payout {
	p.ID, p.State, p.Since, p.Why, p.Expect, p.Block = r.NewID(), PayoutDue, r.k.now, why, expect, r.k.tip.Height
	return r.o.owe(p)
}

// owe adds a payout to the order.
func (o *Order) owe(p Payout) *Payout {
	o.Payouts = append(o.Payouts, p)
	return &o.Payouts[len(o.Payouts)-1]
}

// stepPayout moves money out.
func (r *run) stepPayout(ctx context.Context, p *Payout) (bool, error) {
	if r.k.now.Before(p.Again) {
		return false, nil
	}
	switch p.State {
	case PayoutDue:
		return r.stepDue(ctx, p)
	case AddressNeeded:
		return r.stepAddressNeeded(ctx, p)
	case Built:
		return r.stepBuilt(ctx, p)
	case Sent:
		return r.stepSent(ctx, p)
	case Done, Dust:
		return false, nil
	}
	return false, nil
}

// stepDue waits until all that is expected is there and confirmed, then builds. Building reserves the coins in the
// node's memory, so it is never done before.
func (r *run) stepDue(ctx context.Context, p *Payout) (bool, error) {
	if p.Keep > 0 {
		return r.stepExtra(ctx, p)
	}
	if t := r.o.Ticket(p.Ticket); t != nil && t.inFlight() {
		return false, nil // a block was undone: what is owed, and whether anything is, comes out with the call
	}
	if !r.stillOwed(*p) {
		r.drop(p.ID)
		return r.moved(ctx)
	}
	coins := r.free(p.From, p.ID)
	total := sum(coins, 1)
	if total < p.Expect || total != sum(coins, 0) {
		return r.stepMissing(ctx, p, total)
	}
	if total-NetworkFee(len(coins), 1) < MinOutput {
		p.Dust, p.Coins = total, coins
		p.move(Dust, r.k.now)
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
	service, fee, err := r.service(ctx, *p, len(coins), total)
	if err != nil {
		return false, err
	}
	p.Service = service
	return r.build(ctx, p, coins, total-fee-service, fee)
}

// stepMissing sees to a payout whose money has not come for a while. What had only been found, a payment after the end,
// is found again when its block is back, so the payout is given up. Of money that must be there a person is told, once.
func (r *run) stepMissing(ctx context.Context, p *Payout, total cirrus.Strats) (bool, error) {
	if total >= p.Expect || r.k.tip.Height < p.Block+lateBlocks {
		return false, nil
	}
	if p.found() {
		r.drop(p.ID)
		return r.moved(ctx)
	}
	t := r.o.Ticket(p.Ticket)
	if t == nil || t.State == Attention {
		return false, nil
	}
	r.Log.Error("money missing", "order", r.o.ID, "address", p.From, "there", total, "expected", p.Expect)
	r.attention(t, ReasonMissing)
	return r.moved(ctx)
}

// found tells whether a payout was begun for money that was found at an address, and not for what a ticket leaves.
func (p Payout) found() bool { return p.Why == WhyLate || p.Why == WhyCancelled || p.Why == WhyExtra }

// refundIsContract tells whether the refund address became a contract, which no plain payment can pay.
func (r *run) refundIsContract(ctx context.Context, at spot) (is bool, err error) {
	err = r.call(ctx, at.table, at.state, SiteIsContract, func(ctx context.Context) error {
		is, err = r.Purse.IsContract(ctx, r.o.Private.Refund)
		return err
	})
	return is, err
}

// build makes the transaction: amount to the customer, what the payout keeps to its own address, the service fee to the
// operator.
func (r *run) build(ctx context.Context, p *Payout, coins []cirrus.Coin, amount, fee cirrus.Strats) (bool, error) {
	payment := Payment{
		Account: p.Account, Fee: fee,
		Outputs: []Output{{Address: r.o.Private.Refund, Amount: amount}},
	}
	if p.Keep > 0 {
		payment.Outputs = append(payment.Outputs, Output{Address: p.From, Amount: p.Keep})
	}
	if p.Service > 0 {
		payment.Outputs = append(payment.Outputs, Output{Address: r.cfg.FeeTo, Amount: p.Service})
	}
	for _, coin := range coins {
		payment.Coins = append(payment.Coins, coin.Outpoint)
	}
	var built BuiltTx
	err := r.call(ctx, "payout", string(PayoutDue), SiteBuild, func(ctx context.Context) (err error) {
		built, err = r.Purse.Build(ctx, payment)
		return err
	})
	if err != nil {
		r.retry(p, "payout not built", err)
		return false, nil
	}
	if p.Keep > 0 { // from here on exactly that lies at the ticket's address
		t := r.o.Ticket(p.Ticket)
		p.Took = t.left() - t.Price - p.Keep
		t.Away += p.Took
	}
	delete(r.o.Private.Went, p.ID)
	p.Coins, p.Amount, p.Fee, p.Hex, p.TxID, p.Tries = coins, amount, fee, built.Hex, built.TxID, 0
	p.move(Built, r.k.now)
	if bug.Is(bug.SaveAfterCall) {
		return r.stepBuilt(ctx, p)
	}
	return r.moved(ctx)
}

// retry notes a failed try and when to try again. Money stays where it is meanwhile.
func (r *run) retry(p *Payout, what string, err error) {
	p.Tries++
	p.Again = r.k.now.Add(backoff(p.Tries))
	r.Log.Warn(what, "order", r.o.ID, "payout", p.ID, "tries", p.Tries, "error", err)
}

// stepBuilt sends the saved bytes. A refusal says nothing: whether the transaction is out is seen from its inputs,
// which only this transaction spends.
func (r *run) stepBuilt(ctx context.Context, p *Payout) (bool, error) {
	err := r.call(ctx, "payout", string(Built), SiteSend, func(ctx context.Context) error {
		return r.Purse.Send(ctx, p.Hex)
	})
	if err == nil {
		p.Tries, p.Block = 0, r.k.tip.Height
		p.move(Sent, r.k.now)
		return r.moved(ctx)
	}
	if bug.Is(bug.PayTwice) {
		p.move(PayoutDue, r.k.now)
		return r.moved(ctx)
	}
	there, lookErr := r.coinThere(ctx, spot{"payout", string(Built)}, p.Coins[0].Outpoint, true)
	if lookErr == nil && !there {
		p.Tries, p.Block = 0, r.k.tip.Height
		p.move(Sent, r.k.now)
		return r.moved(ctx)
	}
	r.retry(p, "payout not sent", err)
	return false, nil
}

// stepSent waits until the inputs are spent in the chain, not only in the mempool.
func (r *run) stepSent(ctx context.Context, p *Payout) (bool, error) {
	if p.Undone > 0 {
		return r.stepUndone(ctx, p)
	}
	there, err := r.coinThere(ctx, spot{"payout", string(Sent)}, p.Coins[0].Outpoint, false)
	if err != nil {
		return false, err
	}
	if !there {
		return r.arrived(ctx, p)
	}
	if r.k.tip.Height < p.Block+vanishedAfter {
		return false, nil
	}
	untouched, err := r.coinThere(ctx, spot{"payout", string(Sent)}, p.Coins[0].Outpoint, true)
	if err != nil || !untouched {
		return false, err
	}
	p.move(Built, r.k.now) // it vanished: the same bytes again
	return r.moved(ctx)
}

// addressAgain is the wait before the refund address is looked at again; another one that is given is looked at at once.
// addressPatience is after how long without one the operator is told, once; the money goes on waiting.
const (
	addressAgain    = 24 * time.Hour
	addressPatience = 7 * 24 * time.Hour
)

// attendAddress tells the operator that the customer has given no address that can be paid. The ticket keeps its state;
// the operator is shown the reason with it.
func (r *run) attendAddress(ctx context.Context, p *Payout) {
	o := *r.o
	o.Tickets = slices.Clone(o.Tickets)
	t := o.Ticket(p.Ticket)
	if t == nil { // money at the order's own address
		t = &o.Tickets[0]
	}
	t.Reason = ReasonAddress
	err := r.call(ctx, "payout", string(p.State), SiteAttend, func(ctx context.Context) error {
		return r.Teller.Attend(ctx, o, t.ID)
	})
	if err != nil {
		r.Log.Error("operator not told", "order", r.o.ID, "payout", p.ID, "reason", ReasonAddress, "error", err)
		p.Again = r.k.now.Add(time.Hour)
		return
	}
	p.Told = true
}

// stepAddressNeeded looks whether the refund address can be paid by now: the customer may have given another one.
func (r *run) stepAddressNeeded(ctx context.Context, p *Payout) (bool, error) {
	contract, err := r.refundIsContract(ctx, spot{"payout", string(p.State)})
	if err != nil {
		return false, err
	}
	if contract {
		p.Again = r.k.now.Add(addressAgain)
		if !p.Told && !r.k.now.Before(p.Since.Add(addressPatience)) {
			r.attendAddress(ctx, p)
		}
		return false, nil
	}
	p.move(PayoutDue, r.k.now)
	return r.moved(ctx)
}
