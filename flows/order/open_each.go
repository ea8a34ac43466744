package order

import (
	"context"
	"errors"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
)

// OpenEach is Open with an order of its own for each seat, each in an account picked for it, so that nothing on the
// chain shows that they belong together; Batch tells it to us. All are made, or none: where one cannot be, those made
// before are cancelled, and none of them was shown. Only a death in between leaves some of them, as unpaid orders that
// end by themselves. Errors: as of Open.
func (e *Engine) OpenEach(ctx context.Context, n New) ([]Order, error) {
	total, err := e.sellable(ctx, n)
	if err != nil {
		return nil, err
	}
	batch := e.NewID()
	orders := make([]Order, len(n.Seats))
	for i := range orders {
		orders[i] = e.begin(n, Total{Seats: total.Seats[i : i+1]})
		orders[i].Batch = batch
	}
	for i, o := range orders {
		if err := e.holdAll(ctx, o, n.Seats[i:i+1]); err != nil {
			return nil, errors.Join(err, e.unmake(ctx, n, orders[:i], 0))
		}
	}
	for i := range orders {
		if err := e.record(ctx, &orders[i], n.only(i), Total{Seats: total.Seats[i : i+1]}); err != nil {
			return nil, errors.Join(err, e.unmake(ctx, n, orders, i+1))
		}
	}
	for _, o := range orders {
		e.wake(ctx, o, o.ShowFrom)
	}
	return orders, nil
}

// only is what an order for one of the seats is made from.
func (n New) only(i int) New {
	one := n
	one.Seats = []cirrus.Seat{n.Seats[i]}
	if i < len(n.Names) {
		one.Names = []string{n.Names[i]}
	}
	return one
}

// unmake takes back orders that were to be made together: their seats are given up, and the first so many, which were
// or may have been saved, are cancelled. It goes on where the caller has given up.
func (e *Engine) unmake(ctx context.Context, n New, orders []Order, saved int) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for i, o := range orders {
		errs = append(errs, e.freeSeats(ctx, o, n.Seats[i:i+1]))
		if i >= saved {
			continue
		}
		_, err := e.change(ctx, o.ID, func(o *Order) error { return e.cancel(ctx, o, e.Clock()) })
		if err != nil && !errors.Is(err, ErrNotFound) {
			errs = append(errs, fmt.Errorf("taking back order %s: %w", o.ID, err))
		}
	}
	return errors.Join(errs...)
}
