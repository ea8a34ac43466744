package secretchat

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// quiet is a client that does not run: what it is given stays in its store.
func quiet(d *device) *Client {
	d.renew()
	return d.current()
}

// openRecord stores an open chat with user 1 and returns its id.
func openRecord(t *testing.T, d *device) int {
	c, err := decodeChat(template()[1])
	must(t, err)
	c.User, c.Events = 1, nil
	raw, err := c.encode()
	must(t, err)
	d.store.values[chatName(c.User, c.ID)] = raw
	return c.ID
}

func TestTwoClientsOnOneStoreAreNoticed(t *testing.T) {
	d := newDevice(t, newCloud(2), 2)
	id := openRecord(t, d)
	first, second := quiet(d), quiet(d)
	onlooker := quiet(d)
	for _, c := range []*Client{first, second} { // both have read the same record
		c.runs = true
		_, err := c.Chats(t.Context(), 1)
		must(t, err)
	}
	_, err := first.SendText(t.Context(), id, "a", "a")
	must(t, err)
	if _, err := second.SendText(t.Context(), id, "b", "b"); !errors.Is(err, ErrHalted) {
		t.Fatalf("the second writer: %v", err)
	}
	_, err = first.SendText(t.Context(), id, "c", "c")
	must(t, err)
	for range 2 { // who does not run may read at any time
		if _, known, err := onlooker.State(t.Context(), id, "c"); err != nil || !known {
			t.Fatalf("an onlooker: known %t, %v", known, err)
		}
		_, err = first.SendText(t.Context(), id, "d", "d")
		must(t, err)
	}
}

func TestRetiredClientWritesNothing(t *testing.T) {
	d := newDevice(t, newCloud(2), 2)
	id := openRecord(t, d)
	old := quiet(d)
	old.Retire()
	before := d.store.puts
	if _, err := old.SendText(t.Context(), id, "a", "a"); !errors.Is(err, ErrHalted) {
		t.Fatalf("a retired client took a text: %v", err)
	}
	if err := old.HandleMessage(t.Context(), &tg.EncryptedMessageService{ChatID: id}); !errors.Is(err, ErrHalted) {
		t.Fatalf("a retired client took an update: %v", err)
	}
	if d.store.puts != before {
		t.Error("a retired client has written")
	}
}

func TestChatsThatTheStoreHasForgottenAPartOfAreClosed(t *testing.T) {
	for name, damage := range map[string]func(d *device, record string, older []byte){
		"older":    func(d *device, record string, older []byte) { d.store.values[record] = older },
		"vanished": func(d *device, record string, _ []byte) { delete(d.store.values, record) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t, newCloud(2), 2)
			id := openRecord(t, d)
			c := quiet(d)
			c.runs = true
			_, err := c.SendText(t.Context(), id, "a", "a")
			must(t, err)
			older := bytes.Clone(d.store.values[chatName(1, id)])
			_, err = c.SendText(t.Context(), id, "after the snapshot", "text")
			must(t, err)
			damage(d, chatName(1, id), older)
			if _, err := c.SendText(t.Context(), id, "on", "on"); !errors.Is(err, ErrNoChat) {
				t.Fatalf("the chat goes on: %v", err)
			}
			c.runs = false // what was saved, and not what this client knows
			ch, err := c.load(t.Context(), id)
			must(t, err)
			if ch.Phase != PhaseClosing || ch.Reason != ReasonStale || ch.Key != nil || len(ch.Events) == 0 {
				t.Errorf("the chat is %s for %s, %d events", ch.Phase, ch.Reason, len(ch.Events))
			}
			must(t, c.HandleMessage(t.Context(), &tg.EncryptedMessageService{ChatID: id}))
		})
	}
}

