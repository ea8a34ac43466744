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
)

const patience = 2 * time.Minute

// device is one account's client with its store, restarted whenever it halts.
type device struct {
	t       *testing.T
	account int64
	cloud   *cloud
	store   *drawer
	welcome bool
	// patience is for chats that this device asks for.
	patience time.Duration
	// What follows takes the place of the cloud, of what is noted, where it is set.
	api     API
	handler Handler
	updates func(ctx context.Context, client *Client)
	jumped  atomic.Int64 // seconds

	mu       sync.Mutex
	client   *Client
	replaced chan struct{} // closed when the client is not the newest one any more
	notes    []string
	changed  chan struct{}
	stop     func()
}

func newDevice(t *testing.T, c *cloud, account int64) *device {
	d := &device{
		t: t, account: account, cloud: c, store: &drawer{values: map[string][]byte{}, saved: c.learn},
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
	api, handler := d.api, d.handler
	if api == nil {
		api, handler = &line{cloud: d.cloud, account: d.account}, d
	}
	client := New(Config{
		API: api, Store: d.store, Handler: handler, Random: rand.Reader,
		Now: d.now, After: d.after, Patience: d.patience,
	})
	// Checking the prime takes longer than all the rest.
	client.dh.good = map[[sha256.Size]byte]bool{groupSum(3, testGroup(d.t).P): true}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.replaced != nil {
		close(d.replaced)
	}
	d.client, d.replaced = client, make(chan struct{})
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
		if d.updates != nil {
			d.updates(ctx, client)
			return
		}
		d.read(ctx, client)
	})
	group.Wait()
	client.Retire() // a killed one has not halted, and somebody may still hold it
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

func (d *device) Event(ctx context.Context, c Chat, e Event) error {
	switch e.Kind {
	case EventOpened:
		return d.note("opened %d", c.User)
	case EventClosed:
		return d.note("closed %d: %s", c.User, c.Reason)
	case EventText:
		return d.note("text %s", e.Text)
	case EventProgress:
		return d.note("%s %s", e.Key, e.State)
	case EventFile:
		data, err := d.current().Download(ctx, e.File)
		if err != nil {
			return err
		}
		return d.note("file %s: %s%s", e.Text, e.File.Name, bytes.TrimPrefix(data, testPicture[:8]))
	case EventTimer:
		return d.note("timer %s", e.Timer)
	default:
		return d.note("%s %v", e.Kind, e.Messages)
	}
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
	deadline := time.After(patience)
	for {
		d.mu.Lock()
		client, replaced := d.client, d.replaced
		d.mu.Unlock()
		err := call(client)
		if err == nil {
			return
		}
		if !errors.Is(err, ErrHalted) {
			d.t.Fatal(err)
		}
		select {
		case <-replaced:
		case <-deadline:
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
	before, err := d.current().Chats(d.t.Context(), peer)
	must(d.t, err)
	d.insist(func(c *Client) error {
		// An answer that was lost may have been a yes.
		after, err := c.Chats(d.t.Context(), peer)
		if err != nil {
			return err
		}
		if len(after) > len(before) {
			chat = after[len(after)-1]
			return nil
		}
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
