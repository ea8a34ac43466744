package courier_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/bot/simulator/phone"
)

func parcel(t *testing.T, id string) courier.Parcel {
	return courier.Parcel{ID: id, Warning: "Show it to nobody.", Caption: "Row A, seat 1", Picture: ticket(t)}
}

// open makes a chat that the customer starts and waits until both sides have it.
func (b *bed) open(c *courier.Courier, n *notes, customer int64) (phone.Phone, string) {
	b.t.Helper()
	must(b.t, c.Invite(b.t.Context(), customer))
	p := b.phone(customer)
	id, err := p.StartSecretChat(b.t.Context(), courierID)
	must(b.t, err)
	n.wait(b.t, "opened ", 1)
	b.until("the chat is open on the phone", func() bool { return chat(p, id).State == phone.StateOpen })
	return p, id
}

func TestTicketReachesTheCustomersPhone(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	contact, err := c.Contact(t.Context())
	if err != nil || contact != (courier.Contact{Username: "usher_courier", Name: "Usher"}) {
		t.Fatalf("contact %+v, error %v", contact, err)
	}
	if _, err := c.Deliver(t.Context(), 7, parcel(t, "t1")); !errors.Is(err, courier.ErrNoChat) {
		t.Fatalf("delivered without a chat: %v", err)
	}
	p, id := b.open(c, n, 7)
	if state, err := c.Chat(t.Context(), 7); err != nil || state != courier.ChatOpen {
		t.Fatalf("chat %s, error %v", state, err)
	}
	b.sameKey(c, 7, chat(p, id).KeyHex)
	for range 2 { // the same parcel twice is one delivery
		_, err := c.Deliver(t.Context(), 7, parcel(t, "t1"))
		must(t, err)
	}
	want := []string{"Show it to nobody.", "picture: Row A, seat 1"}
	b.until("the ticket is on the phone", func() bool { return slices.Equal(arrived(p, id), want) })
	n.wait(t, "parcel 7 t1 seen", 1)
	checkPicture(t, chat(p, id))

	_, err = p.Send(t.Context(), id, "thank you")
	must(t, err)
	n.wait(t, "text 7 thank you", 1)
	must(t, c.Say(t.Context(), 7, "bye", "You are welcome."))
	must(t, c.Say(t.Context(), 7, "bye", "You are welcome."))
	want = append(want, "You are welcome.")
	b.until("the answer is on the phone", func() bool { return slices.Equal(arrived(p, id), want) })
	if complaints := p.Complaints(); len(complaints) > 0 {
		t.Errorf("the phone complains: %q", complaints)
	}
	b.keepsSecrets()
}

// sameKey compares what a process that does not run the courier says of a chat's key
// with what is on the phone's screen.
func (b *bed) sameKey(running *courier.Courier, customer int64, onPhone string) {
	b.t.Helper()
	standby, err := courier.New(b.config(), newNotes())
	must(b.t, err)
	for _, c := range []*courier.Courier{running, standby} {
		key, err := c.Key(b.t.Context(), customer)
		must(b.t, err)
		lines := key.Lines()
		if digits := strings.ReplaceAll(strings.Join(lines[:], ""), " ", ""); digits != onPhone || len(digits) != 64 {
			b.t.Errorf("key %s, on the phone %s", digits, onPhone)
		}
		if _, err := c.Key(b.t.Context(), customer+1); !errors.Is(err, courier.ErrNoChat) {
			b.t.Errorf("the key of no chat: %v", err)
		}
	}
}

// keepsSecrets looks for what must not be in the courier's log.
func (b *bed) keepsSecrets() {
	b.t.Helper()
	for _, secret := range []string{"54321", "0123456789abcdef", "Show it to nobody", "thank you", "15550100"} {
		if strings.Contains(b.logged(), secret) {
			b.t.Errorf("the log has %q", secret)
		}
	}
}

func checkPicture(t *testing.T, c phone.Chat) {
	t.Helper()
	for _, m := range c.Messages {
		if len(m.Picture) == 0 {
			continue
		}
		img, err := jpeg.Decode(bytes.NewReader(m.Picture))
		must(t, err)
		if size := img.Bounds().Size(); size.X != 300 || size.Y != 400 {
			t.Errorf("the picture is %v", size)
		}
		light, _, _, _ := img.At(5, 5).RGBA()
		dark, _, _, _ := img.At(15, 5).RGBA()
		if light < 0xe000 || dark > 0x2000 {
			t.Errorf("the squares blur: %x and %x", light, dark)
		}
	}
}

