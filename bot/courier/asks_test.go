package courier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// ready starts a courier and waits until it is connected.
func (b *bed) ready(cfg courier.Config) (c *courier.Courier, n *notes, stop func()) {
	b.t.Helper()
	c, n, stop = b.start(cfg)
	n.wait(b.t, "ready true", 1)
	return c, n, stop
}

// link gives the customer a link, and code the code alone.
func (b *bed) code(c *courier.Courier, customer int64) string {
	b.t.Helper()
	link, err := c.Link(b.t.Context(), customer)
	must(b.t, err)
	return link.Code
}

// write has somebody write an ordinary message to the courier's account.
func (b *bed) write(from int64, text string) {
	b.t.Helper()
	_, err := b.server.Write(from, courierID, text)
	must(b.t, err)
}

// inState counts the chats of a phone that are in a state.
func inState(p phone.Phone, state string) int {
	count := 0
	for _, c := range p.Chats() {
		if c.State == state {
			count++
		}
	}
	return count
}

func TestCustomersCodeMakesTheCourierAskTheirPhone(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.ready(b.config())
	p := b.phone(7)
	code := b.code(c, 7)
	b.write(7, "Secret chat, please: "+code)
	n.wait(t, "opened 7", 1)
	b.until("the chat is open on the phone", func() bool { return inState(p, phone.StateOpen) == 1 })
	_, err := c.Deliver(t.Context(), 7, parcel(t, "t1"))
	must(t, err)
	n.wait(t, "parcel 7 t1 seen", 1)
	b.keepsSecrets()
}

func TestCodeWorksOnceAndForItsCustomerOnly(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.ready(b.config())
	mine, theirs := b.phone(7), b.phone(8)
	code := b.code(c, 7)
	b.write(8, code)
	b.write(7, code)
	n.wait(t, "opened 7", 1)
	b.write(7, code)
	b.write(8, code)
	// A message after them is read after them.
	b.write(8, b.code(c, 8))
	n.wait(t, "opened 8", 1)
	if len(mine.Chats()) != 1 || len(theirs.Chats()) != 1 {
		t.Errorf("the phones were asked %d and %d times", len(mine.Chats()), len(theirs.Chats()))
	}
	if asked, err := c.Asked(t.Context()); err != nil || asked != 2 {
		t.Errorf("%d chats are paid for, error %v", asked, err)
	}
}

func TestPhoneThatIsOffIsAskedOnceAndAnswersLater(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, stop := b.ready(b.config())
	p := b.phone(7)
	must(t, p.Do(t.Context(), phone.ActionOff, ""))
	b.write(7, b.code(c, 7))
	n.wait(t, "asked 7", 1)
	// Another code meanwhile only tells the customer the same again.
	b.write(7, b.code(c, 7))
	n.wait(t, "asked 7", 2)
	stop()
	c, n, _ = b.ready(b.config())
	must(t, p.Do(t.Context(), phone.ActionOn, ""))
	n.wait(t, "opened 7", 1)
	if n.count("asked 7") != 0 {
		t.Error("it was told again after the restart")
	}
	if asked, err := c.Asked(t.Context()); err != nil || asked != 1 || len(p.Chats()) != 1 {
		t.Errorf("%d chats are paid for, error %v; the phone was asked %d times", asked, err, len(p.Chats()))
	}
}

func TestCodeWrittenWhileNoCourierRunsIsReadLater(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	_, _, stop := b.ready(b.config())
	stop()
	standby, err := courier.New(b.config(), newNotes())
	must(t, err)
	p := b.phone(7)
	b.write(7, b.code(standby, 7))
	_, n, _ := b.ready(b.config())
	n.wait(t, "opened 7", 1)
	b.until("the chat is open on the phone", func() bool { return inState(p, phone.StateOpen) == 1 })
}

