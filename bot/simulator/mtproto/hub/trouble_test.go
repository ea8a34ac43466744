package hub_test

import (
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"github.com/usherbot/usher/bot/simulator/mtproto/hub"
)

// do carries out something of the hub's that must not fail.
func (w *world) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// over reads whether the newest chat that a device is told of is discarded.
func (w *world) over(api *tg.Client) bool {
	w.t.Helper()
	events := w.events(api, 0)
	_, ok := events[len(events)-1].(*tg.EncryptedChatDiscarded)
	return ok
}

func TestPrivacyForbidsSecretChats(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	_, u := w.device(usher)
	to := w.find(u, "ada")
	w.do(w.hub.Hide(ada, true))
	wants(t, w.ask(u, to, 1), "USER_PRIVACY_RESTRICTED")
	if err := w.ask(a, w.find(a, "usher_courier"), 2); err != nil {
		t.Errorf("who is hidden may not ask: %v", err)
	}
	w.do(w.hub.Hide(ada, false))
	if err := w.ask(u, to, 1); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestWhoIsBlockedCannotWriteIntoAnOpenChat(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	_, u := w.device(usher)
	peerA, peerU := w.open(a, u, w.find(a, "usher_courier"), 5)
	w.do(w.hub.Block(ada, usher, true))
	wants(t, send(w, u, peerU, 1), "USER_IS_BLOCKED")
	if err := send(w, a, peerA, 1); err != nil {
		t.Errorf("who blocks cannot write: %v", err)
	}
	wants(t, w.ask(u, w.find(u, "ada"), 6), "USER_IS_BLOCKED")
	w.do(w.hub.Block(ada, usher, false))
	if err := send(w, u, peerU, 1); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestWhoAddressesTooManyIsStopped(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	_, u := w.device(usher)
	to := w.find(u, "ada")
	w.do(w.hub.Flood(usher, 0))
	wants(t, w.ask(u, to, 1), "PEER_FLOOD")
	_, err := w.answer(u, to, 1, "x")
	wants(t, err, "PEER_FLOOD")
	w.write(ada, usher, "hello")
	if _, err := w.answer(u, to, 1, "x"); err != nil {
		t.Errorf("an answer to who wrote first: %v", err)
	}
	peerA, peerU := w.open(a, u, w.find(a, "usher_courier"), 2)
	if err := send(w, u, peerU, 1); err != nil {
		t.Errorf("writing into a chat that somebody asked for: %v", err)
	}
	if err := send(w, a, peerA, 1); err != nil {
		t.Error(err)
	}
	w.do(w.hub.Calm(usher))
	if err := w.ask(u, to, 1); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestAFloodWaitEndsByItself(t *testing.T) {
	w := newWorld(t)
	w.device(ada)
	_, u := w.device(usher)
	to := w.find(u, "ada")
	w.do(w.hub.Flood(usher, 100*time.Second))
	wants(t, w.ask(u, to, 1), "FLOOD_WAIT")
	w.now = w.now.Add(99*time.Second + time.Millisecond)
	wants(t, w.ask(u, to, 1), "FLOOD_WAIT")
	w.now = w.now.Add(time.Second)
	if err := w.ask(u, to, 1); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestABannedAccountIsNobody(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	d, u := w.device(usher)
	with := w.find(a, "usher_courier")
	peerA, _ := w.open(a, u, with, 5)
	if err := w.ask(a, with, 6); err != nil {
		t.Fatal(err)
	}
	var told []hub.Answer
	d.Subscribe(func(a hub.Answer) { told = append(told, a) })
	w.do(w.hub.Ban(usher))
	if !w.hub.Banned(usher) || w.hub.Banned(ada) {
		t.Error("it is not known who is banned")
	}
	if len(told) != 1 || (&tg.UpdatesTooLong{}).Decode(&bin.Buffer{Buf: told[0]}) != nil {
		t.Errorf("the device is told %v", told)
	}
	_, err := u.UpdatesGetState(t.Context())
	wants(t, err, "USER_DEACTIVATED_BAN")
	wants(t, send(w, a, peerA, 1), "ENCRYPTION_DECLINED")
	events := w.events(a, 0)
	if n := len(events); n < 2 {
		t.Errorf("Ada is told %v", events)
	}
	for _, e := range events[len(events)-2:] {
		if _, ok := e.(*tg.EncryptedChatDiscarded); !ok {
			t.Errorf("a chat of the banned account is told as %T", e)
		}
	}
	wants(t, w.ask(a, with, 7), "INPUT_USER_DEACTIVATED")
	_, err = w.hub.Write(ada, usher, "x")
	wants(t, err, "INPUT_USER_DEACTIVATED")
	_, err = a.ContactsResolveUsername(t.Context(), &tg.ContactsResolveUsernameRequest{Username: "usher_courier"})
	wants(t, err, "USERNAME_NOT_OCCUPIED")
	if seen, err := a.UsersGetUsers(t.Context(), []tg.InputUserClass{with}); err != nil || !seen[0].(*tg.User).Deleted {
		t.Errorf("Ada sees %v, %v", seen, err)
	}
	w.do(w.hub.Unban(usher))
	_, err = u.UpdatesGetState(t.Context())
	wants(t, err, "AUTH_KEY_UNREGISTERED")
	if err := w.ask(a, with, 7); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestEndedSessionsTakeTheirChatsAlong(t *testing.T) {
	w := newWorld(t)
	_, a := w.device(ada)
	_, u := w.device(usher)
	peerA, _ := w.open(a, u, w.find(a, "usher_courier"), 5)
	w.do(w.hub.EndSessions(usher))
	_, err := u.UpdatesGetState(t.Context())
	wants(t, err, "SESSION_REVOKED")
	wants(t, send(w, a, peerA, 1), "ENCRYPTION_DECLINED")
	if !w.over(a) {
		t.Error("Ada is not told")
	}
	if _, u = w.device(usher); w.ask(u, w.find(u, "ada"), 6) != nil {
		t.Error("a new login does not serve")
	}
	for _, err := range []error{w.hub.Ban(99), w.hub.Flood(99, 0), w.hub.EndSessions(99), w.hub.Hide(99, true)} {
		if err == nil {
			t.Error("something was done to nobody")
		}
	}
}
