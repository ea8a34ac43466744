package simulator

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"

	"github.com/usherbot/usher/bot/simulator/markup"
)

// ChatView is a chat as a person sees it.
type ChatView struct {
	Chat     string        `json:"chat"` // "bot", "@<courier>", a group's id or "secret:<id>"
	Title    string        `json:"title"`
	Kind     string        `json:"kind"`            // private, user, group, supergroup, channel or secret
	State    string        `json:"state,omitempty"` // of a secret chat: pending, open or closed
	Key      string        `json:"key,omitempty"`   // of a secret chat: what both phones can compare
	Phone    int           `json:"phone,omitempty"` // of a secret chat: which of the person's phones, if not the first
	Blocked  bool          `json:"blocked,omitempty"`
	Messages []MessageView `json:"messages"`
}

// MessageView is a message as a person sees it. Date is Unix seconds, Picture
// base64.
type MessageView struct {
	ID       int64           `json:"id"`
	From     string          `json:"from"` // "bot", "courier", "me" or a name
	Text     string          `json:"text"`
	Buttons  []ButtonView    `json:"buttons"`
	Picture  string          `json:"picture"`
	Date     int64           `json:"date"`
	Edited   int64           `json:"edited,omitempty"`
	Entities []markup.Entity `json:"entities,omitempty"`
	Document *DocumentView   `json:"document,omitempty"`
	Sticker  string          `json:"sticker,omitempty"`
	Service  bool            `json:"service,omitempty"`
	Read     bool            `json:"read,omitempty"` // by the other side, of what the person wrote to a courier or into a secret chat
}

// ButtonView is a button under a message. Row counts from 0.
type ButtonView struct {
	ID       string `json:"id"`
	Text     string `json:"text"`
	URL      string `json:"url"`
	Copy     string `json:"copy"`
	Row      int    `json:"row"`
	Style    string `json:"style,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
}

// DocumentView is a file in a message, its content base64.
type DocumentView struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// eye is how a person's chats are looked at.
type eye struct {
	user  int64
	brief bool // no more of a picture than its beginning
}

func eyeOf(r *http.Request) (eye, error) {
	user, err := userOf(r)
	return eye{user: user, brief: r.URL.Query().Get("pictures") == "brief"}, err
}

// beginning is so much of a picture, in bytes: enough to see that there is one.
const beginning = 12

func (e eye) picture(data []byte) string {
	if e.brief {
		data = data[:min(len(data), beginning)]
	}
	return base64.StdEncoding.EncodeToString(data)
}

// Chats lists a person's chats: the bot's, groups, those with couriers, secret
// chats.
func (t *Telegram) Chats(user int64) ([]ChatView, error) { return t.chatsAs(eye{user: user}) }

// Glance is Chats with no more of each picture than its beginning: for whoever looks
// often, and only at whether there is one.
func (t *Telegram) Glance(user int64) ([]ChatView, error) {
	return t.chatsAs(eye{user: user, brief: true})
}

func (t *Telegram) chatsAs(e eye) ([]ChatView, error) {
	user := e.user
	secret, err := t.secretsAs(e)
	if err != nil {
		return nil, err
	}
	dialogs := t.dialogViews(user)
	t.mu.Lock()
	defer t.mu.Unlock()
	views := []ChatView{t.chatView(e, t.chats[user])}
	var groups []*chat
	for _, c := range t.chats {
		if c.members[user] && t.moved[c.id] == 0 {
			groups = append(groups, c)
		}
	}
	slices.SortFunc(groups, func(a, b *chat) int { return cmp.Compare(b.id, a.id) })
	for _, c := range groups {
		views = append(views, t.chatView(e, c))
	}
	views = append(views, dialogs...)
	return append(views, secret...), nil
}

func (t *Telegram) chatView(e eye, c *chat) ChatView {
	v := ChatView{Chat: c.name(), Title: c.title, Kind: c.kind, Messages: []MessageView{}}
	if c.kind == "private" {
		v.Title, v.Blocked = t.bot.FirstName, c.bot == kicked
	}
	for _, m := range c.messages {
		if !m.deleted && m.id > c.cleared {
			v.Messages = append(v.Messages, t.messageView(e, c, m))
		}
	}
	return v
}

func (t *Telegram) messageView(e eye, c *chat, m *message) MessageView {
	v := MessageView{
		ID: int64(m.id), From: t.from(e.user, c, m), Text: m.text.Text, Entities: m.text.Entities, Sticker: m.sticker,
		Date: m.date, Edited: m.edited, Buttons: []ButtonView{},
	}
	if m.photo != nil {
		v.Picture = e.picture(m.photo.data)
	}
	if m.document != nil {
		v.Document = &DocumentView{Name: m.document.name, Content: base64.StdEncoding.EncodeToString(m.document.data)}
	}
	for _, b := range m.keyboard.placed() {
		button := ButtonView{ID: b.id, Text: b.Text, URL: b.URL, Row: b.row, Style: b.Style, Disabled: b.Disabled != nil}
		if b.CopyText != nil {
			button.Copy = b.CopyText.Text
		}
		v.Buttons = append(v.Buttons, button)
	}
	switch {
	case m.joined != nil:
		v.Text, v.Service = m.joined.FirstName+" was added", true
	case m.left != nil:
		v.Text, v.Service = m.left.FirstName+" was removed", true
	case m.movedFrom != 0:
		v.Text, v.Service = "The group became a supergroup", true
	}
	return v
}

func (t *Telegram) from(user int64, c *chat, m *message) string {
	switch {
	case m.from == t.bot.ID:
		return "bot"
	case c.kind == "channel":
		return c.title
	case m.from == user:
		return "me"
	}
	return t.people[m.from].name
}

// SecretChats lists the secret chats of a person's phone, decrypted by it, then
// those of further phones.
func (t *Telegram) SecretChats(user int64) ([]ChatView, error) { return t.secretsAs(eye{user: user}) }

func (t *Telegram) secretsAs(e eye) ([]ChatView, error) {
	user := e.user
	t.mu.Lock()
	known := t.people[user] != nil
	t.mu.Unlock()
	if !known {
		return nil, ErrUnknownUser
	}
	views := []ChatView{}
	if t.opts.Phones == nil {
		return views, nil
	}
	for i, phone := range t.opts.Phones.All(user) {
		for _, c := range phone.SecretChats() {
			v := t.secretView(e, c)
			if i > 0 {
				v.Phone = i + 1
			}
			views = append(views, v)
		}
	}
	return views, nil
}

func (t *Telegram) secretView(e eye, c SecretChat) ChatView {
	v := ChatView{Chat: secretPrefix + c.ID, Kind: "secret", State: c.State, Key: c.Key, Messages: []MessageView{}}
	who, courier := t.courierByID(c.With)
	if v.Title = who.Name; !courier {
		v.Title = t.nameOf(c.With)
	}
	for _, m := range c.Messages {
		from := m.From
		switch {
		case m.Mine:
			from = "me"
		case courier:
			from = "courier"
		}
		v.Messages = append(v.Messages, MessageView{
			ID: m.ID, From: from, Text: m.Text, Date: m.Date.Unix(), Read: m.Read, Buttons: []ButtonView{},
			Picture: e.picture(m.Picture),
		})
	}
	return v
}

func (t *Telegram) nameOf(user int64) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.people[user]; p != nil {
		return p.name
	}
	return "Somebody"
}
