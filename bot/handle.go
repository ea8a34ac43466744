package bot

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/go-telegram/bot"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// process takes one update from its lane to its end: handled and, where it was a tap, answered. Its screens go out on a
// lane of their own, so that Telegram's limits on sending hold up no update.
func (b *Bot) process(ctx context.Context, key int64, u update) {
	event, ok := b.event(u)
	var reply flows.Reply
	switch q := u.raw.CallbackQuery; {
	case ok:
		var err error
		if reply, err = b.handle(ctx, event); err == nil {
			break
		}
		if ctx.Err() != nil || !b.isHopeless(u, err) {
			b.comesAgain(u)
			return
		}
		b.log.Error("update given up", "update", u.id, "customer", event.Actor.ID, "chat", event.Chat, "error", err)
		reply = b.sorry(event)
	case q != nil:
		event = flows.Event{ID: u.id, Callback: q.ID}
	}
	if !b.landed(u, event, reply) {
		b.answer(ctx, event, reply)
	}
	b.send(ctx, key, event, reply)
	b.window.done(u.id)
}

// comesAgain leaves an update to Telegram: one that was polled for is not confirmed.
func (b *Bot) comesAgain(u update) {
	if u.flight != nil {
		b.flights.fail(u.flight)
	}
}

// handle gives the event to the conversations until they took it, with growing pauses. After the last try it gives
// their error.
func (b *Bot) handle(ctx context.Context, e flows.Event) (flows.Reply, error) {
	failed, busy := 0, 0
	for {
		reply, err := b.tryHandle(ctx, e)
		if err == nil || ctx.Err() != nil {
			return reply, err
		}
		pause := b.rules.Pause
		if errors.Is(err, order.ErrBusy) {
			busy++
		} else {
			failed++
			pause = b.rules.pause(failed)
			b.log.Warn("update failed", "update", e.ID, "customer", e.Actor.ID, "try", failed, "error", err)
		}
		if failed >= b.rules.Tries || busy >= b.rules.BusyTries {
			return reply, err
		}
		if waitErr := b.cfg.Wait(ctx, pause); waitErr != nil {
			return reply, errors.Join(err, waitErr)
		}
	}
}

// tryHandle gives the event once. A panic of one conversation is an error like others: it must not end the
// conversations of everybody.
func (b *Bot) tryHandle(ctx context.Context, e flows.Event) (reply flows.Reply, err error) {
	select {
	case b.working <- struct{}{}:
	case <-ctx.Done():
		return reply, ctx.Err()
	}
	defer func() { <-b.working }()
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("handler panicked", "update", e.ID, "customer", e.Actor.ID, "stack", string(debug.Stack()))
			err = errPanicked // p may hold anything
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, b.rules.HandleWithin)
	defer cancel()
	return b.cfg.Handler.Handle(ctx, e)
}

// sorry is the reply to an event that was given up. A group hears nothing.
func (b *Bot) sorry(e flows.Event) flows.Reply {
	text := b.cfg.Sorry(e.Actor.Language)
	switch {
	case e.Callback != "":
		return flows.Reply{Answer: text}
	case e.Kind == flows.Private:
		return flows.Reply{Screens: []flows.Outgoing{{Chat: e.Chat, Screen: flows.Screen{Text: flows.Text{{Text: text}}}}}}
	}
	return flows.Reply{}
}

// maxAnswerText is how long the answer to a tap may be, in UTF-16 units (Bot API, answerCallbackQuery).
const maxAnswerText = 200

// answer answers a tap, before any of its screens goes out. One try more where the answer got lost: a second answer is
// refused by Telegram and does no harm. Answers are free of the limits on sending.
func (b *Bot) answer(ctx context.Context, e flows.Event, r flows.Reply) {
	if e.Callback == "" {
		return
	}
	params := &bot.AnswerCallbackQueryParams{
		CallbackQueryID: e.Callback, Text: cut(r.Answer, maxAnswerText), ShowAlert: r.Alert,
	}
	var err error
	for range 2 {
		err = b.call(ctx, "answerCallbackQuery", func(ctx context.Context) error {
			_, err := b.api.AnswerCallbackQuery(ctx, params)
			return err
		})
		if !isLost(err) || ctx.Err() != nil {
			break
		}
	}
	if err != nil && !says(err, tapIsOld) {
		b.log.Warn("tap not answered", "update", e.ID, "customer", e.Actor.ID, "error", err)
	}
}

// parcel is a screen of a reply on its way out.
type parcel struct {
	out    flows.Outgoing
	update int64
}

// replaces tells that an older edit of the same message needs not be shown any more.
func (p parcel) replaces(older parcel) bool {
	return p.out.Edit != 0 && p.out.Edit == older.out.Edit && p.out.Chat == older.out.Chat && p.out.Card == older.out.Card
}

func (b *Bot) send(ctx context.Context, key int64, e flows.Event, r flows.Reply) {
	for _, out := range r.Screens {
		if err := b.replies.push(ctx, key, parcel{out: out, update: e.ID}); err != nil {
			b.log.Warn("screen not sent", "update", e.ID, "chat", out.Chat, "error", err)
		}
	}
}

// reply sends one screen of a reply.
func (b *Bot) reply(ctx context.Context, key int64, p parcel) {
	ctx, cancel := context.WithTimeout(ctx, b.rules.ReplyWithin)
	defer cancel()
	message, err := b.put(ctx, p.out, post{urgent: true, instead: true})
	switch {
	case errors.Is(err, order.ErrBlocked):
		b.log.Debug("screen not sent", "update", p.update, "chat", p.out.Chat, "error", err)
	case err != nil:
		b.log.Warn("screen not sent", "update", p.update, "chat", p.out.Chat, "error", err)
	case p.out.Card != "":
		if err := b.cardShown(ctx, p.out.Card, message); err != nil {
			b.log.Warn("card not noted", "update", p.update, "customer", key, "order", p.out.Card, "error", err)
		}
	}
}

func (b *Bot) cardShown(ctx context.Context, card string, message int) (err error) {
	for try := 1; try <= b.rules.Tries; try++ {
		if err = b.cfg.Handler.CardShown(ctx, card, message); err == nil {
			return nil
		}
		if b.cfg.Wait(ctx, b.rules.pause(try)) != nil {
			break
		}
	}
	return fmt.Errorf("noting the card's message: %w", err)
}
