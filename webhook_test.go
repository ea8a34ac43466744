package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
)

const hookSecret = "hook_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

// front is the web server before usher, which stays when usher dies. It gives each request to the next usher.
type front struct {
	*httptest.Server
	mu     sync.Mutex
	ushers []*url.URL
	next   int
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		usher := f.choose()
		if usher == nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		proxy := httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(usher) }}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *front) choose() *url.URL {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ushers) == 0 {
		return nil
	}
	f.next++
	return f.ushers[f.next%len(f.ushers)]
}

func (f *front) lead(to ...*process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ushers = nil
	for _, p := range to {
		f.ushers = append(f.ushers, &url.URL{Scheme: "http", Host: p.addr})
	}
}

// byWebhook has usher take updates by webhook from now on.
func (w *world) byWebhook() *front {
	w.t.Helper()
	f := newFront(w.t)
	w.env = append(w.env, "USHER_TELEGRAM_MODE=webhook", "USHER_WEBHOOK_URL="+f.URL, "USHER_WEBHOOK_SECRET="+hookSecret)
	return f
}

// own are the words that are another in each run: addresses, ids, dates, times.
var own = regexp.MustCompile(`\b[tC][A-Za-z0-9]{33}\b|\b[0-9a-f]{4}…[0-9a-f]{4}\b|/refund_[a-z0-9]+` +
	`|\b[A-Z][a-z]{2} [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}\b|\b[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?\b|\bblock [0-9]+\b`)

// conversation is the chat with the bot as it is now.
func (r *remote) conversation() string {
	r.t.Helper()
	var lines strings.Builder
	for _, m := range r.glance() {
		fmt.Fprintf(&lines, "%s: %s\n", m.From, own.ReplaceAllString(m.Text, "…"))
		for _, b := range m.Buttons {
			fmt.Fprintf(&lines, "  [%s]\n", b.Text)
		}
	}
	return lines.String()
}

// wholeStory is a seat from /start to the money back. paid comes right after the payment; it may be nil.
func wholeStory(w *world, again func(), paid func(*remote)) string {
	w.t.Helper()
	ada := w.person("Ada")
	address, due := ada.order("2B", cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA0}))
	w.pay(address, due)
	if paid != nil {
		paid(ada)
	}
	ada.sees("the ticket", says("is yours, and the ticket"), again)
	if tickets := ada.pictures(); len(tickets) != 1 {
		w.t.Errorf("%d tickets", len(tickets))
	}
	ada.write("/refund")
	list := ada.sees("the refund", says("/refund_"), again)
	ada.write(strings.Fields(list.Text[strings.Index(list.Text, "/refund_"):])[0])
	ada.sees("the money back", says("has arrived at"), again)
	ada.sees("the card of it", func(m simulator.MessageView) bool {
		return strings.Contains(m.Text, "was given back") && strings.Contains(m.Text, "arrived at")
	}, nil)
	return ada.conversation()
}

// unhurried has the payment seen, and told to be confirmed, before the next block buys the seat: blocks that follow each
// other faster than usher works have the customer told of the ticket alone.
func (w *world) unhurried(ada *remote) {
	w.t.Helper()
	ada.sees("the payment seen", says("is seen. It counts"), nil)
	w.mine()
	ada.sees("the payment confirmed", says("The seat is being bought"), nil)
}

func TestTheStoryByPollingAndByWebhookGivesTheSameConversation(t *testing.T) {
	ways := map[string]func(w *world){
		"polling": func(w *world) { w.run("") },
		"webhook": func(w *world) {
			f := w.byWebhook()
			w.run("")
			f.lead(w.usher)
		},
	}
	var mu sync.Mutex
	conversations := map[string]string{}
	t.Run("played", func(t *testing.T) {
		for way, begin := range ways {
			t.Run(way, func(t *testing.T) {
				t.Parallel()
				w, _ := newWorld(t)
				begin(w)
				told := wholeStory(w, w.mine, w.unhurried)
				mu.Lock()
				defer mu.Unlock()
				conversations[way] = told
			})
		}
	})
	for way, told := range conversations {
		if told != conversations["polling"] {
			t.Errorf("by polling:\n%s\nby %s:\n%s", conversations["polling"], way, told)
		}
	}
}

