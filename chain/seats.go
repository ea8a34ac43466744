package chain

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// readTickets reads the seats. Which of them were sold before is only found out anew when a ticket changed.
func (w *Watcher) readTickets(ctx context.Context, v *venue) error {
	tickets, err := w.Client.Tickets(ctx, v.sale.Contract)
	if err != nil {
		return fmt.Errorf("reading the tickets: %w", err)
	}
	tickets = firstOfEach(tickets)
	if v.tickets != nil && slices.EqualFunc(v.tickets, tickets, sameTicket) {
		return nil
	}
	sold, err := w.timesLogged(ctx, v)
	if err != nil {
		return err
	}
	v.tickets, v.sale.Seats = tickets, make([]order.SeatOnSale, 0, len(tickets))
	for _, ticket := range tickets {
		v.sale.Seats = append(v.sale.Seats, w.seatOnSale(ticket, sold[ticket.Seat]))
	}
	return nil
}

// firstOfEach leaves out seats that the contract has more than once: only the first of them can be reached.
func firstOfEach(tickets []cirrus.Ticket) []cirrus.Ticket {
	seen := make(map[cirrus.Seat]bool, len(tickets))
	return slices.DeleteFunc(tickets, func(ticket cirrus.Ticket) bool {
		before := seen[ticket.Seat]
		seen[ticket.Seat] = true
		return before
	})
}

func sameTicket(a, b cirrus.Ticket) bool {
	return a.Seat == b.Seat && a.Price == b.Price && a.Address == b.Address &&
		bytes.Equal(a.Secret, b.Secret) && bytes.Equal(a.Identifier, b.Identifier)
}

func (w *Watcher) seatOnSale(ticket cirrus.Ticket, logged int) order.SeatOnSale {
	seat := order.SeatOnSale{
		Seat: ticket.Seat, Price: ticket.Price, Owner: ticket.Address, Secret: ticket.Secret, Name: ticket.Identifier,
	}
	purchase := 1 // the log of the purchase that the owner has it from
	if ticket.Address == w.Network.Zero() {
		seat.Owner, purchase = "", 0
	}
	seat.Resold = logged > purchase
	return seat
}

// timesLogged counts the Ticket logs of each seat since the show began: one for each purchase and each release.
func (w *Watcher) timesLogged(ctx context.Context, v *venue) (map[cirrus.Seat]int, error) {
	if v.sale.Show == nil {
		return nil, nil
	}
	receipts, err := w.Client.Receipts(ctx, v.sale.Contract, "Ticket", v.sale.Show.Block)
	if err != nil {
		return nil, fmt.Errorf("counting the sales of each seat: %w", err)
	}
	sold := map[cirrus.Seat]int{}
	for _, receipt := range receipts {
		for _, log := range receipt.Logs {
			if !receipt.Success || log.Contract != v.sale.Contract || log.Event != "Ticket" {
				continue
			}
			var seat cirrus.Seat
			if !log.Read("seat", &seat) {
				return nil, fmt.Errorf("the ticket log of %s: %w", receipt.TxID.Short(), errGarbage)
			}
			sold[seat]++
		}
	}
	return sold, nil
}
