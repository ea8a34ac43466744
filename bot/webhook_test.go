package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
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

func TestByWebhookTheChatIsTheSameAsByPolling(t *testing.T) {
	shop := func(_ context.Context, e flows.Event) (flows.Reply, error) {
		switch {
		case e.Command == "start":
			return replyWith(say(e.Chat, "Welcome", []flows.Button{{Text: "Shows", Action: "shows"}})), nil
		case e.Action != "":
			out := say(e.Chat, "Two shows")
			out.Edit = e.Message
			return flows.Reply{Answer: "Here they are", Screens: []flows.Outgoing{out}}, nil
		}
		return replyWith(say(e.Chat, "You wrote "+e.Text), say(e.Chat, "and I read it")), nil
	}
	story := func(b *bed) (lines []string) {
		user := b.tg.AddUser("Nora", "en")
		b.text(user, "/start")
		seen := b.until(user, "the welcome", func(m []simulator.MessageView) bool { return len(m) == 2 })
		answer := b.tap(user, int(seen[1].ID), "Shows")
		b.until(user, "the shows", func(m []simulator.MessageView) bool { return m[1].Text == "Two shows" })
		b.text(user, "hello")
		for _, m := range b.until(user, "the end", func(m []simulator.MessageView) bool { return len(m) == 5 }) {
			lines = append(lines, fmt.Sprint(m.ID, m.From, m.Text, m.Buttons))
		}
		return append(lines, fmt.Sprint(answer))
	}
	polled, hooked := newBed(t), newHookBed(t)
	polled.start(shop)
	hooked.hook(shop)
	a, b := strings.Join(story(polled), "\n"), strings.Join(story(hooked), "\n")
	if a != b {
		t.Errorf("by polling\n%s\nby webhook\n%s", a, b)
	}
}

func TestWhoDoesNotKnowTheSecretIsTurnedAway(t *testing.T) {
	r := newRecord()
	h := newHookBed(t).serve(&script{handle: r.handle})
	for _, secret := range []string{"", "x", hookSecret + "x", hookSecret[1:], strings.ToLower(hookSecret)} {
		if status := h.deliver(secret, message(1, 5, "give me seats")); status != http.StatusUnauthorized {
			t.Errorf("secret %q: %d", secret, status)
		}
	}
	if status := h.deliver(hookSecret, message(2, 5, "hello")); status != http.StatusOK {
		t.Errorf("with the secret: %d", status)
	}
	if e := receive(t, r.came); e.Text != "hello" {
		t.Errorf("handled %q", e.Text)
	}
	if strings.Contains(h.logs.String(), hookSecret) {
		t.Error("the log tells the secret")
	}
}

func TestWhatTelegramWouldNotSendIsTurnedAway(t *testing.T) {
	bed := newHookBed(t)
	user := bed.tg.AddUser("Nora", "en")
	r := newRecord()
	bed.hook(r.handle)
	bed.text(user, "/start")
	receive(t, r.came)
	eventually(t, "the first update is taken", func() bool {
		status, err := bed.tg.Disturb(t.Context(), simulator.Disturbance{Kind: "repeated"})
		return err == nil && status == http.StatusOK
	})
	for kind, want := range map[string]int{
		"forged": http.StatusUnauthorized, "garbage": http.StatusBadRequest, "huge": http.StatusRequestEntityTooLarge,
	} {
		status, err := bed.tg.Disturb(t.Context(), simulator.Disturbance{Kind: kind, User: user, Text: "/pause", Bytes: maxDelivery})
		if err != nil || status != want {
			t.Errorf("%s: %d, %v", kind, status, err)
		}
	}
	// Somebody who writes slowly and without the secret is turned away before the end.
	status, err := bed.tg.Disturb(t.Context(), simulator.Disturbance{Kind: "slow", Secret: "x", User: user, Every: time.Millisecond})
	if err != nil || status != http.StatusUnauthorized {
		t.Errorf("slow: %d, %v", status, err)
	}
	bed.text(user, "hello")
	if e := receive(t, r.came); e.Text != "hello" || len(r.events) != 2 {
		t.Errorf("handled %+v", r.events)
	}
}

