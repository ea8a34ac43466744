package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// venue is what the watcher remembers of a contract.
type venue struct {
	sale    order.Sale
	tickets []cirrus.Ticket
	looked  uint64 // height up to which Show logs were looked for
	stale   bool   // blocks were undone since it was read
}

// renewed forgets of a venue what undone blocks may have held. An older show stays: a search through the whole chain
// takes the node long.
func (v *venue) renewed() *venue {
	fresh := &venue{sale: v.sale, looked: 1}
	if v.looked > Memory {
		fresh.looked = v.looked - Memory
	}
	if v.sale.Show != nil && v.sale.Show.Block >= fresh.looked {
		fresh.sale.Show = nil
	}
	return fresh
}

// open tells whether a block up to height can have changed the tickets. The block of EndOfSale cannot, but it is only
// seen to have come when it is there, so the tickets are read once more with it.
func (v *venue) open(height uint64) bool {
	return v.sale.Show != nil && (v.sale.Height < v.sale.Show.EndOfSale || height < v.sale.Show.EndOfSale)
}

// errBooth says that the Ticketbooth API is away, not that one contract is odd.
var errBooth = errors.New("no venue can be read")

// lookAtSales reads what the venues sell and posts it, after a block. A venue that cannot be read does not stop the
// others and is tried again with the next block; only where none can be read something is wrong beyond it.
func (w *Watcher) lookAtSales(ctx context.Context) error {
	if !w.due.sales {
		return nil
	}
	contracts, err := w.Venues(ctx)
	if err != nil {
		return fmt.Errorf("listing the venues: %w", err)
	}
	var away error
	failed := 0
	for _, contract := range contracts {
		err := w.lookAtVenue(ctx, contract)
		switch {
		case err == nil:
			continue
		case !hasOutcome(err) && !errors.Is(err, errGarbage):
			return fmt.Errorf("venue %s: %w", contract, err) // the board's, not the venue's
		}
		w.Log.WarnContext(ctx, "a venue cannot be read", "venue", contract, "error", err)
		if known := w.shelf[contract]; known != nil {
			known.stale = known.stale || w.due.renew
		}
		if passing(err) {
			away = err
			failed++
		}
		if unanswered(err) {
			failed = len(contracts) // the others would only wait for the same server
			break
		}
	}
	if away != nil && failed == len(contracts) {
		return fmt.Errorf("%w: %w", errBooth, away)
	}
	if err := w.dropVenues(ctx, contracts); err != nil {
		return err
	}
	w.due.sales, w.due.renew, w.due.busy = false, false, false
	return nil
}

// unanswered tells whether no answer came at all.
func unanswered(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Status == 0 && passing(err)
}

// dropVenues takes the venues off the board that are followed no more, those that an earlier watcher posted included.
func (w *Watcher) dropVenues(ctx context.Context, contracts []cirrus.Address) error {
	for contract := range w.shelf {
		w.left = append(w.left, contract)
	}
	for len(w.left) > 0 {
		contract := w.left[0]
		if !slices.Contains(contracts, contract) {
			if err := w.drop(ctx, contract); err != nil {
				return fmt.Errorf("taking venue %s off sale: %w", contract, err)
			}
			delete(w.shelf, contract)
		}
		w.left = w.left[1:]
	}
	return nil
}

func (w *Watcher) drop(ctx context.Context, contract cirrus.Address) error {
	if w.Drop != nil {
		return w.Drop(ctx, contract)
	}
	return w.Board.PostSale(ctx, order.Sale{Contract: contract})
}

// take gives a copy of what is known of a venue, and whether all of it must be read anew.
func (w *Watcher) take(contract cirrus.Address) (v *venue, anew bool) {
	known, found := w.shelf[contract]
	switch {
	case !found:
		return &venue{sale: order.Sale{Contract: contract}}, true
	case known.stale || w.due.renew:
		return known.renewed(), true
	}
	v = new(venue)
	*v = *known
	return v, false
}

