package ticketgen

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/sha3"

	"github.com/usherbot/usher/chain/cirrus"
)

// What Check and Name find.
var (
	ErrNotOnChain     = errors.New("the contract has no ticket for this seat")
	ErrSeatMismatch   = errors.New("the ticket on chain is of another seat")
	ErrSecretMismatch = errors.New("the secret is not the one on chain")
	ErrOwnerMismatch  = errors.New("the ticket on chain belongs to another address")
	ErrNameKeyMissing = errors.New("the contract stores a name and the ticket has no key for it")
	ErrNoName         = errors.New("there is no name")
	ErrNameMismatch   = errors.New("the name on chain cannot be read with this key")
)

// Check holds a ticket against the ticket on chain, as the door will: the same seat, and the secret decrypted
// (AES-256-CBC, PKCS#7, UTF-8) or hashed (SHA3-224), compared in constant time. A stored name without a key for it is
// an error too, because the scanner then shows a fault instead of letting the holder in. Errors: ErrNotOnChain,
// ErrSeatMismatch, ErrSecretMismatch, ErrNameKeyMissing, ErrTicketHex.
func Check(ticket Ticket, onChain cirrus.Ticket) error {
	if ticket.Seat != onChain.Seat {
		return ErrSeatMismatch
	}
	if len(onChain.Secret) == 0 {
		return ErrNotOnChain
	}
	if err := checkSecret(ticket.Secret, onChain.Secret); err != nil {
		return err
	}
	if len(onChain.Identifier) > 0 && ticket.Name == nil {
		return ErrNameKeyMissing
	}
	return ticket.Name.validate("name")
}

// CheckOwned is Check, and that the ticket belongs to owner. Errors: also ErrOwnerMismatch.
func CheckOwned(ticket Ticket, onChain cirrus.Ticket, owner cirrus.Address) error {
	if err := Check(ticket, onChain); err != nil {
		return err
	}
	if onChain.Address != owner {
		return ErrOwnerMismatch
	}
	return nil
}

func checkSecret(secret Secret, onChain []byte) error {
	have := []byte(secret.Plaintext)
	want := onChain
	if secret.Cipher == nil {
		hash := sha3.Sum224(have)
		have = hash[:]
	} else {
		if err := secret.Cipher.validate("secret"); err != nil {
			return err
		}
		var err error
		if want, err = secret.Cipher.open(onChain); err != nil {
			return ErrSecretMismatch
		}
	}
	if subtle.ConstantTimeCompare(have, want) != 1 {
		return ErrSecretMismatch
	}
	return nil
}

// Name gives the holder's name out of the ticket on chain. Errors: ErrNoName where either side has none,
// ErrNameMismatch, ErrTicketHex.
func Name(ticket Ticket, onChain cirrus.Ticket) (string, error) {
	if ticket.Name == nil || len(onChain.Identifier) == 0 {
		return "", ErrNoName
	}
	if err := ticket.Name.validate("name"); err != nil {
		return "", err
	}
	name, err := ticket.Name.open(onChain.Identifier)
	if err != nil || !utf8.Valid(name) {
		return "", ErrNameMismatch
	}
	return string(name), nil
}

// errCipher says that bytes cannot be decrypted.
var errCipher = errors.New("not enciphered with this key")

// open decrypts AES-256-CBC with PKCS#7 padding.
func (c Cipher) open(sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || len(sealed)%aes.BlockSize != 0 {
		return nil, errCipher
	}
	block, err := aes.NewCipher(c.Key)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", errCipher)
	}
	plain := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(block, c.IV).CryptBlocks(plain, sealed)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errCipher
	}
	for _, pad := range plain[len(plain)-padding:] {
		if int(pad) != padding {
			return nil, errCipher
		}
	}
	return plain[:len(plain)-padding], nil
}
