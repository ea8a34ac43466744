package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

func TestOneCustomersUpdatesAreHandledInOrderAndOneAfterAnother(t *testing.T) {
	bed := newBed(t)
	const people, each = 5, 30
	var mu sync.Mutex
	got, inside := map[int64][]string{}, map[int64]int{}
	all := make(chan struct{}, people*each)
	handle := func(_ context.Context, e flows.Event) (flows.Reply, error) {
		mu.Lock()
		inside[e.Actor.ID]++
		if inside[e.Actor.ID] != 1 {
			t.Errorf("two updates of customer %d at once", e.Actor.ID)
		}
		got[e.Actor.ID] = append(got[e.Actor.ID], e.Text)
		mu.Unlock()
		defer func() {
			mu.Lock()
			inside[e.Actor.ID]--
			mu.Unlock()
			all <- struct{}{}
		}()
		return flows.Reply{}, nil
	}
	var users []int64
	for i := range people {
		users = append(users, bed.tg.AddUser(fmt.Sprint("Person ", i), "en"))
	}
	bed.start(handle)
	for n := range each {
		for _, user := range users {
			bed.text(user, fmt.Sprint(n))
		}
	}
	for range people * each {
		receive(t, all)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, user := range users {
		for n, text := range got[user] {
			if text != fmt.Sprint(n) {
				t.Fatalf("customer %d: update %d is %q", user, n, text)
			}
		}
	}
}

func TestSlowCustomerHoldsUpNobodyElse(t *testing.T) {
	bed := newBed(t)
	slow, quick := bed.tg.AddUser("Slow", "en"), bed.tg.AddUser("Quick", "en")
	release, entered, came := make(chan struct{}), make(chan struct{}, 1), make(chan string, 300)
	bed.start(func(_ context.Context, e flows.Event) (flows.Reply, error) {
		if e.Actor.ID == slow {
			entered <- struct{}{}
			<-release
		}
		came <- e.Text
		return flows.Reply{}, nil
	})
	bed.text(slow, "slow")
	receive(t, entered)
	for n := range batch - 1 { // as many as may be under way beside it
		bed.text(quick, fmt.Sprint(n))
		if text := receive(t, came); text != fmt.Sprint(n) {
			t.Fatalf("handled %q, not %d", text, n)
		}
	}
	bed.text(quick, "one too many")
	close(release)
	if first, second := receive(t, came), receive(t, came); first != "slow" || second != "one too many" {
		t.Errorf("handled %q and %q", first, second)
	}
}

func TestHandledUpdatesDoNotComeAgain(t *testing.T) {
	bed := newBed(t)
	user := bed.tg.AddUser("Nora", "en")
	first := newRecord()
	b := bed.bot(&script{handle: first.handle})
	stop := run(t, b)
	bed.text(user, "one")
	bed.text(user, "two")
	receive(t, first.came)
	receive(t, first.came)
	stop()

	second := newRecord()
	bed.start(second.handle)
	bed.text(user, "three")
	if e := receive(t, second.came); e.Text != "three" {
		t.Errorf("%q came again", e.Text)
	}
}

func TestUpdateUnderWayAtTheEndComesAgainWithTheSameID(t *testing.T) {
	bed := newBed(t)
	user := bed.tg.AddUser("Nora", "en")
	entered := make(chan int64, 1)
	dying := bed.bot(&script{handle: func(ctx context.Context, e flows.Event) (flows.Reply, error) {
		entered <- e.ID
		<-ctx.Done() // the program ends here, nothing was saved
		return flows.Reply{}, ctx.Err()
	}}, func(c *Config) { c.Rules.Grace = 1 })
	stop := run(t, dying)
	bed.text(user, "buy")
	id := receive(t, entered)
	stop()

	again := newRecord()
	stop = run(t, bed.bot(&script{handle: again.handle}))
	if e := receive(t, again.came); e.ID != id || e.Text != "buy" {
		t.Errorf("update %d %q came, not %d", e.ID, e.Text, id)
	}
	stop()
}

func TestRunAgainTakesUpWhatTheLastRunLeft(t *testing.T) {
	bed := newBed(t)
	user := bed.tg.AddUser("Nora", "en")
	var calls atomic.Int32
	came := make(chan int64, 2)
	b := bed.bot(&script{handle: func(ctx context.Context, e flows.Event) (flows.Reply, error) {
		came <- e.ID
		if calls.Add(1) == 1 {
			<-ctx.Done()
			return flows.Reply{}, ctx.Err()
		}
		return flows.Reply{}, nil
	}}, func(c *Config) { c.Rules.Grace = 1 })
	stop := run(t, b)
	bed.text(user, "buy")
	first := receive(t, came)
	stop()
	run(t, b)
	if second := receive(t, came); second != first {
		t.Errorf("update %d came, not %d", second, first)
	}
}

func TestFailedUpdateIsTriedAgainAndThenGivenUpWithOneSentence(t *testing.T) {
	for _, test := range []struct {
		name  string
		fails int
		err   error
		want  string // what the customer reads
		tries int
	}{
		{"fails once", 1, errors.New("redis is away"), "done", 2},
		{"fails for good", 1000, errors.New("redis is away"), "Something went wrong. Please try again.", 5},
		{"busy for a while", 20, fmt.Errorf("beginning: %w", order.ErrBusy), "done", 21},
		{"panics", 1000, nil, "Something went wrong. Please try again.", 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			bed := newBed(t)
			user := bed.tg.AddUser("Nora", "en")
			tries := 0
			bed.start(func(_ context.Context, e flows.Event) (flows.Reply, error) {
				if tries++; tries > test.fails {
					return replyWith(say(e.Chat, "done")), nil
				}
				if test.err == nil {
					panic("a ticket's secret")
				}
				return flows.Reply{}, test.err
			})
			bed.text(user, "hello")
			seen := bed.until(user, "an answer", func(m []simulator.MessageView) bool { return len(m) == 2 })
			if seen[1].Text != test.want || tries != test.tries {
				t.Errorf("%q after %d tries", seen[1].Text, tries)
			}
			if strings.Contains(bed.logs.String(), "a ticket's secret") {
				t.Error("the log tells what the handler panicked with")
			}
		})
	}
}

