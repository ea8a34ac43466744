package phone

import (
	"context"
	"encoding/binary"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
)

// pair is a customer's phone and a forger's, with an open chat. Both are
// driven by the test alone.
type pair struct {
	t        *testing.T
	ada, eve *Simulated
	a, e     *chat
}

func newPair(t *testing.T) *pair {
	t.Helper()
	return newPairOver(t, func(l Line) Line { return l }, func(l Line) Line { return l })
}

// newPairOver is newPair over lines of the test's own.
func newPairOver(t *testing.T, ada, eve func(Line) Line) *pair {
	t.Helper()
	h, err := hub.New(hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.AddUser(hub.User{ID: 1, FirstName: "Ada"})
	h.AddUser(hub.User{ID: 2, FirstName: "Eve", Username: "eve"})
	p := &pair{t: t, ada: still(t, h, 1, ada), eve: still(t, h, 2, eve)}
	if _, err := p.ada.StartSecretChat(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	p.settle()
	p.a, p.e = p.ada.chats[p.ada.order[0]], p.eve.chats[p.eve.order[0]]
	if p.a.state != StateOpen || p.e.state != StateOpen {
		t.Fatalf("the chat is %s and %s", p.a.state, p.e.state)
	}
	return p
}

// still is a phone whose goroutine has ended: it fetches when told to.
func still(t *testing.T, h *hub.Hub, id int64, through func(Line) Line) *Simulated {
	t.Helper()
	p, err := New(t.Context(), Options{
		UserID: id,
		Connect: func() (Line, error) {
			d, err := h.NewDevice(id)
			return through(d), err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	p.switchOn()
	return p
}

// settle has both phones fetch until nothing more happens.
func (p *pair) settle() {
	for range 6 {
		p.eve.fetchOnce(context.Background())
		p.ada.fetchOnce(context.Background())
	}
}

// forged is a message of the forger's, still to be encrypted.
type forged struct {
	layer   *e2e.DecryptedMessageLayer
	x       int
	padding int
	tail    []byte
	length  func(int) uint32
	wire    func([]byte) []byte
	key     *key
	file    tg.InputEncryptedFileClass
}

func say(random int64, text string) *e2e.DecryptedMessage {
	return &e2e.DecryptedMessage{RandomID: random, Message: text}
}

func service(a e2e.DecryptedMessageActionClass) *e2e.DecryptedMessageService {
	return &e2e.DecryptedMessageService{RandomID: 99, Action: a}
}

// forge sends what an edited message looks like.
func (p *pair) forge(m e2e.DecryptedMessageClass, edit func(*forged)) {
	p.t.Helper()
	f := &forged{
		layer: &e2e.DecryptedMessageLayer{
			RandomBytes: make([]byte, randomBytes), Layer: layerOurs, Message: m,
			InSeqNo:  2*p.e.in + inBit(p.e.creator),
			OutSeqNo: 2*p.e.out + outBit(p.e.creator),
		},
		x: p.e.x(true), padding: -1, key: p.e.current,
		length: func(n int) uint32 { return uint32(n) },
		wire:   func(b []byte) []byte { return b },
	}
	edit(f)
	var b bin.Buffer
	if err := f.layer.Encode(&b); err != nil {
		p.t.Fatal(err)
	}
	data := append(b.Raw(), f.tail...)
	if f.padding < 0 {
		f.padding = paddingMin + (16-(4+len(data)+paddingMin)%16)%16
	} else {
		f.padding += (16 - (4+len(data)+f.padding)%16) % 16
	}
	plain := binary.LittleEndian.AppendUint32(nil, f.length(len(data)))
	plain = append(append(plain, data...), make([]byte, f.padding)...)
	mk := f.key.messageKey(f.x, plain)
	aesKey, iv := f.key.derive(f.x, mk)
	secret, err := igeEncrypt(aesKey[:], iv[:], plain)
	if err != nil {
		p.t.Fatal(err)
	}
	wire := binary.LittleEndian.AppendUint64(nil, uint64(f.key.print))
	wire = f.wire(append(append(wire, mk[:]...), secret...))
	p.e.out++
	random, err := p.eve.random64()
	if err != nil {
		p.t.Fatal(err)
	}
	_, _, err = p.eve.transmit(p.t.Context(), p.e, outgoing{random: random, wire: wire, file: f.file})
	if err != nil {
		p.t.Fatal(err)
	}
	p.ada.fetchOnce(p.t.Context())
}

func TestAttackClosesTheChat(t *testing.T) {
	out := func(n int) func(*forged) { return func(f *forged) { f.layer.OutSeqNo += n } }
	in := func(n int) func(*forged) { return func(f *forged) { f.layer.InSeqNo += n } }
	plain := func(*forged) {}
	one := big.NewInt(1).Bytes()
	for name, c := range map[string]struct {
		message e2e.DecryptedMessageClass
		edit    func(*forged)
		want    error
	}{
		"altered ciphertext":      {say(1, "x"), func(f *forged) { f.wire = func(b []byte) []byte { b[len(b)-1] ^= 1; return b } }, errMessageKey},
		"altered message key":     {say(1, "x"), func(f *forged) { f.wire = func(b []byte) []byte { b[9] ^= 1; return b } }, errMessageKey},
		"written with our x":      {say(1, "x"), func(f *forged) { f.x = 8 - f.x }, errMessageKey},
		"not whole blocks":        {say(1, "x"), func(f *forged) { f.wire = func(b []byte) []byte { return b[:len(b)-4] } }, errShort},
		"too little padding":      {say(1, "xyz1"), func(f *forged) { f.padding = 0; f.layer.RandomBytes = make([]byte, 20) }, errPadding},
		"too much padding":        {say(1, "x"), func(f *forged) { f.padding = 1040 }, errPadding},
		"inner length not of 4":   {say(1, "x"), func(f *forged) { f.length = func(n int) uint32 { return uint32(n - 1) } }, errLength},
		"inner length too long":   {say(1, "x"), func(f *forged) { f.length = func(n int) uint32 { return uint32(n + 4000) } }, errLength},
		"inner length negative":   {say(1, "x"), func(f *forged) { f.length = func(int) uint32 { return 0xfffffffc } }, errLength},
		"bytes after the message": {say(1, "x"), func(f *forged) { f.tail = make([]byte, 8) }, errContent},
		"out with wrong parity":   {say(1, "x"), out(1), errParity},
		"in with wrong parity":    {say(1, "x"), in(1), errParity},
		"negative out":            {say(1, "x"), out(-1000), errParity},
		"ack of what never was":   {say(1, "x"), in(1000), errAck},
		"ack going back":          {say(1, "x"), in(-2), errAck},
		"resend of the future":    {service(&e2e.DecryptedMessageActionResend{StartSeqNo: 1, EndSeqNo: 4001}), plain, errResend},
		"resend of wrong parity":  {service(&e2e.DecryptedMessageActionResend{StartSeqNo: 0, EndSeqNo: 0}), plain, errResend},
		"resend of what is acked": {service(&e2e.DecryptedMessageActionResend{StartSeqNo: 1, EndSeqNo: 1}), plain, errResend},
		"weak key request":        {service(&e2e.DecryptedMessageActionRequestKey{ExchangeID: 1, GA: one}), plain, errPublic},
		"AcceptKey unasked":       {service(&e2e.DecryptedMessageActionAcceptKey{ExchangeID: 1, GB: one}), plain, errExchange},
		"CommitKey unasked":       {service(&e2e.DecryptedMessageActionCommitKey{ExchangeID: 1}), plain, errExchange},
		"AbortKey unasked":        {service(&e2e.DecryptedMessageActionAbortKey{ExchangeID: 1}), plain, errExchange},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			if name == "too little padding" {
				// Any message whose length leaves less than 12 bytes will do.
				p.fewPadding()
			} else {
				p.forge(say(0, "as agreed"), plain)
				p.forge(c.message, c.edit)
			}
			if p.a.state != StateClosed || !strings.Contains(p.a.why, c.want.Error()) {
				t.Errorf("the chat is %s: %q, not %q", p.a.state, p.a.why, c.want)
			}
			p.eve.fetchOnce(t.Context())
			if p.e.state != StateClosed {
				t.Error("the other side was not told")
			}
		})
	}
}

// fewPadding sends messages of growing length with the least padding that
// makes whole blocks, until one has under 12 bytes.
func (p *pair) fewPadding() {
	for n := 0; p.a.state == StateOpen && n < 8; n++ {
		p.forge(say(int64(n), strings.Repeat("x", 4*n)), func(f *forged) { f.padding = 0 })
	}
}

func TestReflectedAndRepeatedMessages(t *testing.T) {
	p := newPair(t)
	var first []byte
	p.forge(say(1, "once"), func(f *forged) {
		f.wire = func(b []byte) []byte { first = b; return b }
	})
	p.forge(say(2, "again"), func(f *forged) { f.wire = func([]byte) []byte { return first } })
	if n := len(p.a.shown); n != 1 || p.a.state != StateOpen {
		t.Fatalf("after a repeat %d messages are shown, the chat is %s", n, p.a.state)
	}
	own := p.a.sent[p.a.out-1].wire
	p.forge(say(3, "x"), func(f *forged) { f.wire = func([]byte) []byte { return own } })
	if p.a.state != StateClosed || p.a.why != errMessageKey.Error() {
		t.Errorf("after a reflection the chat is %s: %s", p.a.state, p.a.why)
	}
}

func TestMessageUnderAnUnknownKeyIsLetGo(t *testing.T) {
	p := newPair(t)
	p.forge(say(1, "x"), func(f *forged) { f.wire = func(b []byte) []byte { b[0] ^= 1; return b } })
	if p.a.state != StateOpen || len(p.a.shown) != 0 {
		t.Errorf("the chat is %s with %d messages: %s", p.a.state, len(p.a.shown), p.a.why)
	}
}

func TestMessageUnderADeadKeyIsLetGo(t *testing.T) {
	p := newPair(t)
	p.a.uses = keyUses + 1
	old := p.e.current
	p.ada.maybeRekey(t.Context(), p.a)
	p.settle()
	if p.a.rekeyed != 1 || p.e.rekeyed != 1 || p.a.old != nil || p.e.old != nil {
		t.Fatalf("keys changed %d and %d times", p.a.rekeyed, p.e.rekeyed)
	}
	p.forge(say(1, "x"), func(f *forged) { f.key = old })
	if p.a.state != StateOpen || len(p.a.shown) != 0 {
		t.Errorf("the chat is %s with %d messages: %s", p.a.state, len(p.a.shown), p.a.why)
	}
}

func TestWrongFingerprintOfANewKeyClosesTheChat(t *testing.T) {
	p := newPair(t)
	p.a.uses = keyUses + 1
	p.ada.maybeRekey(t.Context(), p.a)
	_, public, err := p.eve.exponent(t.Context(), p.e)
	if err != nil {
		t.Fatal(err)
	}
	p.forge(service(&e2e.DecryptedMessageActionAcceptKey{
		ExchangeID: p.a.exchange.id, GB: public, KeyFingerprint: 1,
	}), func(*forged) {})
	if p.a.why != errFingerprint.Error() {
		t.Errorf("the chat is %s: %s", p.a.state, p.a.why)
	}
}

func TestBothAskForANewKeyAtOnce(t *testing.T) {
	p := newPair(t)
	p.a.uses, p.e.uses = keyUses+1, keyUses+1
	p.ada.maybeRekey(t.Context(), p.a)
	p.eve.maybeRekey(t.Context(), p.e)
	p.settle()
	for _, text := range []string{"one", "two"} {
		p.forge(say(1, text), func(*forged) {})
		p.settle()
	}
	if p.a.state != StateOpen || p.a.rekeyed != 1 || p.e.rekeyed != 1 || p.a.current.print != p.e.current.print {
		t.Errorf("%s (%s), changed %d and %d times", p.a.state, p.a.why, p.a.rekeyed, p.e.rekeyed)
	}
}

func TestAWeekOldKeyIsChanged(t *testing.T) {
	p := newPair(t)
	p.a.keyed = p.a.keyed.Add(-keyAge - time.Hour)
	p.ada.maybeRekey(t.Context(), p.a)
	p.settle()
	if p.e.rekeyed != 1 {
		t.Error("the key was not changed")
	}
}

func TestBadHandshakesAreDiscarded(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	g, random, err := p.eve.dhGroup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, public, err := g.exponent(p.eve.opts.Rand, random)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		gB   []byte
		want error
	}{
		"fingerprint":  {public, errFingerprint},
		"out of range": {big.NewInt(2).Bytes(), errPublic},
	} {
		id, err := p.ada.StartSecretChat(ctx, 2)
		if err != nil {
			t.Fatal(err)
		}
		asked, err := p.ada.find(id)
		if err != nil {
			t.Fatal(err)
		}
		p.acceptBadly(asked.id, c.gB)
		p.ada.fetchOnce(ctx)
		if asked.state != StateClosed || asked.why != c.want.Error() {
			t.Errorf("%s: the chat is %s: %s", name, asked.state, asked.why)
		}
	}
}

// acceptBadly accepts a chat that waits for the forger with the given value.
func (p *pair) acceptBadly(id int, gB []byte) {
	d, err := p.eve.api.UpdatesGetDifference(p.t.Context(), &tg.UpdatesGetDifferenceRequest{Pts: 1, Qts: p.eve.qts})
	if err != nil {
		p.t.Fatal(err)
	}
	diff, ok := d.(*tg.UpdatesDifference)
	if !ok {
		p.t.Fatalf("the difference is %T", d)
	}
	for _, u := range diff.OtherUpdates {
		r, ok := u.(*tg.UpdateEncryption).Chat.(*tg.EncryptedChatRequested)
		if !ok || r.ID != id {
			continue
		}
		_, err = p.eve.api.MessagesAcceptEncryption(p.t.Context(), &tg.MessagesAcceptEncryptionRequest{
			Peer: tg.InputEncryptedChat{ChatID: id, AccessHash: r.AccessHash}, GB: gB, KeyFingerprint: 1,
		})
		if err != nil {
			p.t.Fatal(err)
		}
		return
	}
	p.t.Fatal("the request did not come")
}

func TestGroupsAreChecked(t *testing.T) {
	good, _ := new(big.Int).SetString(telegramPrime, 16)
	for name, c := range map[string]struct {
		g    int
		p    *big.Int
		want error
	}{
		"telegram's":         {3, good, nil},
		"wrong generator":    {2, good, errGen},
		"unknown generator":  {9, good, errGen},
		"composite":          {3, new(big.Int).Add(good, big.NewInt(2)), errPrime},
		"too short":          {3, big.NewInt(23), errPrime},
		"another safe prime": {4, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 2048), big.NewInt(1942289)), nil},
	} {
		if _, err := newGroup(1, c.g, c.p.Bytes()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
