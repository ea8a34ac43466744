package replay

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/door"
)

// compareSerial recomputes one byte vector.
func compareSerial(line object, found *differences) error {
	kind, err := line.text("kind")
	if err != nil {
		return err
	}
	switch kind {
	case "seat":
		return compareSeat(line, found)
	case "seats":
		return compareSeats(line, found)
	case "tickets":
		return compareTickets(line, found)
	case "seat-decode":
		return compareSeatDecode(line, found)
	case "primitive":
		return comparePrimitive(line, found)
	case "call-params":
		return compareCallParams(line, found)
	case "address":
		return compareAddress(line, found)
	case "address-parse":
		return compareAddressParse(line, found)
	case "amount":
		return compareAmount(line, found)
	case "hex-write":
		return compareHexWrite(line, found)
	case "hex-read":
		return compareHexRead(line, found)
	}
	return fmt.Errorf("%w: unknown kind %q", ErrUnreadable, kind)
}

// field compares one member of the line.
func (d *differences) field(line object, name string, got any) {
	d.compare(name, member(line, name), got)
}

func compareSeat(line object, found *differences) error {
	number, err := line.integer("number", 32)
	if err != nil {
		return err
	}
	code, err := line.integer("letterCode", 32)
	if err != nil || code < 0 || code > 0xFFFF {
		return wrong("letterCode", "a number of 16 bits")
	}
	seat := cirrus.Seat{Number: int32(number), Letter: cirrus.Char(code)}
	encoded := contract.EncodeSeat(seat)
	found.field(line, "letter", seat.Letter.String())
	found.field(line, "hex", upperHex(encoded))
	found.field(line, "param", contract.ParamBytes(encoded))
	if decoded := contract.DecodeSeat(encoded); decoded != seat {
		found.note("decoding", seatValue(seat), seatValue(decoded))
	}
	return nil
}

func compareSeats(line object, found *differences) error {
	recorded, err := line.objects("seats")
	if err != nil {
		return err
	}
	seats := make([]cirrus.Seat, len(recorded))
	for i, seat := range recorded {
		if seats[i], err = seat.seat(); err != nil {
			return fmt.Errorf("seats: %w", err)
		}
	}
	encoded := contract.EncodeSeats(seats)
	found.field(line, "hex", upperHex(encoded))
	found.field(line, "decodedCount", signed(int64(len(contract.DecodeSeats(encoded)))))
	return nil
}

func compareTickets(line object, found *differences) error {
	recorded, err := line.objects("tickets")
	if err != nil {
		return err
	}
	tickets := make([]contract.Ticket, len(recorded))
	for i, ticket := range recorded {
		if tickets[i], err = readTicket(ticket); err != nil {
			return fmt.Errorf("tickets: %w", err)
		}
	}
	encoded := contract.EncodeTickets(tickets)
	found.field(line, "hex", upperHex(encoded))
	found.compare("tickets", line["tickets"], ticketValues(contract.DecodeTickets(encoded)))
	return nil
}

func compareSeatDecode(line object, found *differences) error {
	data, err := line.bytes("hex")
	if err != nil {
		return err
	}
	seat := contract.DecodeSeat(data)
	found.field(line, "number", signed(int64(seat.Number)))
	found.field(line, "letterCode", signed(int64(seat.Letter)))
	found.field(line, "isDefault", seat == cirrus.Seat{})
	found.field(line, "exception", nil)
	return nil
}

// typeNumbers are the types of primitives, by the names that the recordings use.
func typeNumber(name string) (string, bool) {
	number, ok := map[string]string{
		"bool": "1", "byte": "2", "char": "3", "string": "4", "uint": "5", "int": "6", "ulong": "7", "long": "8",
		"address": "9", "byte[]": "10",
	}[strings.ToLower(name)]
	return number, ok
}

func comparePrimitive(line object, found *differences) error {
	name, err := line.text("type")
	if err != nil {
		return err
	}
	number, ok := typeNumber(name)
	if !ok {
		return wrong("type", "a type of parameters")
	}
	text, err := primitiveText(name, line["value"])
	if err != nil {
		return err
	}
	found.field(line, "param", number+"#"+text)
	params, err := contract.ParseParams(cirrus.MainNet, []string{number + "#" + text})
	if err != nil || len(params) != 1 {
		return wrong("value", "a value of that type")
	}
	found.field(line, "hex", upperHex(append([]byte{}, params[0].Value...)))
	return nil
}