// TestCustomerWhoCannotBeAskedHearsWhyAndStartsTheChat: whatever stands in the way, it is
// told with its reason, and accepting what the customer starts is never limited.
func TestCustomerWhoCannotBeAskedHearsWhyAndStartsTheChat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why     courier.Why
		limited bool // no more links then
		budget  int
		before  func(b *bed, p phone.Phone) error
		after   func(b *bed, p phone.Phone) error
	}{
		{
			why:    courier.WhyPrivacy,
			before: func(b *bed, _ phone.Phone) error { return b.server.Hub().Hide(7, true) },
		},
		{
			why:    courier.WhyBlocked,
			before: func(b *bed, _ phone.Phone) error { return b.server.Hub().Block(7, courierID, true) },
			after:  func(b *bed, _ phone.Phone) error { return b.server.Hub().Block(7, courierID, false) },
		},
		{
			why:    courier.WhyPeer,
			before: func(b *bed, p phone.Phone) error { return p.Do(b.t.Context(), phone.ActionDecline, "") },
		},
		{
			why:    courier.WhySilence,
			before: func(b *bed, p phone.Phone) error { return p.Do(b.t.Context(), phone.ActionOff, "") },
			after:  func(b *bed, p phone.Phone) error { return p.Do(b.t.Context(), phone.ActionOn, "") },
		},
		{
			why: courier.WhyFlood, limited: true,
			before: func(b *bed, _ phone.Phone) error { return b.server.Hub().Flood(courierID, 0) },
		},
		{
			why: courier.WhyFlood, limited: true,
			before: func(b *bed, _ phone.Phone) error { return b.server.Hub().Flood(courierID, time.Hour) },
		},
	} {
		t.Run(string(c.why), func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			cfg := b.config()
			if c.why == courier.WhySilence {
				cfg.Patience = 2 * time.Second
			}
			running, n, _ := b.ready(cfg)
			p := b.phone(7)
			code := b.code(running, 7)
			must(t, b.writeFirst(code, c.why, p, c.before))
			n.wait(t, "refused 7 "+string(c.why), 1)
			_, err := running.Link(t.Context(), 8)
			if errors.Is(err, courier.ErrLimited) != c.limited {
				t.Errorf("another link: %v", err)
			}
			if until, err := running.LimitedUntil(t.Context()); err != nil || until.IsZero() == c.limited {
				t.Errorf("limited until %s, error %v", until, err)
			}
			if c.limited {
				n.wait(t, "limited", 1)
			}
			if c.after != nil {
				must(t, c.after(b, p))
			}
			must(t, running.Invite(t.Context(), 7))
			id, err := p.StartSecretChat(t.Context(), courierID)
			must(t, err)
			n.wait(t, "opened 7", 1)
			b.until("the customer's own chat is open", func() bool { return chat(p, id).State == phone.StateOpen })
			if n.count("refused") != 1 || n.count("closed") != 0 {
				t.Errorf("told: %d refused, %d closed", n.count("refused"), n.count("closed"))
			}
		})
	}
}

// writeFirst has the customer write their code, with something in the way of the chat.
// Whoever has blocked an account cannot write to it: they block it right after.
func (b *bed) writeFirst(code string, why courier.Why, p phone.Phone, before func(*bed, phone.Phone) error) error {
	if why != courier.WhyBlocked {
		if err := before(b, p); err != nil {
			return err
		}
		b.write(7, code)
		return nil
	}
	b.write(7, code)
	return before(b, p)
}

// TestSixtyCustomersADayAllGetTheirChat: the account may ask for so many, the server
// allows thirty; whoever is left starts the chat, and nobody is asked twice.
func TestSixtyCustomersADayAllGetTheirChat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		daily, asked int
		why          courier.Why
	}{{20, 20, courier.WhyBudget}, {100, 30, courier.WhyFlood}} {
		t.Run(string(c.why), func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			cfg := b.config()
			cfg.Daily = c.daily
			running, n, _ := b.ready(cfg)
			const first, last = 101, 160
			codes := map[int64]string{}
			for customer := int64(first); customer <= last; customer++ {
				b.phone(customer)
				codes[customer] = b.code(running, customer)
			}
			for customer, code := range codes {
				b.write(customer, code)
			}
			n.wait(t, "opened", c.asked)
			n.wait(t, "refused", last-first+1-c.asked)
			if n.count("opened") != c.asked {
				t.Errorf("%d chats opened, want %d", n.count("opened"), c.asked)
			}
			for customer := range codes {
				if n.count(fmt.Sprintf("refused %d %s", customer, c.why)) == 0 {
					continue
				}
				must(t, running.Invite(t.Context(), customer))
				_, err := b.phone(customer).StartSecretChat(t.Context(), courierID)
				must(t, err)
			}
			n.wait(t, "opened", len(codes))
			for customer := range codes {
				p := b.phone(customer)
				b.until("each phone has one open chat", func() bool {
					return inState(p, phone.StateOpen) == 1 && len(p.Chats()) == 1
				})
			}
		})
	}
}

