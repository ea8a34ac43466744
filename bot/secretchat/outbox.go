package secretchat

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg/e2e"
)

const (
	// maxUnread bounds what a caller may queue for a peer that acknowledges nothing.
	maxUnread = 500
	// maxOutbox closes the chat: our own answers alone have filled it.
	maxOutbox = 2000
	// maxMarks is how many delivery states are remembered, the newest ones.
	maxMarks = 500
	// randomBytes is how many random bytes go with each message.
	randomBytes = 31
	// maxUploads is how often a picture is uploaded anew when the server refuses it.
	maxUploads = 3
)

// Errors of sending.
var (
	// ErrNoChat: there is no such chat, or it is over.
	ErrNoChat = errors.New("no such open secret chat")
	// ErrBacklog: too much is waiting for an acknowledgement of the other side.
	ErrBacklog = errors.New("too many unacknowledged messages")
	// ErrUnfit: what is to be sent is empty, too large, or not what it should be.
	ErrUnfit = errors.New("unfit to be sent")
)

func (c *chat) mark(key string) *mark {
	for i := range c.Marks {
		if c.Marks[i].Key == key {
			return &c.Marks[i]
		}
	}
	return nil
}

// progress moves a caller's message forward, never back, and tells the caller.
func (c *chat) progress(key string, state State) {
	m := c.mark(key)
	if key == "" || m == nil || m.State == Seen || m.State == state || (m.State == Sent && state == Queued) {
		return
	}
	m.State = state
	c.tell(Event{Kind: EventProgress, Key: key, State: state})
}

// enqueue takes a caller's message. Under a key that is known already nothing
// happens but that its state is told.
func (c *chat) enqueue(e env, p pending) (State, error) {
	if m := c.mark(p.Key); m != nil {
		return m.State, nil
	}
	if c.Phase != PhaseOpen {
		return "", fmt.Errorf("queue a message: %w", ErrNoChat)
	}
	if len(c.Outbox)+len(c.Pending) >= maxUnread {
		return "", fmt.Errorf("queue a message: %w", ErrBacklog)
	}
	c.Marks = append(c.Marks, mark{Key: p.Key, State: Queued})
	if over := len(c.Marks) - maxMarks; over > 0 {
		c.Marks = slices.Delete(c.Marks, 0, over)
	}
	if p.Photo != nil || len(c.Pending) > 0 {
		c.Pending = append(c.Pending, p)
		return Queued, nil
	}
	return Queued, c.numberText(e, p)
}

