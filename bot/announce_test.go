package bot

import (
	"context"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
)

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
	e := receive(t, second.came)
	if e.Text == "one" { // its answer was cut off by the stop: it may come again, and only it
		e = receive(t, second.came)
	}
	if e.Text != "two" {
		t.Errorf("%q came", e.Text)
	}
}
