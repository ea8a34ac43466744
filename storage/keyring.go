package storage

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// What can be wrong with a key ring.
var (
	// ErrKeysOpen: others than the owner may read the key ring file.
	ErrKeysOpen = errors.New("key ring file is open to others")
	// ErrKeys: the file is not a key ring.
	ErrKeys = errors.New("not a key ring")
	// ErrSealed: no key of the ring opens it, or it was sealed for something else, or it was altered.
	ErrSealed = errors.New("cannot be opened with this key ring")
)

const (
	keysFormat  = 1
	deriveBytes = 32
	// maxKeysFile bounds what is read of a key ring file; a ring with a hundred keys has 30 kB.
	maxKeysFile = 1 << 20
)

// Keyring seals what must not lie open in Redis, and derives keys. Sealing uses the newest key, opening any of them.
type Keyring struct {
	handle *keyset.Handle
	aead   tink.AEAD
	derive []byte
}

// keysFile is the stored form. The keys lie open in it, so the file itself must be kept.
type keysFile struct {
	Format int             `json:"format"`
	Seal   json.RawMessage `json:"seal"`   // a Tink keyset in JSON
	Derive []byte          `json:"derive"` // 32 bytes, base64
}

// NewKeyring makes a ring with one fresh key and writes it to w.
func NewKeyring(w io.Writer) (*Keyring, error) {
	handle, err := keyset.NewHandle(aead.XChaCha20Poly1305KeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a key ring: %w", err)
	}
	derive := make([]byte, deriveBytes)
	if _, err := rand.Read(derive); err != nil {
		return nil, fmt.Errorf("make a key ring: %w", err)
	}
	return writeRing(w, handle, derive)
}

// CreateKeyring makes a ring in a new file that only its owner can read. It never overwrites: a lost ring is lost
// money. Errors: fs.ErrExist.
func CreateKeyring(path string) (*Keyring, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create the key ring file: %w", err)
	}
	ring, err := NewKeyring(file)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("write the key ring file: %w", err)
	}
	return ring, nil
}

// Rotate writes a ring with a fresh key in front to w. What older keys sealed can still be opened.
func (k *Keyring) Rotate(w io.Writer) (*Keyring, error) {
	manager := keyset.NewManagerFromHandle(k.handle)
	id, err := manager.Add(aead.XChaCha20Poly1305KeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("rotate the key ring: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("rotate the key ring: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("rotate the key ring: %w", err)
	}
	return writeRing(w, handle, k.derive)
}

// LoadKeyring reads a ring from a file. Errors: fs.ErrNotExist, ErrKeysOpen, ErrKeys.
func LoadKeyring(path string) (*Keyring, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the key ring file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the key ring file: %w", err)
	}
	if err := checkMode(path, info); err != nil {
		return nil, err
	}
	return ReadKeyring(file)
}

func checkMode(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is no regular file", ErrKeys, path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%w: %s has mode %#o, make it 0600 with: chmod 600 %s", ErrKeysOpen, path, mode, path)
	}
	return nil
}

// ReadKeyring reads a ring. Errors: ErrKeys; they never show what was read.
func ReadKeyring(r io.Reader) (*Keyring, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxKeysFile))
	if err != nil {
		return nil, fmt.Errorf("read the key ring: %w", err)
	}
	var file keysFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("%w: no JSON", ErrKeys)
	}
	if file.Format != keysFormat || len(file.Derive) != deriveBytes {
		return nil, fmt.Errorf("%w: format %d with a key of %d bytes, want %d with %d",
			ErrKeys, file.Format, len(file.Derive), keysFormat, deriveBytes)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(file.Seal)))
	if err != nil {
		return nil, fmt.Errorf("%w: its keyset cannot be read", ErrKeys)
	}
	return newRing(handle, file.Derive)
}

func writeRing(w io.Writer, handle *keyset.Handle, derive []byte) (*Keyring, error) {
	ring, err := newRing(handle, derive)
	if err != nil {
		return nil, err
	}
	var seal bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&seal)); err != nil {
		return nil, fmt.Errorf("encode the key ring: %w", err)
	}
	raw, err := json.MarshalIndent(keysFile{keysFormat, seal.Bytes(), derive}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the key ring: %w", err)
	}
	if _, err := w.Write(append(raw, '\n')); err != nil {
		return nil, fmt.Errorf("write the key ring: %w", err)
	}
	return ring, nil
}

func newRing(handle *keyset.Handle, derive []byte) (*Keyring, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("%w: its keys do not seal", ErrKeys)
	}
	return &Keyring{handle: handle, aead: primitive, derive: derive}, nil
}

// Seal encrypts plain so that it opens only for the same purpose, the name of what it belongs to.
func (k *Keyring) Seal(plain []byte, purpose string) ([]byte, error) {
	sealed, err := k.aead.Encrypt(plain, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", purpose, err)
	}
	return sealed, nil
}

// Open decrypts what Seal gave. Errors: ErrSealed.
func (k *Keyring) Open(sealed []byte, purpose string) ([]byte, error) {
	plain, err := k.aead.Decrypt(sealed, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", purpose, ErrSealed)
	}
	return plain, nil
}

// Derive gives n bytes that only this ring gives for this purpose (HKDF with SHA-256). Rotating keeps them.
func (k *Keyring) Derive(purpose string, n int) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, k.derive, nil, "usher/"+purpose, n)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	return key, nil
}

// String keeps the keys out of logs and errors.
func (*Keyring) String() string { return "keyring(hidden)" }

// GoString keeps them out of %#v too.
func (*Keyring) GoString() string { return "keyring(hidden)" }
