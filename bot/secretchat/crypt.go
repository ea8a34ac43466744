package secretchat

import (
	"crypto/aes"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"

	"github.com/gotd/ige"
	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
)

const (
	keyLen         = 256
	fingerprintLen = 8
	msgKeyLen      = 16
	headerLen      = fingerprintLen + msgKeyLen
	minPadding     = 12
	maxPadding     = 1024
)

// secret is key material. It marshals like any bytes, since records are sealed by
// their store, but prints as nothing.
type secret []byte

// String hides the bytes from fmt.
func (secret) String() string { return "[secret]" }

// GoString hides the bytes from %#v.
func (secret) GoString() string { return "[secret]" }

// LogValue hides the bytes from slog.
func (secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// side is the x of the key derivation: it depends on who wrote the message, so
// that a message thrown back at its writer does not decrypt.
func side(byCreator bool) crypto.Side {
	if byCreator {
		return crypto.Client
	}
	return crypto.Server
}

// fingerprintOf is the last eight bytes of SHA1(key) as the server transports them.
func fingerprintOf(key secret) int64 {
	var k crypto.Key
	copy(k[:], key)
	id := k.ID()
	return int64(binary.LittleEndian.Uint64(id[:]))
}

// seal encrypts one serialised message: MTProto 2.0 for secret chats.
func seal(key secret, byCreator bool, data []byte, random io.Reader) ([]byte, error) {
	plain, err := pad(data, random)
	if err != nil {
		return nil, err
	}
	var k crypto.Key
	copy(k[:], key)
	msgKey := crypto.MessageKey(k, plain, side(byCreator))
	aesKey, iv := crypto.Keys(k, msgKey, side(byCreator))
	block, err := aes.NewCipher(aesKey[:])
	if err != nil {
		return nil, fmt.Errorf("set up message cipher: %w", err)
	}
	id := k.ID()
	wire := make([]byte, headerLen+len(plain))
	copy(wire, id[:])
	copy(wire[fingerprintLen:], msgKey[:])
	ige.EncryptBlocks(block, iv[:], wire[headerLen:], plain)
	return wire, nil
}

// pad puts the length in front and random bytes behind, a random number of them
// so that the length of a text does not show.
func pad(data []byte, random io.Reader) ([]byte, error) {
	var extra [1]byte
	if _, err := io.ReadFull(random, extra[:]); err != nil {
		return nil, fmt.Errorf("read randomness for padding: %w", err)
	}
	inner := 4 + len(data)
	padding := minPadding + (aes.BlockSize-(inner+minPadding)%aes.BlockSize)%aes.BlockSize
	padding += int(extra[0]%8) * aes.BlockSize
	plain := make([]byte, inner+padding)
	binary.LittleEndian.PutUint32(plain, uint32(len(data)))
	copy(plain[4:], data)
	if _, err := io.ReadFull(random, plain[inner:]); err != nil {
		return nil, fmt.Errorf("read randomness for padding: %w", err)
	}
	return plain, nil
}

// wireFingerprint names the key that a message claims; ok is false for something
// that cannot be a message at all.
func wireFingerprint(wire []byte) (fingerprint int64, ok bool) {
	body := len(wire) - headerLen
	if body < aes.BlockSize || body%aes.BlockSize != 0 {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(wire)), true
}

// unseal decrypts a message whose shape wireFingerprint has accepted. Nothing of
// the content is looked at before the message key over all of it was compared.
func unseal(key secret, byCreator bool, wire []byte) ([]byte, Fault) {
	var (
		k      crypto.Key
		msgKey bin.Int128
	)
	copy(k[:], key)
	copy(msgKey[:], wire[fingerprintLen:headerLen])
	aesKey, iv := crypto.Keys(k, msgKey, side(byCreator))
	block, err := aes.NewCipher(aesKey[:])
	if err != nil {
		return nil, FaultMessageKey
	}
	plain := make([]byte, len(wire)-headerLen)
	ige.DecryptBlocks(block, iv[:], plain, wire[headerLen:])
	want := crypto.MessageKey(k, plain, side(byCreator))
	if subtle.ConstantTimeCompare(want[:], msgKey[:]) != 1 {
		return nil, FaultMessageKey
	}
	length := int64(binary.LittleEndian.Uint32(plain))
	padding := int64(len(plain)) - 4 - length
	if length%4 != 0 || padding < minPadding || padding > maxPadding {
		return nil, FaultPadding
	}
	return plain[4 : 4+length], ""
}
