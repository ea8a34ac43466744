package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/flows"
)

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
