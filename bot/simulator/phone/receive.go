package phone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
)

// What closes a chat besides what wire.go refuses.
var (
	errContent = errors.New("the message is not of a schema this phone knows")
	errParity  = errors.New("a sequence number has the wrong parity or is negative")
	errAck     = errors.New("the acknowledged number goes back or is ahead of what was sent")
	errTooMuch = errors.New("too many messages wait behind a hole")
)

// Bounds of what is kept of a chat that is not in order.
const (
	waitingMax = 1000
	earlyMax   = 100
)

// fetch reads everything that waits at the server.
func (p *Simulated) fetch(ctx context.Context) error {
	for {
		res, err := p.api.UpdatesGetDifference(ctx, &tg.UpdatesGetDifferenceRequest{
			Pts: p.pts, Date: p.date, Qts: p.qts,
		})
		if err != nil {
			return fmt.Errorf("get the difference: %w", err)
		}
		switch d := res.(type) {
		case *tg.UpdatesDifference:
			p.take(ctx, d.Users, d.OtherUpdates, d.NewEncryptedMessages, d.State)
			return nil
		case *tg.UpdatesDifferenceSlice:
			p.take(ctx, d.Users, d.OtherUpdates, d.NewEncryptedMessages, d.IntermediateState)
		case *tg.UpdatesDifferenceEmpty:
			p.date = d.Date
			return nil
		default:
			return fmt.Errorf("get the difference: the server answered %T", res)
		}
	}
}

func (p *Simulated) take(
	ctx context.Context, users []tg.UserClass, updates []tg.UpdateClass,
	messages []tg.EncryptedMessageClass, state tg.UpdatesState,
) {
	p.learn(users)
	for _, u := range updates {
		switch u := u.(type) {
		case *tg.UpdateEncryption:
			p.onEncryption(ctx, u.Chat)
		case *tg.UpdateEncryptedMessagesRead:
			p.onRead(u)
		}
	}
	for _, m := range messages {
		p.onMessage(ctx, m)
	}
	p.pts, p.qts, p.date = state.Pts, state.Qts, state.Date
	for _, id := range p.order {
		c := p.chats[id]
		p.reportRead(ctx, c)
		p.maybeRekey(ctx, c)
	}
}

// onRead marks what this phone wrote up to a date.
func (p *Simulated) onRead(u *tg.UpdateEncryptedMessagesRead) {
	c := p.chats[u.ChatID]
	if c == nil {
		return
	}
	for i := range c.shown {
		if m := &c.shown[i]; m.Mine && m.Date.Unix() <= int64(u.MaxDate) {
			m.Read = true
		}
	}
}

// reportRead tells the other side what was shown: with the read mark and with
// a message, which also carries the acknowledgement of all that came.
func (p *Simulated) reportRead(ctx context.Context, c *chat) {
	if c.state != StateOpen || len(c.unread) == 0 {
		return
	}
	ids, date := c.unread, c.unreadDate
	c.unread = nil
	p.service(ctx, c, &e2e.DecryptedMessageActionReadMessages{RandomIDs: ids})
	_, err := p.api.MessagesReadEncryptedHistory(ctx, &tg.MessagesReadEncryptedHistoryRequest{
		Peer: c.peerRef(), MaxDate: date,
	})
	if err != nil {
		p.opts.Log.Warn("a simulated phone could not mark messages as read", "chat", c.id, "error", err)
	}
}

// onMessage handles an encrypted message as it arrives.
func (p *Simulated) onMessage(ctx context.Context, m tg.EncryptedMessageClass) {
	c := p.chats[m.GetChatID()]
	switch {
	case c == nil || c.state == StateClosed:
		return
	case c.state == StatePending:
		if len(c.early) < earlyMax {
			c.early = append(c.early, m)
		}
		return
	}
	in, err := p.decrypt(c, m)
	if errors.Is(err, errUnknownKey) {
		// As TDLib does: a message that comes late may be under a key that was given up
		// since. Was it a new one after all, the next one shows the gap.
		p.opts.Log.Warn("a simulated phone let a message go", "chat", c.id, "error", err)
		return
	}
	if err == nil {
		err = p.sequence(ctx, c, in)
	}
	if err != nil && c.state != StateClosed {
		p.close(ctx, c, err, false)
	}
}

