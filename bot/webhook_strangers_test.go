package bot

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
)

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
