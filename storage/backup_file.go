package storage

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// A backup file is the line backupMagic, 16 random bytes that name the file, and frames. A frame is its length (4 bytes,
// big endian) and that many bytes, sealed with the key ring for this file, this place in it, and being the last one or not.
// So no frame can be altered, moved, left out, or come from another file, and the file cannot be cut. The first frame holds
// what the backup is of, the last one how many keys there are, those between hold keys.

// backupMagic begins every backup file.
const backupMagic = "usher backup\n"

const (
	backupFormat = 1
	backupIDSize = 16
	// framePlain is how much goes into a frame before the next one begins, in bytes.
	framePlain = 1 << 20
	// frameMost bounds what is read as one frame: the plain bytes, one value that was too large for its frame, and the seal.
	frameMost = 600 << 20
)

// What can be wrong with a backup.
var (
	// ErrNoBackup: the file is none.
	ErrNoBackup = errors.New("not a backup of Usher")
	// ErrBackupDamaged: it was cut or altered after it was made.
	ErrBackupDamaged = errors.New("the backup is cut or altered")
)

// Backup says what a backup is of.
type Backup struct {
	Format  int       `json:"format"`
	Network string    `json:"network"`
	Made    time.Time `json:"made"` // when the first key was read
	Keys    int       `json:"-"`    // how many there are; from the last frame
}

// kept is a key, or a part of a long one.
type kept struct {
	Key  string `json:"k"`
	Kind string `json:"t"` // as Redis names it: string, hash, zset, set
	// More: this goes on with the key before.
	More bool `json:"m,omitempty"`
	// Until is when Redis forgets the key, in milliseconds since 1970; 0: never.
	Until  int64    `json:"u,omitempty"`
	Values [][]byte `json:"v"`
}

// backupEnd is the last frame.
type backupEnd struct {
	Keys int `json:"keys"`
}

// framePurpose binds a frame to its place.
func framePurpose(id []byte, at int, last bool) string {
	return "backup/" + hex.EncodeToString(id) + "/" + strconv.Itoa(at) + "/" + strconv.FormatBool(last)
}

// backupWriter writes a backup file.
type backupWriter struct {
	w    io.Writer
	keys *Keyring
	id   []byte
	at   int
	buf  bytes.Buffer
}

func newBackupWriter(w io.Writer, keys *Keyring, random io.Reader, about Backup) (*backupWriter, error) {
	id := make([]byte, backupIDSize)
	if _, err := io.ReadFull(random, id); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	if _, err := w.Write(append([]byte(backupMagic), id...)); err != nil {
		return nil, err
	}
	b := &backupWriter{w: w, keys: keys, id: id}
	return b, b.put(about, false)
}

// put writes a value as a frame of its own.
func (b *backupWriter) put(value any, last bool) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.frame(raw, last)
}

func (b *backupWriter) frame(plain []byte, last bool) error {
	sealed, err := b.keys.Seal(plain, framePurpose(b.id, b.at, last))
	if err != nil {
		return err
	}
	if len(sealed) > frameMost {
		return fmt.Errorf("a value of %d bytes is too large for a backup", len(sealed))
	}
	b.at++
	if err := binary.Write(b.w, binary.BigEndian, uint32(len(sealed))); err != nil { // #nosec G115 -- bounded above
		return err
	}
	_, err = b.w.Write(sealed)
	return err
}

// add writes a key, or a part of one, into the frame that is being filled.
func (b *backupWriter) add(k kept) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("encode %s: %w", k.Key, err)
	}
	b.buf.Write(append(raw, '\n'))
	if b.buf.Len() < framePlain {
		return nil
	}
	return b.flush()
}

func (b *backupWriter) flush() error {
	if b.buf.Len() == 0 {
		return nil
	}
	defer b.buf.Reset()
	return b.frame(b.buf.Bytes(), false)
}

func (b *backupWriter) end(keys int) error {
	if err := b.flush(); err != nil {
		return err
	}
	return b.put(backupEnd{Keys: keys}, true)
}

