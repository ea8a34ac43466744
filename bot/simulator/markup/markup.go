// Package markup holds what the Bot API says about the looks of a text:
// entities with offsets in UTF-16 units, the HTML way of writing them, and the
// entities that a server finds by itself (commands, mentions, links).
package markup

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Entity is a stretch of a text with a meaning or a look of its own
// (Bot API, MessageEntity). Offset and Length count UTF-16 units.
type Entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Length   int    `json:"length"`
	URL      string `json:"url,omitempty"`
	Language string `json:"language,omitempty"`
	EmojiID  string `json:"custom_emoji_id,omitempty"`
	UnixTime int64  `json:"unix_time,omitempty"`
	Format   string `json:"date_time_format,omitempty"`
}

// Text is a text with its entities.
type Text struct {
	Text     string
	Entities []Entity
}

// ErrEntity is wrapped by every error about an entity that makes no sense.
var ErrEntity = errors.New("can't parse entities")

// Length counts the UTF-16 units of s, the unit of every limit and offset.
func Length(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// Equal says whether both show the same.
func (t Text) Equal(other Text) bool {
	return t.Text == other.Text && slices.Equal(t.Entities, other.Entities)
}

// Trim cuts white space off both ends, as a server does before it counts, and
// moves or shortens the entities accordingly.
func (t Text) Trim() Text {
	left := strings.TrimLeftFunc(t.Text, unicode.IsSpace)
	shift := Length(t.Text) - Length(left)
	text := strings.TrimRightFunc(left, unicode.IsSpace)
	end := Length(text)
	var kept []Entity
	for _, e := range t.Entities {
		from, to := max(e.Offset-shift, 0), min(e.Offset-shift+e.Length, end)
		if to <= from {
			continue
		}
		e.Offset, e.Length = from, to-from
		kept = append(kept, e)
	}
	return Text{Text: text, Entities: kept}
}

// plain are the entity types that carry nothing but their place.
var plain = map[string]bool{
	"mention": true, "hashtag": true, "cashtag": true, "bot_command": true, "url": true, "email": true,
	"phone_number": true, "bold": true, "italic": true, "underline": true, "strikethrough": true,
	"spoiler": true, "blockquote": true, "expandable_blockquote": true, "code": true, "pre": true,
}

// timeFormat is what a date_time entity may ask for: nothing, a relative time,
// or weekday, date and time in this order (Bot API 9.5, date-time formatting).
var timeFormat = regexp.MustCompile(`^(r|w?[dD]?[tT]?)$`)

// Check says whether the entities of t lie within its text, at the edges of
// characters, and have what their type needs. Errors wrap ErrEntity.
func (t Text) Check() error {
	if !utf8.ValidString(t.Text) {
		return fmt.Errorf("%w: strings must be encoded in UTF-8", ErrEntity)
	}
	edges := edgesOf(t.Text)
	for i, e := range t.Entities {
		if e.Length <= 0 || !edges[e.Offset] || !edges[e.Offset+e.Length] {
			return fmt.Errorf("%w: entity %d lies outside of the text or cuts a character", ErrEntity, i)
		}
		if err := e.check(); err != nil {
			return fmt.Errorf("%w: entity %d: %w", ErrEntity, i, err)
		}
	}
	return nil
}

func (e Entity) check() error {
	switch e.Type {
	case "text_link":
		if e.URL == "" {
			return errors.New("a text_link needs url")
		}
	case "custom_emoji":
		if e.EmojiID == "" {
			return errors.New("a custom_emoji needs custom_emoji_id")
		}
	case "date_time":
		if e.UnixTime <= 0 {
			return errors.New("a date_time needs unix_time")
		}
		if !timeFormat.MatchString(e.Format) {
			return fmt.Errorf("date_time_format %q is not known", e.Format)
		}
	default:
		if !plain[e.Type] {
			return fmt.Errorf("unsupported type %q", e.Type)
		}
	}
	return nil
}

// edgesOf tells at which UTF-16 offsets a character begins or the text ends.
func edgesOf(s string) map[int]bool {
	edges := make(map[int]bool, len(s)+1)
	n := 0
	for _, r := range s {
		edges[n] = true
		n += utf16.RuneLen(r)
	}
	edges[n] = true
	return edges
}

// found is what a server recognises in a text without being told.
var found = []struct {
	kind string
	re   *regexp.Regexp
}{
	{"bot_command", regexp.MustCompile(`(?:^|[^\w/@.:])(/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)`)},
	{"url", regexp.MustCompile(`(?:^|[\s(])(https?://[^\s<>"]*[^\s<>".,;:!?)])`)},
	{"mention", regexp.MustCompile(`(?:^|[^\w/@.])(@[A-Za-z][A-Za-z0-9_]{3,31})`)},
}

// Detect adds the commands, links and mentions that a server finds by itself,
// outside of the entities that are there already.
func (t Text) Detect() Text {
	entities := slices.Clone(t.Entities)
	for _, f := range found {
		for _, at := range f.re.FindAllStringSubmatchIndex(t.Text, -1) {
			e := Entity{Type: f.kind, Offset: Length(t.Text[:at[2]]), Length: Length(t.Text[at[2]:at[3]])}
			if !slices.ContainsFunc(entities, e.collides) {
				entities = append(entities, e)
			}
		}
	}
	sortEntities(entities)
	return Text{Text: t.Text, Entities: entities}
}

// collides says whether e must not lie where other lies.
func (e Entity) collides(other Entity) bool {
	apart := e.Offset+e.Length <= other.Offset || other.Offset+other.Length <= e.Offset
	if apart {
		return false
	}
	switch other.Type {
	case "bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote":
		return other.Offset > e.Offset || other.Offset+other.Length < e.Offset+e.Length
	}
	return true
}

func sortEntities(entities []Entity) {
	slices.SortStableFunc(entities, func(a, b Entity) int {
		if a.Offset != b.Offset {
			return a.Offset - b.Offset
		}
		return b.Length - a.Length
	})
}
