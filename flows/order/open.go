package order

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/usherbot/usher/chain/cirrus"
)

// Open holds the seats, claims addresses of their own for them, and saves the order. One seat is paid at the address
// that buys it; several are paid at an address of the order's, from which the money is split. All seats are held, or
// none. Errors: ErrSeatHeld, ErrSeatTaken, ErrSaleClosed, ErrNotAllowed, ErrTooMany.
func (e *Engine) Open(ctx context.Context, n New) (Order, error) {
	total, err := e.sellable(ctx, n)
	if err != nil {
		return Order{}, err
	}
	o := e.begin(n, total)
	ctx = withOrder(ctx, &o)
	if err := e.holdAll(ctx, o, n.Seats); err != nil {
		return Order{}, err
	}
	if err := e.record(ctx, &o, n, total); err != nil {
		return Order{}, errors.Join(err, e.freeSeats(ctx, o, n.Seats))
	}
	e.wake(ctx, o, o.ShowFrom)
	return o, nil
}

// begin is an order before its seats are held.
func (e *Engine) begin(n New, total Total) Order {
	now := e.Clock()
	return Order{
		Format: Format, ID: ID(e.NewID()), Customer: n.Customer, Language: n.Language, State: AwaitingPayment, Since: now,
		Show: *n.Sale.Show, Terms: n.Sale.Terms, Account: e.cfg.Accounts[e.Pick(len(e.cfg.Accounts))], Created: now,
		Hold: now.Add(e.cfg.Hold), Due: total.Due(), Gas: e.cfg.Gas, Private: Private{Refund: n.Refund},
	}
}

// record claims the addresses of an order, makes its tickets and saves it.
func (e *Engine) record(ctx context.Context, o *Order, n New, total Total) error {
	wanted := len(n.Seats)
	if wanted > 1 {
		wanted++ // the order's own comes first
	}
	addresses, err := e.claim(ctx, *o, wanted)
	if err != nil {
		return err
	}
	o.Address = addresses[0]
	own := addresses[wanted-len(n.Seats):]
	for i, price := range total.Seats {
		t := Ticket{
			ID: e.NewID(), Seat: n.Seats[i], Price: price.Seat, Fee: price.Fee, State: Held, Since: o.Since,
			Account: o.Account, Address: own[i],
		}
		o.Tickets = append(o.Tickets, t)
		if o.Terms.Identity {
			o.keepName(t.ID, n.Names[i])
		}
	}
	tip, err := e.View.Tip(ctx)
	if err != nil {
		return fmt.Errorf("reading the tip: %w", err)
	}
	o.Older = tip.Older // nothing of it can have been forgotten yet
	o.ShowFrom = e.Clock().Add(ShowAfter)
	o.Next = o.ShowFrom
	if err := e.Store.Save(ctx, o); err != nil {
		return fmt.Errorf("saving the order: %w", err)
	}
	return nil
}

func (o *Order) keepName(ticket, name string) {
	if o.Private.Names == nil {
		o.Private.Names = map[string]string{}
	}
	o.Private.Names[ticket] = strings.TrimSpace(name)
}

// holdAll takes every seat or none.
func (e *Engine) holdAll(ctx context.Context, o Order, seats []cirrus.Seat) error {
	hold := Hold{Order: o.ID, Customer: o.Customer, Until: o.Hold}
	for i, seat := range seats {
		if err := e.Holds.Hold(ctx, o.Show.TxID, seat, hold, o.Since); err != nil {
			return errors.Join(fmt.Errorf("holding %s: %w", seat, err), e.freeSeats(ctx, o, seats[:i]))
		}
	}
	return nil
}

// freeSeats gives seats up that an order holds.
func (e *Engine) freeSeats(ctx context.Context, o Order, seats []cirrus.Seat) error {
	var errs []error
	for _, seat := range seats {
		if err := e.Holds.Free(ctx, o.Show.TxID, seat, o.ID); err != nil {
			errs = append(errs, fmt.Errorf("freeing %s: %w", seat, err))
		}
	}
	return errors.Join(errs...)
}

