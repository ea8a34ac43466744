package secretchat

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAnyWireBringsEveryTextOnceAndInOrder runs a thousand chats in which the wire
// drops, repeats and reorders, both sides are killed between any two steps, any save
// may fail, the server refuses messages, and keys wear out all the time. Afterwards an
// honest network must repair everything: each text has arrived once and in order, what
// was told twice has the same number, and no sequence number was used for two messages.
// The seed of a failure is printed; -rapid.seed plays it again.
func TestAnyWireBringsEveryTextOnceAndInOrder(t *testing.T) {
	for hundred := range 10 {
		t.Run(fmt.Sprint("hundred ", hundred+1), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				tr := newTrip(rt)
				for step := range rapid.IntRange(1, 50).Draw(rt, "steps") {
					tr.step(step)
					tr.sound()
				}
				tr.repair()
				tr.judge()
			})
		})
	}
}

// trip is a chat between two state machines over a wire that does what it likes.
type trip struct {
	*pair
	rt     *rapid.T
	said   [2][]string        // by that side, what was not refused
	failed [2]map[string]bool // texts that the server refused
	left   [2]map[int][]byte  // what left that side under each number
	told   [2]map[int]string  // what the other side's caller was told, by number
	heard  [2][]string        // the same in order, repetitions left out
}

func newTrip(rt *rapid.T) *trip {
	tr := &trip{pair: openPair(rt), rt: rt}
	for side := range 2 {
		tr.failed[side], tr.left[side], tr.told[side] = map[string]bool{}, map[int][]byte{}, map[int]string{}
	}
	return tr
}

func (tr *trip) step(step int) {
	side := rapid.IntRange(0, 1).Draw(tr.rt, "side")
	switch act := rapid.IntRange(0, 12).Draw(tr.rt, "act"); {
	case act <= 2:
		tr.speak(side, fmt.Sprintf("%d from %d", step, side), rapid.IntRange(0, 4).Draw(tr.rt, "picture") == 0)
	case act <= 5:
		tr.leave(side, rapid.IntRange(0, 3).Draw(tr.rt, "noted") > 0)
	case act <= 8:
		tr.arrive(side)
	case act == 9:
		tr.sides[side].Key.Used = keyMessages + 1
	case act == 10:
		tr.refuse(side)
	case act == 11:
		tr.upload(side)
	default:
		tr.now = tr.now.Add(time.Duration(rapid.IntRange(1, 100).Draw(tr.rt, "seconds")) * time.Second)
	}
	tr.reload(side) // a kill at any moment: nothing but the record goes on
}

// saved lets a side take a step whose save may fail: then it has not happened.
func (tr *trip) saved(side int, step func(c *chat)) bool {
	before, err := tr.sides[side].encode()
	must(tr.rt, err)
	step(tr.sides[side])
	if rapid.IntRange(0, 7).Draw(tr.rt, "save") > 0 {
		return true
	}
	tr.sides[side], err = decodeChat(before)
	must(tr.rt, err)
	return false
}

func (tr *trip) speak(side int, text string, picture bool) {
	p := pending{Key: text, Text: text}
	if picture {
		p = pending{Key: text, Photo: &photo{Blob: "b", W: 1, H: 1, Caption: text}}
	}
	if tr.saved(side, func(c *chat) {
		_, err := c.enqueue(tr.env(), p)
		must(tr.rt, err)
		must(tr.rt, c.renewKey(tr.env()))
	}) {
		tr.said[side] = append(tr.said[side], text)
	}
}

// upload brings the picture at the head of what is pending to the server.
func (tr *trip) upload(side int) {
	file, err := encryptFile([]byte("picture"), rand.Reader)
	must(tr.rt, err)
	tr.saved(side, func(c *chat) { must(tr.rt, c.numberPhoto(tr.env(), file)) })
}

// leave puts the next message of a side on the wire; noted says whether the side lived
// to save that it did.
func (tr *trip) leave(side int, noted bool) {
	out := tr.sides[side].next()
	if out == nil {
		return
	}
	if out.unfiled() {
		file, err := encryptFileUnder(out.FileKey, out.FileIV, []byte("picture"), rand.Reader)
		must(tr.rt, err)
		tr.sides[side].filed(out.N, file)
	}
	if before, used := tr.left[side][out.N]; used && !bytes.Equal(before, out.Data) {
		tr.rt.Fatalf("side %d has used number %d for two messages", side, out.N)
	}
	tr.left[side][out.N] = slices.Clone(out.Data)
	tr.wire[1-side] = append(tr.wire[1-side], out.Data)
	if noted {
		tr.sides[side].sent(out.N, 0, nil)
	}
}

