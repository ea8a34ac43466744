package order

import (
	"context"
	"fmt"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// Difference is what it means in money to take another seat in place of a lost one.
type Difference struct {
	Price   cirrus.Strats // of the other seat
	Pay     cirrus.Strats // must be paid on top, to the other seat's own address; 0: nothing
	Back    cirrus.Strats // goes back to the customer at once; 0: nothing
	Network cirrus.Strats // network fee of bringing the money over, out of the deposit
}

// Choosing tells whether another seat may be chosen in place of this lost one; its money waits for that.
func (t Ticket) Choosing() bool { return t.State == Lost && !t.Choice.IsZero() }

// QuoteOther gives what another seat of the same show costs in place of a lost one. Errors: as of Quote.
func QuoteOther(o Order, lost Ticket, sale Sale, seat cirrus.Seat, fee cirrus.Strats) (Difference, error) {
	price, err := Quote(sale, seat, o.Gas, fee)
	if err != nil {
		return Difference{}, err
	}
	before, after := lost.Price+lost.Fee, price.Seat+price.Fee
	d := Difference{Price: price.Seat, Network: NetworkFee(2, 2)}
	need := after + price.Deposit - price.Back + o.Gas.Budget() + d.Network
	d.Pay = max(0, after-before, need-lost.left())
	if d.Pay > 0 && d.Pay < Sendable {
		d.Pay = Sendable
	}
	if back := min(before-after, lost.left()-need); back >= MinOutput {
		d.Back = back
	}
	return d, nil
}

// moneyBack ends the choice of another seat: the money of the lost one goes back now. Asked again it changes nothing.
func (e *Engine) moneyBack(ctx context.Context, o *Order, t *Ticket, now time.Time) error {
	if !t.Choosing() && o.Payout(t.ID) != nil {
		return nil
	}
	if !t.Choosing() {
		return fmt.Errorf("money of %s back: %w", t.Seat, ErrNotAllowed)
	}
	tip, err := e.View.Tip(ctx)
	if err != nil {
		return fmt.Errorf("reading the tip: %w", err)
	}
	t.Choice = time.Time{}
	o.owe(Payout{
		ID: e.NewID(), Ticket: t.ID, State: PayoutDue, Since: now, Why: WhyLost, Account: t.Account, From: t.Address,
		Expect: t.left(), Block: tip.Height,
	})
	return nil
}

// OpenEach is Open with an order of its own for each seat, so that nothing on the chain shows that they belong
// together. All are made, or none. Errors: as of Open.
func (e *Engine) OpenEach(ctx context.Context, n New) ([]Order, error) {
	return nil, fmt.Errorf("%w: each seat on its own", ErrNotAllowed)
}
