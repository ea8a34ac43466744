package courier_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/usherbot/usher/bot/simulator/mtproto"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// death lets a store keep so many values more; then the process that saves is dead.
type death struct {
	mu    sync.Mutex
	left  int
	saved int
}

func newDeath(after int) *death { return &death{left: after} }

func (d *death) dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left < 0
}

func (d *death) save(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left--; d.left >= 0 {
		d.saved++
		return nil
	}
	return errors.New("dead")
}

// TestDeathBetweenAnyTwoSavesAsksOnce: from the customer's code to the open chat, or to
// the refusal, the courier may die before or after each thing that it saves. The phone
// is asked once, it is paid for once, and the customer hears of the end.
func TestDeathBetweenAnyTwoSavesAsksOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		end   string
		late  bool // the last value is kept, and nobody learns of it
		shy   bool // the customer's settings forbid it
		chats int
	}{{"opened", false, false, 1}, {"opened", true, false, 1}, {"refused", false, true, 0}, {"refused", true, true, 0}} {
		t.Run(fmt.Sprintf("%s, kept %t", c.end, c.late), func(t *testing.T) {
			t.Parallel()
			b := newBed(t, func(o *mtproto.Options) { o.DailyChats = 1000 })
			cfg := b.config()
			cfg.Daily = 1000
			running, n, stop := b.ready(cfg)
			p, rounds := b.phone(7), 0
			must(t, b.server.Hub().Hide(7, c.shy))
			line := c.end + " 7"
			round := func(d *death) {
				rounds++
				before, read := n.count(line), b.read()
				code := b.code(running, 7)
				b.mortal(d, c.late)
				b.write(7, code)
				b.until("the ask is over, or the courier dead", func() bool {
					return d.dead() || b.over(read+1) && n.count(line) > before
				})
				if d.dead() {
					stop()
					told := n.count(line) > before
					b.mortal(nil, c.late)
					if running, n, stop = b.ready(cfg); !told {
						n.wait(t, line, 1)
					}
				}
				b.mortal(nil, c.late)
				b.write(7, code) // once more
				b.until(fmt.Sprintf("the phone was asked %d times", rounds*c.chats), func() bool {
					return b.over(read+2) && inState(p, phone.StateOpen) == c.chats && len(p.Chats()) == rounds*c.chats
				})
			}
			clean := newDeath(1000)
			round(clean)
			for i := range clean.saved {
				round(newDeath(i))
			}
			if asked, err := running.Asked(t.Context()); err != nil || asked != rounds {
				t.Errorf("%d chats are paid for, want %d, error %v", asked, rounds, err)
			}
		})
	}
}

// mortal makes the store die, or live again.
func (b *bed) mortal(d *death, late bool) {
	var f func(string) error
	if d != nil {
		f = d.save
	}
	if late {
		b.store.losing(f)
	} else {
		b.store.failing(f)
	}
}

// over says whether nothing is left to do for customer 7 and the newest code, and so many
// messages to the account were read: the next round starts from there.
func (b *bed) over(read int) bool {
	var made struct{ Hash []byte }
	var ask struct {
		Code []byte
		Over bool
	}
	b.kept("code/7", &made)
	b.kept("asking/7", &ask)
	return ask.Over && bytes.Equal(ask.Code, made.Hash) && b.read() >= read
}

// read is how many messages to the account the courier has read, ever.
func (b *bed) read() int {
	var r struct{ State struct{ Pts int } }
	b.kept("updates", &r)
	return r.State.Pts
}

// kept decodes what the store holds, if it does.
func (b *bed) kept(key string, into any) {
	b.t.Helper()
	raw, err := b.store.Get(b.t.Context(), key)
	must(b.t, err)
	if raw != nil {
		must(b.t, json.Unmarshal(raw, into))
	}
}
