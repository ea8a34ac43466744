package courier_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/usherbot/usher/bot/courier"
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
			round := func(customer int64, d *death) {
				p := b.phone(customer)
				must(t, b.server.Hub().Hide(customer, c.shy))
				code := b.code(running, customer)
				b.mortal(d, c.late)
				b.write(customer, code)
				told := b.told(n, d, c.end, customer)
				if !told {
					stop()
					b.mortal(nil, c.late)
					before := n.count(fmt.Sprint(c.end, " ", customer))
					running, n, stop = b.ready(cfg)
					if before == 0 {
						defer func() {
							if t.Failed() {
								t.Log(b.logged())
								for _, c := range p.Chats() {
									t.Log(c.ID, c.State)
								}
							}
						}()
						n.wait(t, fmt.Sprint(c.end, " ", customer), 1)
					}
				}
				b.mortal(nil, c.late)
				b.write(customer, code) // once more
				b.askedOnce(running, p, customer, c.chats)
			}
			clean := newDeath(1000)
			round(100, clean)
			for i := range clean.saved {
				round(101+int64(i), newDeath(i))
			}
			if asked, err := running.Asked(t.Context()); err != nil || asked != clean.saved+1 {
				t.Errorf("%d chats are paid for, want %d, error %v", asked, clean.saved+1, err)
			}
			t.Logf("died in %d places", clean.saved)
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
func (b *bed) told(n *notes, d *death, end string, customer int64) bool {
	b.t.Helper()
	line := fmt.Sprint(end, " ", customer)
	heard := make(chan struct{})
	ctx := b.t.Context()
	go func() {
		defer close(heard)
		for n.count(line) == 0 {
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

// askedOnce waits until a customer's phone is as it should be, and stays so.
func (b *bed) askedOnce(c *courier.Courier, p phone.Phone, customer int64, chats int) {
	b.t.Helper()
	b.until(fmt.Sprintf("customer %d has %d chats", customer, chats), func() bool {
		return inState(p, phone.StateOpen) == chats && len(p.Chats()) == chats
	})
	state, err := c.Chat(b.t.Context(), customer)
	must(b.t, err)
	if (state == courier.ChatOpen) != (chats == 1) {
		b.t.Errorf("customer %d's chat is %s", customer, state)
	}
}
