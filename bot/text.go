package bot

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-telegram/bot/models"

	"github.com/usherbot/usher/flows"
)

// How long texts may be, in UTF-16 units (Bot API, sendMessage and sendPhoto).
const (
	maxText    = 4096
	maxCaption = 1024
)

// Formats of times (Bot API, date-time entity): weekday, date and time; and a countdown that runs by itself.
const (
	formatTime  = "wDt"
	formatUntil = "r"
)

// render gives a text and its entities, at most room UTF-16 units long. Bytes that are no UTF-8 become U+FFFD: Telegram
// refuses them.
func render(t flows.Text, room int) (string, []models.MessageEntity) {
	var text strings.Builder
	var entities []models.MessageEntity
	length := 0
	for _, span := range t {
		words := cut(strings.ToValidUTF8(span.Text, "\ufffd"), room-length)
		n := units(words)
		if e, ok := entity(span); ok && n > 0 {
			e.Offset, e.Length = length, n
			entities = append(entities, e)
		}
		text.WriteString(words)
		length += n
	}
	return text.String(), entities
}

func entity(s flows.Span) (e models.MessageEntity, ok bool) {
	switch s.Style {
	case flows.Bold:
		e.Type = models.MessageEntityTypeBold
	case flows.Code:
		e.Type = models.MessageEntityTypeCode
	case flows.Time, flows.Until:
		e.Type, e.UnixTime, e.DateTimeFormat = models.MessageEntityTypeDateTime, int(s.Unix), formatTime
		if s.Style == flows.Until {
			e.DateTimeFormat = formatUntil
		}
		return e, s.Unix > 0
	default:
		return e, false
	}
	return e, true
}

// units counts UTF-16 units, which Telegram counts texts in.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// cut shortens a text to room UTF-16 units, ending in an ellipsis where something is left out.
func cut(s string, room int) string {
	if len(s) <= room || units(s) <= room {
		return s
	}
	if room < 1 {
		return ""
	}
	left, end := room-1, 0
	for i, r := range s {
		if left -= max(utf16.RuneLen(r), 1); left < 0 {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	return s[:end] + "…"
}

// keyboard gives the buttons; nil: none. A button that does nothing is shown as disabled.
func keyboard(rows [][]flows.Button) models.ReplyMarkup {
	var all [][]models.InlineKeyboardButton
	for _, row := range rows {
		var line []models.InlineKeyboardButton
		for _, b := range row {
			line = append(line, button(b))
		}
		if len(line) > 0 {
			all = append(all, line)
		}
	}
	if all == nil {
		return nil
	}
	return &models.InlineKeyboardMarkup{InlineKeyboard: all}
}

func button(b flows.Button) models.InlineKeyboardButton {
	out := models.InlineKeyboardButton{Text: b.Text}
	switch {
	case b.Action != "":
		out.CallbackData = b.Action
	case b.URL != "":
		out.URL = b.URL
	case b.Copy != "":
		out.CopyText = &models.CopyTextButton{Text: b.Copy}
	default:
		out.Disabled = &models.DisabledButton{}
	}
	return out
}