// decrypt opens and parses a message; any error but errUnknownKey is a reason to close.
func (p *Simulated) decrypt(c *chat, m tg.EncryptedMessageClass) (incoming, error) {
	print, err := fingerprintOf(m.GetBytes())
	if err != nil {
		return incoming{}, err
	}
	k := c.keyFor(print)
	if k == nil {
		return incoming{}, errUnknownKey
	}
	plain, err := k.open(c.x(false), m.GetBytes())
	if err != nil {
		return incoming{}, err
	}
	layer := &e2e.DecryptedMessageLayer{}
	b := bin.Buffer{Buf: plain}
	if err := layer.Decode(&b); err != nil {
		return incoming{}, fmt.Errorf("%w: %w", errContent, err)
	}
	if b.Len() != 0 {
		return incoming{}, fmt.Errorf("%w: %d bytes too many", errContent, b.Len())
	}
	in := incoming{layer: layer, date: m.GetDate(), key: k}
	if withFile, ok := m.(*tg.EncryptedMessage); ok {
		in.file = withFile.File
	}
	return in, nil
}

// sequence puts a message in its place: processed, kept behind a hole, or
// dropped as a repeat.
func (p *Simulated) sequence(ctx context.Context, c *chat, in incoming) error {
	l := in.layer
	if l.InSeqNo < 0 || l.OutSeqNo < 0 ||
		l.InSeqNo&1 != inBit(!c.creator) || l.OutSeqNo&1 != outBit(!c.creator) {
		return errParity
	}
	if l.InSeqNo/2 > c.out {
		return errAck
	}
	if next := c.next(); next != nil && in.key == next {
		p.switchKey(c)
	}
	number := l.OutSeqNo / 2
	if number < c.in {
		return nil
	}
	if number > c.in {
		return p.postpone(ctx, c, number, in)
	}
	return p.drain(ctx, c, in)
}

// drain processes a message and those that waited for it.
func (p *Simulated) drain(ctx context.Context, c *chat, in incoming) error {
	for {
		if err := p.process(ctx, c, in); err != nil || c.state != StateOpen {
			return err
		}
		if c.old != nil && in.key == c.current && len(c.waiting) == 0 {
			c.old = nil
		}
		next, ok := c.waiting[c.in]
		if !ok {
			return nil
		}
		delete(c.waiting, c.in)
		in = next
	}
}

// process handles the next message in order.
func (p *Simulated) process(ctx context.Context, c *chat, in incoming) error {
	l := in.layer
	a := l.InSeqNo / 2
	if a < c.acked {
		return errAck
	}
	for n := c.acked; n < a; n++ {
		delete(c.sent, n)
	}
	c.acked = a
	c.in++
	c.uses++
	p.inspect(c, l)
	c.layer = max(c.layer, l.Layer)
	switch m := l.Message.(type) {
	case *e2e.DecryptedMessage:
		p.receive(ctx, c, in, m.RandomID, m.Message, m.Media)
	case *e2e.DecryptedMessage46:
		p.receive(ctx, c, in, m.RandomID, m.Message, m.Media)
	case *e2e.DecryptedMessageService:
		return p.act(ctx, c, in, m.Action)
	case *e2e.DecryptedMessageService8:
		return p.act(ctx, c, in, m.Action)
	default:
		return fmt.Errorf("%w: %T", errContent, m)
	}
	return nil
}

// inspect notes what a real phone lets pass.
func (p *Simulated) inspect(c *chat, l *e2e.DecryptedMessageLayer) {
	if l.Layer < layerMin {
		p.complain(c, "layer %d is below %d", l.Layer, layerMin)
	}
	if len(l.RandomBytes) < randomBytesMin {
		p.complain(c, "only %d random bytes", len(l.RandomBytes))
	}
}

// receive shows a message and its picture.
func (p *Simulated) receive(
	ctx context.Context, c *chat, in incoming, random int64, text string, media e2e.DecryptedMessageMediaClass,
) {
	if !c.notified {
		p.complain(c, "a message came before any NotifyLayer")
	}
	m := shown{random: random, Message: Message{Text: text, Date: time.Unix(int64(in.date), 0).UTC()}}
	if picture, caption, ok := p.picture(ctx, c, in.file, media); ok {
		m.Picture = picture
		if m.Text == "" {
			m.Text = caption
		}
	}
	p.show(c, m)
	c.unread = append(c.unread, random)
	c.unreadDate = max(c.unreadDate, in.date)
}
