package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usherbot/usher/storage"
)

func TestWebhookSettings(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	if _, err := storage.CreateKeyring(keys); err != nil {
		t.Fatal(err)
	}
	const good = "https://usher.example/webhook"
	for name, test := range map[string]struct {
		mode, url, secret, telegram string
		wrong                       string // part of the message; empty: it is right
		paths                       string
	}{
		"right":                  {url: good, paths: "/webhook"},
		"no path":                {url: "https://usher.example", paths: "/webhook"},
		"another path":           {url: "https://usher.example:8443/bots/usher", paths: "/webhook /bots/usher"},
		"here":                   {url: "http://127.0.0.1:8081/webhook", telegram: "http://127.0.0.1:9", paths: "/webhook"},
		"any port, own server":   {url: "https://usher.example:9443", telegram: "https://telegram.example", paths: "/webhook"},
		"not https":              {url: "http://usher.example/webhook", wrong: `USHER_WEBHOOK_URL is "http://usher.example/webhook": must be https://host/webhook`},
		"no address":             {url: "usher", wrong: `USHER_WEBHOOK_URL is "usher"`},
		"a port not called":      {url: "https://usher.example:8081/webhook", wrong: "443, 80, 88 or 8443"},
		"a path that is no path": {url: "https://usher.example/a//b", wrong: "must have a path"},
		"braces in the path":     {url: "https://usher.example/{x}", wrong: "must have a path"},
		"no secret":              {url: good, secret: " ", wrong: "USHER_WEBHOOK_SECRET: must be 1 to 256"},
		"a secret of words":      {url: good, secret: "open sesame", wrong: "USHER_WEBHOOK_SECRET: must be 1 to 256"},
		"another mode":           {mode: "pigeon", url: good, wrong: `USHER_TELEGRAM_MODE is "pigeon": must be polling or webhook`},
		"polling":                {mode: "polling", url: "nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			env := environment{
				TelegramMode: cmp.Or(test.mode, "webhook"), WebhookURL: test.url, WebhookSecret: cmp.Or(test.secret, hookSecret),
				TelegramToken: "4839201:local_AAAAAAAAAAAAAAAAAAAAAAAA", TelegramURL: cmp.Or(test.telegram, telegramURL), KeysFile: keys,
			}
			s, err := env.check()
			text := fmt.Sprint(err)
			about := strings.Contains(text, "USHER_WEBHOOK") || strings.Contains(text, "USHER_TELEGRAM")
			switch {
			case test.wrong != "" && !strings.Contains(text, test.wrong):
				t.Errorf("not said: %q, but %s", test.wrong, text)
			case test.wrong == "" && about:
				t.Errorf("said: %s", text)
			case test.paths != "" && strings.Join(s.hookPaths(), " ") != test.paths:
				t.Errorf("served at %v", s.hookPaths())
			case strings.Contains(text, "sesame"):
				t.Error("the message tells the secret")
			}
		})
	}
}
