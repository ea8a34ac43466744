package secretchat

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
)

// attacks are what somebody may try, each with the reason for which it is refused. In
// the ones that drop a message the chat goes on, and what was said arrives.
func TestAttacksAreRefusedForTheirOwnReasons(t *testing.T) {
	for name, attack := range map[string]struct {
		try    func(p *pair) Fault
		want   Fault
		closes bool
	}{
		"altered ciphertext": {mangled(func(w []byte) []byte { w[len(w)-1] ^= 1; return w }), FaultMessageKey, false},
		"wrong message key":  {mangled(func(w []byte) []byte { w[9] ^= 1; return w }), FaultMessageKey, false},
		"foreign key":        {mangled(func(w []byte) []byte { w[0] ^= 1; return w }), FaultUnknownKey, false},
		"cut":                {mangled(func(w []byte) []byte { return w[:len(w)-3] }), FaultShape, false},
		"cut at a block":     {mangled(func(w []byte) []byte { return w[:len(w)-16] }), FaultMessageKey, false},
		"empty":              {mangled(func([]byte) []byte { return nil }), FaultShape, false},
		"header only":        {mangled(func(w []byte) []byte { return w[:headerLen] }), FaultShape, false},
		"too large":          {mangled(func([]byte) []byte { return make([]byte, maxWire+1) }), FaultSize, true},
		"replay":             {replayed, FaultRepeat, false},
		"reordering":         {reordered, "", false},
		"reflected message":  {reflected, FaultReflected, false},
		"wrong padding":      {padded, FaultPadding, true},
		"number going backwards": {altered(func(p *pair, l *e2e.DecryptedMessageLayer) {
			l.OutSeqNo -= 2
		}), FaultRepeat, false},
		"acknowledgement going backwards": {altered(func(_ *pair, l *e2e.DecryptedMessageLayer) {
			l.InSeqNo = 0
		}), FaultAcknowledge, true},
		"re-key with wrong fingerprint":        {wrongNewKey, FaultNewKey, true},
		"commitment with wrong fingerprint":    {wrongCommitment, FaultNewKey, true},
		"re-key out of range":                  {weakNewKey, FaultWeak, true},
		"message under an old key":             {oldKey, FaultOldKey, false},
		"a hundred messages that nobody opens": {estranged, FaultUnknownKey, true},
		// What a phone would not notice:
		"layer too low":        {altered(func(_ *pair, l *e2e.DecryptedMessageLayer) { l.Layer = 17 }), FaultLayer, false},
		"too few random bytes": {altered(func(_ *pair, l *e2e.DecryptedMessageLayer) { l.RandomBytes = l.RandomBytes[:8] }), FaultRandomness, false},
		"missing NotifyLayer":  {func(p *pair) Fault { p.sides[1].Announced = false; return altered(nil)(p) }, FaultUnannounced, false},
		"wrong file print":     {sentFile(func(f *File, at *remoteFile) { at.Fingerprint++ }), FaultFileFingerprint, false},
		"wrong media key":      {sentFile(func(f *File, at *remoteFile) { f.Secret[0] ^= 1 }), FaultFileFingerprint, false},
		"short media key":      {sentFile(func(f *File, at *remoteFile) { f.Secret = f.Secret[1:] }), FaultFileKey, false},
		"wrong media size":     {sentFile(func(f *File, at *remoteFile) { f.Size -= 16 }), FaultFileSize, false},
		"media without a file": {sentFile(func(f *File, at *remoteFile) { at.Size = 0 }), FaultFileSize, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPair(t)
			p.say(1, "to be acknowledged")
			p.settle()
			p.say(0, "acknowledges")
			p.settle()
			p.texts[1] = nil
			if got := attack.try(p); got != attack.want {
				t.Fatalf("refused for %q, not %q", got, attack.want)
			}
			c := p.sides[1]
			if attack.closes {
				if c.Phase != PhaseClosing || c.Reason != Reason(attack.want) || c.Key != nil {
					t.Errorf("afterwards: phase %s, reason %s", c.Phase, c.Reason)
				}
				return
			}
			p.settle()
			if !c.live() {
				t.Fatalf("the chat was closed for %s", c.Reason)
			}
			for _, text := range p.texts[1] {
				if text != "text" && text != "first" && text != "second" {
					t.Errorf("%q was told", text)
				}
			}
		})
	}
}

