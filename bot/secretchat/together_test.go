package secretchat

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/tg"
)

// Both sides may start a chat with each other at once. The one that the user has started
// survives, whatever comes first and whatever the client lives through.

// crossing is a client that asks user 1 for a chat, and user 1 who does the same, without
// anything that happens by itself.
type crossing struct {
	t      *testing.T
	d      *device
	phone  *line
	client *Client
	asked  int // our chat; 0 until it is there
}

const theirs = 77 // the user's chat

func newCrossing(t *testing.T) *crossing {
	cloud := newCloud(1, 2)
	x := &crossing{t: t, d: newDevice(t, cloud, 2), phone: &line{cloud: cloud, account: 1}}
	x.restart()
	return x
}

func (x *crossing) restart() {
	x.client = quiet(x.d)
	x.client.cfg.Random = shortExponents{}
	x.client.runs = true
}

// insist does something until no save fails: after each that does the client is made anew.
func (x *crossing) insist(call func() error) {
	x.t.Helper()
	for range 3 {
		err := call()
		if err == nil {
			return
		}
		if !errors.Is(err, ErrHalted) {
			x.t.Fatal(err)
		}
		x.restart()
	}
	x.t.Fatal("it never works")
}

// ask is the caller's, who looks first whether an earlier try has worked.
func (x *crossing) ask() {
	x.insist(func() error {
		chats, err := x.client.Chats(x.t.Context(), 1)
		if err != nil {
			return err
		}
		for _, c := range chats {
			if c.Creator {
				x.asked = c.ID
				return nil
			}
		}
		c, err := x.client.Ask(x.t.Context(), 1, 9)
		if err == nil && c.Creator {
			x.asked = c.ID
		}
		return err
	})
}

// request lets our request reach the server: its parameters first, then itself.
func (x *crossing) request() {
	for range 2 {
		x.work(x.asked)
	}
}

func (x *crossing) work(id int) {
	x.insist(func() error { _, err := x.client.network(x.t.Context(), &worker{id: id}); return err })
}

// accept is the user's phone answering our request, if it has one.
func (x *crossing) accept() {
	x.d.cloud.mu.Lock()
	chat := x.d.cloud.chats[x.asked]
	x.d.cloud.mu.Unlock()
	if x.asked == 0 || chat == nil || chat.over {
		return
	}
	e := env{now: x.d.now(), random: shortExponents{}}
	phone := requested(e, x.asked, 2, 2, chat.ga)
	must(x.t, phone.accept(e, testGroup(x.t), nil))
	_, err := x.phone.MessagesAcceptEncryption(x.t.Context(), &tg.MessagesAcceptEncryptionRequest{
		Peer: phone.peer(), GB: phone.Public, KeyFingerprint: phone.Key.Fingerprint,
	})
	must(x.t, err)
}

// start is the user's phone asking for a chat.
func (x *crossing) start() {
	_, public, err := testGroup(x.t).fresh(shortExponents{}, nil)
	must(x.t, err)
	_, err = x.phone.MessagesRequestEncryption(x.t.Context(), &tg.MessagesRequestEncryptionRequest{
		UserID: &tg.InputUser{UserID: 2}, RandomID: theirs, GA: public,
	})
	must(x.t, err)
	x.hear()
}

// hear takes the updates that wait.
func (x *crossing) hear() {
	x.d.cloud.mu.Lock()
	updates := x.d.cloud.queues[2]
	x.d.cloud.queues[2] = nil
	x.d.cloud.mu.Unlock()
	for _, u := range updates {
		if u, ok := u.(tg.EncryptedChatClass); ok {
			x.insist(func() error { return x.client.HandleChat(x.t.Context(), u) })
		}
	}
}

// rest works at both chats until neither asks for anything.
func (x *crossing) rest() {
	for range 12 {
		x.hear()
		for _, id := range []int{x.asked, theirs} {
			if id != 0 {
				x.work(id)
			}
		}
	}
}

func (x *crossing) judge() {
	x.t.Helper()
	chats, err := x.client.Chats(x.t.Context(), 1)
	must(x.t, err)
	for _, c := range chats {
		switch {
		case c.ID == theirs && c.Phase != PhaseOpen:
			x.t.Errorf("the user's chat is %s for %q", c.Phase, c.Reason)
		case c.ID != theirs && c.Phase != PhaseClosed:
			x.t.Errorf("our chat is %s", c.Phase)
		}
	}
	cloud := x.d.cloud
	cloud.mu.Lock()
	defer cloud.mu.Unlock()
	if chat := cloud.chats[theirs]; chat == nil || chat.over || !chat.accepted {
		x.t.Error("the server does not have the user's chat open")
	}
	if chat := cloud.chats[x.asked]; chat != nil && !chat.over {
		x.t.Error("the server still has ours")
	}
}

