package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/usherbot/usher/bot/simulator/markup"
)

// What a keyboard may hold. The first is documented (callback_data, 1-64
// bytes; copy_text, 1-256 characters), the others are what bots have seen.
const (
	maxCallbackData = 64
	maxCopyText     = 256
	maxRow          = 8
	maxButtons      = 100
)

// keyboardOf reads reply_markup. Keyboards that are not inline are taken and
// not shown; nil with no error means no inline keyboard.
func keyboardOf(p params) (*wireKeyboard, error) {
	raw := strings.TrimSpace(p.str("reply_markup"))
	if raw == "" || raw == "null" {
		return nil, nil
	}
	var shape map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &shape) != nil {
		return nil, badRequest("object expected as reply markup")
	}
	if _, inline := shape["inline_keyboard"]; !inline {
		return nil, nil
	}
	var k wireKeyboard
	if err := json.Unmarshal([]byte(raw), &k); err != nil {
		return nil, badRequest("can't parse inline keyboard markup JSON object")
	}
	rows := k.Rows[:0]
	for _, row := range k.Rows {
		if len(row) > 0 {
			rows = append(rows, row)
		}
	}
	k.Rows = rows
	if len(rows) == 0 {
		return nil, nil
	}
	return &k, k.check()
}

func (k *wireKeyboard) check() error {
	total := 0
	for _, row := range k.Rows {
		total += len(row)
		if len(row) > maxRow {
			return badRequest("reply markup is too long")
		}
		for i := range row {
			if err := row[i].check(); err != nil {
				return err
			}
		}
	}
	if total > maxButtons {
		return badRequest("reply markup is too long")
	}
	return nil
}

func (b *wireButton) check() error {
	if b.Text == "" {
		return badRequest("can't parse inline keyboard button: Field \"text\" must be of type String and not empty")
	}
	switch b.Style {
	case "", "danger", "primary", "success":
	default:
		return badRequest("invalid button style specified")
	}
	switch kinds := b.kinds(); {
	case kinds == 0:
		return badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
	case kinds > 1:
		return badRequest("can't parse inline keyboard button: exactly one of the optional fields must be used")
	case len(b.CallbackData) > maxCallbackData:
		return badRequest("BUTTON_DATA_INVALID")
	case b.CopyText != nil && (b.CopyText.Text == "" || markup.Length(b.CopyText.Text) > maxCopyText):
		return badRequest("BUTTON_COPY_TEXT_INVALID")
	case b.URL != "" && !validLink(b.URL):
		return badRequest("inline keyboard button URL '%s' is invalid: Wrong HTTP URL", b.URL)
	}
	return nil
}

// kinds counts what the button is at once; it must be one thing.
func (b *wireButton) kinds() int {
	n := 0
	for _, is := range []bool{
		b.URL != "", b.CallbackData != "", b.CopyText != nil, b.Disabled != nil, b.SwitchInline != nil, b.SwitchHere != nil,
	} {
		if is {
			n++
		}
	}
	return n
}

func validLink(link string) bool {
	u, err := url.Parse(link)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return strings.Contains(u.Host, ".")
	case "tg":
		return true
	case "":
		return strings.Contains(strings.Split(u.Path, "/")[0], ".")
	}
	return false
}

// same says whether two keyboards are equal for Telegram.
func (k *wireKeyboard) same(other *wireKeyboard) bool {
	a, errA := json.Marshal(k)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && string(a) == string(b)
}

// placed is a button with the id that the control API gives it. The id comes
// from what the button is, so that it stays while the card around it changes.
type placed struct {
	wireButton
	id  string
	row int
}

func (k *wireKeyboard) placed() []placed {
	if k == nil {
		return nil
	}
	var out []placed
	seen := make(map[string]int)
	for row, buttons := range k.Rows {
		for _, b := range buttons {
			id := b.id()
			seen[id]++
			if n := seen[id]; n > 1 {
				id = fmt.Sprintf("%s-%d", id, n)
			}
			out = append(out, placed{wireButton: b, id: id, row: row})
		}
	}
	return out
}

func (b wireButton) id() string {
	what := "text:" + b.Text
	switch {
	case b.CallbackData != "":
		what = "data:" + b.CallbackData
	case b.URL != "":
		what = "url:" + b.URL
	case b.CopyText != nil:
		what = "copy:" + b.Text + ":" + b.CopyText.Text
	}
	sum := sha256.Sum256([]byte(what))
	return hex.EncodeToString(sum[:4])
}

// setKeyboard puts a keyboard under a message and remembers its buttons: a
// phone may show the old ones for a moment after an edit.
func (m *message) setKeyboard(k *wireKeyboard) {
	m.keyboard = k
	if m.buttons == nil {
		m.buttons = make(map[string]wireButton)
	}
	for _, b := range k.placed() {
		m.buttons[b.id] = b.wireButton
	}
}
