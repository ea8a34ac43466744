package secretchat

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"
)

func testGroup(t interface{ Fatal(...any) }) group {
	p, err := hex.DecodeString(telegramPrime)
	if err != nil {
		t.Fatal(err)
	}
	return group{G: 3, P: p}
}

type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

func must(t fatal, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// pair is the two sides of one chat with everything between them under the test's
// control.
type pair struct {
	t     fatal
	now   time.Time
	sides [2]*chat    // 0 is the creator
	wire  [2][][]byte // messages on their way to that side
	texts [2][]string // what that side's caller was told
}

func (p *pair) env() env { return env{now: p.now, random: shortExponents{}} }

// shortExponents is randomness with which a change of keys costs a test an eighth of
// its time: exponents have 256 bits.
type shortExponents struct{}

func (shortExponents) Read(b []byte) (int, error) {
	if len(b) == keyLen {
		clear(b[:keyLen-32])
		b = b[keyLen-32:]
		n, err := rand.Read(b)
		return n + keyLen - 32, err
	}
	return rand.Read(b)
}

// newPair runs a handshake between two state machines.
func newPair(t fatal) *pair {
	t.Helper()
	p := &pair{t: t, now: time.Unix(1_800_000_000, 0)}
	e, g := p.env(), testGroup(t)
	creator := asking(e, 42, 7, 70)
	must(t, creator.offer(e, g, bytes.Repeat([]byte{5}, keyLen)))
	creator.waits(99)
	invitee := requested(e, 42, 98, 8, creator.Public)
	must(t, invitee.accept(e, g, bytes.Repeat([]byte{6}, keyLen)))
	gb, fingerprint := invitee.Public, invitee.Key.Fingerprint
	if f, err := invitee.accepted(e, fingerprint); f != "" || err != nil {
		t.Fatalf("invitee: %q %v", f, err)
	}
	if f, err := creator.answered(e, 99, gb, fingerprint); f != "" || err != nil {
		t.Fatalf("creator: %q %v", f, err)
	}
	p.sides = [2]*chat{creator, invitee}
	return p
}

// template is a pair made once: a handshake costs tens of milliseconds.
var template = sync.OnceValue(func() [2][]byte {
	p := newPair(panicking{})
	p.settle()
	var raw [2][]byte
	for i, c := range p.sides {
		raw[i], _ = c.encode()
	}
	return raw
})

type panicking struct{}

func (panicking) Helper()                      {}
func (panicking) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }
func (panicking) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }

// openPair is a pair that has exchanged its first words.
func openPair(t fatal) *pair {
	p := &pair{t: t, now: time.Unix(1_800_000_000, 0)}
	for i, raw := range template() {
		c, err := decodeChat(raw)
		must(t, err)
		c.Events = nil
		p.sides[i] = c
	}
	return p
}

// reload is a restart: nothing but the stored record goes on.
func (p *pair) reload(side int) {
	raw, err := p.sides[side].encode()
	must(p.t, err)
	p.sides[side], err = decodeChat(raw)
	must(p.t, err)
}

func (p *pair) say(side int, text string) {
	p.t.Helper()
	_, err := p.sides[side].enqueue(p.env(), pending{Key: text, Text: text})
	must(p.t, err)
	must(p.t, p.sides[side].renewKey(p.env()))
}

// transmit puts the next message of a side on the wire; marked says whether the
// side lived to note it.
func (p *pair) transmit(side int, marked bool) bool {
	out := p.sides[side].next()
	if out == nil {
		return false
	}
	p.wire[1-side] = append(p.wire[1-side], out.Data)
	if marked {
		p.sides[side].sent(out.N, 0, nil)
	}
	return true
}

// deliver gives message i on the wire to that side.
func (p *pair) deliver(side, i int, keep bool) Fault {
	p.t.Helper()
	raw := p.wire[side][i]
	if !keep {
		p.wire[side] = slices.Delete(p.wire[side], i, i+1)
	}
	fault, err := p.sides[side].receive(p.env(), raw)
	must(p.t, err)
	p.collect(side)
	return fault
}

func (p *pair) collect(side int) {
	c := p.sides[side]
	for _, ev := range c.Events {
		if ev.Kind == EventText {
			p.texts[side] = append(p.texts[side], ev.Text)
		}
	}
	c.Events = nil
}

// settle delivers everything in order until both sides have nothing to say.
func (p *pair) settle() {
	for busy := true; busy; {
		busy = false
		for side := range 2 {
			for p.transmit(side, true) {
				busy = true
			}
			for len(p.wire[side]) > 0 {
				p.deliver(side, 0, false)
				busy = true
			}
		}
	}
}