func TestSlowDeliveryIsBrokenOff(t *testing.T) {
	bed := newHookBed(t)
	user := bed.tg.AddUser("Nora", "en")
	r := newRecord()
	h := bed.hook(r.handle, func(c *Config) { c.Rules.ReadWithin = 20 * time.Millisecond })
	bed.text(user, "hello")
	receive(t, r.came)
	status, err := bed.tg.Disturb(t.Context(), simulator.Disturbance{Kind: "slow", User: user, Every: time.Millisecond})
	if err != nil || status != http.StatusRequestTimeout && status != 0 {
		t.Errorf("%d, %v", status, err)
	}
	if status := h.deliver(hookSecret, message(1, user, "on")); status != http.StatusOK {
		t.Errorf("afterwards: %d", status)
	}
}

func TestWithoutASecretNobodyIsTelegram(t *testing.T) {
	h := newHookBed(t).serve(&script{handle: newRecord().handle}, func(c *Config) { c.Webhook.Secret = "" })
	if status := h.deliver("", message(1, 5, "hello")); status != http.StatusUnauthorized {
		t.Errorf("status %d", status)
	}
}

func TestWhatIsNoUpdateIsTurnedAway(t *testing.T) {
	h := newHookBed(t).serve(&script{handle: newRecord().handle})
	for name, test := range map[string]struct {
		body string
		want int
	}{
		"nothing":           {"", http.StatusBadRequest},
		"no JSON":           {"update", http.StatusBadRequest},
		"no id":             {`{"message":{}}`, http.StatusBadRequest},
		"id 0":              {`{"update_id":0}`, http.StatusBadRequest},
		"huge":              {message(1, 5, strings.Repeat("a", maxDelivery)), http.StatusRequestEntityTooLarge},
		"of a shape unseen": {`{"update_id":9,"message":"?"}`, http.StatusOK}, // or it would come for ever
		"of no use":         {`{"update_id":10,"poll":{"id":"1"}}`, http.StatusOK},
	} {
		if status := h.deliver(hookSecret, test.body); status != test.want {
			t.Errorf("%s: %d", name, status)
		}
	}
}

func TestDeliveryIsTakenOnlyWhenItsEffectIsSaved(t *testing.T) {
	bed := newHookBed(t)
	user := bed.tg.AddUser("Nora", "en")
	bed.text(user, "/start")
	var tries atomic.Int32
	saved := make(chan string, 9)
	h := bed.serve(&script{handle: func(_ context.Context, e flows.Event) (flows.Reply, error) {
		if tries.Add(1) <= 7 { // the first delivery's five tries and two of the second's
			return flows.Reply{}, errors.New("redis is away")
		}
		saved <- e.Text
		return replyWith(say(e.Chat, "done")), nil
	}})
	if status := h.deliver(hookSecret, message(1, user, "buy")); status != http.StatusServiceUnavailable || len(saved) > 0 {
		t.Errorf("nothing is saved: %d", status)
	}
	if status := h.deliver(hookSecret, message(1, user, "buy")); status != http.StatusOK || receive(t, saved) != "buy" {
		t.Errorf("all is saved: %d", status)
	}
	if status := h.deliver(hookSecret, message(1, user, "buy")); status != http.StatusOK || tries.Load() != 8 {
		t.Errorf("handled again: %d after %d tries", status, tries.Load())
	}
	bed.until(user, "one answer", func(m []simulator.MessageView) bool { return len(m) == 2 && m[1].Text == "done" })
}

