package audit

import (
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Owed is what winding down does for one ticket, or for an order that is not paid to its tickets yet.
type Owed struct {
	Order  order.ID       `json:"order"`
	Ticket string         `json:"ticket,omitempty"`
	Seat   string         `json:"seat,omitempty"`
	State  string         `json:"state"`
	Does   string         `json:"does"`
	Sum    cirrus.Strats  `json:"strats"` // about what arrives, at the least
	To     cirrus.Address `json:"-"`      // shown short, to nobody but the operator
	Person bool           `json:"person"` // it waits for a person: the customer, or the operator
	Stays  bool           `json:"stays"`  // the ticket cannot be given back
}

// WindDown says who gets what when the sales of a contract are wound down; of every contract where it is empty. It lists
// what is not settled yet.
func WindDown(b Books, contract cirrus.Address) (list []Owed) {
	x := newIndex(&b)
	for i := range x.Orders {
		o := &x.Orders[i]
		if contract != "" && o.Show.Contract != contract || !o.Open() {
			continue
		}
		if o.State != order.Filled {
			list = append(list, x.owedIn(o))
			continue
		}
		for i := range o.Tickets {
			if owed, open := x.owedFor(o, &o.Tickets[i]); open {
				list = append(list, owed)
			}
		}
		if p := o.Payout(""); p != nil && !p.State.Final() {
			list = append(list, onItsWay(*p, Owed{Order: o.ID, State: string(p.State), To: o.WentTo(p.ID)}))
		}
	}
	return list
}

// owedIn is an order whose money has not gone to its tickets.
func (x *index) owedIn(o *order.Order) Owed {
	owed := Owed{Order: o.ID, State: string(o.State), To: o.Private.Refund, Does: "is not bought any more; what was paid goes back"}
	var coins []cirrus.Coin
	for _, address := range o.Addresses() {
		coins = append(coins, x.coins[address]...)
	}
	owed.Sum = afterFee(total(coins), len(coins))
	if len(coins) == 0 {
		owed.Does = "ends; nothing was paid"
	}
	return owed
}

func (x *index) owedFor(o *order.Order, t *order.Ticket) (owed Owed, open bool) {
	owed = Owed{Order: o.ID, Ticket: t.ID, Seat: t.Seat.String(), State: string(t.State), To: o.Private.Refund}
	if p := o.Payout(t.ID); p != nil && !p.State.Final() {
		owed.To = o.WentTo(p.ID)
		return onItsWay(*p, owed), true
	}
	coins := x.coins[t.Address]
	owed.Sum = afterFee(total(coins), len(coins))
	switch t.State {
	case order.Held, order.Reserving:
		owed.Does = "is not bought any more; its money goes back"
	case order.Unknown, order.Reserved:
		owed.Does, owed.Sum = "is being bought; it is given back once it is there", order.LeastRefund(*o, *t)
	case order.Owned:
		return x.owedOwned(o, t, owed), true
	case order.Releasing:
		owed.Does, owed.Sum = "is being given back", order.LeastRefund(*o, *t)
	case order.Lost:
		owed.Does = "no other seat can be chosen any more; its money goes back"
		return owed, t.Choosing()
	case order.Stray:
		owed.Does, owed.Sum = "is given back without its secret", order.LeastRefund(*o, *t)
	case order.Attention:
		owed.Does, owed.Person = "waits for you ("+string(t.Reason)+"): /attention in Telegram", true
	case order.Dropped, order.Exchanged, order.Released, order.Ended:
		return owed, false
	}
	return owed, true
}

// owedOwned is a ticket that its customer has.
func (x *index) owedOwned(o *order.Order, t *order.Ticket, owed Owed) Owed {
	if order.CanWindDown(*o, *t, x.Tip) {
		owed.Does, owed.Sum = "is given back", order.LeastRefund(*o, *t)
		return owed
	}
	owed.Stays = true
	owed.Does = "stays the customer's: the time for refunds is over; the rest of its deposit goes back by itself"
	if o.Terms.Refund(t.Price) == 0 {
		owed.Does = "stays the customer's: the contract pays nothing for it; the rest of its deposit goes back by itself"
	}
	return owed
}

func onItsWay(p order.Payout, owed Owed) Owed {
	owed.Sum = p.Amount
	switch p.State {
	case order.PayoutDue:
		owed.Does, owed.Sum = "its money goes back", afterFee(p.Expect, 1)
	case order.AddressNeeded:
		owed.Does, owed.Person = "has no address that can be paid; the customer was asked in Telegram", true
		owed.Sum = afterFee(p.Expect, 1)
	case order.Built, order.Sent, order.Done, order.Dust:
		owed.Does = "its money is on its way back"
	}
	return owed
}

func afterFee(sum cirrus.Strats, coins int) cirrus.Strats {
	return max(0, sum-order.NetworkFee(coins, 1))
}
