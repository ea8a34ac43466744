package ticketgen

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/usherbot/usher/chain/cirrus"
)

// maxPayload bounds what Decode reads, in bytes. No QR holds more than 2953.
const maxPayload = 4096

// Decode reads what Encode writes, and is strict: each member once and by its exact name, none unknown, none null, hex
// of the right length in either case. Errors: those listed with ErrNoTicket; they never hold a value.
func Decode(payload []byte) ([]Ticket, error) {
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("decoding tickets: %w: %d bytes", ErrTicketSyntax, len(payload))
	}
	var elements []json.RawMessage
	if err := unmarshal(payload, &elements); err != nil {
		return nil, fmt.Errorf("decoding tickets: %w", err)
	}
	tickets := make([]Ticket, len(elements))
	for i, element := range elements {
		var err error
		if tickets[i], err = decodeTicket(element); err != nil {
			return nil, fmt.Errorf("decoding ticket %d: %w", i+1, err)
		}
	}
	if err := validate(tickets); err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	return tickets, nil
}

// unmarshal reads JSON and drops the library's words about it, which may quote what they stumbled over.
func unmarshal(data []byte, into any) error {
	if json.Unmarshal(data, into) != nil {
		return ErrTicketSyntax
	}
	return nil
}

func decodeTicket(element []byte) (Ticket, error) {
	members, err := readMembers(element, "seat", "secret", "secretKey", "secretIV", "nameKey", "nameIV")
	if err != nil {
		return Ticket{}, err
	}
	var ticket Ticket
	if ticket.Seat, err = decodeSeat(members["seat"]); err != nil {
		return Ticket{}, err
	}
	if ticket.Secret.Plaintext, err = text(members, "secret"); err != nil {
		return Ticket{}, err
	}
	if ticket.Secret.Cipher, err = decodeCipher(members, "secret"); err != nil {
		return Ticket{}, err
	}
	ticket.Name, err = decodeCipher(members, "name")
	return ticket, err
}

func decodeSeat(element []byte) (cirrus.Seat, error) {
	if element == nil {
		return cirrus.Seat{}, fmt.Errorf("seat: %w", ErrTicketMissing)
	}
	members, err := readMembers(element, "number", "letter")
	if err != nil {
		return cirrus.Seat{}, fmt.Errorf("seat: %w", err)
	}
	for _, name := range []string{"number", "letter"} {
		if members[name] == nil {
			return cirrus.Seat{}, fmt.Errorf("seat: %s: %w", name, ErrTicketMissing)
		}
	}
	var seat cirrus.Seat
	if isNull(members["number"]) || isNull(members["letter"]) || json.Unmarshal(element, &seat) != nil {
		return cirrus.Seat{}, ErrTicketSeat
	}
	return seat, nil
}

// decodeCipher reads a key and its vector: both, or none.
func decodeCipher(members map[string]json.RawMessage, prefix string) (*Cipher, error) {
	if members[prefix+"Key"] == nil && members[prefix+"IV"] == nil {
		return nil, nil
	}
	var read Cipher
	var err error
	if read.Key, err = hexMember(members, prefix+"Key", KeySize); err != nil {
		return nil, err
	}
	if read.IV, err = hexMember(members, prefix+"IV", IVSize); err != nil {
		return nil, err
	}
	return &read, nil
}

func hexMember(members map[string]json.RawMessage, name string, size int) ([]byte, error) {
	encoded, err := text(members, name)
	if err != nil {
		return nil, err
	}
	data, err := hex.DecodeString(encoded)
	if err != nil || len(data) != size {
		return nil, fmt.Errorf("%s: %w: want %d digits, have %d characters", name, ErrTicketHex, 2*size, len(encoded))
	}
	return data, nil
}

func text(members map[string]json.RawMessage, name string) (string, error) {
	value, ok := members[name]
	if !ok {
		return "", fmt.Errorf("%s: %w", name, ErrTicketMissing)
	}
	var text string
	if isNull(value) || json.Unmarshal(value, &text) != nil {
		return "", fmt.Errorf("%s: %w: not a string", name, ErrTicketSyntax)
	}
	return text, nil
}

func isNull(value []byte) bool { return bytes.Equal(value, []byte("null")) }

// readMembers reads an object whose members are known. encoding/json alone would take any case of a name, and the last
// of two.
func readMembers(object []byte, known ...string) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return nil, ErrTicketSyntax
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		token, err := decoder.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, ErrTicketSyntax
		}
		if err := checkName(name, known, members); err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, ErrTicketSyntax
		}
		members[name] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, ErrTicketSyntax
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrTicketSyntax
	}
	return members, nil
}

// checkName keeps an unknown name out of the error: it may be anything, a secret included.
func checkName(name string, known []string, members map[string]json.RawMessage) error {
	for _, candidate := range known {
		if candidate != name {
			continue
		}
		if _, twice := members[name]; twice {
			return fmt.Errorf("%s: %w", name, ErrTicketRepeated)
		}
		return nil
	}
	return ErrTicketMember
}
