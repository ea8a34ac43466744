package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// Tries are what a customer did to get tickets that did not arrive, and what they were told of their secret chat.
type Tries struct {
	Sends  []time.Time `json:"sends,omitempty"`  // tickets sent again at their wish, within triesKept
	Renews []time.Time `json:"renews,omitempty"` // new secret chats that they wanted, likewise
	// Anew is the wish for a new secret chat that was not opened yet: what the phone had seen is sent again in it. Empty: none.
	Anew string `json:"anew,omitempty"`
	// Gone is what was said of the secret chat being over, until another one opens; empty: nothing.
	Gone Why `json:"gone,omitempty"`
	// Since is when that was said first.
	Since time.Time `json:"since,omitzero"`
	// Offered is when tickets were last offered again because a secret chat had opened.
	Offered time.Time `json:"offered,omitzero"`
}

// Within triesKept a customer may have tickets sent again maxSends times, each an upload, and want maxRenews new
// secret chats. Who has one send left may have all tickets sent at once.
const (
	triesKept = time.Hour
	maxSends  = 10
	maxRenews = 3
)

// within drops what was done longer ago than triesKept.
func within(tries []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(tries, func(at time.Time) bool { return now.Sub(at) >= triesKept })
}

// mayTry tells whether one more is allowed; until is when it is again where it is not.
func mayTry(tries []time.Time, most int, now time.Time) (until time.Time, ok bool) {
	if tries = within(tries, now); len(tries) < most {
		return time.Time{}, true
	}
	return tries[len(tries)-most].Add(triesKept), false
}

// tooOften answers a wish that was had too often, and says when it can be had again.
func (t *turn) tooOften(id string, until time.Time) Reply {
	minutes := int(until.Sub(t.now)/time.Minute) + 1
	return Reply{Answer: cut(t.plain(id, args{"Minutes": t.plain("minutes", args{"Count": minutes})}), answerRoom), Alert: true}
}

