package order

import (
	"context"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
)

// Winding down: the operator's mark stands beside the orders, and each step reads it. Nothing is bought any more, no
// other seat is offered, unpaid orders end, and what is owned is given back while the contract pays for that. Every edge
// is one that the tables have anyway, so that the mark may come and go at any moment.

func (e *Engine) windingDown(ctx context.Context, contract cirrus.Address) (bool, error) {
	if e.WindingDown == nil {
		return false, nil
	}
	ends, err := e.WindingDown(ctx, contract)
	if err != nil {
		return false, fmt.Errorf("asking whether %s is wound down: %w", contract, err)
	}
	return ends, nil
}

// sold refuses what a contract that is wound down would sell. Errors: ErrSaleClosed.
func (e *Engine) sold(ctx context.Context, contract cirrus.Address) error {
	ends, err := e.windingDown(ctx, contract)
	if err == nil && ends {
		err = fmt.Errorf("%w: it is wound down", ErrSaleClosed)
	}
	return err
}

// CanWindDown tells whether winding down gives the ticket back: the contract must take it, and pay something for it.
func CanWindDown(o Order, t Ticket, tip Tip) bool {
	_, err := CanGiveBack(o, t, tip)
	return err == nil && o.Terms.Refund(t.Price) > 0 && t.Reason != ReasonWindowOver
}

// windDown gives a ticket back that its customer did not ask to give back.
func (r *run) windDown(ctx context.Context, t *Ticket) (bool, error) {
	t.Reason = ReasonWindingDown
	t.Release = Call{Past: t.Release.Past, Spent: t.Release.Spent, Lost: t.Release.Lost}
	t.move(Releasing, r.k.now)
	return r.moved(ctx)
}
