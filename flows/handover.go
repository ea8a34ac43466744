package flows

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/usherbot/usher/flows/order"
)

// hintStuck says what the reasons may be where somebody started a secret chat and nothing came of it.
const hintStuck = "handover.stuck"

// handover explains, on the way to an order, how to get to the secret chat. It goes on by itself when the chat opens.
func (f *Flows) handover(ctx context.Context, t *turn, o offer, state ChatState) (Reply, error) {
	w, err := f.way(ctx, t, state)
	if errors.Is(err, order.ErrNoCourier) {
		return f.stopped(t, o, &obstacle{id: offID(OffCourier)}), nil
	}
	if err != nil {
		return Reply{}, err
	}
	key := showKey(o.Show.TxID)
	why := w.hinted(t)
	if why == nil {
		why = t.say("handover.why", nil)
	}
	buttons := append(w.rows(t.voice),
		t.kinds(func(kind string) string { return act(doPhone, key, kind) }),
		[]Button{t.button("button.stuck", nil, act(doStuck, key)), t.button("button.no_phone", nil, act(doLater))},
	)
	text := paragraphs(why, w.steps(t, t.say("handover.goes_on", nil)))
	return f.waiting(t, screenHandover, Screen{Text: text, Buttons: f.helped(t, buttons)}), nil
}

// helped adds whom to ask, where what should have happened did not.
func (f *Flows) helped(t *turn, buttons [][]Button) [][]Button {
	if t.hint != hintStuck {
		return buttons
	}
	return append(buttons, f.supportRow(t.voice)...)
}

// later is for who has no phone at hand: nothing is held, and one tap goes on with the same seats. Should the secret chat
// open first, the screen goes on by itself.
func (f *Flows) later(t *turn) Reply {
	d := t.session.Draft
	if len(d.Seats) == 0 {
		return f.inPlace(t, Screen{Text: t.say("handover.later", nil), Buttons: t.menu()})
	}
	id, a := "button.continue_seat", args{"Seat": seatName(d.Seats[0])}
	if len(d.Seats) > 1 {
		id, a = "button.continue_seats", args{"Number": len(d.Seats)}
	}
	text := paragraphs(t.say("handover.later", nil), t.say("handover.later_seats", args{
		"Count": len(d.Seats), "Seats": enumerate(seatNames(d.Seats)),
	}))
	row := []Button{t.button(id, a, act(doGo, showKey(d.Show)))}
	return f.waiting(t, screenHandover, Screen{Text: text, Buttons: append([][]Button{row}, t.menu()...)})
}

// waiting shows a screen that goes on by itself when a secret chat opens: the session notes which one it is, and which
// message it is in.
func (f *Flows) waiting(t *turn, screen string, s Screen) Reply {
	// A picture does not become a text in place, and of a new message the number is known only once it is sent: then
	// whoever sends it says which one it is.
	stays := t.session.Shown != 0 && t.session.Shown == t.event.Message && t.session.Hall.Show == ""
	reply := f.inPlace(t, s)
	t.session.Screen = screen
	if !stays {
		t.session.Shown = 0
		reply.Screens[0].Card = chatCard(handoverPrefix, t.customer())
	}
	return reply
}

// What a card is that is no order's: a screen on the way to a secret chat, of the customer whose id follows.
const (
	handoverPrefix = "handover" // the current screen
	wayPrefix      = "way"      // a message beside what was begun
)

// chatCard names a screen that goes on by itself when a secret chat opens, for whoever sends it.
func chatCard(prefix string, customer int64) string {
	return prefix + ":" + strconv.FormatInt(customer, 10)
}

// chatShown notes which message such a screen is in. ok is false where the card is none.
func (f *Flows) chatShown(ctx context.Context, card string, message int) (ok bool, err error) {
	prefix, id, _ := strings.Cut(card, ":")
	if prefix != handoverPrefix && prefix != wayPrefix {
		return false, nil
	}
	customer, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return false, nil //nolint:nilerr // it is no card of ours then
	}
	t, err := f.turnSoon(ctx, customer)
	if err != nil {
		return true, err
	}
	waits := t.session.Screen == screenHandover || t.session.Screen == screenChatFirst
	switch {
	case prefix == wayPrefix && t.session.Way == wayUnknown:
		t.session.Way = message
	case prefix == handoverPrefix && waits && t.session.Shown == 0:
		t.session.Shown = message
	default:
		return true, f.release(ctx, customer) // things have moved on
	}
	return true, f.end(ctx, t)
}
