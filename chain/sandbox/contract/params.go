package contract

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/usherbot/usher/chain/cirrus"
)

// Param is one parameter of a call. Value holds the bytes that the chain holds for it.
type Param struct {
	Type  byte // one of the Type constants
	Value []byte
	Null  bool // an empty byte[] or string, which arrives as null
}

// The types of parameters, as the node API numbers them.
const (
	TypeBool byte = iota + 1
	TypeByte
	TypeChar
	TypeString
	TypeUint
	TypeInt
	TypeUlong
	TypeLong
	TypeAddress
	TypeBytes
)

// ErrParam says that a text is no parameter of the node API.
var ErrParam = errors.New("not a parameter")

// ParamError is what the node throws over a parameter. It matches ErrParam.
type ParamError struct {
	Exception string // the .NET type
	Text      string // the parameter's type and value, as the node's message names them
}

func (e *ParamError) Error() string {
	return fmt.Sprintf("Error deserializing parameter %s", e.Text)
}

// Is makes every ParamError an ErrParam.
func (e *ParamError) Is(target error) bool { return target == ErrParam }

// The exceptions of the node's string serializer: its own for a bad value, and what its indexing throws unguarded.
const (
	paramException = "Stratis.SmartContracts.CLR.Serialization.MethodParameterStringSerializerException"
	indexException = "System.IndexOutOfRangeException"
)

// typeNames is what the node calls the types in its message.
func typeName(number string) string {
	names := []string{"Bool", "Byte", "Char", "String", "UInt", "Int", "ULong", "Long", "Address", "ByteArray"}
	if n, err := strconv.Atoi(number); err == nil && n >= 1 && n <= len(names) {
		return names[n-1]
	}
	return number
}

// ParseParams reads parameters as the node API takes them ("10#C884…", "7#12") and gives them as they arrive at the
// contract, after the way through the transaction: an empty byte[] or string arrives as null. No texts are no
// parameters. Errors: a *ParamError.
func ParseParams(network cirrus.Network, texts []string) ([]Param, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	var params []Param
	for _, text := range splitUnescaped(escapeAndJoin(texts), '|') {
		param, err := parseParam(network, strings.ReplaceAll(text, `\|`, "|"))
		if err != nil {
			return nil, err
		}
		params = append(params, param)
	}
	return params, nil
}

// escapeAndJoin makes one text of all parameters, as the node does before it takes it apart again. A value that ends
// in a backslash swallows its neighbour on this way, there as here.
func escapeAndJoin(texts []string) string {
	escaped := make([]string, len(texts))
	for i, text := range texts {
		text = strings.ReplaceAll(text, "|", `\|`)
		if strings.Count(text, "#") != 1 {
			kind, value, _ := strings.Cut(text, "#")
			text = kind + "#" + strings.ReplaceAll(value, "#", `\#`)
		}
		escaped[i] = text
	}
	return strings.Join(escaped, "|")
}

