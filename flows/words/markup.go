package words

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Kind says how a span looks, or what it is.
type Kind string

// The kinds of spans.
const (
	Plain Kind = ""
	Bold  Kind = "bold"
	Code  Kind = "code"
	Time  Kind = "time"  // a moment; Unix says when, Text is the fallback
	Until Kind = "until" // a moment that clients count down to
)

// Span is a piece of text of one kind.
type Span struct {
	Text string
	Kind Kind
	Unix int64 // seconds since 1970, of Time and Until
}

// ErrMarkup says that a text is not well-formed markup.
var ErrMarkup = errors.New("not well-formed markup")

// The markup: *bold*, `code`, <t:1766000000|fallback> and <u:1766000000|fallback>. A backslash takes the next
// character literally. Nothing nests.
const special = "\\*`<>|"

// Escape makes text mean itself in markup.
func Escape(text string) string {
	if !strings.ContainsAny(text, special) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if strings.ContainsRune(special, r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}

// Parse reads markup. Errors: ErrMarkup, with the position in bytes.
func Parse(markup string) ([]Span, error) {
	p := parser{rest: markup, size: len(markup)}
	for p.rest != "" {
		if err := p.step(); err != nil {
			return nil, err
		}
	}
	p.flush()
	return p.spans, nil
}

type parser struct {
	rest  string
	size  int
	plain strings.Builder
	spans []Span
}

func (p *parser) step() error {
	switch p.rest[0] {
	case '*':
		return p.quoted('*', Bold)
	case '`':
		return p.quoted('`', Code)
	case '<':
		return p.moment()
	}
	text, err := p.literal()
	p.plain.WriteString(text)
	return err
}

// literal takes one character, or an escaped one.
func (p *parser) literal() (string, error) {
	if p.rest[0] == '\\' {
		p.rest = p.rest[1:]
		if p.rest == "" {
			return "", p.wrong("nothing behind the backslash")
		}
	}
	size := 1
	for size < len(p.rest) && p.rest[size]&0xC0 == 0x80 {
		size++
	}
	text := p.rest[:size]
	p.rest = p.rest[size:]
	return text, nil
}

// until takes literals up to an unescaped end, which it takes too.
func (p *parser) until(end byte) (string, error) {
	var out strings.Builder
	for p.rest != "" {
		if p.rest[0] == end {
			p.rest = p.rest[1:]
			return out.String(), nil
		}
		text, err := p.literal()
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	return "", p.wrong("no closing " + string(end))
}

func (p *parser) quoted(mark byte, kind Kind) error {
	p.rest = p.rest[1:]
	text, err := p.until(mark)
	if err != nil {
		return err
	}
	p.add(Span{Text: text, Kind: kind})
	return nil
}

func (p *parser) moment() error {
	kind := Time
	switch {
	case strings.HasPrefix(p.rest, "<t:"):
	case strings.HasPrefix(p.rest, "<u:"):
		kind = Until
	default:
		return p.wrong("no moment behind <")
	}
	p.rest = p.rest[len("<t:"):]
	digits, err := p.until('|')
	if err != nil {
		return err
	}
	unix, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return p.wrong("no seconds in a moment")
	}
	text, err := p.until('>')
	if err != nil {
		return err
	}
	p.add(Span{Text: text, Kind: kind, Unix: unix})
	return nil
}

func (p *parser) add(span Span) {
	p.flush()
	if span.Text != "" {
		p.spans = append(p.spans, span)
	}
}

func (p *parser) flush() {
	if p.plain.Len() > 0 {
		p.spans = append(p.spans, Span{Text: p.plain.String()})
		p.plain.Reset()
	}
}

func (p *parser) wrong(what string) error {
	return fmt.Errorf("%w: %s at %d", ErrMarkup, what, p.size-len(p.rest))
}
