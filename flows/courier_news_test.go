package flows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/flows"
)

// TestOperatorsReadWhatBecameOfACourierAndWhatToDo: whose account, what it means, how many customers, what to do.
func TestOperatorsReadWhatBecameOfACourierAndWhatToDo(t *testing.T) {
	account := flows.Contact{Username: "quay"}
	for health, row := range map[string]struct {
		customers int
		until     time.Time
		says      []string
	}{
		flows.CourierCrowded: {says: []string{"@quay", "accepts secret chats: a phone", "Devices"}},
		flows.CourierRefused: {says: []string{"could not be logged in", "nothing is sold", "usher courier login"}},
		flows.CourierReady:   {says: []string{"@quay is back"}},
		flows.CourierAway:    {customers: 1, says: []string{"@quay", "not been connected", "1 customer has a secret chat", "usher courier status"}},
		flows.CourierLimited: {until: start.Add(time.Hour), says: []string{"@quay", "start no secret chats", "may start chats again"}},
		flows.CourierEnded:   {customers: 3, says: []string{"ended the session of courier @quay", "3 customers had", "usher courier login"}},
		flows.CourierBanned:  {customers: 2, says: []string{"taken the account of courier @quay", "2 customers had", "another account"}},
	} {
		w := newWorld(t)
		w.must(w.flows.CourierNewsTold(t.Context(), flows.CourierNews{
			Account: account, Health: health, Reason: "a phone", Customers: row.customers, Until: row.until,
		}))
		text := w.seen()
		for _, want := range row.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q: %s", health, want, text)
			}
		}
	}
}

// TestAWarningSaysThatPicturesVanish and that they can be had again, where the operator has set a timer.
func TestAWarningSaysThatPicturesVanish(t *testing.T) {
	for _, timer := range []time.Duration{0, time.Minute} {
		w := newWorld(t)
		o := owned(w)
		w.flows.Config.Timer = timer
		w.courier.open[o.Customer] = flows.ChatOpen
		_, err := w.flows.Deliver(t.Context(), o, "t1")
		w.must(err)
		if log := w.seen(); strings.Contains(log, "pictures vanish") != (timer > 0) {
			t.Errorf("timer %s: %s", timer, log)
		}
	}
}

// TestAnOperatorWhoWritesMayBeToldWhatTheyCouldNotBeToldBefore: a bot writes to nobody who has never written to it.
func TestAnOperatorWhoWritesMayBeToldWhatTheyCouldNotBeToldBefore(t *testing.T) {
	w := newWorld(t)
	wrote := 0
	w.flows.OperatorWrote = func() { wrote++ }
	for _, id := range []int64{ann, operator, ann, operator} {
		w.handle(flows.Event{ID: int64(900 + id), Kind: flows.Private, Actor: flows.Actor{ID: id}, Chat: id, Command: "help"})
	}
	if wrote != 2 {
		t.Errorf("of four messages %d were said to be an operator's, want 2", wrote)
	}
}

// TestOperatorsReadThatRedisCouldForget, that it does not any more, and that it has forgotten.
func TestOperatorsReadThatRedisCouldForget(t *testing.T) {
	for keeps, says := range map[bool]string{false: "nothing more is sold", true: "Selling goes on"} {
		w := newWorld(t)
		w.must(w.flows.StoreNewsTold(t.Context(), keeps, "appendfsync is no."))
		if text := w.seen(); !strings.Contains(text, says) || !strings.Contains(text, "appendfsync is no.") {
			t.Errorf("keeps %t: %s", keeps, text)
		}
	}
	w := newWorld(t)
	w.must(w.flows.StoreOlderTold(t.Context()))
	if text := w.seen(); !strings.Contains(text, "older data") || !strings.Contains(text, "usher audit") {
		t.Error(text)
	}
}