// mangled changes a message on its way.
func mangled(change func(wire []byte) []byte) func(p *pair) Fault {
	return func(p *pair) Fault {
		p.say(0, "text")
		fault := p.hit(1, change(slices.Clone(p.sides[0].next().Data)))
		if !p.sides[1].live() {
			return fault
		}
		p.settle()
		if !slices.Equal(p.texts[1], []string{"text"}) {
			p.t.Fatalf("afterwards %q was told", p.texts[1])
		}
		return fault
	}
}

func replayed(p *pair) Fault {
	p.say(0, "text")
	wire := p.sides[0].next().Data
	p.settle()
	return p.hit(1, wire)
}

// reordered delivers the second of two messages first: it waits for its turn.
func reordered(p *pair) Fault {
	for _, text := range []string{"first", "second"} {
		p.say(0, text)
		p.transmit(0, true)
	}
	fault := p.deliver(1, 1, false)
	if len(p.texts[1]) != 0 {
		p.t.Fatalf("told out of order: %q", p.texts[1])
	}
	p.settle()
	if !slices.Equal(p.texts[1], []string{"first", "second"}) {
		p.t.Fatalf("told %q", p.texts[1])
	}
	return fault
}

func reflected(p *pair) Fault {
	p.say(1, "mine")
	return p.hit(1, p.sides[1].next().Data)
}

func padded(p *pair) Fault {
	plain := append([]byte{20, 0, 0, 0}, make([]byte, 28)...) // leaves 8 bytes of padding
	return p.hit(1, sealIndependently(p.sides[0].Key.Bytes, 0, plain))
}

// altered is a peer that breaks one rule in what it writes next.
func altered(change func(*pair, *e2e.DecryptedMessageLayer)) func(p *pair) Fault {
	return func(p *pair) Fault {
		l := p.honest(0, textMessage("text"))
		if change != nil {
			change(p, &l)
		}
		return p.hit(1, p.forge(0, l))
	}
}

func wrongNewKey(p *pair) Fault {
	p.sides[1].Key.Used = keyMessages + 1
	must(p.t, p.sides[1].renewKey(p.env()))
	g := p.sides[1].group()
	_, public, err := g.fresh(rand.Reader, nil)
	must(p.t, err)
	return p.hit(1, p.forge(0, p.honest(0, service(&e2e.DecryptedMessageActionAcceptKey{
		ExchangeID: p.sides[1].Exchange.ID, GB: public, KeyFingerprint: 1,
	}))))
}

// wrongCommitment goes on with a change of keys to another key than agreed.
func wrongCommitment(p *pair) Fault {
	g := p.sides[0].group()
	_, public, err := g.fresh(rand.Reader, nil)
	must(p.t, err)
	request := p.honest(0, service(&e2e.DecryptedMessageActionRequestKey{ExchangeID: 7, GA: public}))
	if fault := p.hit(1, p.forge(0, request)); fault != "" {
		return fault
	}
	p.sides[0].Out++
	return p.hit(1, p.forge(0, p.honest(0, service(&e2e.DecryptedMessageActionCommitKey{
		ExchangeID: 7, KeyFingerprint: 1,
	}))))
}

func weakNewKey(p *pair) Fault {
	return p.hit(1, p.forge(0, p.honest(0, service(&e2e.DecryptedMessageActionRequestKey{ExchangeID: 1, GA: []byte{1}}))))
}

func oldKey(p *pair) Fault {
	old := secret(slices.Clone(p.sides[0].Key.Bytes))
	p.sides[0].Key.Used = keyMessages + 1
	must(p.t, p.sides[0].renewKey(p.env()))
	p.settle()
	p.say(0, "text")
	p.settle()
	l := p.honest(0, textMessage("under the old key"))
	var buf bin.Buffer
	must(p.t, l.Encode(&buf))
	wire, err := seal(old, true, buf.Buf, rand.Reader)
	must(p.t, err)
	return p.hit(1, wire)
}

func estranged(p *pair) (fault Fault) {
	for range maxStrange {
		fault = p.hit(1, make([]byte, headerLen+32))
	}
	return fault
}