// sendAgain hands a ticket over once more; without a secret chat it says how to make one. A second tap finds it on its
// way.
func (f *Flows) sendAgain(ctx context.Context, t *turn, o order.Order, id string) (Reply, error) {
	ticket := o.Ticket(id)
	if ticket == nil {
		return Reply{Answer: t.answer("tap.not_yours"), Alert: true}, nil
	}
	if !valid(o, *ticket, t.now) {
		return f.notSent(ctx, t, o, *ticket)
	}
	state, err := f.chat(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	if e := (entry{o: o, t: *ticket}); state == ChatOpen && (e.waits() || e.justSent(t.now)) {
		return Reply{Answer: t.answer("tap.on_its_way")}, f.wakeWaiting(ctx, t.customer())
	}
	return f.sendAll(ctx, t, []entry{{o: o, t: *ticket}}, state)
}

// doubleTap is how soon after a ticket was sent again another wish for it counts as the same one.
const doubleTap = 5 * time.Second

// justSent tells whether the ticket was sent again so shortly before that a wish for it is the same one once more.
func (e entry) justSent(now time.Time) bool {
	return e.t.Delivery.Count > 1 && now.Sub(e.t.Delivery.Sent) < doubleTap
}

// notSent says why a ticket can't be sent: its show is over, it is on its way back, or it is nobody's any more.
func (f *Flows) notSent(ctx context.Context, t *turn, o order.Order, ticket order.Ticket) (Reply, error) {
	switch {
	case o.ShowOver(t.now):
		return Reply{Answer: t.answer("tap.show_over"), Alert: true}, nil
	case ticket.State == order.Releasing && t.now.Before(ticket.Undo):
		return Reply{Answer: t.answer("tap.undo_first"), Alert: true}, nil
	case ticket.State == order.Releasing, ticket.State == order.Released:
		return Reply{Answer: t.answer("tap.given_back"), Alert: true}, nil
	}
	reply, err := f.snapshot(ctx, t, o)
	reply.Answer = t.answer("tap.old_card")
	return reply, err
}

// sendAllAgain hands over once more what went into a secret chat before: of one order, or all.
func (f *Flows) sendAllAgain(ctx context.Context, t *turn, a action) (Reply, error) {
	list, err := f.valids(ctx, t, a.orderOrAll())
	if err != nil {
		return Reply{}, err
	}
	if len(list) == 0 {
		return Reply{Answer: t.answer("tap.none_valid"), Alert: true}, nil
	}
	state, err := f.chat(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	given := slices.DeleteFunc(list, func(e entry) bool { return !e.given() || e.justSent(t.now) })
	if len(given) == 0 && state == ChatOpen {
		return Reply{Answer: t.answer("tap.on_its_way")}, f.wakeWaiting(ctx, t.customer())
	}
	return f.sendAll(ctx, t, given, state)
}

// sendAll hands tickets over once more. Without a secret chat they wait for one, and it says how to get it.
func (f *Flows) sendAll(ctx context.Context, t *turn, list []entry, state ChatState) (Reply, error) {
	if until, ok := mayTry(t.session.Tries.Sends, maxSends, t.now); !ok {
		return t.tooOften("tap.sent_enough", until), nil
	}
	someone, err := f.someone(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	if err := f.askAnew(ctx, t, list, order.Ask{Verb: order.SendAgain, Told: state != ChatOpen && someone}); err != nil {
		return Reply{}, err
	}
	t.session.Tries.Sends = within(t.session.Tries.Sends, t.now)
	for range list {
		t.session.Tries.Sends = append(t.session.Tries.Sends, t.now)
	}
	switch {
	case !someone:
		return Reply{Answer: t.answer("tap.no_courier"), Alert: true}, nil
	case state == ChatOpen:
		return Reply{Answer: cut(t.plain("tap.sending", args{"Count": len(list)}), answerRoom)}, nil
	}
	return f.waysBelow(ctx, t, "tap.sending_later")
}

// askAnew asks the same of each ticket. One that is the customer's no more meanwhile is let go.
func (f *Flows) askAnew(ctx context.Context, t *turn, list []entry, ask order.Ask) error {
	for _, e := range list {
		ask.Ticket = e.t.ID
		_, err := f.Desk.Do(ctx, t.customer(), e.o.ID, ask)
		if err != nil && !errors.Is(err, order.ErrNotAllowed) {
			return fmt.Errorf("sending ticket %s of %s again: %w", e.t.ID, e.o.ID, err)
		}
	}
	return nil
}

// anew ends the customer's secret chats, so that a new one can be made: on another phone, or where the old one is lost.
// In it everything that is valid is sent again. The wish is noted with the session; the courier ends the chats before
// that, so after a crash the same tap ends none that came after.
func (f *Flows) anew(ctx context.Context, t *turn) (Reply, error) {
	tries := &t.session.Tries
	last := tries.Renews
	if tries.Anew != "" && len(last) > 0 && t.now.Sub(last[len(last)-1]) < time.Minute {
		return Reply{Answer: t.answer("tap.anew_begun")}, nil // tapped before
	}
	if until, ok := mayTry(last, maxRenews, t.now); !ok {
		return t.tooOften("tap.renewed_enough", until), nil
	}
	if f.Renew != nil {
		err := f.Renew(ctx, t.customer())
		if errors.Is(err, order.ErrNoCourier) {
			return Reply{Answer: t.answer("tap.no_courier"), Alert: true}, nil
		}
		if err != nil {
			return Reply{}, fmt.Errorf("ending secret chats: %w", err)
		}
	}
	tries.Renews = append(within(last, t.now), t.now)
	tries.Anew = "anew-" + strconv.FormatInt(t.now.UnixNano(), 36)
	// The courier may need a moment to end them: a chat that is still open is none of those to come.
	t.stands, t.hint = ChatNone, "anew.begun"
	return f.waysBelow(ctx, t, "")
}

// waysBelow says how to get a secret chat that tickets wait for, below the tapped message. answer is the short note, where
// there is one.
func (f *Flows) waysBelow(ctx context.Context, t *turn, answer string) (Reply, error) {
	reply, err := f.ways(ctx, t, action{verb: doWays})
	if answer != "" {
		reply.Answer = t.answer(answer)
	}
	return reply, err
}
