package courier_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// TestStandingTellsWhoIsLoggedInSinceWhen: also after restarts, which are no logins.
func TestStandingTellsWhoIsLoggedInSinceWhen(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	before := time.Now().Truncate(time.Second)
	c, n, stop := b.start(b.config())
	n.wait(t, "ready true", 1)
	b.open(c, n, 7)
	stop()
	first, err := c.Standing(t.Context())
	must(t, err)
	if first.Account != courierID || first.Contact.Username != "usher_courier" || !first.Session || first.Open != 1 ||
		first.Since.Before(before) || first.Since.After(time.Now()) {
		t.Fatalf("%+v", first)
	}
	later := b.config()
	later.Clock = ahead{}
	c, n, stop = b.start(later)
	n.wait(t, "ready true", 1)
	stop()
	if again, err := c.Standing(t.Context()); err != nil || !reflect.DeepEqual(again, first) {
		t.Fatalf("after a restart: %+v, %v; before: %+v", again, err, first)
	}
}

// ahead is a clock of an hour later.
type ahead struct{}

func (ahead) Now() time.Time                         { return time.Now().Add(time.Hour) }
func (ahead) After(d time.Duration) <-chan time.Time { return time.After(d) }

// TestLogoutEndsTheSessionAndTheChats: Telegram forgets the session, the store holds no key of it, and the customer is
// led to a new chat by the next courier.
func TestLogoutEndsTheSessionAndTheChats(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, stop := b.start(b.config())
	n.wait(t, "ready true", 1)
	p, _ := b.open(c, n, 7)
	stop()

	told, err := c.LogOut(t.Context())
	must(t, err)
	if !told {
		t.Fatal("Telegram was not told:", b.logged())
	}
	if s, err := c.Standing(t.Context()); err != nil || !reflect.DeepEqual(s, courier.Standing{}) {
		t.Fatalf("%+v, %v", s, err)
	}
	if told, err := c.LogOut(t.Context()); !told || err != nil {
		t.Fatalf("once more: %t, %v", told, err)
	}

	_, n, _ = b.start(b.config())
	n.wait(t, "ready true", 1)
	n.wait(t, "closed 7", 1)
	id, err := p.StartSecretChat(t.Context(), courierID)
	must(t, err)
	n.wait(t, "opened 7", 1)
	b.until("the new chat is open", func() bool { return chat(p, id).State == phone.StateOpen })
}

// TestLogoutForgetsWhatIsStoredWhereTelegramIsAway: and says that the session may still live there.
func TestLogoutForgetsWhatIsStoredWhereTelegramIsAway(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	cfg := b.config()
	_, n, stop := b.start(cfg)
	n.wait(t, "ready true", 1)
	stop()
	cfg.Do = func(ctx context.Context, site string, call func(context.Context) error) error {
		if site == "courier.logout" {
			return errors.New("no answer")
		}
		return call(ctx)
	}
	c, err := courier.New(cfg, newNotes())
	must(t, err)
	told, err := c.LogOut(t.Context())
	must(t, err)
	if told {
		t.Error("Telegram counts as told")
	}
	if s, err := c.Standing(t.Context()); err != nil || !reflect.DeepEqual(s, courier.Standing{}) {
		t.Fatalf("%+v, %v", s, err)
	}
	if !strings.Contains(b.logged(), "did not end the courier's session") {
		t.Error("the log does not say so")
	}
}
