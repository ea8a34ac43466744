package sandbox

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"

	"golang.org/x/crypto/sha3"
)

// sealed is a text enciphered as Ticketbooth does it. It holds a secret and prints without it.
type sealed struct {
	cipher, key, iv []byte
}

func (sealed) String() string { return "sealed text" }

// seal enciphers a text with AES-256-CBC and PKCS#7 under a new key.
func seal(random io.Reader, plain string) (sealed, error) {
	box := sealed{key: make([]byte, 32), iv: make([]byte, aes.BlockSize)}
	for _, part := range [][]byte{box.key, box.iv} {
		if _, err := io.ReadFull(random, part); err != nil {
			return sealed{}, fmt.Errorf("drawing a key: %w", err)
		}
	}
	block, err := aes.NewCipher(box.key)
	if err != nil {
		return sealed{}, fmt.Errorf("making a cipher: %w", err)
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	box.cipher = append([]byte(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, box.iv).CryptBlocks(box.cipher, box.cipher)
	return box, nil
}

// ticketSecret is the secret of a ticket. It prints without it.
type ticketSecret struct {
	plain   string
	sealed  sealed // of the ciphered generation
	onChain []byte
}

func (ticketSecret) String() string { return "ticket secret" }

// secretLength is how many characters a ticket's secret has.
const secretLength = 15

// newSecret makes a ticket secret as this generation does.
func (s *Sandbox) newSecret() (ticketSecret, error) {
	plain, err := drawText(s.options.Rand, secretLength)
	if err != nil {
		return ticketSecret{}, err
	}
	secret := ticketSecret{plain: plain}
	if s.options.Generation == Hashed {
		hash := sha3.Sum224([]byte(plain))
		secret.onChain = hash[:]
		return secret, nil
	}
	if secret.sealed, err = seal(s.options.Rand, plain); err != nil {
		return ticketSecret{}, err
	}
	secret.onChain = secret.sealed.cipher
	return secret, nil
}

// alphabet has 64 characters, so that six bits of a byte choose one evenly.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// drawText draws a text of URL-friendly characters.
func drawText(random io.Reader, length int) (string, error) {
	raw := make([]byte, length)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("drawing a text: %w", err)
	}
	for i := range raw {
		raw[i] = alphabet[raw[i]%64]
	}
	return string(raw), nil
}