// backupReader reads a backup file and trusts nothing in it that no key of the ring opens.
type backupReader struct {
	r    *bufio.Reader
	keys *Keyring
	id   []byte
	at   int
	last bool
}

// openBackup reads what a backup is of. Errors: ErrNoBackup, ErrSealed for another key ring, order.ErrNewFormat.
func openBackup(r io.Reader, keys *Keyring) (b *backupReader, about Backup, err error) {
	b = &backupReader{r: bufio.NewReaderSize(r, 1<<16), keys: keys}
	return b, about, b.begin(&about)
}

// each shows all that is in a backup to visit, where that is not nil, and counts its keys. Only once it has returned
// without an error is the file known to be whole. Errors: ErrBackupDamaged, and visit's.
func (b *backupReader) each(visit func(kept) error) (keys int, err error) {
	for {
		plain, err := b.next()
		if err != nil {
			return 0, err
		}
		if b.last {
			return keys, b.finish(plain, keys)
		}
		n, err := eachKept(plain, visit)
		if err != nil {
			return 0, err
		}
		keys += n
	}
}

// begin reads what the backup is of.
func (b *backupReader) begin(about *Backup) error {
	head := make([]byte, len(backupMagic)+backupIDSize)
	if _, err := io.ReadFull(b.r, head); err != nil || string(head[:len(backupMagic)]) != backupMagic {
		return ErrNoBackup
	}
	b.id = head[len(backupMagic):]
	plain, err := b.next()
	if errors.Is(err, ErrBackupDamaged) && b.at == 0 {
		// Nothing tells a first frame that was altered from one that another ring has sealed.
		return fmt.Errorf("%w, or it is altered", ErrSealed)
	}
	if err != nil {
		return err
	}
	if b.last || json.Unmarshal(plain, about) != nil || about.Network == "" {
		return fmt.Errorf("%w: nothing comes after its beginning", ErrBackupDamaged)
	}
	return checkFormat(about.Format, backupFormat)
}

// next opens the next frame. It is the last one where the file ends after it.
func (b *backupReader) next() (plain []byte, err error) {
	var size uint32
	if err := binary.Read(b.r, binary.BigEndian, &size); err != nil {
		return nil, b.damaged(err)
	}
	if size > frameMost {
		return nil, b.damaged(nil)
	}
	// Grown as it is read: a length that was altered must not cost memory that the file does not have.
	var sealed bytes.Buffer
	if n, err := io.CopyN(&sealed, b.r, int64(size)); err != nil || n != int64(size) {
		return nil, b.damaged(err)
	}
	_, err = b.r.Peek(1)
	b.last = errors.Is(err, io.EOF)
	if plain, err = b.keys.Open(sealed.Bytes(), framePurpose(b.id, b.at, b.last)); err != nil {
		return nil, b.damaged(nil)
	}
	b.at++
	return plain, nil
}

// damaged names the place; what could not be read for another reason than the file's end is said too.
func (b *backupReader) damaged(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w, at frame %d", ErrBackupDamaged, b.at)
	}
	return fmt.Errorf("read the backup: %w", err)
}

func (b *backupReader) finish(plain []byte, counted int) error {
	var end backupEnd
	if json.Unmarshal(plain, &end) != nil || end.Keys != counted {
		return fmt.Errorf("%w: %d keys, there were %d", ErrBackupDamaged, counted, end.Keys)
	}
	return nil
}

// eachKept shows the keys of a frame, and counts those that begin in it.
func eachKept(plain []byte, visit func(kept) error) (keys int, err error) {
	decoder := json.NewDecoder(bytes.NewReader(plain))
	for decoder.More() {
		var k kept
		if err := decoder.Decode(&k); err != nil {
			return keys, ErrBackupDamaged // the decoder's error could quote what it read
		}
		if !k.More {
			keys++
		}
		if visit == nil {
			continue
		}
		if err := visit(k); err != nil {
			return keys, err
		}
	}
	return keys, nil
}
