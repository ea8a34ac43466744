package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/storage"
	"github.com/usherbot/usher/storage/redistest"
)

// world is usher and its surroundings as processes of their own: whatever kills usher does not kill them.
type world struct {
	t               *testing.T
	chain, telegram string // URLs of the control APIs
	env             []string
	usher           *process
	redis           *redistest.Server
}

func setting(env []string, name string) string {
	for _, line := range env {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

// newWorld starts the surroundings; operator becomes the one that usher turns to. Flags are of `usher telegram`.
func newWorld(t *testing.T, flags ...string) (w *world, operator *remote) {
	t.Helper()
	w = &world{t: t, redis: redistest.Start(t)}
	chain := start(t, nil, "sandbox", "--block", "manual")
	telegram := start(t, nil, append([]string{"telegram", "--no-limits"}, flags...)...)
	w.chain, w.telegram = setting(chain.env, "USHER_NODE_URL"), setting(telegram.env, "USHER_TELEGRAM_URL")
	keys := filepath.Join(t.TempDir(), "keys")
	if _, err := storage.CreateKeyring(keys); err != nil {
		t.Fatal(err)
	}
	operator = w.person("Olga")
	w.env = append(append(chain.env, telegram.env...), "USHER_KEYS_FILE="+keys, "USHER_REDIS_URL="+w.redis.URL,
		"USHER_REDIS_RISK=none", "USHER_LISTEN=127.0.0.1:0", "USHER_UNDO=1s", fmt.Sprintf("USHER_ADMINS=%d", operator.id))
	return w, operator
}

// run starts usher, which dies at a moment where one is given.
func (w *world) run(killAtMoment string) {
	w.t.Helper()
	w.usher = start(w.t, append(w.env, killAt+"="+killAtMoment))
}

// call makes a call of a control API.
func (w *world) call(method, url string, body, into any) {
	w.t.Helper()
	if status, text := w.try(method, url, body, into); status != http.StatusOK {
		w.t.Fatalf("%s %s: %d %s", method, url, status, text)
	}
}

func (w *world) try(method, url string, body, into any) (status int, text string) {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, url, bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if response.StatusCode == http.StatusOK && into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, url, err, answer)
		}
	}
	return response.StatusCode, string(answer)
}

func (w *world) mine() {
	w.t.Helper()
	w.call(http.MethodPost, w.chain+"/sandbox/mine", map[string]any{"blocks": 1}, nil)
}

func (w *world) pay(address string, sum cirrus.Strats) {
	w.t.Helper()
	w.call(http.MethodPost, w.chain+"/sandbox/fund", map[string]any{"address": address, "amount": sum}, nil)
}

func (w *world) ledger() (view sandbox.LedgerView) {
	w.t.Helper()
	w.call(http.MethodGet, w.chain+"/sandbox/ledger", nil, &view)
	return view
}

func (w *world) scan(door cirrus.Address, ticket string) (result struct{ Opens bool }) {
	w.t.Helper()
	w.call(http.MethodPost, w.chain+"/sandbox/scan", map[string]any{"address": door, "ticket": ticket}, &result)
	return result
}

// remote is a person with a phone, driven over the control API.
type remote struct {
	*world
	id int64
}

func (w *world) person(name string) *remote {
	w.t.Helper()
	var made struct{ ID int64 }
	w.call(http.MethodPost, w.telegram+"/telegram/users", map[string]any{"name": name, "language": "en"}, &made)
	return &remote{world: w, id: made.ID}
}

func (r *remote) url(what string) string {
	return fmt.Sprintf("%s/telegram/users/%d/%s", r.telegram, r.id, what)
}

func (r *remote) write(text string) {
	r.t.Helper()
	r.call(http.MethodPost, r.url("text"), map[string]any{"text": text, "chat": "bot"}, nil)
}

func (r *remote) chats() (views []simulator.ChatView) {
	r.t.Helper()
	r.call(http.MethodGet, r.url("chats"), nil, &views)
	return views
}

