package bot

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/flows"
)

const hookSecret = "hook_BBBBBBBBBBBBBBBBBBBBBBBB"

// hooked is a bot that takes updates by webhook.
type hooked struct {
	*bed
	bot  *Bot
	url  string
	stop func() // ends Receive
}

func newHookBed(t *testing.T, change ...func(*simulator.Options)) *bed {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}, Timeout: soon}
	t.Cleanup(client.CloseIdleConnections)
	return newBed(t, append(change, func(o *simulator.Options) { o.Client, o.RetryAfter = client, time.Millisecond })...)
}

// serve makes a bot with this handler and serves its webhook.
func (b *bed) serve(h Handler, change ...func(*Config)) *hooked {
	b.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String() + "/webhook"
	bot := b.bot(h, append([]func(*Config){func(c *Config) {
		c.Webhook, c.Rules.DeliverWithin = Webhook{URL: url, Secret: hookSecret}, soon
	}}, change...)...)
	server.Config.Handler = bot.Webhook()
	server.Start()
	b.t.Cleanup(server.Close)
	return &hooked{bed: b, bot: bot, url: url, stop: during(b.t, bot.Receive)}
}

// hook serves a bot with this handler and tells Telegram of it.
func (b *bed) hook(handle func(context.Context, flows.Event) (flows.Reply, error), change ...func(*Config)) *hooked {
	b.t.Helper()
	h := b.serve(&script{handle: handle, cards: make(chan int, 100)}, change...)
	during(b.t, h.bot.KeepWebhook)
	return h
}

// during runs something; the function stops it and waits for its end.
func during(t *testing.T, work func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return stop
}

func message(id int64, user int64, text string) string {
	return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":3,"date":42,"chat":{"id":%d,"type":"private"},"from":{"id":%d,"first_name":"Nora"},"text":%q}}`, id, user, user, text)
}

// deliver calls the webhook as Telegram does.
func (h *hooked) deliver(secret, body string) int {
	h.t.Helper()
	status, _ := h.delivery(secret, body)
	return status
}

func (h *hooked) delivery(secret, body string) (status int, err error) {
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	if secret != "" {
		r.Header.Set(secretHeader, secret)
	}
	resp, err := h.http.Do(r)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// waiting is how many deliveries wait for an update's end.
func (f *flights) waiting(id int64) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if j := f.underWay[id]; j != nil {
		return j.waiting
	}
	return 0
}
