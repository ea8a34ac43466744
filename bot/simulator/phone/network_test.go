package phone

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
	"pgregory.net/rapid"
)

// fate is what a bad network does to a message.
type fate int

const (
	arrives fate = iota
	lost
	doubled
	late
)

// badLine loses, doubles and delays what a phone sends, as told.
type badLine struct {
	Line
	mu    sync.Mutex
	fates []fate
	held  bin.Encoder
	count int64
	// seen are the messages that had their fate: one that the other side
	// asks for gets through.
	seen map[int64]bool
	// spared tells a request to send again from other messages: each side
	// asks once, so a network that loses these cannot be repaired.
	spared func(wire []byte) bool
}

func (l *badLine) next(fates ...fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fates = append(l.fates, fates...)
}

func (l *badLine) Invoke(ctx context.Context, in bin.Encoder, out bin.Decoder) error {
	switch in.(type) {
	case *tg.MessagesSendEncryptedRequest, *tg.MessagesSendEncryptedServiceRequest:
		return l.send(ctx, in, out)
	}
	return l.Line.Invoke(ctx, in, out)
}

func (l *badLine) send(ctx context.Context, in bin.Encoder, out bin.Decoder) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := arrives
	if random := randomID(in); len(l.fates) > 0 && !l.seen[random] && !l.spared(data(in)) {
		l.seen[random] = true
		now, l.fates = l.fates[0], l.fates[1:]
	}
	switch now {
	case lost:
		return sentAnyway(out)
	case late:
		if l.held == nil {
			l.held = in
			return sentAnyway(out)
		}
	case doubled:
		if err := l.again(ctx, in); err != nil {
			return err
		}
	}
	err := l.Line.Invoke(ctx, in, out)
	if held := l.held; err == nil && held != nil {
		l.held = nil
		err = l.again(ctx, held)
	}
	return err
}

func randomID(in bin.Encoder) int64 {
	switch req := in.(type) {
	case *tg.MessagesSendEncryptedRequest:
		return req.RandomID
	case *tg.MessagesSendEncryptedServiceRequest:
		return req.RandomID
	}
	return 0
}

func data(in bin.Encoder) []byte {
	switch req := in.(type) {
	case *tg.MessagesSendEncryptedRequest:
		return req.Data
	case *tg.MessagesSendEncryptedServiceRequest:
		return req.Data
	}
	return nil
}

// asksAgain reads what the chat's own phone wrote.
func asksAgain(c *chat) func(wire []byte) bool {
	return func(wire []byte) bool {
		plain, err := c.current.open(c.x(true), wire)
		if err != nil {
			return false
		}
		var l e2e.DecryptedMessageLayer
		if err := l.Decode(&bin.Buffer{Buf: plain}); err != nil {
			return false
		}
		_, ok := actionOf(l.Message).(*e2e.DecryptedMessageActionResend)
		return ok
	}
}

// again sends a message under another outer random id, as if the server had
// not recognised the repeat.
func (l *badLine) again(ctx context.Context, in bin.Encoder) error {
	l.count++
	var box tg.MessagesSentEncryptedMessageBox
	switch req := in.(type) {
	case *tg.MessagesSendEncryptedRequest:
		twin := *req
		twin.RandomID = -l.count
		in = &twin
	case *tg.MessagesSendEncryptedServiceRequest:
		twin := *req
		twin.RandomID = -l.count
		in = &twin
	}
	return l.Line.Invoke(ctx, in, &box)
}

func sentAnyway(out bin.Decoder) error {
	var b bin.Buffer
	if err := (&tg.MessagesSentEncryptedMessage{Date: 1}).Encode(&b); err != nil {
		return err
	}
	return out.Decode(&b)
}

// texts are what a phone shows of the other's messages, without pings.
func texts(p Phone) []string {
	var out []string
	for _, c := range p.Chats() {
		for _, m := range c.Messages {
			if !m.Mine && m.Text != "ping" {
				out = append(out, m.Text)
			}
		}
	}
	return out
}

func TestEveryMessageArrivesOnceAndInOrderOverABadNetwork(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		lines := [2]*badLine{}
		through := func(i int) func(Line) Line {
			return func(l Line) Line {
				lines[i] = &badLine{Line: l, seen: map[int64]bool{}}
				return lines[i]
			}
		}
		p := newPairOver(t, through(0), through(1))
		phones := [2]*Simulated{p.ada, p.eve}
		lines[0].spared, lines[1].spared = asksAgain(p.a), asksAgain(p.e)
		id, want := p.ada.Chats()[0].ID, [2][]string{}
		fates := rapid.SliceOfN(rapid.SampledFrom([]fate{arrives, lost, doubled, late}), 0, 40)
		for i, l := range lines {
			l.next(fates.Draw(r, fmt.Sprint("fates ", i))...)
		}
		for i, step := range rapid.SliceOfN(rapid.IntRange(0, 3), 1, 200).Draw(r, "steps") {
			who := step % 2
			if step > 1 {
				phones[who].fetchOnce(t.Context())
				continue
			}
			text := fmt.Sprint(i)
			if _, err := phones[who].Send(t.Context(), id, text); err != nil {
				r.Fatalf("%v: %s %s", err, p.a.why, p.e.why)
			}
			want[1-who] = append(want[1-who], text)
		}
		// What was lost last is noticed with the next message.
		for _, l := range lines {
			l.fates = nil
		}
		for range 4 {
			for _, one := range phones {
				if _, err := one.Send(t.Context(), id, "ping"); err != nil {
					r.Fatalf("%v: %s %s", err, p.a.why, p.e.why)
				}
			}
			p.settle()
		}
		for i, one := range phones {
			if got := texts(one); !slices.Equal(got, want[i]) {
				r.Errorf("phone %d shows %v instead of %v", i, got, want[i])
			}
		}
		if p.a.current.print != p.e.current.print {
			r.Error("the phones use different keys")
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{}, []byte("key"))
	f.Add(make([]byte, 24+32), []byte("key"))
	f.Fuzz(func(t *testing.T, wire, secret []byte) { openAnything(t, wire, secret) })
}

// openAnything decrypts and parses what came over the wire, with a message
// key made to fit so that the parser is reached.
func openAnything(t *testing.T, wire, secret []byte) {
	var raw [keySize]byte
	copy(raw[:], secret)
	k := newKey(raw)
	if _, err := k.open(byCreator, wire); err == nil {
		t.Error("a message that nobody encrypted was accepted")
	}
	sealed, err := k.seal(rand.Reader, byCreator, append(wire, make([]byte, (4-len(wire)%4)%4)...))
	if err != nil {
		t.Fatal(err)
	}
	c := newChat(1, 2, false)
	c.current, c.state = k, StateOpen
	var p Simulated
	_, _ = p.decrypt(c, &tg.EncryptedMessage{Bytes: sealed})
}