// splitUnescaped cuts at every separator that has no backslash before it.
func splitUnescaped(text string, separator byte) []string {
	var parts []string
	start := 0
	for i := range len(text) {
		if text[i] == separator && (i == 0 || text[i-1] != '\\') {
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

func parseParam(network cirrus.Network, text string) (Param, error) {
	parts := splitUnescaped(text, '#')
	if len(parts) < 2 {
		return Param{}, &ParamError{Exception: indexException, Text: text}
	}
	number, value := parts[0], strings.ReplaceAll(parts[1], `\#`, "#")
	bytes, exception := paramBytes(network, number, value)
	if exception != "" {
		return Param{}, &ParamError{Exception: exception, Text: typeName(number) + " with value " + value}
	}
	kind, err := strconv.ParseUint(number, 10, 8)
	if err != nil {
		return Param{}, &ParamError{Exception: paramException, Text: text}
	}
	return Param{Type: byte(kind), Value: bytes, Null: len(bytes) == 0}, nil
}

// paramBytes gives the bytes of a value, or the exception that the node throws over it.
func paramBytes(network cirrus.Network, kind, value string) ([]byte, string) {
	switch kind {
	case "1":
		return boolValue(value)
	case "2":
		return unsignedValue(value, 8)
	case "3":
		units := utf16.Encode([]rune(value))
		if len(units) == 0 {
			return nil, indexException
		}
		return binary.LittleEndian.AppendUint16(nil, units[0]), ""
	case "4":
		return []byte(value), ""
	case "5":
		return unsignedValue(value, 32)
	case "6":
		return signedValue(value, 32)
	case "7":
		return unsignedValue(value, 64)
	case "8":
		return signedValue(value, 64)
	case "9":
		return addressValue(network, value)
	case "10":
		return hexValue(strings.TrimPrefix(value, "0x"))
	}
	return nil, paramException
}

func boolValue(value string) ([]byte, string) {
	switch strings.ToLower(strings.Trim(value, numberSpace)) {
	case "true":
		return boolBytes(true), ""
	case "false":
		return boolBytes(false), ""
	}
	return nil, paramException
}

// numberSpace is what .NET lets stand around a number.
const numberSpace = "\t\n\v\f\r \x00"

func unsignedValue(value string, bits int) ([]byte, string) {
	digits := strings.TrimPrefix(strings.Trim(value, numberSpace), "+")
	if rest, negative := strings.CutPrefix(digits, "-"); negative && strings.Trim(rest, "0") == "" {
		digits = rest
	}
	number, err := strconv.ParseUint(digits, 10, bits)
	if err != nil {
		return nil, paramException
	}
	return ulongBytes(number)[:bits/8], ""
}

func signedValue(value string, bits int) ([]byte, string) {
	number, err := strconv.ParseInt(strings.Trim(value, numberSpace), 10, bits)
	if err != nil {
		return nil, paramException
	}
	return ulongBytes(uint64(number))[:bits/8], ""
}

func addressValue(network cirrus.Network, value string) ([]byte, string) {
	hash, err := ParseAddress(network, value)
	if err != nil {
		return nil, paramException
	}
	return hash[:], ""
}

// ParseAddress reads an address as the node does, which lets spaces stand around it. Errors: those of
// cirrus.Network.ParseAddress.
func ParseAddress(network cirrus.Network, text string) (cirrus.Hash, error) {
	address, err := network.ParseAddress(strings.Trim(text, "\t\n\v\f\r "))
	if err != nil {
		return cirrus.Hash{}, fmt.Errorf("reading an address: %w", err)
	}
	return address.Hash()
}

func hexValue(value string) ([]byte, string) {
	bytes, exception := ParseHex(value)
	switch exception {
	case "":
		return bytes, ""
	case formatException, argumentException, rangeException:
		return nil, paramException
	}
	return nil, exception
}

// EncodeParams gives the parameters as the transaction holds them.
func EncodeParams(params []Param) []byte {
	elements := make([][]byte, len(params))
	for i, param := range params {
		elements[i] = rlpString(append([]byte{param.Type}, param.Value...))
	}
	return rlpList(elements...)
}

// ParamBytes gives a byte[] as a parameter of the node API.
func ParamBytes(value []byte) string { return "10#" + strings.ToUpper(hex.EncodeToString(value)) }

// ParamString gives a string as a parameter of the node API.
func ParamString(value string) string { return "4#" + value }

// ParamUlong gives a ulong as a parameter of the node API.
func ParamUlong(value uint64) string { return "7#" + strconv.FormatUint(value, 10) }

// ParamInt gives an int as a parameter of the node API.
func ParamInt(value int32) string { return "6#" + strconv.FormatInt(int64(value), 10) }

// ParamBool gives a bool as a parameter of the node API, in .NET's spelling.
func ParamBool(value bool) string {
	if value {
		return "1#True"
	}
	return "1#False"
}

// ParamAddress gives an address as a parameter of the node API.
func ParamAddress(address cirrus.Address) string { return "9#" + string(address) }
