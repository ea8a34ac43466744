package door

import (
	"log/slog"

	"github.com/usherbot/usher/chain/cirrus"
)

// Generation tells the two known scanners apart.
type Generation string

const (
	// Hashed has SHA3-224 of the secret on chain; its QR refuses secretKey and secretIV.
	Hashed Generation = "hashed"
	// Ciphered has the enciphered secret on chain; its QR must carry secretKey and secretIV.
	Ciphered Generation = "ciphered"
)

// Ticket is one ticket out of a QR. It holds secrets and prints without them.
type Ticket struct {
	Seat      cirrus.Seat
	Secret    string
	SecretKey []byte
	SecretIV  []byte
	NameKey   []byte
	NameIV    []byte
}

// String shows the seat alone.
func (t Ticket) String() string { return "ticket of seat " + t.Seat.String() }

// GoString shows the seat alone.
func (t Ticket) GoString() string { return t.String() }

// LogValue shows the seat alone.
func (t Ticket) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Parsed is what the scanner reads out of a QR.
type Parsed struct {
	Accepted bool      // it goes on to check the tickets
	Tickets  []*Ticket // nil for an element that was null: the scan dies over it later
	Uncaught string    // the .NET exception that nobody catches: the scanner shows nothing at all
	Reason   string    // why it is not accepted; holds nothing out of the ticket
}
