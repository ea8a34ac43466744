package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// New is what an order is made from. The sale is the one the customer saw: its show and prices are pinned.
type New struct {
	Customer int64
	Language string
	Sale     Sale
	Seats    []cirrus.Seat  // 1 to MaxSeats, each once
	Names    []string       // one a seat, in the same order, where the contract asks for names; secret
	Refund   cirrus.Address // where money goes back to; checked by the conversation that asked for it
}

// String keeps names and the refund address out of logs and errors.
func (n New) String() string { return fmt.Sprintf("order of %d seats", len(n.Seats)) }

// GoString keeps them out of %#v too.
func (n New) GoString() string { return n.String() }

// Verb is what a customer or the operator asks of an order.
type Verb string

// What can be asked.
const (
	Cancel    Verb = "cancel"     // end an unpaid order
	GiveBack  Verb = "give_back"  // release a ticket, after the undo time
	UndoAsked Verb = "undo"       // while the undo time runs; near the end of refunds (NoUndo) there is none
	SendAgain Verb = "send_again" // hand the ticket over again; one that is on its way stays so
	SendAnew  Verb = "send_anew"  // likewise, where the chat is gone that it went into: also what is on its way, once for each Mark
	Unblocked Verb = "unblocked"  // the customer is back, or a secret chat opened: show the card and hand over again
	Exchange  Verb = "exchange"   // take another seat (Ask.Seat) in place of a lost one
	MoneyBack Verb = "money_back" // no other seat: the money of a lost one goes back now
	Redirect  Verb = "redirect"   // money of this order goes back to another address (Ask.Address) from now on
	Resolve   Verb = "resolve"    // operator: go on from the state before attention, or look again whether an address can be paid
	LetGo     Verb = "let_go"     // operator: release a stray ticket and pay back what comes
	PayBack   Verb = "pay_back"   // operator: give up on buying and pay back what lies at the address
)

// Ask is something asked of an order, for one of its tickets where that matters.
type Ask struct {
	Verb    Verb
	Ticket  string
	Seat    cirrus.Seat    // Exchange
	Address cirrus.Address // Redirect; checked by the conversation that asked for it
	Mark    string         // SendAnew: what it is sent again for; for the same thing it is sent once. Empty: nothing to tell by
	Via     string         // SendAnew: not what this account of the courier's has; empty: whichever has it
	Told    bool           // SendAgain, SendAnew: the customer knows already that there is no secret chat
}

// String keeps the address out of logs and errors.
func (a Ask) String() string { return string(a.Verb) + " " + a.Ticket }

// GoString keeps it out of %#v too.
func (a Ask) GoString() string { return a.String() }

// ShowAfter is how long after its record was saved an address may be shown: a store that is rolled back by a second
// must not forget an address that somebody pays to.
const ShowAfter = 2 * time.Second

// Load reads an order of this customer. Errors: ErrNotFound, for somebody else's order too.
func (e *Engine) Load(ctx context.Context, customer int64, id ID) (Order, error) {
	o, err := e.Store.Load(ctx, id)
	if err != nil {
		return Order{}, fmt.Errorf("order %s: %w", id, err)
	}
	if o.Customer != customer {
		return Order{}, fmt.Errorf("order %s of another customer: %w", id, ErrNotFound)
	}
	return o, nil
}

