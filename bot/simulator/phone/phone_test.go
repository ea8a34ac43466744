package phone_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/tgerr"
	"go.uber.org/goleak"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
	"github.com/usherbot/usher/bot/simulator/phone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	customer = 1001
	courier  = 7
	patience = 2 * time.Minute
)

// street is a hub with phones on it.
type street struct {
	t       testing.TB
	hub     *hub.Hub
	changed chan struct{}
}

func newStreet(t testing.TB) *street {
	h, err := hub.New(hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.AddUser(hub.User{ID: customer, FirstName: "Ada"})
	h.AddUser(hub.User{ID: courier, FirstName: "Usher", Username: "usher_courier"})
	return &street{t: t, hub: h, changed: make(chan struct{}, 1)}
}

func (s *street) phone(id int64, name string, through func(phone.Line) phone.Line) *phone.Simulated {
	s.t.Helper()
	p, err := phone.New(s.t.Context(), phone.Options{
		UserID: id, Name: name,
		Connect: func() (phone.Line, error) {
			d, err := s.hub.NewDevice(id)
			if err != nil || through == nil {
				return d, err
			}
			return through(d), nil
		},
		Changed: func() {
			select {
			case s.changed <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(p.Close)
	return p
}

// until waits for the phones to bring something about.
func (s *street) until(what string, done func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !done() {
		select {
		case <-s.changed:
		case <-ctx.Done():
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// chat is the only chat of a phone.
func chat(t testing.TB, p phone.Phone) phone.Chat {
	t.Helper()
	all := p.Chats()
	if len(all) != 1 {
		t.Fatalf("the phone has %d chats", len(all))
	}
	return all[0]
}

func has(p phone.Phone, text string) bool {
	for _, c := range p.Chats() {
		for _, m := range c.Messages {
			if !m.Mine && m.Text == text {
				return true
			}
		}
	}
	return false
}

func isState(p phone.Phone, state string) func() bool {
	return func() bool {
		all := p.Chats()
		return len(all) > 0 && all[len(all)-1].State == state
	}
}

// talk opens a chat between the two.
func (s *street) talk(from, to *phone.Simulated, with int64) string {
	s.t.Helper()
	id, err := from.StartSecretChat(s.t.Context(), with)
	if err != nil {
		s.t.Fatal(err)
	}
	s.until("both see the chat open", func() bool {
		return isState(from, phone.StateOpen)() && isState(to, phone.StateOpen)()
	})
	return id
}

func (s *street) say(p *phone.Simulated, chat, text string) {
	s.t.Helper()
	if _, err := p.Send(s.t.Context(), chat, text); err != nil {
		s.t.Fatal(err)
	}
}

func sample(t testing.TB) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i >> 7)
	}
	img.Set(1, 1, color.White)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func noComplaints(t *testing.T, phones ...phone.Phone) {
	t.Helper()
	for _, p := range phones {
		if c := p.Complaints(); len(c) != 0 {
			t.Errorf("complaints: %s", strings.Join(c, "; "))
		}
	}
}

func TestCustomerStartsAChatAndBothTalk(t *testing.T) {
	s := newStreet(t)
	ada, usher := s.phone(customer, "Ada", nil), s.phone(courier, "Usher", nil)
	id := s.talk(ada, usher, courier)

	s.say(ada, id, "hello")
	s.say(usher, id, "your ticket follows")
	picture := sample(t)
	if _, err := usher.SendPicture(t.Context(), id, picture, "the ticket"); err != nil {
		t.Fatal(err)
	}
	s.until("everything arrived", func() bool {
		return has(usher, "hello") && has(ada, "your ticket follows") && has(ada, "the ticket")
	})

	a, b := chat(t, ada), chat(t, usher)
	if len(a.KeyHex) != 64 || a.KeyHex != b.KeyHex {
		t.Errorf("the keys' pictures are %q and %q", a.KeyHex, b.KeyHex)
	}
	if a.With != courier || b.With != customer {
		t.Errorf("the chat is with %d and %d", a.With, b.With)
	}
	last := a.Messages[len(a.Messages)-1]
	if !bytes.Equal(last.Picture, picture) || last.From != "Usher" || last.Date.IsZero() {
		t.Errorf("the picture's message is %d bytes from %q at %v", len(last.Picture), last.From, last.Date)
	}
	noComplaints(t, ada, usher)
}

func TestCourierStartsAChatWhilePhoneIsOff(t *testing.T) {
	s := newStreet(t)
	// Both need a public name to be found without a number.
	s.hub.AddUser(hub.User{ID: 1002, FirstName: "Bob", Username: "bob"})
	bob, usher := s.phone(1002, "Bob", nil), s.phone(courier, "Usher", nil)
	if err := bob.Do(t.Context(), phone.ActionOff, ""); err != nil {
		t.Fatal(err)
	}
	id, err := usher.StartSecretChat(t.Context(), 1002)
	if err != nil {
		t.Fatal(err)
	}
	if c := chat(t, usher); c.State != phone.StatePending || c.KeyHex != "" {
		t.Errorf("the chat is %s with key %q before it was accepted", c.State, c.KeyHex)
	}
	if _, err := usher.Send(t.Context(), id, "too early"); err == nil {
		t.Error("a pending chat took a message")
	}
	if err := bob.Do(t.Context(), phone.ActionOn, ""); err != nil {
		t.Fatal(err)
	}
	s.until("the chat is open", isState(usher, phone.StateOpen))
	if err := bob.Do(t.Context(), phone.ActionOff, ""); err != nil {
		t.Fatal(err)
	}
	for i := range 250 {
		s.say(usher, id, fmt.Sprint(i))
	}
	if _, err := bob.Send(t.Context(), id, "no"); err == nil {
		t.Error("a phone that is off sent a message")
	}
	if err := bob.Do(t.Context(), phone.ActionOn, ""); err != nil {
		t.Fatal(err)
	}
	s.until("all that waited arrived", func() bool { return has(bob, "249") })
	if n := len(chat(t, bob).Messages); n != 250 {
		t.Errorf("%d messages arrived", n)
	}
	noComplaints(t, bob, usher)
}

func TestPhoneDeclinesClosesAndIsReplaced(t *testing.T) {
	s := newStreet(t)
	s.hub.AddUser(hub.User{ID: 1002, FirstName: "Bob", Username: "bob"})
	bob, usher := s.phone(1002, "Bob", nil), s.phone(courier, "Usher", nil)
	do := func(action, chat string) {
		t.Helper()
		if err := bob.Do(t.Context(), action, chat); err != nil {
			t.Fatal(err)
		}
	}

	do(phone.ActionDecline, "")
	if _, err := usher.StartSecretChat(t.Context(), 1002); err != nil {
		t.Fatal(err)
	}
	s.until("the request is declined", isState(usher, phone.StateClosed))

	id, err := usher.StartSecretChat(t.Context(), 1002)
	if err != nil {
		t.Fatal(err)
	}
	s.until("the second one is open", isState(usher, phone.StateOpen))
	do(phone.ActionDeleteChat, id)
	s.until("the deleted chat is closed", isState(usher, phone.StateClosed))
	for _, c := range bob.Chats() {
		if c.ID == id {
			t.Error("a deleted chat is still on the phone")
		}
	}

	s.talk(usher, bob, 1002)
	do(phone.ActionNewPhone, "")
	if n := len(bob.Chats()); n != 0 {
		t.Errorf("a new phone has %d chats", n)
	}
	if c := usher.Chats(); c[len(c)-1].State != phone.StateOpen {
		t.Error("the other side was told of a lost phone")
	}
	s.talk(bob, usher, courier)
	if err := bob.Do(t.Context(), "sing", ""); err == nil {
		t.Error("an unknown action was accepted")
	}
}

func TestKeysAreChangedAfterAHundredMessages(t *testing.T) {
	s := newStreet(t)
	ada, usher := s.phone(customer, "Ada", nil), s.phone(courier, "Usher", nil)
	id := s.talk(ada, usher, courier)
	before := chat(t, ada).KeyHex
	for i := range 300 {
		from, to := ada, usher
		if i%3 == 0 {
			from, to = usher, ada
		}
		text := fmt.Sprint(i)
		s.say(from, id, text)
		s.until("message "+text+" arrives", func() bool { return has(to, text) })
	}
	if got := chat(t, usher); got.State != phone.StateOpen || got.KeyHex != before {
		t.Errorf("the chat is %s (%s), its picture changed: %t", got.State, got.Why, got.KeyHex != before)
	}
	if a, b := ada.Rekeyed(id), usher.Rekeyed(id); a < 2 || a != b {
		t.Errorf("keys were changed %d and %d times", a, b)
	}
}

func TestBlockedSideCannotWrite(t *testing.T) {
	s := newStreet(t)
	ada, usher := s.phone(customer, "Ada", nil), s.phone(courier, "Usher", nil)
	id := s.talk(ada, usher, courier)
	if err := ada.Do(t.Context(), phone.ActionBlock, id); err != nil {
		t.Fatal(err)
	}
	if _, err := usher.Send(t.Context(), id, "blocked"); !tgerr.Is(err, "USER_IS_BLOCKED") {
		t.Errorf("a blocked side's message: %v", err)
	}
	if err := ada.Do(t.Context(), phone.ActionUnblock, id); err != nil {
		t.Fatal(err)
	}
	s.say(usher, id, "again")
	s.until("the message arrives, and the one before it", func() bool { return has(ada, "again") && has(ada, "blocked") })
}

func TestOnlyKnownPeopleCanBeAsked(t *testing.T) {
	s := newStreet(t)
	ada := s.phone(customer, "Ada", nil)
	if _, err := ada.StartSecretChat(t.Context(), 4711); err == nil {
		t.Error("a chat with nobody was started")
	}
	if _, err := ada.Send(t.Context(), "12", "x"); err == nil {
		t.Error("a message went into a chat that does not exist")
	}
}
