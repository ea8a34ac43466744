package secretchat

import (
	"bytes"
	"crypto/aes"
	"crypto/md5" // #nosec G501 -- the file key's fingerprint is defined with it
	"encoding/binary"
	"fmt"
	"io"

	"github.com/gotd/ige"
	"github.com/gotd/td/tg"
)

const (
	fileKeyLen = 32
	fileIVLen  = 32
)

// encryptedFile is a file under a key of its own.
type encryptedFile struct {
	Key, IV secret
	Size    int // bytes before padding
	Data    []byte
	Ref     fileRef
}

// encryptFile draws a key and encrypts a file with it.
func encryptFile(plain []byte, random io.Reader) (encryptedFile, error) {
	key, iv := make(secret, fileKeyLen), make(secret, fileIVLen)
	for _, b := range [][]byte{key, iv} {
		if _, err := io.ReadFull(random, b); err != nil {
			return encryptedFile{}, fmt.Errorf("read randomness for a file key: %w", err)
		}
	}
	return encryptFileUnder(key, iv, plain, random)
}

// encryptFileUnder encrypts a file with a key that is given.
func encryptFileUnder(key, iv secret, plain []byte, random io.Reader) (encryptedFile, error) {
	f := encryptedFile{Key: key, IV: iv, Size: len(plain)}
	padded := make([]byte, (len(plain)+aes.BlockSize-1)/aes.BlockSize*aes.BlockSize)
	copy(padded, plain)
	if _, err := io.ReadFull(random, padded[len(plain):]); err != nil {
		return encryptedFile{}, fmt.Errorf("read randomness for file padding: %w", err)
	}
	block, err := aes.NewCipher(f.Key)
	if err != nil {
		return encryptedFile{}, fmt.Errorf("set up file cipher: %w", err)
	}
	f.Data = make([]byte, len(padded))
	ige.EncryptBlocks(block, bytes.Clone(f.IV), f.Data, padded)
	f.Ref.Fingerprint = fileFingerprint(f.Key, f.IV)
	return f, nil
}

// fileFingerprint lets the receiver notice a wrong file key: two halves of
// MD5(key + iv), folded.
func fileFingerprint(key, iv secret) int {
	digest := md5.New() // #nosec G401
	digest.Write(key)
	digest.Write(iv)
	sum := digest.Sum(nil)
	return int(int32(binary.LittleEndian.Uint32(sum)) ^ int32(binary.LittleEndian.Uint32(sum[4:])))
}

// input is the reference in the form of the sending call.
func (f *fileRef) input() tg.InputEncryptedFileClass {
	switch {
	case f.AccessHash != 0:
		return &tg.InputEncryptedFile{ID: f.ID, AccessHash: f.AccessHash}
	case f.Big:
		return &tg.InputEncryptedFileBigUploaded{ID: f.ID, Parts: f.Parts, KeyFingerprint: f.Fingerprint}
	default:
		return &tg.InputEncryptedFileUploaded{
			ID: f.ID, Parts: f.Parts, MD5Checksum: f.MD5, KeyFingerprint: f.Fingerprint,
		}
	}
}

// uploaded fills in what the server knows the parts as.
func (f *fileRef) uploaded(file tg.InputFileClass) error {
	switch file := file.(type) {
	case *tg.InputFile:
		f.ID, f.Parts, f.MD5 = file.ID, file.Parts, file.MD5Checksum
	case *tg.InputFileBig:
		f.ID, f.Parts, f.Big = file.ID, file.Parts, true
	default:
		return fmt.Errorf("upload answered with %T", file)
	}
	return nil
}
