package order

import (
	"context"
	"fmt"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// lose ends a ticket that cannot be bought: its seat is given up, and its money waits for another one or goes back.
func (r *run) lose(ctx context.Context, t *Ticket, reason Reason) {
	t.Reason, t.Undo = reason, time.Time{}
	t.move(Lost, r.k.now)
	r.freeHold(ctx, *t)
	r.offer(t)
}

// offer has the money of a lost ticket wait for another seat, where there is one to choose; otherwise it goes back.
func (r *run) offer(t *Ticket) {
	if r.o.begun(t.ID, WhyLost) == nil && r.otherSeat(*t) {
		t.Choice = r.k.now.Add(r.cfg.Choice)
		return
	}
	r.endChoice(t)
}

// endChoice sends the money of a lost ticket back.
func (r *run) endChoice(t *Ticket) {
	t.Choice = time.Time{}
	r.payBack(t, WhyLost, t.left())
}

// stepLost waits while another seat may be chosen, or is being paid for. The money goes back by itself when the time
// is over, and when there is nothing left to choose from.
func (r *run) stepLost(ctx context.Context, t *Ticket) (bool, error) {
	if !t.Choosing() || r.o.Instead(t.ID) != nil {
		return false, nil
	}
	if r.k.now.Before(t.Choice) && r.otherSeat(*t) {
		return false, nil
	}
	r.endChoice(t)
	return r.moved(ctx)
}

// otherSeat tells whether there is another seat to choose in place of a lost one. One that is held for somebody else
// just now counts: holds lapse.
func (r *run) otherSeat(t Ticket) bool {
	if r.cfg.Choice <= 0 || r.k.sale == nil || r.k.ends {
		return false
	}
	for _, on := range r.k.sale.Seats {
		if on.Seat == t.Seat {
			continue
		}
		if _, err := r.instead(*r.o, t, *r.k.sale, r.k.tip, on.Seat); err == nil {
			return true
		}
	}
	return false
}

// instead gives what it means to take a seat in place of a lost one. Errors: ErrSaleClosed where the pinned show is not
// on sale any more, or not for long enough; ErrSeatTaken; those of Quote.
func (e *Engine) instead(o Order, lost Ticket, sale Sale, tip Tip, seat cirrus.Seat) (Difference, error) {
	on, found := sale.Seat(seat)
	switch {
	case !o.sells(sale):
		return Difference{}, fmt.Errorf("%w: another show", ErrSaleClosed)
	case tip.Height+SaleMargin >= o.Show.EndOfSale:
		return Difference{}, fmt.Errorf("%w: ends at block %d", ErrSaleClosed, o.Show.EndOfSale)
	case !found, on.Owner != "", o.wants(seat):
		return Difference{}, fmt.Errorf("%w: %s", ErrSeatTaken, seat)
	case on.Resold && !e.cfg.Resold:
		return Difference{}, fmt.Errorf("%w: %s", ErrNotAllowed, seat)
	}
	return QuoteOther(o, lost, sale, seat, e.cfg.Fee)
}

// sells tells whether a sale is still the one that the order is pinned to.
func (o Order) sells(sale Sale) bool {
	return sale.Show != nil && sale.Show.TxID == o.Show.TxID && sale.Show.EndOfSale == o.Show.EndOfSale
}

// wants tells whether a ticket of the order that lives is for this seat.
func (o Order) wants(seat cirrus.Seat) bool {
	for _, t := range o.Tickets {
		if t.Seat == seat && !t.State.Final() {
			return true
		}
	}
	return false
}

// Instead finds the ticket that takes the place of a lost one, nil where none does. One that was dropped does not.
func (o *Order) Instead(lost string) *Ticket {
	for i := len(o.Tickets) - 1; i >= 0; i-- {
		if t := &o.Tickets[i]; t.Was == lost && lost != "" && t.State != Dropped {
			return t
		}
	}
	return nil
}
