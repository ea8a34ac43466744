package door

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/usherbot/usher/chain/sandbox/contract"
)

// The kinds of a value where one may stand.
type kind int

const (
	kindNothing kind = iota // null, undefined, or a comma where a value should be
	kindString
	kindInteger
	kindScalar // a boolean, a fraction, a number that is none
	kindObject // its opening bracket only
	kindArray  // its opening bracket only
	kindEnd    // a closing square bracket
)

type value struct {
	kind kind
	text string // of a string or integer
}

// value reads one value, or the opening of one. Comments before it must be skipped already.
func (r *reader) value() (value, error) {
	next, ok := r.peek()
	if !ok {
		return value{}, errEnd
	}
	switch {
	case next == '"' || next == '\'':
		text, err := r.quoted()
		return value{kindString, text}, err
	case next == '{', next == '[', next == ']':
		r.at++
		return value{kind: map[uint16]kind{'{': kindObject, '[': kindArray, ']': kindEnd}[next]}, nil
	case next == ',': // stays where it is, the next reading wants it
		return value{}, nil
	case unicode.IsNumber(rune(next)) || next == '.' || next == '-' && !r.minusInfinity():
		return r.numberValue()
	}
	return r.wordValue(next)
}

func (r *reader) minusInfinity() bool { return r.at+1 < len(r.text) && r.text[r.at+1] == 'I' }

func (r *reader) wordValue(first uint16) (value, error) {
	switch first {
	case 'n':
		return value{}, r.word("null")
	case 'u':
		return value{}, r.word("undefined")
	case 't':
		return value{kind: kindScalar}, r.word("true")
	case 'f':
		return value{kind: kindScalar}, r.word("false")
	case 'N':
		return value{kind: kindScalar}, r.word("NaN")
	case 'I':
		return value{kind: kindScalar}, r.word("Infinity")
	case '-':
		return value{kind: kindScalar}, r.word("-Infinity")
	}
	return value{}, errCharacter
}

func (r *reader) numberValue() (value, error) {
	text, err := r.number()
	if err != nil {
		return value{}, err
	}
	if otherBase(text) {
		number, err := parseOtherBase(text, 64)
		return value{kindInteger, strconv.FormatInt(number, 10)}, err
	}
	if isDigits(strings.TrimPrefix(text, "-")) {
		return value{kindInteger, text}, nil
	}
	return value{kind: kindScalar}, checkFloat(text)
}

// otherBase tells whether the library reads a number as hex or octal: it starts with a zero that no fraction follows.
func otherBase(text string) bool {
	return len(text) > 1 && text[0] == '0' && !strings.ContainsRune(".eE", rune(text[1]))
}

