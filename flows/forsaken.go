package flows

import (
	"context"
	"errors"
	"fmt"

	"github.com/usherbot/usher/flows/order"
)

// giveUpForsaken frees seats that are held for an order of this customer which does not exist: whoever was opening it
// died in between, and the tap that asked for it comes again. It is called in the customer's turn, so nobody can be
// opening one for them now.
func (f *Flows) giveUpForsaken(ctx context.Context, o offer) error {
	for seat, hold := range o.held {
		if hold.Customer != o.customer {
			continue
		}
		_, err := f.Desk.Load(ctx, o.customer, hold.Order)
		if err == nil {
			continue
		}
		if !errors.Is(err, order.ErrNotFound) {
			return fmt.Errorf("looking for the order that holds %s: %w", seat, err)
		}
		if err := f.Holds.Free(ctx, o.Show.TxID, seat, hold.Order); err != nil {
			return fmt.Errorf("giving up %s: %w", seat, err)
		}
		delete(o.held, seat)
	}
	return nil
}
