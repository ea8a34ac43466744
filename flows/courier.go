package flows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// turnTries and turnWait bound how long news from the courier wait for a customer who is being answered.
const (
	turnTries = 20
	turnWait  = 250 * time.Millisecond
)

// TextReceived gives the answer to a text that a customer wrote in the secret chat. Where a name was asked for, the text
// is one; where a refund address was, it is that: the most recent question counts. An empty answer is none: so many texts
// are not answered. Errors: what did not answer; the same text may be given again.
func (f *Flows) TextReceived(ctx context.Context, customer int64, text string) (answer string, err error) {
	session, err := f.Sessions.Peek(ctx, customer)
	if err != nil {
		return "", fmt.Errorf("reading a session: %w", err)
	}
	if session.Screen == screenNames || session.Screen == screenNamed {
		return f.secretly(ctx, customer, func(t *turn) (string, Reply, error) { return f.takeName(ctx, t, fold(text)) })
	}
	waits, err := f.awaitsAddress(ctx, customer, session, text)
	if err != nil {
		return "", err
	}
	if waits != nil {
		return f.secretly(ctx, customer, func(t *turn) (string, Reply, error) { return f.takeAddress(ctx, t, text) })
	}
	return f.idleAnswer(ctx, customer, session)
}

// secretly takes a text from the secret chat in the customer's turn: take gives the answer for that chat, and what the
// bot chat turns into; empty where it stays as it is. After an error the same text may be given again.
func (f *Flows) secretly(ctx context.Context, customer int64, take func(*turn) (string, Reply, error)) (answer string, err error) {
	t, err := f.turnSoon(ctx, customer)
	if err != nil {
		return "", err
	}
	edit := t.session.Shown
	answer, next, err := take(t)
	if err != nil {
		return "", errors.Join(err, f.release(ctx, customer))
	}
	answer = f.answering(t, answer)
	if len(next.Screens) > 0 {
		t.session.Shown = edit // the message stays the one that it was
	}
	if err := f.end(ctx, t); err != nil {
		return "", err
	}
	if len(next.Screens) == 0 {
		return answer, nil
	}
	if _, err := f.send(ctx, customer, edit, next.Screens[0].Screen); err != nil && !errors.Is(err, order.ErrBlocked) {
		return "", fmt.Errorf("going on after a text in the secret chat: %w", err)
	}
	return answer, nil
}

// courierAnswer says in the secret chat that nothing was asked for there.
func (f *Flows) courierAnswer(v voice) string {
	return v.plain("courier.answer", args{"Bot": "@" + f.Config.BotUsername})
}

// turnSoon takes the customer's turn for something that no update led to.
func (f *Flows) turnSoon(ctx context.Context, customer int64) (*turn, error) {
	e := Event{Kind: Private, Actor: Actor{ID: customer}, Chat: customer}
	var err error
	for range turnTries {
		var t *turn
		if t, _, err = f.begin(ctx, e); err == nil {
			return t, nil
		}
		if !errors.Is(err, order.ErrBusy) {
			return nil, err
		}
		if waited := f.Wait(ctx, turnWait); waited != nil {
			return nil, errors.Join(err, waited)
		}
	}
	return nil, err
}

// wakeUnpaid has the cards of orders that wait for money say how the secret chat stands.
func (f *Flows) wakeUnpaid(ctx context.Context, customer int64) error {
	open, err := f.unpaid(ctx, customer)
	if err != nil {
		return err
	}
	for _, o := range open {
		_, err := f.Desk.Do(ctx, customer, o.ID, order.Ask{Verb: order.Unblocked})
		if err != nil && !errors.Is(err, order.ErrNotAllowed) {
			return fmt.Errorf("waking order %s: %w", o.ID, err)
		}
	}
	return nil
}

// wakeWaiting has tickets handed over that waited for a secret chat, and asks how far those are that the phone has not
// fetched.
func (f *Flows) wakeWaiting(ctx context.Context, customer int64) error {
	if f.Wake != nil {
		return f.Wake(ctx, customer)
	}
	all, err := f.Desk.List(ctx, customer)
	if err != nil {
		return fmt.Errorf("listing orders: %w", err)
	}
	for _, o := range all {
		if !waitsForChat(o) && !unfetched(o) {
			continue
		}
		_, err := f.Desk.Do(ctx, customer, o.ID, order.Ask{Verb: order.Unblocked})
		if err != nil && !errors.Is(err, order.ErrNotAllowed) {
			return fmt.Errorf("waking order %s: %w", o.ID, err)
		}
	}
	return nil
}

func waitsForChat(o order.Order) bool {
	for _, t := range o.Tickets {
		if t.Delivery.State == order.DeliveryWaiting {
			return true
		}
	}
	return false
}
