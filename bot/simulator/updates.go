package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

const (
	keepUpdates = 24 * time.Hour // Bot API, getUpdates: "not kept longer than 24 hours"
	maxBatch    = 100
	maxPoll     = 50 * time.Second
)

// queue holds the updates that the bot has not confirmed yet.
type queue struct {
	waiting []queued
	next    int64
	allowed []string      // empty: what comes by default
	poll    chan struct{} // closed to end the poll under way
}

type queued struct {
	id   int64
	at   time.Time
	raw  json.RawMessage
	line string // by webhook, updates of one line are delivered one after another
}

// lineOf is as Telegram has it: messages of one chat, taps of one person, and
// what happens to the bot in one chat.
func (u wireUpdate) lineOf() string {
	for _, m := range []*wireMessage{u.Message, u.EditedMessage, u.ChannelPost, u.EditedChannelPost} {
		if m != nil {
			return fmt.Sprint("chat ", m.Chat.ID)
		}
	}
	if u.CallbackQuery != nil {
		return fmt.Sprint("taps ", u.CallbackQuery.From.ID)
	}
	return fmt.Sprint("membership ", u.MyChatMember.Chat.ID)
}

// kindOf is the name of an update in allowed_updates.
func (u wireUpdate) kindOf() string {
	switch {
	case u.Message != nil:
		return "message"
	case u.EditedMessage != nil:
		return "edited_message"
	case u.ChannelPost != nil:
		return "channel_post"
	case u.EditedChannelPost != nil:
		return "edited_channel_post"
	case u.CallbackQuery != nil:
		return "callback_query"
	default:
		return "my_chat_member"
	}
}

// push queues an update for the bot, as it is at this moment. The lock is held.
func (t *Telegram) push(u wireUpdate) {
	defer t.stirLocked()
	q := &t.queue
	if len(q.allowed) > 0 && !slices.Contains(q.allowed, u.kindOf()) {
		return
	}
	u.ID = q.next
	raw, err := json.Marshal(u)
	if err != nil {
		t.opts.Log.Error("telegram: update lost", "kind", u.kindOf(), "error", err)
		return
	}
	q.next++
	q.waiting = append(q.waiting, queued{id: u.ID, at: t.opts.Clock(), raw: raw, line: u.lineOf()})
}

// confirm forgets what lies before offset (or all but the last -offset where
// it is negative) and what is too old.
func (q *queue) confirm(offset int64, now time.Time) {
	if offset < 0 {
		q.waiting = q.waiting[max(0, len(q.waiting)+int(max(offset, -1<<30))):]
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(u queued) bool {
		return offset > 0 && u.id < offset || now.Sub(u.at) > keepUpdates
	})
}

// drop forgets one update.
func (q *queue) drop(id int64) {
	q.waiting = slices.DeleteFunc(q.waiting, func(u queued) bool { return u.id == id })
}

func (q *queue) batch(limit int) []json.RawMessage {
	out := make([]json.RawMessage, 0, min(limit, len(q.waiting)))
	for _, u := range q.waiting[:min(limit, len(q.waiting))] {
		out = append(out, u.raw)
	}
	return out
}

// endPoll ends the poll under way, if there is one.
func (q *queue) endPoll() {
	if q.poll != nil {
		close(q.poll)
		q.poll = nil
	}
}

// setAllowed remembers allowed_updates; left out means "as last time".
func (q *queue) setAllowed(p params) error {
	if p.str("allowed_updates") == "" {
		return nil
	}
	var allowed []string
	if err := p.object("allowed_updates", &allowed); err != nil {
		return err
	}
	q.allowed = allowed
	return nil
}

func (t *Telegram) getUpdates(ctx context.Context, p params) (any, error) {
	limit := int(p.integer("limit"))
	if limit <= 0 || limit > maxBatch {
		limit = maxBatch
	}
	mine, err := t.beginPoll(p)
	if err != nil {
		return nil, err
	}
	wait := min(time.Duration(max(p.integer("timeout"), 0))*time.Second, maxPoll)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for over := wait == 0; ; {
		t.mu.Lock()
		batch, wake := t.queue.batch(limit), t.wake
		ended := t.queue.poll != mine
		if !ended && (over || len(batch) > 0) {
			t.queue.poll = nil
		}
		t.mu.Unlock()
		switch {
		case ended:
			return nil, t.pollEnded()
		case over || len(batch) > 0:
			return batch, nil
		}
		select {
		case <-wake:
		case <-mine:
		case <-timer.C:
			over = true
		case <-t.closing:
			over = true
		case <-ctx.Done():
			t.leavePoll(mine)
			return nil, fmt.Errorf("waiting for updates: %w", ctx.Err())
		}
	}
}

// beginPoll takes the place of a poll under way.
func (t *Telegram) beginPoll(p params) (chan struct{}, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hooks.active() {
		return nil, conflict(webhookActive)
	}
	if err := t.queue.setAllowed(p); err != nil {
		return nil, err
	}
	t.queue.endPoll()
	t.queue.confirm(p.integer("offset"), t.opts.Clock())
	mine := make(chan struct{})
	t.queue.poll = mine
	return mine, nil
}

func (t *Telegram) leavePoll(mine chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue.poll == mine {
		t.queue.poll = nil
	}
}

func (t *Telegram) pollEnded() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hooks.active() {
		return conflict("terminated by setWebhook request")
	}
	return conflict(otherPoll)
}
