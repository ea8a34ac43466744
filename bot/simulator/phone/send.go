package phone

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
	"github.com/gotd/td/tgerr"
)

// randomBytes is how many random bytes each message starts with; the
// description asks for at least 15.
const (
	randomBytes    = 31
	randomBytesMin = 15
)

// Send implements Phone.
func (p *Simulated) Send(ctx context.Context, chat, text string) (int64, error) {
	defer p.opts.Changed()
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
	m := &e2e.DecryptedMessage{RandomID: random, Message: text, TTL: c.ttl}
	date, _, err := p.write(ctx, c, random, m, nil)
	if err != nil {
		return 0, err
	}
	id := p.show(c, shown{random: random, Message: Message{Mine: true, Text: text, Date: date}})
	p.maybeRekey(ctx, c)
	return id, nil
}

// ready finds a chat that can be written into.
func (p *Simulated) ready(id string) (*chat, error) {
	c, err := p.find(id)
	switch {
	case err != nil:
		return nil, err
	case !p.on():
		return nil, ErrOff
	case c.state != StateOpen:
		return nil, ErrNotOpen
	}
	return c, nil
}

// show puts a message on the screen.
func (p *Simulated) show(c *chat, m shown) int64 {
	p.lastMessage++
	m.ID = p.lastMessage
	m.From = p.names[c.peer]
	if m.Mine {
		m.From = p.names[p.opts.UserID]
	}
	c.shown = append(c.shown, m)
	return m.ID
}

// service writes a service message. One that cannot be sent now is sent when
// the other side asks for it.
func (p *Simulated) service(ctx context.Context, c *chat, a e2e.DecryptedMessageActionClass) {
	random, err := p.random64()
	if err == nil {
		m := &e2e.DecryptedMessageService{RandomID: random, Action: a}
		_, _, err = p.write(ctx, c, random, m, nil)
	}
	if err != nil && c.state != StateClosed {
		p.opts.Log.Warn("a simulated phone could not send a service message", "chat", c.id, "error", err)
	}
}

// write numbers, encrypts, keeps and sends a message.
func (p *Simulated) write(
	ctx context.Context, c *chat, random int64, m e2e.DecryptedMessageClass, file tg.InputEncryptedFileClass,
) (time.Time, tg.EncryptedFileClass, error) {
	fill := make([]byte, randomBytes)
	if _, err := io.ReadFull(p.opts.Rand, fill); err != nil {
		return time.Time{}, nil, fmt.Errorf("read random bytes: %w", err)
	}
	layer := &e2e.DecryptedMessageLayer{
		RandomBytes: fill,
		Layer:       max(layerMin, min(layerOurs, c.layer)),
		InSeqNo:     2*c.in + inBit(c.creator),
		OutSeqNo:    2*c.out + outBit(c.creator),
		Message:     m,
	}
	var b bin.Buffer
	if err := layer.Encode(&b); err != nil {
		return time.Time{}, nil, fmt.Errorf("encode a message: %w", err)
	}
	wire, err := c.current.seal(p.opts.Rand, c.x(true), b.Raw())
	if err != nil {
		return time.Time{}, nil, err
	}
	_, service := m.(*e2e.DecryptedMessageService)
	o := outgoing{random: random, wire: wire, service: service, file: file}
	number := c.out
	c.sent[number] = o
	c.out++
	c.uses++
	date, f, err := p.transmit(ctx, c, o)
	if ref, ok := f.(*tg.EncryptedFile); ok && c.state == StateOpen {
		// An upload can be sent once; to send it again its file is named.
		o.file = &tg.InputEncryptedFile{ID: ref.ID, AccessHash: ref.AccessHash}
		c.sent[number] = o
	}
	return date, f, err
}

// transmit sends the ciphertext. A chat that turns out to be over is closed.
func (p *Simulated) transmit(ctx context.Context, c *chat, o outgoing) (time.Time, tg.EncryptedFileClass, error) {
	var (
		res tg.MessagesSentEncryptedMessageClass
		err error
	)
	switch {
	case o.file != nil:
		res, err = p.api.MessagesSendEncryptedFile(ctx, &tg.MessagesSendEncryptedFileRequest{
			Peer: c.peerRef(), RandomID: o.random, Data: o.wire, File: o.file,
		})
	case o.service:
		res, err = p.api.MessagesSendEncryptedService(ctx, &tg.MessagesSendEncryptedServiceRequest{
			Peer: c.peerRef(), RandomID: o.random, Data: o.wire,
		})
	default:
		res, err = p.api.MessagesSendEncrypted(ctx, &tg.MessagesSendEncryptedRequest{
			Peer: c.peerRef(), RandomID: o.random, Data: o.wire,
		})
	}
	if tgerr.Is(err, tg.ErrEncryptionDeclined, tg.ErrChatIDInvalid) {
		p.closeHere(c, errTheirs)
	}
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("send into a secret chat: %w", err)
	}
	date := time.Unix(int64(res.GetDate()), 0).UTC()
	if f, ok := res.(*tg.MessagesSentEncryptedFile); ok {
		return date, f.File, nil
	}
	return date, nil, nil
}
