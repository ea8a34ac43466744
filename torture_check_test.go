package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
)

// orders are those that are stored, the oldest first.
func (b *bed) orders() (list []order.Order) {
	ids, err := b.eye.All(b.ctx)
	if err != nil {
		b.fail("listing orders: %v", err)
	}
	for _, id := range ids {
		o, err := b.eye.Load(b.ctx, id)
		if errors.Is(err, order.ErrNotFound) {
			continue
		}
		if err != nil {
			b.fail("order %s: %v", id, err)
			continue
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(x, y order.Order) int { return x.Created.Compare(y.Created) })
	return list
}

// moving wants each order that is not at its end to have a next step, and a time or a block for it.
func (b *bed) moving() {
	for _, o := range b.orders() {
		person := slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool { return t.State == order.Attention && t.Told })
		if o.Open() && !person && o.Next.IsZero() && o.NextHeight == 0 {
			b.fail("order %s is %s, and has no next step", o.ID, stateOf(o))
		}
	}
}

func stateOf(o order.Order) string {
	all := []string{string(o.State)}
	for _, t := range o.Tickets {
		all = append(all, t.Seat.String()+" "+string(t.State)+" "+string(t.Reason))
	}
	for _, p := range o.Payouts {
		all = append(all, "payout "+string(p.Why)+" "+string(p.State))
	}
	return strings.Join(all, ", ")
}

// check holds everything to account once the sale is over: each customer has tickets that open the door, or money, to the
// strat; no coin is without an owner; nothing is left to be done.
func (b *bed) check() {
	ledger := b.chain.Ledger()
	paid := map[int64]cirrus.Strats{}
	for _, o := range b.orders() {
		paid[o.Customer] += b.checkOrder(ledger, o)
	}
	for _, p := range b.persons {
		if paid[p.id] != p.paid {
			b.fail("%s paid %s, and %s of it came to an order", p.name, p.paid, paid[p.id])
		}
		if len(p.updates) > 0 {
			b.fail("%s still waits for an answer", p.name)
		}
		b.checkParcels(p)
	}
	b.checkCoins(ledger)
	if sum := ledger.Totals; sum.Issued != sum.Unspent+sum.FeesPending {
		b.fail("the chain itself lost money: %+v", sum)
	}
}

// checkOrder follows the order's money through the chain, without asking Usher, and compares with Usher's own account.
func (b *bed) checkOrder(ledger sandbox.LedgerView, o order.Order) cirrus.Strats {
	s, err := statement(ledger, o.Addresses(), o.Private.Refund)
	if err != nil {
		b.fail("order %s (%s): %v", o.ID, stateOf(o), err)
		return 0
	}
	var paid cirrus.Strats
	for _, address := range o.Addresses() {
		paid += b.payments[address]
	}
	if account := order.Account(o, coinsAt(ledger, o.Addresses()...)); account != s {
		// What is too small to be sent lies there still.
		s.Held -= account.Dust - s.Dust
		s.Dust = account.Dust
		if account != s {
			b.fail("order %s (%s): Usher's account is %+v, the chain's %+v", o.ID, stateOf(o), account, s)
		}
	}
	if s.Paid != paid || s.Held != 0 {
		b.fail("order %s (%s): paid %s: %+v", o.ID, stateOf(o), paid, s)
	}
	if o.Open() || !o.Next.IsZero() || o.NextHeight != 0 {
		b.fail("order %s (%s) is not at its end: next %s, block %d", o.ID, stateOf(o), o.Next, o.NextHeight)
	}
	b.checkPrices(o, s)
	return paid
}

// checkPrices wants nothing taken but what was announced: prices of tickets that the customer has, and gas.
func (b *bed) checkPrices(o order.Order, s order.Statement) {
	var price, release cirrus.Strats
	calls := 0
	for _, t := range o.Tickets {
		calls += 2
		if t.Release.Success { // a seat without its secret: the float made it good
			release += t.Kept
		} else {
			price += t.Kept
		}
		switch t.State {
		case order.Ended, order.Owned:
			price += t.Price
			b.checkTicket(o, t)
		case order.Released:
			release += releaseFee
		case order.Lost:
			if t.Reason == order.ReasonNoSecret { // bought, and given back at the operator's cost
				b.checkStray(o, s)
			}
		case order.Attention:
			b.fail("order %s: %s still needs a person: %s", o.ID, t.Seat, t.Reason)
		}
	}
	if s.Price != price || s.Release != release {
		b.fail("order %s (%s): prices %s and %s kept by the contract: %+v", o.ID, stateOf(o), price, release, s)
	}
	if most := cirrus.Strats(calls) * o.Gas.Budget(); s.Gas > most || s.Network > cirrus.CRS/100*cirrus.Strats(calls) {
		b.fail("order %s: more gas or fees than announced: %+v", o.ID, s)
	}
}

// checkTicket wants the customer's phone to have the ticket.
func (b *bed) checkTicket(o order.Order, t order.Ticket) {
	for _, got := range b.people[o.Customer].parcels {
		if got.seat == t.Seat && b.opens(got.ticket) {
			return
		}
	}
	b.fail("%s has no ticket for %s that opens the door", b.people[o.Customer].name, t.Seat)
}

// checkParcels wants no ticket to have been handed over that opened no door, and none twice without a word.
func (b *bed) checkParcels(p *person) {
	for i, got := range p.parcels {
		if !got.opened {
			b.fail("%s got a ticket that did not open the door", p.name)
		}
		for _, earlier := range p.parcels[:i] {
			if earlier.ticket == got.ticket && !got.repeated {
				b.fail("%s got a ticket twice, and the second was not marked", p.name)
			}
		}
	}
}

// checkCoins wants each coin in the wallets that Usher sells with to belong to an order.
func (b *bed) checkCoins(ledger sandbox.LedgerView) {
	for _, address := range ledger.Addresses {
		if address.Balance == 0 || address.Wallet == "" || strings.HasPrefix(address.Wallet, sandbox.WalletFloat+"/") {
			continue
		}
		if _, err := b.eye.Owner(b.ctx, address.Address); err != nil {
			b.fail("%s lies at %s of %s, and no order owns it: %v", strats(address.Balance), address.Address, address.Wallet, err)
		}
	}
}

// checkStray: with Ticketbooth's own call a secret can be lost with its answer, and then the customer gets all back.
func (b *bed) checkStray(o order.Order, s order.Statement) {
	if b.plan.reserve == "direct" {
		b.fail("order %s: a secret is lost that can be derived", o.ID)
	}
	if len(o.Tickets) == 1 && s.Returned != s.Paid {
		b.fail("order %s (%s): paid %s, and its secret was lost: only %s came back", o.ID, stateOf(o), s.Paid, s.Returned)
	}
}