func TestStrangersAreDiscarded(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	_, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	p := b.phone(8)
	id, err := p.StartSecretChat(t.Context(), courierID)
	must(t, err)
	b.until("the stranger's chat is closed", func() bool { return chat(p, id).State == phone.StateClosed })
	n.wait(t, "turned 8", 1)
	if n.count("opened") != 0 || n.count("closed") != 0 {
		t.Error("a stranger counts as a guest")
	}
}

func TestRestartGoesOnWithWhatTheStoreHolds(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, stop := b.start(b.config())
	n.wait(t, "ready true", 1)
	p, id := b.open(c, n, 7)
	stop()

	// While the courier is away the customer writes, and a ticket is queued.
	_, err := p.Send(t.Context(), id, "anybody there?")
	must(t, err)
	away, err := courier.New(b.config(), newNotes())
	must(t, err)
	state, err := away.Deliver(t.Context(), 7, parcel(t, "t1"))
	if err != nil || state != courier.ParcelQueued {
		t.Fatalf("state %s, error %v", state, err)
	}

	var logins atomic.Int32
	cfg := b.config()
	cfg.Code = func(context.Context) (string, error) { logins.Add(1); return "54321", nil }
	_, n, _ = b.start(cfg)
	n.wait(t, "text 7 anybody there?", 1)
	b.until("the ticket is on the phone", func() bool {
		return slices.Contains(arrived(p, id), "picture: Row A, seat 1")
	})
	if got := arrived(p, id); len(got) != 2 {
		t.Errorf("arrived: %q", got)
	}
	if logins.Load() != 0 {
		t.Error("the restart logged in anew")
	}
}

func TestAnotherProcessKnowsOfAChatThatOpensLater(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	standby, err := courier.New(b.config(), newNotes())
	must(t, err)
	if state, err := standby.Chat(t.Context(), 7); err != nil || state != courier.ChatNone {
		t.Fatalf("chat %s, error %v", state, err)
	}
	p, id := b.open(c, n, 7)
	if state, err := standby.Chat(t.Context(), 7); err != nil || state != courier.ChatOpen {
		t.Errorf("chat %s, error %v", state, err)
	}
	must(t, p.Do(t.Context(), phone.ActionDeleteChat, id))
	n.wait(t, "closed 7", 1)
	if state, err := standby.Chat(t.Context(), 7); err != nil || state != courier.ChatNone {
		t.Errorf("chat %s, error %v", state, err)
	}
}

func TestNewPhoneTakesThePlaceOfTheOld(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	p, _ := b.open(c, n, 7)
	must(t, p.Do(t.Context(), phone.ActionNewPhone, ""))
	second, err := p.StartSecretChat(t.Context(), courierID)
	must(t, err)
	n.wait(t, "opened 7", 2)
	b.until("the second chat is open", func() bool { return chat(p, second).State == phone.StateOpen })
	_, err = c.Deliver(t.Context(), 7, parcel(t, "t1"))
	must(t, err)
	b.until("the ticket is on the new phone", func() bool {
		return slices.Contains(arrived(p, second), "picture: Row A, seat 1")
	})
	if n.count("closed") != 0 {
		t.Error("the customer was called unreachable")
	}
}

func TestDeletedChatIsTold(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	p, id := b.open(c, n, 7)
	must(t, p.Do(t.Context(), phone.ActionDeleteChat, id))
	n.wait(t, "closed 7", 1)
	if state, err := c.Chat(t.Context(), 7); err != nil || state != courier.ChatNone {
		t.Errorf("chat %s, error %v", state, err)
	}
}

func TestFailedSaveHaltsAndTheStoreDecides(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	p, id := b.open(c, n, 7)
	var failed atomic.Bool
	b.store.failing(func(key string) error {
		if strings.HasPrefix(key, "chats/chat/") && failed.CompareAndSwap(false, true) {
			return errors.New("the disk is full")
		}
		return nil
	})
	_, err := p.Send(t.Context(), id, "lost?")
	must(t, err)
	n.wait(t, "ready false", 1)
	n.wait(t, "ready true", 2)
	n.wait(t, "text 7 lost?", 1)
	must(t, c.Say(t.Context(), 7, "answer", "No."))
	b.until("the answer is on the phone", func() bool { return slices.Contains(arrived(p, id), "No.") })
}

