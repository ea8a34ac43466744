package flows

import (
	"context"
	"strings"
)

// useless answers what there is no use for: a sticker, a picture, a place, a message that was changed after it had been
// answered.
func (f *Flows) useless(t *turn) Reply {
	id := "text.other"
	switch {
	case t.event.Other == "edited":
		return f.aside(t, Screen{Text: t.say("text.edited", nil), Buttons: t.menu(), Silent: true})
	case t.session.Screen == screenWallet || t.session.Screen == screenOwn:
		return f.aside(t, Screen{
			Text: t.say("text.other_address", nil), Buttons: [][]Button{{t.button("button.not_now", nil, act(doKeep))}},
		})
	case t.event.Other == "forward":
		id = "text.forwarded"
	}
	return f.aside(t, Screen{Text: t.say(id, nil), Buttons: t.menu()})
}

// stray answers a text that nothing waits for.
func (f *Flows) stray(t *turn) Reply {
	id := "text.unknown"
	if s := t.session.Screen; s == screenNames || s == screenRedirect || s == screenChatFirst {
		id = "text.not_here" // it belongs into the secret chat
	} else if _, err := f.Config.Network.ParseAddress(strings.TrimSpace(t.event.Text)); err == nil {
		id = "text.address"
	}
	return f.aside(t, Screen{Text: t.say(id, nil), Buttons: t.menu()})
}

// asideCommand answers a command that changes nothing of what was begun. ok is false for one that does, or that is none
// of these.
func (f *Flows) asideCommand(ctx context.Context, t *turn) (reply Reply, ok bool, err error) {
	switch t.event.Command {
	case "help":
		return f.aside(t, f.helpScreen(t)), true, nil
	case "support":
		screen, err := f.supportScreen(ctx, t)
		return f.aside(t, screen), true, err
	case "verify":
		reply, err := f.verify(ctx, t)
		return reply, true, err
	case "language":
		return f.aside(t, Screen{Text: t.say("language.only", nil), Buttons: t.menu()}), true, nil
	}
	return Reply{}, false, nil
}

// supportScreen says whom to ask, and how the orders are called that one may ask about.
func (f *Flows) supportScreen(ctx context.Context, t *turn) (Screen, error) {
	open, err := f.openOrders(ctx, t.customer())
	if err != nil {
		return Screen{}, err
	}
	var orders Text
	for _, o := range open[:min(len(open), maxListed)] {
		orders = lines(orders, t.say("support.order", orderArgs(o)))
	}
	text := paragraphs(t.say("support", args{"Support": f.support(t.voice)}), orders)
	return Screen{Text: text, Buttons: append(f.supportRow(t.voice), t.menu()...)}, nil
}

func (f *Flows) helpScreen(t *turn) Screen {
	return Screen{Text: t.say("help", nil), Buttons: append(t.menu(), f.supportRow(t.voice)...)}
}

func (f *Flows) supportRow(v voice) [][]Button {
	if row := f.supportButton(v); row != nil {
		return [][]Button{row}
	}
	return nil
}

func (f *Flows) unknownCommand(t *turn) Reply {
	return f.aside(t, Screen{Text: t.say("command.unknown", nil), Buttons: t.menu()})
}
