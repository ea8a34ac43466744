package order

import (
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// Watching lists the transactions that the order waits for: the watcher wakes it when one is mined or vanishes.
func (o Order) Watching() []cirrus.TxID {
	var list []cirrus.TxID
	if (o.State == Joining || o.State == Splitting) && o.Move.TxID != "" {
		list = append(list, o.Move.TxID)
	}
	for _, t := range o.Tickets {
		for _, m := range []Transfer{t.Top, t.Swap} {
			if m.begun() {
				list = append(list, m.TxID)
			}
		}
		for _, call := range []Call{t.Reserve, t.Release} {
			if call.TxID != "" && call.Block == 0 {
				list = append(list, call.TxID)
			}
		}
	}
	for _, p := range o.Payouts {
		if (p.State == Built || p.State == Sent) && p.TxID != "" {
			list = append(list, p.TxID)
		}
	}
	for _, a := range o.Aids {
		if a.begun() && !a.State.Final() {
			list = append(list, a.TxID)
		}
	}
	return list
}

// Addresses lists the order's addresses, each once.
func (o Order) Addresses() []cirrus.Address {
	list := []cirrus.Address{o.Address}
	for _, t := range o.Tickets {
		if !slices.Contains(list, t.Address) {
			list = append(list, t.Address)
		}
	}
	return list
}

// Ticket finds one of the order's tickets, nil for another id.
func (o *Order) Ticket(id string) *Ticket {
	for i := range o.Tickets {
		if o.Tickets[i].ID == id {
			return &o.Tickets[i]
		}
	}
	return nil
}

// Payout finds the latest payout of a ticket, nil where there is none.
func (o *Order) Payout(ticket string) *Payout {
	for i := len(o.Payouts) - 1; i >= 0; i-- {
		if o.Payouts[i].Ticket == ticket {
			return &o.Payouts[i]
		}
	}
	return nil
}

// Final tells whether nothing happens any more by itself with a ticket in this state; a lost one for which another
// seat may be chosen (Ticket.Choosing) is the exception.
func (s TicketState) Final() bool {
	return s == Lost || s == Exchanged || s == Released || s == Ended || s == Dropped
}

// Final tells whether nothing happens any more by itself with this payout.
func (s PayoutState) Final() bool { return s == Done || s == Dust }

// Unpaid tells whether the order still waits for its money.
func (s State) Unpaid() bool { return s == AwaitingPayment || s == PartPaid || s == Paying }

// Open tells whether money of the customer is with Usher, or a ticket is alive.
func (o Order) Open() bool {
	for _, p := range o.Payouts {
		if !p.State.Final() {
			return true
		}
	}
	for _, a := range o.Aids {
		if !a.State.Final() {
			return true
		}
	}
	for _, t := range o.Tickets {
		if o.State == Filled && (!t.State.Final() || t.Choosing()) {
			return true
		}
	}
	return o.unfilled() || o.PartWaiting()
}

// AtStake is what the order may hold of its customer's money: what was due at first, and on top for seats in place of
// lost ones.
func (o Order) AtStake() cirrus.Strats {
	total := o.Due
	for _, t := range o.Tickets {
		if t.State != Dropped {
			total += t.Due
		}
	}
	return total
}

func (o *Order) move(to State, now time.Time) { o.State, o.Since = to, now }

func (t *Ticket) move(to TicketState, now time.Time) { t.State, t.Since = to, now }

func (p *Payout) move(to PayoutState, now time.Time) { p.State, p.Since = to, now }

// sum adds up coins that are confirmed at least so often.
func sum(coins []cirrus.Coin, confirmations uint64) cirrus.Strats {
	var total cirrus.Strats
	for _, coin := range coins {
		if coin.Confirmations >= confirmations {
			total += coin.Amount
		}
	}
	return total
}

func at(coins []cirrus.Coin, address cirrus.Address) []cirrus.Coin {
	var there []cirrus.Coin
	for _, coin := range coins {
		if coin.Address == address {
			there = append(there, coin)
		}
	}
	return there
}
