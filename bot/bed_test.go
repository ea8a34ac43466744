package bot

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/flows"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token  = "4839201:local_AAAAAAAAAAAAAAAAAAAAAAAA"
	secret = "local_AAAAAAAAAAAAAAAAAAAAAAAA"
	// soon is what nothing in these tests should take.
	soon = 2 * time.Minute
)

// script is a Handler made of functions.
type script struct {
	handle func(ctx context.Context, e flows.Event) (flows.Reply, error)
	cards  chan int // messages given to CardShown
}

func (s *script) Handle(ctx context.Context, e flows.Event) (flows.Reply, error) {
	return s.handle(ctx, e)
}

func (s *script) CardShown(_ context.Context, _ string, message int) error {
	s.cards <- message
	return nil
}

// record keeps the events it is given, in order, and answers nothing.
type record struct {
	mu     sync.Mutex
	events []flows.Event
	came   chan flows.Event
}

func newRecord() *record { return &record{came: make(chan flows.Event, 1000)} }

func (r *record) handle(_ context.Context, e flows.Event) (flows.Reply, error) {
	r.mu.Lock()
	r.events = append(r.events, e)
	r.mu.Unlock()
	r.came <- e
	return flows.Reply{}, nil
}

// bed is a local Telegram and bots that use it.
type bed struct {
	t    *testing.T
	tg   *simulator.Telegram
	url  string
	http *http.Client
	logs *safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newBed(t *testing.T, change ...func(*simulator.Options)) *bed {
	t.Helper()
	o := simulator.Options{
		Token: token, BotUsername: "QuayTicketsBot", BotName: "Quay Tickets", CourierUsername: "QuayTickets",
		AnswerWithin: soon,
	}
	for _, c := range change {
		c(&o)
	}
	tg, err := simulator.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(tg.BotAPI())
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		if err := tg.Close(); err != nil {
			t.Error(err)
		}
		client.CloseIdleConnections()
		server.Close()
	})
	return &bed{t: t, tg: tg, url: server.URL, http: client, logs: &safeBuffer{}}
}

// quick are rules that waste no time in tests.
func quick() Rules {
	return Rules{
		Pause: time.Millisecond, Most: 5 * time.Millisecond, Look: 5 * time.Millisecond, Poll: time.Second,
		ShowWithin: soon, ReplyWithin: soon, CallWithin: soon,
	}
}

// free lets everything go at once.
type free struct{}

func (free) Wait(ctx context.Context, _ int64, _ bool) error { return ctx.Err() }
func (free) Pause(int64, time.Duration)                      {}

func (b *bed) bot(h Handler, change ...func(*Config)) *Bot {
	b.t.Helper()
	cfg := Config{
		Token: token, URL: b.url, Client: b.http, Handler: h, Limiter: free{}, Rules: quick(),
		Log: slog.New(slog.NewTextHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&cfg)
	}
	bot, err := New(b.t.Context(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return bot
}

// run runs the bot; the function stops it and waits for its end.
func run(t *testing.T, b *Bot) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return stop
}

// start runs a bot with this handler.
func (b *bed) start(handle func(ctx context.Context, e flows.Event) (flows.Reply, error), change ...func(*Config)) (*Bot, *script) {
	b.t.Helper()
	s := &script{handle: handle, cards: make(chan int, 100)}
	bot := b.bot(s, change...)
	run(b.t, bot)
	return bot, s
}

func (b *bed) text(user int64, text string) int {
	b.t.Helper()
	id, err := b.tg.Text(b.t.Context(), user, "bot", text)
	if err != nil {
		b.t.Fatal(err)
	}
	return int(id)
}

func (b *bed) tap(user int64, message int, button string) simulator.Answer {
	b.t.Helper()
	answer, err := b.tg.Tap(b.t.Context(), user, "bot", message, button)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

// chat is what a person sees in the chat with the bot.
func (b *bed) chat(user int64) []simulator.MessageView {
	b.t.Helper()
	chats, err := b.tg.Chats(user)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range chats {
		if c.Chat == "bot" {
			return c.Messages
		}
	}
	return nil
}

// until waits for the chat to look as wanted.
func (b *bed) until(user int64, what string, wanted func([]simulator.MessageView) bool) []simulator.MessageView {
	b.t.Helper()
	var seen []simulator.MessageView
	eventually(b.t, what, func() bool {
		seen = b.chat(user)
		return wanted(seen)
	})
	return seen
}

// eventually looks again and again until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(soon)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("still not: %s", what)
		case <-tick.C:
		}
	}
}

// receive takes the next value.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(soon):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func say(chat int64, text string, rows ...[]flows.Button) flows.Outgoing {
	return flows.Outgoing{Chat: chat, Screen: flows.Screen{Text: flows.Text{{Text: text}}, Buttons: rows}}
}

func replyWith(out ...flows.Outgoing) flows.Reply { return flows.Reply{Screens: out} }

func picture(t *testing.T, side int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
