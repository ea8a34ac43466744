package simulator

import (
	"context"
	"strconv"
	"strings"

	"github.com/usherbot/usher/bot/simulator/markup"
)

const secretPrefix = "secret:"

// chatFor finds what a person calls a chat: "bot" or a group's id. The lock is
// held.
func (t *Telegram) chatFor(user int64, name string) (*chat, error) {
	if t.people[user] == nil {
		return nil, ErrUnknownUser
	}
	if name == "" || name == "bot" {
		return t.chats[user], nil
	}
	id, err := strconv.ParseInt(name, 10, 64)
	if to := t.moved[id]; to != 0 {
		id = to
	}
	c := t.chats[id]
	if err != nil || c == nil || c.kind == "private" {
		return nil, badInput("there is no chat %q: use \"bot\", a group's id or \"secret:<id>\"", name)
	}
	return c, nil
}

// Text writes into a chat: "bot", a group's id (joining it by that), "@<courier>"
// or "secret:<id>". It answers the message's id.
func (t *Telegram) Text(ctx context.Context, user int64, chatName, text string) (int64, error) {
	if n := markup.Length(text); n == 0 || n > maxText {
		return 0, badInput("a text has 1 to %d characters, not %d", maxText, n)
	}
	if id, ok := strings.CutPrefix(chatName, secretPrefix); ok {
		phone, err := t.phoneWith(user, id, 0)
		if err != nil {
			return 0, err
		}
		n, err := phone.Send(ctx, id, text)
		if err != nil {
			return 0, badInput("writing into the secret chat: %v", err)
		}
		return n, nil
	}
	trimmed := markup.Text{Text: text}.Trim().Detect()
	if trimmed.Text == "" {
		return 0, badInput("a text is more than white space")
	}
	if to, ok := t.courier(chatName); ok {
		return t.writeTo(user, to, trimmed.Text)
	}
	return t.say(user, chatName, &message{text: trimmed})
}

// say adds a person's message to a chat and tells the bot, where it may know.
func (t *Telegram) say(user int64, chatName string, m *message) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, err := t.chatFor(user, chatName)
	if err != nil {
		return 0, err
	}
	switch {
	case c.kind == "private" && c.bot == kicked:
		return 0, badInput("this person has blocked the bot: unblock it first")
	case c.kind == "channel" && c.owner != user:
		return 0, badInput("only the owner may post in the channel")
	case c.kind == "private":
		c.started = true
	default:
		c.members[user] = true
	}
	m.from, m.date = user, t.now()
	c.add(m)
	t.tellBot(c, m, false)
	return int64(m.id), nil
}

// tellBot queues a message for the bot, if it gets to see it: in a group only
// commands and service messages (privacy mode), in a channel as administrator.
func (t *Telegram) tellBot(c *chat, m *message, edited bool) {
	defer t.stirLocked()
	w := t.wireMessage(c, m)
	here := c.bot == "member" || c.bot == "administrator" || c.bot == "muted"
	switch {
	case c.kind == "channel" && c.bot == "administrator" && edited:
		t.push(wireUpdate{EditedChannelPost: w})
	case c.kind == "channel" && c.bot == "administrator":
		t.push(wireUpdate{ChannelPost: w})
	case c.kind == "channel" || !here:
	case c.kind != "private" && !t.readable(c, m):
	case edited:
		t.push(wireUpdate{EditedMessage: w})
	default:
		t.push(wireUpdate{Message: w})
	}
}

// readable is privacy mode: what a bot that is no administrator sees of a
// group.
func (t *Telegram) readable(c *chat, m *message) bool {
	if c.bot == "administrator" || m.joined != nil || m.left != nil || m.movedTo != 0 || m.movedFrom != 0 {
		return true
	}
	if replied := c.find(m.replyTo); replied != nil && replied.from == t.bot.ID {
		return true
	}
	command, _, _ := strings.Cut(m.text.Text, " ")
	name, forBot, named := strings.Cut(command, "@")
	return strings.HasPrefix(name, "/") && (!named || strings.EqualFold(forBot, t.bot.Username))
}

// Action is something that people do besides writing and tapping.
type Action struct {
	Action  string
	Chat    string
	Message int    // for edit and forward
	Text    string // the new text of an edit, the caption of a photo
	Picture []byte // of a photo; a small one by default
	Phone   int    // which of the person's phones, counted from 1; by default the one with the chat, or the first
}

// act carries out an action in the bot chat or a group; the lock is held.
type act func(t *Telegram, user int64, c *chat, a Action) (int64, error)

func acts() map[string]act {
	return map[string]act{
		"block":       (*Telegram).block,
		"unblock":     (*Telegram).unblock,
		"edit":        (*Telegram).edit,
		"delete-chat": (*Telegram).clear,
		"add-bot":     (*Telegram).addBot,
		"remove-bot":  (*Telegram).removeBot,
		"mute-bot":    (*Telegram).muteBot,
		"promote-bot": (*Telegram).promoteBot,
		"upgrade":     (*Telegram).upgrade,
	}
}

// Do carries out an action; the number is the id of the message that it made,
// or 0.
func (t *Telegram) Do(ctx context.Context, user int64, a Action) (int64, error) {
	if t.restricts(a) {
		return 0, t.restrict(user, a)
	}
	if id, secret := strings.CutPrefix(a.Chat, secretPrefix); secret || onPhone(a) {
		phone, err := t.phoneWith(user, id, a.Phone)
		if err != nil {
			return 0, err
		}
		if err := phone.Do(ctx, a.Action, id); err != nil {
			return 0, badInput("%s: %v", a.Action, err)
		}
		t.stir()
		return 0, nil
	}
	switch a.Action {
	case "second-phone":
		return 0, t.addPhone(user)
	case "sticker":
		return t.say(user, a.Chat, &message{sticker: "🎟"})
	case "photo":
		return t.sendOwnPhoto(user, a)
	case "forward":
		return t.forward(user, a)
	}
	do := acts()[a.Action]
	if do == nil {
		return 0, badInput("nobody can %q here", a.Action)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c, err := t.chatFor(user, a.Chat)
	if err != nil {
		return 0, err
	}
	defer t.stirLocked()
	return do(t, user, c, a)
}

func (t *Telegram) partner(with string) (int64, error) {
	name := strings.TrimPrefix(with, "@")
	if c, ok := t.courier(name); ok {
		return c.ID, nil
	}
	if strings.EqualFold(name, t.bot.Username) {
		return 0, badInput("bots have no secret chats: use @%s", t.opts.CourierUsername)
	}
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return 0, badInput("nobody is called %q: use \"@courier\" or a person's id", with)
	}
	return id, nil
}