func TestUpdateThatFailsForGoodHoldsUpItsCustomerNotForEver(t *testing.T) {
	for name, fail := range map[string]func() error{
		"errors": func() error { return errors.New("no") },
		"panics": func() error { panic("a ticket's secret") },
	} {
		t.Run(name, func(t *testing.T) {
			bed := newHookBed(t)
			user := bed.tg.AddUser("Nora", "en")
			bed.hook(func(_ context.Context, e flows.Event) (flows.Reply, error) {
				if e.Text == "bad" {
					return flows.Reply{}, fail()
				}
				return replyWith(say(e.Chat, "done")), nil
			}, func(c *Config) { c.Rules.Deliveries = 3 })
			bed.text(user, "bad")
			bed.text(user, "good")
			seen := bed.until(user, "both answers", func(m []simulator.MessageView) bool { return len(m) == 4 })
			if !strings.HasPrefix(seen[2].Text, "Something went wrong") || seen[3].Text != "done" {
				t.Errorf("%q, %q", seen[2].Text, seen[3].Text)
			}
		})
	}
}

func TestDeliveryThatComesTwiceAtOnceHasOneEffect(t *testing.T) {
	entered, release := make(chan struct{}, 9), make(chan struct{})
	bed := newHookBed(t)
	h := bed.serve(&script{handle: func(context.Context, flows.Event) (flows.Reply, error) {
		entered <- struct{}{}
		<-release
		return flows.Reply{}, nil
	}})
	statuses := make(chan int, 5)
	for range 5 {
		go func() { statuses <- h.deliver(hookSecret, message(1, 5, "buy")) }()
	}
	receive(t, entered)
	eventually(t, "all five wait", func() bool { return h.bot.flights.waiting(1) == 5 })
	close(release)
	for range 5 {
		if status := receive(t, statuses); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	if len(entered) > 0 {
		t.Error("handled twice")
	}
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

func TestTapIsAnsweredInTheResponse(t *testing.T) {
	bed := newHookBed(t)
	user := bed.tg.AddUser("Nora", "en")
	var calls atomic.Int32
	bed.hook(func(_ context.Context, e flows.Event) (flows.Reply, error) {
		if e.Action != "" {
			return flows.Reply{Answer: "It is yours", Alert: true}, nil
		}
		return replyWith(say(e.Chat, "tap me", []flows.Button{{Text: "Tap", Action: "x"}})), nil
	}, func(c *Config) {
		c.Sites = count(func(site string) {
			if site == "telegram.answerCallbackQuery" {
				calls.Add(1)
			}
		})
	})
	bed.text(user, "/start")
	seen := bed.until(user, "a button", func(m []simulator.MessageView) bool { return len(m) == 2 })
	if answer := bed.tap(user, int(seen[1].ID), "Tap"); answer.Text != "It is yours" || !answer.Alert {
		t.Errorf("answer is %+v", answer)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls for what the response carries", n)
	}
}

func TestTapIsAnsweredByCallWhereNobodyWaitsForTheResponse(t *testing.T) {
	bed := newHookBed(t)
	user := bed.tg.AddUser("Nora", "en")
	bed.text(user, "/start")
	entered, release := make(chan struct{}, 1), make(chan struct{})
	h := bed.serve(&script{handle: func(context.Context, flows.Event) (flows.Reply, error) {
		entered <- struct{}{}
		<-release
		return flows.Reply{Answer: "It is yours"}, nil
	}}, func(c *Config) { c.Rules.DeliverWithin = 10 * time.Millisecond })
	shown, err := h.bot.Show(t.Context(), say(user, "tap me", []flows.Button{{Text: "Tap", Action: "x"}}))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan simulator.Answer, 1)
	go func() { answers <- bed.tap(user, shown, "Tap") }()
	var tap string
	eventually(t, "the tap is there", func() bool {
		raw, err := h.bot.ask(t.Context(), 0, batch)
		if err != nil {
			t.Fatal(err)
		}
		tap = string(raw[len(raw)-1])
		return strings.Contains(tap, "callback_query")
	})
	if status := h.deliver(hookSecret, tap); status != http.StatusServiceUnavailable {
		t.Errorf("status %d before the end", status)
	}
	receive(t, entered)
	close(release)
	if answer := receive(t, answers); answer.Text != "It is yours" {
		t.Errorf("answer is %+v", answer)
	}
	if status := h.deliver(hookSecret, tap); status != http.StatusOK {
		t.Errorf("status %d after the end", status)
	}
}

func TestWhatIsUnderWayAtTheEndComesAgain(t *testing.T) {
	bed := newHookBed(t)
	entered := make(chan struct{}, 1)
	dying := bed.serve(&script{handle: func(ctx context.Context, _ flows.Event) (flows.Reply, error) {
		entered <- struct{}{}
		<-ctx.Done()
		return flows.Reply{}, ctx.Err()
	}}, func(c *Config) { c.Rules.Grace, c.Rules.TakeWithin = 1, time.Millisecond })
	statuses := make(chan int, 1)
	go func() { statuses <- dying.deliver(hookSecret, message(1, 5, "buy")) }()
	receive(t, entered)
	dying.stop()
	if status := receive(t, statuses); status != http.StatusServiceUnavailable {
		t.Errorf("under way at the end: %d", status)
	}
	if status := dying.deliver(hookSecret, message(2, 5, "buy")); status != http.StatusServiceUnavailable {
		t.Errorf("after the end: %d", status)
	}
	r := newRecord()
	again := bed.serve(&script{handle: r.handle})
	if status := again.deliver(hookSecret, message(1, 5, "buy")); status != http.StatusOK || receive(t, r.came).ID != 1 {
		t.Errorf("in another process: %d", status)
	}
}

func TestCustomersUpdatesAreHandledInOrderByWebhookToo(t *testing.T) {
	bed := newHookBed(t)
	var users []int64
	for i := range 3 {
		users = append(users, bed.tg.AddUser(fmt.Sprint("Person ", i), "en"))
	}
	r := newRecord()
	for _, kind := range []string{"drop-before", "drop-after", "status:502"} {
		if err := bed.tg.AddFault(simulator.Fault{Method: "^webhook$", Kind: kind, Times: 3}); err != nil {
			t.Fatal(err)
		}
	}
	bed.hook(r.handle)
	const each = 20
	for n := range each {
		for _, user := range users {
			bed.text(user, fmt.Sprint(n))
		}
	}
	next := map[int64]int{}
	for range each * len(users) {
		e := receive(t, r.came)
		if e.Text != fmt.Sprint(next[e.Actor.ID]) {
			t.Fatalf("customer %d: %q, not %d", e.Actor.ID, e.Text, next[e.Actor.ID])
		}
		next[e.Actor.ID]++
	}
}

func TestWebhookIsSetAgainWhenSomebodyTookItAway(t *testing.T) {
	bed := newHookBed(t)
	user := bed.tg.AddUser("Nora", "en")
	for _, kind := range []string{"drop-before", "drop-after", "status:502", "status:429"} {
		if err := bed.tg.AddFault(simulator.Fault{Method: "Webhook", Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	r := newRecord()
	h := bed.hook(r.handle, func(c *Config) {
		c.Rules.Check = time.Millisecond
		c.Wait = func(ctx context.Context, d time.Duration) error { return wait(ctx, min(d, time.Millisecond)) }
	})
	bed.text(user, "one")
	receive(t, r.came)
	h.bot.leaveWebhook(t.Context())
	bed.text(user, "two")
	if e := receive(t, r.came); e.Text != "two" {
		t.Errorf("%q came", e.Text)
	}
}

func TestPollingTakesTheWebhookAway(t *testing.T) {
	bed := newHookBed(t)
	user := bed.tg.AddUser("Nora", "en")
	first := newRecord()
	h := bed.serve(&script{handle: first.handle})
	stop := during(t, h.bot.KeepWebhook)
	bed.text(user, "one")
	receive(t, first.came)
	stop()
	h.stop()
	second := newRecord()
	bed.start(second.handle)
	bed.text(user, "two")
	if e := receive(t, second.came); e.Text != "two" {
		t.Errorf("%q came", e.Text)
	}
}
