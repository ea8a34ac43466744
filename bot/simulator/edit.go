package simulator

import (
	"strconv"

	"github.com/usherbot/usher/bot/simulator/markup"
)

// editable finds the message of an edit request.
func (t *Telegram) editable(p params) (*chat, *message, error) {
	c, err := t.target(p)
	if err != nil {
		return nil, nil, err
	}
	id, err := strconv.Atoi(p.str("message_id"))
	if err != nil || id <= 0 {
		return nil, nil, badRequest("message identifier is not specified")
	}
	m := c.find(id)
	switch {
	case m == nil:
		return nil, nil, badRequest("message to edit not found")
	case m.from != t.bot.ID:
		return nil, nil, badRequest("message can't be edited")
	}
	return c, m, nil
}

// change is what an edit leaves of a message.
type change struct {
	text  markup.Text
	photo *file
	doc   *file
}

// apply carries out an edit: what is equal is refused, and a keyboard that is
// not given again is gone.
func (t *Telegram) apply(p params, c *chat, m *message, to change) (any, error) {
	k, err := keyboardOf(p)
	if err != nil {
		return nil, err
	}
	if m.text.Equal(to.text) && m.photo == to.photo && m.document == to.doc && m.keyboard.same(k) {
		return nil, badRequest(notModified)
	}
	if err := t.flood.admit(c); err != nil {
		return nil, err
	}
	m.text, m.photo, m.document, m.edited = to.text, to.photo, to.doc, t.now()
	m.setKeyboard(k)
	return t.wireMessage(c, m), nil
}

func (t *Telegram) editMessageText(p params) (any, error) {
	c, m, err := t.editable(p)
	if err != nil {
		return nil, err
	}
	text, err := textOf(p, "text", "entities")
	switch {
	case err != nil:
		return nil, err
	case text.Text == "":
		return nil, badRequest("message text is empty")
	case !m.isText():
		return nil, badRequest("there is no text in the message to edit")
	case markup.Length(text.Text) > maxText:
		return nil, badRequest("MESSAGE_TOO_LONG")
	}
	return t.apply(p, c, m, change{text: text})
}

func (t *Telegram) editMessageCaption(p params) (any, error) {
	c, m, err := t.editable(p)
	if err != nil {
		return nil, err
	}
	caption, err := captionOf(p)
	switch {
	case err != nil:
		return nil, err
	case m.isText():
		return nil, badRequest("there is no caption in the message to edit")
	}
	return t.apply(p, c, m, change{text: caption, photo: m.photo, doc: m.document})
}

// inputMedia is Bot API, InputMediaPhoto and InputMediaDocument.
type inputMedia struct {
	Type            string          `json:"type"`
	Media           string          `json:"media"`
	Caption         string          `json:"caption"`
	ParseMode       string          `json:"parse_mode"`
	CaptionEntities []markup.Entity `json:"caption_entities"`
}

func (t *Telegram) editMessageMedia(p params) (any, error) {
	c, m, err := t.editable(p)
	if err != nil {
		return nil, err
	}
	if m.isText() {
		return nil, badRequest("there is no media in the message to edit")
	}
	var in inputMedia
	if err := p.object("media", &in); err != nil {
		return nil, err
	}
	to := change{}
	switch in.Type {
	case "photo":
		to.photo, err = t.photo(p, "media", in.Media)
	case "document":
		to.doc, err = t.attachment(p, "media", in.Media)
	default:
		err = badRequest("can't parse InputMedia: type must be non-empty")
	}
	if err != nil {
		return nil, err
	}
	if to.text, err = in.caption(); err != nil {
		return nil, err
	}
	return t.apply(p, c, m, to)
}

// caption reads the caption, whose fields lie inside of the media object.
func (in inputMedia) caption() (markup.Text, error) {
	if len(in.CaptionEntities) == 0 {
		inner := params{fields: map[string]string{"caption": in.Caption, "parse_mode": in.ParseMode}}
		return captionOf(inner)
	}
	text := markup.Text{Text: in.Caption, Entities: in.CaptionEntities}
	if err := text.Check(); err != nil {
		return text, badRequest("%s", err.Error())
	}
	text = text.Trim().Detect()
	if markup.Length(text.Text) > maxCaption {
		return text, badRequest("message caption is too long")
	}
	return text, nil
}

func (t *Telegram) editMessageReplyMarkup(p params) (any, error) {
	c, m, err := t.editable(p)
	if err != nil {
		return nil, err
	}
	return t.apply(p, c, m, change{text: m.text, photo: m.photo, doc: m.document})
}

func (t *Telegram) deleteMessage(p params) (any, error) {
	c, err := t.chatOf(p)
	if err != nil {
		return nil, err
	}
	id, err := strconv.Atoi(p.str("message_id"))
	if err != nil || id <= 0 {
		return nil, badRequest("message identifier is not specified")
	}
	m := c.find(id)
	switch {
	case m == nil:
		return nil, badRequest("message to delete not found")
	case c.kind != "private" && m.from != t.bot.ID && c.bot != "administrator":
		return nil, badRequest("message can't be deleted")
	}
	m.deleted = true
	return true, nil
}
