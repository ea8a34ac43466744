package ticketgen

import (
	"encoding/base64"
	"math/rand/v2"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
)

// TestEveryTicketReadsBack: of random tickets drawn in one size only, about one in a hundred does not.
func TestEveryTicketReadsBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 150 {
		key, iv, secret := make([]byte, 32), make([]byte, 16), make([]byte, 12)
		for _, part := range [][]byte{key, iv, secret} {
			for i := range part {
				part[i] = byte(random.Uint32())
			}
		}
		payload, err := Encode(Ticket{
			Seat:   cirrus.Seat{Number: int32(n + 1), Letter: 'B'},
			Secret: Secret{Plaintext: base64.RawURLEncoding.EncodeToString(secret)[:15], Cipher: &Cipher{Key: key, IV: iv}},
		})
		if err != nil {
			t.Fatal(err)
		}
		picture, err := QR(payload, 928)
		if err != nil {
			t.Fatalf("ticket %d: %v", n, err)
		}
		if !readsBack(picture, string(payload)) {
			t.Errorf("ticket %d does not read back", n)
		}
	}
}
