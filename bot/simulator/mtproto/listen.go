package mtproto

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gotd/td/mtproxy/obfuscated2"
	"github.com/gotd/td/proto/codec"
	"github.com/gotd/td/transport"
)

// helloTimeout is how long a new connection may take to say which transport
// it speaks.
const helloTimeout = 10 * time.Second

// accept serves every connection until the listener is closed.
func (s *Server) accept(ctx context.Context) {
	defer s.tasks.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.opts.Log.Error("the local Telegram stopped listening", "error", err)
			}
			return
		}
		s.tasks.Add(1)
		go func() {
			defer s.tasks.Done()
			if err := s.serve(ctx, c); err != nil {
				s.opts.Log.Debug("a connection to the local Telegram ended", "error", err)
			}
		}()
	}
}

// serve runs one connection to its end.
func (s *Server) serve(ctx context.Context, raw net.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	if err := raw.SetDeadline(s.deadline(helloTimeout)); err != nil {
		return fmt.Errorf("limit the greeting: %w", err)
	}
	plain, err := deobfuscate(raw)
	if err != nil {
		return fmt.Errorf("read the transport's greeting: %w", err)
	}
	t, err := transport.Listen(&single{conn: plain}).Accept()
	if err != nil {
		return fmt.Errorf("tell the transport: %w", err)
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("lift the greeting's limit: %w", err)
	}
	return newConn(s, t).run(ctx)
}

// deadline is on the machine's clock, whatever the server's own says.
func (s *Server) deadline(d time.Duration) time.Time { return time.Now().Add(d) }

// single is a listener that accepts one given connection, which is how gotd
// tells the transport of one.
type single struct{ conn net.Conn }

func (l *single) Accept() (net.Conn, error) { return l.conn, nil }
func (l *single) Close() error              { return nil }
func (l *single) Addr() net.Addr            { return l.conn.LocalAddr() }

// stream is a connection read and written through something else.
type stream struct {
	net.Conn
	r io.Reader
	w io.Writer
}

func (s *stream) Read(b []byte) (int, error)  { return s.r.Read(b) }
func (s *stream) Write(b []byte) (int, error) { return s.w.Write(b) }

// deobfuscate tells plain transports from obfuscated ones by the first bytes
// ("MTProto transports": an obfuscated greeting is random, but never looks
// like one of the plain ones).
func deobfuscate(c net.Conn) (net.Conn, error) {
	br := bufio.NewReader(c)
	buffered := &stream{Conn: c, r: br, w: c}
	first, err := br.Peek(1)
	if err != nil {
		return nil, err
	}
	if first[0] == codec.AbridgedClientStart[0] {
		return buffered, nil
	}
	head, err := br.Peek(8)
	if err != nil {
		return nil, err
	}
	switch [4]byte(head[:4]) {
	case codec.IntermediateClientStart, codec.PaddedIntermediateClientStart:
		return buffered, nil
	}
	if binary.LittleEndian.Uint32(head[4:8]) == 0 {
		// The full transport: a length, then the number 0 of the first packet.
		return buffered, nil
	}
	rw, meta, err := obfuscated2.Accept(buffered, nil)
	if err != nil {
		return nil, err
	}
	tag := meta.Protocol[:]
	if tag[0] == codec.AbridgedClientStart[0] {
		tag = tag[:1]
	}
	greeting := &greeted{tag: tag, r: rw}
	return &stream{Conn: c, r: greeting, w: rw}, nil
}

// greeted reads the transport's tag first, then the rest.
type greeted struct {
	tag []byte
	r   io.Reader
}

func (g *greeted) Read(b []byte) (int, error) {
	if len(g.tag) > 0 {
		n := copy(b, g.tag)
		g.tag = g.tag[n:]
		return n, nil
	}
	return g.r.Read(b)
}
