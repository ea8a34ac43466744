package contract

import (
	"strconv"
	"unicode/utf16"
)

// The exceptions of .NET's Convert.ToByte(pair, 16) and of the substring that takes the pair, which both the node and the door scanner read hex with.
const (
	formatException   = "System.FormatException"
	argumentException = "System.ArgumentException"
	rangeException    = "System.ArgumentOutOfRangeException"
)

// ParseHex reads hex as the node and the scanner do, two characters at a time: "+1" is a byte, "0x" is none, half a
// pair is an exception of its own. exception is the .NET type, "" where there is none.
func ParseHex(text string) (data []byte, exception string) {
	units := utf16.Encode([]rune(text))
	data = make([]byte, 0, len(units)/2)
	for i := 0; i < len(units); i += 2 {
		if i+1 == len(units) {
			return nil, rangeException
		}
		value, exception := hexPair(units[i], units[i+1])
		if exception != "" {
			return nil, exception
		}
		data = append(data, value)
	}
	return data, ""
}

// hexPair reads two characters. A "+" may stand before one digit; a "-" is refused in a way of its own.
func hexPair(first, second uint16) (byte, string) {
	if first == '-' {
		return 0, argumentException
	}
	text := string([]rune{rune(first), rune(second)})
	if first == '+' {
		text = string([]rune{rune(second)})
	}
	value, err := strconv.ParseUint(text, 16, 8)
	if err != nil {
		return 0, formatException
	}
	return byte(value), ""
}
