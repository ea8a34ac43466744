package courier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// TestABannedAccountsCustomersAreLedToAnotherOne: in the middle of deliveries. None is lost, the operator is told once,
// and selling goes on until the last account is gone.
func TestABannedAccountsCustomersAreLedToAnotherOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	guests := r.guests(7, 8, 9, 10, 11, 12)
	theirs := map[string]int{}
	for _, g := range guests {
		theirs[g.with]++
	}
	if len(theirs) != 2 {
		t.Fatalf("the customers are with %v", theirs)
	}
	for _, g := range guests {
		r.deliver(g)
	}
	must(t, r.server.Hub().Ban(courierID))
	for _, g := range guests { // whatever is done next finds the account gone
		_ = r.pool.Say(t.Context(), g.id, "hello", "hello")
	}
	r.eventually("the account counts as banned", func() bool { return len(r.accounts(courier.HealthBanned)) == 1 })
	for _, g := range guests {
		if g.with != "usher_courier" {
			r.deliver(g)
			continue
		}
		r.notes.wait(t, fmt.Sprintf("closed %d account", g.id), 1)
		r.leads(g)
		if g.with != "usher_second" {
			t.Fatalf("customer %d is led to %s", g.id, g.with)
		}
		r.deliver(g)
	}
	for _, g := range guests {
		r.until("the ticket is on the phone", func() bool { n, _ := g.pictures(); return n > 0 })
		if n, marked := g.pictures(); n > 2 || !marked {
			t.Errorf("customer %d has it %d times, marked %t", g.id, n, marked)
		}
	}
	told := "ready false Telegram has taken the account away"
	r.notes.wait(t, told, 1)
	r.stop()
	r.run()
	r.healthy(1)
	if n := r.notes.count("ready"); n != 0 {
		t.Errorf("told again after a restart: %d", n)
	}
	if serves, err := r.pool.Serves(t.Context()); !serves || err != nil {
		t.Errorf("serves %t, %v", serves, err)
	}
	must(t, r.server.Hub().Ban(secondID))
	_ = r.pool.Say(t.Context(), 7, "bye", "bye")
	r.eventually("nobody serves", func() bool { serves, err := r.idle().Serves(t.Context()); return !serves && err == nil })
	if _, err := r.idle().Contact(t.Context(), 7); !errors.Is(err, courier.ErrNoCourier) {
		t.Errorf("contact: %v", err)
	}
}

// TestAnEndedSessionIsLoggedInAnewBesideARunningPool: it is taken up within seconds, and the customer keeps their account.
func TestAnEndedSessionIsLoggedInAnewBesideARunningPool(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	g := r.guests(7)[0]
	must(t, r.server.Hub().EndSessions(courierID))
	_ = r.pool.Say(t.Context(), 7, "hello", "hello")
	r.notes.wait(t, "ready false Telegram has ended the courier's session", 1)
	r.notes.wait(t, "closed 7 account", 1)
	if _, err := r.pool.Contact(t.Context(), 7); !errors.Is(err, courier.ErrNoCourier) {
		t.Errorf("contact: %v", err)
	}
	_, err := r.idle().Login(t.Context(), logins(0))
	must(t, err)
	r.healthy(1)
	r.leads(g)
	r.deliver(g)
	r.until("the ticket is on the phone", func() bool { n, _ := g.pictures(); return n == 1 })
	if all, err := r.pool.Accounts(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("accounts %+v, %v", all, err)
	}
}

// TestALoggedOutAccountStopsWhileThePoolRuns and its customers are led to the other one.
func TestALoggedOutAccountStopsWhileThePoolRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	guests := r.guests(7, 8, 9, 10, 11, 12)
	other := r.idle()
	all, err := other.Accounts(t.Context())
	must(t, err)
	if _, err := courier.Named(all, ""); !errors.Is(err, courier.ErrNoAccount) {
		t.Errorf("one of two without a name: %v", err)
	}
	one, err := courier.Named(all, "@usher_second")
	must(t, err)
	must(t, other.Retire(t.Context(), one))
	r.eventually("it is logged out", func() bool { waits, err := other.Waiting(t.Context()); return err == nil && !waits })
	for _, g := range guests {
		if g.with == "usher_second" {
			r.notes.wait(t, fmt.Sprintf("closed %d account", g.id), 1)
			r.leads(g)
		}
		if g.with != "usher_courier" {
			t.Errorf("customer %d is with %s", g.id, g.with)
		}
	}
	if n := r.notes.count("ready"); n != 0 {
		t.Errorf("the operator is told of what they did: %d", n)
	}
}

// TestACustomerWhoStartsAChatWithAnotherAccountIsItsFromThenOn and the chat before it ends, which is no news.
func TestACustomerWhoStartsAChatWithAnotherAccountIsItsFromThenOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	g := r.guests(7)[0]
	to := "usher_second"
	if g.with == to {
		to = "usher_courier"
	}
	id, err := g.phone.StartSecretChat(t.Context(), idOf(to))
	must(t, err)
	r.notes.wait(t, "opened 7 ", 2)
	r.until("the first chat is over", func() bool { return chat(g.phone, g.chats[0]).State == phone.StateClosed })
	r.deliver(g)
	r.until("the ticket is in the second chat", func() bool { return len(arrived(g.phone, id)) == 2 })
	if contact, err := r.idle().Contact(t.Context(), 7); err != nil || contact.Username != to {
		t.Errorf("contact %+v, %v", contact, err)
	}
	if r.notes.count("closed") != 0 {
		t.Error("the end of the first chat was told")
	}
}

