package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/usherbot/usher/flows/order"
)

// way is how a customer gets to a secret chat: they start it themselves, which always works, or let the courier ask
// their phone, as long as the courier may. Every screen that leads to a secret chat is built on it.
type way struct {
	contact Contact
	link    Link      // for letting the courier ask; empty: it can't
	state   ChatState // ChatPending: it is being opened already
}

// way finds out how the customer gets to a secret chat, and has the courier answer them from now on. A link that was
// shown before counts no more. Errors: order.ErrNoCourier; what did not answer.
func (f *Flows) way(ctx context.Context, t *turn, state ChatState) (way, error) {
	w := way{state: state}
	var err error
	if w.contact, err = f.Courier.Contact(ctx, t.customer()); err == nil {
		err = f.Courier.Invite(ctx, t.customer())
	}
	if err == nil && state == ChatNone && !t.ownWay {
		w.link, err = f.linkFor(ctx, t.customer())
	}
	if err != nil {
		return way{}, fmt.Errorf("inviting to a secret chat: %w", err)
	}
	return w, nil
}

// linkFor lets the courier ask the customer's phone. Where it may not, the customer starts the chat; that way needs no link.
func (f *Flows) linkFor(ctx context.Context, customer int64) (Link, error) {
	if f.Link == nil {
		return Link{}, nil
	}
	link, err := f.Link(ctx, customer)
	if errors.Is(err, order.ErrNotAllowed) || errors.Is(err, order.ErrNoCourier) {
		return Link{}, nil
	}
	if err != nil {
		return Link{}, fmt.Errorf("making a link: %w", err)
	}
	return link, nil
}

// chatOf tells how the customer's secret chat stands: as the event says that is being answered, or as the courier knows.
func (f *Flows) chatOf(ctx context.Context, t *turn) (ChatState, error) {
	if t.stands != "" {
		return t.stands, nil
	}
	return f.chat(ctx, t.customer())
}

// phones are the kinds of phones that there are steps for.
func phones() []string { return []string{"android", "iphone", "mac"} }

// phone is the kind whose steps the customer reads.
func (t *turn) phone() string {
	if slices.Contains(phones(), t.session.Phone) {
		return t.session.Phone
	}
	return phones()[0]
}

// hinted is what is said first: what has just happened to the secret chat, or why nothing has.
func (w way) hinted(t *turn) Text {
	stuck := t.hint == hintStuck
	if t.hint == "" || w.contact.Username == "" || stuck && w.state == ChatPending {
		return nil
	}
	hint := t.say(t.hint, args{"Courier": w.contact.Username})
	if stuck && w.link.URL != "" {
		hint = lines(hint, t.say("handover.stuck_line", nil))
	}
	return hint
}

// steps are those of starting a secret chat on the kind of phone that the customer chose. after says how it goes on then.
func (w way) steps(t *turn, after Text) Text {
	steps := t.say("handover."+t.phone(), args{"Courier": w.contact.Username})
	if t.hint != hintStuck || w.state == ChatPending {
		after = lines(after, t.say("handover.computer", nil))
	}
	own := paragraphs(steps, after)
	switch {
	case w.state == ChatPending && t.session.Asked:
		return paragraphs(t.say("handover.asked", nil), t.say("handover.instead", nil), own)
	case w.state == ChatPending:
		return paragraphs(t.say("handover.pending", nil), t.say("handover.instead", nil), own)
	case w.link.URL != "":
		own = paragraphs(own, t.say("handover.link", args{"Courier": w.contact.Username, "Until": until(w.link.Until)}))
	}
	return own
}

// rows lead to the courier: the customer's own way first.
func (w way) rows(v voice) [][]Button {
	rows := [][]Button{v.openCourier(w.contact)}
	if w.link.URL != "" {
		rows = append(rows, []Button{v.link("button.let_ask", nil, w.link.URL)})
	}
	return rows
}

// kinds lets the customer choose the kind of phone; action is what the button of a kind does.
func (t *turn) kinds(action func(kind string) string) []Button {
	var row []Button
	for _, kind := range phones() {
		id := "button." + kind
		if kind == t.phone() {
			id += "_chosen"
		}
		row = append(row, t.button(id, nil, action(kind)))
	}
	return row
}

// openCourier leads to the courier's account.
func (v voice) openCourier(c Contact) []Button {
	return []Button{v.link("button.open_courier", args{"Courier": c.Username}, "https://t.me/"+c.Username)}
}

// chatRow leads to a secret chat where there is no room for more: to the courier, whose username is given, and to the ways.
func (v voice) chatRow(courier string) []Button {
	return append(v.openCourier(Contact{Username: courier}), v.button("button.ways", nil, act(doWays)))
}
