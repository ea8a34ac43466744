package bot

import (
	"strings"
	"time"

	"github.com/go-telegram/bot/models"

	"github.com/usherbot/usher/flows"
)

// lane is whose update it is: what has the same lane is handled one after another.
func lane(u *models.Update) int64 {
	switch {
	case u.CallbackQuery != nil:
		return u.CallbackQuery.From.ID
	case u.MyChatMember != nil:
		return u.MyChatMember.From.ID
	}
	if m := messageOf(u); m != nil {
		return author(m).ID
	}
	return 0
}

func messageOf(u *models.Update) *models.Message {
	switch {
	case u.Message != nil:
		return u.Message
	case u.EditedMessage != nil:
		return u.EditedMessage
	}
	return u.ChannelPost
}

// event reads an update; false: nobody has a use for it.
func (b *Bot) event(u update) (flows.Event, bool) {
	e := flows.Event{ID: u.id}
	switch raw := u.raw; {
	case raw.CallbackQuery != nil:
		return b.tapped(e, raw.CallbackQuery)
	case raw.MyChatMember != nil:
		return membership(e, raw.MyChatMember), true
	case raw.EditedMessage != nil:
		e, ok := b.wrote(e, raw.EditedMessage)
		if e.Command == "" && e.Text == "" {
			return e, false // a place that moves, say, changes its message again and again
		}
		e.Command, e.Argument, e.Text, e.Other = "", "", "", "edited"
		return e, ok
	}
	if m := messageOf(u.raw); m != nil {
		return b.wrote(e, m)
	}
	return e, false
}

// tapped reads the tap on a button. The message may be one that Telegram does not show any more: then it has no date,
// but still an id and a chat.
func (b *Bot) tapped(e flows.Event, q *models.CallbackQuery) (flows.Event, bool) {
	e.Actor, e.Callback, e.Action, e.Date = actor(&q.From), q.ID, q.Data, b.cfg.Clock()
	var chat models.Chat
	switch m := q.Message; {
	case m.Message != nil:
		chat, e.Message = m.Message.Chat, m.Message.ID
	case m.InaccessibleMessage != nil:
		chat, e.Message = m.InaccessibleMessage.Chat, m.InaccessibleMessage.MessageID
	default:
		return e, false // under a message sent by way of another chat's inline query: we send none
	}
	e.Chat, e.Kind = chat.ID, kind(chat)
	return e, e.Action != ""
}

// membership reads that the bot was added, removed, blocked or unblocked.
func membership(e flows.Event, m *models.ChatMemberUpdated) flows.Event {
	e.Kind, e.Actor, e.Chat, e.Date = flows.Membership, actor(&m.From), m.Chat.ID, date(m.Date)
	switch m.NewChatMember.Type {
	case models.ChatMemberTypeBanned, models.ChatMemberTypeLeft:
		e.Blocked = true
	}
	return e
}

func (b *Bot) wrote(e flows.Event, m *models.Message) (flows.Event, bool) {
	e.Kind, e.Actor, e.Chat, e.Message, e.Date = kind(m.Chat), author(m), m.Chat.ID, m.ID, date(m.Date)
	if m.From != nil && m.From.IsBot && m.SenderChat == nil {
		return e, false // bots don't talk with bots
	}
	switch {
	case m.ForwardOrigin != nil:
		e.Other = "forward"
	case m.Text == "":
		e.Other = other(m)
	case strings.HasPrefix(m.Text, "/"):
		return b.command(e, m.Text)
	default:
		e.Text = m.Text
	}
	return e, e.Other != "" || e.Text != ""
}

// command reads "/start k3x9", "/start@bot" and "/refund_m7q2". One that names another bot is not for us.
func (b *Bot) command(e flows.Event, text string) (flows.Event, bool) {
	word, rest := text[1:], ""
	if end := strings.IndexFunc(word, isSpace); end >= 0 {
		word, rest = word[:end], strings.TrimSpace(word[end:])
	}
	name, named, _ := strings.Cut(word, "@")
	if named != "" && !strings.EqualFold(named, b.username) {
		return e, false
	}
	name, argument, _ := strings.Cut(name, "_")
	if name == "" {
		e.Text = text
		return e, true
	}
	e.Command, e.Argument = strings.ToLower(name), strings.TrimSpace(argument+" "+rest)
	return e, true
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\u00a0' }

// other names what we have no use for; empty is a service message, which nobody meant for us.
func other(m *models.Message) string {
	for _, o := range []struct {
		name string
		is   bool
	}{
		{"sticker", m.Sticker != nil},
		{"photo", len(m.Photo) > 0},
		{"voice", m.Voice != nil},
		{"animation", m.Animation != nil}, // before document, which it is too
		{"document", m.Document != nil},
		{"video", m.Video != nil},
		{"video note", m.VideoNote != nil},
		{"audio", m.Audio != nil},
		{"contact", m.Contact != nil},
		{"location", m.Location != nil || m.Venue != nil},
		{"poll", m.Poll != nil},
		{"dice", m.Dice != nil},
		{"story", m.Story != nil},
		{"game", m.Game != nil},
		{"paid media", m.PaidMedia != nil},
		{"checklist", m.Checklist != nil},
		{"rich message", m.RichMessage != nil},
	} {
		if o.is {
			return o.name
		}
	}
	return ""
}

func kind(c models.Chat) flows.Kind {
	switch c.Type {
	case models.ChatTypePrivate:
		return flows.Private
	case models.ChatTypeChannel:
		return flows.Channel
	}
	return flows.Group
}

// author is who wrote: in a channel, or as an anonymous admin, it is a chat.
func author(m *models.Message) flows.Actor {
	switch {
	case m.SenderChat != nil:
		return flows.Actor{ID: m.SenderChat.ID, Name: m.SenderChat.Title}
	case m.From != nil:
		return actor(m.From)
	}
	return flows.Actor{ID: m.Chat.ID, Name: m.Chat.Title}
}

func actor(u *models.User) flows.Actor {
	return flows.Actor{ID: u.ID, Name: strings.TrimSpace(u.FirstName + " " + u.LastName), Language: u.LanguageCode}
}

func date(unix int) time.Time { return time.Unix(int64(unix), 0) }
