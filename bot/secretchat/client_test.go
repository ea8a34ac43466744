package secretchat

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// device is one account's client with its store, restarted whenever it halts.
type device struct {
	t       *testing.T
	account int64
	cloud   *cloud
	store   *drawer
	welcome bool
	jumped  atomic.Int64 // seconds

	mu      sync.Mutex
	client  *Client
	notes   []string
	changed chan struct{}
	stop    func()
}

func newDevice(t *testing.T, c *cloud, account int64) *device {
	d := &device{
		t: t, account: account, cloud: c, store: &drawer{values: map[string][]byte{}},
		welcome: true, changed: make(chan struct{}),
	}
	return d
}

// start runs the device until the test ends; a halt is followed by a new client
// that knows what the store knows.
func (d *device) start() {
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan struct{})
	d.renew()
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			d.live(ctx)
			d.renew()
		}
	}()
	d.stop = sync.OnceFunc(func() { cancel(); <-done })
	d.t.Cleanup(d.stop)
}

func (d *device) renew() {
	client := New(Config{
		API: &line{cloud: d.cloud, account: d.account}, Store: d.store, Handler: d, Random: rand.Reader,
		Now: d.now, After: d.after,
	})
	// Checking the prime takes longer than all the rest.
	client.dh.good = map[[sha256.Size]byte]bool{groupSum(3, testGroup(d.t).P): true}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.client = client
}

// now and after are a clock on which waiting costs no time: it jumps ahead.
func (d *device) now() time.Time {
	return time.Unix(1_800_000_000+d.jumped.Load(), 0)
}

func (d *device) after(wait time.Duration) <-chan time.Time {
	d.jumped.Add(int64(wait/time.Second) + 1)
	fired := make(chan time.Time, 1)
	fired <- d.now()
	return fired
}

func (d *device) current() *Client {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.client
}

// live is one client's life: it ends with a halt.
func (d *device) live(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	client := d.current()
	var group sync.WaitGroup
	group.Go(func() {
		defer cancel()
		err := client.Run(ctx)
		if !errors.Is(err, ErrHalted) && !errors.Is(err, context.Canceled) {
			d.t.Errorf("the client ended with %v", err)
		}
	})
	group.Go(func() {
		defer cancel()
		d.read(ctx, client)
	})
	group.Wait()
}

// read takes updates in order; one that was not handled stays.
func (d *device) read(ctx context.Context, client *Client) {
	for {
		d.cloud.mu.Lock()
		queue := d.cloud.queues[d.account]
		d.cloud.mu.Unlock()
		if len(queue) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-d.cloud.changed[d.account]:
			}
			continue
		}
		var err error
		switch u := queue[0].(type) {
		case tg.EncryptedChatClass:
			err = client.HandleChat(ctx, u)
		case tg.EncryptedMessageClass:
			err = client.HandleMessage(ctx, u)
		}
		if err != nil {
			return
		}
		d.cloud.mu.Lock()
		d.cloud.queues[d.account] = d.cloud.queues[d.account][1:]
		d.cloud.mu.Unlock()
	}
}

func (d *device) note(format string, args ...any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
	close(d.changed)
	d.changed = make(chan struct{})
	return nil
}

func (d *device) OnRequest(context.Context, int64) (bool, error) { return d.welcome, nil }
func (d *device) Opened(_ context.Context, c Chat) error         { return d.note("opened %d", c.User) }
func (d *device) Closed(_ context.Context, c Chat) error {
	return d.note("closed %d: %s", c.User, c.Reason)
}
func (d *device) Text(_ context.Context, _ Chat, text string) error {
	return d.note("text %s", text)
}

func (d *device) Progress(_ context.Context, _ Chat, key string, state State) error {
	return d.note("%s %s", key, state)
}

// told returns what was noted, a repetition after a halt left out.
func (d *device) told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Compact(slices.Clone(d.notes))
}

// wait blocks until a line was noted.
func (d *device) wait(line string) {
	d.t.Helper()
	deadline := time.After(patience)
	for {
		d.mu.Lock()
		changed := d.changed
		d.mu.Unlock()
		if slices.Contains(d.told(), line) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			d.t.Fatalf("account %d was never told %q, but %q", d.account, line, d.told())
		}
	}
}

// insist calls until a client takes it that does not halt.
func (d *device) insist(call func(c *Client) error) {
	d.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := call(d.current())
		if err == nil {
			return
		}
		if !errors.Is(err, ErrHalted) || time.Now().After(deadline) {
			d.t.Fatal(err)
		}
	}
}

func twoDevices(t *testing.T) (a, b *device, c *cloud) {
	c = newCloud(1, 2)
	return newDevice(t, c, 1), newDevice(t, c, 2), c
}

func (d *device) ask(peer int64) int {
	d.t.Helper()
	var chat Chat
	d.insist(func(c *Client) (err error) {
		chat, err = c.Ask(d.t.Context(), peer, 9)
		return err
	})
	return chat.ID
}

func (d *device) say(id int, key string) {
	d.t.Helper()
	d.insist(func(c *Client) error { _, err := c.SendText(d.t.Context(), id, key, key); return err })
}

func (d *device) show(id int, key string, data []byte) {
	d.t.Helper()
	d.insist(func(c *Client) error {
		_, err := c.SendPhoto(d.t.Context(), id, key, Photo{Data: data, W: 3, H: 4, Caption: "caption"})
		return err
	})
}

// story is one chat from the request to its end.
func story(t *testing.T, a, b *device) int {
	a.start()
	b.start()
	id := a.ask(2)
	a.wait("opened 2")
	b.wait("opened 1")
	a.say(id, "first")
	a.show(id, "picture", []byte("the picture"))
	a.say(id, "second")
	b.wait("text second")
	a.wait("picture sent")
	b.say(id, "answer")
	a.wait("text answer")
	for _, key := range []string{"first", "picture", "second"} {
		a.wait(key + " seen")
	}
	a.insist(func(c *Client) error { return c.Close(t.Context(), id) })
	b.wait("closed 1: peer")
	a.wait("closed 2: ours")
	return id
}

func TestChatFromRequestToEnd(t *testing.T) {
	a, b, cloud := twoDevices(t)
	story(t, a, b)
	want := []string{"opened 1", "text first", "text second", "answer sent", "closed 1: peer"}
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

// TestAnySaveMayFail lets each save of either side fail once. The side halts and
// goes on from its store: nothing is lost, nothing comes twice or out of order.
func TestAnySaveMayFail(t *testing.T) {
	a, b, _ := twoDevices(t)
	story(t, a, b)
	for _, victim := range []int64{1, 2} {
		saves := map[int64]int{1: a.store.puts, 2: b.store.puts}[victim]
		for at := 1; at <= saves; at++ {
			t.Run(fmt.Sprintf("save %d of account %d", at, victim), func(t *testing.T) {
				t.Parallel()
				a, b, cloud := twoDevices(t)
				map[int64]*device{1: a, 2: b}[victim].store.failAt = at
				story(t, a, b)
				var texts []string
				for _, note := range b.told() {
					if len(note) > 5 && note[:5] == "text " {
						texts = append(texts, note)
					}
				}
				if !slices.Equal(texts, []string{"text first", "text second"}) {
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