// primitiveText writes a value the way .NET's ToString does, which is the node API's form.
func primitiveText(name string, value any) (string, error) {
	switch value := value.(type) {
	case bool:
		if value {
			return "True", nil
		}
		return "False", nil
	case json.Number:
		if code, err := value.Int64(); name == "char" && err == nil && code >= 0 && code <= 0xFFFF {
			return cirrus.Char(code).String(), nil
		}
		return value.String(), nil
	case string:
		return value, nil
	}
	return "", wrong("value", "a boolean, a number or a string")
}

func compareCallParams(line object, found *differences) error {
	texts, err := line.texts("strings")
	if err != nil {
		return err
	}
	params, err := contract.ParseParams(cirrus.MainNet, texts)
	if err != nil {
		var refused *contract.ParamError
		if !errors.As(err, &refused) {
			return fmt.Errorf("reading parameters: %w", err)
		}
		compareException(line, refused.Exception, found)
		found.field(line, "rlp", nil)
		found.field(line, "decoded", nil)
		return nil
	}
	found.field(line, "exception", nil)
	found.field(line, "rlp", upperHex(contract.EncodeParams(params)))
	decoded := make([]any, len(params))
	for i, param := range params {
		decoded[i] = paramValue(param)
	}
	found.field(line, "decoded", decoded)
	return nil
}

// compareException compares .NET types by their names: a recording may leave the namespace out.
func compareException(line object, got string, found *differences) {
	want, ok := line["exception"].(string)
	if !ok || className(want) != className(got) {
		found.compare("exception", member(line, "exception"), got)
	}
}

func className(full string) string { return full[strings.LastIndexByte(full, '.')+1:] }

func compareAddress(line object, found *differences) error {
	data, err := line.bytes("hash160")
	if err != nil || len(data) != len(cirrus.Hash{}) {
		return wrong("hash160", "20 bytes in hex")
	}
	hash := cirrus.Hash(data)
	found.field(line, "main", string(cirrus.MainNet.Address(hash)))
	found.field(line, "test", string(cirrus.TestNet.Address(hash)))
	found.field(line, "addressToString", upperHex(data))
	found.field(line, "param", contract.ParamAddress(cirrus.MainNet.Address(hash)))
	return nil
}

func compareAddressParse(line object, found *differences) error {
	text, err := line.text("text")
	if err != nil {
		return err
	}
	network, ok := map[any]cirrus.Network{"main": cirrus.MainNet, "test": cirrus.TestNet}[line["network"]]
	if !ok {
		return wrong("network", "main or test")
	}
	hash, err := contract.ParseAddress(network, text)
	found.field(line, "accepted", err == nil)
	var got any
	if err == nil {
		got = upperHex(hash[:])
	}
	found.field(line, "hash160", got)
	return nil
}

func compareAmount(line object, found *differences) error {
	amount, err := line.ulong("sats")
	if err != nil {
		return err
	}
	const crs = uint64(cirrus.CRS)
	found.field(line, "text", fmt.Sprintf("%d.%08d", amount/crs, amount%crs))
	return nil
}

func compareHexWrite(line object, found *differences) error {
	list, ok := line["bytes"].([]any)
	if !ok {
		return wrong("bytes", "an array")
	}
	data := make([]byte, len(list))
	for i, element := range list {
		value, err := object{"bytes": element}.ulong("bytes")
		if err != nil || value > 0xFF {
			return wrong("bytes", "an array of bytes")
		}
		data[i] = byte(value)
	}
	found.field(line, "json", `"`+strings.ToUpper(hex.EncodeToString(data))+`"`)
	return nil
}

func compareHexRead(line object, found *differences) error {
	text, err := line.text("json")
	if err != nil {
		return err
	}
	data, exception := door.ReadHex(text)
	if exception != "" {
		found.field(line, "hex", nil)
		compareException(line, exception, found)
		return nil
	}
	found.field(line, "hex", upperHex(data))
	found.field(line, "exception", nil)
	return nil
}
