package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// clientFunc is a Client.
type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// fake is a Bot API server that answers each method with a text.
func fake(t *testing.T, answer func(method string, r *http.Request) string) Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if method == "getMe" {
			_, _ = fmt.Fprint(w, `{"ok":true,"result":{"id":1,"is_bot":true,"username":"QuayTicketsBot"}}`)
			return
		}
		_, _ = fmt.Fprint(w, answer(method, r))
	}))
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() { client.CloseIdleConnections(); server.Close() })
	return Config{Token: token, URL: server.URL, Client: client, Limiter: free{}, Rules: quick()}
}

func TestTokenIsInNoErrorAndNoLog(t *testing.T) {
	refused := func(description string) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			_, _ = fmt.Fprintf(w, `{"ok":false,"error_code":400,"description":%q}`, description)
			return w.Result(), nil
		}
	}
	for name, client := range map[string]clientFunc{
		"nobody listens": (&http.Client{}).Do,
		"address in the error": func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("cannot reach %s", r.URL)
		},
		"answer repeats the address": refused("nothing at /bot" + token + "/"),
		"answer is no JSON": func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			_, _ = fmt.Fprintf(w, "<html>%s</html>", r.URL)
			return w.Result(), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			logs := &safeBuffer{}
			cfg := Config{
				Token: token, URL: "http://127.0.0.1:1", Client: client, Handler: &script{}, Rules: quick(), Limiter: free{},
				Log: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
			}
			_, err := New(t.Context(), cfg)
			if err == nil {
				t.Fatal("no error")
			}
			cfg = cfg.withDefaults()
			b := newBot(cfg)
			if err := b.connect(); err != nil {
				t.Fatal(err)
			}
			_, showErr := b.Show(t.Context(), say(1, "x"))
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			runErr := b.Run(ctx)
			for _, text := range []string{err.Error(), showErr.Error(), runErr.Error(), logs.String(), fmt.Sprintf("%+v", err)} {
				if strings.Contains(text, secret) {
					t.Errorf("the token is in %q", text)
				}
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), secret) {
					t.Errorf("the token is in a wrapped error: %q", e)
				}
			}
		})
	}
}

func TestUpdateThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	offsets := make(chan string, 100)
	given := false // polls come one after another
	cfg := fake(t, func(method string, r *http.Request) string {
		if method != "getUpdates" {
			return `{"ok":true,"result":true}`
		}
		body := make([]byte, 1000)
		n, _ := r.Body.Read(body)
		select {
		case offsets <- string(body[:n]):
		default:
		}
		if given {
			return `{"ok":true,"result":[]}`
		}
		given = true
		return `{"ok":true,"result":["?",
			{"update_id":7,"my_chat_member":{"chat":{"id":1,"type":"private"},"new_chat_member":{"status":"a new one"}}},
			{"update_id":8,"message":{"message_id":3,"date":1,"chat":{"id":5,"type":"private"},"from":{"id":5},"text":"hi"}}]}`
	})
	r := newRecord()
	cfg.Handler = &script{handle: r.handle}
	b, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	run(t, b)
	if e := receive(t, r.came); e.ID != 8 || e.Text != "hi" {
		t.Errorf("event is %+v", e)
	}
	if first := receive(t, offsets); strings.Contains(first, "offset") || !strings.Contains(first, `"allowed_updates":["message"`) {
		t.Errorf("first poll is %s", first)
	}
	for confirmed := false; !confirmed; {
		confirmed = strings.Contains(receive(t, offsets), `"offset":9`)
	}
}

func TestCommandsAreSetAtTheStart(t *testing.T) {
	set := make(chan string, 10)
	cfg := fake(t, func(method string, r *http.Request) string {
		switch method {
		case "setMyCommands":
			set <- r.FormValue("language_code") + r.FormValue("commands")
		case "getUpdates":
			return `{"ok":true,"result":[]}`
		}
		return `{"ok":true,"result":true}`
	})
	cfg.Handler = &script{}
	cfg.Commands = []Menu{
		{Commands: []Command{{Name: "shows", Description: "What is on"}}},
		{Language: "de", Commands: []Command{{Name: "shows", Description: "Was läuft"}}},
	}
	b, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	run(t, b)
	if got := receive(t, set); got != `[{"command":"shows","description":"What is on"}]` {
		t.Errorf("commands are %s", got)
	}
	if got := receive(t, set); got != `de[{"command":"shows","description":"Was läuft"}]` {
		t.Errorf("commands are %s", got)
	}
}

func TestTextTooLongIsCutNotRefused(t *testing.T) {
	bed, b, user, _ := messenger(t)
	show(t, b, say(user, strings.Repeat("🎭", 3000)))
	if n := units(bed.last(user).Text); n > maxText || n < maxText-2 {
		t.Errorf("text has %d units", n)
	}
	show(t, b, card(user, 0, strings.Repeat("x", 3000), "p", picture(t, 20)))
	if n := units(bed.last(user).Text); n != maxCaption {
		t.Errorf("caption has %d units", n)
	}
}

var _ Handler = (*script)(nil)