// TestARenewedChatIsOverAtOnceInEveryProcess and at the phone; nobody is told, for the customer asked for it.
func TestARenewedChatIsOverAtOnceInEveryProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	g := r.guests(7)[0]
	for _, process := range []*courier.Pool{r.idle(), r.pool} {
		must(t, process.Renew(t.Context(), 7))
		for _, p := range []*courier.Pool{process, r.pool, r.idle()} {
			if state, err := p.Chat(t.Context(), 7); err != nil || state != courier.ChatNone {
				t.Errorf("chat %s, %v", state, err)
			}
		}
		last := g.chats[len(g.chats)-1]
		r.until("the chat is over on the phone", func() bool { return chat(g.phone, last).State == phone.StateClosed })
		r.leads(g)
	}
	if r.notes.count("closed") != 0 {
		t.Error("it was told")
	}
}

// TestStartingOverMakesEveryChatNew: as after a store that came back older.
func TestStartingOverMakesEveryChatNew(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	g := r.guests(7)[0]
	r.stop()
	must(t, r.pool.StartOver(t.Context()))
	r.run()
	r.notes.wait(t, "closed 7 fault", 1)
	r.until("the chat is over on the phone", func() bool { return chat(g.phone, g.chats[0]).State == phone.StateClosed })
}

// TestTheAccountOfTheFirstFormatGoesOn: a store from before there could be several accounts.
func TestTheAccountOfTheFirstFormatGoesOn(t *testing.T) {
	t.Parallel()
	r := &rig{bed: newBed(t, secondAccount)}
	c, n, stop := r.start(r.config())
	n.wait(t, "ready true", 1)
	p, id := r.open(c, n, 7)
	stop()
	r.run()
	r.healthy(1)
	must(t, r.pool.Say(t.Context(), 7, "hello", "hello again"))
	r.until("the text is on the phone", func() bool { return slices.Contains(arrived(p, id), "hello again") })
	_, err := r.pool.Login(t.Context(), logins(1))
	must(t, err)
	r.healthy(2)
}

// TestOtherSessionsThatWouldTakeChatsAreSilencedOrNamed.
func TestOtherSessionsThatWouldTakeChatsAreSilencedOrNamed(t *testing.T) {
	t.Parallel()
	r := &rig{bed: newBed(t, secondAccount)}
	b := r.bed
	must(t, b.server.AddPhone(courierID))
	r.run()
	for _, silence := range []bool{false, true} {
		login, asked := logins(0), 0
		login.Silence = func(_ context.Context, others []courier.Session) bool {
			asked = len(others)
			return silence
		}
		s, err := r.idle().Login(t.Context(), login)
		must(t, err)
		if asked == 0 || (len(s.Others) == 0) != silence {
			t.Errorf("silence %t: asked of %d, left %+v", silence, asked, s.Others)
		}
		r.healthy(1)
	}
	r.guests(7)
	stolen, _ := b.server.Phone(courierID)
	if chats := stolen.Chats(); len(chats) != 0 {
		t.Errorf("the other session has %+v", chats)
	}
}

// TestAnotherSessionThatComesLaterIsTold: it would take chats that customers start.
func TestAnotherSessionThatComesLaterIsTold(t *testing.T) {
	t.Parallel()
	r := &rig{bed: newBed(t, secondAccount), look: 20 * time.Millisecond}
	_, err := r.idle().Login(t.Context(), logins(0))
	must(t, err)
	r.run()
	r.healthy(1)
	must(t, r.server.AddPhone(courierID))
	r.notes.wait(t, "ready false", 1)
	all, err := r.pool.Accounts(t.Context())
	must(t, err)
	if len(all) != 1 || len(all[0].Others) != 1 {
		t.Errorf("%+v", all)
	}
}

// TestAWrongCodeMayBePutRight: as when the file still holds the one before.
func TestAWrongCodeMayBePutRight(t *testing.T) {
	t.Parallel()
	r := &rig{bed: newBed(t, secondAccount)}
	for _, row := range []struct {
		codes []string
		ok    bool
	}{
		{[]string{"11111", "54321"}, true},
		{[]string{"11111", "11111", "54321"}, false},
		{[]string{"11111", "22222", "33333", "54321"}, false},
	} {
		given := 0
		login := logins(0)
		login.Code = func(context.Context) (string, error) {
			given++
			return row.codes[given-1], nil
		}
		_, err := r.idle().Login(t.Context(), login)
		if (err == nil) != row.ok {
			t.Errorf("%q: %v", row.codes, err)
		}
		for _, code := range row.codes {
			if err != nil && strings.Contains(err.Error(), code) {
				t.Errorf("the error has the code: %v", err)
			}
		}
	}
}

// TestAnAccountThatHasNothingToSendNoticesThatItIsGone: nobody writes to it, and nothing is delivered.
func TestAnAccountThatHasNothingToSendNoticesThatItIsGone(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	cfg := b.config()
	cfg.Clock = hasty{}
	_, n, _ := b.start(cfg)
	n.wait(t, "ready true", 1)
	must(t, b.server.Hub().EndSessions(courierID))
	n.wait(t, "ready false Telegram has ended the courier's session", 1)
}

// hasty is a clock whose pauses are short.
type hasty struct{}

func (hasty) Now() time.Time                         { return time.Now() }
func (hasty) After(d time.Duration) <-chan time.Time { return time.After(d / 50) }
