package audit

import (
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Kind names what is wrong. The list is closed, and what watches Usher may rely on the names.
type Kind string

// What can be found.
const (
	CoinWithoutOrder   Kind = "coin_without_order"   // money at an address of a wallet that no order has
	ClaimWithoutOrder  Kind = "claim_without_order"  // money at an address whose order is not there
	AddressNotOfOrder  Kind = "address_not_of_order" // money at an address that its order does not use
	AddressUnclaimed   Kind = "address_unclaimed"    // an order's address that is not noted as its own
	AddressTwice       Kind = "address_twice"        // two orders with one address
	AccountUnknown     Kind = "account_unknown"      // an order whose wallet is not among those that are looked at
	MoneyMissing       Kind = "money_missing"        // less at an address than its order says
	MoneyKept          Kind = "money_kept"           // money that nothing will send back, at an address of an order that ended
	FloatClaimIdle     Kind = "float_claim_idle"     // money of the float that is kept for an order which does not use it
	TicketWithoutOrder Kind = "ticket_without_order" // a ticket on chain of an address of ours that no order has
	TicketUnexpected   Kind = "ticket_unexpected"    // a ticket on chain that its order does not know of
	TicketMissing      Kind = "ticket_missing"       // an order says that the ticket is ours, the contract does not
	SeatTwice          Kind = "seat_twice"           // two living tickets for one seat
	NoNextStep         Kind = "no_next_step"         // something is to be done, and nothing says when
	Overdue            Kind = "overdue"              // the next step should have been done long ago
	StateUnknown       Kind = "state_unknown"        // a state that this version does not have
	OrderUnreadable    Kind = "order_unreadable"     // a record that does not open with this key ring, or of a newer version
)

// Kinds lists every kind of finding.
func Kinds() []Kind {
	return []Kind{
		CoinWithoutOrder, ClaimWithoutOrder, AddressNotOfOrder, AddressUnclaimed, AddressTwice, AccountUnknown, MoneyMissing,
		MoneyKept, FloatClaimIdle, TicketWithoutOrder, TicketUnexpected, TicketMissing, SeatTwice, NoNextStep, Overdue, StateUnknown, OrderUnreadable,
	}
}

// Finding is something that fits nowhere.
type Finding struct {
	Kind    Kind           `json:"kind"`
	Address cirrus.Address `json:"address,omitempty"`
	Order   order.ID       `json:"order,omitempty"`
	Ticket  string         `json:"ticket,omitempty"`
	Seat    string         `json:"seat,omitempty"`
	Amount  cirrus.Strats  `json:"strats,omitempty"`
	Says    string         `json:"says"` // a sentence for the operator
}

// same tells whether two looks found the same thing; the words may differ.
func (f Finding) same(g Finding) bool {
	return f.Kind == g.Kind && f.Address == g.Address && f.Order == g.Order && f.Ticket == g.Ticket && f.Seat == g.Seat
}

// Both leaves in the later report what both found: the rest was on its way somewhere while one of them was made.
func Both(earlier, later Report) Report {
	later.Findings = slices.DeleteFunc(slices.Clone(later.Findings), func(f Finding) bool {
		return !slices.ContainsFunc(earlier.Findings, f.same)
	})
	return later
}
