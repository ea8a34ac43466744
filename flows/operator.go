package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// operator does the commands of the operator. Who is none never gets here.
func (f *Flows) operator(ctx context.Context, t *turn) (Reply, error) {
	switch t.event.Command {
	case "status":
		return f.status(ctx, t)
	case "attention":
		return f.attentionList(ctx, t)
	case "venue":
		return f.venue(ctx, t)
	case "pause":
		return f.pause(ctx, t, true)
	case "resume":
		return f.pause(ctx, t, false)
	}
	return f.unknownCommand(t), nil
}

func (f *Flows) status(ctx context.Context, t *turn) (Reply, error) {
	sales, tip, err := f.onSale(ctx)
	if err != nil {
		return Reply{}, err
	}
	selling := t.say("operator.selling", nil)
	if off := f.off(ctx, tip); off != nil {
		selling = t.say("operator.not_selling", args{"Why": t.plain(off.id, off.args)})
	}
	text := lines(selling, t.say("operator.tip", args{"Block": block(tip.Height), "Time": moment(tip.Time), "Network": tip.Network}),
		t.say("operator.shows", args{"Count": len(sales)}))
	if !tip.Healthy {
		text = lines(text, t.say("operator.node", args{"Why": tip.Why}))
	}
	if f.Status != nil {
		more, err := f.Status(ctx)
		if err != nil {
			return Reply{}, fmt.Errorf("asking for the status: %w", err)
		}
		for _, line := range more {
			text = lines(text, Text{{Text: line}})
		}
	}
	return f.fresh(t, Screen{Text: text}), nil
}

// maxAttention bounds the list of orders that need a person, so that it fits a message.
const maxAttention = 10

func (f *Flows) attentionList(ctx context.Context, t *turn) (Reply, error) {
	var orders []order.Order
	if f.Attention != nil {
		var err error
		if orders, err = f.Attention(ctx); err != nil {
			return Reply{}, fmt.Errorf("listing what needs a person: %w", err)
		}
	}
	var reply Reply
	for _, o := range orders {
		for _, ticket := range o.Tickets {
			if ticket.State == order.Attention && len(reply.Screens) < maxAttention {
				reply.Screens = append(reply.Screens, Outgoing{Chat: t.event.Chat, Screen: f.attendScreen(t.voice, o, ticket)})
			}
		}
	}
	if len(reply.Screens) == 0 {
		return f.fresh(t, Screen{Text: t.say("operator.nothing", nil)}), nil
	}
	return reply, nil
}

func (f *Flows) pause(ctx context.Context, t *turn, paused bool) (Reply, error) {
	id := "operator.resumed"
	if paused {
		id = "operator.paused"
	}
	if f.Pause == nil {
		id = "operator.no_pause"
	} else if err := f.Pause(ctx, paused); err != nil {
		return Reply{}, fmt.Errorf("pausing: %w", err)
	}
	return f.fresh(t, Screen{Text: t.say(id, nil)}), nil
}

// venue adds or removes a contract to sell from, or lists them.
func (f *Flows) venue(ctx context.Context, t *turn) (Reply, error) {
	if f.Venue == nil || f.Venues == nil {
		return f.unknownCommand(t), nil
	}
	verb, text, _ := strings.Cut(strings.TrimSpace(t.event.Argument), " ")
	if verb != "add" && verb != "remove" {
		return f.venueList(ctx, t)
	}
	contract, err := f.Config.Network.ParseAddress(strings.TrimSpace(text))
	if err != nil {
		return f.fresh(t, Screen{Text: t.say("operator.venue_wrong", args{"Network": f.Config.Network.Name})}), nil
	}
	id := "operator.venue_removed"
	if verb == "add" {
		id = "operator.venue_added"
	}
	err = f.Venue(ctx, contract, verb == "add")
	if errors.Is(err, order.ErrNoContract) {
		id = "operator.venue_none"
	} else if err != nil {
		return Reply{}, fmt.Errorf("changing the venues: %w", err)
	}
	return f.fresh(t, Screen{Text: t.say(id, args{"Contract": string(contract)})}), nil
}

func (f *Flows) venueList(ctx context.Context, t *turn) (Reply, error) {
	contracts, err := f.Venues(ctx)
	if err != nil {
		return Reply{}, fmt.Errorf("listing the venues: %w", err)
	}
	text := t.say("operator.venues", args{"Count": len(contracts)})
	for _, contract := range contracts {
		text = lines(text, Text{{Text: string(contract), Style: Code}})
	}
	return f.fresh(t, Screen{Text: text}), nil
}

// Attend tells the operator of a ticket that needs a person. It implements order.Teller. It fails only where nobody
// could be told.
func (f *Flows) Attend(ctx context.Context, o order.Order, ticket string) error {
	t := o.Ticket(ticket)
	if t == nil {
		return fmt.Errorf("attending to order %s: %w", o.ID, order.ErrNotFound)
	}
	if err := f.tellOperators(ctx, f.attendScreen(f.voice(""), o, *t)); err != nil {
		return fmt.Errorf("telling of order %s: %w", o.ID, err)
	}
	return nil
}

// PasswordRefused tells the operators that the node does not open a wallet with its password. It fails where none of
// them could be told.
func (f *Flows) PasswordRefused(ctx context.Context, wallet string) error {
	text := f.voice("").say("operator.password", args{"Wallet": wallet})
	if err := f.tellOperators(ctx, Screen{Text: text}); err != nil {
		return fmt.Errorf("telling of wallet %s: %w", wallet, err)
	}
	return nil
}

