package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/usherbot/usher/flows/order"
)

// valids lists the customer's tickets that open a door, of one order or of all, the soonest show first; chatless is noted.
func (f *Flows) valids(ctx context.Context, t *turn, id order.ID) ([]entry, error) {
	all, err := f.entries(ctx, t.customer(), t.now)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e entry) bool { return !valid(e.o, e.t, t.now) || id != "" && e.o.ID != id })
	return all, f.noteChat(ctx, t.customer(), all)
}

// given tells whether a ticket went into a secret chat.
func (e entry) given() bool {
	return e.t.Delivery.State == order.DeliverySent || e.t.Delivery.State == order.DeliverySeen
}

// missing says where tickets are that did not arrive, and what can be done about it. What is not known yet of a parcel
// is asked for: the next look tells it.
func (f *Flows) missing(ctx context.Context, t *turn, a action) (Reply, error) {
	t.below = len(a.args) > 0
	list, err := f.valids(ctx, t, a.orderOrAll())
	if err != nil {
		return Reply{}, err
	}
	if len(list) == 0 {
		return Reply{Answer: t.answer("tap.none_valid"), Alert: true}, nil
	}
	if err := f.wakeWaiting(ctx, t.customer()); err != nil {
		return Reply{}, err
	}
	screen, err := f.missingScreen(ctx, t, list)
	return f.inPlace(t, screen), err
}

// orderOrAll is the order that an action is about; empty: all.
func (a action) orderOrAll() order.ID {
	if len(a.args) == 0 {
		return ""
	}
	return a.order()
}

func (f *Flows) missingScreen(ctx context.Context, t *turn, list []entry) (Screen, error) {
	more := max(0, len(list)-maxTickets)
	text := t.say("missing.head", nil)
	for _, e := range list[:len(list)-more] {
		at := e.t.Delivery.Sent
		if e.t.Delivery.State == order.DeliverySeen {
			at = e.t.Delivery.Seen
		}
		text = lines(text, t.say(whereID(e), args{"Seat": seatName(e.t.Seat), "Show": showName(e.o.Show), "Time": moment(at)}))
	}
	if more > 0 {
		text = lines(text, t.say("missing.more", args{"Count": more}))
	}
	help, err := f.missingHelp(ctx, t, list)
	if err != nil {
		return Screen{}, err
	}
	return Screen{Text: paragraphs(text, help), Buttons: f.missingButtons(t, list)}, nil
}

// whereID names the words that say where a ticket is.
func whereID(e entry) string {
	d := e.t.Delivery
	switch {
	case d.State == order.DeliverySeen && !d.Seen.IsZero():
		return "missing.seen"
	case d.State == order.DeliverySeen:
		return "missing.seen_once" // noted by a program that did not write down when
	case d.State == order.DeliverySent:
		return "missing.sent"
	case e.chatless:
		return "missing.chatless"
	}
	return "missing.waiting"
}

// missingHelp says where to look, and what helps. The key tells the chat from others on the same phone.
func (f *Flows) missingHelp(ctx context.Context, t *turn, list []entry) (Text, error) {
	contact, err := f.Courier.Contact(ctx, t.customer())
	if errors.Is(err, order.ErrNoCourier) {
		return t.say("missing.no_courier", args{"Count": len(list)}), nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the courier: %w", err)
	}
	a := args{"Courier": contact.Username, "Count": len(list)}
	has := func(id ...string) bool {
		return slices.ContainsFunc(list, func(e entry) bool { return slices.Contains(id, whereID(e)) })
	}
	var all Text
	if has("missing.seen", "missing.seen_once") {
		all = paragraphs(all, t.say("missing.look", a))
	}
	if has("missing.sent") {
		all = paragraphs(all, t.say("missing.fetch", a))
	}
	if _, key, err := f.chatKey(ctx, t.customer()); err == nil {
		const begins = 11 // four pairs of digits
		a["Key"] = key.Lines[0][:min(begins, len(key.Lines[0]))]
		all = paragraphs(all, t.say("missing.key", a))
	} else if !errors.Is(err, order.ErrNoChat) && !errors.Is(err, order.ErrNoCourier) {
		return nil, fmt.Errorf("asking for the key of a secret chat: %w", err)
	}
	return paragraphs(all, t.say("missing.new", a)), nil
}

func (f *Flows) missingButtons(t *turn, list []entry) [][]Button {
	var given []entry
	for _, e := range list {
		if e.given() {
			given = append(given, e)
		}
	}
	return append(t.againRow(given),
		[]Button{t.button("button.new_chat", nil, act(doAnew))},
		[]Button{t.button("button.look_again", nil, act(doMissing)), t.button("button.back_tickets", nil, act(doTickets))},
	)
}

// againRow sends tickets again that went into a secret chat; none where there are none.
func (t *turn) againRow(given []entry) [][]Button {
	switch len(given) {
	case 0:
		return nil
	case 1:
		e := given[0]
		return [][]Button{{t.button("button.send_seat", args{"Seat": seatName(e.t.Seat)}, act(doAgain, string(e.o.ID), e.t.ID))}}
	}
	return [][]Button{{t.button("button.send_all", args{"Count": len(given)}, act(doAgains, orderOf(given)...))}}
}

// orderOf is the order that all of a list belong to, as the argument of a button; none where there are several.
func orderOf(list []entry) []string {
	for _, e := range list {
		if e.o.ID != list[0].o.ID {
			return nil
		}
	}
	return []string{string(list[0].o.ID)}
}
