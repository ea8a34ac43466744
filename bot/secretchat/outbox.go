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

// act writes a service message.
func (c *chat) act(e env, action e2e.DecryptedMessageActionClass) error {
	return c.actFor(e, 0, action)
}

// actFor writes a service message on which a change of keys depends.
func (c *chat) actFor(e env, exchange int64, action e2e.DecryptedMessageActionClass) error {
	id, err := e.randomID()
	if err != nil {
		return err
	}
	body := &e2e.DecryptedMessageService{RandomID: id, Action: action}
	return c.write(e, entry{RandomID: id, Kind: kindService, Exchange: exchange}, body)
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
	out.Sent = true
	if file != nil {
		out.File = file
		out.settle()
	}
	c.progress(out.Key, Sent)
}

// acknowledge drops our messages below n: the peer has them.
func (c *chat) acknowledge(n int) {
	c.Acked = n
	c.Outbox = slices.DeleteFunc(c.Outbox, func(out entry) bool {
		if out.N < n {
			c.Blobs = appendBlob(c.Blobs, out.Photo)
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