// List gives the customer's orders, the newest first.
func (e *Engine) List(ctx context.Context, customer int64) ([]Order, error) {
	ids, err := e.Store.Of(ctx, customer)
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	orders := make([]Order, 0, len(ids))
	for _, id := range ids {
		o, err := e.Store.Load(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("order %s: %w", id, err)
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// Do asks something of an order of this customer and wakes it. Errors: ErrNotFound; ErrNotAllowed where its state
// doesn't take that now; ErrReleaseOver; of Exchange also ErrSeatHeld, ErrSeatTaken, ErrSaleClosed and ErrTooMany.
func (e *Engine) Do(ctx context.Context, customer int64, id ID, ask Ask) (Order, error) {
	return e.change(ctx, id, func(o *Order) error {
		if o.Customer != customer {
			return ErrNotFound
		}
		return e.ask(ctx, o, ask)
	})
}

// Operate is Do for the operator, who may ask of any order.
func (e *Engine) Operate(ctx context.Context, id ID, ask Ask) (Order, error) {
	return e.change(ctx, id, func(o *Order) error { return e.operate(o, ask) })
}

// CardShown notes which message is the living card of an order from now on; it is brought up to date soon, and the
// message that was the card before says that it stands elsewhere.
func (e *Engine) CardShown(ctx context.Context, id ID, message int) error {
	_, err := e.change(ctx, id, func(o *Order) error {
		left := append(o.Card.Left, o.Card.Message)
		left = slices.DeleteFunc(left, func(old int) bool { return old == message || old == 0 })
		o.Card = Card{Message: message, Rung: o.Card.Rung, Edited: e.Clock(), Left: left}
		return nil
	})
	return err
}

// change loads an order under its lock, changes it, saves it and wakes it.
func (e *Engine) change(ctx context.Context, id ID, change func(*Order) error) (Order, error) {
	held, release, err := e.Locks.Lock(ctx, "order:"+string(id))
	if err != nil {
		return Order{}, fmt.Errorf("order %s: %w", id, err)
	}
	defer release()
	o, err := e.Store.Load(held, id)
	if err != nil {
		return Order{}, fmt.Errorf("order %s: %w", id, err)
	}
	held = withOrder(held, &o)
	if err := change(&o); err != nil {
		return o, fmt.Errorf("order %s: %w", id, err)
	}
	now := e.Clock()
	o.Next = now
	if err := e.Store.Save(held, &o); err != nil {
		return Order{}, fmt.Errorf("saving order %s: %w", id, err)
	}
	e.wake(ctx, o, now)
	return o, nil
}

// wake has the order run soon. That it fails is no harm: the sweep finds it by its Next.
func (e *Engine) wake(ctx context.Context, o Order, at time.Time) {
	if err := e.Jobs.Wake(ctx, o.ID, o.Version, at); err != nil {
		e.Log.Warn("order not woken", "order", o.ID, "error", err)
	}
}

func (e *Engine) ask(ctx context.Context, o *Order, ask Ask) error {
	now, t := e.Clock(), o.Ticket(ask.Ticket)
	switch {
	case ask.Verb == Unblocked:
		o.Card.Blocked = false
		redeliver(o, now)
		return nil
	case ask.Verb == Redirect:
		return o.redirect(ask.Address, now)
	case ask.Verb == Cancel && (o.State == AwaitingPayment || o.State == PartPaid || o.PartWaiting()):
		return e.cancel(ctx, o, now)
	case t == nil:
		return fmt.Errorf("%s while %s: %w", ask.Verb, o.State, ErrNotAllowed)
	case ask.Verb == Exchange && (t.State == Lost || t.State == Exchanged):
		return e.exchange(ctx, o, t, ask.Seat, now)
	case ask.Verb == MoneyBack && t.State == Lost:
		return e.moneyBack(ctx, o, t, now)
	case ask.Verb == GiveBack:
		return e.giveBack(ctx, o, t, now)
	case ask.Verb == UndoAsked && t.State == Releasing && t.Release.Attempt == 0 && now.Before(t.Undo):
		t.Undo = time.Time{}
		t.move(Owned, now)
		return nil
	case (ask.Verb == SendAgain || ask.Verb == SendAnew) && (t.State == Owned || t.State == Ended) && !o.ShowOver(now):
		t.Delivery.again(ask, now)
		return nil
	}
	return fmt.Errorf("%s of %s while %s: %w", ask.Verb, t.Seat, t.State, ErrNotAllowed)
}

func (e *Engine) cancel(ctx context.Context, o *Order, now time.Time) error {
	o.move(Cancelled, now)
	for i := range o.Tickets {
		o.Tickets[i].move(Dropped, now)
		if err := e.Holds.Free(ctx, o.Show.TxID, o.Tickets[i].Seat, o.ID); err != nil {
			e.Log.Warn("hold not freed", "order", o.ID, "error", err)
		}
	}
	return nil
}

// redirect sends money of the order to another address from now on. What is built already is not changed; what could not
// be paid to the address before is looked at again at once.
func (o *Order) redirect(to cirrus.Address, now time.Time) error {
	if to == "" || slices.Contains(o.Addresses(), to) {
		return fmt.Errorf("%s: %w", Redirect, ErrNotAllowed)
	}
	if from := o.Private.Refund; from != to {
		o.keepWent()
		o.Private.Before = append(slices.DeleteFunc(o.Private.Before, func(a cirrus.Address) bool { return a == from }), from)
		o.Private.Refund = to
	}
	o.lookAgain("", now)
	return nil
}

// lookAgain has payouts that wait for another address looked at now: those of a ticket, or all; and what a ticket waits for
// from an empty float. found tells whether there is any.
func (o *Order) lookAgain(ticket string, now time.Time) (found bool) {
	for i := range o.Payouts {
		p := &o.Payouts[i]
		if p.State == AddressNeeded && (ticket == "" || p.Ticket == "" || p.Ticket == ticket) {
			p.Again, found = now, true
		}
	}
	if a := o.aiding(ticket); a != nil && a.Short {
		a.Again, found = now, true
	}
	return found
}

func (e *Engine) giveBack(ctx context.Context, o *Order, t *Ticket, now time.Time) error {
	tip, err := e.View.Tip(ctx)
	if err != nil {
		return fmt.Errorf("reading the tip: %w", err)
	}
	until, err := CanGiveBack(*o, *t, tip)
	if err != nil {
		return err
	}
	t.Undo = time.Time{}
	if until+RefundMargin > tip.Height+NoUndo {
		t.Undo = now.Add(e.cfg.Undo)
	}
	t.Reason = ""
	t.Release = Call{Past: t.Release.Past, Spent: t.Release.Spent, Lost: t.Release.Lost}
	t.move(Releasing, now)
	return nil
}

// redeliver has tickets that wait for a secret chat handed over now.
func redeliver(o *Order, now time.Time) {
	for i := range o.Tickets {
		if d := &o.Tickets[i].Delivery; d.State == DeliveryWaiting {
			d.Again = now
		}
	}
}

func (e *Engine) operate(o *Order, ask Ask) error {
	now, t := e.Clock(), o.Ticket(ask.Ticket)
	switch {
	case t == nil:
		return ErrNotAllowed
	case t.State != Attention && ask.Verb == Resolve && o.lookAgain(t.ID, now):
		return nil
	case t.State != Attention, !slices.Contains(t.Asks(), ask.Verb):
		return ErrNotAllowed
	}
	switch ask.Verb {
	case Resolve:
		resume(o, t, now)
	case LetGo:
		t.Stray = e.Float != nil
		t.Undo = time.Time{}
		t.move(Releasing, now)
	case PayBack:
		t.move(Lost, now)
	default:
		return ErrNotAllowed
	}
	return nil
}

// resume goes on from the state before attention, with its counts begun anew.
func resume(o *Order, t *Ticket, now time.Time) {
	t.Reserve.Refused, t.Release.Refused = 0, 0
	t.Reserve.Again, t.Release.Again = now, now
	if t.Was != "" { // time for its transfer anew
		t.Until = later(t.Until, now)
	}
	t.move(t.Before, now)
	if p := o.Payout(t.ID); p != nil && t.Reason == ReasonMissing {
		p.Expect = 0 // a person looked: what is there is all there will be
	}
	t.Reason = t.goesOnFor()
}
