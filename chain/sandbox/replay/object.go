package replay

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/usherbot/usher/chain/cirrus"
)

// object is a JSON object whose numbers kept their text.
type object map[string]any

func (o object) has(name string) bool {
	_, ok := o[name]
	return ok
}

func wrong(name, wanted string) error {
	return fmt.Errorf("%w: %q is not %s", ErrUnreadable, name, wanted)
}

func (o object) object(name string) (object, error) {
	if value, ok := o[name].(map[string]any); ok {
		return value, nil
	}
	return nil, wrong(name, "an object")
}

func (o object) objects(name string) ([]object, error) {
	list, ok := o[name].([]any)
	if !ok {
		return nil, wrong(name, "an array")
	}
	objects := make([]object, len(list))
	for i, element := range list {
		fields, ok := element.(map[string]any)
		if !ok {
			return nil, wrong(name, "an array of objects")
		}
		objects[i] = fields
	}
	return objects, nil
}

func (o object) text(name string) (string, error) {
	if value, ok := o[name].(string); ok {
		return value, nil
	}
	return "", wrong(name, "a string")
}

func (o object) texts(name string) ([]string, error) {
	list, ok := o[name].([]any)
	if !ok {
		return nil, wrong(name, "an array")
	}
	texts := make([]string, len(list))
	for i, element := range list {
		if texts[i], ok = element.(string); !ok {
			return nil, wrong(name, "an array of strings")
		}
	}
	return texts, nil
}

func (o object) ulong(name string) (uint64, error) {
	number, ok := o[name].(json.Number)
	if !ok {
		return 0, wrong(name, "a number")
	}
	value, err := strconv.ParseUint(number.String(), 10, 64)
	if err != nil {
		return 0, wrong(name, "a number from 0 to 2^64-1")
	}
	return value, nil
}

func (o object) integer(name string, bits int) (int64, error) {
	number, ok := o[name].(json.Number)
	if !ok {
		return 0, wrong(name, "a number")
	}
	value, err := strconv.ParseInt(number.String(), 10, bits)
	if err != nil {
		return 0, wrong(name, fmt.Sprintf("a number of %d bits", bits))
	}
	return value, nil
}

// bytes gives a hex string; null is nil.
func (o object) bytes(name string) ([]byte, error) {
	if o[name] == nil {
		return nil, nil
	}
	text, err := o.text(name)
	if err != nil {
		return nil, err
	}
	value, err := hex.DecodeString(text)
	if err != nil {
		return nil, wrong(name, "hex")
	}
	return value, nil
}

// hash gives the 20 bytes behind an address of any network; null is zero.
func (o object) hash(name string) (cirrus.Hash, error) {
	if o[name] == nil {
		return cirrus.Hash{}, nil
	}
	text, err := o.text(name)
	if err != nil {
		return cirrus.Hash{}, err
	}
	value, err := cirrus.Address(text).Hash()
	if err != nil {
		return cirrus.Hash{}, wrong(name, "an address")
	}
	return value, nil
}

func (o object) seat() (cirrus.Seat, error) {
	number, err := o.integer("number", 32)
	if err != nil {
		return cirrus.Seat{}, err
	}
	letter, err := o.text("letter")
	if err != nil {
		return cirrus.Seat{}, err
	}
	units := utf16.Encode([]rune(letter))
	if len(units) != 1 {
		return cirrus.Seat{}, wrong("letter", "one character")
	}
	return cirrus.Seat{Number: int32(number), Letter: cirrus.Char(units[0])}, nil
}

// upperHex writes bytes as the recordings do, nil as null.
func upperHex(data []byte) any {
	if data == nil {
		return nil
	}
	return strings.ToUpper(hex.EncodeToString(data))
}

func number(value uint64) json.Number { return json.Number(strconv.FormatUint(value, 10)) }

func signed(value int64) json.Number { return json.Number(strconv.FormatInt(value, 10)) }

func seatValue(seat cirrus.Seat) any {
	return map[string]any{"number": signed(int64(seat.Number)), "letter": seat.Letter.String()}
}

// addressText writes a hash as the recordings do: they are of CirrusMain unless they say otherwise.
func addressText(hash cirrus.Hash) string { return string(cirrus.MainNet.Address(hash)) }
