package phone

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // pictures come as these two
	_ "image/png"
	"io"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
)

const (
	// chunk is the size of a part of a file, up and down.
	chunk = 512 << 10
	// pictureMax is the largest file this phone loads.
	pictureMax = 20 << 20
	thumbMax   = 90
)

var errFile = errors.New("the file does not fit what the message says of it")

// attached is what a message says of its file.
type attached struct {
	key, iv []byte
	size    int64
	w, h    int
	caption string
}

// filePrint is the fingerprint of a file's key: both halves of the MD5's
// first eight bytes, folded.
func filePrint(key, iv []byte) int {
	d := md5.Sum(append(key[:len(key):len(key)], iv...))
	return int(int32(binary.LittleEndian.Uint32(d[0:4]) ^ binary.LittleEndian.Uint32(d[4:8])))
}

// picture downloads and decrypts what a message carries.
func (p *Simulated) picture(
	ctx context.Context, c *chat, file tg.EncryptedFileClass, media e2e.DecryptedMessageMediaClass,
) (data []byte, caption string, ok bool) {
	var a attached
	switch m := media.(type) {
	case *e2e.DecryptedMessageMediaPhoto:
		a = attached{key: m.Key, iv: m.Iv, size: int64(m.Size), w: m.W, h: m.H, caption: m.Caption}
		if m.ThumbW > thumbMax || m.ThumbH > thumbMax {
			p.complain(c, "a thumbnail of %dx%d", m.ThumbW, m.ThumbH)
		}
	case *e2e.DecryptedMessageMediaDocument:
		a = attached{key: m.Key, iv: m.Iv, size: m.Size, caption: m.Caption}
	case *e2e.DecryptedMessageMediaDocument46: // from somebody who does not know our layer yet
		a = attached{key: m.Key, iv: m.Iv, size: int64(m.Size), caption: m.Caption}
	default:
		return nil, "", false
	}
	data, err := p.load(ctx, c, file, a)
	if err != nil {
		p.complain(c, "a picture could not be loaded: %v", err)
		return nil, a.caption, true
	}
	if a.w == 0 {
		return data, a.caption, true
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil:
		p.complain(c, "a photo is no picture: wrong media key?")
	case cfg.Width != a.w || cfg.Height != a.h:
		p.complain(c, "a photo of %dx%d is said to be %dx%d", cfg.Width, cfg.Height, a.w, a.h)
	}
	return data, a.caption, true
}

// load fetches a file and decrypts it.
func (p *Simulated) load(ctx context.Context, c *chat, file tg.EncryptedFileClass, a attached) ([]byte, error) {
	f, ok := file.(*tg.EncryptedFile)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: no file came with it", errFile)
	case len(a.key) != 32 || len(a.iv) != 32:
		return nil, fmt.Errorf("%w: key or IV is not 32 bytes", errFile)
	case f.Size > pictureMax:
		return nil, fmt.Errorf("%w: %d bytes", errFile, f.Size)
	}
	if filePrint(a.key, a.iv) != f.KeyFingerprint {
		p.complain(c, "the file fingerprint does not fit its key")
	}
	secret, err := p.download(ctx, f)
	if err != nil {
		return nil, err
	}
	n := int64(len(secret))
	if n%blockSize != 0 || a.size <= n-blockSize || a.size > n || a.size <= 0 {
		return nil, fmt.Errorf("%w: %d bytes encrypted, said to hold %d", errFile, n, a.size)
	}
	plain, err := igeDecrypt(a.key, a.iv, secret)
	if err != nil {
		return nil, err
	}
	return plain[:a.size], nil
}

func (p *Simulated) download(ctx context.Context, f *tg.EncryptedFile) ([]byte, error) {
	var all []byte
	for int64(len(all)) < f.Size {
		res, err := p.api.UploadGetFile(ctx, &tg.UploadGetFileRequest{
			Location: &tg.InputEncryptedFileLocation{ID: f.ID, AccessHash: f.AccessHash},
			Offset:   int64(len(all)), Limit: chunk,
		})
		if err != nil {
			return nil, fmt.Errorf("download a file: %w", err)
		}
		part, ok := res.(*tg.UploadFile)
		if !ok || len(part.Bytes) == 0 {
			return nil, fmt.Errorf("%w: it ends after %d of %d bytes", errFile, len(all), f.Size)
		}
		all = append(all, part.Bytes...)
	}
	return all, nil
}

// SendPicture sends a PNG or JPEG with a caption into an open chat and
// returns the message's id.
func (p *Simulated) SendPicture(ctx context.Context, chat string, picture []byte, caption string) (int64, error) {
	defer p.opts.Changed()
	cfg, _, err := image.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return 0, fmt.Errorf("read the picture: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := p.ready(chat)
	if err != nil {
		return 0, err
	}
	random, err := p.random64()
	if err != nil {
		return 0, err
	}
	media := &e2e.DecryptedMessageMediaPhoto{
		W: cfg.Width, H: cfg.Height, Size: len(picture), Caption: caption,
		Key: make([]byte, 32), Iv: make([]byte, 32),
	}
	file, err := p.upload(ctx, picture, media.Key, media.Iv)
	if err != nil {
		return 0, err
	}
	m := &e2e.DecryptedMessage{RandomID: random, TTL: c.ttl}
	m.SetMedia(media)
	date, _, err := p.write(ctx, c, random, m, file)
	if err != nil {
		return 0, err
	}
	return p.show(c, shown{random: random, Message: Message{
		Mine: true, Text: caption, Picture: picture, Date: date,
	}}), nil
}

// upload draws key and IV, encrypts a file and uploads it.
func (p *Simulated) upload(ctx context.Context, data, key, iv []byte) (tg.InputEncryptedFileClass, error) {
	pad := (blockSize - len(data)%blockSize) % blockSize
	plain := make([]byte, len(data)+pad)
	copy(plain, data)
	for _, b := range [][]byte{key, iv, plain[len(data):]} {
		if _, err := io.ReadFull(p.opts.Rand, b); err != nil {
			return nil, fmt.Errorf("read a file key: %w", err)
		}
	}
	secret, err := igeEncrypt(key, iv, plain)
	if err != nil {
		return nil, err
	}
	id, err := p.random64()
	if err != nil {
		return nil, err
	}
	sum, parts := md5.Sum(secret), 0
	for from := 0; from < len(secret); from += chunk {
		_, err := p.api.UploadSaveFilePart(ctx, &tg.UploadSaveFilePartRequest{
			FileID: id, FilePart: parts, Bytes: secret[from:min(from+chunk, len(secret))],
		})
		if err != nil {
			return nil, fmt.Errorf("upload a file: %w", err)
		}
		parts++
	}
	return &tg.InputEncryptedFileUploaded{
		ID: id, Parts: parts, MD5Checksum: hex.EncodeToString(sum[:]), KeyFingerprint: filePrint(key, iv),
	}, nil
}
