package order

import (
	"context"
	"errors"
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

// Choosing tells whether another seat may be chosen in place of this lost one; its money waits for that. It stays so
// while the other seat is being paid for, until the money is on its way to it: Order.Instead tells.
func (t Ticket) Choosing() bool { return t.State == Lost && !t.Choice.IsZero() }

// Arriving tells whether the ticket takes another's place and the money for it is not all there yet: the difference is
// being paid (Missing), or the lost one's money is being brought over.
func (t Ticket) Arriving() bool { return t.Was != "" && t.State == Held && t.Coin.IsZero() }

// Missing is what must still be paid to the ticket's own address, of one that takes another's place, as Payable has it;
// 0: nothing.
func (t Ticket) Missing() cirrus.Strats {
	if !t.Arriving() || t.Swap.TxID != "" {
		return 0
	}
	return Payable(t.Due - t.Seen)
}

// ShowFrom is from when on the address of a ticket that takes another's place may be shown: see ShowAfter.
func (t Ticket) ShowFrom() time.Time { return t.Since.Add(ShowAfter) }

// swapFee is the network fee that is reckoned with for bringing the money of a lost ticket over.
func swapFee() cirrus.Strats { return NetworkFee(2, 2) }

// QuoteOther gives what another seat of the same show costs in place of a lost one. What was paid for the lost one and
// not used up by calls counts; the ticket must be left with enough to be bought now and given back later. Errors: as of
// Quote.
func QuoteOther(o Order, lost Ticket, sale Sale, seat cirrus.Seat, fee cirrus.Strats) (Difference, error) {
	price, err := Quote(sale, seat, o.Gas, fee)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{Price: price.Seat, Network: swapFee()}
	after := price.Seat + price.Fee
	over := lost.Price + lost.Fee - after + max(0, lost.Coin.Amount-o.share(lost))
	// Giving back takes a whole budget when the hall may be full and the gas of buying is gone, and perhaps a joining.
	bought := o.Gas.Cost(min(o.Gas.Limit, TypicalGas(len(sale.Seats), len(sale.Seats))))
	need := after + bought + o.Gas.Budget() + 2*MinFee + d.Network
	d.Pay = max(0, -over, need-lost.left())
	if d.Pay > 0 && d.Pay < Sendable {
		d.Pay = Sendable
	}
	if back := min(over, lost.left()-need); back >= MinOutput {
		d.Back = back
	}
	return d, nil
}

// maxTickets bounds the tickets of an order, those that took another's place and were dropped included: each has an
// address that is watched for ever.
const maxTickets = 4 * MaxSeats

// exchange takes a seat in place of a lost one: it becomes a ticket with an address of its own. Asked again for the
// same seat it changes nothing; asked for another one it replaces what was not begun yet. Errors: ErrSeatHeld,
// ErrSeatTaken, ErrSaleClosed, ErrTooMany, ErrNotAllowed.
func (e *Engine) exchange(ctx context.Context, o *Order, lost *Ticket, seat cirrus.Seat, now time.Time) error {
	before := o.Instead(lost.ID)
	switch {
	case before != nil && before.Seat == seat:
		return nil
	case !lost.Choosing(), before != nil && !before.undecided():
		return fmt.Errorf("%s in place of %s: %w", seat, lost.Seat, ErrNotAllowed)
	case len(o.Tickets) >= maxTickets:
		return fmt.Errorf("%s in place of %s: %w", seat, lost.Seat, ErrTooMany)
	}
	t, err := e.other(ctx, *o, *lost, seat, now)
	if err != nil {
		return err
	}
	if before != nil {
		e.drop(ctx, o, before, now)
	}
	if name, ok := o.Private.Names[lost.ID]; ok {
		o.keepName(t.ID, name)
	}
	o.Tickets = append(o.Tickets, t)
	return nil
}

// other makes the ticket that takes a lost one's place: it holds the seat and claims an address. Where the order cannot
// be saved afterwards, the hold lapses by itself and the address was never shown.
func (e *Engine) other(ctx context.Context, o Order, lost Ticket, seat cirrus.Seat, now time.Time) (Ticket, error) {
	if err := e.sold(ctx, o.Show.Contract); err != nil {
		return Ticket{}, err
	}
	tip, err := e.View.Tip(ctx)
	if err != nil {
		return Ticket{}, fmt.Errorf("reading the tip: %w", err)
	}
	if !tip.Healthy {
		return Ticket{}, fmt.Errorf("%w: node: %s", ErrNotAllowed, tip.Why)
	}
	sale, err := e.View.Sale(ctx, o.Show.Contract)
	if err != nil {
		return Ticket{}, fmt.Errorf("reading the sale: %w", err)
	}
	d, err := e.instead(o, lost, sale, tip, seat)
	if err != nil {
		return Ticket{}, err
	}
	until := now.Add(e.cfg.Hold)
	hold := Hold{Order: o.ID, Customer: o.Customer, Until: until}
	if err := e.Holds.Hold(ctx, o.Show.TxID, seat, hold, now); err != nil {
		return Ticket{}, fmt.Errorf("holding %s: %w", seat, err)
	}
	address, err := e.claim(ctx, o, 1)
	if err != nil {
		return Ticket{}, errors.Join(err, e.freeSeats(ctx, o, []cirrus.Seat{seat}))
	}
	return Ticket{
		ID: e.NewID(), Seat: seat, Price: d.Price, Fee: e.cfg.Fee, State: Held, Since: e.Clock(), Account: o.Account,
		Address: address[0], Was: lost.ID, Due: d.Pay, Until: until, Swap: Transfer{Back: d.Back, Block: tip.Height},
	}, nil
}

// gaveUp tells whether the ticket was to take a lost one's place and ended without its money: a person gave up on the
// transfer, whose coins are then paid back wherever they still lie.
func (t Ticket) gaveUp() bool { return t.Was != "" && t.State.Final() && t.Coin.IsZero() }

// undecided tells whether the ticket can still be given up for another choice: no money was moved for it.
func (t Ticket) undecided() bool { return t.Arriving() && t.Swap.TxID == "" }

// drop gives up a ticket that was to take a lost one's place. What was paid on top for it goes back.
func (e *Engine) drop(ctx context.Context, o *Order, t *Ticket, now time.Time) {
	t.move(Dropped, now)
	if err := e.Holds.Free(ctx, o.Show.TxID, t.Seat, o.ID); err != nil {
		e.Log.Warn("hold not freed", "order", o.ID, "seat", t.Seat.String(), "error", err)
	}
}

// moneyBack ends the choice of another seat: the money of the lost one goes back now. Asked again it changes nothing.
func (e *Engine) moneyBack(ctx context.Context, o *Order, t *Ticket, now time.Time) error {
	before := o.Instead(t.ID)
	switch {
	case !t.Choosing() && o.Payout(t.ID) != nil:
		return nil
	case !t.Choosing(), before != nil && !before.undecided():
		return fmt.Errorf("money of %s back: %w", t.Seat, ErrNotAllowed)
	}
	tip, err := e.View.Tip(ctx)
	if err != nil {
		return fmt.Errorf("reading the tip: %w", err)
	}
	if before != nil {
		e.drop(ctx, o, before, now)
	}
	t.Choice = time.Time{}
	o.owe(Payout{
		ID: e.NewID(), Ticket: t.ID, State: PayoutDue, Since: now, Why: WhyLost, Account: t.Account, From: t.Address,
		Expect: t.left(), Block: tip.Height,
	})
	return nil
}
