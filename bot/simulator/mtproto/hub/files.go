package hub

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// Telegram's limits on files ("Uploading and downloading files").
const (
	partMax   = 512 << 10
	partsMax  = 4000
	partUnit  = 1 << 10
	readUnit  = 4 << 10
	readMax   = 1 << 20
	fileBlock = 16
)

// uploadKey names an upload: file ids are chosen by the client.
type uploadKey struct{ user, file int64 }

type upload struct{ parts map[int][]byte }

// file is an encrypted file that was sent at least once.
type file struct {
	id          int64
	fingerprint int
	data        []byte
}

func saveFilePart(h *Hub, d *Device, req *tg.UploadSaveFilePartRequest) (bin.Encoder, error) {
	return h.savePart(d, req.FileID, req.FilePart, req.Bytes)
}

func saveBigFilePart(h *Hub, d *Device, req *tg.UploadSaveBigFilePartRequest) (bin.Encoder, error) {
	if req.FileTotalParts > partsMax || req.FilePart >= req.FileTotalParts && req.FileTotalParts >= 0 {
		return nil, tgerr.New(400, tg.ErrFilePartsInvalid)
	}
	return h.savePart(d, req.FileID, req.FilePart, req.Bytes)
}

func (h *Hub) savePart(d *Device, id int64, part int, data []byte) (bin.Encoder, error) {
	switch {
	case part < 0 || part >= partsMax:
		return nil, tgerr.New(400, tg.ErrFilePartInvalid)
	case len(data) == 0:
		return nil, tgerr.New(400, tg.ErrFilePartEmpty)
	case len(data) > partMax:
		return nil, tgerr.New(400, tg.ErrFilePartTooBig)
	}
	key := uploadKey{d.user.ID, id}
	u, ok := h.uploads[key]
	if !ok {
		u = &upload{parts: map[int][]byte{}}
		h.uploads[key] = u
	}
	u.parts[part] = data
	return yes(), nil
}

// attach finds the file that a message is sent with, making it of an upload
// where it is new.
func (h *Hub) attach(d *Device, in tg.InputEncryptedFileClass) (*file, error) {
	switch in := in.(type) {
	case *tg.InputEncryptedFileUploaded:
		return h.assemble(d, in.ID, in.Parts, in.KeyFingerprint, in.MD5Checksum)
	case *tg.InputEncryptedFileBigUploaded:
		return h.assemble(d, in.ID, in.Parts, in.KeyFingerprint, "")
	case *tg.InputEncryptedFile:
		if f, ok := h.files[in.ID]; ok && in.AccessHash == h.fileHash(f, d.user) {
			return f, nil
		}
	}
	return nil, tgerr.New(400, tg.ErrFileIDInvalid)
}

func (h *Hub) assemble(d *Device, id int64, parts, fingerprint int, sum string) (*file, error) {
	key := uploadKey{d.user.ID, id}
	u, ok := h.uploads[key]
	if !ok || parts <= 0 || parts > partsMax {
		return nil, tgerr.New(400, tg.ErrFilePartsInvalid)
	}
	var data []byte
	for i := range parts {
		part, ok := u.parts[i]
		if !ok {
			return nil, tgerr.New(400, fmt.Sprintf("FILE_PART_%d_MISSING", i))
		}
		if i < parts-1 && (len(part) != len(u.parts[0]) || len(part)%partUnit != 0 || partMax%len(part) != 0) {
			return nil, tgerr.New(400, tg.ErrFilePartSizeInvalid)
		}
		data = append(data, part...)
	}
	if got := md5.Sum(data); sum != "" && !strings.EqualFold(sum, hex.EncodeToString(got[:])) {
		return nil, tgerr.New(400, tg.ErrMD5ChecksumInvalid)
	}
	if len(data)%fileBlock != 0 {
		return nil, tgerr.New(400, "FILE_CONTENT_TYPE_INVALID")
	}
	b, err := h.random(8)
	if err != nil {
		return nil, err
	}
	f := &file{id: int64(binary.LittleEndian.Uint64(b) >> 1), fingerprint: fingerprint, data: data}
	h.files[f.id] = f
	delete(h.uploads, key)
	return f, nil
}

func (h *Hub) fileHash(f *file, a *account) int64 { return h.hash("file", f.id, a.ID) }

func (h *Hub) shown(f *file, viewer *account) *tg.EncryptedFile {
	return &tg.EncryptedFile{
		ID: f.id, AccessHash: h.fileHash(f, viewer), Size: int64(len(f.data)),
		DCID: h.dc, KeyFingerprint: f.fingerprint,
	}
}

func getFile(h *Hub, d *Device, req *tg.UploadGetFileRequest) (bin.Encoder, error) {
	loc, ok := req.Location.(*tg.InputEncryptedFileLocation)
	if !ok {
		return nil, tgerr.New(400, tg.ErrLocationInvalid)
	}
	f, ok := h.files[loc.ID]
	unit := int64(readUnit)
	if req.Precise {
		unit = partUnit
	}
	switch {
	case !ok || loc.AccessHash != h.fileHash(f, d.user):
		return nil, tgerr.New(400, tg.ErrFileIDInvalid)
	case req.Offset < 0 || req.Offset%unit != 0:
		return nil, tgerr.New(400, tg.ErrOffsetInvalid)
	case req.Limit <= 0 || req.Limit > readMax || int64(req.Limit)%unit != 0:
		return nil, tgerr.New(400, tg.ErrLimitInvalid)
	}
	from := min(req.Offset, int64(len(f.data)))
	to := min(from+int64(req.Limit), int64(len(f.data)))
	return &tg.UploadFile{Type: &tg.StorageFilePartial{}, Bytes: f.data[from:to]}, nil
}
