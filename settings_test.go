package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain"
	"github.com/usherbot/usher/chain/cirrus"
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

func TestReserveSettings(t *testing.T) {
	for name, given := range map[string]struct {
		reserve, generation, wrong string
		want                       chain.Secrets
	}{
		"by Ticketbooth":            {reserve: "ticketbooth"},
		"by Ticketbooth, said what": {reserve: "ticketbooth", generation: "hashed"},
		"directly, ciphered":        {reserve: "direct", generation: "ciphered", want: chain.Ciphered},
		"directly, hashed":          {reserve: "direct", generation: "hashed", want: chain.Hashed},
		"directly, not said what":   {reserve: "direct", wrong: "USHER_GENERATION: must be ciphered or hashed with USHER_RESERVE=direct"},
		"directly, mistyped":        {reserve: "direct", generation: "Hashed", wrong: `USHER_GENERATION is "Hashed": must be`},
		"mistyped":                  {reserve: "ticketbooth", generation: "hash", wrong: `USHER_GENERATION is "hash": must be`},
		"another way":               {reserve: "post", wrong: `USHER_RESERVE is "post": must be ticketbooth or direct`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := environment{Reserve: given.reserve, Generation: given.generation}.check()
			text := fmt.Sprint(err)
			about := strings.Contains(text, "USHER_RESERVE") || strings.Contains(text, "USHER_GENERATION")
			if given.wrong != "" && !strings.Contains(text, given.wrong) || given.wrong == "" && (about || s.direct != given.want) {
				t.Errorf("said: %s; %q", text, s.direct)
			}
		})
	}
}

func TestFeeSettings(t *testing.T) {
	main, test := string(cirrus.MainNet.Address(cirrus.Hash{7})), string(cirrus.TestNet.Address(cirrus.Hash{7}))
	for name, given := range map[string]struct{ fee, to, wrong string }{
		"none":               {fee: "0"},
		"none, with address": {fee: "0", to: main},
		"the least":          {fee: "0.0001", to: main},
		"of the test chain":  {fee: "2.5", to: test},
		"dust":               {fee: "0.00009999", to: main, wrong: `USHER_SERVICE_FEE is "0.00009999": must be`},
		"negative":           {fee: "-1", to: main, wrong: "USHER_SERVICE_FEE"},
		"no amount":          {fee: "some", to: main, wrong: "USHER_SERVICE_FEE"},
		"no address":         {fee: "1", wrong: "USHER_FEE_ADDRESS: must be an address of yours"},
		"a mistyped address": {fee: "1", to: main[:len(main)-1] + "1", wrong: "USHER_FEE_ADDRESS is"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := environment{ServiceFee: given.fee, FeeAddress: given.to}.check()
			text := fmt.Sprint(err)
			about := strings.Contains(text, "SERVICE_FEE") || strings.Contains(text, "FEE_ADDRESS")
			if given.wrong != "" && !strings.Contains(text, given.wrong) || given.wrong == "" && about {
				t.Errorf("said: %s", text)
			}
		})
	}
}

func TestFeeAddressOfAnotherNetworkStopsTheStart(t *testing.T) {
	a := &app{network: cirrus.MainNet, settings: settings{fee: cirrus.CRS, feeAddress: string(cirrus.TestNet.Address(cirrus.Hash{7}))}}
	if err := a.openFee(t.Context()); err == nil || !strings.Contains(err.Error(), "USHER_FEE_ADDRESS") {
		t.Errorf("said: %v", err)
	}
	a.settings.fee = 0
	if err := a.openFee(t.Context()); err != nil {
		t.Errorf("said without a fee: %v", err)
	}
}