func TestKilledBeforeADeliveryIsAnsweredTheStoryEndsTheSame(t *testing.T) {
	for name, moment := range map[string]string{
		"before the answer": "telegram.webhook:10:before", // to the wish for a refund
		"after the answer":  "telegram.webhook:10:after",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := newWorld(t)
			f := w.byWebhook()
			w.run(moment)
			f.lead(w.usher)
			first := w.usher
			wholeStory(w, func() {
				restarter(w)()
				f.lead(w.usher)
			}, nil)
			if first == w.usher {
				t.Error("usher was not killed")
			}
		})
	}
}

func TestTwoUshersTakeOneCustomersUpdatesInTurn(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	f := w.byWebhook()
	w.run("")
	first := w.usher
	w.run("")
	f.lead(first, w.usher)
	ada := w.person("Ada")
	const texts = 9
	for range texts {
		ada.write("/shows")
	}
	answers := func() (n int) {
		for _, m := range ada.glance() {
			if says("on sale")(m) {
				n++
			}
		}
		return n
	}
	ada.sees("an answer to each", func(simulator.MessageView) bool { return answers() == texts }, nil)
	ada.tap("An Evening")
	ada.sees("the show", says("seats are free"), nil)
	ada.tap("Choose a seat")
	ada.sees("the seats", says("Tap a seat"), nil)
	ada.choose("An Evening", "2B", cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA1}))
	ada.verifiesTheirChat(4)
}

// verifiesTheirChat asks for the key of the secret chat so many times, and compares it with what is on the phone.
func (r *remote) verifiesTheirChat(times int) {
	r.t.Helper()
	key := ""
	for _, chat := range r.chats() {
		if chat.Kind == "secret" {
			key = chat.Key
		}
	}
	for range times {
		r.write("/verify")
	}
	same := func(m simulator.MessageView) bool {
		digits := strings.ReplaceAll(strings.Join(strings.Fields(m.Text), ""), "`", "")
		return key != "" && m.Picture != "" && strings.Contains(digits, key)
	}
	r.sees("the key as on the phone, each time", func(simulator.MessageView) bool {
		n := 0
		for _, m := range r.glance() {
			if same(m) {
				n++
			}
		}
		return n == times
	}, nil)
}

func TestWhileRedisIsAwayDeliveriesComeAgain(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	f := w.byWebhook()
	w.run("")
	f.lead(w.usher)
	ada := w.person("Ada")
	ada.write("/start")
	ada.sees("the answer", func(m simulator.MessageView) bool { return m.From == "bot" }, nil)
	w.redis.Kill()
	ada.write("/shows")
	refused := func() bool {
		var traffic []struct {
			Method string
			Status int
		}
		w.call(http.MethodGet, w.telegram+"/telegram/traffic", nil, &traffic)
		for _, call := range traffic {
			if call.Method == "webhook" && call.Status == http.StatusServiceUnavailable {
				return true
			}
		}
		return false
	}
	ada.sees("nothing, but the delivery is refused", func(simulator.MessageView) bool { return refused() }, nil)
	w.redis.Restart()
	ada.sees("the shows", says("on sale"), nil)
	if n := len(ada.glance()); n != 4 {
		t.Errorf("%d messages", n)
	}
}

func TestWhatTelegramWouldNotSendIsTurnedAway(t *testing.T) {
	t.Parallel()
	w, operator := newWorld(t)
	f := w.byWebhook()
	w.run("")
	f.lead(w.usher)
	operator.write("/start")
	operator.sees("the answer", func(m simulator.MessageView) bool { return m.From == "bot" }, nil)
	for kind, want := range map[string]int{
		"forged": http.StatusUnauthorized, "huge": http.StatusRequestEntityTooLarge, "garbage": http.StatusBadRequest, "repeated": http.StatusOK,
	} {
		var answer struct{ Status int }
		w.call(http.MethodPost, w.telegram+"/telegram/webhook", map[string]any{"kind": kind, "user": operator.id, "text": "/pause"}, &answer)
		if answer.Status != want {
			t.Errorf("%s: %d", kind, answer.Status)
		}
	}
	operator.write("/shows")
	operator.sees("the shows", says("on sale"), nil)
	if n := len(operator.glance()); n != 4 {
		t.Errorf("%d messages: something had an effect, or one twice", n)
	}
	log, err := os.ReadFile(w.usher.log)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), hookSecret) {
		t.Error("the log tells the webhook's secret")
	}
}
