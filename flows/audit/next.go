package audit

import (
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Next is what will happen, and when at the latest: at a time, or with a block; neither where it waits for somebody.
type Next struct {
	What  string    `json:"what"`
	At    time.Time `json:"at,omitzero"`
	Block uint64    `json:"block,omitempty"`
}

// next says what will happen to what lies at an address of an order.
func (x *index) next(o *order.Order, address cirrus.Address) Next {
	if o.State != order.Filled {
		return x.nextOrder(o)
	}
	for i := range o.Tickets {
		if t := &o.Tickets[i]; t.Address == address {
			return x.nextTicket(o, t)
		}
	}
	if p := o.Payout(""); p != nil {
		return nextPayout(o, *p)
	}
	return Next{What: "nothing; what still comes goes back to the customer"}
}

func (x *index) nextOrder(o *order.Order) Next {
	switch o.State {
	case order.AwaitingPayment:
		return Next{What: "the seats are given up, unless it is paid", At: o.Hold}
	case order.PartPaid:
		return Next{What: "the seats are given up, unless the rest comes", At: o.Hold}
	case order.Paying:
		return Next{What: "the payment waits for its block"}
	case order.Paid, order.Joining, order.Splitting:
		return Next{What: "the payment goes to the tickets", At: o.Next}
	case order.Void:
		return Next{What: "nothing; its payment was taken back"}
	case order.Expired, order.Cancelled, order.Filled:
	}
	if p := o.Payout(""); p != nil {
		return nextPayout(o, *p)
	}
	for _, t := range o.Tickets {
		if p := o.Payout(t.ID); p != nil {
			return nextPayout(o, *p)
		}
	}
	if o.PartWaiting() {
		return Next{What: "the part that was paid goes back, unless the rest comes", At: o.PartUntil(x.Hold)}
	}
	return Next{What: "nothing; what still comes buys late or goes back to the customer"}
}

func (x *index) nextTicket(o *order.Order, t *order.Ticket) Next {
	if p := o.Payout(t.ID); p != nil && !p.State.Final() {
		return nextPayout(o, *p)
	}
	for _, a := range o.Aids {
		if a.Ticket == t.ID && !a.State.Final() {
			return nextAid(a)
		}
	}
	switch t.State {
	case order.Held:
		return Next{What: "the seat is bought", At: t.Until}
	case order.Reserving:
		return Next{What: "the seat is bought, again where it was refused", At: t.Reserve.Again}
	case order.Unknown:
		return Next{What: "the chain is asked what became of the call to buy", At: t.Reserve.Again}
	case order.Reserved:
		return Next{What: "the call to buy waits for its block"}
	case order.Stray:
		return Next{What: "the seat without its secret is given back", At: o.Next}
	case order.Owned:
		return x.nextOwned(o)
	case order.Releasing:
		return Next{What: "the ticket is given back", At: t.Undo}
	case order.Lost:
		if t.Choosing() && o.Instead(t.ID) == nil {
			return Next{What: "the money goes back, unless another seat is chosen", At: t.Choice}
		}
	case order.Attention:
		return Next{What: "waits for you: " + string(t.Reason)}
	case order.Dropped, order.Exchanged, order.Released, order.Ended:
	}
	if p := o.Payout(t.ID); p != nil {
		return nextPayout(o, *p)
	}
	return Next{What: "nothing; what still comes goes back to the customer"}
}

// nextOwned is what becomes of the deposit of a ticket that its customer keeps.
func (x *index) nextOwned(o *order.Order) Next {
	last, _ := o.Terms.LastRelease(o.Show.EndOfSale)
	next := Next{What: "what is left of the deposit goes back when the time for refunds is over", Block: last}
	if last > x.Tip.Height {
		next.At = time.Unix(x.Tip.When(last), 0).UTC()
	}
	return next
}

func nextAid(a order.Aid) Next {
	if a.Short {
		return Next{What: "waits for the float, which has too little: " + a.Amount.String() + " is needed", At: a.Again}
	}
	return Next{What: "the float gives " + a.Amount.String(), At: a.Again}
}

func nextPayout(o *order.Order, p order.Payout) Next {
	switch p.State {
	case order.PayoutDue:
		return Next{What: "goes back to the customer once all of it is there", At: p.Again}
	case order.AddressNeeded:
		return Next{What: "waits for an address of the customer's that can be paid"}
	case order.Built:
		return Next{What: "the payment to the customer is sent", At: p.Again}
	case order.Sent:
		return Next{What: "the payment to the customer waits for its block"}
	case order.Dust:
		return Next{What: "nothing; too little to be sent"}
	case order.Done:
	}
	return Next{What: "nothing; it went back to the customer"}
}
