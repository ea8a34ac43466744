package flows

import (
	"context"
	"errors"
	"slices"

	"github.com/usherbot/usher/flows/order"
)

// wayUnknown stands in Session.Way until it is known which message the ways to a secret chat are in.
const wayUnknown = -1

// ways shows how to get to a secret chat to somebody whose tickets wait for one. It leaves what was begun as it is, and
// tells by itself when the chat is open. With an argument it takes the place of the message that was tapped: the kind of
// phone, or "stuck" where the chat was started and nothing came of it.
func (f *Flows) ways(ctx context.Context, t *turn, a action) (Reply, error) {
	state, err := f.chatOf(ctx, t)
	if err != nil {
		return Reply{}, err
	}
	out := Outgoing{Chat: t.event.Chat}
	if len(a.args) > 0 {
		out.Edit = t.event.Message
		if slices.Contains(phones(), a.args[0]) {
			t.session.Phone = a.args[0]
		} else {
			t.hint = hintStuck
		}
	}
	if out.Screen, err = f.wayScreen(ctx, t, state); err != nil {
		return Reply{}, err
	}
	if state == ChatOpen {
		t.session.Way = 0
		return Reply{Screens: []Outgoing{out}}, nil
	}
	return Reply{Screens: f.goesOn(t, out)}, nil
}

// goesOn makes a message the one that tells when a secret chat is open. Another one that did so before says that it does
// not any more: its line for the courier counts no longer.
func (f *Flows) goesOn(t *turn, out Outgoing) []Outgoing {
	before := t.session.Way
	if t.session.Way = out.Edit; out.Edit == 0 {
		t.session.Way, out.Card = wayUnknown, chatCard(wayPrefix, t.customer())
	}
	if before <= 0 || before == out.Edit {
		return []Outgoing{out}
	}
	return []Outgoing{out, {Chat: out.Chat, Edit: before, Screen: t.wayMoved()}}
}

// wayMoved is what a message says that told how to get to a secret chat, once another one does.
func (v voice) wayMoved() Screen {
	return Screen{Text: v.say("way.moved", nil), Buttons: v.menuBelow()}
}

// wayScreen says how to get to a secret chat, or that there is one.
func (f *Flows) wayScreen(ctx context.Context, t *turn, state ChatState) (Screen, error) {
	w, err := f.way(ctx, t, state)
	switch {
	case errors.Is(err, order.ErrNoCourier):
		row := []Button{t.button("button.look_again", nil, act(doWays, t.phone()))}
		return Screen{Text: paragraphs(w.hinted(t), t.say("way.no_courier", nil)), Buttons: [][]Button{row}}, nil
	case err != nil:
		return Screen{}, err
	case state == ChatOpen:
		text := t.say("way.open", args{"Courier": w.contact.Username})
		return Screen{Text: text, Buttons: append([][]Button{t.openCourier(w.contact)}, t.menuBelow()...)}, nil
	}
	first := w.hinted(t)
	if first == nil {
		first = t.say("way.none", nil)
	}
	buttons := append(w.rows(t.voice),
		t.kinds(func(kind string) string { return act(doWays, kind) }),
		[]Button{t.button("button.stuck", nil, act(doWays, string(doStuck))), t.button("button.tickets", nil, act(doMine))},
	)
	return Screen{Text: paragraphs(first, w.steps(t, t.say("way.goes_on", nil))), Buttons: f.helped(t, buttons)}, nil
}

// menuBelow is the menu under a message that stays as it is.
func (v voice) menuBelow() [][]Button {
	return [][]Button{{v.button("button.shows", nil, act(doMore)), v.button("button.tickets", nil, act(doMine))}}
}
