package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/exchange"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/proto"
	"github.com/gotd/td/proto/codec"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"github.com/gotd/td/transport"
)

// abroadWire is MTProto itself, as plainly as it can be served: keys, encryption, acknowledgements. It shares nothing with
// the local Telegram's.
type abroadWire struct {
	private exchange.PrivateKey
	cipher  crypto.Cipher
	ids     *proto.MessageIDGen
	answer  func(caller *abroadCaller, call *bin.Buffer) (bin.Encoder, error)
	tasks   sync.WaitGroup

	mu   sync.Mutex
	keys map[[8]byte]crypto.AuthKey
	seen map[int64]bool // sessions
}

// abroadCaller is a client's session on one connection.
type abroadCaller struct {
	wire    *abroadWire
	conn    transport.Conn
	key     crypto.AuthKey
	session int64
	writing *sync.Mutex
}

// serve listens until the test ends.
func (w *abroadWire) serve(t *testing.T) (addr *net.TCPAddr) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w.private, w.cipher = exchange.PrivateKey{RSA: private}, crypto.NewServerCipher(rand.Reader)
	w.ids, w.keys = proto.NewMessageIDGen(time.Now), map[[8]byte]crypto.AuthKey{}
	w.seen = map[int64]bool{}
	plain, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := transport.Listen(plain)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w.tasks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.tasks.Go(func() { w.talk(ctx, conn) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		w.tasks.Wait()
	})
	return plain.Addr().(*net.TCPAddr)
}

// talk serves one connection to its end.
func (w *abroadWire) talk(ctx context.Context, conn transport.Conn) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	writing := &sync.Mutex{}
	for {
		var b bin.Buffer
		if err := conn.Recv(ctx, &b); err != nil {
			return
		}
		if err := w.packet(ctx, conn, writing, &b); err != nil {
			return
		}
	}
}

func (w *abroadWire) packet(ctx context.Context, conn transport.Conn, writing *sync.Mutex, b *bin.Buffer) error {
	var id [8]byte
	if err := b.PeekN(id[:], len(id)); err != nil {
		return err
	}
	if id == [8]byte{} {
		made, err := exchange.NewExchanger(&again{Conn: conn, first: b.Copy()}, abroadDC).Server(w.private).Run(ctx)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.keys[made.Key.ID] = made.Key
		return err
	}
	w.mu.Lock()
	key, known := w.keys[id]
	w.mu.Unlock()
	if !known {
		var refusal bin.Buffer
		refusal.PutInt32(-codec.CodeAuthKeyNotFound)
		return conn.Send(ctx, &refusal)
	}
	data, err := w.cipher.DecryptFromBuffer(key, b)
	if err != nil {
		return err
	}
	caller := &abroadCaller{wire: w, conn: conn, key: key, session: data.SessionID, writing: writing}
	if err := caller.greet(ctx, data.MessageID); err != nil {
		return err
	}
	return caller.take(ctx, data.MessageID, &bin.Buffer{Buf: data.Data()})
}

// greet tells a client that its session is new, which it waits for.
func (c *abroadCaller) greet(ctx context.Context, first int64) error {
	c.wire.mu.Lock()
	seen := c.wire.seen[c.session]
	c.wire.seen[c.session] = true
	c.wire.mu.Unlock()
	if seen {
		return nil
	}
	return c.send(ctx, proto.MessageFromServer, &mt.NewSessionCreated{FirstMsgID: first, UniqueID: c.session, ServerSalt: 10})
}

// again gives a packet that was read to the key exchange.
type again struct {
	transport.Conn
	first []byte
}

func (a *again) Recv(ctx context.Context, b *bin.Buffer) error {
	if a.first == nil {
		return a.Conn.Recv(ctx, b)
	}
	b.ResetTo(a.first)
	a.first = nil
	return nil
}

// take handles one message.
func (c *abroadCaller) take(ctx context.Context, id int64, b *bin.Buffer) error {
	kind, err := b.PeekID()
	if err != nil {
		return err
	}
	switch kind {
	case proto.MessageContainerTypeID:
		var box proto.MessageContainer
		if err := box.Decode(b); err != nil {
			return err
		}
		for _, m := range box.Messages {
			err = errors.Join(err, c.take(ctx, m.ID, &bin.Buffer{Buf: m.Body}))
		}
		return err
	case proto.GZIPTypeID:
		var packed proto.GZIP
		if err := packed.Decode(b); err != nil {
			return err
		}
		return c.take(ctx, id, &bin.Buffer{Buf: packed.Data})
	case mt.MsgsAckTypeID:
		return nil
	case mt.PingDelayDisconnectRequestTypeID:
		var ping mt.PingDelayDisconnectRequest
		if err := ping.Decode(b); err != nil {
			return err
		}
		return c.send(ctx, proto.MessageServerResponse, &mt.Pong{MsgID: id, PingID: ping.PingID})
	case mt.GetFutureSaltsRequestTypeID:
		return c.send(ctx, proto.MessageServerResponse, &mt.FutureSalts{
			ReqMsgID: id, Now: now(), Salts: []mt.FutureSalt{{ValidSince: 1, ValidUntil: math.MaxInt32, Salt: 10}},
		})
	}
	return c.call(ctx, id, b)
}

// call answers a call.
func (c *abroadCaller) call(ctx context.Context, id int64, b *bin.Buffer) error {
	answer, err := c.bare(b)
	var refused *tgerr.Error
	switch {
	case errors.As(err, &refused):
		answer = &mt.RPCError{ErrorCode: refused.Code, ErrorMessage: refused.Message}
	case err != nil:
		return err
	}
	var result bin.Buffer
	if err := answer.Encode(&result); err != nil {
		return err
	}
	return c.send(ctx, proto.MessageServerResponse, &proto.Result{RequestMessageID: id, Result: result.Raw()})
}

// inner stands for the call inside another one and leaves it unread.
type inner struct{}

func (inner) Decode(*bin.Buffer) error { return nil }
func (inner) Encode(*bin.Buffer) error { return errors.New("only read") }

// bare answers a call without what is wrapped around it.
func (c *abroadCaller) bare(b *bin.Buffer) (bin.Encoder, error) {
	for {
		kind, err := b.PeekID()
		if err != nil {
			return nil, err
		}
		around, wrapped := map[uint32]bin.Decoder{
			tg.InvokeWithLayerRequestTypeID:      &tg.InvokeWithLayerRequest{Query: inner{}},
			tg.InitConnectionRequestTypeID:       &tg.InitConnectionRequest{Query: inner{}},
			tg.InvokeWithoutUpdatesRequestTypeID: &tg.InvokeWithoutUpdatesRequest{Query: inner{}},
		}[kind]
		if !wrapped {
			return c.wire.answer(c, b)
		}
		if err := around.Decode(b); err != nil {
			return nil, err
		}
	}
}

// send writes one message to the client.
func (c *abroadCaller) send(ctx context.Context, kind proto.MessageType, m bin.Encoder) error {
	var body, packet bin.Buffer
	if err := m.Encode(&body); err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	err := c.wire.cipher.Encrypt(c.key, crypto.EncryptedMessageData{
		Salt: 10, SessionID: c.session, MessageID: c.wire.ids.New(kind),
		MessageDataLen: int32(body.Len()), MessageDataWithPadding: body.Raw(),
	}, &packet)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return c.conn.Send(ctx, &packet)
}