// lookAtVenue reads what may have changed. After blocks were undone everything is read again.
func (w *Watcher) lookAtVenue(ctx context.Context, contract cirrus.Address) error {
	top, _ := w.trail.top()
	v, anew := w.take(contract)
	if !anew && !v.open(top.Height) && !w.due.busy {
		return nil
	}
	if anew || !v.open(top.Height) {
		if err := w.findShow(ctx, v, top.Height); err != nil {
			return err
		}
	}
	if anew || v.sale.Show != nil {
		if err := w.readTickets(ctx, v); err != nil {
			return err
		}
	}
	v.sale.Height = top.Height
	if v.ended() {
		v.sale.Show = nil
	}
	if err := w.Board.PostSale(ctx, v.sale); err != nil {
		return fmt.Errorf("posting the sale: %w", err)
	}
	w.shelf[contract] = v
	return nil
}

// ended tells whether the organiser ended the sale after it was over: that sets all prices to nothing.
func (v *venue) ended() bool {
	return v.sale.Show != nil && v.sale.Height >= v.sale.Show.EndOfSale &&
		!slices.ContainsFunc(v.tickets, func(ticket cirrus.Ticket) bool { return ticket.Price != 0 })
}

// findShow looks for a Show log that came since the last look, and reads the terms with it: they cannot change while
// its sale is open. The venue's name is logged once, when the contract is made.
func (w *Watcher) findShow(ctx context.Context, v *venue, height uint64) error {
	contract := v.sale.Contract
	if v.looked == 0 {
		names, err := w.Client.Receipts(ctx, contract, "Venue", 0)
		if err != nil {
			return fmt.Errorf("looking for the venue's name: %w", err)
		}
		if log, _, found := lastLog(names, contract, "Venue"); found {
			log.Read("name", &v.sale.Venue)
		}
	}
	shows, err := w.Client.Receipts(ctx, contract, "Show", v.looked)
	if err != nil {
		return fmt.Errorf("looking for a show: %w", err)
	}
	log, receipt, found := lastLog(shows, contract, "Show")
	if found && (v.sale.Show == nil || v.sale.Show.TxID != receipt.TxID) {
		if err := w.takeShow(ctx, v, log, receipt); err != nil {
			return err
		}
	}
	v.looked = height
	return nil
}

func (w *Watcher) takeShow(ctx context.Context, v *venue, log Log, receipt Receipt) error {
	if err := w.Client.placeReceipt(ctx, &receipt); err != nil {
		return fmt.Errorf("placing the show: %w", err)
	}
	show, err := showOf(log, receipt)
	if err != nil {
		return err
	}
	show.Contract, show.Venue = v.sale.Contract, v.sale.Venue
	if v.sale.Terms, err = w.Client.Terms(ctx, v.sale.Contract); err != nil {
		return fmt.Errorf("reading the terms: %w", err)
	}
	v.sale.Show, v.tickets = &show, nil
	return nil
}

// lastLog finds the newest log of an event in receipts, the oldest first.
func lastLog(receipts []Receipt, contract cirrus.Address, event string) (Log, Receipt, bool) {
	for _, receipt := range slices.Backward(receipts) {
		for _, log := range slices.Backward(receipt.Logs) {
			if receipt.Success && log.Contract == contract && log.Event == event {
				return log, receipt, true
			}
		}
	}
	return Log{}, Receipt{}, false
}

// lastSecond is the newest time that still has four digits for its year. A contract may hold any number.
const lastSecond = 253402300799

func showOf(log Log, receipt Receipt) (cirrus.Show, error) {
	var seconds, end number
	show := cirrus.Show{TxID: receipt.TxID, Block: receipt.Block}
	if !log.Read("name", &show.Name) || !log.Read("organiser", &show.Organiser) ||
		!log.Read("time", &seconds) || !log.Read("endOfSale", &end) {
		return cirrus.Show{}, fmt.Errorf("the log of show %s: %w", receipt.TxID.Short(), errGarbage)
	}
	show.EndOfSale = uint64(end)
	show.Time = time.Unix(int64(min(seconds, lastSecond)), 0).UTC()
	return show, nil
}
