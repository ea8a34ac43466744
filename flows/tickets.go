package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// maxTickets bounds the lists of tickets; older ones are found through the support.
const maxTickets = 15

// entry is one ticket in a list.
type entry struct {
	o order.Order
	t order.Ticket
}

// entries lists the customer's tickets that are worth showing: upcoming ones first, the soonest at the top.
func (f *Flows) entries(ctx context.Context, customer int64, now time.Time) ([]entry, error) {
	orders, err := f.Desk.List(ctx, customer)
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	var list []entry
	for _, o := range orders {
		for _, t := range o.Tickets {
			if t.State != order.Dropped && t.State != order.Exchanged || o.Open() {
				list = append(list, entry{o, t})
			}
		}
	}
	past := func(e entry) bool { return e.o.Show.Time.Add(afterShow).Before(now) }
	slices.SortStableFunc(list, func(a, b entry) int {
		if past(a) != past(b) {
			if past(a) {
				return 1
			}
			return -1
		}
		if past(a) {
			return b.o.Show.Time.Compare(a.o.Show.Time)
		}
		return a.o.Show.Time.Compare(b.o.Show.Time)
	})
	return list[:min(len(list), maxTickets)], nil
}

// tickets is the list of what the customer has.
func (f *Flows) tickets(ctx context.Context, t *turn) (Reply, error) {
	list, err := f.entries(ctx, t.customer(), t.now)
	if err != nil {
		return Reply{}, err
	}
	if len(list) == 0 {
		buttons := [][]Button{{t.button("button.shows", nil, act(doShows))}}
		return f.inPlace(t, Screen{Text: t.say("tickets.none", nil), Buttons: buttons}), nil
	}
	tip, err := f.tip(ctx)
	if err != nil {
		return Reply{}, err
	}
	text := Text(t.say("tickets.head", nil))
	var buttons [][]Button
	for _, e := range list {
		text = paragraphs(text, lines(
			t.say("tickets.line", args{"Show": showName(e.o.Show), "Seat": seatName(e.t.Seat), "Time": moment(e.o.Show.Time)}),
			t.say(stateID(e.o, e.t), nil),
		))
		buttons = append(buttons, f.entryButtons(t, e, tip))
	}
	return f.inPlace(t, Screen{Text: text, Buttons: buttons}), nil
}

// stateID is the message with a ticket's state in a few words.
func stateID(o order.Order, t order.Ticket) string {
	switch {
	case o.State.Unpaid():
		return "state.unpaid"
	case o.State == order.Void:
		return "state.void"
	}
	switch t.State {
	case order.Held, order.Reserving, order.Unknown, order.Reserved:
		return "state.buying"
	case order.Owned, order.Ended:
		if t.Delivery.State == order.DeliverySent || t.Delivery.State == order.DeliverySeen {
			return "state.sent"
		}
		return "state.waiting"
	case order.Releasing:
		return "state.releasing"
	case order.Released:
		return "state.released"
	case order.Lost, order.Exchanged, order.Dropped:
		return "state.lost"
	case order.Stray, order.Attention:
	}
	return "state.attention"
}

func (f *Flows) entryButtons(t *turn, e entry, tip order.Tip) []Button {
	seat := args{"Seat": seatName(e.t.Seat)}
	row := []Button{t.button("button.details", seat, act(doCard, string(e.o.ID)))}
	if e.t.State != order.Owned && e.t.State != order.Ended {
		return row
	}
	row = append(row, t.button("button.send_seat", seat, act(doAgain, string(e.o.ID), e.t.ID)))
	if _, err := order.CanGiveBack(e.o, e.t, tip); err == nil {
		row = append(row, t.button("button.refund_seat", seat, act(doRefund, e.t.ID)))
	}
	return row
}

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
		return f.swapQR(ctx, t, o, a.args[1] == "a")
	case doCancel:
		return f.do(ctx, t, o, order.Ask{Verb: order.Cancel}, "tap.cancelled")
	case doUndo:
		return f.do(ctx, t, o, order.Ask{Verb: order.UndoAsked, Ticket: a.args[1]}, "tap.undone")
	case doAgain:
		return f.sendAgain(ctx, t, o, a.args[1])
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

// CardShown notes which message is the living card of an order now, or the hall that a customer looks at.
func (f *Flows) CardShown(ctx context.Context, card string, message int) error {
	if customer, ok := hallOf(card); ok {
		return f.hallShown(ctx, customer, message)
	}
	if f.Deps.CardShown == nil {
		return nil
	}
	return f.Deps.CardShown(ctx, order.ID(card), message)
}

// swapQR shows the payment's other QR in the card. The next change of the order shows the usual one again.
func (f *Flows) swapQR(ctx context.Context, t *turn, o order.Order, bare bool) (Reply, error) {
	if o.State != order.AwaitingPayment && o.State != order.PartPaid || preparing(o, t.now) {
		reply, err := f.snapshot(ctx, t, o)
		reply.Answer = t.answer("tap.old_card")
		return reply, err
	}
	c := card{voice: t.voice, f: f, o: o, now: t.now, bare: bare}
	screen, err := c.screen()
	if err != nil {
		return Reply{}, err
	}
	return Reply{Screens: []Outgoing{{Chat: t.event.Chat, Edit: t.event.Message, Screen: screen}}}, nil
}

// sendAgain hands a ticket over once more; without a secret chat it says how to make one.
func (f *Flows) sendAgain(ctx context.Context, t *turn, o order.Order, ticket string) (Reply, error) {
	if now := t.now; now.After(o.Show.Time.Add(afterShow)) {
		return Reply{Answer: t.answer("tap.show_over"), Alert: true}, nil
	}
	state, err := f.chat(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	id := "tap.sending"
	if state != ChatOpen {
		id = "tap.sending_later"
		if err := f.Courier.Invite(ctx, t.customer()); err != nil && !errors.Is(err, order.ErrNoCourier) {
			return Reply{}, fmt.Errorf("inviting to a secret chat: %w", err)
		}
	}
	_, err = f.Desk.Do(ctx, t.customer(), o.ID, order.Ask{Verb: order.SendAgain, Ticket: ticket})
	if errors.Is(err, order.ErrNotAllowed) {
		reply, err := f.snapshot(ctx, t, o)
		reply.Answer = t.answer("tap.old_card")
		return reply, err
	}
	if err != nil {
		return Reply{}, fmt.Errorf("sending a ticket of %s again: %w", o.ID, err)
	}
	return Reply{Answer: t.answer(id), Alert: state != ChatOpen}, nil
}
