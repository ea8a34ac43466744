package mtproto_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/usherbot/usher/bot/simulator/mtproto"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// pulse wakes whoever waits for something on a phone.
type pulse struct {
	mu      sync.Mutex
	changed chan struct{}
}

func newPulse(s *mtproto.Server) *pulse {
	p := &pulse{changed: make(chan struct{})}
	s.OnChange(func(int64) {
		p.mu.Lock()
		defer p.mu.Unlock()
		close(p.changed)
		p.changed = make(chan struct{})
	})
	return p
}

// until waits for something to be true of the phones.
func (p *pulse) until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		if condition() {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

// states are how a phone's chats are.
func states(p phone.Phone) []string {
	var out []string
	for _, c := range p.Chats() {
		out = append(out, c.State)
	}
	return out
}

func do(t *testing.T, p phone.Phone, action string) {
	t.Helper()
	if err := p.Do(t.Context(), action, ""); err != nil {
		t.Fatal(err)
	}
}

// duo is a person with a phone, and two phones that are logged in as the
// courier.
func duo(t *testing.T) (s *mtproto.Server, ada, one, two phone.Phone, p *pulse) {
	t.Helper()
	s = start(t)
	p = newPulse(s)
	s.AddUser(1001, "Ada")
	for range 2 {
		if err := s.AddPhone(account().ID); err != nil {
			t.Fatal(err)
		}
	}
	ada, _ = s.Phone(1001)
	couriers := s.Phones(account().ID)
	return s, ada, couriers[0], couriers[1], p
}

// TestTheFirstOfTwoPhonesHasTheChat: both phones of an account are told of it;
// on the one that answers late nothing is to be seen.
func TestTheFirstOfTwoPhonesHasTheChat(t *testing.T) {
	_, ada, one, two, p := duo(t)
	do(t, two, phone.ActionOff)
	if _, err := ada.StartSecretChat(t.Context(), account().ID); err != nil {
		t.Fatal(err)
	}
	p.until(t, "the phone that is on accepts", func() bool { return slices.Equal(states(one), []string{phone.StateOpen}) })
	do(t, one, phone.ActionOff)
	do(t, two, phone.ActionOn)
	if _, err := ada.StartSecretChat(t.Context(), account().ID); err != nil {
		t.Fatal(err)
	}
	p.until(t, "the other accepts the second chat", func() bool { return slices.Contains(states(two), phone.StateOpen) })
	if len(two.Chats()) != 1 || two.Chats()[0].ID == one.Chats()[0].ID {
		t.Errorf("the late phone shows %v", two.Chats())
	}
	do(t, one, phone.ActionOn)
	p.until(t, "both chats are open for who asked", func() bool {
		return slices.Equal(states(ada), []string{phone.StateOpen, phone.StateOpen})
	})
	if len(one.Chats()) != 1 {
		t.Errorf("the first phone shows %v", one.Chats())
	}
}

// TestWhatWasSentWaitsForThePhone: nothing is shown and nothing marked as read
// before the phone is on again.
func TestWhatWasSentWaitsForThePhone(t *testing.T) {
	_, ada, courier, two, p := duo(t)
	do(t, two, phone.ActionOff)
	chat, err := ada.StartSecretChat(t.Context(), account().ID)
	if err != nil {
		t.Fatal(err)
	}
	p.until(t, "the chat is open", func() bool {
		return slices.Equal(states(ada), []string{phone.StateOpen}) && slices.Equal(states(courier), []string{phone.StateOpen})
	})
	do(t, ada, phone.ActionOff)
	if _, err := courier.Send(t.Context(), chat, "your ticket"); err != nil {
		t.Fatal(err)
	}
	if len(ada.Chats()[0].Messages) != 0 || courier.Chats()[0].Messages[0].Read {
		t.Error("a phone that is off was reached")
	}
	if _, err := ada.Send(t.Context(), chat, "x"); !errors.Is(err, phone.ErrOff) {
		t.Errorf("a phone that is off sends: %v", err)
	}
	do(t, ada, phone.ActionOn)
	p.until(t, "the text arrives and is marked as read", func() bool {
		return len(ada.Chats()[0].Messages) == 1 && courier.Chats()[0].Messages[0].Read
	})
}

// TestAnotherLoginTakesTheChat: the courier's own client comes late, until it
// has made the other login deaf.
func TestAnotherLoginTakesTheChat(t *testing.T) {
	s := start(t)
	p := newPulse(s)
	s.AddUser(1001, "Ada")
	ada, _ := s.Phone(1001)
	l := client(t, s, nil, nil)
	l.run(t, func(ctx context.Context, api *tg.Client) error {
		if err := login(ctx, l); err != nil {
			return err
		}
		if err := s.AddPhone(account().ID); err != nil {
			return err
		}
		other, _ := s.Phone(account().ID)
		if _, err := ada.StartSecretChat(ctx, account().ID); err != nil {
			return err
		}
		u, err := next[*tg.UpdateEncryption](ctx, l)
		if err != nil {
			return err
		}
		p.until(t, "the other login accepts", func() bool { return slices.Equal(states(other), []string{phone.StateOpen}) })
		if _, err := accept(ctx, api, u); !tgerr.Is(err, tg.ErrEncryptionAlreadyAccepted) {
			t.Errorf("the late acceptance is answered %v", err)
		}
		if u, err = next[*tg.UpdateEncryption](ctx, l); err != nil {
			return err
		}
		if _, ok := u.Chat.(*tg.EncryptedChatDiscarded); !ok {
			t.Errorf("the late login is told %T", u.Chat)
		}
		if err := deafen(ctx, api); err != nil {
			return err
		}
		if _, err := ada.StartSecretChat(ctx, account().ID); err != nil {
			return err
		}
		if u, err = next[*tg.UpdateEncryption](ctx, l); err != nil {
			return err
		}
		_, err = accept(ctx, api, u)
		return err
	})
	if len(ada.Chats()) != 2 {
		t.Errorf("Ada's phone shows %v", ada.Chats())
	}
}

// deafen has all other logins of the account not be told of secret chats.
func deafen(ctx context.Context, api *tg.Client) error {
	list, err := api.AccountGetAuthorizations(ctx)
	if err != nil {
		return err
	}
	for _, a := range list.Authorizations {
		if a.Current {
			continue
		}
		req := &tg.AccountChangeAuthorizationSettingsRequest{Hash: a.Hash}
		req.SetEncryptedRequestsDisabled(true)
		if _, err := api.AccountChangeAuthorizationSettings(ctx, req); err != nil {
			return err
		}
	}
	return nil
}
