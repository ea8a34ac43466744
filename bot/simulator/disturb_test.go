package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
)

// seen is a call that a webhook got.
type seen struct {
	secret, body string
}

// witness is a webhook that tells what it got, of each at most 3 MiB.
func witness(t *testing.T) (url string, got chan seen) {
	t.Helper()
	got = make(chan seen, 20)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 3<<20))
		if err != nil {
			t.Error(err)
		}
		got <- seen{r.Header.Get("X-Telegram-Bot-Api-Secret-Token"), string(body)}
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func TestAWebhookCanBeDisturbed(t *testing.T) {
	b := newBed(t)
	url, got := witness(t)
	b.call("setWebhook", object{"url": url, "secret_token": "s3cret"})
	ada := b.person("Ada")
	delivered := <-got
	disturb := func(body object) seen {
		t.Helper()
		var answer struct{ Status int }
		if status := b.control(http.MethodPost, "webhook", body, &answer); status != http.StatusOK || answer.Status != http.StatusOK {
			t.Fatalf("%v: %d, the bot said %d", body, status, answer.Status)
		}
		return <-got
	}
	if s := disturb(object{"kind": "forged", "user": ada, "text": "/pause"}); s.secret == "s3cret" || !strings.Contains(s.body, "/pause") {
		t.Errorf("forged: %+v", s)
	}
	if s := disturb(object{"kind": "forged", "user": ada, "secret": "other"}); s.secret != "other" {
		t.Errorf("forged with a secret: %+v", s)
	}
	if s := disturb(object{"kind": "huge", "user": ada, "bytes": 2 << 20}); s.secret != "s3cret" || len(s.body) < 2<<20 {
		t.Errorf("huge: %d bytes", len(s.body))
	}
	if s := disturb(object{"kind": "garbage"}); s.body != `{"update_id":` {
		t.Errorf("garbage: %+v", s)
	}
	if s := disturb(object{"kind": "repeated"}); s != delivered {
		t.Errorf("repeated: %+v, not %+v", s, delivered)
	}
	for _, wrong := range []object{{"kind": "?"}, {"kind": "forged"}, {"kind": "forged", "user": "Ada"}} {
		if status := b.control(http.MethodPost, "webhook", wrong, nil); status < 400 {
			t.Errorf("%v was taken", wrong)
		}
	}
}

func TestASlowCallIsAnsweredBeforeItsEnd(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}))
	t.Cleanup(server.Close)
	b.call("setWebhook", object{"url": server.URL})
	status, err := b.tg.Disturb(t.Context(), simulator.Disturbance{Kind: "slow", User: ada, Every: time.Millisecond})
	if err != nil || status != http.StatusRequestTimeout && status != 0 {
		t.Errorf("%d, %v", status, err)
	}
}

func TestSomebodyWhoIsNotTakenHoldsUpNobodyElse(t *testing.T) {
	b := newBed(t)
	release, got := make(chan struct{}), make(chan string, 20)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(string(body), "wait") {
			<-release
		}
		got <- string(body)
	}))
	t.Cleanup(server.Close)
	b.call("setWebhook", object{"url": server.URL, "max_connections": 2})
	ada, ben := b.tg.AddUser("Ada", "en"), b.tg.AddUser("Ben", "en")
	must[int64](t)(b.tg.Text(t.Context(), ada, "bot", "wait"))
	must[int64](t)(b.tg.Text(t.Context(), ada, "bot", "after"))
	for n := range 5 {
		must[int64](t)(b.tg.Text(t.Context(), ben, "bot", fmt.Sprint("number ", n)))
		if body := <-got; !strings.Contains(body, fmt.Sprint("number ", n)) {
			t.Fatalf("the bot got %s", body)
		}
	}
	close(release)
	for _, want := range []string{"wait", "after"} {
		if body := <-got; !strings.Contains(body, want) {
			t.Errorf("the bot got %s, not %q", body, want)
		}
	}
}

func TestABotsAnswerCannotAskOrMoveTheWebhook(t *testing.T) {
	for _, method := range []string{"deleteWebhook", "setWebhook", "getMe", "getUpdates"} {
		h := newHook(t, `{"method":"`+method+`","url":""}`)
		b := newBed(t)
		b.call("setWebhook", object{"url": h.server.URL})
		b.person("Ada")
		<-h.got
		b.eventually("the update is taken", func() bool {
			return strings.Contains(string(b.call("getWebhookInfo", object{}).Result), `"pending_update_count":0`)
		})
		if info := string(b.call("getWebhookInfo", object{}).Result); !strings.Contains(info, h.server.URL) {
			t.Errorf("%s moved the webhook: %s", method, info)
		}
	}
}
