package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Conversations around another address for money of an order. The bot chat may be in other hands than the phone that
// tickets go to, so the address is asked for, and given, in the secret chat alone.
const (
	screenRedirect   = "redirect"      // the bot chat says that an address was asked for
	screenChatFirst  = "redirect_chat" // the bot chat says how to open a secret chat, in which it will be asked for
	screenRedirected = "redirected"    // an address was given; that text may come twice
)

// mayRedirect tells whether money of an order may still go back, and none of it is on its way just now. While seats are
// being bought, which takes less than a minute, nothing is changed.
func mayRedirect(o order.Order) bool {
	open := false
	if needsAddress(o) {
		return true
	}
	for _, p := range o.Payouts {
		if p.State == order.Built || p.State == order.Sent {
			return false
		}
		open = open || !p.State.Final()
	}
	if open || o.State == order.PartPaid || o.PartWaiting() {
		return true
	}
	return o.State == order.Filled && slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool {
		alive := t.State == order.Owned || t.State == order.Releasing || t.State == order.Stray || t.State == order.Attention
		return alive || choosing(o, t)
	})
}

// needsAddress tells whether money waits because its address can't be paid.
func needsAddress(o order.Order) bool {
	return slices.ContainsFunc(o.Payouts, func(p order.Payout) bool { return p.State == order.AddressNeeded })
}

// redirect begins to ask for another address.
func (f *Flows) redirect(ctx context.Context, t *turn, o order.Order, a action) (Reply, error) {
	if !mayRedirect(o) {
		return f.chosenAlready(ctx, t, o)
	}
	if t.session.Redirect == o.ID && t.session.Screen == screenRedirect {
		return Reply{Answer: t.answer("tap.asked")}, nil // tapped before
	}
	t.below = len(a.args) == 1
	if len(a.args) == 2 && slices.Contains(phones(), a.args[1]) {
		t.session.Phone = a.args[1]
	} else if len(a.args) == 2 {
		t.hint = hintStuck
	}
	return f.askAddress(ctx, t, o)
}

// askAddress asks in the secret chat, and says in the bot chat that it did, or how to open a secret chat first.
func (f *Flows) askAddress(ctx context.Context, t *turn, o order.Order) (Reply, error) {
	t.session.Redirect, t.session.Screen = o.ID, screenRedirect
	contact, err := f.Courier.Contact(ctx, t.customer())
	if err == nil {
		key := "address-" + string(o.ID) + "-" + strconv.FormatUint(t.session.Version, 10)
		err = f.Courier.Say(ctx, t.customer(), key, t.plain("redirect.question", f.redirectArgs(o)))
	}
	switch {
	case errors.Is(err, order.ErrNoCourier):
		return f.nobodyToAsk(t), nil
	case errors.Is(err, order.ErrNoChat):
		return f.chatFirst(ctx, t, o)
	case err != nil:
		return Reply{}, fmt.Errorf("asking for an address: %w", err)
	}
	buttons := append([][]Button{t.openCourier(contact)}, []Button{t.button("button.not_now", nil, act(doStay))})
	return f.inPlace(t, Screen{Text: t.say("redirect.asked", args{"Courier": contact.Username}), Buttons: buttons}), nil
}

// nobodyToAsk says that an address can't be taken just now.
func (f *Flows) nobodyToAsk(t *turn) Reply {
	t.session.Redirect, t.session.Screen = "", ""
	return f.answered(t, "redirect.no_courier", nil)
}

// chatFirst says how to get to the secret chat that an address is taken in. It goes on by itself.
func (f *Flows) chatFirst(ctx context.Context, t *turn, o order.Order) (Reply, error) {
	state, err := f.chatOf(ctx, t)
	if err != nil {
		return Reply{}, err
	}
	w, err := f.way(ctx, t, state)
	if errors.Is(err, order.ErrNoCourier) {
		return f.nobodyToAsk(t), nil
	}
	if err != nil {
		return Reply{}, err
	}
	id := string(o.ID)
	buttons := append(w.rows(t.voice),
		t.kinds(func(kind string) string { return act(doBackTo, id, kind) }),
		[]Button{t.button("button.stuck", nil, act(doBackTo, id, "h")), t.button("button.not_now", nil, act(doStay))},
	)
	text := paragraphs(t.say("redirect.chat_first", nil), w.hinted(t), w.steps(t, t.say("redirect.goes_on", nil)))
	return f.waiting(t, screenChatFirst, Screen{Text: text, Buttons: f.helped(t, buttons)}), nil
}

