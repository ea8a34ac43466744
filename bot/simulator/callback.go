package simulator

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/usherbot/usher/bot/simulator/markup"
)

// query is a tap on a button that the bot has not answered yet.
type query struct {
	user   int64
	at     time.Time
	answer chan Answer
}

// answerable is how long Telegram takes answers to a tap.
const answerable = time.Minute

// Answer is what a tap showed to the person.
type Answer struct {
	Text  string `json:"answer"`
	Alert bool   `json:"alert"`
	URL   string `json:"url,omitempty"`
	Copy  string `json:"copy,omitempty"`
}

// Tap presses a button of a message in a chat ("bot" or a group's id) and
// waits for the answer. The button is named by its id or, where that is
// unmistakable, by its text.
func (t *Telegram) Tap(ctx context.Context, user int64, chatName string, messageID int, button string) (Answer, error) {
	b, q, id, err := t.press(user, chatName, messageID, button)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case b.URL != "":
		return Answer{URL: b.URL}, nil
	case b.CopyText != nil:
		return Answer{Copy: b.CopyText.Text}, nil
	case q == nil:
		return Answer{}, nil // a disabled button does nothing
	}
	timer := time.NewTimer(t.opts.AnswerWithin)
	defer timer.Stop()
	select {
	case a := <-q.answer:
		return a, nil
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("waiting for the bot's answer to the tap: %w", ctx.Err())
	case <-timer.C:
		t.mu.Lock()
		delete(t.queries, id)
		t.mu.Unlock()
		return Answer{}, fmt.Errorf("%w within %s", ErrNoAnswer, t.opts.AnswerWithin)
	}
}

// press finds the button and, if the bot must answer, tells the bot.
func (t *Telegram) press(user int64, chatName string, messageID int, button string) (wireButton, *query, string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, err := t.chatFor(user, chatName)
	if err != nil {
		return wireButton{}, nil, "", err
	}
	m := c.find(messageID)
	if m == nil || c.kind == "private" && m.id <= c.cleared {
		return wireButton{}, nil, "", badInput("there is no message %d in that chat", messageID)
	}
	b, err := m.button(button)
	if err != nil || b.CallbackData == "" {
		return b, nil, "", err
	}
	if c.kind == "private" && c.bot == kicked {
		return b, nil, "", badInput("this person has blocked the bot")
	}
	t.last.query++
	id := strconv.FormatInt(3_000_000_000_000_000_000+t.last.query, 10)
	q := &query{user: user, at: t.opts.Clock(), answer: make(chan Answer, 1)}
	t.queries[id] = q
	t.push(wireUpdate{CallbackQuery: &wireQuery{
		ID: id, From: *t.wireUser(user), Message: t.wireMessage(c, m), ChatInstance: chatInstance(c), Data: b.CallbackData,
	}})
	return b, q, id, nil
}

// button finds a button by id, also one that an edit has taken away since, or
// by its text.
func (m *message) button(name string) (wireButton, error) {
	if b, ok := m.buttons[name]; ok {
		return b, nil
	}
	var found []wireButton
	for _, b := range m.keyboard.placed() {
		if b.Text == name {
			found = append(found, b.wireButton)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return wireButton{}, badInput("message %d has no button %q", m.id, name)
	}
	return wireButton{}, badInput("message %d has %d buttons %q; use an id", m.id, len(found), name)
}

func (t *Telegram) answerCallbackQuery(p params) (any, error) {
	text := p.str("text")
	if markup.Length(text) > maxAnswer {
		return nil, badRequest("MESSAGE_TOO_LONG")
	}
	id := p.str("callback_query_id")
	q := t.queries[id]
	if q == nil || t.opts.Clock().Sub(q.at) > answerable {
		return nil, badRequest(oldQuery)
	}
	delete(t.queries, id)
	q.answer <- Answer{Text: text, Alert: p.flag("show_alert"), URL: p.str("url")}
	return true, nil
}
