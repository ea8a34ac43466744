package mtproto

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/exchange"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/proto"
	"github.com/gotd/td/proto/codec"
	"github.com/gotd/td/transport"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
)

const (
	// idleTimeout ends connections that say nothing; clients ping every
	// minute.
	idleTimeout = 10 * time.Minute
	// writeTimeout bounds the sending of one message.
	writeTimeout = 30 * time.Second
	// backlog is how many messages may wait to be written. A client that
	// does not read is cut off and learns the rest from the difference.
	backlog = 4096
	// sessionSlack is a minute in message ids. A client sends everything
	// again that is older than the session's first message, and the messages
	// in the first container are older than the container.
	sessionSlack = 60 << 32
)

// conn is one connection of a client. gotd's tgtest.Server has the same
// pieces, but keeps writing into dead connections of a session that came
// back, and lets its table of keys race.
type conn struct {
	server   *Server
	t        transport.Conn
	out      chan message
	sessions map[int64]*session
}

// message waits to be encrypted and written.
type message struct {
	session *session
	kind    proto.MessageType
	body    []byte
}

// session is an MTProto session on this connection.
type session struct {
	id  int64
	key *authKey
	// encrypt is the key that this session's messages are under: the
	// temporary one where there is one.
	encrypt crypto.AuthKey
	salt    int64
	cancel  func()
}

func newConn(s *Server, t transport.Conn) *conn {
	return &conn{server: s, t: t, out: make(chan message, backlog), sessions: map[int64]*session{}}
}

// run reads until the client goes away; the writer ends with it.
func (c *conn) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer cancel()
		c.write(ctx)
	}()
	stop := context.AfterFunc(ctx, func() { _ = c.t.Close() })
	err := c.read(ctx)
	cancel()
	stop()
	_ = c.t.Close()
	<-written
	for _, s := range c.sessions {
		if s.cancel != nil {
			s.cancel()
		}
	}
	return err
}

func (c *conn) recv(ctx context.Context, b *bin.Buffer) error {
	ctx, cancel := context.WithDeadline(ctx, c.server.deadline(idleTimeout))
	defer cancel()
	b.Reset()
	if err := c.t.Recv(ctx, b); err != nil {
		return fmt.Errorf("read a frame: %w", err)
	}
	return nil
}

func (c *conn) read(ctx context.Context) error {
	for {
		var b bin.Buffer
		if err := c.recv(ctx, &b); err != nil {
			return err
		}
		if err := c.frame(ctx, &b); err != nil {
			return err
		}
	}
}

// frame handles what one transport packet carries.
func (c *conn) frame(ctx context.Context, b *bin.Buffer) error {
	var id [8]byte
	if err := b.PeekN(id[:], len(id)); err != nil {
		return fmt.Errorf("read the key id: %w", err)
	}
	if id == [8]byte{} {
		return c.exchange(ctx, b)
	}
	k, ok := c.server.keys.find(id)
	if !ok {
		return c.refuse(ctx, codec.CodeAuthKeyNotFound)
	}
	data, err := c.server.cipher.DecryptFromBuffer(k.AuthKey, b)
	if err != nil {
		return fmt.Errorf("decrypt a message: %w", err)
	}
	s := c.session(k, data.SessionID, data.MessageID)
	return c.handle(ctx, s, data.MessageID, &bin.Buffer{Buf: data.Data()}, 0)
}

// refuse sends a transport error.
func (c *conn) refuse(ctx context.Context, code int32) error {
	var b bin.Buffer
	b.PutInt32(-code)
	return c.sendNow(ctx, &b)
}

func (c *conn) sendNow(ctx context.Context, b *bin.Buffer) error {
	ctx, cancel := context.WithDeadline(ctx, c.server.deadline(writeTimeout))
	defer cancel()
	if err := c.t.Send(ctx, b); err != nil {
		return fmt.Errorf("write a frame: %w", err)
	}
	return nil
}

// exchange makes an authorization key with the client, whose first packet is
// in b.
func (c *conn) exchange(ctx context.Context, first *bin.Buffer) error {
	s := c.server
	res, err := exchange.NewExchanger(&pushback{Conn: c.t, first: first.Copy()}, s.DC()).
		WithClock(s.clock).WithRand(s.opts.Rand).
		Server(s.private).Run(ctx)
	var refused *exchange.ServerExchangeError
	var encrypted *exchange.UnexpectedEncryptedError
	switch {
	case errors.As(err, &refused):
		return errors.Join(refused, c.refuse(ctx, refused.Code))
	case errors.As(err, &encrypted):
		return c.frame(ctx, &bin.Buffer{Buf: encrypted.Frame})
	case err != nil:
		return fmt.Errorf("exchange keys: %w", err)
	}
	s.keys.add(res.Key, res.ServerSalt)
	return nil
}

// pushback gives a packet that was read already to the next reader.
type pushback struct {
	transport.Conn
	first []byte
}

func (p *pushback) Recv(ctx context.Context, b *bin.Buffer) error {
	if p.first != nil {
		b.ResetTo(p.first)
		p.first = nil
		return nil
	}
	return p.Conn.Recv(ctx, b)
}

// session finds or begins a session on this connection.
func (c *conn) session(k *authKey, id, firstMessage int64) *session {
	if s, ok := c.sessions[id]; ok && s.encrypt.ID == k.ID {
		return s
	}
	s := &session{id: id, key: k, encrypt: k.AuthKey, salt: k.salt}
	c.sessions[id] = s
	if c.server.keys.begin(k, id) {
		c.push(s, proto.MessageFromServer, &mt.NewSessionCreated{
			FirstMsgID: firstMessage - sessionSlack, UniqueID: id, ServerSalt: k.salt,
		})
	}
	return s
}

// listen has the updates of the session's device pushed, once it is logged in.
func (c *conn) listen(s *session) {
	d, ok := c.server.keys.device(s.key)
	if !ok || s.cancel != nil {
		return
	}
	s.cancel = d.Subscribe(func(u hub.Answer) { c.told(s, u) })
}

// push encodes a message and has it written.
func (c *conn) push(s *session, kind proto.MessageType, m bin.Encoder) {
	var b bin.Buffer
	if err := m.Encode(&b); err != nil {
		c.server.opts.Log.Error("the local Telegram could not encode a message", "error", err)
		return
	}
	c.enqueue(message{s, kind, b.Raw()})
}

// enqueue never blocks: it is called with the hub locked.
func (c *conn) enqueue(m message) {
	select {
	case c.out <- m:
	default:
		_ = c.t.Close()
	}
}

// write encrypts and sends what waits, in order.
func (c *conn) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-c.out:
			if err := c.writeOne(ctx, m); err != nil {
				return
			}
		}
	}
}

func (c *conn) writeOne(ctx context.Context, m message) error {
	data := crypto.EncryptedMessageData{
		Salt: m.session.salt, SessionID: m.session.id,
		MessageID:      c.server.ids.New(m.kind),
		MessageDataLen: int32(len(m.body)), MessageDataWithPadding: m.body,
	}
	var b bin.Buffer
	if err := c.server.cipher.Encrypt(m.session.encrypt, data, &b); err != nil {
		return fmt.Errorf("encrypt a message: %w", err)
	}
	return c.sendNow(ctx, &b)
}
