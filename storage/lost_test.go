package storage

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

// lossy breaks the connection once, after Redis did what it was asked and before the answer arrives.
type lossy struct {
	armed atomic.Bool
	lost  atomic.Int64
}

func (l *lossy) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &lossyConn{Conn: conn, lossy: l}, nil
	}
}

func (*lossy) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (*lossy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

type lossyConn struct {
	net.Conn
	lossy  *lossy
	script bool // a script was sent and not answered
}

func (c *lossyConn) Write(b []byte) (int, error) {
	if strings.Contains(strings.ToLower(string(b)), "evalsha") {
		c.script = true
	}
	return c.Conn.Write(b)
}

func (c *lossyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.script && err == nil && c.lossy.armed.CompareAndSwap(true, false) {
		c.lossy.lost.Add(1)
		return 0, errors.Join(io.EOF, c.Close())
	}
	c.script = false
	return n, err
}

// The driver sends a command again when the connection broke under it; that must not turn a success into a conflict.
func TestAnAnswerLostOnItsWayCountsOnce(t *testing.T) {
	db := openAt(t, redistest.Start(t).URL)
	l := &lossy{}
	db.client.AddHook(l)
	// Connections made before go by other ways.
	_ = db.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no").Err()
	losing := func(what string, call func() error) {
		t.Helper()
		l.armed.Store(true)
		before := l.lost.Load()
		if err := call(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if l.lost.Load() == before {
			t.Errorf("%s: no answer was lost", what)
		}
		l.armed.Store(false)
	}
	o := sample("a", start)
	must(t, db.Save(t.Context(), &o))
	s, _, err := db.Begin(t.Context(), 7, 1)
	must(t, err)
	must(t, db.End(t.Context(), 7, 1, s))
	must(t, errors.Join( // from here on Redis knows every script
		db.Hold(t.Context(), tx(1), cirrus.Seat{Number: 2}, order.Hold{Order: "a", Until: start}, start),
		db.Free(t.Context(), tx(1), cirrus.Seat{Number: 2}, "a"),
		db.PostTip(t.Context(), order.Tip{Height: 1}), db.Claim(t.Context(), "x", "a"),
	))
	_, err = db.PostCoins(t.Context(), nil)
	must(t, err)

	losing("save", func() error { return db.Save(t.Context(), &o) })
	if o.Version != 2 {
		t.Errorf("version %d", o.Version)
	}
	losing("begin", func() error {
		var fresh bool
		if s, fresh, err = db.Begin(t.Context(), 7, 2); err == nil && !fresh {
			return errors.New("counts as handled")
		}
		return err
	})
	losing("end", func() error { return db.End(t.Context(), 7, 2, s) })
	hold := order.Hold{Order: "a", Until: start}
	losing("hold", func() error { return db.Hold(t.Context(), tx(1), cirrus.Seat{Number: 1}, hold, start) })
	losing("free", func() error { return db.Free(t.Context(), tx(1), cirrus.Seat{Number: 1}, "a") })

	losing("post coins", func() error {
		ids, err := db.PostCoins(t.Context(), []cirrus.Coin{coin(1, "x", 0)})
		if err == nil && len(ids) != 1 {
			return errors.New("the order was forgotten")
		}
		return err
	})
}
