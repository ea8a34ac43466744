package audit

import (
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Report is what an audit found.
type Report struct {
	Network  string    `json:"network"`
	Height   uint64    `json:"height"`
	Made     time.Time `json:"made"`
	Orders   int       `json:"orders"`
	Open     int       `json:"open"` // orders with money of a customer, or a ticket that lives
	Purses   []Balance `json:"wallets"`
	Lines    []Line    `json:"addresses"`
	Findings []Finding `json:"findings"`
}

// Balance is what an account holds.
type Balance struct {
	Account string        `json:"account"`
	Float   bool          `json:"float,omitempty"`
	Coins   int           `json:"coins"`
	Holds   cirrus.Strats `json:"strats"`
}

// Line is one address of ours.
type Line struct {
	Address cirrus.Address `json:"address"`
	Account string         `json:"account,omitempty"`
	Holds   cirrus.Strats  `json:"strats"`
	Coins   int            `json:"coins"`
	Order   order.ID       `json:"order,omitempty"` // empty: no order has it
	Ticket  string         `json:"ticket,omitempty"`
	Seat    string         `json:"seat,omitempty"`
	State   string         `json:"state,omitempty"`
	Next    Next           `json:"next,omitzero"`
	Live    bool           `json:"live"`              // its order is open
	Tickets []OnChain      `json:"tickets,omitempty"` // that the address owns on chain
}

// OnChain is a ticket as a contract has it.
type OnChain struct {
	Contract cirrus.Address `json:"contract"`
	Seat     string         `json:"seat"`
}

// Make holds books against each other.
func Make(b Books) Report {
	x := newIndex(&b)
	r := Report{Network: b.Tip.Network, Height: b.Tip.Height, Made: b.Now, Orders: len(b.Orders) + len(b.Unread), Findings: []Finding{}}
	for i := range b.Orders {
		if b.Orders[i].Open() {
			r.Open++
		}
	}
	for _, purse := range b.Purses {
		r.Purses = append(r.Purses, Balance{purse.Account.String(), purse.Float, len(purse.Coins), total(purse.Coins)})
	}
	tickets := map[cirrus.Address][]OnChain{}
	for _, on := range x.onChain() {
		tickets[on.ticket.Address] = append(tickets[on.ticket.Address], OnChain{on.hall.Contract, on.ticket.Seat.String()})
	}
	for _, address := range x.addresses() {
		line := x.line(address)
		line.Tickets = tickets[address]
		r.Lines = append(r.Lines, line)
	}
	for _, check := range []func() []Finding{x.records, x.money, x.claims, x.floats, x.tickets, x.seats} {
		r.Findings = append(r.Findings, check()...)
	}
	return r
}

func (x *index) line(address cirrus.Address) Line {
	line := Line{Address: address, Coins: len(x.coins[address]), Holds: total(x.coins[address])}
	if home, known := x.homes[address]; known {
		line.Account = home.String()
	}
	id, o := x.owner(address)
	line.Order = id
	if o == nil {
		return line
	}
	line.State, line.Next, line.Live = string(o.State), x.next(o, address), o.Open()
	for _, t := range o.Tickets {
		if t.Address == address {
			line.Ticket, line.Seat = t.ID, t.Seat.String()
			if o.State == order.Filled {
				line.State = string(t.State)
			}
		}
	}
	return line
}