func TestMessageInAChatThatTheStoreHasLostClosesItForThePhone(t *testing.T) {
	a, b, cloud := twoDevices(t)
	a.start()
	b.start()
	id := a.ask(2)
	a.wait("opened 2")
	b.wait("opened 1")
	a.stop()
	a.store.values = map[string][]byte{}
	a.start()
	// The phone's own NotifyLayer may have been enough already.
	if _, err := b.current().SendText(t.Context(), id, "a", "anybody?"); err != nil && !errors.Is(err, ErrNoChat) {
		t.Fatal(err)
	}
	b.wait("closed 1: peer")
	cloud.mu.Lock()
	defer cloud.mu.Unlock()
	if !cloud.chats[id].over {
		t.Error("the server still has the chat")
	}
}

func TestFailedSendLeavesNoPicture(t *testing.T) {
	d := newDevice(t, newCloud(2), 2)
	c := quiet(d)
	if _, err := c.SendPhoto(t.Context(), 77, "p", Photo{Data: []byte("x"), W: 1, H: 1}); !errors.Is(err, ErrNoChat) {
		t.Fatal(err)
	}
	if n := d.store.count(photoPrefix); n != 0 {
		t.Errorf("%d pictures stay behind", n)
	}
}

func TestWhatIsUnfitIsRefusedBeforeAnythingIsKept(t *testing.T) {
	d := newDevice(t, newCloud(2), 2)
	id := openRecord(t, d)
	c := quiet(d)
	picture := Photo{Data: []byte("x"), W: 1, H: 1}
	for name, send := range map[string]func() (State, error){
		"no text":   func() (State, error) { return c.SendText(t.Context(), id, "k", "") },
		"no key":    func() (State, error) { return c.SendText(t.Context(), id, "", "text") },
		"no UTF-8":  func() (State, error) { return c.SendText(t.Context(), id, "k", "\xff") },
		"long text": func() (State, error) { return c.SendText(t.Context(), id, "k", strings.Repeat("a", maxText+1)) },
		"wide text": func() (State, error) { return c.SendText(t.Context(), id, "k", strings.Repeat("𝄞", maxText/2+1)) },
		"no file":   func() (State, error) { return c.SendPhoto(t.Context(), id, "k", Photo{W: 1, H: 1}) },
		"no size":   func() (State, error) { p := picture; p.W = 0; return c.SendPhoto(t.Context(), id, "k", p) },
		"thumbnail": func() (State, error) { p := picture; p.ThumbW = 91; return c.SendPhoto(t.Context(), id, "k", p) },
	} {
		if _, err := send(); !errors.Is(err, ErrUnfit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d.store.puts != 0 {
		t.Error("something was kept")
	}
}

func request(id int, user int64, g group) *tg.EncryptedChatRequested {
	_, public, err := g.fresh(rand.Reader, nil)
	if err != nil {
		panic(err)
	}
	return &tg.EncryptedChatRequested{ID: id, AccessHash: 2, AdminID: user, GA: public}
}

func TestStrangersCostBoundedMemory(t *testing.T) {
	d := newDevice(t, newCloud(2), 2)
	d.welcome = false
	c := quiet(d)
	for i := range 3 * maxTurnedAway {
		must(t, c.HandleChat(t.Context(), &tg.EncryptedChatRequested{ID: i + 1, AdminID: int64(i + 1)}))
	}
	if n := d.store.count(chatPrefix); n != maxTurnedAway {
		t.Errorf("%d records", n)
	}
}

func TestOneUserCannotHaveChatsWithoutEnd(t *testing.T) {
	d := newDevice(t, newCloud(2), 2)
	c, g := quiet(d), testGroup(t)
	ask := func(id int) Phase {
		must(t, c.HandleChat(t.Context(), request(id, 1, g)))
		ch, err := c.load(t.Context(), id)
		must(t, err)
		return ch.Phase
	}
	for i := range maxRequests {
		if got := ask(i + 1); got != PhaseRequested {
			t.Fatalf("request %d is %s", i+1, got)
		}
	}
	if got := ask(maxRequests + 1); got != PhaseClosing {
		t.Fatalf("one request too many is %s", got)
	}
	d.jumped.Add(int64(requestWindow/time.Second) + 1)
	if got := ask(maxRequests + 2); got != PhaseRequested {
		t.Fatalf("an hour later a request is %s", got)
	}
}

func TestOldChatsOfOneUserAreForgotten(t *testing.T) {
	d := newDevice(t, newCloud(2), 2)
	c, g := quiet(d), testGroup(t)
	for id := 1; id <= 2*maxKept; id++ {
		d.jumped.Add(int64(requestWindow / time.Second))
		must(t, c.HandleChat(t.Context(), request(id, 1, g)))
		must(t, c.change(t.Context(), id, func(ch *chat, e env) error { ch.end(e, PhaseClosed, ReasonPeer); return nil }))
	}
	if n := d.store.count(chatPrefix); n > maxKept+2 {
		t.Errorf("%d records are kept", n)
	}
	if _, known, _ := c.userOf(t.Context(), 2*maxKept); !known {
		t.Error("the newest is forgotten")
	}
}

func TestPhoneThatDoesNotAnswerIsGivenUp(t *testing.T) {
	a, _, cloud := twoDevices(t)
	a.patience = time.Hour
	discarded := make(chan struct{})
	tell := sync.OnceFunc(func() { close(discarded) })
	cloud.refuse = func(_ int64, call string) error {
		if call == "discard" {
			tell()
		}
		return nil
	}
	a.start()
	a.ask(2)
	a.wait("closed 2: patience")
	select {
	case <-discarded:
	case <-time.After(patience):
		t.Error("the server was not told")
	}
}

func TestChatsThatTelegramDoesNotLetUsStartEndAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want Reason
	}{
		"a day's flood": {tgerr.New(420, "FLOOD_WAIT_80000"), ReasonFlood},
		"strangers":     {tgerr.New(400, "PEER_FLOOD"), ReasonFlood},
		"privacy":       {tgerr.New(403, "USER_PRIVACY_RESTRICTED"), ReasonPrivacy},
		"blocked":       {tgerr.New(403, "USER_IS_BLOCKED"), ReasonBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, cloud := twoDevices(t)
			cloud.refuse = func(_ int64, call string) error {
				if call == "request" {
					return c.err
				}
				return nil
			}
			a.start()
			a.ask(2)
			a.wait("closed 2: " + string(c.want))
		})
	}
}

