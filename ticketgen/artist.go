package ticketgen

import (
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
)

// paymentPixels is the side of a payment's QR: more than enough for the 90 characters of a request.
const paymentPixels = 720

// Artist draws and checks for the conversations; it implements flows.Artist. The zero value is ready.
type Artist struct{}

var _ flows.Artist = Artist{}

// Ticket draws the picture of a ticket. Errors: those of Encode and Picture.
func (Artist) Ticket(digital flows.Digital, frame flows.Frame) ([]byte, error) {
	payload, err := Encode(fromDigital(digital))
	if err != nil {
		return nil, fmt.Errorf("drawing a ticket: %w", err)
	}
	return Picture(payload, Frame(frame))
}

// Payment draws the QR of a payment request or an address. Errors: ErrTooMuch.
func (Artist) Payment(text string) ([]byte, error) { return PaymentQR(text, paymentPixels) }

// Check holds a ticket against the contract. Errors: those of Check.
func (Artist) Check(digital flows.Digital, onChain cirrus.Ticket) error {
	return Check(fromDigital(digital), onChain)
}

func fromDigital(digital flows.Digital) Ticket {
	secret := digital.Secret
	ticket := Ticket{Seat: digital.Seat, Secret: Secret{Plaintext: secret.Plaintext}}
	if len(secret.Key) > 0 || len(secret.IV) > 0 {
		ticket.Secret.Cipher = &Cipher{Key: secret.Key, IV: secret.IV}
	}
	if len(secret.NameKey) > 0 || len(secret.NameIV) > 0 {
		ticket.Name = &Cipher{Key: secret.NameKey, IV: secret.NameIV}
	}
	return ticket
}
