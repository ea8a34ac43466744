package simulator

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"

	"github.com/usherbot/usher/bot/simulator/markup"
)

func (t *Telegram) block(user int64, c *chat, _ Action) (int64, error) {
	if c.kind != "private" {
		return 0, badInput("only the chat \"bot\" can be blocked")
	}
	t.setBot(c, kicked, user)
	return 0, nil
}

func (t *Telegram) unblock(user int64, c *chat, _ Action) (int64, error) {
	if c.kind != "private" {
		return 0, badInput("only the chat \"bot\" can be unblocked")
	}
	t.setBot(c, "member", user)
	return 0, nil
}

// clear deletes the bot chat on the person's side.
func (t *Telegram) clear(_ int64, c *chat, _ Action) (int64, error) {
	if c.kind != "private" {
		return 0, badInput("only the chat \"bot\" and secret chats can be deleted")
	}
	c.cleared = c.lastID
	return 0, nil
}

// edit changes a text that the person wrote.
func (t *Telegram) edit(user int64, c *chat, a Action) (int64, error) {
	m := c.find(a.Message)
	if m == nil || m.from != user {
		return 0, badInput("this person has no message %d in that chat", a.Message)
	}
	text := a.Text
	if text == "" {
		text = m.text.Text + " (edited)"
	}
	m.text, m.edited = markup.Text{Text: text}.Trim().Detect(), t.now()
	t.tellBot(c, m, true)
	return int64(m.id), nil
}

// sendOwnPhoto sends the person's picture to a chat.
func (t *Telegram) sendOwnPhoto(user int64, a Action) (int64, error) {
	data := a.Picture
	if len(data) == 0 {
		drawn, err := smallPicture()
		if err != nil {
			return 0, err
		}
		data = drawn
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return 0, badInput("the picture cannot be read: %v", err)
	}
	t.mu.Lock()
	f := t.keep(upload{name: "photo", data: data})
	f.width, f.height = size.Width, size.Height
	t.mu.Unlock()
	m := &message{photo: f, text: markup.Text{Text: a.Text}.Trim().Detect()}
	return t.say(user, a.Chat, m)
}

// smallPicture is what a person sends who was not given a picture.
func smallPicture() ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 {
		img.Set(i, i, color.RGBA{R: 200, G: 80, B: 40, A: 255})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("drawing a picture: %w", err)
	}
	return out.Bytes(), nil
}

// forward sends a message of the bot chat to the bot once more. Buttons do not
// come along.
func (t *Telegram) forward(user int64, a Action) (int64, error) {
	copied, err := t.forwarded(user, a)
	if err != nil {
		return 0, err
	}
	return t.say(user, a.Chat, copied)
}

func (t *Telegram) forwarded(user int64, a Action) (*message, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, err := t.chatFor(user, "bot")
	if err != nil {
		return nil, err
	}
	m := c.find(a.Message)
	switch {
	case m == nil:
		return nil, badInput("there is no message %d in the bot chat", a.Message)
	case m.protected:
		return nil, badInput("message %d must not be forwarded", a.Message)
	}
	return &message{
		text: m.text, photo: m.photo, document: m.document, sticker: m.sticker,
		origin: &wireOrigin{Type: "user", Date: m.date, SenderUser: t.wireUser(m.from)},
	}, nil
}

// AddGroup makes a group, a supergroup or a channel. The bot is not in it.
func (t *Telegram) AddGroup(name, kind string, owner int64) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.people[owner] == nil {
		return 0, ErrUnknownUser
	}
	var id int64
	switch kind {
	case "", "group":
		kind = "group"
		t.last.group++
		id = -4_000_000_000 - t.last.group
	case "supergroup", "channel":
		id = t.nextChannel()
	default:
		return 0, badInput("a group is of kind group, supergroup or channel, not %q", kind)
	}
	t.chats[id] = &chat{id: id, kind: kind, title: name, owner: owner, members: map[int64]bool{owner: true}}
	t.stirLocked()
	return id, nil
}

func (t *Telegram) nextChannel() int64 {
	t.last.channel++
	return -1_002_000_000_000 - t.last.channel
}

// owned checks that an action is the group owner's.
func owned(user int64, c *chat) error {
	switch {
	case c.kind == "private":
		return badInput("name a group in \"chat\"")
	case c.owner != user:
		return badInput("only the owner can do this in the group")
	}
	return nil
}

func (t *Telegram) addBot(user int64, c *chat, _ Action) (int64, error) {
	if err := owned(user, c); err != nil {
		return 0, err
	}
	if c.kind == "channel" {
		t.setBot(c, "administrator", user)
		return 0, nil
	}
	t.setBot(c, "member", user)
	u := t.botUser()
	return t.service(c, user, &message{joined: &u}), nil
}

func (t *Telegram) removeBot(user int64, c *chat, _ Action) (int64, error) {
	if err := owned(user, c); err != nil {
		return 0, err
	}
	t.setBot(c, kicked, user)
	if c.kind == "channel" {
		return 0, nil
	}
	u := t.botUser()
	return t.service(c, user, &message{left: &u}), nil
}

func (t *Telegram) muteBot(user int64, c *chat, _ Action) (int64, error) {
	if err := owned(user, c); err != nil {
		return 0, err
	}
	if c.kind == "channel" {
		t.setBot(c, "member", user)
		return 0, nil
	}
	t.setBot(c, "muted", user)
	return 0, nil
}

func (t *Telegram) promoteBot(user int64, c *chat, _ Action) (int64, error) {
	if err := owned(user, c); err != nil {
		return 0, err
	}
	t.setBot(c, "administrator", user)
	return 0, nil
}

// upgrade makes a group a supergroup, with a new id.
func (t *Telegram) upgrade(user int64, c *chat, _ Action) (int64, error) {
	if err := owned(user, c); err != nil {
		return 0, err
	}
	if c.kind != "group" {
		return 0, badInput("only a group becomes a supergroup")
	}
	next := &chat{
		id: t.nextChannel(), kind: "supergroup", title: c.title, owner: c.owner, bot: c.bot, members: maps.Clone(c.members),
	}
	t.chats[next.id] = next
	t.moved[c.id] = next.id
	t.service(c, user, &message{movedTo: next.id})
	return t.service(next, user, &message{movedFrom: c.id}), nil
}

// service adds a service message to a group and answers its id.
func (t *Telegram) service(c *chat, by int64, m *message) int64 {
	m.from, m.date = by, t.now()
	c.add(m)
	t.tellBot(c, m, false)
	return int64(m.id)
}
