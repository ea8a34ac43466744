package secretchat

import (
	"slices"
	"testing"

	"github.com/gotd/td/tg/e2e"
)

func TestRefusedMessageKeepsItsNumber(t *testing.T) {
	p := openPair(t)
	p.say(0, "refused")
	n := p.sides[0].next().N
	must(t, p.sides[0].refused(p.env(), n))
	p.say(0, "after it")
	p.settle()
	if !slices.Equal(p.texts[1], []string{"after it"}) || !p.sides[0].live() || !p.sides[1].live() {
		t.Errorf("told %v", p.texts[1])
	}
	if m := p.sides[0].mark("refused"); m.State != Failed {
		t.Errorf("the refused message is %s", m.State)
	}
}

func TestShownMessageIsSeen(t *testing.T) {
	p := openPair(t)
	p.say(0, "text")
	id := p.sides[0].next().RandomID
	p.transmit(0, true)
	l := p.honest(1, service(&e2e.DecryptedMessageActionReadMessages{RandomIDs: []int64{id}}))
	if got := p.hit(0, p.forge(1, l)); got != "" {
		t.Fatal(got)
	}
	if m := p.sides[0].mark("text"); m.State != Seen {
		t.Errorf("the message is %s", m.State)
	}
}

func TestReadMarkSeesWhatWasSentBeforeIt(t *testing.T) {
	p := openPair(t)
	for i, text := range []string{"early", "late"} {
		p.say(0, text)
		p.sides[0].sent(p.sides[0].next().N, 100+i, nil)
	}
	p.say(0, "unsent")
	p.sides[0].readUntil(100)
	for text, want := range map[string]State{"early": Seen, "late": Sent, "unsent": Queued} {
		if m := p.sides[0].mark(text); m.State != want {
			t.Errorf("%s: %s", text, m.State)
		}
	}
}

func TestEarlyMessagesWaitForTheChat(t *testing.T) {
	p := newPair(t)
	e, g := p.env(), testGroup(t)
	creator := asking(e, 1, 2, 3)
	must(t, creator.offer(e, g, nil))
	invitee := requested(e, 1, 4, 5, creator.Public)
	must(t, invitee.accept(e, g, nil))
	gb, fp := invitee.Public, invitee.Key.Fingerprint
	if _, err := creator.answered(e, 1, gb, fp); err != nil {
		t.Fatal(err)
	}
	p.sides = [2]*chat{creator, invitee}
	p.say(0, "too early")
	for p.transmit(0, true) {
	}
	for len(p.wire[1]) > 0 {
		if fault := p.deliver(1, 0, false); fault != "" {
			t.Fatal(fault)
		}
	}
	p.reload(1)
	if _, err := p.sides[1].accepted(e, fp); err != nil {
		t.Fatal(err)
	}
	p.collect(1)
	p.settle()
	if !slices.Equal(p.texts[1], []string{"too early"}) {
		t.Errorf("told %v", p.texts[1])
	}
}

// TestRefusedMessageSaysNothingNewer is about what was written after it: numbers that
// the peer sees must not go back.
func TestRefusedMessageSaysNothingNewer(t *testing.T) {
	p := openPair(t)
	p.say(0, "refused")
	p.say(0, "written before the answer")
	p.say(1, "answer")
	for p.transmit(1, true) {
	}
	p.deliver(0, 0, false)
	must(t, p.sides[0].refused(p.env(), p.sides[0].next().N))
	p.settle()
	if !p.sides[1].live() || !slices.Equal(p.texts[1], []string{"written before the answer"}) {
		t.Errorf("%v for %q, told %q", p.sides[1], p.sides[1].Reason, p.texts[1])
	}
}

// TestRefusedMessageStaysUnderItsKey is about keys that changed meanwhile: the peer
// lets the old one go at the first message under the new one.
func TestRefusedMessageStaysUnderItsKey(t *testing.T) {
	p := openPair(t)
	c := p.sides[0]
	p.say(0, "refused")
	p.say(0, "under the old key")
	n, old := c.next().N, c.Key
	fresh := newChatKey(p.env(), secret(randomKey(t)))
	c.Old, c.Key = old, fresh
	must(t, c.refused(p.env(), n))
	if under, _ := wireFingerprint(c.entry(n).Data); under != old.Fingerprint {
		t.Error("it is under another key")
	}
	c.Old = nil
	must(t, c.refused(p.env(), n))
	if c.live() {
		t.Error("a chat goes on although nothing can take the message's place")
	}
}
