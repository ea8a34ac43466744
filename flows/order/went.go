package order

import "github.com/usherbot/usher/chain/cirrus"

// WentTo is where money of the order went, goes, or will go: that of a payout by its id, the rest of a swap by the id of
// the ticket that it was for, what a split sent back by no id.
func (o Order) WentTo(id string) cirrus.Address {
	if to, known := o.Private.Went[id]; known {
		return to
	}
	return o.Private.Refund
}

// keepWent notes where all that is built already goes, before the order gets another address.
func (o *Order) keepWent() {
	went := make(map[string]cirrus.Address, len(o.Private.Went))
	note := func(id string, built cirrus.TxID) {
		if built != "" {
			went[id] = o.WentTo(id)
		}
	}
	note("", o.Move.TxID)
	for _, t := range o.Tickets {
		note(t.ID, t.Swap.TxID)
	}
	for _, p := range o.Payouts {
		note(p.ID, p.TxID)
	}
	o.Private.Went = went
}