// sellable checks everything that must hold before money is asked for.
func (e *Engine) sellable(ctx context.Context, n New) (Total, error) {
	if n.Refund == "" || n.Sale.Show == nil {
		return Total{}, fmt.Errorf("%w: seats of a show, and a refund address", ErrNotAllowed)
	}
	if n.Sale.Terms.Identity && !named(n) {
		return Total{}, fmt.Errorf("%w: a name for each seat", ErrNotAllowed)
	}
	if err := e.sold(ctx, n.Sale.Contract); err != nil {
		return Total{}, err
	}
	tip, err := e.View.Tip(ctx)
	if err != nil {
		return Total{}, fmt.Errorf("reading the tip: %w", err)
	}
	switch {
	case !tip.Healthy:
		return Total{}, fmt.Errorf("%w: node: %s", ErrNotAllowed, tip.Why)
	case tip.Height+SaleMargin >= n.Sale.Show.EndOfSale:
		return Total{}, fmt.Errorf("%w: ends at block %d", ErrSaleClosed, n.Sale.Show.EndOfSale)
	}
	for _, seat := range n.Seats {
		on, found := n.Sale.Seat(seat)
		switch {
		case !found || on.Owner != "":
			return Total{}, fmt.Errorf("%w: %s", ErrSeatTaken, seat)
		case on.Resold && !e.cfg.Resold:
			return Total{}, fmt.Errorf("%w: %s", ErrNotAllowed, seat)
		}
	}
	if err := e.roomFor(ctx, n.Customer); err != nil {
		return Total{}, err
	}
	return QuoteAll(n.Sale, n.Seats, e.cfg.Gas, e.cfg.Fee)
}

// MaxName is the longest name on a ticket, in characters.
const MaxName = 64

// named tells whether there is a name for each seat.
func named(n New) bool {
	bad := func(name string) bool {
		length := utf8.RuneCountInString(strings.TrimSpace(name))
		return length < 1 || length > MaxName || !utf8.ValidString(name)
	}
	return len(n.Names) == len(n.Seats) && !slices.ContainsFunc(n.Names, bad)
}

// roomFor bounds the unpaid orders of one customer; orders made together count once.
func (e *Engine) roomFor(ctx context.Context, customer int64) error {
	orders, err := e.List(ctx, customer)
	if err != nil {
		return err
	}
	unpaid := map[string]bool{}
	for _, o := range orders {
		if o.State == AwaitingPayment {
			unpaid[cmp.Or(o.Batch, string(o.ID))] = true
		}
	}
	if len(unpaid) >= max(1, e.cfg.Unpaid) {
		return fmt.Errorf("%w: %d unpaid orders", ErrTooMany, len(unpaid))
	}
	return nil
}

// claim finds addresses of the order's account that no order ever had, nor this one before. A node may offer the same addresses again and again
// until they are used, so the memory of what was handed out is ours.
func (e *Engine) claim(ctx context.Context, o Order, wanted int) ([]cirrus.Address, error) {
	const most = 1 << 16 // far more than a backup that was put back has burnt
	var mine []cirrus.Address
	for n := wanted; n <= most; n *= 4 {
		candidates, err := e.Purse.Candidates(ctx, o.Account, n)
		if err != nil {
			return nil, fmt.Errorf("asking for an address: %w", err)
		}
		for _, address := range candidates {
			if slices.Contains(mine, address) || slices.Contains(o.Addresses(), address) {
				continue
			}
			err := e.Addresses.Claim(ctx, address, o.ID)
			if err != nil && !errors.Is(err, ErrClaimed) {
				return nil, fmt.Errorf("claiming an address: %w", err)
			}
			if err == nil {
				mine = append(mine, address)
			}
			if len(mine) == wanted {
				return mine, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: no fresh address in %s", ErrNotAllowed, o.Account)
}