func TestTapIsAnsweredOnceAlsoWhenItsEventIsGivenUp(t *testing.T) {
	bed := newBed(t)
	user := bed.tg.AddUser("Nora", "en")
	var answers atomic.Int32
	bed.start(func(_ context.Context, e flows.Event) (flows.Reply, error) {
		if e.Action != "" {
			return flows.Reply{}, errors.New("no")
		}
		return replyWith(say(e.Chat, "tap me", []flows.Button{{Text: "Tap", Action: "x"}})), nil
	}, func(c *Config) {
		c.Sites = count(func(site string) {
			if site == "telegram.answerCallbackQuery" {
				answers.Add(1)
			}
		})
		c.Sorry = func(language string) string { return "sorry in " + language }
	})
	bed.text(user, "/start")
	seen := bed.until(user, "a button", func(m []simulator.MessageView) bool { return len(m) == 2 })
	if answer := bed.tap(user, int(seen[1].ID), "Tap"); answer.Text != "sorry in en" {
		t.Errorf("answer is %q", answer.Text)
	}
	if n := answers.Load(); n != 1 {
		t.Errorf("answered %d times", n)
	}
	if seen := bed.chat(user); len(seen) != 2 {
		t.Errorf("%d messages, the tap's answer is enough", len(seen))
	}
}

func TestLostPollsLoseNoUpdate(t *testing.T) {
	bed := newBed(t)
	user := bed.tg.AddUser("Nora", "en")
	for _, kind := range []string{"drop-before", "drop-after", "status:502", "status:429", "status:409"} {
		if err := bed.tg.AddFault(simulator.Fault{Method: "^getUpdates$", Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	r := newRecord()
	bed.text(user, "one")
	bed.text(user, "two")
	bed.start(r.handle, func(c *Config) {
		c.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	})
	if one, two := receive(t, r.came), receive(t, r.came); one.Text != "one" || two.Text != "two" {
		t.Errorf("%q, then %q", one.Text, two.Text)
	}
}

// count is Sites that tell which call sites were used.
type count func(site string)

func (c count) Do(ctx context.Context, site string, call func(context.Context) error) error {
	c(site)
	return call(ctx)
}

// gate is a Limiter that lets nothing go before it is open.
type gate struct {
	free
	waiting, open chan struct{}
}

func (g gate) Wait(ctx context.Context, _ int64, _ bool) error {
	g.waiting <- struct{}{}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestReplyUnderWayAtTheEndIsStillSent(t *testing.T) {
	bed := newBed(t)
	user := bed.tg.AddUser("Nora", "en")
	g := gate{waiting: make(chan struct{}, 1), open: make(chan struct{})}
	b := bed.bot(&script{handle: func(_ context.Context, e flows.Event) (flows.Reply, error) {
		return replyWith(say(e.Chat, "your tickets")), nil
	}}, func(c *Config) { c.Limiter, c.Rules.Grace = g, soon })
	stop := run(t, b)
	bed.text(user, "/tickets")
	receive(t, g.waiting)
	ended := make(chan struct{})
	go func() { stop(); close(ended) }()
	close(g.open)
	receive(t, ended)
	if m := bed.last(user); m.Text != "your tickets" {
		t.Errorf("shows %q", m.Text)
	}
}