func parseOtherBase(text string, bits int) (int64, error) {
	base := 8
	if strings.HasPrefix(strings.ToLower(text), "0x") {
		text, base = text[2:], 16
	}
	number, err := strconv.ParseUint(text, base, bits)
	if err != nil {
		return 0, errNumber
	}
	if bits == 32 {
		return int64(int32(uint32(number))), nil
	}
	return int64(number), nil
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// checkFloat allows what .NET takes for a floating-point number: no hex, no words.
func checkFloat(text string) error {
	if strings.ContainsAny(text, "abcdfABCDFxX") {
		return errNumber
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil && !isRange(err) {
		return errNumber
	}
	return nil
}

func isRange(err error) bool {
	numError, ok := err.(*strconv.NumError)
	return ok && numError.Err == strconv.ErrRange
}

// int32 reads a member that must be a whole number; a string of digits will do.
func (r *reader) int32() (int32, error) {
	if err := r.content(); err != nil {
		return 0, err
	}
	next, ok := r.peek()
	switch {
	case !ok:
		return 0, errEnd
	case next == '"' || next == '\'':
		text, err := r.quoted()
		if err != nil {
			return 0, err
		}
		number, err := strconv.ParseInt(strings.Trim(text, "\t\n\v\f\r \x00"), 10, 32)
		return int32(number), refuse(err)
	case next == '-' || next == '.' || next >= '0' && next <= '9':
		text, err := r.number()
		if err != nil {
			return 0, err
		}
		return parseInt32(text)
	}
	return 0, errCharacter
}

func parseInt32(text string) (int32, error) {
	if otherBase(text) {
		number, err := parseOtherBase(text, 32)
		return int32(number), err
	}
	digits := strings.TrimPrefix(text, "-")
	if !isDigits(digits) || len(digits) > 10 {
		return 0, errNumber
	}
	number, err := strconv.ParseInt(text, 10, 32)
	return int32(number), refuse(err)
}

func refuse(err error) error {
	if err != nil {
		return errNumber
	}
	return nil
}

// string reads a member that must be a string; a number or a boolean stands for its text. ok is false for null.
func (r *reader) string() (text string, ok bool, err error) {
	if err := r.content(); err != nil {
		return "", false, err
	}
	next, found := r.peek()
	switch {
	case !found:
		return "", false, errEnd
	case next == '"' || next == '\'':
		text, err = r.quoted()
		return text, true, err
	case next == 'n':
		return "", false, r.word("null")
	case next == '.' || next >= '0' && next <= '9' || next == '-' && !r.minusInfinity():
		text, err = r.numberText()
		return text, true, err
	}
	for _, word := range []string{"true", "false", "NaN", "Infinity", "-Infinity"} {
		if uint16(word[0]) == next {
			return word, true, r.word(word)
		}
	}
	return "", false, errCharacter
}

func (r *reader) numberText() (string, error) {
	text, err := r.number()
	if err != nil {
		return "", err
	}
	if otherBase(text) {
		_, err = parseOtherBase(text, 64)
		return text, err
	}
	return text, checkFloat(text)
}

// letter reads a member that must be one character; a number stands for its code.
func (r *reader) letter() (uint16, error) {
	if err := r.content(); err != nil {
		return 0, err
	}
	read, err := r.value()
	if err != nil {
		return 0, err
	}
	switch read.kind {
	case kindString:
		if units := utf16.Encode([]rune(read.text)); len(units) == 1 {
			return units[0], nil
		}
	case kindInteger:
		if code, err := strconv.ParseUint(read.text, 10, 16); err == nil {
			return uint16(code), nil
		}
	}
	return 0, refusal("not a character")
}

// The exceptions that the scanner's hex converter lets escape.
const (
	crashNull = crash("System.NullReferenceException")
	crashCast = crash("System.InvalidCastException")
)

// bytes reads a member in hex. The converter behind it looks at whatever comes next, a comment included, and has its
// ways to die: over null, over anything but a string, over half a byte.
func (r *reader) bytes() ([]byte, error) {
	r.space()
	if r.is('/') {
		text, err := r.comment()
		if err == nil {
			_, err = hexBytes(text)
		}
		if err == nil {
			err = refusal("unexpected token")
		}
		return nil, err
	}
	read, err := r.value()
	if err != nil {
		return nil, err
	}
	switch read.kind {
	case kindString:
		if looksLikeDate(read.text) {
			return nil, crashCast
		}
		return hexBytes(read.text)
	case kindInteger, kindScalar:
		return nil, crashCast
	case kindEnd:
		return nil, errCharacter
	}
	return nil, crashNull
}

func hexBytes(text string) ([]byte, error) {
	data, exception := contract.ParseHex(text)
	switch exception {
	case "":
		return data, nil
	case "System.FormatException":
		return nil, refusal("not hex")
	}
	return nil, crash(exception)
}

// looksLikeDate tells which strings the library turns into dates on its own account.
func looksLikeDate(text string) bool {
	if strings.HasPrefix(text, "/Date(") && strings.HasSuffix(text, ")/") {
		return true
	}
	return len(text) >= 19 && len(text) <= 40 && text[0] >= '0' && text[0] <= '9' && text[10] == 'T' &&
		text[4] == '-' && text[7] == '-' && text[13] == ':' && text[16] == ':'
}

// ReadHex reads one JSON value as the scanner's hex converter does. exception is the .NET type, "" where there is none.
func ReadHex(json string) (data []byte, exception string) {
	data, err := newReader(json).bytes()
	switch err := err.(type) {
	case nil:
		return data, ""
	case crash:
		return nil, string(err)
	}
	if err == refusal("not hex") {
		return nil, "System.FormatException"
	}
	return nil, "Newtonsoft.Json.JsonReaderException"
}
