package secretchat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testPicture begins as a PNG does.
var testPicture = []byte("\x89PNG\r\n\x1a\nthe picture")

// story is one chat from the request to its end, after which both devices rest.
func story(t *testing.T, a, b *device) int {
	a.start()
	b.start()
	id := a.ask(2)
	a.wait("opened 2")
	b.wait("opened 1")
	a.say(id, "first")
	a.show(id, "picture", testPicture)
	a.say(id, "second")
	b.wait("text second")
	a.wait("picture sent")
	a.say(id, "third")
	b.wait("text third")
	b.say(id, "answer")
	a.wait("text answer")
	for _, key := range []string{"first", "picture", "second", "third"} {
		a.wait(key + " seen")
	}
	a.insist(func(c *Client) error { return c.Close(t.Context(), id) })
	b.wait("closed 1: peer")
	a.wait("closed 2: ours")
	a.stop()
	b.stop()
	return id
}

func TestChatFromRequestToEnd(t *testing.T) {
	a, b, cloud := twoDevices(t)
	story(t, a, b)
	want := []string{"opened 1", "text first", "file caption: the picture", "text second", "text third", "answer sent", "closed 1: peer"}
	if got := b.told(); !slices.Equal(got, want) {
		t.Errorf("told %q", got)
	}
	if len(cloud.files) != 1 || a.store.count(photoPrefix) != 0 {
		t.Errorf("%d files sent, %d pictures kept", len(cloud.files), a.store.count(photoPrefix))
	}
	for _, file := range cloud.files {
		if bytes.Contains(file, []byte("picture")) {
			t.Error("the file is readable at the server")
		}
	}
}

// TestAnySaveMayFail lets each save of either side fail once, before it has happened
// or after. The side halts and goes on from its store, as after a kill: nothing is
// lost, nothing comes twice or out of order, no number is used twice.
func TestAnySaveMayFail(t *testing.T) {
	a, b, _ := twoDevices(t)
	story(t, a, b)
	for _, victim := range []int64{1, 2} {
		saves := map[int64]int{1: a.store.puts, 2: b.store.puts}[victim]
		for at := 2; at <= 2*saves+1; at++ {
			t.Run(fmt.Sprintf("save %d of account %d, lost %t", at/2, victim, at%2 == 1), func(t *testing.T) {
				t.Parallel()
				a, b, cloud := twoDevices(t)
				store := map[int64]*device{1: a, 2: b}[victim].store
				store.failAt, store.lost = at/2, at%2 == 1
				story(t, a, b)
				var texts []string
				for _, note := range b.told() {
					if len(note) > 5 && note[:5] == "text " {
						texts = append(texts, note)
					}
				}
				if !slices.Equal(texts, []string{"text first", "text second", "text third"}) {
					t.Errorf("told %q", b.told())
				}
				if len(cloud.files) != 1 {
					t.Errorf("%d files were sent", len(cloud.files))
				}
			})
		}
	}
}

func TestUninvitedIsDiscardedAndForgotten(t *testing.T) {
	a, b, _ := twoDevices(t)
	b.welcome = false
	a.start()
	b.start()
	a.ask(2)
	a.wait("closed 2: peer")
	if told := b.told(); len(told) != 0 {
		t.Errorf("told %q", told)
	}
}

func TestFloodWaitKeepsTheMessage(t *testing.T) {
	a, b, cloud := twoDevices(t)
	floods := 2
	cloud.refuse = func(_ int64, call string) error {
		if call == "send" && floods > 0 {
			floods--
			return tgerr.New(420, "FLOOD_WAIT_3")
		}
		return nil
	}
	story(t, a, b)
	if floods != 0 {
		t.Error("no flood was met")
	}
}

func TestStaleUploadIsUploadedAnew(t *testing.T) {
	a, b, cloud := twoDevices(t)
	stale := true
	cloud.refuse = func(_ int64, call string) error {
		if call == "file" && stale {
			stale = false
			return tgerr.New(400, "FILE_PART_0_MISSING")
		}
		return nil
	}
	story(t, a, b)
	if stale || len(cloud.files) != 1 {
		t.Errorf("%d files were sent", len(cloud.files))
	}
}

func TestAnotherLoginTookTheChat(t *testing.T) {
	a, b, cloud := twoDevices(t)
	cloud.refuse = func(account int64, call string) error {
		if account == 2 && call == "accept" {
			return tgerr.New(400, "ENCRYPTION_ALREADY_ACCEPTED")
		}
		return nil
	}
	a.start()
	b.start()
	a.ask(2)
	b.wait("closed 1: elsewhere")
}

