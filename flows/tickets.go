package flows

import (
	"context"
	"errors"
	"fmt"

	"github.com/usherbot/usher/flows/order"
)

// onOrder does what a button of an order says.
func (f *Flows) onOrder(ctx context.Context, t *turn, a action) (Reply, error) {
	o, err := f.Desk.Load(ctx, t.customer(), a.order())
	if errors.Is(err, order.ErrNotFound) {
		return Reply{Answer: t.answer("tap.not_yours"), Alert: true}, nil
	}
	if err != nil {
		return Reply{}, fmt.Errorf("loading an order: %w", err)
	}
	switch a.verb {
	case doCard:
		return f.cardScreen(ctx, t, o)
	case doPlainQR:
		return f.swapQR(ctx, t, o, a)
	case doCancel:
		return f.cancelOne(ctx, t, o)
	case doBackTo:
		return f.redirect(ctx, t, o, a)
	case doUndo:
		if ticket := o.Ticket(a.args[1]); ticket != nil && ticket.State == order.Owned {
			return Reply{Answer: t.answer("tap.undone")}, nil // tapped before
		}
		return f.do(ctx, t, o, order.Ask{Verb: order.UndoAsked, Ticket: a.args[1]}, "tap.undone")
	case doAgain:
		return f.sendAgain(ctx, t, o, a.args[1])
	case doDetails:
		return f.details(ctx, t, o, a.args[1])
	}
	return f.old(ctx, t)
}

// do asks something of an order and answers the tap. Its card follows by itself.
func (f *Flows) do(ctx context.Context, t *turn, o order.Order, ask order.Ask, done string) (Reply, error) {
	changed, err := f.Desk.Do(ctx, t.customer(), o.ID, ask)
	switch {
	case errors.Is(err, order.ErrNotAllowed), errors.Is(err, order.ErrReleaseOver):
		reply, err := f.snapshot(ctx, t, o)
		reply.Answer = t.answer("tap.old_card")
		return reply, err
	case err != nil:
		return Reply{}, fmt.Errorf("asking %s of order %s: %w", ask.Verb, o.ID, err)
	}
	reply := Reply{Answer: t.answer(done)}
	if t.event.Message != changed.Card.Message {
		reply.Screens = f.inPlace(t, Screen{Text: t.say(done, nil), Buttons: t.menu()}).Screens
	}
	return reply, nil
}

// snapshot shows an order where a button was tapped that is not on its living card; the living card itself is only
// ever changed by Tell, so that no older state can overwrite a newer one.
func (f *Flows) snapshot(ctx context.Context, t *turn, o order.Order) (Reply, error) {
	if t.event.Message == o.Card.Message || preparing(o, t.now) {
		return Reply{}, nil
	}
	return f.cardScreen(ctx, t, o)
}

// cardScreen shows an order's card in a new message.
func (f *Flows) cardScreen(ctx context.Context, t *turn, o order.Order) (Reply, error) {
	around, err := f.around(ctx, o)
	if err != nil {
		return Reply{}, err
	}
	o.Language = t.lang
	screen, err := f.Card(o, t.now, around)
	if err != nil {
		return Reply{}, err
	}
	out := Outgoing{Chat: t.event.Chat, Screen: screen}
	if t.event.Message == o.Card.Message {
		out.Edit = o.Card.Message
	} else if f.Deps.CardShown != nil && !preparing(o, t.now) {
		out.Card = string(o.ID)
	}
	return Reply{Screens: []Outgoing{out}}, nil
}

// CardShown notes which message is the living card of an order now, or the hall that a customer looks at, or the
// screen that waits for a secret chat.
func (f *Flows) CardShown(ctx context.Context, card string, message int) error {
	if customer, ok := hallOf(card); ok {
		return f.hallShown(ctx, customer, message)
	}
	if ok, err := f.chatShown(ctx, card, message); ok || err != nil || f.Deps.CardShown == nil {
		return err
	}
	return f.Deps.CardShown(ctx, order.ID(card), message)
}
