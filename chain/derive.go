package chain

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha3"
	"errors"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Secrets says in which form a contract gets the secret of a ticket. The contract takes any bytes; it is the scanners
// at the doors that read one form only.
type Secrets string

// The two forms.
const (
	Ciphered Secrets = "ciphered" // AES-256-CBC; the ticket carries the secret, its key and IV
	Hashed   Secrets = "hashed"   // SHA3-224; the ticket carries the secret alone
)

// The parts of what is derived for a call, in this order. None may ever change: tickets are opened with them.
const (
	secretLength = 15 // characters, as in the customer document
	keyLength    = 32
	deriveLength = secretLength + 2*(keyLength+aes.BlockSize)
)

// alphabet of a secret; it has 64 characters, so that six bits of a byte choose one evenly.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// derived is what belongs to one Reserve call: the secret, and keys for it and for a name. It prints without them.
type derived struct {
	secret      string
	key, iv     []byte
	nameKey     []byte
	nameIV      []byte
	withName    bool
	description string
}

func (d derived) String() string   { return "what is derived for " + d.description }
func (d derived) GoString() string { return d.String() }

// errDerive says that the key ring did not give what was asked for.
var errDerive = errors.New("too little was derived")

// purpose names a Reserve call: a coin is spent once, so no two tickets share it. The seat is written as number and
// UTF-16 unit, because not every letter can be printed. It may never change.
func purpose(network cirrus.Network, call order.BoothCall) string {
	return fmt.Sprintf("ticket/1/%s/%s/%s/%d.%04x", network.Name, call.Contract, call.Coin, call.Seat.Number, uint16(call.Seat.Letter))
}

// derive gives what belongs to a call; the same for the same call, on every machine with the same key ring.
func (d *Direct) derive(call order.BoothCall) (derived, error) {
	what := purpose(d.network, call)
	raw, err := d.key(what, deriveLength)
	if err != nil {
		return derived{}, fmt.Errorf("deriving a secret: %w", err)
	}
	if len(raw) != deriveLength {
		return derived{}, fmt.Errorf("deriving a secret: %w: %d bytes, want %d", errDerive, len(raw), deriveLength)
	}
	take := func(n int) []byte {
		part := raw[:n:n]
		raw = raw[n:]
		return part
	}
	text := take(secretLength)
	for i := range text {
		text[i] = alphabet[text[i]%64]
	}
	return derived{
		secret: string(text), key: take(keyLength), iv: take(aes.BlockSize), nameKey: take(keyLength), nameIV: take(aes.BlockSize),
		withName: call.Name != "", description: what,
	}, nil
}

// form gives the secret as the ticket carries it.
func (d derived) form(form Secrets) order.Secret {
	secret := order.Secret{Plaintext: d.secret}
	if form == Ciphered {
		secret.Key, secret.IV = d.key, d.iv
	}
	if d.withName {
		secret.NameKey, secret.NameIV = d.nameKey, d.nameIV
	}
	return secret
}

// onChain gives the secret as the contract stores it.
func (d derived) onChain(form Secrets) ([]byte, error) {
	if form == Ciphered {
		return encipher(d.key, d.iv, d.secret)
	}
	hash := sha3.Sum224([]byte(d.secret))
	return hash[:], nil
}

// encipher is AES-256-CBC with PKCS#7 padding, as Ticketbooth does it.
func encipher(key, iv []byte, plain string) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("enciphering: %w", err)
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	text := append([]byte(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	return text, nil
}
