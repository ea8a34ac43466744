package secretchat

import (
	"bytes"
	"context"
	"crypto/aes"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gotd/ige"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
)

// ErrFile: a file that came is not what its message says.
var ErrFile = errors.New("damaged file in a secret chat")

// chunk is how much of a file is asked for at once, bytes.
const chunk = 512 << 10

// File is a file that the other side has sent, still at the server and encrypted.
type File struct {
	Photo bool   `json:"photo,omitempty"` // to be shown as a picture
	Name  string `json:"name,omitempty"`  // a stranger's text
	MIME  string `json:"mime,omitempty"`  // a stranger's text
	W     int    `json:"w,omitempty"`     // pixels, as the sender says
	H     int    `json:"h,omitempty"`
	Size  int64  `json:"size"` // bytes

	Remote remoteFile `json:"remote"`
	Secret secret     `json:"key"`
	IV     secret     `json:"iv"`
}

// String names the file's size and nothing else of it.
func (f File) String() string { return fmt.Sprintf("file of %d bytes", f.Size) }

// GoString keeps %#v from printing the key.
func (f File) GoString() string { return f.String() }

// remoteFile is where the server has a file, and what it says of it.
type remoteFile struct {
	ID          int64 `json:"id"`
	AccessHash  int64 `json:"access_hash"`
	Size        int64 `json:"size"` // bytes, encrypted
	Fingerprint int   `json:"fingerprint"`
}

// remote reads what the server says of a message's file; nil without one.
func remote(m tg.EncryptedMessageClass) *remoteFile {
	message, ok := m.(*tg.EncryptedMessage)
	if !ok {
		return nil
	}
	file, ok := message.File.(*tg.EncryptedFile)
	if !ok {
		return nil
	}
	return &remoteFile{ID: file.ID, AccessHash: file.AccessHash, Size: file.Size, Fingerprint: file.KeyFingerprint}
}

// attachment reads what a message says of its file; nil without one.
func attachment(media e2e.DecryptedMessageMediaClass) (f *File, caption string) {
	switch m := media.(type) {
	case *e2e.DecryptedMessageMediaPhoto:
		return &File{Photo: true, W: m.W, H: m.H, Size: int64(m.Size), Secret: m.Key, IV: m.Iv}, m.Caption
	case *e2e.DecryptedMessageMediaDocument:
		return document(m.MimeType, m.Attributes, m.Size, m.Key, m.Iv), m.Caption
	case *e2e.DecryptedMessageMediaDocument46:
		return document(m.MimeType, m.Attributes, int64(m.Size), m.Key, m.Iv), m.Caption
	case *e2e.DecryptedMessageMediaVideo:
		return &File{MIME: m.MimeType, W: m.W, H: m.H, Size: int64(m.Size), Secret: m.Key, IV: m.Iv}, m.Caption
	case *e2e.DecryptedMessageMediaAudio:
		return &File{MIME: m.MimeType, Size: int64(m.Size), Secret: m.Key, IV: m.Iv}, ""
	default:
		return nil, ""
	}
}

func document(mime string, attributes []e2e.DocumentAttributeClass, size int64, key, iv []byte) *File {
	f := &File{MIME: mime, Size: size, Secret: key, IV: iv}
	for _, a := range attributes {
		switch a := a.(type) {
		case *e2e.DocumentAttributeFilename:
			f.Name = a.FileName
		case *e2e.DocumentAttributeImageSize:
			f.W, f.H = a.W, a.H
		}
	}
	return f
}

// check holds what a message says of its file against what the server says.
func (f *File) check(at *remoteFile) Fault {
	switch {
	case len(f.Secret) != fileKeyLen || len(f.IV) != fileIVLen:
		return FaultFileKey
	case at == nil, at.Size%aes.BlockSize != 0, f.Size <= 0, f.Size > at.Size, f.Size <= at.Size-aes.BlockSize:
		return FaultFileSize
	case at.Fingerprint != fileFingerprint(f.Secret, f.IV):
		return FaultFileFingerprint
	}
	f.Remote = *at
	return ""
}

// Download fetches and decrypts a file that an EventFile brought. It can be repeated;
// how long the server keeps a file is not documented. The API must reach the data
// centre that has it. Errors: ErrFile.
func (c *Client) Download(ctx context.Context, f *File) ([]byte, error) {
	if f.Remote.Size > maxFile {
		return nil, fmt.Errorf("%w: %d bytes are too many", ErrFile, f.Remote.Size)
	}
	cipher, err := c.fetchFile(ctx, f.Remote)
	if err != nil {
		return nil, err
	}
	return f.open(cipher)
}

func (c *Client) fetchFile(ctx context.Context, at remoteFile) ([]byte, error) {
	var all []byte
	for int64(len(all)) < at.Size {
		var part tg.UploadFileClass
		limited, cancel := context.WithTimeout(ctx, callTimeout)
		err := c.cfg.Do(limited, "download", func(ctx context.Context) (err error) {
			part, err = c.cfg.API.UploadGetFile(ctx, &tg.UploadGetFileRequest{
				Location: &tg.InputEncryptedFileLocation{ID: at.ID, AccessHash: at.AccessHash},
				Offset:   int64(len(all)), Limit: chunk,
			})
			return err
		})
		cancel()
		if err != nil {
			return nil, fmt.Errorf("download a file of a secret chat: %w", err)
		}
		got, ok := part.(*tg.UploadFile)
		if !ok || int64(len(got.Bytes)) != min(chunk, at.Size-int64(len(all))) {
			return nil, fmt.Errorf("%w: it ends after %d of %d bytes", ErrFile, len(all), at.Size)
		}
		all = append(all, got.Bytes...)
	}
	return all, nil
}

// open decrypts a file. Nothing authenticates it but the message that brought its
// key; a photo that is no picture shows that the key is not the right one.
func (f *File) open(cipher []byte) ([]byte, error) {
	if int64(len(cipher)) != f.Remote.Size {
		return nil, fmt.Errorf("%w: %d bytes came, not %d", ErrFile, len(cipher), f.Remote.Size)
	}
	block, err := aes.NewCipher(f.Secret)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	plain := make([]byte, len(cipher))
	ige.DecryptBlocks(block, bytes.Clone(f.IV), plain, cipher)
	plain = plain[:f.Size]
	if f.Photo && !strings.HasPrefix(http.DetectContentType(plain), "image/") {
		return nil, fmt.Errorf("%w: %s", ErrFile, FaultMediaKey)
	}
	return plain, nil
}
