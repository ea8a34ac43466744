package secretchat

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/tg/e2e"
)

func TestHandshakeGivesBothTheSameKeyAndPicture(t *testing.T) {
	p := newPair(t)
	a, b := p.sides[0], p.sides[1]
	if !bytes.Equal(a.Key.Bytes, b.Key.Bytes) || !bytes.Equal(a.Picture, b.Picture) {
		t.Fatal("the two sides differ")
	}
	if a.Exponent != nil || b.Exponent != nil {
		t.Error("an exponent outlived the handshake")
	}
	p.settle()
	if a.PeerLayer != ourLayer || b.PeerLayer != ourLayer {
		t.Errorf("layers after the first words: %d and %d", a.PeerLayer, b.PeerLayer)
	}
}

func TestFirstMessageGoesWithTheLowestLayer(t *testing.T) {
	p := newPair(t)
	data, _, fault := p.sides[1].decrypt(p.sides[0].next().Data)
	if fault != "" {
		t.Fatal(fault)
	}
	layer, fault := decodeLayer(data)
	if fault != "" || layer.Layer != minLayer || len(layer.RandomBytes) != randomBytes {
		t.Fatalf("first message: layer %d, %d random bytes, fault %q", layer.Layer, len(layer.RandomBytes), fault)
	}
	if action, ok := actionOf(layer.Message).(*e2e.DecryptedMessageActionNotifyLayer); !ok || action.Layer != ourLayer {
		t.Fatalf("first message is %T", actionOf(layer.Message))
	}
}

func TestWrongFingerprintClosesTheChat(t *testing.T) {
	e, g := env{now: time.Unix(1, 0), random: rand.Reader}, testGroup(t)
	c := asking(e, 1, 2, 3)
	must(t, c.offer(e, g, nil))
	other, public, err := g.fresh(rand.Reader, nil)
	must(t, err)
	fault, err := c.answered(e, 4, public, fingerprintOf(g.key(c.Public, other))+1)
	if err != nil || fault != FaultFingerprint || c.Phase != PhaseClosing || c.Key != nil {
		t.Fatalf("fault %q, phase %s, error %v", fault, c.Phase, err)
	}
}

func TestWeakPublicValuesAreRefused(t *testing.T) {
	e, g := env{now: time.Unix(1, 0), random: rand.Reader}, testGroup(t)
	p := new(big.Int).SetBytes(g.P)
	one := big.NewInt(1)
	limit := new(big.Int).Lsh(one, 1984)
	for name, value := range map[string]*big.Int{
		"zero": big.NewInt(0), "one": one, "p-1": new(big.Int).Sub(p, one),
		"2^1984": limit, "p-2^1984": new(big.Int).Sub(p, limit), "p": p,
		"longer than p": new(big.Int).Lsh(p, 8),
	} {
		t.Run(name, func(t *testing.T) {
			c := requested(e, 1, 2, 3, value.Bytes())
			must(t, c.accept(e, g, nil))
			if c.Phase != PhaseClosing || c.Reason != Reason(FaultWeak) {
				t.Errorf("as invitee: phase %s, reason %q", c.Phase, c.Reason)
			}
			c = asking(e, 1, 2, 3)
			must(t, c.offer(e, g, nil))
			if fault, err := c.answered(e, 4, value.Bytes(), 5); err != nil || fault != FaultWeak {
				t.Errorf("as creator: %q %v", fault, err)
			}
		})
	}
}

