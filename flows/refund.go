package flows

import (
	"context"
	"errors"
	"fmt"

	"github.com/usherbot/usher/flows/order"
)

// refunds lists what can be given back, one tap each, with the least sum that will arrive and until when.
func (f *Flows) refunds(ctx context.Context, t *turn) (Reply, error) {
	list, err := f.entries(ctx, t.customer(), t.now)
	if err != nil {
		return Reply{}, err
	}
	tip, err := f.tip(ctx)
	if err != nil {
		return Reply{}, err
	}
	var text Text
	shown := 0
	for _, e := range list {
		last, err := order.CanGiveBack(e.o, e.t, tip)
		if err != nil || shown == maxTickets {
			continue
		}
		shown++
		text = paragraphs(text, t.say("refund.line", args{
			"Seat": seatName(e.t.Seat), "Show": showName(e.o.Show), "Sum": f.crs(order.LeastRefund(e.o, e.t)),
			"About": when(tip, last), "Block": block(last), "Address": e.o.Private.Refund.Short(), "ID": e.t.ID,
		}))
	}
	if len(text) == 0 {
		return f.fresh(t, Screen{Text: t.say("refund.none", nil), Buttons: t.menu()}), nil
	}
	return f.fresh(t, Screen{Text: paragraphs(t.say("refund.head", nil), text)}), nil
}

// refundOne gives a ticket back. warned: the customer read that nothing of the price comes back.
func (f *Flows) refundOne(ctx context.Context, t *turn, id string, warned bool) (Reply, error) {
	list, err := f.entries(ctx, t.customer(), t.now)
	if err != nil {
		return Reply{}, err
	}
	tip, err := f.tip(ctx)
	if err != nil {
		return Reply{}, err
	}
	for _, e := range list {
		if e.t.ID != id {
			continue
		}
		last, err := order.CanGiveBack(e.o, e.t, tip)
		switch {
		case err != nil:
			return f.noRefund(ctx, t, e, tip, last, err)
		case e.o.Terms.Refund(e.t.Price) == 0 && !warned:
			return f.warnRefund(t, e), nil
		}
		return f.giveBack(ctx, t, e)
	}
	return f.answered(t, "refund.unknown", nil), nil
}

// answered says a sentence: as the answer to a tap, or as a message.
func (f *Flows) answered(t *turn, id string, a args) Reply {
	if t.event.Action != "" {
		return Reply{Answer: cut(t.plain(id, a), answerRoom), Alert: true}
	}
	return f.fresh(t, Screen{Text: t.say(id, a), Buttons: t.menu()})
}

// noRefund says why a ticket can't be given back now.
func (f *Flows) noRefund(ctx context.Context, t *turn, e entry, tip order.Tip, last uint64, why error) (Reply, error) {
	if errors.Is(why, order.ErrReleaseOver) {
		return f.answered(t, "refund.over", args{"Seat": seatName(e.t.Seat), "Block": block(last), "About": when(tip, last)}), nil
	}
	if e.t.State == order.Releasing && t.now.Before(e.t.Undo) && t.event.Action != "" {
		return Reply{Answer: t.answer("tap.giving_back")}, nil // tapped before
	}
	if e.t.State == order.Releasing && t.now.Before(e.t.Undo) {
		return f.fresh(t, f.givingBack(t, e)), nil
	}
	if e.t.State == order.Releasing {
		return f.answered(t, "refund.already", args{"Seat": seatName(e.t.Seat)}), nil
	}
	reply, err := f.snapshot(ctx, t, e.o)
	reply.Answer = t.answer("tap.old_card")
	return reply, err
}

// warnRefund asks first where the contract keeps the whole price.
func (f *Flows) warnRefund(t *turn, e entry) Reply {
	text := t.say("refund.worthless", args{"Seat": seatName(e.t.Seat), "Sum": f.crs(order.LeastRefund(e.o, e.t))})
	return f.fresh(t, Screen{Text: text, Buttons: [][]Button{
		{t.button("button.refund_anyway", nil, act(doRefund, e.t.ID, "!"))},
		{t.button("button.keep_ticket", nil, act(doTickets))},
	}})
}

func (f *Flows) giveBack(ctx context.Context, t *turn, e entry) (Reply, error) {
	changed, err := f.Desk.Do(ctx, t.customer(), e.o.ID, order.Ask{Verb: order.GiveBack, Ticket: e.t.ID})
	switch {
	case errors.Is(err, order.ErrReleaseOver), errors.Is(err, order.ErrNotAllowed):
		return f.answered(t, "refund.not_now", args{"Seat": seatName(e.t.Seat)}), nil
	case err != nil:
		return Reply{}, fmt.Errorf("giving back a ticket of %s: %w", e.o.ID, err)
	}
	if t.event.Action != "" && t.event.Message == e.o.Card.Message {
		return Reply{Answer: t.answer("tap.giving_back")}, nil // the card shows it, with the button to undo
	}
	if now := changed.Ticket(e.t.ID); now != nil {
		e.t = *now
	}
	return f.inPlace(t, f.givingBack(t, e)), nil
}

// givingBack says that a ticket goes back, and how to undo it while that is possible.
func (f *Flows) givingBack(t *turn, e entry) Screen {
	row := []Button{t.button("button.show_order", nil, act(doCard, string(e.o.ID)))}
	if !t.now.Before(e.t.Undo) {
		return Screen{Text: t.say("refund.begun", args{"Seat": seatName(e.t.Seat)}), Buttons: [][]Button{row}}
	}
	text := t.say("refund.begun_undo", args{"Seat": seatName(e.t.Seat), "Until": soon(e.t.Undo)})
	undo := t.button("button.undo", nil, act(doUndo, string(e.o.ID), e.t.ID))
	return Screen{Text: text, Buttons: [][]Button{append([]Button{undo}, row...)}}
}
