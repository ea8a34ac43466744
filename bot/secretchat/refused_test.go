package secretchat

import (
	"errors"
	"slices"
	"testing"

	"github.com/gotd/td/tgerr"
)

// TestPictureWhoseAnswerWasLostComesOnce is about a server that has taken a picture,
// whose answer is lost, and which says of the next try that there is no such upload. The
// picture has to be uploaded anew, and the other side must not see it twice.
func TestPictureWhoseAnswerWasLostComesOnce(t *testing.T) {
	for name, lose := range map[string]func(d *device) error{
		"on the way": func(*device) error { return errors.New("the line is bad") },
		"by a kill":  func(d *device) error { d.store.failAt = d.store.puts + 1; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			a, b, cloud, id := talk(t)
			tries := 0
			cloud.mu.Lock()
			cloud.refuse = func(_ int64, call string) error {
				if call == "file" {
					if tries++; tries == 2 {
						return tgerr.New(400, "FILE_PART_0_MISSING")
					}
				}
				return nil
			}
			cloud.after = func(_ int64, call string) error {
				if call == "file" && tries == 1 {
					a.store.mu.Lock()
					defer a.store.mu.Unlock()
					return lose(a)
				}
				return nil
			}
			cloud.mu.Unlock()
			a.show(id, "picture", testPicture)
			a.say(id, "behind it")
			b.wait("text behind it")
			b.say(id, "thanks")
			a.wait("picture seen")
			want := []string{"opened 1", "file caption: the picture", "text behind it"}
			if got := b.told(); len(got) < 3 || !slices.Equal(got[:3], want) || slices.Contains(got[3:], want[1]) {
				t.Errorf("told %q", got)
			}
			a.stop()
			if tries != 3 || len(cloud.parts) != 2 || a.store.count(photoPrefix) != 0 {
				t.Errorf("%d tries, %d uploads, %d pictures kept", tries, len(cloud.parts), a.store.count(photoPrefix))
			}
		})
	}
}

// refuseKeys refuses the next message of a side for good, which must be part of a change
// of keys.
func refuseKeys(t *testing.T, p *pair, side int) {
	t.Helper()
	out := p.sides[side].next()
	if out == nil || out.Exchange == 0 {
		t.Fatalf("side %d has nothing about keys to say", side)
	}
	must(t, p.sides[side].refused(p.env(), out.N))
	p.reload(side)
}

func TestChangeOfKeysThatTheServerRefusesIsCalledOff(t *testing.T) {
	wear := func(p *pair, side int) {
		p.sides[side].Key.Used = keyMessages + 1
		must(t, p.sides[side].renewKey(p.env()))
	}
	for name, refuse := range map[string]func(p *pair){
		"the request": func(p *pair) {
			wear(p, 0)
			refuseKeys(t, p, 0)
		},
		"the answer": func(p *pair) {
			wear(p, 0)
			p.transmit(0, true)
			p.deliver(1, 0, false)
			refuseKeys(t, p, 1)
		},
		"the answer, with messages behind it": func(p *pair) {
			wear(p, 0)
			p.transmit(0, true)
			p.deliver(1, 0, false)
			p.say(1, "behind it")
			refuseKeys(t, p, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPair(t)
			first := p.sides[0].Key.Fingerprint
			refuse(p)
			p.settle()
			for side, c := range p.sides {
				if c.Exchange != nil || !c.live() || c.Key.Fingerprint != first {
					t.Fatalf("side %d: exchange %v, %v for %q", side, c.Exchange, c, c.Reason)
				}
			}
			wear(p, 1)
			p.settle()
			if a, b := p.sides[0].Key.Fingerprint, p.sides[1].Key.Fingerprint; a == first || a != b {
				t.Error("the next change of keys does not work")
			}
		})
	}
}

// TestOverruledRequestIsAnsweredWhenOursIsRefused is about both sides asking at once.
func TestOverruledRequestIsAnsweredWhenOursIsRefused(t *testing.T) {
	for range 10 { // whose id is larger depends on chance
		p := openPair(t)
		first := p.sides[0].Key.Fingerprint
		for side := range 2 {
			p.sides[side].Key.Used = keyMessages + 1
			must(t, p.sides[side].renewKey(p.env()))
		}
		larger := 0
		if p.sides[1].Exchange.ID > p.sides[0].Exchange.ID {
			larger = 1
		}
		p.transmit(1-larger, true)
		p.deliver(larger, 0, false)
		refuseKeys(t, p, larger)
		p.settle()
		p.say(larger, "under the new key")
		p.settle()
		a, b := p.sides[0], p.sides[1]
		if !a.live() || !b.live() || a.Exchange != nil || b.Exchange != nil ||
			a.Key.Fingerprint == first || a.Key.Fingerprint != b.Key.Fingerprint {
			t.Fatalf("%v %q, %v %q, exchanges %v %v", a, a.Reason, b, b.Reason, a.Exchange, b.Exchange)
		}
	}
}