// glance is chats without the whole of each picture, which takes most of the time where one looks often.
func (r *remote) glance() []simulator.MessageView {
	r.t.Helper()
	var views []simulator.ChatView
	r.call(http.MethodGet, r.url("chats?pictures=brief"), nil, &views)
	return views[0].Messages
}

// sees waits until a message of the chat with the bot shows something, looking anew after each of step's doings. Of a
// picture it has the beginning alone.
func (r *remote) sees(what string, shows func(simulator.MessageView) bool, step func()) (found simulator.MessageView) {
	r.t.Helper()
	deadline := time.NewTimer(3 * time.Minute)
	defer deadline.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for n := 1; ; n++ {
		messages := r.glance()
		for i := len(messages) - 1; i >= 0; i-- {
			if shows(messages[i]) {
				return messages[i]
			}
		}
		if step != nil && n%20 == 0 {
			step()
		}
		select {
		case <-deadline.C:
			r.t.Fatalf("%s did not appear; the last messages: %+v", what, texts(messages))
		case <-look.C:
		}
	}
}

func texts(messages []simulator.MessageView) (list []string) {
	for _, m := range messages[max(0, len(messages)-4):] {
		list = append(list, m.From+": "+m.Text)
	}
	return list
}

func (r *remote) tap(text string) {
	r.t.Helper()
	m := r.sees("button "+text, func(m simulator.MessageView) bool { return button(m, text) != "" }, nil)
	r.try(http.MethodPost, r.url("tap"), map[string]any{"message": m.ID, "button": button(m, text)}, nil)
}

// order chooses a seat, opens the secret chat and gets the payment card.
func (r *remote) order(seat string, refund cirrus.Address) (address string, due cirrus.Strats) {
	r.t.Helper()
	r.choose("An Evening", seat, refund)
	r.tap("Order and pay")
	return r.bill()
}

// choose goes on to the last screen before payment: seat, refund address and secret chat are there.
func (r *remote) choose(show, seat string, refund cirrus.Address) {
	r.t.Helper()
	for _, step := range r.choosing(show, seat, refund) {
		step()
	}
}

// choosing is choose step by step.
func (r *remote) choosing(show, seat string, refund cirrus.Address) []func() {
	steps := []func(){func() { r.write("/start") }}
	for _, text := range []string{"Shows", show, "Choose a seat", seat, "Continue with " + seat} {
		steps = append(steps, func() { r.tap(text) })
	}
	return append(steps, func() {
		r.sees("the question for an address", says("Where should money go back to?"), nil)
		r.write(string(refund))
	}, func() {
		r.sees("the way to the secret chat", says("Start Secret Chat"), nil)
		r.call(http.MethodPost, r.url("secretchat"), map[string]any{"with": "@courier"}, nil)
	}, func() {
		r.sees("the last screen", func(m simulator.MessageView) bool { return button(m, "Order and pay") != "" }, nil)
	})
}

// bill reads address and sum off the payment card.
func (r *remote) bill() (address string, due cirrus.Strats) {
	r.t.Helper()
	card := r.sees("the payment card", func(m simulator.MessageView) bool { return copied(m, "Copy address") != "" }, nil)
	due, err := sumOf(card)
	if err != nil {
		r.t.Fatal(err)
	}
	return copied(card, "Copy address"), due
}

// pictures decodes every ticket picture in the person's secret chats.
func (r *remote) pictures() (tickets []string) {
	r.t.Helper()
	var chats []simulator.ChatView
	r.call(http.MethodGet, r.url("secret"), nil, &chats)
	for _, chat := range chats {
		for _, m := range chat.Messages {
			if m.Picture == "" {
				continue
			}
			raw, err := base64.StdEncoding.DecodeString(m.Picture)
			if err != nil {
				r.t.Fatal(err)
			}
			text, err := readQR(raw)
			if err != nil {
				r.t.Fatal(err)
			}
			tickets = append(tickets, text)
		}
	}
	return tickets
}
