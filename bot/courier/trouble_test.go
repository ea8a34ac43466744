package courier_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gotd/td/tgerr"
	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/bot/simulator/phone"
)

// wire passes connections on to the local Telegram and can be cut.
type wire struct {
	listener net.Listener
	to       string
	tasks    sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	down  bool
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	w := &wire{listener: listener, to: to}
	w.tasks.Go(w.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		w.cut(true)
		w.tasks.Wait()
	})
	return w
}

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := (&net.Dialer{Timeout: patience}).DialContext(context.Background(), "tcp", w.to)
		w.mu.Lock()
		if err != nil || w.down {
			w.mu.Unlock()
			_ = near.Close()
			if far != nil {
				_ = far.Close()
			}
			continue
		}
		w.conns = append(w.conns, near, far)
		w.mu.Unlock()
		for _, pipe := range [][2]net.Conn{{near, far}, {far, near}} {
			w.tasks.Go(func() {
				_, _ = io.Copy(pipe[0], pipe[1])
				_ = pipe[0].Close()
				_ = pipe[1].Close()
			})
		}
	}
}

// cut closes every connection, and refuses new ones while it is down.
func (w *wire) cut(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

func TestLostConnectionIsMadeAnewAndNothingIsMissed(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	w := newWire(t, b.server.Addr())
	cfg := b.config()
	cfg.Server = fmt.Sprintf("%d@%s", b.server.DC(), w.listener.Addr())
	c, n, _ := b.start(cfg)
	n.wait(t, "ready true", 1)
	p, id := b.open(c, n, 7)
	w.cut(true)
	_, err := p.Send(t.Context(), id, "can you hear me?")
	must(t, err)
	_, err = c.Deliver(t.Context(), 7, parcel(t, "t1"))
	must(t, err)
	w.cut(false)
	n.wait(t, "text 7 can you hear me?", 1)
	n.wait(t, "parcel 7 t1 seen", 1)
	if got := arrived(p, id); len(got) != 2 {
		t.Errorf("arrived: %q", got)
	}
	if n.count("ready false") != 0 {
		t.Error("a short interruption stopped the selling")
	}
}

func TestEndedSessionEndsTheChatsAndLogsInAnew(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var ended atomic.Bool
	cfg := b.config()
	cfg.Do = func(ctx context.Context, site string, call func(context.Context) error) error {
		if site == "courier.send_text" && ended.CompareAndSwap(false, true) {
			return tgerr.New(401, "AUTH_KEY_UNREGISTERED")
		}
		return call(ctx)
	}
	c, n, _ := b.start(cfg)
	n.wait(t, "ready true", 1)
	p, _ := b.open(c, n, 7)
	// The session may end between the warning and the picture: then the parcel is refused as a whole.
	if _, err := c.Deliver(t.Context(), 7, parcel(t, "t1")); err != nil && !errors.Is(err, courier.ErrNoChat) {
		t.Fatal(err)
	}
	n.wait(t, "ready false Telegram has ended the courier's session", 1)
	n.wait(t, "closed 7", 1)
	n.wait(t, "ready true", 2)
	second, err := p.StartSecretChat(t.Context(), courierID)
	must(t, err)
	n.wait(t, "opened 7", 2)
	b.until("the second chat is open", func() bool { return chat(p, second).State == phone.StateOpen })
	again := parcel(t, "t1")
	again.Again = "You may have got this ticket before."
	_, err = c.Deliver(t.Context(), 7, again)
	must(t, err)
	// It is called repeated where its picture had been taken for the first chat, and only there.
	once := []string{"Show it to nobody.", "picture: Row A, seat 1"}
	repeated := []string{"You may have got this ticket before.\n\n" + once[0], once[1]}
	b.until("the ticket is in the second chat", func() bool {
		got := arrived(p, second)
		return slices.Equal(got, once) || slices.Equal(got, repeated)
	})
}

func TestRepeatedTicketSaysSo(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	p, id := b.open(c, n, 7)
	again := parcel(t, "t1-2")
	again.Repeated = "The same ticket as before."
	_, err := c.Deliver(t.Context(), 7, again)
	must(t, err)
	want := []string{"The same ticket as before.\n\nShow it to nobody.", "picture: Row A, seat 1"}
	b.until("the ticket is on the phone", func() bool { return slices.Equal(arrived(p, id), want) })
}

func TestPhoneThatIsOffGetsTheTicketLater(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	p, id := b.open(c, n, 7)
	must(t, p.Do(t.Context(), phone.ActionOff, ""))
	_, err := c.Deliver(t.Context(), 7, parcel(t, "t1"))
	must(t, err)
	n.wait(t, "parcel 7 t1 sent", 1)
	if n.count("parcel 7 t1 seen") != 0 {
		t.Error("a phone that is off has seen the ticket")
	}
	must(t, p.Do(t.Context(), phone.ActionOn, ""))
	n.wait(t, "parcel 7 t1 seen", 1)
	if got := arrived(p, id); len(got) != 2 {
		t.Errorf("arrived: %q", got)
	}
}

func TestUnusablePictureIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	p, id := b.open(c, n, 7)
	bad := parcel(t, "t1")
	bad.Picture = []byte("no picture")
	if _, err := c.Deliver(t.Context(), 7, bad); err == nil {
		t.Error("it was taken")
	}
	must(t, c.Say(t.Context(), 7, "next", "next"))
	b.until("the next text is on the phone", func() bool { return len(arrived(p, id)) > 0 })
	if got := arrived(p, id); !slices.Equal(got, []string{"next"}) {
		t.Errorf("arrived: %q", got)
	}
}

func TestCourierRunsOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, _ := b.start(b.config())
	n.wait(t, "ready true", 1)
	if err := c.Run(t.Context()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("a second run: %v", err)
	}
	if text := fmt.Sprint(b.config(), parcel(t, "t1")); len(text) > 200 {
		t.Errorf("prints too much: %s", text)
	}
}

var _ courier.Handler = (*notes)(nil)

func TestWhatAnotherProcessIsGivenIsSentByTheOneThatRuns(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, n, stop := b.start(b.config())
	n.wait(t, "ready true", 1)
	other, err := courier.New(b.config(), newNotes())
	must(t, err)
	if err := other.Say(t.Context(), 7, "early", "early"); !errors.Is(err, courier.ErrNoChat) {
		t.Fatalf("a text for a customer without a chat: %v", err)
	}
	p, id := b.open(c, n, 7)
	for i, process := range []*courier.Courier{other, c, other} {
		text := fmt.Sprint("text ", i)
		must(t, process.Say(t.Context(), 7, text, text))
		b.until(text+" arrives", func() bool { return slices.Contains(arrived(p, id), text) })
	}
	for range 2 {
		_, err = other.Deliver(t.Context(), 7, parcel(t, "t1"))
		must(t, err)
	}
	n.wait(t, "parcel 7 t1 seen", 1)
	if state, err := other.Deliver(t.Context(), 7, parcel(t, "t1")); err != nil || state != courier.ParcelSeen {
		t.Errorf("the delivered parcel: %s, %v", state, err)
	}
	want := []string{"text 0", "text 1", "text 2", "Show it to nobody.", "picture: Row A, seat 1"}
	if got := arrived(p, id); !slices.Equal(got, want) {
		t.Errorf("arrived: %q", got)
	}
	if n.count("ready false") != 0 {
		t.Error("the courier was disturbed")
	}
	stop()
	must(t, c.Say(t.Context(), 7, "last", "last"))
	b.start(b.config())
	b.until("the last text arrives", func() bool { return slices.Contains(arrived(p, id), "last") })
}
