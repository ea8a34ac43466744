package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// showNewsWithin bounds one screen that news lead to: the customer's turn is taken meanwhile.
const showNewsWithin = 10 * time.Second

// ChatOpened hears that a secret chat with a customer opened. The screen that waited for it goes on by itself, and
// tickets that waited are handed over. Errors: what did not answer; the news may be given again.
func (f *Flows) ChatOpened(ctx context.Context, customer int64) error {
	err := f.hear(ctx, customer, f.openedNow)
	return errors.Join(err, f.wakeWaiting(ctx, customer), f.wakeUnpaid(ctx, customer))
}

// ChatClosed hears that the secret chat with a customer is gone, and why. A screen that needs one says so, and somebody
// who is about to pay, or has tickets, is told at once. Errors as of ChatOpened.
func (f *Flows) ChatClosed(ctx context.Context, customer int64, why Why) error {
	err := f.hear(ctx, customer, func(ctx context.Context, t *turn) ([]showing, error) { return f.closedNow(ctx, t, why) })
	return errors.Join(err, f.wakeWaiting(ctx, customer), f.wakeUnpaid(ctx, customer))
}

// ChatAsked hears that the courier has asked a customer's phone for a secret chat. The screen that waits for it says so.
// Errors as of ChatOpened.
func (f *Flows) ChatAsked(ctx context.Context, customer int64) error {
	return f.hear(ctx, customer, func(ctx context.Context, t *turn) ([]showing, error) {
		state, err := f.chat(ctx, t.customer())
		if err != nil || state == ChatOpen {
			return nil, err // it is open by now
		}
		t.session.Asked, t.stands = true, ChatPending
		all, err := f.waitingScreens(ctx, t)
		return all[:min(len(all), 1)], err
	})
}

// ChatRefused hears that the courier could not start a secret chat, and why, so that the customer must. The screen that
// waits for one says what to do; where there is none any more, that rings only if a ticket waits. Errors as of
// ChatOpened.
func (f *Flows) ChatRefused(ctx context.Context, customer int64, why Why) error {
	return f.hear(ctx, customer, func(ctx context.Context, t *turn) ([]showing, error) { return f.refusedNow(ctx, t, why) })
}

// showing is a screen that news lead to.
type showing struct {
	Screen
	edit  int // 0: a new message
	shown func(message int)
}

// hear takes the customer's turn for news of their secret chat. What they lead to is shown within the turn: news that
// are given again after a crash show the same once more, in the same message.
func (f *Flows) hear(ctx context.Context, customer int64, lead func(context.Context, *turn) ([]showing, error)) error {
	t, err := f.turnSoon(ctx, customer)
	if err != nil {
		return err
	}
	all, err := lead(ctx, t)
	for _, s := range all {
		if err == nil {
			err = f.showNews(ctx, customer, s)
		}
	}
	if err != nil {
		return errors.Join(err, f.release(ctx, customer))
	}
	return f.end(ctx, t)
}

func (f *Flows) showNews(ctx context.Context, customer int64, s showing) error {
	ctx, done := context.WithTimeout(ctx, showNewsWithin)
	defer done()
	message, err := f.send(ctx, customer, s.edit, s.Screen)
	if errors.Is(err, order.ErrBlocked) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("telling how a secret chat stands: %w", err)
	}
	s.shown(message)
	return nil
}

// openedNow is what a screen turns into that waited for the chat.
func (f *Flows) openedNow(ctx context.Context, t *turn) ([]showing, error) {
	t.session.Chat, t.session.Asked, t.stands = true, false, ChatOpen
	all, err := f.waitingScreens(ctx, t)
	if err == nil {
		all, err = f.intoNewChat(ctx, t, all)
	}
	t.session.Way, t.session.Tries.Anew, t.session.Tries.Gone, t.session.Tries.Since = 0, "", "", time.Time{}
	return all, err
}

// waitingScreens are the screens that wait for a secret chat, as they are now that it stands differently: the one on the
// way to something first.
func (f *Flows) waitingScreens(ctx context.Context, t *turn) ([]showing, error) {
	var all []showing
	current, err := f.waitingScreen(ctx, t)
	if err != nil {
		return nil, err
	}
	if current != nil {
		all = append(all, *current)
	}
	if t.session.Way == 0 {
		return all, nil
	}
	beside, err := f.besides(ctx, t)
	return append(all, beside), err
}

// waitingScreen is the current screen, where it waits for a secret chat; nil where it does not.
func (f *Flows) waitingScreen(ctx context.Context, t *turn) (*showing, error) {
	switch {
	case t.session.Redirect != "" && (t.session.Screen == screenChatFirst || t.session.Screen == screenRedirect):
		return f.inItsPlace(ctx, t, f.askAfterChat)
	case t.session.Screen == screenExchange && t.session.Exchange != nil && t.stands == ChatOpen:
		return f.inItsPlace(ctx, t, f.exchangeAfterChat)
	case t.session.Screen == screenHandover && len(t.session.Draft.Seats) > 0:
		return f.inItsPlace(ctx, t, f.resume)
	}
	return nil, nil
}