// flushTexts numbers the texts at the head of what is pending.
func (c *chat) flushTexts(e env) error {
	for len(c.Pending) > 0 && c.Pending[0].Photo == nil {
		p := c.Pending[0]
		c.Pending = slices.Delete(c.Pending, 0, 1)
		if err := c.numberText(e, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *chat) numberText(e env, p pending) error {
	id, err := e.randomID()
	if err != nil {
		return err
	}
	body := &e2e.DecryptedMessage{RandomID: id, TTL: c.TTL, Message: p.Text}
	return c.write(e, entry{RandomID: id, Kind: kindText, Key: p.Key}, body)
}

// numberPhoto gives the uploaded picture at the head of what is pending its
// number, and the texts behind it theirs.
func (c *chat) numberPhoto(e env, f encryptedFile) error {
	if c.Phase != PhaseOpen || len(c.Pending) == 0 || c.Pending[0].Photo == nil {
		return nil
	}
	p := c.Pending[0]
	c.Pending = slices.Delete(c.Pending, 0, 1)
	id, err := e.randomID()
	if err != nil {
		return err
	}
	body := &e2e.DecryptedMessage{RandomID: id, TTL: c.TTL}
	body.SetMedia(p.Photo.media(f, c.layer()))
	out := entry{
		RandomID: id, Kind: kindPhoto, Key: p.Key, File: &f.Ref, Photo: p.Photo, Uploads: p.Uploads + 1,
	}
	if err := c.write(e, out, body); err != nil {
		return err
	}
	return c.flushTexts(e)
}

// media is what a message says of its file, in words that the peer's layer has.
func (p *photo) media(f encryptedFile, layer int) e2e.DecryptedMessageMediaClass {
	if p.Name == "" {
		return &e2e.DecryptedMessageMediaPhoto{
			Thumb: p.Thumb, ThumbW: p.ThumbW, ThumbH: p.ThumbH, W: p.W, H: p.H,
			Size: f.Size, Key: f.Key, Iv: f.IV, Caption: p.Caption,
		}
	}
	attributes := []e2e.DocumentAttributeClass{&e2e.DocumentAttributeFilename{FileName: p.Name}}
	if layer < wideFileLayer {
		return &e2e.DecryptedMessageMediaDocument46{
			MimeType: p.MIME, Size: f.Size, Key: f.Key, Iv: f.IV, Attributes: attributes, Caption: p.Caption,
		}
	}
	return &e2e.DecryptedMessageMediaDocument{
		MimeType: p.MIME, Size: int64(f.Size), Key: f.Key, Iv: f.IV, Attributes: attributes, Caption: p.Caption,
	}
}

// act writes a service message.
func (c *chat) act(e env, action e2e.DecryptedMessageActionClass) error {
	id, err := e.randomID()
	if err != nil {
		return err
	}
	body := &e2e.DecryptedMessageService{RandomID: id, Action: action}
	return c.write(e, entry{RandomID: id, Kind: kindService}, body)
}

// write gives a message the next number and encrypts it for good. In a chat that
// is over it does nothing; one whose peer never acknowledges it ends.
func (c *chat) write(e env, out entry, body e2e.DecryptedMessageClass) error {
	if c.Phase != PhaseOpen {
		return nil
	}
	if len(c.Outbox) >= maxOutbox {
		c.fault(e, FaultBacklog)
		return nil
	}
	out.N, out.In = c.Out, c.In
	data, err := c.encrypt(e, out, c.Key, body)
	if err != nil {
		return err
	}
	out.Data = data
	if m := c.mark(out.Key); m != nil {
		m.RandomID = out.RandomID
	}
	c.Outbox = append(c.Outbox, out)
	c.Out++
	c.Owed = 0
	c.Key.Used++
	return nil
}

// layer is the one that we write in.
func (c *chat) layer() int { return max(minLayer, min(ourLayer, c.PeerLayer)) }

// encrypt makes the wire form of a message of ours under a key.
func (c *chat) encrypt(e env, out entry, key *chatKey, body e2e.DecryptedMessageClass) ([]byte, error) {
	layer := &e2e.DecryptedMessageLayer{
		RandomBytes: make([]byte, randomBytes),
		Layer:       c.layer(),
		InSeqNo:     c.wireIn(out.In),
		OutSeqNo:    c.wireOut(out.N),
		Message:     body,
	}
	if err := e.fill(layer.RandomBytes); err != nil {
		return nil, err
	}
	var buf bin.Buffer
	if err := layer.Encode(&buf); err != nil {
		return nil, fmt.Errorf("encode message %d: %w", out.N, err)
	}
	return seal(key.Bytes, c.Creator, buf.Buf, e.random)
}

// next is the message to send now: the lowest number that has not been sent.
func (c *chat) next() *entry {
	if c.Phase != PhaseOpen {
		return nil
	}
	for i := range c.Outbox {
		if !c.Outbox[i].Sent {
			return &c.Outbox[i]
		}
	}
	return nil
}

func (c *chat) entry(n int) *entry {
	for i := range c.Outbox {
		if c.Outbox[i].N == n {
			return &c.Outbox[i]
		}
	}
	return nil
}

// sent notes that the server took message n, when, and the file's lasting name.
func (c *chat) sent(n, date int, file *fileRef) {
	out := c.entry(n)
	if out == nil {
		return
	}
	if m := c.mark(out.Key); m != nil && date != 0 {
		m.Date = date
	}
	out.Sent, out.Photo = true, nil
	if file != nil {
		out.File = file
	}
	c.progress(out.Key, Sent)
}

// refused replaces message n, which the server will never take, by one that
// deletes it, under the same number: the peer must see every number. It acknowledges
// what the first one did and is under the same key, since messages after it were
// written by then, which the peer must still be able to read. A picture whose upload
// went stale is put back to be uploaded again.
func (c *chat) refused(e env, n int) error {
	out := c.entry(n)
	if out == nil || c.Phase != PhaseOpen {
		return nil
	}
	key, again, uploads := out.Key, out.Photo, out.Uploads
	body := &e2e.DecryptedMessageService{
		Action: &e2e.DecryptedMessageActionDeleteMessages{RandomIDs: []int64{out.RandomID}},
	}
	id, err := e.randomID()
	if err != nil {
		return err
	}
	body.RandomID = id
	under := c.keyFor(*out)
	if under == nil {
		c.end(e, PhaseClosing, ReasonRefused)
		return nil
	}
	data, err := c.encrypt(e, *out, under, body)
	if err != nil {
		return err
	}
	*out = entry{N: n, In: out.In, RandomID: id, Kind: kindService, Data: data}
	switch {
	case key == "":
	case again != nil && uploads < maxUploads:
		c.Pending = slices.Insert(c.Pending, 0, pending{Key: key, Photo: again, Uploads: uploads})
	default:
		c.progress(key, Failed)
	}
	return nil
}

// keyFor is the key under which a message can be written anew. Where its own is gone,
// the current one will do if nothing after it is under another; nil otherwise.
func (c *chat) keyFor(out entry) *chatKey {
	own, _ := wireFingerprint(out.Data)
	for _, key := range []*chatKey{c.Key, c.Old} {
		if key != nil && key.Fingerprint == own {
			return key
		}
	}
	for _, later := range c.Outbox {
		if under, _ := wireFingerprint(later.Data); later.N > out.N && under != c.Key.Fingerprint {
			return nil
		}
	}
	return c.Key
}

// acknowledge drops our messages below n: the peer has them.
func (c *chat) acknowledge(n int) {
	c.Acked = n
	c.Outbox = slices.DeleteFunc(c.Outbox, func(out entry) bool {
		if out.N < n {
			c.progress(out.Key, Seen)
			return true
		}
		return false
	})
}

// displayed notes that the peer has shown messages of ours.
func (c *chat) displayed(randomIDs []int64) {
	for _, m := range slices.Clone(c.Marks) {
		if m.RandomID != 0 && slices.Contains(randomIDs, m.RandomID) {
			c.progress(m.Key, Seen)
		}
	}
}

// readUntil notes that the peer has shown what the server had by then.
func (c *chat) readUntil(date int) {
	for _, m := range slices.Clone(c.Marks) {
		if m.State == Sent && m.Date != 0 && m.Date <= date {
			c.progress(m.Key, Seen)
		}
	}
}

// resend carries out the peer's request for messages that it misses.
func (c *chat) resend(e env, action *e2e.DecryptedMessageActionResend) Fault {
	bit := c.wireOut(0)
	start, end := action.StartSeqNo, action.EndSeqNo
	if start < bit || end < start || start%2 != bit || end%2 != bit || (end-start)/2 >= maxHole {
		return c.fault(e, FaultResend)
	}
	first, last := start/2, end/2
	if first < c.Acked || last >= c.Out {
		return c.fault(e, FaultResend)
	}
	for i := range c.Outbox {
		if out := &c.Outbox[i]; out.N >= first && out.N <= last {
			out.Sent = false
		}
	}
	return ""
}

// abandon gives up a pending message whose bytes are gone.
func (c *chat) abandon(e env, key string) error {
	c.Pending = slices.DeleteFunc(c.Pending, func(p pending) bool { return p.Key == key })
	c.progress(key, Failed)
	return c.flushTexts(e)
}