func TestEndedSessionEndsTheClient(t *testing.T) {
	c := newCloud(1)
	c.refuse = func(int64, string) error { return tgerr.New(401, "AUTH_KEY_UNREGISTERED") }
	d := newDevice(t, c, 1)
	d.renew()
	done := make(chan error, 1)
	go func() { done <- d.client.Run(t.Context()) }()
	d.ask(2)
	select {
	case err := <-done:
		if !tgerr.Is(err, "AUTH_KEY_UNREGISTERED") {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the client goes on")
	}
}

func TestRequestToldTwiceIsOneChat(t *testing.T) {
	a, b, cloud := twoDevices(t)
	a.start()
	b.start()
	id := a.ask(2)
	b.wait("opened 1")
	cloud.mu.Lock()
	cloud.push(2, &tg.EncryptedChatRequested{ID: id, AccessHash: 2, AdminID: 1, GA: cloud.chats[id].ga})
	cloud.mu.Unlock()
	a.wait("opened 2")
	a.say(id, "still here")
	b.wait("text still here")
	if got := b.told(); !slices.Equal(got, []string{"opened 1", "text still here"}) {
		t.Errorf("told %q", got)
	}
}

func TestNewerRequestReplacesTheOlderChat(t *testing.T) {
	a, b, _ := twoDevices(t)
	a.start()
	b.start()
	a.ask(2)
	b.wait("opened 1")
	a.ask(2)
	b.wait("closed 1: replaced")
	chats, err := b.current().Chats(t.Context(), 1)
	must(t, err)
	live := 0
	for _, c := range chats {
		if c.Phase != PhaseClosed && c.Phase != PhaseClosing {
			live++
		}
	}
	if live != 1 {
		t.Errorf("%d chats live of %+v", live, chats)
	}
}

func TestKeyPictureIsTheSameOnBothSides(t *testing.T) {
	a, b, _ := twoDevices(t)
	a.start()
	b.start()
	id := a.ask(2)
	a.wait("opened 2")
	b.wait("opened 1")
	ours, errOurs := a.current().KeyPicture(t.Context(), id)
	theirs, errTheirs := b.current().KeyPicture(t.Context(), id)
	if errors.Join(errOurs, errTheirs) != nil || ours != theirs || ours == (KeyPicture{}) {
		t.Errorf("%v and %v, errors %v %v", ours.Lines(), theirs.Lines(), errOurs, errTheirs)
	}
}

func TestDamagedRecordLosesOneChatOnly(t *testing.T) {
	a, b, cloud := twoDevices(t)
	b.store.values[chatName(1, 5)] = []byte(`{"v":1,"phase":"open"}`)
	b.store.values[chatName(1, 6)] = []byte("no record")
	cloud.push(2, &tg.EncryptedMessageService{ChatID: 5, Bytes: []byte("anything")})
	story(t, a, b)
}

func TestAbandonedChatsAreOverWithoutACall(t *testing.T) {
	a, b, cloud := twoDevices(t)
	a.start()
	b.start()
	a.ask(2)
	a.wait("opened 2")
	b.wait("opened 1")
	cloud.mu.Lock()
	cloud.refuse = func(_ int64, call string) error { return fmt.Errorf("%s was called", call) }
	cloud.mu.Unlock()
	must(t, b.current().Abandon(t.Context()))
	b.wait("closed 1: session")
}

func TestUnsentPicturesGoWithTheirChat(t *testing.T) {
	a, b, cloud := twoDevices(t)
	a.start()
	b.start()
	id := a.ask(2)
	a.wait("opened 2")
	tried := make(chan struct{}, 1)
	cloud.mu.Lock()
	cloud.refuse = func(_ int64, call string) error {
		if call != "upload" {
			return nil
		}
		select {
		case tried <- struct{}{}:
		default:
		}
		return errors.New("the line is bad")
	}
	cloud.mu.Unlock()
	a.show(id, "picture", testPicture)
	<-tried
	must(t, a.current().Close(t.Context(), id))
	a.wait("closed 2: ours")
	b.wait("closed 1: peer")
	a.stop()
	a.renew()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.current().Run(ctx) }()
	deadline := time.After(patience)
	for a.store.count(photoPrefix) > 0 {
		select {
		case <-deadline:
			t.Fatal("the picture is still there")
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	<-done
}
