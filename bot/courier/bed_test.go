package courier_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/bot/simulator/mtproto"
	"github.com/usherbot/usher/bot/simulator/phone"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

const courierID = 1000

// memory is a store that can be made to fail.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	fail   func(key string) error // before it is kept
	lose   func(key string) error // after it was kept
	put    func()                 // after each attempt to keep something
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.values[key]), nil
}

func (m *memory) Put(_ context.Context, key string, value []byte) error {
	if m.put != nil {
		defer m.put()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(key); err != nil {
			return err
		}
	}
	m.values[key] = bytes.Clone(value)
	if m.lose != nil {
		return m.lose(key)
	}
	return nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}

func (m *memory) Keys(_ context.Context, prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []string
	for key := range m.values {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func (m *memory) failing(f func(key string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = f
}

func (m *memory) losing(f func(key string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lose = f
}

// notes is a handler that writes down what it is told.
type notes struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{} // closed and renewed with every line
}

func newNotes() *notes { return &notes{changed: make(chan struct{})} }

func (n *notes) add(format string, args ...any) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
	close(n.changed)
	n.changed = make(chan struct{})
	return nil
}

func (n *notes) ChatChanged(_ context.Context, customer int64, news courier.ChatNews) error {
	return n.add("%s %d %s", news.Kind, customer, news.Why)
}

func (n *notes) TextReceived(_ context.Context, customer int64, text string) error {
	return n.add("text %d %s", customer, text)
}

func (n *notes) ParcelState(_ context.Context, customer int64, id string, state courier.ParcelState) error {
	return n.add("parcel %d %s %s", customer, id, state)
}

func (n *notes) AccountChanged(_ context.Context, news courier.AccountNews) error {
	if news.Health == courier.HealthLimited && news.Until.After(time.Now()) {
		return n.add("limited")
	}
	return n.add("ready %t %s", news.Health == courier.HealthReady, news.Reason)
}

// count is how often a line was noted.
func (n *notes) count(line string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for _, l := range n.lines {
		if strings.HasPrefix(l, line) {
			count++
		}
	}
	return count
}

// wait blocks until a line was noted so often.
func (n *notes) wait(t *testing.T, line string, times int) {
	t.Helper()
	deadline := time.After(patience)
	for {
		n.mu.Lock()
		changed := n.changed
		n.mu.Unlock()
		if n.count(line) >= times {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			n.mu.Lock()
			defer n.mu.Unlock()
			t.Fatalf("%q was not noted %d times, but: %q", line, times, n.lines)
		}
	}
}

// bed is a local Telegram with a courier's store beside it.
type bed struct {
	t       *testing.T
	server  *mtproto.Server
	store   *memory
	phones  *pulse
	logs    *bytes.Buffer
	logLock sync.Mutex
}

// pulse wakes whoever waits for something on a phone or in the store.
type pulse struct {
	mu      sync.Mutex
	changed chan struct{}
}

func (p *pulse) beat(int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pulse) next() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

func newBed(t *testing.T, change ...func(*mtproto.Options)) *bed {
	t.Helper()
	options := mtproto.Options{Courier: mtproto.Account{
		ID: courierID, Phone: "15550100", Code: "54321", Username: "usher_courier", FirstName: "Usher",
		APIID: 17, APIHash: "0123456789abcdef0123456789abcdef",
	}}
	for _, f := range change {
		f(&options)
	}
	server, err := mtproto.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{
		t: t, server: server, store: &memory{values: map[string][]byte{}},
		phones: &pulse{changed: make(chan struct{})}, logs: new(bytes.Buffer),
	}
	b.store.put = func() { b.phones.beat(0) }
	server.OnChange(b.phones.beat)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bed) Write(p []byte) (int, error) {
	b.logLock.Lock()
	defer b.logLock.Unlock()
	return b.logs.Write(p)
}

func (b *bed) logged() string {
	b.logLock.Lock()
	defer b.logLock.Unlock()
	return b.logs.String()
}

func (b *bed) config() courier.Config {
	return courier.Config{
		APIID: 17, APIHash: "0123456789abcdef0123456789abcdef", Phone: "15550100",
		Code:         func(context.Context) (string, error) { return "54321\n", nil },
		Server:       fmt.Sprintf("%d@%s", b.server.DC(), b.server.Addr()),
		ServerKeyPEM: b.server.PublicKeyPEM(),
		Store:        b.store,
		Daily:        20,
		Log:          slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// start runs a courier until the returned function is called.
func (b *bed) start(cfg courier.Config) (c *courier.Courier, n *notes, stop func()) {
	b.t.Helper()
	n = newNotes()
	c, err := courier.New(cfg, n)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stopped := sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			b.t.Errorf("the courier ended with %v", err)
		}
	})
	b.t.Cleanup(stopped)
	return c, n, stopped
}

func (b *bed) phone(id int64) phone.Phone {
	b.t.Helper()
	b.server.AddUser(id, fmt.Sprint("customer ", id))
	p, ok := b.server.Phone(id)
	if !ok {
		b.t.Fatalf("customer %d has no phone", id)
	}
	return p
}

// until waits for something to be true of the phones or the store.
func (b *bed) until(what string, condition func() bool) {
	b.t.Helper()
	deadline := time.After(patience)
	for {
		changed := b.phones.next()
		if condition() {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			b.t.Fatalf("never: %s", what)
		}
	}
}

// chat is a phone's chat by its id.
func chat(p phone.Phone, id string) phone.Chat {
	for _, c := range p.Chats() {
		if c.ID == id {
			return c
		}
	}
	return phone.Chat{}
}

// arrived returns what the other side wrote into a chat, pictures as "picture".
func arrived(p phone.Phone, id string) []string {
	var texts []string
	for _, m := range chat(p, id).Messages {
		switch {
		case m.Mine:
		case len(m.Picture) > 0:
			texts = append(texts, "picture: "+m.Text)
		default:
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// ticket is a picture with sharp edges.
func ticket(t *testing.T) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 300, 400))
	for y := range 400 {
		for x := range 300 {
			if (x/10+y/10)%2 == 0 {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
