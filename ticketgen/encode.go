package ticketgen

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// ticketJSON has the members in the order of the customer document. What is optional is left out, never null: null
// kills the scanner.
type ticketJSON struct {
	Seat      json.RawMessage `json:"seat"`
	Secret    string          `json:"secret"`
	SecretKey string          `json:"secretKey,omitempty"`
	SecretIV  string          `json:"secretIV,omitempty"`
	NameKey   string          `json:"nameKey,omitempty"`
	NameIV    string          `json:"nameIV,omitempty"`
}

// Encode gives the JSON that a QR holds: compact, hex in lower case, and in ASCII alone, because not every reader
// knows in which encoding a QR's bytes are. One ticket a QR is the rule: the known scanner gives no answer to a QR
// with two sold seats. Errors: ErrNoTicket, ErrTicketSeat, ErrTicketSecret, ErrTicketHex, ErrTicketGenerations.
func Encode(tickets ...Ticket) ([]byte, error) {
	if err := validate(tickets); err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	objects := make([]ticketJSON, len(tickets))
	for i, ticket := range tickets {
		seat, err := json.Marshal(ticket.Seat)
		if err != nil {
			return nil, fmt.Errorf("encoding %v: %w", ticket, err)
		}
		objects[i] = ticketJSON{Seat: ascii(seat), Secret: ticket.Secret.Plaintext}
		if secret := ticket.Secret.Cipher; secret != nil {
			objects[i].SecretKey, objects[i].SecretIV = hex.EncodeToString(secret.Key), hex.EncodeToString(secret.IV)
		}
		if name := ticket.Name; name != nil {
			objects[i].NameKey, objects[i].NameIV = hex.EncodeToString(name.Key), hex.EncodeToString(name.IV)
		}
	}
	encoded, err := json.Marshal(objects)
	if err != nil {
		return nil, fmt.Errorf("encoding tickets: %w", err)
	}
	return encoded, nil
}

// ascii escapes the letters of a seat that are not ASCII. A letter is one UTF-16 unit, so one escape is enough.
func ascii(text []byte) []byte {
	var escaped strings.Builder
	for _, char := range string(text) {
		if char < 0x80 {
			escaped.WriteRune(char)
		} else {
			fmt.Fprintf(&escaped, `\u%04x`, char)
		}
	}
	return []byte(escaped.String())
}