func TestWithoutAnAccountThereIsNoCourier(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	cfg := b.config()
	cfg.Code = nil
	c, n, _ := b.start(cfg)
	n.wait(t, "ready false no courier is logged in", 1)
	if _, err := c.Contact(t.Context()); !errors.Is(err, courier.ErrNoCourier) {
		t.Errorf("contact: %v", err)
	}
}

func TestLoginWithAWrongCodeIsRefused(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	cfg := b.config()
	cfg.Code = func(context.Context) (string, error) { return "11111", nil }
	c, err := courier.New(cfg, newNotes())
	must(t, err)
	if err := c.Login(t.Context()); err == nil || strings.Contains(err.Error(), "11111") {
		t.Fatalf("login: %v", err)
	}
	c, err = courier.New(b.config(), newNotes())
	must(t, err)
	must(t, c.Login(t.Context()))
	if _, err := c.Contact(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAnyCallMayFailOnceBeforeOrAfterItsEffect cuts every call of the story once on
// either side of its effect: the customer must not notice.
func TestAnyCallMayFailOnceBeforeOrAfterItsEffect(t *testing.T) {
	for _, site := range []string{"accept", "send_service", "send_text", "upload", "send_photo"} {
		for _, after := range []bool{false, true} {
			name := site + " before"
			if after {
				name = site + " after"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := newBed(t)
				var cut atomic.Bool
				cfg := b.config()
				cfg.Do = func(ctx context.Context, at string, call func(context.Context) error) error {
					if at != "courier."+site || !cut.CompareAndSwap(false, true) {
						return call(ctx)
					}
					if after {
						if err := call(ctx); err != nil {
							return err
						}
					}
					return errors.New("the line was cut")
				}
				c, n, _ := b.start(cfg)
				n.wait(t, "ready true", 1)
				p, id := b.open(c, n, 7)
				_, err := c.Deliver(t.Context(), 7, parcel(t, "t1"))
				must(t, err)
				n.wait(t, "parcel 7 t1 seen", 1)
				if got := arrived(p, id); len(got) != 2 || !cut.Load() {
					t.Errorf("arrived %q, cut %t", got, cut.Load())
				}
			})
		}
	}
}

func TestBadConfigurationIsNamed(t *testing.T) {
	store := &memory{values: map[string][]byte{}}
	for name, cfg := range map[string]courier.Config{
		"no store":       {},
		"server":         {Store: store, Server: "127.0.0.1:80"},
		"server port":    {Store: store, Server: "2@127.0.0.1:port"},
		"server without": {Store: store, Server: "2@"},
		"key":            {Store: store, ServerKeyPEM: []byte("no key")},
	} {
		if _, err := courier.New(cfg, newNotes()); !errors.Is(err, courier.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestATimerIsSetOnceForEachChat before the first ticket goes there.
func TestATimerIsSetOnceForEachChat(t *testing.T) {
	t.Parallel()
	for timer, more := range map[time.Duration]int32{0: 0, time.Minute: 1} {
		b := newBed(t)
		var services, before atomic.Int32
		cfg := b.config()
		cfg.Timer = timer
		cfg.Do = func(ctx context.Context, site string, call func(context.Context) error) error {
			if site == "courier.send_service" {
				services.Add(1)
			}
			return call(ctx)
		}
		c, n, _ := b.start(cfg)
		n.wait(t, "ready true", 1)
		p, id := b.open(c, n, 7)
		must(t, c.Say(t.Context(), 7, "first", "first")) // what the opening sends is out before it
		b.until("the text is on the phone", func() bool { return len(arrived(p, id)) == 1 })
		before.Store(services.Load())
		for i := range 2 {
			_, err := c.Deliver(t.Context(), 7, parcel(t, fmt.Sprint("t", i)))
			must(t, err)
			n.wait(t, fmt.Sprintf("parcel 7 t%d seen", i), 1)
		}
		if got := services.Load() - before.Load(); got != more {
			t.Errorf("timer %s: %d service messages, not %d", timer, got, more)
		}
	}
}
