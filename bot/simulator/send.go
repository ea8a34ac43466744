package simulator

import (
	"errors"
	"strconv"
	"strings"

	"github.com/usherbot/usher/bot/simulator/markup"
)

// Lengths in UTF-16 units, after entities were read (Bot API, sendMessage,
// sendPhoto, answerCallbackQuery).
const (
	maxText    = 4096
	maxCaption = 1024
	maxAnswer  = 200
)

// target finds the chat of a request and says why the bot may not write there.
func (t *Telegram) target(p params) (*chat, error) {
	c, err := t.chatOf(p)
	if err != nil {
		return nil, err
	}
	if c.kind != "private" {
		return c, t.mayPost(c)
	}
	switch {
	case !c.started && t.shareGroup(c.id):
		return nil, forbidden("bot can't initiate conversation with a user")
	case !c.started:
		return nil, badRequest("chat not found")
	case c.bot == kicked:
		return nil, forbidden("bot was blocked by the user")
	}
	return c, nil
}

func (t *Telegram) chatOf(p params) (*chat, error) {
	raw := strings.TrimSpace(p.str("chat_id"))
	if raw == "" {
		return nil, badRequest("chat_id is empty")
	}
	id, err := strconv.ParseInt(raw, 10, 64)
	if err != nil {
		return nil, badRequest("chat not found")
	}
	if to := t.moved[id]; to != 0 {
		return nil, &apiError{code: 400, movedTo: to, description: "Bad Request: group chat was upgraded to a supergroup chat"}
	}
	c := t.chats[id]
	if c == nil {
		return nil, badRequest("chat not found")
	}
	return c, nil
}

func (t *Telegram) mayPost(c *chat) error {
	switch c.bot {
	case kicked:
		return forbidden("bot was kicked from the " + c.kind + " chat")
	case "":
		return badRequest("chat not found")
	case "left":
		return forbidden("bot is not a member of the " + c.kind + " chat")
	case "muted":
		return badRequest("not enough rights to send text messages to the chat")
	case "member":
		if c.kind == "channel" {
			return badRequest("need administrator rights in the channel chat")
		}
	}
	return nil
}

// shareGroup says whether the bot has met somebody in a group.
func (t *Telegram) shareGroup(user int64) bool {
	for _, c := range t.chats {
		if c.members[user] && (c.bot == "member" || c.bot == "administrator") {
			return true
		}
	}
	return false
}

// textOf reads a text with its entities, given as such or by parse_mode.
func textOf(p params, field, entities string) (markup.Text, error) {
	text := markup.Text{Text: p.str(field)}
	switch mode := strings.ToLower(p.str("parse_mode")); {
	case p.str(entities) != "":
		if err := p.object(entities, &text.Entities); err != nil {
			return text, err
		}
	case mode == "html":
		parsed, err := markup.ParseHTML(text.Text)
		if err != nil {
			return text, badRequest("%s", err.Error())
		}
		text = parsed
	case mode != "":
		return text, badRequest("unsupported parse_mode")
	}
	if err := text.Check(); err != nil {
		return text, badRequest("%s", err.Error())
	}
	return text.Trim().Detect(), nil
}

func captionOf(p params) (markup.Text, error) {
	caption, err := textOf(p, "caption", "caption_entities")
	if err == nil && markup.Length(caption.Text) > maxCaption {
		err = badRequest("message caption is too long")
	}
	return caption, err
}

// post sends a message of the bot's, with what all kinds have in common.
func (t *Telegram) post(p params, c *chat, m *message) (any, error) {
	k, err := keyboardOf(p)
	if err != nil {
		return nil, err
	}
	if err := t.setReply(p, c, m); err != nil {
		return nil, err
	}
	if err := t.flood.admit(c); err != nil {
		return nil, err
	}
	m.from, m.date, m.protected = t.bot.ID, t.now(), p.flag("protect_content")
	m.setKeyboard(k)
	return t.wireMessage(c, c.add(m)), nil
}

func (t *Telegram) setReply(p params, c *chat, m *message) error {
	var reply struct {
		MessageID    int  `json:"message_id"`
		AllowWithout bool `json:"allow_sending_without_reply"`
	}
	if err := p.object("reply_parameters", &reply); err != nil {
		return err
	}
	if reply.MessageID == 0 {
		return nil
	}
	if c.find(reply.MessageID) != nil {
		m.replyTo = reply.MessageID
	} else if !reply.AllowWithout {
		return badRequest("message to be replied not found")
	}
	return nil
}

func (t *Telegram) sendMessage(p params) (any, error) {
	c, err := t.target(p)
	if err != nil {
		return nil, err
	}
	text, err := textOf(p, "text", "entities")
	switch {
	case err != nil:
		return nil, err
	case text.Text == "":
		return nil, badRequest("message text is empty")
	case markup.Length(text.Text) > maxText:
		return nil, badRequest("message is too long")
	}
	return t.post(p, c, &message{text: text})
}

func (t *Telegram) sendPhoto(p params) (any, error) {
	c, err := t.target(p)
	if err != nil {
		return nil, err
	}
	caption, captionErr := captionOf(p)
	photo, err := t.photo(p, "photo", p.str("photo"))
	if err := errors.Join(err, captionErr); err != nil {
		return nil, err
	}
	return t.post(p, c, &message{text: caption, photo: photo})
}

func (t *Telegram) sendDocument(p params) (any, error) {
	c, err := t.target(p)
	if err != nil {
		return nil, err
	}
	caption, captionErr := captionOf(p)
	document, err := t.attachment(p, "document", p.str("document"))
	if err := errors.Join(err, captionErr); err != nil {
		return nil, err
	}
	return t.post(p, c, &message{text: caption, document: document})
}

func (t *Telegram) sendChatAction(p params) (any, error) {
	if _, err := t.target(p); err != nil {
		return nil, err
	}
	if p.str("action") == "" {
		return nil, badRequest("wrong parameter action in request")
	}
	return true, nil
}
