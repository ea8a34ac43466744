package flows

import (
	"context"
	"errors"
	"fmt"

	"github.com/usherbot/usher/flows/order"
)

// command does what works from anywhere.
func (f *Flows) command(ctx context.Context, t *turn) (Reply, error) {
	if reply, ok, err := f.asideCommand(ctx, t); ok || err != nil {
		return reply, err
	}
	waiting := t.session.Screen
	t.session.Screen = ""
	switch t.event.Command {
	case "start":
		return f.start(ctx, t)
	case "shows":
		return f.shows(ctx, t)
	case "tickets":
		return f.tickets(ctx, t)
	case "refund":
		if t.event.Argument != "" {
			return f.refundOne(ctx, t, t.event.Argument, false)
		}
		return f.refunds(ctx, t)
	case "wallet":
		return f.wallet(t), nil
	case "cancel":
		return f.cancelAll(ctx, t)
	case "forget":
		return f.forgetAsk(ctx, t)
	}
	t.session.Screen = waiting
	if f.admin(t.customer()) {
		return f.operator(ctx, t)
	}
	return f.unknownCommand(t), nil
}

// tapped does what a button says. A button that says nothing any more is answered politely.
func (f *Flows) tapped(ctx context.Context, t *turn) (Reply, error) {
	a, err := parseAction(t.event.Action)
	if err != nil {
		return f.unreadable(ctx, t)
	}
	switch a.verb {
	case doShows:
		return f.shows(ctx, t)
	case doTickets:
		return f.tickets(ctx, t)
	case doMore:
		t.below = true
		return f.shows(ctx, t)
	case doMine:
		t.below = true
		return f.tickets(ctx, t)
	case doHelp:
		return f.inPlace(t, f.helpScreen(t)), nil
	case doShow, doSeats, doPick, doBest, doClear, doList, doNames, doGo, doPhone, doStuck, doLater, doBuy, doEach:
		return f.buying(ctx, t, a)
	case doOther, doOffer, doTake, doMoney:
		return f.exchanging(ctx, t, a)
	case doStay:
		return f.stay(t), nil
	case doWays:
		return f.ways(ctx, t, a)
	case doWallet:
		return f.wallet(t), nil
	case doOwn, doUsual, doAlways:
		return f.ownTapped(ctx, t, a.verb)
	case doKeep:
		return f.keepWallet(ctx, t)
	case doForget:
		return f.forget(ctx, t)
	case doMissing:
		return f.missing(ctx, t, a)
	case doAgains:
		return f.sendAllAgain(ctx, t, a)
	case doAnew:
		return f.anew(ctx, t)
	case doRefund:
		return f.refundOne(ctx, t, a.args[0], len(a.args) == 2)
	case doResolve, doLetGo, doPayBack:
		return f.operatorTapped(ctx, t, a)
	}
	return f.onOrder(ctx, t, a)
}

// wrote answers a text: the conversation that asked for it, or a pointer to what can be done.
func (f *Flows) wrote(ctx context.Context, t *turn) (Reply, error) {
	if t.session.Screen == screenWallet || t.session.Screen == screenOwn {
		return f.walletText(ctx, t)
	}
	return f.stray(t), nil
}

// start greets, and goes on with what was begun where there is something.
func (f *Flows) start(ctx context.Context, t *turn) (Reply, error) {
	open, err := f.unpaid(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	buttons := t.menu()
	if len(open) > 0 {
		row := []Button{t.button("button.open_order", args{"Show": showName(open[0].Show)}, act(doCard, string(open[0].ID)))}
		buttons = append([][]Button{row}, buttons...)
	}
	return f.fresh(t, Screen{Text: t.say("start", args{"Ticker": f.Config.Network.Ticker}), Buttons: buttons}), nil
}

// unpaid lists the customer's orders that still wait for money, the newest first.
func (f *Flows) unpaid(ctx context.Context, customer int64) ([]order.Order, error) {
	all, err := f.Desk.List(ctx, customer)
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	var open []order.Order
	for _, o := range all {
		if o.State.Unpaid() {
			open = append(open, o)
		}
	}
	return open, nil
}

// cancelAll ends what was begun and costs nothing to end: the draft, orders that nothing was paid for, and those of which
// a part came that waits for the rest: it goes back.
func (f *Flows) cancelAll(ctx context.Context, t *turn) (Reply, error) {
	drafting := len(t.session.Draft.Seats) > 0
	t.session.Draft, t.session.Redirect = Draft{}, ""
	all, err := f.Desk.List(ctx, t.customer())
	if err != nil {
		return Reply{}, fmt.Errorf("listing orders: %w", err)
	}
	ended, kept := 0, 0
	for _, o := range all {
		if !o.State.Unpaid() && !o.PartWaiting() {
			continue
		}
		_, err := f.Desk.Do(ctx, t.customer(), o.ID, order.Ask{Verb: order.Cancel})
		switch {
		case errors.Is(err, order.ErrNotAllowed):
			kept++
		case err != nil:
			return Reply{}, fmt.Errorf("cancelling %s: %w", o.ID, err)
		default:
			ended++
		}
	}
	id := "cancel.nothing"
	switch {
	case kept > 0:
		id = "cancel.kept"
	case ended > 0:
		id = "cancel.ended"
	case drafting:
		id = "cancel.draft"
	}
	return f.fresh(t, Screen{Text: t.say(id, args{"Count": max(ended, kept)}), Buttons: t.menu()}), nil
}

// public answers in a group or a channel: nothing personal, only the way into the private chat. Without a command
// for us there is no answer at all.
func (f *Flows) public(e Event) Reply {
	v := f.voice(e.Actor.Language)
	if e.Action != "" {
		return Reply{Answer: cut(v.plain("tap.group", nil), answerRoom)}
	}
	switch e.Command {
	case "start", "help", "shows", "tickets", "refund", "wallet", "cancel", "verify", "language", "support", "forget":
	default:
		return Reply{}
	}
	link := v.link("button.private", nil, "https://t.me/"+f.Config.BotUsername+"?start=group")
	return Reply{Screens: []Outgoing{{Chat: e.Chat, Screen: Screen{
		Text: v.say("group.private", nil), Buttons: [][]Button{{link}}, Silent: true,
	}}}}
}

// membership hears of blocking and unblocking. Cards of somebody who is back are shown again.
func (f *Flows) membership(ctx context.Context, e Event) (Reply, error) {
	if e.Blocked || e.Chat != e.Actor.ID {
		return Reply{}, nil
	}
	all, err := f.Desk.List(ctx, e.Actor.ID)
	if err != nil {
		return Reply{}, fmt.Errorf("listing orders: %w", err)
	}
	for _, o := range all {
		if !o.Card.Blocked {
			continue
		}
		_, err := f.Desk.Do(ctx, e.Actor.ID, o.ID, order.Ask{Verb: order.Unblocked})
		if err != nil && !errors.Is(err, order.ErrNotAllowed) {
			return Reply{}, fmt.Errorf("showing %s again: %w", o.ID, err)
		}
	}
	return Reply{}, nil
}
