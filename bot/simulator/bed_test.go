package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"go.uber.org/goleak"

	"github.com/usherbot/usher/bot/simulator"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const token = "4839201:local_AAAAAAAAAAAAAAAAAAAAAAAA"

// bed is a local Telegram served over HTTP, with a clock that tests move.
type bed struct {
	t     *testing.T
	tg    *simulator.Telegram
	url   string
	http  *http.Client
	clock *clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newBed(t *testing.T, change ...func(*simulator.Options)) *bed {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	clk := &clock{now: time.Unix(1_796_000_000, 0)}
	o := simulator.Options{
		Token: token, BotUsername: "QuayTicketsBot", BotName: "Quay Tickets", CourierUsername: "QuayTickets",
		Clock: clk.Now, Client: client, AnswerWithin: 10 * time.Second, RetryAfter: time.Millisecond,
	}
	for _, c := range change {
		c(&o)
	}
	tg, err := simulator.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/telegram/", tg.Control())
	mux.Handle("/", tg.BotAPI())
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		if err := tg.Close(); err != nil {
			t.Error(err)
		}
		client.CloseIdleConnections()
		server.Close()
	})
	return &bed{t: t, tg: tg, url: server.URL, http: client, clock: clk}
}

// client is the real client library, without its polling.
func (b *bed) client(handler bot.HandlerFunc) *bot.Bot {
	b.t.Helper()
	options := []bot.Option{bot.WithServerURL(b.url), bot.WithHTTPClient(2*time.Second, b.http), bot.WithNotAsyncHandlers()}
	if handler != nil {
		options = append(options, bot.WithDefaultHandler(handler))
	}
	c, err := bot.New(token, options...)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// poll runs the client's polling until the test ends.
func (b *bed) poll(handler bot.HandlerFunc) *bot.Bot {
	b.t.Helper()
	c := b.client(handler)
	ctx, cancel := context.WithCancel(b.t.Context())
	var done sync.WaitGroup
	done.Go(func() { c.Start(ctx) })
	b.t.Cleanup(func() { cancel(); done.Wait() })
	return c
}

// person is somebody who has written to the bot.
func (b *bed) person(name string) int64 {
	b.t.Helper()
	id := b.tg.AddUser(name, "en")
	if _, err := b.tg.Text(b.t.Context(), id, "bot", "/start"); err != nil {
		b.t.Fatal(err)
	}
	return id
}

// call makes one call of the Bot API with a JSON body.
func (b *bed) call(method string, body any) apiAnswer {
	b.t.Helper()
	var out apiAnswer
	b.request(http.MethodPost, "/bot"+token+"/"+method, body, &out)
	return out
}

type apiAnswer struct {
	OK          bool            `json:"ok"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Result      json.RawMessage `json:"result"`
	Parameters  struct {
		RetryAfter int   `json:"retry_after"`
		MovedTo    int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

func (a apiAnswer) messageID(t *testing.T) int {
	t.Helper()
	var m models.Message
	if !a.OK || json.Unmarshal(a.Result, &m) != nil {
		t.Fatalf("no message came back: %d %s", a.Code, a.Description)
	}
	return m.ID
}

// control calls the control API; the status is returned, the answer read.
func (b *bed) control(method, path string, body, into any) int {
	b.t.Helper()
	return b.request(method, "/telegram/"+path, body, into)
}

func (b *bed) request(method, path string, body, into any) int {
	b.t.Helper()
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, reader)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			b.t.Fatalf("%s %s answered %q: %v", method, path, raw, err)
		}
	}
	return answer.StatusCode
}

// chat is one chat as a person sees it.
func (b *bed) chat(user int64, name string) simulator.ChatView {
	b.t.Helper()
	chats, err := b.tg.Chats(user)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range chats {
		if c.Chat == name {
			return c
		}
	}
	b.t.Fatalf("person %d has no chat %q", user, name)
	return simulator.ChatView{}
}

func (b *bed) last(user int64) simulator.MessageView {
	b.t.Helper()
	messages := b.chat(user, "bot").Messages
	if len(messages) == 0 {
		b.t.Fatal("the chat is empty")
	}
	return messages[len(messages)-1]
}

func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// must hands on the value of a call that has to work.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func data(text, callback string) models.InlineKeyboardButton {
	return models.InlineKeyboardButton{Text: text, CallbackData: callback}
}

func keyboard(rows ...[]models.InlineKeyboardButton) models.InlineKeyboardMarkup {
	return models.InlineKeyboardMarkup{InlineKeyboard: rows}
}

func path(format string, args ...any) string { return fmt.Sprintf(format, args...) }