func TestCustomersOwnChatComesFirst(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, _, stop := b.ready(b.config())
	p := b.phone(7)
	must(t, c.Invite(t.Context(), 7))
	code := b.code(c, 7)
	stop()
	b.write(7, code)
	id, err := p.StartSecretChat(t.Context(), courierID)
	must(t, err)
	c, n, _ := b.ready(b.config())
	n.wait(t, "opened 7", 1)
	// The code has been looked at once the next one leads to a chat.
	b.phone(8)
	b.write(8, b.code(c, 8))
	n.wait(t, "opened 8", 1)
	if asked, err := c.Asked(t.Context()); err != nil || asked != 1 || len(p.Chats()) != 1 || chat(p, id).State != phone.StateOpen {
		t.Errorf("%d chats are paid for, error %v; the phone has %d", asked, err, len(p.Chats()))
	}
}

// TestBothSidesStartAChatAtOnce: the customer's arrives while the courier's request is on
// its way. Theirs survives, and a ticket goes there.
func TestBothSidesStartAChatAtOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	held, free := make(chan struct{}), make(chan struct{})
	cfg := b.config()
	cfg.Do = func(ctx context.Context, site string, call func(context.Context) error) error {
		if site == "courier.ask" {
			close(held)
			select {
			case <-free:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return call(ctx)
	}
	c, n, _ := b.ready(cfg)
	p := b.phone(7)
	must(t, c.Invite(t.Context(), 7))
	b.write(7, b.code(c, 7))
	<-held
	id, err := p.StartSecretChat(t.Context(), courierID)
	must(t, err)
	n.wait(t, "opened 7", 1)
	close(free)
	_, err = c.Deliver(t.Context(), 7, parcel(t, "t1"))
	must(t, err)
	n.wait(t, "parcel 7 t1 seen", 1)
	b.until("only the customer's chat is open", func() bool {
		return inState(p, phone.StateOpen) == 1 && chat(p, id).State == phone.StateOpen
	})
	if got := arrived(p, id); len(got) != 2 {
		t.Errorf("in the customer's chat: %q", got)
	}
	if n.count("refused") != 0 || n.count("closed") != 0 {
		t.Error("the customer was told of a chat that they need not know of")
	}
}

// shifted is the machine's clock, put forward.
type shifted struct{ by atomic.Int64 }

func (s *shifted) Now() time.Time                         { return time.Now().Add(time.Duration(s.by.Load())) }
func (s *shifted) After(d time.Duration) <-chan time.Time { return time.After(d) }

func TestNewPhoneIsAskedWhileTheOldOneStillHasAChat(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	clock := &shifted{}
	cfg := b.config()
	cfg.Clock = clock
	c, n, _ := b.ready(cfg)
	p, lost := b.open(c, n, 7)
	must(t, p.Do(t.Context(), phone.ActionNewPhone, ""))
	clock.by.Add(int64(time.Hour))
	b.write(7, b.code(c, 7))
	n.wait(t, "opened 7", 2)
	b.until("the new phone has a chat", func() bool { return inState(p, phone.StateOpen) == 1 })
	_, err := c.Deliver(t.Context(), 7, parcel(t, "t1"))
	must(t, err)
	n.wait(t, "parcel 7 t1 seen", 1)
	if got := arrived(p, p.Chats()[0].ID); len(got) != 2 || p.Chats()[0].ID == lost {
		t.Errorf("on the new phone: %q", got)
	}
}

func TestChatOfANewCodeTakesThePlaceOfTheOldOne(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	clock := &shifted{}
	cfg := b.config()
	cfg.Clock = clock
	c, n, _ := b.ready(cfg)
	p, old := b.open(c, n, 7)
	for range 2 { // first in place of the customer's own, then of one that was asked for
		clock.by.Add(int64(time.Hour))
		opened := n.count("opened 7")
		b.write(7, b.code(c, 7))
		n.wait(t, "opened 7", opened+1)
		b.until("one chat is open, and it is the new one", func() bool {
			return inState(p, phone.StateOpen) == 1 && chat(p, old).State != phone.StateOpen
		})
		old = p.Chats()[slices.IndexFunc(p.Chats(), func(c phone.Chat) bool { return c.State == phone.StateOpen })].ID
	}
	_, err := c.Deliver(t.Context(), 7, parcel(t, "t1"))
	must(t, err)
	n.wait(t, "parcel 7 t1 seen", 1)
	if got := arrived(p, old); len(got) != 2 {
		t.Errorf("in the newest chat: %q", got)
	}
	if n.count("closed") != 0 {
		t.Error("the customer was told of the old chats' end")
	}
}
