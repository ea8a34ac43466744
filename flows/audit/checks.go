package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// How late a next step may be before it counts as forgotten. An Usher that works is never so late; one that stands still
// should be started.
const (
	lateAfter  = time.Hour
	lateBlocks = 60
)

// records looks for orders that cannot be read, or will not move by themselves.
func (x *index) records() (found []Finding) {
	for _, id := range x.Unread {
		found = append(found, Finding{Kind: OrderUnreadable, Order: id, Says: fmt.Sprintf("order %s cannot be read: is this the key ring that it was sealed with?", id)})
	}
	for i := range x.Orders {
		o := &x.Orders[i]
		found = append(found, x.states(o)...)
		found = append(found, x.accounts(o)...)
		if !o.Open() || waitsForPerson(o) {
			continue
		}
		switch {
		case o.Next.IsZero() && o.NextHeight == 0:
			found = append(found, Finding{Kind: NoNextStep, Order: o.ID, Says: fmt.Sprintf("order %s is %s, and nothing says what happens next", o.ID, o.State)})
		case !o.Next.IsZero() && o.Next.Before(x.Now.Add(-lateAfter)), o.NextHeight > 0 && o.NextHeight+lateBlocks < x.Tip.Height:
			found = append(found, Finding{Kind: Overdue, Order: o.ID, Says: fmt.Sprintf("order %s is %s, and its next step is long overdue: does Usher run?", o.ID, o.State)})
		}
	}
	return found
}

// waitsForPerson tells whether all that is left to do for an order is a person's, who was told.
func waitsForPerson(o *order.Order) bool {
	if o.State != order.Filled {
		return false
	}
	for _, t := range o.Tickets {
		if !t.State.Final() && (t.State != order.Attention || !t.Told) || t.Choosing() {
			return false
		}
	}
	return !slices.ContainsFunc(o.Payouts, func(p order.Payout) bool { return !p.State.Final() })
}

// states looks for states that no table has.
func (x *index) states(o *order.Order) (found []Finding) {
	check := func(table, state, ticket string) {
		if _, known := order.RowOf(table, state); !known {
			found = append(found, Finding{
				Kind: StateUnknown, Order: o.ID, Ticket: ticket, Says: fmt.Sprintf("order %s: its %s is %q, which this version does not know", o.ID, table, state),
			})
		}
	}
	check("order", string(o.State), "")
	for _, t := range o.Tickets {
		check("ticket", string(t.State), t.ID)
	}
	for _, p := range o.Payouts {
		check("payout", string(p.State), p.Ticket)
	}
	for _, a := range o.Aids {
		check("aid", string(a.State), a.Ticket)
	}
	return found
}

// accounts looks for orders whose money lies in a wallet that nobody looks at.
func (x *index) accounts(o *order.Order) []Finding {
	for _, address := range o.Addresses() {
		account := accountOf(*o, address)
		if !slices.ContainsFunc(x.Purses, func(p Purse) bool { return p.Account == account }) {
			return []Finding{{
				Kind: AccountUnknown, Order: o.ID, Address: address,
				Says: fmt.Sprintf("order %s has its money in %s, which USHER_WALLETS does not name: it cannot be seen or paid out", o.ID, account),
			}}
		}
	}
	return nil
}

// money looks for money that is not where its order says.
func (x *index) money() (found []Finding) {
	for i := range x.Orders {
		o := &x.Orders[i]
		for _, address := range o.Addresses() {
			if f, wrong := x.moneyAt(o, address); wrong {
				found = append(found, f)
			}
		}
	}
	return found
}

// settled is how deep a coin must be before it is asked why nothing was done about it.
const settled = 5

func (x *index) moneyAt(o *order.Order, address cirrus.Address) (f Finding, wrong bool) {
	coins := x.coins[address]
	f = Finding{Address: address, Order: o.ID}
	if least, ok := o.Rests(address, x.Tip); ok && total(coins) < least {
		f.Kind, f.Amount = MoneyMissing, least-total(coins)
		f.Says = fmt.Sprintf("%s must lie at %s for order %s, and %s does", least, address, o.ID, total(coins))
		return f, true
	}
	if o.Open() || o.State == order.Void {
		return f, false
	}
	var kept []cirrus.Coin
	for _, coin := range coins {
		if coin.Confirmations >= settled && !writtenOff(o, coin) {
			kept = append(kept, coin)
		}
	}
	if sum := total(kept); sum-order.NetworkFee(len(kept), 1) >= order.MinOutput {
		f.Kind, f.Amount = MoneyKept, sum
		f.Says = fmt.Sprintf("%s lies at %s although order %s has ended, and nothing sends it back", sum, address, o.ID)
		return f, true
	}
	return f, false
}

// writtenOff tells whether a coin counts as too small to be sent.
func writtenOff(o *order.Order, coin cirrus.Coin) bool {
	return slices.ContainsFunc(o.Payouts, func(p order.Payout) bool {
		return p.State == order.Dust && slices.ContainsFunc(p.Coins, func(c cirrus.Coin) bool { return c.Outpoint == coin.Outpoint })
	})
}