// inItsPlace lets a conversation go on in the message that its screen is in.
func (f *Flows) inItsPlace(ctx context.Context, t *turn, on func(context.Context, *turn) (Reply, error)) (*showing, error) {
	edit := t.session.Shown
	t.session.Screen = ""
	reply, err := on(ctx, t)
	if err != nil || len(reply.Screens) == 0 {
		return nil, err
	}
	// The message stays the one that it was: buttons of the new screen must not be older than it.
	t.session.Shown = edit
	shown := func(message int) { t.session.Shown = message }
	return &showing{Screen: reply.Screens[0].Screen, edit: edit, shown: shown}, nil
}

// besides is the message beside what was begun that says how to get to a secret chat.
func (f *Flows) besides(ctx context.Context, t *turn) (showing, error) {
	screen, err := f.wayScreen(ctx, t, t.stands)
	open := t.stands == ChatOpen // then nothing is left for it to tell
	shown := func(message int) {
		if !open {
			t.session.Way = message
		}
	}
	return showing{Screen: screen, edit: max(t.session.Way, 0), shown: shown}, err
}

// refusedNow says that the customer must start the chat, and how.
func (f *Flows) refusedNow(ctx context.Context, t *turn, why Why) ([]showing, error) {
	t.session.Asked = false
	state, err := f.chat(ctx, t.customer())
	if err != nil || state == ChatOpen {
		return nil, err // then another one was opened meanwhile, and nothing is missing
	}
	t.stands, t.hint = ChatNone, refusedHint(why)
	t.ownWay = why == WhyBudget || why == WhyFlood || why == WhyPrivacy
	all, err := f.waitingScreens(ctx, t)
	if err != nil || len(all) > 0 {
		return all[:min(len(all), 1)], err
	}
	orders, err := f.Desk.List(ctx, t.customer())
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	if !slices.ContainsFunc(orders, waitsForChat) {
		return nil, nil
	}
	s, err := f.besides(ctx, t)
	return []showing{s}, err
}

// refusedHint is the id of what is said where the courier could not start a chat.
func refusedHint(why Why) string {
	switch why {
	case WhyBudget, WhyFlood:
		return "refused.limit"
	case WhyPrivacy, WhyBlocked, WhyPeer, WhySilence, WhyAccount:
		return "refused." + string(why)
	case WhyFault:
	}
	return "refused.fault"
}

// closedHint is the id of what is said where a chat is over.
func closedHint(why Why) string {
	switch why {
	case WhyPeer, WhyBlocked, WhyAccount:
		return "closed." + string(why)
	case WhyFault, WhyBudget, WhyFlood, WhyPrivacy, WhySilence:
	}
	return "closed.fault"
}

// closedNow goes back to the hand-over where something is asked for in the secret chat, and rings where somebody is about
// to pay.
func (f *Flows) closedNow(ctx context.Context, t *turn, why Why) ([]showing, error) {
	t.session.Asked = false
	state, err := f.chat(ctx, t.customer())
	if err != nil || state == ChatOpen {
		return nil, err // another one has taken its place
	}
	again := !t.session.Chat && t.session.Way > 0 // it has rung already, and the news are given once more
	t.session.Chat, t.stands, t.hint = false, state, closedHint(why)
	var all []showing
	current, err := f.needingScreen(ctx, t)
	if err != nil {
		return nil, err
	}
	if current != nil {
		all = append(all, *current)
	}
	bell, err := f.unpaidBell(ctx, t)
	if err == nil && bell != nil && !again {
		bell.edit = 0
	}
	if err == nil {
		bell, err = f.goneBell(ctx, t, why, bell)
	}
	if err != nil || bell == nil {
		return all, err
	}
	all = append(all, *bell)
	if before := t.session.Way; bell.edit == 0 && before > 0 {
		all = append(all, showing{Screen: t.wayMoved(), edit: before, shown: func(int) {}})
	}
	return all, nil
}

// needingScreen is what the current screen turns into, where its question was asked in the chat that is gone; nil where
// it was not.
func (f *Flows) needingScreen(ctx context.Context, t *turn) (*showing, error) {
	switch {
	case t.session.Screen == screenRedirect && t.session.Redirect != "":
		return f.inItsPlace(ctx, t, f.askAfterChat)
	case t.session.Screen == screenNames && len(t.session.Draft.Seats) > 0:
		return f.inItsPlace(ctx, t, f.resume)
	}
	return nil, nil
}

// unpaidBell rings where an order waits for money and its ticket could not be handed over; nil where none does. Its
// address stays valid, and the ticket would wait.
func (f *Flows) unpaidBell(ctx context.Context, t *turn) (*showing, error) {
	open, err := f.unpaid(ctx, t.customer())
	open = slices.DeleteFunc(open, func(o order.Order) bool { return !asksMoney(o) })
	if err != nil || len(open) == 0 {
		return nil, err
	}
	s, err := f.besides(ctx, t)
	if err != nil {
		return nil, err
	}
	about := t.say("closed.unpaid", args{
		"Count": len(open), "Seats": enumerate(seatNames(seatsOf(open[0]))), "Show": showName(open[0].Show),
	})
	s.Text = paragraphs(about, s.Text)
	return &s, nil
}

// asksMoney tells whether an order waits for money that may not have been sent yet.
func asksMoney(o order.Order) bool {
	return o.State == order.AwaitingPayment || o.State == order.PartPaid
}
