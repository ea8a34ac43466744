package door

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"unicode/utf16"

	"golang.org/x/crypto/sha3"

	"github.com/usherbot/usher/chain/sandbox/contract"
)

// Verdict is what the scanner makes of one ticket.
type Verdict string

// The verdicts.
const (
	Valid    Verdict = "valid"     // let in
	Denied   Verdict = "denied"    // not theirs, or never sold
	Faulted  Verdict = "faulted"   // the scanner shows an error, which is not a no
	Refused  Verdict = "refused"   // never got past reading the QR
	NoAnswer Verdict = "no-answer" // started, never answered
)

// Result is the check of one ticket.
type Result struct {
	Verdict Verdict
	Name    string // the holder's, of a valid ticket; "" where there is none or it could not be read
	Reason  string // why the verdict is not valid, or why there is no name
}

// What AES in the scanner's hands refuses. The first kind it answers with an error, the second with a no.
var (
	errArgument = errors.New("a key, an initialization vector or a cipher text of the wrong length")
	errPadding  = errors.New("bad padding")
)

// Check checks one ticket against the ticket on chain, as the scanner of this generation does. A nil ticket is one
// that was null in the QR.
func Check(generation Generation, ticket *Ticket, onChain contract.Ticket) Result {
	if ticket == nil {
		return Result{Verdict: Faulted, Reason: "no ticket"}
	}
	if ticket.Seat != onChain.Seat {
		return Result{Verdict: Faulted, Reason: "seats do not match"}
	}
	owns, err := checkSecret(generation, ticket, onChain.Secret)
	switch {
	case errors.Is(err, errArgument):
		return Result{Verdict: Faulted, Reason: "secret: " + err.Error()}
	case err != nil:
		return Result{Verdict: Denied, Reason: "secret: " + err.Error()}
	case !owns:
		return Result{Verdict: Denied, Reason: "the secret is not the one on chain"}
	case onChain.Identifier == nil:
		return Result{Verdict: Valid}
	}
	name, err := decrypt(onChain.Identifier, ticket.NameKey, ticket.NameIV)
	switch {
	case errors.Is(err, errArgument):
		return Result{Verdict: Faulted, Reason: "name: " + err.Error()}
	case err != nil:
		return Result{Verdict: Valid, Reason: "name: " + err.Error()}
	}
	return Result{Verdict: Valid, Name: name}
}

func checkSecret(generation Generation, ticket *Ticket, onChain []byte) (bool, error) {
	if onChain == nil {
		return false, errArgument
	}
	if generation == Hashed {
		hash := sha3.Sum224([]byte(ticket.Secret))
		return bytes.Equal(hash[:], onChain), nil
	}
	plain, err := decrypt(onChain, ticket.SecretKey, ticket.SecretIV)
	return plain == ticket.Secret, err
}

// decrypt is AES-256-CBC with PKCS#7 padding. Errors: errArgument, errPadding.
func decrypt(sealed, key, iv []byte) (string, error) {
	if sealed == nil || len(sealed)%aes.BlockSize != 0 || len(key) != 32 || len(iv) != aes.BlockSize {
		return "", errArgument
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", errArgument
	}
	plain := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, sealed)
	if len(plain) == 0 {
		return "", errPadding
	}
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return "", errPadding
	}
	text, tail := plain[:len(plain)-padding], plain[len(plain)-padding:]
	if !bytes.Equal(tail, bytes.Repeat([]byte{byte(padding)}, padding)) {
		return "", errPadding
	}
	return decodeText(text), nil
}

// decodeText reads bytes as .NET's StreamReader does: UTF-8, unless a byte order mark says otherwise.
func decodeText(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return decodeUTF16(data[2:], binary.BigEndian)
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return decodeUTF16(data[2:], binary.LittleEndian)
	}
	return string([]rune(string(bytes.TrimPrefix(data, []byte{0xEF, 0xBB, 0xBF}))))
}

func decodeUTF16(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(data)/2+1)
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	if len(data) > 0 {
		units = append(units, 0xFFFD)
	}
	return string(utf16.Decode(units))
}
