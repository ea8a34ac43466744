package bot

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/flows"
)

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
