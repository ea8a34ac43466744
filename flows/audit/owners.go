package audit

import (
	"fmt"
	"maps"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// claims looks for coins without an order, and for orders whose addresses are not noted as their own.
func (x *index) claims() (found []Finding) {
	for _, address := range slices.Sorted(maps.Keys(x.coins)) {
		if f, wrong := x.coinsAt(address); wrong {
			found = append(found, f)
		}
	}
	for i := range x.Orders {
		o := &x.Orders[i]
		for _, address := range o.Addresses() {
			f := Finding{Address: address, Order: o.ID}
			if x.Claims[address] != o.ID {
				f.Kind = AddressUnclaimed
				f.Says = fmt.Sprintf("%s is an address of order %s, and is not noted as that: it could be given to another one", address, o.ID)
				found = append(found, f)
			}
			if len(x.lists[address]) > 1 && x.lists[address][0] == o {
				f.Kind = AddressTwice
				f.Says = fmt.Sprintf("%s is an address of %d orders, %s among them", address, len(x.lists[address]), o.ID)
				found = append(found, f)
			}
		}
	}
	return found
}

func (x *index) coinsAt(address cirrus.Address) (f Finding, wrong bool) {
	sum := total(x.coins[address])
	f = Finding{Address: address, Amount: sum}
	id, o := x.owner(address)
	f.Order = id
	switch {
	case id == "" && x.float[address], x.unread[id]:
		return f, false
	case id == "":
		f.Kind = CoinWithoutOrder
		f.Says = fmt.Sprintf("%s lies at %s of %s, and no order has that address", sum, address, x.homes[address])
	case o == nil:
		f.Kind = ClaimWithoutOrder
		f.Says = fmt.Sprintf("%s lies at %s of %s, which was for order %s, and there is no such order", sum, address, x.homes[address], id)
	case !slices.Contains(o.Addresses(), address):
		f.Kind = AddressNotOfOrder
		f.Says = fmt.Sprintf("%s lies at %s of %s, which order %s took and does not use", sum, address, x.homes[address], id)
	default:
		return f, false
	}
	return f, true
}

// floats looks for money of the float that is kept for an order for nothing.
func (x *index) floats() (found []Finding) {
	for _, address := range slices.Sorted(maps.Keys(x.FloatClaims)) {
		id := x.FloatClaims[address]
		o := x.orders[id]
		if x.unread[id] || o != nil && slices.ContainsFunc(o.Aids, func(a order.Aid) bool { return slices.Contains(a.From, address) }) {
			continue
		}
		found = append(found, Finding{
			Kind: FloatClaimIdle, Address: address, Order: id, Amount: total(x.coins[address]),
			Says: fmt.Sprintf("%s of the float at %s is kept for order %s, which does not use it", total(x.coins[address]), address, id),
		})
	}
	return found
}

// tickets holds what the contracts hold against the orders, and the other way round.
func (x *index) tickets() (found []Finding) {
	for _, on := range x.onChain() {
		if f, wrong := x.ticketOnChain(on); wrong {
			found = append(found, f)
		}
	}
	for _, hall := range x.Halls {
		if hall.Show == "" || hall.over() {
			continue
		}
		for i := range x.Orders {
			if o := &x.Orders[i]; o.Show.Contract == hall.Contract && o.Show.TxID == hall.Show {
				found = append(found, missing(o, hall)...)
			}
		}
	}
	return found
}

func (x *index) ticketOnChain(on owned) (f Finding, wrong bool) {
	address, seat := on.ticket.Address, on.ticket.Seat
	f = Finding{Address: address, Seat: seat.String()}
	id, o := x.owner(address)
	f.Order = id
	switch {
	case x.unread[id]:
		return f, false
	case o == nil:
		f.Kind = TicketWithoutOrder
		f.Says = fmt.Sprintf("%s of ours owns seat %s of %s, and no order has it", address, seat, on.hall.Contract)
		return f, true
	}
	for _, t := range o.Tickets {
		same := t.Address == address && t.Seat == seat && o.Show.Contract == on.hall.Contract
		if same && (on.hall.Show == "" || on.hall.Show == o.Show.TxID) && (mayOwn(t) || o.State == order.Void) {
			return f, false
		}
	}
	f.Kind = TicketUnexpected
	f.Says = fmt.Sprintf("%s owns seat %s of %s, and order %s does not know of it", address, seat, on.hall.Contract, id)
	return f, true
}

// mayOwn tells whether the contract may show the ticket as ours.
func mayOwn(t order.Ticket) bool {
	switch t.State {
	case order.Reserving, order.Unknown, order.Reserved, order.Stray, order.Owned, order.Releasing, order.Ended, order.Attention:
		return true
	case order.Lost, order.Exchanged: // one without its secret that could not be given back stays ours
		return t.Kept > 0 && !t.Release.Success
	case order.Held, order.Dropped, order.Released:
	}
	return false
}

// missing looks for tickets of an order that the contract does not show as ours.
func missing(o *order.Order, hall Hall) (found []Finding) {
	for _, t := range o.Tickets {
		if o.State != order.Filled || t.State != order.Owned && t.State != order.Ended {
			continue
		}
		there := slices.ContainsFunc(hall.Tickets, func(on cirrus.Ticket) bool { return on.Seat == t.Seat && on.Address == t.Address })
		if !there {
			found = append(found, Finding{
				Kind: TicketMissing, Address: t.Address, Order: o.ID, Ticket: t.ID, Seat: t.Seat.String(),
				Says: fmt.Sprintf("order %s says that seat %s is its customer's, and the contract %s does not", o.ID, t.Seat, hall.Contract),
			})
		}
	}
	return found
}

// seats looks for two living tickets of one seat of one show.
func (x *index) seats() (found []Finding) {
	type place struct {
		show cirrus.TxID
		seat cirrus.Seat
	}
	first := map[place]order.ID{}
	for i := range x.Orders {
		o := &x.Orders[i]
		for _, t := range o.Tickets {
			if o.State != order.Filled || t.State != order.Reserved && t.State != order.Owned && t.State != order.Ended {
				continue
			}
			at := place{o.Show.TxID, t.Seat}
			if other, twice := first[at]; twice {
				found = append(found, Finding{
					Kind: SeatTwice, Order: o.ID, Ticket: t.ID, Seat: t.Seat.String(),
					Says: fmt.Sprintf("orders %s and %s both say that seat %s of one show is theirs", other, o.ID, t.Seat),
				})
			}
			first[at] = o.ID
		}
	}
	return found
}