func TestUpgradedLibraryTellsItsLayerAgain(t *testing.T) {
	p := openPair(t)
	p.sides[0].Notified = ourLayer - 1
	must(t, p.sides[0].notifyLayer(p.env()))
	if out := p.sides[0].next(); out == nil {
		t.Fatal("nothing is said")
	}
	p.settle()
	must(t, p.sides[0].notifyLayer(p.env()))
	if out := p.sides[0].next(); out != nil {
		t.Error("it is said twice")
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	p := openPair(t)
	c := p.sides[1]
	text := strings.Repeat("x", 64<<10)
	var faults []Fault
	for i := range 2 * maxHeld / len(text) {
		p.say(0, fmt.Sprint(i)) // the number is used, the message never arrives
		p.sides[0].Outbox = nil
		l := p.honest(0, textMessage(text))
		p.sides[0].Out++
		faults = append(faults, p.hit(1, p.forge(0, l)))
	}
	if c.held() > maxHeld || !c.live() || !slices.Contains(faults, FaultCrowded) {
		t.Errorf("%d bytes held, %v, faults %v", c.held(), c, faults)
	}
	early := asking(p.env(), 1, 2, 3)
	for range 2 * maxHeld / len(text) {
		_, err := early.receive(p.env(), []byte(text))
		must(t, err)
	}
	if early.held() > maxHeld {
		t.Errorf("%d early bytes held", early.held())
	}
}
