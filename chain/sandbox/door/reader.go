package door

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// refusal is an exception that the scanner catches: the QR is no ticket.
type refusal string

func (r refusal) Error() string { return string(r) }

// crash is an exception that nobody catches. Its value is the .NET type.
type crash string

func (c crash) Error() string { return string(c) }

const (
	errEnd       = refusal("unexpected end")
	errCharacter = refusal("unexpected character")
	errNumber    = refusal("not a valid number")
)

// reader walks over JSON as the scanner's library does: it takes single quotes, bare member names, comments, commas
// too many, numbers in hex and octal. Text is in UTF-16 units, because the library counts in them.
type reader struct {
	text []uint16
	at   int
}

func newReader(text string) *reader { return &reader{text: utf16.Encode([]rune(text))} }

// peek gives the next unit, and whether there is one.
func (r *reader) peek() (uint16, bool) {
	if r.at >= len(r.text) {
		return 0, false
	}
	return r.text[r.at], true
}

func (r *reader) is(unit uint16) bool {
	next, ok := r.peek()
	return ok && next == unit
}

// take consumes one unit if it is the one given.
func (r *reader) take(unit uint16) bool {
	if r.is(unit) {
		r.at++
		return true
	}
	return false
}

func isSpace(unit uint16) bool { return unit == 0 || unicode.IsSpace(rune(unit)) }

// space skips white space; U+0000 counts as such.
func (r *reader) space() {
	for r.at < len(r.text) && isSpace(r.text[r.at]) {
		r.at++
	}
}

// content skips white space and comments.
func (r *reader) content() error {
	for {
		r.space()
		if !r.is('/') {
			return nil
		}
		if _, err := r.comment(); err != nil {
			return err
		}
	}
}

// comment reads a comment at its slash and gives its text. One of the // kind may end with the input.
func (r *reader) comment() (string, error) {
	if r.at+2 >= len(r.text) {
		return "", errEnd
	}
	kind := r.text[r.at+1]
	r.at += 2
	start := r.at
	switch kind {
	case '/':
		for r.at < len(r.text) && r.text[r.at] != '\r' && r.text[r.at] != '\n' {
			r.at++
		}
		return decode(r.text[start:r.at]), nil
	case '*':
		for ; r.at+1 < len(r.text); r.at++ {
			if r.text[r.at] == '*' && r.text[r.at+1] == '/' {
				r.at += 2
				return decode(r.text[start : r.at-2]), nil
			}
		}
		return "", errEnd
	}
	return "", refusal("not a comment")
}

func decode(units []uint16) string { return string(utf16.Decode(units)) }

// quoted reads a string at its quote.
func (r *reader) quoted() (string, error) {
	quote := r.text[r.at]
	r.at++
	var units []uint16
	for r.at < len(r.text) {
		unit := r.text[r.at]
		r.at++
		switch unit {
		case quote:
			return decode(units), nil
		case '\\':
			escaped, err := r.escape()
			if err != nil {
				return "", err
			}
			units = append(units, escaped)
		default:
			units = append(units, unit)
		}
	}
	return "", errEnd
}

func (r *reader) escape() (uint16, error) {
	unit, ok := r.peek()
	if !ok {
		return 0, errEnd
	}
	r.at++
	if unit == 'u' {
		return r.unicodeEscape()
	}
	const names, values = `btnfr\"'/`, "\b\t\n\f\r\\\"'/"
	if i := strings.IndexRune(names, rune(unit)); i >= 0 {
		return uint16(values[i]), nil
	}
	return 0, refusal("bad escape sequence")
}

func (r *reader) unicodeEscape() (uint16, error) {
	if r.at+4 > len(r.text) {
		return 0, errEnd
	}
	var value uint16
	for _, unit := range r.text[r.at : r.at+4] {
		digit := strings.IndexRune("0123456789abcdef", unicode.ToLower(rune(unit)))
		if digit < 0 {
			return 0, refusal("bad escape sequence")
		}
		value = value<<4 | uint16(digit)
	}
	r.at += 4
	return value, nil
}

// name reads the name of a member and its colon.
func (r *reader) name() (string, error) {
	name, err := r.bareOrQuoted()
	if err != nil {
		return "", err
	}
	r.space() // and no comments here
	if !r.take(':') {
		return "", errCharacter
	}
	return name, nil
}

func (r *reader) bareOrQuoted() (string, error) {
	if r.is('"') || r.is('\'') {
		return r.quoted()
	}
	start := r.at
	for r.at < len(r.text) && inIdentifier(r.text[r.at]) {
		r.at++
	}
	if r.at == start || r.at == len(r.text) {
		return "", errCharacter
	}
	if next := r.text[r.at]; next != ':' && !isSpace(next) {
		return "", errCharacter
	}
	return decode(r.text[start:r.at]), nil
}

func inIdentifier(unit uint16) bool {
	char := rune(unit)
	return char == '_' || char == '$' || unicode.IsLetter(char) || unicode.Is(unicode.Nd, char)
}

// word consumes a literal, which must be followed by a separator or the end.
func (r *reader) word(word string) error {
	end := r.at + len(word)
	if end > len(r.text) || decode(r.text[r.at:end]) != word {
		return errCharacter
	}
	r.at = end
	next, ok := r.peek()
	switch {
	case !ok, isSpace(next), next == '}', next == ']', next == ',':
		return nil
	case next == '/' && end+1 < len(r.text) && (r.text[end+1] == '*' || r.text[end+1] == '/'):
		return nil
	}
	return errCharacter
}

// number consumes what the library takes for the text of a number, digits or not.
func (r *reader) number() (string, error) {
	start := r.at
	for r.at < len(r.text) && strings.ContainsRune("-+.0123456789abcdefABCDEFxX", rune(r.text[r.at])) {
		r.at++
	}
	if next, ok := r.peek(); ok && !isSpace(next) && !slices.Contains([]uint16{',', '}', ']', ')', '/'}, next) {
		return "", errNumber
	}
	return decode(r.text[start:r.at]), nil
}
