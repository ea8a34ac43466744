package markup

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
)

// ParseHTML reads the HTML that the Bot API allows (parse_mode HTML). Errors
// wrap ErrEntity and name the tag and its byte offset.
func ParseHTML(source string) (Text, error) {
	p := &parser{source: source}
	for p.at < len(source) {
		if err := p.next(); err != nil {
			return Text{}, err
		}
	}
	if n := len(p.open); n > 0 {
		return Text{}, fmt.Errorf("%w: Can't find end tag corresponding to start tag %q", ErrEntity, p.open[n-1].name)
	}
	sortEntities(p.entities)
	return Text{Text: p.text.String(), Entities: p.entities}, nil
}

// parser walks through the source once; length counts the UTF-16 units written.
type parser struct {
	source   string
	at       int
	text     strings.Builder
	length   int
	open     []openTag
	entities []Entity
}

type openTag struct {
	name   string
	entity Entity
}

func (p *parser) next() error {
	rest := p.source[p.at:]
	if rest[0] == '<' {
		return p.tag(rest)
	}
	end := strings.IndexByte(rest, '<')
	if end < 0 {
		end = len(rest)
	}
	plain := html.UnescapeString(rest[:end])
	p.text.WriteString(plain)
	p.length += Length(plain)
	p.at += end
	return nil
}

func (p *parser) tag(rest string) error {
	end := tagEnd(rest)
	if end < 0 {
		return fmt.Errorf("%w: Unclosed start tag at byte offset %d", ErrEntity, p.at)
	}
	inner, offset := rest[1:end], p.at
	p.at += end + 1
	if name, closes := strings.CutPrefix(inner, "/"); closes {
		return p.closeTag(strings.ToLower(strings.TrimSpace(name)), offset)
	}
	name, attributes := splitTag(inner)
	entity, problem := entityFor(name, attributes)
	if problem != "" {
		return fmt.Errorf("%w: %s at byte offset %d", ErrEntity, problem, offset)
	}
	entity.Offset = p.length
	p.open = append(p.open, openTag{name: name, entity: entity})
	return nil
}

// tagEnd finds the '>' that is not inside of quotes.
func tagEnd(s string) int {
	var quote rune
	for i, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
		case r == '"' || r == '\'':
			quote = r
		case r == '>':
			return i
		}
	}
	return -1
}

func (p *parser) closeTag(name string, offset int) error {
	n := len(p.open)
	if n == 0 {
		return fmt.Errorf("%w: Unexpected end tag at byte offset %d", ErrEntity, offset)
	}
	last := p.open[n-1]
	if name != "" && name != last.name {
		return fmt.Errorf("%w: Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", ErrEntity, offset, last.name, name)
	}
	p.open = p.open[:n-1]
	e := last.entity
	e.Length = p.length - e.Offset
	if e.Length > 0 && !p.merged(e, n) {
		p.entities = append(p.entities, e)
	}
	return nil
}

// merged joins <pre><code class="language-x"> into one entity.
func (p *parser) merged(e Entity, depth int) bool {
	if e.Type != "code" || depth < 2 || p.open[depth-2].entity.Type != "pre" {
		return false
	}
	p.open[depth-2].entity.Language = e.Language
	return true
}

func splitTag(inner string) (string, map[string]string) {
	inner = strings.TrimSpace(inner)
	end := strings.IndexAny(inner, " \t\r\n")
	if end < 0 {
		return strings.ToLower(inner), nil
	}
	return strings.ToLower(inner[:end]), readAttributes(inner[end:])
}

func readAttributes(s string) map[string]string {
	attributes := make(map[string]string)
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		end := strings.IndexAny(s, "= \t\r\n")
		if end < 0 || s[end] != '=' {
			name, rest, _ := strings.Cut(s, " ")
			attributes[strings.ToLower(name)], s = "", rest
			continue
		}
		name := strings.ToLower(s[:end])
		attributes[name], s = readValue(strings.TrimSpace(s[end+1:]))
	}
	return attributes
}

func readValue(s string) (value, rest string) {
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		if end := strings.IndexByte(s[1:], s[0]); end >= 0 {
			return html.UnescapeString(s[1 : 1+end]), s[end+2:]
		}
	}
	value, rest, _ = strings.Cut(s, " ")
	return html.UnescapeString(value), rest
}

// simple are the tags without attributes, by the entity that they make.
var simple = map[string]string{
	"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
	"s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler", "pre": "pre",
}

// entityFor is the entity that a tag makes, or what is wrong with the tag.
func entityFor(name string, attributes map[string]string) (entity Entity, problem string) {
	if kind, ok := simple[name]; ok {
		return Entity{Type: kind}, ""
	}
	switch name {
	case "code":
		return Entity{Type: "code", Language: strings.TrimPrefix(attributes["class"], "language-")}, ""
	case "span":
		if slices.Contains(strings.Fields(attributes["class"]), "tg-spoiler") {
			return Entity{Type: "spoiler"}, ""
		}
		return Entity{}, `Tag "span" must have class "tg-spoiler"`
	case "blockquote":
		if _, expandable := attributes["expandable"]; expandable {
			return Entity{Type: "expandable_blockquote"}, ""
		}
		return Entity{Type: "blockquote"}, ""
	case "a":
		return Entity{Type: "text_link", URL: attributes["href"]}, ""
	case "tg-emoji":
		return Entity{Type: "custom_emoji", EmojiID: attributes["emoji-id"]}, ""
	case "tg-time":
		unix, err := strconv.ParseInt(attributes["unix"], 10, 64)
		if err != nil {
			return Entity{}, `Tag "tg-time" must have a Unix time in "unix"`
		}
		return Entity{Type: "date_time", UnixTime: unix, Format: attributes["format"]}, ""
	}
	return Entity{}, fmt.Sprintf("Unsupported start tag %q", name)
}
