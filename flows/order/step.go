package order

import (
	"context"
	"errors"
	"fmt"
)

// machine is one of the order's machines: an aid, a ticket, a payout, or a look for money that lies about.
type machine struct {
	name string
	step func(context.Context) (bool, error)
}

func (r *run) machines() []machine {
	var list []machine
	for i := range r.o.Aids { // first: what they brought must be known before a payout takes it
		a := &r.o.Aids[i]
		list = append(list, machine{"aid " + a.ID, func(ctx context.Context) (bool, error) { return r.stepAid(ctx, a) }})
	}
	for i := range r.o.Tickets {
		t := &r.o.Tickets[i]
		list = append(list, machine{"ticket " + t.ID, func(ctx context.Context) (bool, error) { return r.stepTicket(ctx, t) }})
	}
	for i := range r.o.Payouts {
		p := &r.o.Payouts[i]
		list = append(list, machine{"payout " + p.ID, func(ctx context.Context) (bool, error) { return r.stepPayout(ctx, p) }})
	}
	return append(list, machine{"excess", r.sweepExcess}, machine{"leftovers", r.sweepLeftovers})
}

// step moves the first machine of the order that can move, and tells whether one did. A ticket or payout that fails is
// left aside for the rest of the run, so that none waits for another; all wait for the money in.
func (r *run) step(ctx context.Context) (moved bool, err error) {
	if moved, waits, err := r.stepOlder(ctx); moved || waits || err != nil {
		return moved, err
	}
	if moved, err = r.stepFork(ctx); moved || err != nil {
		return moved, err
	}
	if moved, err = r.stepOrder(ctx); moved || err != nil {
		return moved, err
	}
	for _, m := range r.machines() {
		if r.failed[m.name] != nil {
			continue
		}
		moved, err := m.step(ctx)
		if err != nil {
			return true, r.setAside(ctx, m.name, err)
		}
		if moved {
			return true, nil
		}
	}
	return false, nil
}

// setAside notes that a machine failed and drops what its step left half done. It gives the error back where the run
// cannot go on: the order was changed by somebody else, or memory holds an answer that the store has not.
func (r *run) setAside(ctx context.Context, name string, failure error) error {
	if r.unsaved || errors.Is(failure, ErrConflict) || ctx.Err() != nil {
		return failure
	}
	fresh, err := r.Store.Load(ctx, r.o.ID)
	if err != nil {
		return errors.Join(failure, fmt.Errorf("order %s: %w", r.o.ID, err))
	}
	*r.o = fresh
	if r.failed == nil {
		r.failed = map[string]error{}
	}
	r.failed[name] = failure
	return nil
}