// redirectArgs are the words around an order whose money goes back.
func (f *Flows) redirectArgs(o order.Order) args {
	return args{
		"Show": showName(o.Show), "Seats": enumerate(seatNames(seatsOf(o))), "Count": len(o.Tickets),
		"Address": string(o.Private.Refund), "Bot": "@" + f.Config.BotUsername,
	}
}

// stay takes the question for another address back.
func (f *Flows) stay(t *turn) Reply {
	t.session.Redirect, t.session.Screen = "", ""
	return f.inPlace(t, Screen{Text: t.say("wallet.kept", nil), Buttons: t.menu()})
}

// askAfterChat goes on with the question for an address once the secret chat stands differently. The reply is empty where
// nothing is to be asked any more.
func (f *Flows) askAfterChat(ctx context.Context, t *turn) (Reply, error) {
	o, err := f.Desk.Load(ctx, t.customer(), t.session.Redirect)
	if errors.Is(err, order.ErrNotFound) || err == nil && !mayRedirect(o) {
		t.session.Redirect = ""
		return Reply{}, nil
	}
	if err != nil {
		return Reply{}, fmt.Errorf("loading an order: %w", err)
	}
	return f.askAddress(ctx, t, o)
}

// awaitsAddress finds the order that a text in the secret chat is an address for: the one that was asked about, or one
// whose money can't go back, or, where the same text came twice, the one that has it already. nil: the text is no
// address that anybody waits for.
func (f *Flows) awaitsAddress(ctx context.Context, customer int64, s Session, text string) (*order.Order, error) {
	if s.Redirect != "" {
		o, err := f.Desk.Load(ctx, customer, s.Redirect)
		switch {
		case err == nil:
			return &o, nil
		case !errors.Is(err, order.ErrNotFound):
			return nil, fmt.Errorf("loading an order: %w", err)
		}
	}
	address, err := f.Config.Network.ParseAddress(strings.TrimSpace(text))
	if err != nil {
		return nil, nil //nolint:nilerr // a text that is no address is nothing to go on with
	}
	all, err := f.Desk.List(ctx, customer)
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	for i, o := range slices.Backward(all) {
		if needsAddress(o) || s.Screen == screenRedirected && o.Private.Refund == address {
			return &all[i], nil
		}
	}
	return nil, nil
}

// takeAddress notes what was written in the secret chat as the address that money of an order goes back to from now
// on. answer is for the secret chat, next for the bot chat. A text that can be no such address changes nothing.
func (f *Flows) takeAddress(ctx context.Context, t *turn, text string) (answer string, next Reply, err error) {
	o, err := f.awaitsAddress(ctx, t.customer(), t.session, text)
	if err != nil {
		return "", Reply{}, err
	}
	if o == nil {
		t.session.Redirect = ""
		return f.courierAnswer(t.voice), Reply{}, nil
	}
	address, wrong, err := f.refundAddress(ctx, text)
	if err != nil {
		return "", Reply{}, err
	}
	if wrong != "" {
		a := args{"Network": f.Config.Network.Ticker, "Address": string(o.Private.Refund)}
		again := "redirect.again"
		if needsAddress(*o) {
			again = "redirect.again_needed"
		}
		return paragraphs(t.say(wrong, a), t.say(again, a)).String(), Reply{}, nil
	}
	switch {
	case o.Private.Refund == address: // given before
	case !mayRedirect(*o):
		err = order.ErrNotAllowed
	default:
		_, err = f.Desk.Do(ctx, t.customer(), o.ID, order.Ask{Verb: order.Redirect, Address: address})
	}
	return f.redirected(t, *o, address, err)
}

// redirected gives the answers to an address that was given; why says why it was not taken.
func (f *Flows) redirected(t *turn, o order.Order, address cirrus.Address, why error) (answer string, next Reply, err error) {
	id, done := "redirect.noted", "redirect.done"
	if errors.Is(why, order.ErrNotAllowed) {
		id, done = "redirect.too_late", "redirect.too_late"
	} else if why != nil {
		return "", Reply{}, fmt.Errorf("changing the address of %s: %w", o.ID, why)
	}
	a := f.redirectArgs(o)
	if why == nil {
		a["Address"] = string(address)
	}
	answer = t.plain(id, a)
	if t.session.Screen == screenRedirect {
		a["Address"] = address.Short()
		next = f.fresh(t, Screen{Text: t.say(done, a), Buttons: t.menu()})
	}
	t.session.Redirect, t.session.Screen = "", screenRedirected
	return answer, next, nil
}
