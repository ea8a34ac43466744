package order

import (
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// Statement is where the money of an order went, strat by strat: Paid and Float together are the sum of all other fields.
type Statement struct {
	Paid     cirrus.Strats // what came
	Float    cirrus.Strats // what the operator's float gave on top, its network fees included
	Price    cirrus.Strats // for tickets that are the customer's, or that opened no door and could not be given back
	Release  cirrus.Strats // kept by contracts when tickets were given back
	Gas      cirrus.Strats
	Service  cirrus.Strats // fee of the operator's, for tickets that stayed the customer's
	Network  cirrus.Strats // fees of payouts, of joining and of splitting
	Dust     cirrus.Strats // too small to send, or swallowed by a call
	Returned cirrus.Strats // arrived at the customer's address
	Held     cirrus.Strats // still with Usher
}

// Account makes the statement of an order from its record; coins are those that lie at its addresses now.
func Account(o Order, coins []cirrus.Coin) Statement {
	var s Statement
	for _, coin := range coins {
		s.Held += coin.Amount
	}
	if o.State == Filled { // where it is void nothing came, so nothing of it was moved
		s.Network += o.Move.Fee
		s.Returned += o.Move.Back
	}
	for _, t := range o.Tickets {
		s.Network += t.Fees
		if t.Swap.Mined > 0 && !o.paidFrom(t.Swap.Coins) {
			s.Network += t.Swap.Fee
			s.Returned += t.Swap.Back
		}
		s.Gas += t.Reserve.Spent + t.Release.Spent
		s.Dust += t.Reserve.Lost + t.Release.Lost
		if t.Release.Success {
			s.Release += t.Kept
		} else {
			s.Price += t.Kept
		}
		state := t.State
		if state == Attention { // what was paid for is so while a person looks
			state = t.Before
		}
		switch state {
		case Owned, Ended:
			s.Price += t.Price
		case Stray, Releasing:
			if t.Kept == 0 {
				s.Price += t.Price
			}
		case Released:
			s.Release += t.Price - o.Terms.Refund(t.Price)
		}
	}
	for _, p := range o.Payouts {
		switch p.State {
		case Done:
			s.Returned += p.Amount
			s.Network += p.Fee
			s.Service += p.Service
		case Dust:
			s.Dust += p.Dust
			s.Held -= p.Dust // it still lies there, but is nobody's any more
		}
	}
	for _, a := range o.Aids {
		if a.State == AidGiven {
			s.Float += a.Amount + a.Fee
			s.Network += a.Fee
		}
	}
	s.Paid = s.Price + s.Release + s.Gas + s.Service + s.Network + s.Dust + s.Returned + s.Held - s.Float
	return s
}

// paidFrom tells whether a payout took one of these coins; a transfer of them then never came about.
func (o Order) paidFrom(coins []cirrus.Coin) bool {
	for _, p := range o.Payouts {
		for _, coin := range p.Coins {
			if slices.ContainsFunc(coins, func(c cirrus.Coin) bool { return c.Outpoint == coin.Outpoint }) {
				return true
			}
		}
	}
	return false
}