// sentFile is a picture of which something is wrong.
func sentFile(change func(*File, *remoteFile)) func(p *pair) Fault {
	return func(p *pair) Fault {
		enc, err := encryptFile(testPicture, rand.Reader)
		must(p.t, err)
		f := &File{Size: int64(enc.Size), Secret: enc.Key, IV: enc.IV}
		at := &remoteFile{ID: 1, Size: int64(len(enc.Data)), Fingerprint: enc.Ref.Fingerprint}
		change(f, at)
		message := textMessage("")
		message.SetMedia(&e2e.DecryptedMessageMediaPhoto{Size: int(f.Size), Key: f.Secret, Iv: f.IV, W: 1, H: 1})
		fault, err := p.sides[1].take(p.env(), arrival{Wire: p.forge(0, p.honest(0, message)), File: at})
		must(p.t, err)
		for _, ev := range p.sides[1].Events {
			if ev.Kind == EventFile {
				p.t.Fatalf("the file was told of")
			}
		}
		return fault
	}
}

// TestWrongMediaKeyIsNoticedByTheContent is about a sender that agrees with itself on
// a wrong key: only the picture shows it.
func TestWrongMediaKeyIsNoticedByTheContent(t *testing.T) {
	enc, err := encryptFile(testPicture, rand.Reader)
	must(t, err)
	f := File{Photo: true, Size: int64(enc.Size), Secret: slices.Clone(enc.Key), IV: enc.IV}
	f.Remote = remoteFile{Size: int64(len(enc.Data))}
	if plain, err := f.open(enc.Data); err != nil || !bytes.Equal(plain, testPicture) {
		t.Fatalf("the right key: %q, %v", plain, err)
	}
	f.Secret[3] ^= 1
	if _, err := f.open(enc.Data); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), string(FaultMediaKey)) {
		t.Errorf("a wrong key: %v", err)
	}
	if _, err := f.open(enc.Data[16:]); !errors.Is(err, ErrFile) {
		t.Errorf("a cut file: %v", err)
	}
}

// TestAttacksOnTheHandshake are those before there is a key.
func TestAttacksOnTheHandshake(t *testing.T) {
	e, g := env{now: time.Unix(1, 0), random: rand.Reader}, testGroup(t)
	_, good, err := g.fresh(rand.Reader, nil)
	must(t, err)
	answer := func(public []byte) Fault {
		c := asking(e, 1, 2, 3)
		must(t, c.offer(e, g, nil))
		fault, err := c.answered(e, 4, public, 1)
		must(t, err)
		if c.Phase != PhaseClosing || c.Key != nil {
			t.Errorf("the chat is %s", c.Phase)
		}
		return fault
	}
	if got := answer(good); got != FaultFingerprint {
		t.Errorf("a fingerprint mismatch is refused for %q", got)
	}
	if got := answer([]byte{2}); got != FaultWeak {
		t.Errorf("g_b out of range is refused for %q", got)
	}
	c := requested(e, 1, 2, 3, []byte{2})
	must(t, c.accept(e, g, nil))
	if c.Phase != PhaseClosing || c.Reason != Reason(FaultWeak) {
		t.Errorf("g_a out of range: the chat is %s for %s", c.Phase, c.Reason)
	}
	weak := slices.Clone(g.P)
	weak[0] ^= 0x40 // as long as before, and no prime
	var cache dhCache
	_, _, err = cache.take(&tg.MessagesDhConfig{G: 3, P: weak, Version: 1})
	if !errors.Is(err, errGroup) || judge(err).name != "weak group" {
		t.Errorf("a weak prime: %v", err)
	}
}

// TestGoodPrimeVouchesForNoOtherGenerator keeps what was checked apart from what was not.
func TestGoodPrimeVouchesForNoOtherGenerator(t *testing.T) {
	g := testGroup(t)
	cache := dhCache{good: map[[sha256.Size]byte]bool{groupSum(g.G, g.P): true}}
	for _, generator := range []int{2, g.G + 256} {
		if _, _, err := cache.take(&tg.MessagesDhConfig{G: generator, P: g.P, Version: 1}); !errors.Is(err, errGroup) {
			t.Errorf("generator %d: %v", generator, err)
		}
	}
}
