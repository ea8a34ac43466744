package simulator

import (
	"fmt"
	"strconv"

	"github.com/usherbot/usher/bot/simulator/markup"
)

// person is somebody with a Telegram account and a phone.
type person struct {
	id       int64
	name     string
	language string
}

// chat is a private chat with the bot (its id is the person's), a group or a
// channel.
type chat struct {
	id       int64
	kind     string // private, group, supergroup, channel
	title    string
	owner    int64
	members  map[int64]bool
	bot      string // what the bot is there: member, administrator, left, kicked
	started  bool   // the person has written, so the bot may
	messages []*message
	cleared  int // messages up to this id were deleted by the person
	lastID   int
}

// kicked is what the bot is for a person who blocked it, and where it was
// thrown out.
const kicked = "kicked"

// message is one message. Its text is the caption where it has a picture or a
// document.
type message struct {
	id        int
	from      int64
	date      int64
	edited    int64
	text      markup.Text
	photo     *file
	document  *file
	sticker   string
	keyboard  *wireKeyboard
	buttons   map[string]wireButton // every button it ever had, by id: phones show old ones for a while
	origin    *wireOrigin
	replyTo   int
	protected bool
	deleted   bool
	joined    *wireUser
	left      *wireUser
	movedTo   int64
	movedFrom int64
}

func (m *message) isText() bool { return m.photo == nil && m.document == nil && m.sticker == "" }

func (c *chat) find(id int) *message {
	for i := len(c.messages) - 1; i >= 0; i-- {
		if m := c.messages[i]; m.id == id && !m.deleted {
			return m
		}
	}
	return nil
}

// add gives m its id and keeps it.
func (c *chat) add(m *message) *message {
	c.lastID++
	m.id = c.lastID
	c.messages = append(c.messages, m)
	return m
}

// name is how the control API calls the chat.
func (c *chat) name() string {
	if c.kind == "private" {
		return "bot"
	}
	return strconv.FormatInt(c.id, 10)
}

// AddUser makes a person with a phone and answers the Telegram id. The
// language is an IETF tag such as "en".
func (t *Telegram) AddUser(name, language string) int64 {
	t.mu.Lock()
	t.last.user++
	id := t.last.user
	t.people[id] = &person{id: id, name: name, language: language}
	t.chats[id] = &chat{id: id, kind: "private", bot: "member"}
	t.mu.Unlock()
	if t.opts.Phones != nil {
		t.opts.Phones.AddUser(id, name)
	}
	t.stir()
	return id
}

func (p *person) wire() wireUser {
	return wireUser{ID: p.id, FirstName: p.name, LanguageCode: p.language}
}

// botUser is the bot as it appears in messages, without what only getMe tells.
func (t *Telegram) botUser() wireUser {
	return wireUser{ID: t.bot.ID, IsBot: true, FirstName: t.bot.FirstName, Username: t.bot.Username}
}

func (t *Telegram) wireUser(id int64) *wireUser {
	if id == t.bot.ID {
		u := t.botUser()
		return &u
	}
	if p := t.people[id]; p != nil {
		u := p.wire()
		return &u
	}
	return nil
}

func (t *Telegram) wireChat(c *chat) wireChat {
	w := wireChat{ID: c.id, Type: c.kind, Title: c.title}
	if p := t.people[c.id]; c.kind == "private" && p != nil {
		w.FirstName = p.name
	}
	return w
}

// wireMessage shows a message the way the Bot API does.
func (t *Telegram) wireMessage(c *chat, m *message) *wireMessage {
	w := &wireMessage{
		MessageID: m.id, Chat: t.wireChat(c), Date: m.date, EditDate: m.edited, ForwardOrigin: m.origin,
		Protected: m.protected, ReplyMarkup: m.keyboard, LeftChatMember: m.left,
		MigrateTo: m.movedTo, MigrateFrom: m.movedFrom,
	}
	if c.kind == "channel" {
		sender := t.wireChat(c)
		w.SenderChat = &sender
	} else {
		w.From = t.wireUser(m.from)
	}
	if m.joined != nil {
		w.NewChatMembers = []wireUser{*m.joined}
	}
	if m.isText() {
		w.Text, w.Entities = m.text.Text, m.text.Entities
	} else {
		w.Caption, w.CaptionEntities = m.text.Text, m.text.Entities
	}
	if m.photo != nil {
		w.Photo = []wirePhotoSize{m.photo.photoSize()}
	}
	if m.document != nil {
		w.Document = m.document.document()
	}
	if m.sticker != "" {
		w.Sticker = &wireSticker{
			FileID: "sticker-" + m.sticker, FileUniqueID: "sticker", Type: "regular",
			Width: 512, Height: 512, Emoji: m.sticker,
		}
	}
	if m.replyTo != 0 {
		if replied := c.find(m.replyTo); replied != nil {
			w.ReplyTo = t.wireMessage(c, replied)
			w.ReplyTo.ReplyTo = nil
		}
	}
	return w
}

// chatInstance is the opaque name of a chat in callback queries.
func chatInstance(c *chat) string { return fmt.Sprintf("-%d", 4_000_000_000_000_000_000+c.id) }
