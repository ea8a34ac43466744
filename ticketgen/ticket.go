package ticketgen

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/usherbot/usher/chain/cirrus"
)

// Sizes of what a ticket holds.
const (
	KeySize    = 32 // bytes, of an AES-256 key
	IVSize     = 16 // bytes, of an initialization vector
	SecretSize = 15 // characters of A-Z, a-z, 0-9, "_" and "-"
)

// What is wrong with a ticket. Errors of Encode and Decode match one of them and name the member, never its value.
var (
	ErrNoTicket          = errors.New("no ticket")
	ErrTicketSyntax      = errors.New("not a JSON array of tickets")
	ErrTicketMember      = errors.New("unknown member")
	ErrTicketMissing     = errors.New("member missing")
	ErrTicketRepeated    = errors.New("member given twice")
	ErrTicketSeat        = errors.New("not a seat")
	ErrTicketSecret      = errors.New("secret is not 15 characters of A-Z, a-z, 0-9, _ and -")
	ErrTicketHex         = errors.New("not hex of the right length")
	ErrTicketGenerations = errors.New("tickets of two generations in one QR")
)

// Cipher is an AES-256-CBC key with its initialization vector. It prints without them.
type Cipher struct {
	Key []byte // KeySize bytes
	IV  []byte // IVSize bytes
}

// Secret proves at the door who holds a ticket. It prints without what it holds.
type Secret struct {
	Plaintext string  // SecretSize characters
	Cipher    *Cipher // opens the secret on chain; nil in the hashed generation
}

// Ticket is what a QR says of one seat. It prints as its seat.
type Ticket struct {
	Seat   cirrus.Seat
	Secret Secret
	Name   *Cipher // opens the name on chain; nil without an identity policy
}

// String hides the key.
func (Cipher) String() string { return "cipher(hidden)" }

// Format hides the key from every verb.
func (c Cipher) Format(state fmt.State, _ rune) { fmt.Fprint(state, c.String()) }

// LogValue hides the key from logs.
func (c Cipher) LogValue() slog.Value { return slog.StringValue(c.String()) }

// String hides the secret.
func (Secret) String() string { return "secret(hidden)" }

// Format hides the secret from every verb.
func (s Secret) Format(state fmt.State, _ rune) { fmt.Fprint(state, s.String()) }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String shows the seat alone.
func (t Ticket) String() string { return "ticket(" + t.Seat.String() + ")" }

// Format shows the seat alone, whatever the verb.
func (t Ticket) Format(state fmt.State, _ rune) { fmt.Fprint(state, t.String()) }

// LogValue shows the seat alone.
func (t Ticket) LogValue() slog.Value { return slog.StringValue(t.String()) }

// validate checks what Encode and Decode both ask of tickets.
func validate(tickets []Ticket) error {
	if len(tickets) == 0 {
		return ErrNoTicket
	}
	for _, ticket := range tickets {
		if err := ticket.validate(); err != nil {
			return fmt.Errorf("%v: %w", ticket, err)
		}
		if (ticket.Secret.Cipher == nil) != (tickets[0].Secret.Cipher == nil) {
			return ErrTicketGenerations
		}
	}
	return nil
}

func (t Ticket) validate() error {
	if t.Seat == (cirrus.Seat{}) {
		return ErrTicketSeat
	}
	if !isSecret(t.Secret.Plaintext) {
		return ErrTicketSecret
	}
	if err := t.Secret.Cipher.validate("secret"); err != nil {
		return err
	}
	return t.Name.validate("name")
}

func (c *Cipher) validate(member string) error {
	switch {
	case c == nil:
		return nil
	case len(c.Key) != KeySize:
		return fmt.Errorf("%sKey: %w", member, ErrTicketHex)
	case len(c.IV) != IVSize:
		return fmt.Errorf("%sIV: %w", member, ErrTicketHex)
	}
	return nil
}

func isSecret(text string) bool {
	for _, char := range []byte(text) {
		switch {
		case char >= 'A' && char <= 'Z', char >= 'a' && char <= 'z', char >= '0' && char <= '9', char == '_', char == '-':
		default:
			return false
		}
	}
	return len(text) == SecretSize
}