// StoreNewsTold tells the operators that Redis could forget what it is told, or that it does not any more, and why. It
// fails where none of them could be told.
func (f *Flows) StoreNewsTold(ctx context.Context, keeps bool, why string) error {
	id := "operator.store_off"
	if keeps {
		id = "operator.store_on"
	}
	if err := f.tellOperators(ctx, Screen{Text: f.voice("").say(id, args{"Why": why})}); err != nil {
		return fmt.Errorf("telling how Redis keeps data: %w", err)
	}
	return nil
}

// FloatLow tells the operators that the float does not cover the worst that open orders may cost it. It fails where none of
// them could be told.
func (f *Flows) FloatLow(ctx context.Context, free, needed cirrus.Strats) error {
	text := f.voice("").say("operator.float", args{"Free": f.crs(free), "Needed": f.crs(needed), "Missing": f.crs(needed - free)})
	if err := f.tellOperators(ctx, Screen{Text: text}); err != nil {
		return fmt.Errorf("telling of the float: %w", err)
	}
	return nil
}

// StoreOlderTold tells the operators that Redis has come back with older data. It fails where none of them could be told.
func (f *Flows) StoreOlderTold(ctx context.Context) error {
	if err := f.tellOperators(ctx, Screen{Text: f.voice("").say("operator.store_older", nil)}); err != nil {
		return fmt.Errorf("telling that Redis has older data: %w", err)
	}
	return nil
}

// tellOperators sends each operator a message. It fails where none got it.
func (f *Flows) tellOperators(ctx context.Context, screen Screen) error {
	var failed []error
	for _, admin := range f.Config.Admins {
		if _, err := f.send(ctx, admin, 0, screen); err != nil {
			failed = append(failed, fmt.Errorf("telling an operator: %w", err))
		}
	}
	if len(failed) < len(f.Config.Admins) {
		return nil
	}
	return errors.Join(failed...)
}

// attendScreen says what happened, what was tried, and what can be done.
func (f *Flows) attendScreen(v voice, o order.Order, t order.Ticket) Screen {
	why := "operator.reason.other"
	if slices.Contains(Reasons(), t.Reason) {
		why = "operator.reason." + string(t.Reason)
	}
	text := paragraphs(
		v.say("operator.attend", args{
			"Order": string(o.ID), "Seat": seatName(t.Seat), "Contract": o.Show.Contract.Short(),
			"Show": showName(o.Show),
		}),
		v.say(why, nil),
		v.say("operator.where", args{
			"Address": string(t.Address), "Wallet": t.Account.String(), "Sum": f.crs(t.Coin.Amount),
			"Before": string(t.Before),
		}),
		f.tried(v, "operator.reserve", t.Reserve), f.tried(v, "operator.release", t.Release),
	)
	return Screen{Text: text, Buttons: [][]Button{attendButtons(v, o, t)}}
}

func (f *Flows) tried(v voice, id string, c order.Call) Text {
	if c.Attempt == 0 {
		return nil
	}
	tx, in := v.plain("operator.no_tx", nil), v.plain("operator.no_block", nil)
	if c.TxID != "" {
		tx = string(c.TxID)
	}
	if c.Block != 0 {
		in = block(c.Block)
	}
	return v.say(id, args{"Count": c.Attempt, "Refused": c.Refused, "Tx": tx, "Block": in})
}

// operatorAsks are the buttons of the operator, by what they ask.
func operatorAsks() map[order.Verb]verb {
	return map[order.Verb]verb{order.Resolve: doResolve, order.LetGo: doLetGo, order.PayBack: doPayBack}
}

// askedBy is what a button of the operator asks.
func askedBy(button verb) order.Verb {
	for ask, with := range operatorAsks() {
		if with == button {
			return ask
		}
	}
	return ""
}

// operatorButton names the words of a button of the operator.
func operatorButton(ask order.Verb) string {
	switch ask {
	case order.LetGo:
		return "button.let_go"
	case order.PayBack:
		return "button.pay_back"
	default:
		return "button.resolve"
	}
}

// attendButtons are the ways on that fit why the ticket needs a person.
func attendButtons(v voice, o order.Order, t order.Ticket) []Button {
	var row []Button
	for _, ask := range t.Asks() {
		row = append(row, v.button(operatorButton(ask), nil, act(operatorAsks()[ask], string(o.ID), t.ID)))
	}
	return row
}

// operatorTapped carries out a button of the operator.
func (f *Flows) operatorTapped(ctx context.Context, t *turn, a action) (Reply, error) {
	if !f.admin(t.customer()) {
		return Reply{Answer: t.answer("tap.not_yours"), Alert: true}, nil
	}
	if f.Operate == nil {
		return Reply{Answer: t.answer("operator.moved_on"), Alert: true}, nil
	}
	_, err := f.Operate(ctx, order.ID(a.args[0]), order.Ask{Verb: askedBy(a.verb), Ticket: a.args[1]})
	switch {
	case errors.Is(err, order.ErrNotFound), errors.Is(err, order.ErrNotAllowed):
		return Reply{Answer: t.answer("operator.moved_on"), Alert: true}, nil
	case err != nil:
		return Reply{}, fmt.Errorf("asking %s of order %s: %w", a.verb, a.args[0], err)
	}
	return Reply{Answer: t.answer("operator.done")}, nil
}