func TestWeakGroupsAreRefused(t *testing.T) {
	good := testGroup(t)
	even := slices.Clone(good.P)
	even[len(even)-1]--
	for name, g := range map[string]group{
		"generator 2 is no residue": {2, good.P}, "generator 8": {8, good.P},
		"not a prime": {3, even}, "too short": {3, good.P[1:]},
	} {
		if err := checkGroup(g.G, g.P); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := checkGroup(good.G, good.P); err != nil {
		t.Errorf("the real group: %v", err)
	}
}

func TestServerRandomnessAloneDoesNotDecideTheExponent(t *testing.T) {
	g := testGroup(t)
	ours := bytes.Repeat([]byte{0x0f}, keyLen)
	got, err := g.exponent(bytes.NewReader(ours), bytes.Repeat([]byte{0xf0}, keyLen))
	must(t, err)
	if !bytes.Equal(got, bytes.Repeat([]byte{0xff}, keyLen)) {
		t.Error("the exponent is not the mixture of both")
	}
}

func TestTextsArriveBothWays(t *testing.T) {
	p := openPair(t)
	p.say(0, "hello")
	p.say(1, "good day")
	p.settle()
	if fmt.Sprint(p.texts) != "[[good day] [hello]]" {
		t.Fatalf("told: %v", p.texts)
	}
	p.say(1, "answer")
	p.settle()
	if m := p.sides[0].mark("hello"); m.State != Seen {
		t.Errorf("the answered message is %s", m.State)
	}
	if m := p.sides[1].mark("answer"); m.State != Sent {
		t.Errorf("the last message is %s", m.State)
	}
}

func TestSameKeyIsSentOnce(t *testing.T) {
	p := openPair(t)
	for range 3 {
		p.say(0, "once")
		p.settle()
	}
	if len(p.texts[1]) != 1 {
		t.Fatalf("told: %v", p.texts[1])
	}
}

func TestKeysChangeAfterAHundredMessages(t *testing.T) {
	for asker := range 2 {
		t.Run(fmt.Sprintf("asked by side %d", asker), func(t *testing.T) {
			p := openPair(t)
			first := p.sides[0].Key.Fingerprint
			for i := range keyMessages + 1 {
				p.say(asker, fmt.Sprint("text ", i))
				p.settle()
			}
			p.say(1-asker, "answer")
			p.settle()
			a, b := p.sides[0], p.sides[1]
			if a.Key.Fingerprint == first || a.Key.Fingerprint != b.Key.Fingerprint {
				t.Fatalf("keys: %v then %v and %v", first, a.Key.Fingerprint, b.Key.Fingerprint)
			}
			if a.Old != nil || b.Old != nil || a.Exchange != nil || b.Exchange != nil {
				t.Error("the change of keys is not over")
			}
			if len(p.texts[1-asker]) != keyMessages+1 {
				t.Errorf("%d texts arrived", len(p.texts[1-asker]))
			}
			if !bytes.Equal(a.Picture, b.Picture) {
				t.Error("the key picture changed")
			}
		})
	}
}

func TestKeysChangeAfterAWeek(t *testing.T) {
	p := openPair(t)
	first := p.sides[0].Key.Fingerprint
	p.now = p.now.Add(keyAge)
	p.say(0, "still there?")
	p.settle()
	if p.sides[0].Key.Fingerprint == first || p.sides[1].Key.Fingerprint == first {
		t.Error("the key of last week is still in use")
	}
}

func TestBothSidesMayAskForANewKeyAtOnce(t *testing.T) {
	for range 10 { // who wins depends on random ids
		p := openPair(t)
		first := p.sides[0].Key.Fingerprint
		for side := range 2 {
			p.sides[side].Key.Used = keyMessages + 1
			must(t, p.sides[side].renewKey(p.env()))
		}
		p.settle()
		a, b := p.sides[0], p.sides[1]
		if !a.live() || !b.live() || a.Key.Fingerprint == first || a.Key.Fingerprint != b.Key.Fingerprint {
			t.Fatalf("%v %q, %v %q", a, a.Reason, b, b.Reason)
		}
	}
}

func TestSilentPeerIsNeitherForgottenNorUnbounded(t *testing.T) {
	p := openPair(t)
	var err error
	for i := 0; err == nil && i <= maxUnread; i++ {
		_, err = p.sides[0].enqueue(p.env(), pending{Key: fmt.Sprint(i), Text: "text"})
	}
	if err == nil || len(p.sides[0].Outbox) > maxUnread {
		t.Fatalf("%d messages kept, error %v", len(p.sides[0].Outbox), err)
	}
}

func TestReaderAcknowledgesWithoutHavingAnythingToSay(t *testing.T) {
	p := openPair(t)
	for i := range owedAcknowledge {
		p.say(0, fmt.Sprint(i))
	}
	p.settle()
	if n := len(p.sides[0].Outbox); n >= owedAcknowledge/2 {
		t.Errorf("%d messages unacknowledged", n)
	}
}
