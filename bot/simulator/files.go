package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	_ "image/gif"  // the formats that Telegram takes as photos
	_ "image/jpeg" // …
	_ "image/png"  // …
	"net/http"
	"strings"

	_ "golang.org/x/image/webp" // …
)

// file is something uploaded. Every upload has an id of its own.
type file struct {
	id            string
	unique        string
	name          string
	data          []byte
	width, height int
}

// Limits on photos (Bot API, sendPhoto): 10 MB, width + height at most
// 10 000, at most 20 times as long as wide.
const (
	maxPhoto      = 10 << 20
	maxPhotoSides = 10_000
	maxPhotoRatio = 20
)

func (f *file) photoSize() wirePhotoSize {
	return wirePhotoSize{FileID: f.id, FileUniqueID: f.unique, Width: f.width, Height: f.height, FileSize: len(f.data)}
}

func (f *file) document() *wireDocument {
	return &wireDocument{
		FileID: f.id, FileUniqueID: f.unique, FileName: f.name,
		MimeType: http.DetectContentType(f.data), FileSize: len(f.data),
	}
}

// path is where the file can be downloaded, after /file/bot<token>/.
func (f *file) path() string {
	if f.width > 0 {
		return "photos/" + f.id + ".jpg"
	}
	return "documents/" + f.id
}

// keep stores an upload.
func (t *Telegram) keep(u upload) *file {
	sum := sha256.Sum256(u.data)
	t.last.file++
	f := &file{
		id: fmt.Sprintf("AgACAgQAAxkBAAI%08x%s", t.last.file, hex.EncodeToString(sum[:6])), unique: hex.EncodeToString(sum[:8]),
		name: u.name, data: u.data,
	}
	t.files[f.id] = f
	return f
}

// attachment finds what a field names: an upload in the same request, also by
// attach://, or the id of a file that is known already.
func (t *Telegram) attachment(p params, field, value string) (*file, error) {
	if u, ok := p.files[field]; ok {
		return t.keep(u), nil
	}
	if name, ok := strings.CutPrefix(value, "attach://"); ok {
		u, ok := p.files[name]
		if !ok {
			return nil, badRequest("there is no %s in the request", field)
		}
		return t.keep(u), nil
	}
	if f := t.files[value]; f != nil {
		return f, nil
	}
	switch {
	case value == "":
		return nil, badRequest("there is no %s in the request", field)
	case strings.HasPrefix(value, "http://"), strings.HasPrefix(value, "https://"):
		return nil, badRequest("failed to get HTTP URL content")
	}
	return nil, badRequest("wrong remote file identifier specified: Wrong string length")
}

// photo is an attachment that must be a picture.
func (t *Telegram) photo(p params, field, value string) (*file, error) {
	f, err := t.attachment(p, field, value)
	if err != nil || f.width > 0 {
		return f, err
	}
	if len(f.data) > maxPhoto {
		return nil, badRequest("file is too big")
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(f.data))
	if err != nil {
		return nil, badRequest("IMAGE_PROCESS_FAILED")
	}
	long, short := max(c.Width, c.Height), min(c.Width, c.Height)
	if c.Width+c.Height > maxPhotoSides || short == 0 || long > maxPhotoRatio*short {
		return nil, badRequest("PHOTO_INVALID_DIMENSIONS")
	}
	f.width, f.height = c.Width, c.Height
	return f, nil
}

func (t *Telegram) getFile(p params) (any, error) {
	f := t.files[p.str("file_id")]
	if f == nil {
		return nil, badRequest("invalid file_id")
	}
	return map[string]any{
		"file_id": f.id, "file_unique_id": f.unique, "file_size": len(f.data), "file_path": f.path(),
	}, nil
}

// serveFile serves <token>/<path>.
func (t *Telegram) serveFile(w http.ResponseWriter, r *http.Request, rest string) {
	path, ok := strings.CutPrefix(rest, t.opts.Token+"/")
	if !ok {
		writeAnswer(w, nil, &apiError{code: http.StatusUnauthorized, description: "Unauthorized"})
		return
	}
	_, name, _ := strings.Cut(path, "/")
	t.mu.Lock()
	f := t.files[strings.TrimSuffix(name, ".jpg")]
	t.mu.Unlock()
	if f == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(f.data))
	_, _ = w.Write(f.data) // the client went away: nothing to do about it
}
