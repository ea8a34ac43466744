package cirrus

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Seat names a seat of a venue as the contract does: a number, a letter, or both. Number 0 and letter U+0000 mean
// that this part is absent.
type Seat struct {
	Number int32
	Letter Char
}

// Char is a .NET char: one UTF-16 unit, in JSON a string of one character.
type Char uint16

// ErrChar says that a JSON value is not a string of exactly one UTF-16 unit.
var ErrChar = errors.New("not a single character")

// String shows a seat as people read it: number then letter ("3D"), either alone, or UNDEFINED.
func (s Seat) String() string {
	switch {
	case s.Number != 0 && s.Letter != 0:
		return strconv.Itoa(int(s.Number)) + s.Letter.String()
	case s.Number != 0:
		return strconv.Itoa(int(s.Number))
	case s.Letter != 0:
		return s.Letter.String()
	}
	return "UNDEFINED"
}

type seatJSON struct {
	Number int32 `json:"number"`
	Letter Char  `json:"letter"`
}

// MarshalJSON writes {"number":1,"letter":"A"}, members in this order.
func (s Seat) MarshalJSON() ([]byte, error) { return json.Marshal(seatJSON(s)) }

// UnmarshalJSON reads the same; a missing letter is U+0000.
func (s *Seat) UnmarshalJSON(data []byte) error {
	var read seatJSON
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("seat: %w", err)
	}
	*s = Seat(read)
	return nil
}

// String gives the character, U+FFFD for half of a surrogate pair.
func (c Char) String() string {
	if utf16.IsSurrogate(rune(c)) {
		return string(utf8.RuneError)
	}
	return string(rune(c))
}

// MarshalJSON writes a string of one character; half of a surrogate pair is written as its escape.
func (c Char) MarshalJSON() ([]byte, error) {
	if utf16.IsSurrogate(rune(c)) {
		return fmt.Appendf(nil, `"\u%04x"`, uint16(c)), nil
	}
	return json.Marshal(string(rune(c)))
}

// UnmarshalJSON reads a string of one UTF-16 unit, or null as U+0000. Errors: ErrChar.
func (c *Char) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*c = 0
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("%w: %s", ErrChar, data)
	}
	units := utf16.Encode([]rune(text))
	if len(units) != 1 {
		return fmt.Errorf("%w: %s", ErrChar, data)
	}
	*c = Char(units[0])
	return nil
}
