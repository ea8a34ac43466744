package phone

import (
	"crypto/aes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Sizes in bytes of the end-to-end encryption, MTProto 2.0 ("End-to-end
// encryption", core.telegram.org/api/end-to-end).
const (
	keySize    = 256
	blockSize  = 16
	headSize   = 8 + 16
	paddingMin = 12
	paddingMax = 1024
)

// The offset x of the key derivation depends on who wrote the message.
const (
	byCreator = 0
	byInvitee = 8
)

// Reasons to refuse a message. Each closes the chat.
var (
	errShort      = errors.New("the message is too short or not whole blocks")
	errUnknownKey = errors.New("the message is under a key that this chat does not have")
	errMessageKey = errors.New("the message key does not fit the message")
	errLength     = errors.New("the inner length makes no sense")
	errPadding    = errors.New("the padding is not 12 to 1024 bytes")
)

// key is the shared secret of a chat, or of one generation of it.
type key struct {
	raw [keySize]byte
	// print is the fingerprint: the last 64 bits of the key's SHA-1.
	print int64
}

// String keeps keys out of logs.
func (k *key) String() string { return "secret chat key" }

func newKey(raw [keySize]byte) *key {
	sum := sha1.Sum(raw[:])
	return &key{raw: raw, print: int64(binary.LittleEndian.Uint64(sum[12:]))}
}

// picture is the "Encryption key" screen's text: SHA-1 and SHA-256 of the
// chat's first key, cut to 32 bytes, in hex.
func (k *key) picture() string {
	one, two := sha1.Sum(k.raw[:]), sha256.Sum256(k.raw[:])
	return hex.EncodeToString(append(one[:16:16], two[:16]...))
}

func (k *key) messageKey(x int, plain []byte) [16]byte {
	h := sha256.New()
	h.Write(k.raw[88+x : 120+x])
	h.Write(plain)
	return [16]byte(h.Sum(nil)[8:24])
}

// derive gives the AES key and IV of one message.
func (k *key) derive(x int, messageKey [16]byte) (aesKey, iv [32]byte) {
	a := sha256.Sum256(append(messageKey[:len(messageKey):len(messageKey)], k.raw[x:x+36]...))
	b := sha256.Sum256(append(k.raw[40+x:76+x:76+x], messageKey[:]...))
	copy(aesKey[0:], a[0:8])
	copy(aesKey[8:], b[8:24])
	copy(aesKey[24:], a[24:32])
	copy(iv[0:], b[0:8])
	copy(iv[8:], a[8:24])
	copy(iv[24:], b[24:32])
	return aesKey, iv
}

// seal encrypts a serialized message for the wire.
func (k *key) seal(random io.Reader, x int, data []byte) ([]byte, error) {
	padding := paddingMin
	for (4+len(data)+padding)%blockSize != 0 {
		padding++
	}
	plain := binary.LittleEndian.AppendUint32(nil, uint32(len(data)))
	plain = append(plain, data...)
	fill := make([]byte, padding)
	if _, err := io.ReadFull(random, fill); err != nil {
		return nil, fmt.Errorf("read padding: %w", err)
	}
	plain = append(plain, fill...)
	mk := k.messageKey(x, plain)
	aesKey, iv := k.derive(x, mk)
	secret, err := igeEncrypt(aesKey[:], iv[:], plain)
	if err != nil {
		return nil, err
	}
	wire := binary.LittleEndian.AppendUint64(nil, uint64(k.print))
	wire = append(wire, mk[:]...)
	return append(wire, secret...), nil
}

// fingerprintOf reads whose key a message is under.
func fingerprintOf(wire []byte) (int64, error) {
	if len(wire) < headSize+2*blockSize || (len(wire)-headSize)%blockSize != 0 {
		return 0, errShort
	}
	return int64(binary.LittleEndian.Uint64(wire)), nil
}

// open decrypts a message, checking all that the description asks for.
func (k *key) open(x int, wire []byte) ([]byte, error) {
	if _, err := fingerprintOf(wire); err != nil {
		return nil, err
	}
	mk := [16]byte(wire[8:headSize])
	aesKey, iv := k.derive(x, mk)
	plain, err := igeDecrypt(aesKey[:], iv[:], wire[headSize:])
	if err != nil {
		return nil, err
	}
	want := k.messageKey(x, plain)
	if subtle.ConstantTimeCompare(want[:], mk[:]) != 1 {
		return nil, errMessageKey
	}
	n := int64(binary.LittleEndian.Uint32(plain))
	if n == 0 || n%4 != 0 || n > int64(len(plain)-4) {
		return nil, errLength
	}
	if padding := int64(len(plain)-4) - n; padding < paddingMin || padding > paddingMax {
		return nil, errPadding
	}
	return plain[4 : 4+n], nil
}

// igeEncrypt is AES in infinite garble extension; the IV holds the block
// before the first ciphertext and the one before the first plaintext.
func igeEncrypt(aesKey, iv, plain []byte) ([]byte, error) {
	c, err := aes.NewCipher(aesKey)
	if err != nil {
		return nil, fmt.Errorf("make the cipher: %w", err)
	}
	out := make([]byte, len(plain))
	before, last := iv[:blockSize], iv[blockSize:]
	for i := 0; i < len(plain); i += blockSize {
		in, to := plain[i:i+blockSize], out[i:i+blockSize]
		subtle.XORBytes(to, in, before)
		c.Encrypt(to, to)
		subtle.XORBytes(to, to, last)
		before, last = to, in
	}
	return out, nil
}

// igeDecrypt undoes igeEncrypt.
func igeDecrypt(aesKey, iv, secret []byte) ([]byte, error) {
	c, err := aes.NewCipher(aesKey)
	if err != nil {
		return nil, fmt.Errorf("make the cipher: %w", err)
	}
	out := make([]byte, len(secret))
	before, last := iv[:blockSize], iv[blockSize:]
	for i := 0; i < len(secret); i += blockSize {
		in, to := secret[i:i+blockSize], out[i:i+blockSize]
		subtle.XORBytes(to, in, last)
		c.Decrypt(to, to)
		subtle.XORBytes(to, to, before)
		before, last = in, to
	}
	return out, nil
}
