package courier_test

import (
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
	came  chan struct{}
	once  sync.Once
}

func newDeath(after int) *death { return &death{left: after, came: make(chan struct{})} }

func (d *death) save(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left--; d.left >= 0 {
		d.saved++
		return nil
	}
	d.once.Do(func() { close(d.came) })
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
				before := n.count(line)
				code := b.code(running, 7)
				b.mortal(d, c.late)
				b.write(7, code)
				if !b.told(n, d, line, before+1) {
					stop()
					b.mortal(nil, c.late)
					told := n.count(line) > before
					running, n, stop = b.ready(cfg)
					if !told {
						n.wait(t, line, 1)
					}
				}
				b.mortal(nil, c.late)
				b.write(7, code) // once more
				b.until(fmt.Sprintf("the phone was asked %d times", rounds*c.chats), func() bool {
					return inState(p, phone.StateOpen) == c.chats && len(p.Chats()) == rounds*c.chats
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

// told waits for the end of an ask, or for the death of the courier, and says whether
// the first came first.
func (b *bed) told(n *notes, d *death, line string, times int) bool {
	b.t.Helper()
	heard := make(chan struct{})
	ctx := b.t.Context()
	go func() {
		defer close(heard)
		for n.count(line) < times {
			n.mu.Lock()
			changed := n.changed
			n.mu.Unlock()
			select {
			case <-changed:
			case <-d.came:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	<-heard
	select {
	case <-d.came:
		return false
	default:
		return true
	}
}
