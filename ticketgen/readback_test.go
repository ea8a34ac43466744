package ticketgen

import (
	"encoding/base64"
	"math/rand/v2"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
)

// unlucky is a ticket in whose smallest QR readers of the ZXing family take a pattern for a corner; of random ones
// about one in a hundred is.
func unlucky(t *testing.T) string {
	t.Helper()
	const number = 80
	random := rand.New(rand.NewPCG(1, 2))
	var ticket Ticket
	for n := range number + 1 {
		key, iv, secret := make([]byte, 32), make([]byte, 16), make([]byte, 12)
		for _, part := range [][]byte{key, iv, secret} {
			for i := range part {
				part[i] = byte(random.Uint32())
			}
		}
		ticket = Ticket{
			Seat:   cirrus.Seat{Number: int32(n + 1), Letter: 'B'},
			Secret: Secret{Plaintext: base64.RawURLEncoding.EncodeToString(secret)[:15], Cipher: &Cipher{Key: key, IV: iv}},
		}
	}
	payload, err := Encode(ticket)
	if err != nil {
		t.Fatal(err)
	}
	return string(payload)
}

func TestTicketThatDoesNotReadBackIsDrawnInAnotherSize(t *testing.T) {
	payload := unlucky(t)
	code, err := drawQR(payload, qrSide, 0)
	if err != nil {
		t.Fatal(err)
	}
	if readsBack(code, payload) {
		t.Fatal("this ticket is not unlucky any more: the test shows nothing")
	}
	picture, err := QR([]byte(payload), qrSide)
	if err != nil {
		t.Fatal(err)
	}
	if !readsBack(picture, payload) {
		t.Error("the QR does not read back")
	}
}
