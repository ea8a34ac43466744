package secretchat

// State is how far a message of ours has come.
type State string

// The states of a message. Seen means that the other device has it: it said so by
// its sequence numbers, or that it was shown. Phones say the latter in the open,
// through the server: good enough to stop worrying, no proof.
const (
	Queued State = "queued"
	Sent   State = "sent"
	Seen   State = "seen"
	Failed State = "failed" // the server refused it for good
)

// kind decides which call carries a message.
type kind string

const (
	kindText    kind = "text"
	kindPhoto   kind = "photo"
	kindService kind = "service"
)

// pending is a message of the caller's that has no number yet: a picture that is
// still to be uploaded, or what comes after one.
type pending struct {
	Key   string `json:"key"`
	Text  string `json:"text,omitempty"`
	Photo *photo `json:"photo,omitempty"`
}

// photo is what is known of a picture, or of a file that has a name, before it is
// uploaded; its bytes lie beside the record.
type photo struct {
	Blob    string `json:"blob"` // name of the bytes in the store
	Name    string `json:"name,omitempty"`
	MIME    string `json:"mime,omitempty"`
	W       int    `json:"w"` // pixels
	H       int    `json:"h"`
	Caption string `json:"caption,omitempty"`
	Thumb   []byte `json:"thumb,omitempty"`
	ThumbW  int    `json:"thumb_w,omitempty"`
	ThumbH  int    `json:"thumb_h,omitempty"`
}

// fileRef is how a message names its file: parts just uploaded, or a file that
// the server has given an id and access hash.
type fileRef struct {
	ID          int64  `json:"id"`
	AccessHash  int64  `json:"access_hash,omitempty"`
	Parts       int    `json:"parts,omitempty"`
	MD5         string `json:"md5,omitempty"`
	Fingerprint int    `json:"fingerprint,omitempty"`
	Big         bool   `json:"big,omitempty"`
}

// entry is a numbered message until the peer has acknowledged it: the very bytes,
// so that what is sent again is a repeat and not a second message.
type entry struct {
	N        int      `json:"n"`
	In       int      `json:"in"` // of the peer's messages when it was written
	RandomID int64    `json:"random_id"`
	Kind     kind     `json:"kind"`
	Key      string   `json:"key,omitempty"`
	Data     []byte   `json:"data"` // ciphertext
	File     *fileRef `json:"file,omitempty"`
	Photo    *photo   `json:"photo,omitempty"`    // until the server has named the file
	FileKey  secret   `json:"file_key,omitempty"` // as long as Photo: to upload it anew with
	FileIV   secret   `json:"file_iv,omitempty"`
	Uploads  int      `json:"uploads,omitempty"`
	Sent     bool     `json:"sent,omitempty"`
	// Exchange is the change of keys that the message asks for or agrees to.
	Exchange int64 `json:"exchange,omitempty"`
}

// unfiled says that the message cannot be sent before its file is uploaded anew.
func (out *entry) unfiled() bool { return out.Kind == kindPhoto && out.File == nil }

// settle forgets what a picture could be uploaded anew with.
func (out *entry) settle() {
	clear(out.FileKey)
	clear(out.FileIV)
	out.Photo, out.FileKey, out.FileIV = nil, nil, nil
}

// mark is the state of a message under its caller's key. It outlives the entry.
type mark struct {
	Key      string `json:"key"`
	State    State  `json:"state"`
	RandomID int64  `json:"random_id,omitempty"`
	Date     int    `json:"date,omitempty"` // when the server took it, Unix seconds
}