func TestChatThatTheUserStartsSurvivesOursAtTheSameTime(t *testing.T) {
	ours := []struct {
		name string
		do   func(x *crossing)
	}{
		{"Ask is called", (*crossing).ask},
		{"the request is at the server", (*crossing).request},
		{"the phone has accepted", (*crossing).accept},
		{"the client has heard of it", (*crossing).hear},
		{"both are done", (*crossing).rest},
	}
	play := func(t *testing.T, before, failAt int, lost bool) int {
		x := newCrossing(t)
		x.d.store.failAt, x.d.store.lost = failAt, lost
		for i, step := range ours {
			if i == before {
				x.start()
			}
			step.do(x)
		}
		x.rest()
		x.judge()
		return x.d.store.puts
	}
	for before, step := range ours {
		t.Run("theirs comes before "+step.name, func(t *testing.T) {
			saves := play(t, before, 0, false)
			for at := 2; at <= 2*saves+1; at++ {
				t.Run(fmt.Sprintf("save %d fails, lost %t", at/2, at%2 == 1), func(t *testing.T) {
					play(t, before, at/2, at%2 == 1)
				})
			}
		})
	}
}

// TestChatOfOursTakesThePlaceOfAnOlderOne is a user with a new phone, which accepts what
// we ask for: the chat with the old phone ends when the new one is open, and not before.
func TestChatOfOursTakesThePlaceOfAnOlderOne(t *testing.T) {
	x := newCrossing(t)
	x.start()
	for range 6 {
		x.work(theirs)
	}
	phase := func() Phase {
		ch, err := x.client.load(t.Context(), theirs)
		must(t, err)
		return ch.Phase
	}
	x.ask()
	if x.asked != 0 {
		t.Fatal("a user who has just asked was asked")
	}
	x.d.jumped.Add(2 * 60)
	x.ask()
	x.request()
	if got := phase(); got != PhaseOpen {
		t.Errorf("while the new phone is asked the old chat is %s", got)
	}
	x.accept()
	x.rest()
	if got := phase(); got != PhaseClosed {
		t.Errorf("once the new chat is open the old one is %s", got)
	}
	chats, err := x.client.Chats(t.Context(), 1)
	must(t, err)
	for _, c := range chats {
		if c.ID == x.asked && c.Phase != PhaseOpen || c.ID == theirs && c.Reason != ReasonReplaced {
			t.Errorf("chat %+v", c)
		}
	}
}

// TestRequestThatGotThroughAfterAllIsDiscarded is about a request of ours that was given
// up before anybody knew that the server had it.
func TestRequestThatGotThroughAfterAllIsDiscarded(t *testing.T) {
	x := newCrossing(t)
	x.d.cloud.after = func(_ int64, call string) error {
		if call == "request" {
			return errors.New("the line is bad")
		}
		return nil
	}
	x.ask()
	x.request()
	must(t, x.client.change(t.Context(), x.asked, func(ch *chat, e env) error {
		ch.end(e, PhaseClosed, ReasonReplaced) // the server said that it did not know the chat
		return nil
	}))
	x.accept()
	x.rest()
	x.d.cloud.mu.Lock()
	defer x.d.cloud.mu.Unlock()
	if !x.d.cloud.chats[x.asked].over {
		t.Error("the phone is left with a chat in which nobody answers")
	}
}

// TestRefusedRequestThatIsToldAgainTakesNothingsPlace: the user was not invited when they first asked, and is by the time
// the server tells of it again, with a chat that lives.
func TestRefusedRequestThatIsToldAgainTakesNothingsPlace(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		t.Run(fmt.Sprintf("restarted %t", restarted), func(t *testing.T) {
			a, b, cloud := twoDevices(t)
			b.welcome = false
			a.start()
			b.start()
			early := a.ask(2)
			a.wait("closed 2: peer")
			b.welcome = true
			good := a.ask(2)
			b.wait("opened 1")
			if restarted {
				b.stop()
				b.start()
			}
			cloud.mu.Lock()
			cloud.push(2, &tg.EncryptedChatRequested{
				ID: early, AccessHash: 2, AdminID: 1, GA: cloud.chats[early].ga, Date: int(b.now().Add(-time.Hour).Unix()),
			})
			cloud.mu.Unlock()
			a.wait("opened 2")
			a.say(good, "still here")
			b.wait("text still here")
			if got := b.told(); !slices.Equal(got, []string{"opened 1", "text still here"}) {
				t.Errorf("told %q", got)
			}
		})
	}
}