// refuse is a server that will never take the next message. One that has left before
// is not refused, but for a picture of which the answer was lost and the upload is gone.
func (tr *trip) refuse(side int) {
	out := tr.sides[side].next()
	if out == nil || tr.left[side][out.N] != nil && (out.Photo == nil || out.Uploads >= maxUploads) {
		return
	}
	tr.saved(side, func(c *chat) { must(tr.rt, c.refused(tr.env(), out.N)) })
}

// arrive delivers some message, drops it, or delivers it and keeps it to come again.
func (tr *trip) arrive(side int) {
	if len(tr.wire[side]) == 0 {
		return
	}
	i := rapid.IntRange(0, len(tr.wire[side])-1).Draw(tr.rt, "which")
	fate := rapid.IntRange(0, 5).Draw(tr.rt, "fate")
	if fate == 0 || tr.receive(side, tr.wire[side][i]) && fate > 1 {
		tr.wire[side] = slices.Delete(tr.wire[side], i, i+1)
	}
}

func (tr *trip) receive(side int, wire []byte) bool {
	taken := tr.saved(side, func(c *chat) {
		_, err := c.receive(tr.env(), wire)
		must(tr.rt, err)
	})
	tr.tell(side, rapid.IntRange(0, 3).Draw(tr.rt, "forgotten") > 0)
	return taken
}

// tell hands a side's events to its caller; forgotten says whether the side lived to
// save that it did.
func (tr *trip) tell(side int, forgotten bool) {
	for _, ev := range tr.sides[side].Events {
		before, again := tr.told[side][ev.Number]
		switch {
		case again && before != ev.Text+ev.Key:
			tr.rt.Fatalf("side %d was told %q and %q as event %d", side, before, ev.Text+ev.Key, ev.Number)
		case again:
		case ev.Kind == EventText:
			tr.heard[side] = append(tr.heard[side], ev.Text)
		case ev.Kind == EventProgress && ev.State == Failed:
			tr.failed[side][ev.Key] = true
		}
		tr.told[side][ev.Number] = ev.Text + ev.Key
	}
	if forgotten {
		tr.sides[side].Events = nil
	}
}

// sound checks what must hold after every step.
func (tr *trip) sound() {
	for side, c := range tr.sides {
		if !c.live() {
			tr.rt.Fatalf("side %d closed: %s", side, c.Reason)
		}
		for i, out := range c.Outbox {
			if i > 0 && out.N != c.Outbox[i-1].N+1 {
				tr.rt.Fatalf("side %d: numbers %d and %d", side, c.Outbox[i-1].N, out.N)
			}
		}
	}
}

// repair is an honest network and a sound store from now on. What was dropped shows
// only when something comes after it, so both sides say a word more now and then.
func (tr *trip) repair() {
	for round := range 6 {
		tr.now = tr.now.Add(2 * askAgain)
		for side := range 2 {
			text := fmt.Sprintf("word %d from %d", round, side)
			tr.said[side] = append(tr.said[side], text)
			tr.say(side, text)
		}
		for tr.pass() {
			tr.sound()
		}
	}
}

// pass lets everything that waits go its way; false when nothing did.
func (tr *trip) pass() bool {
	busy := false
	for side := range 2 {
		file, err := encryptFile([]byte("picture"), rand.Reader)
		must(tr.rt, err)
		for len(tr.sides[side].Pending) > 0 {
			must(tr.rt, tr.sides[side].numberPhoto(tr.env(), file))
		}
		for tr.sides[side].next() != nil {
			tr.leave(side, true)
			busy = true
		}
		for _, wire := range tr.wire[side] {
			_, err := tr.sides[side].receive(tr.env(), wire)
			must(tr.rt, err)
			busy = true
		}
		tr.wire[side] = nil
		tr.tell(side, true)
	}
	return busy
}

func (tr *trip) judge() {
	for side := range 2 {
		want := slices.DeleteFunc(tr.said[side], func(text string) bool { return tr.failed[side][text] })
		if !slices.Equal(tr.heard[1-side], want) {
			tr.rt.Fatalf("side %d said %q, arrived %q", side, want, tr.heard[1-side])
		}
	}
	if tr.sides[0].Key.Fingerprint != tr.sides[1].Key.Fingerprint {
		tr.rt.Fatal("the two sides ended with different keys")
	}
}
