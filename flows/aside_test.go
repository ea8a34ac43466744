package flows_test

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// moments are where a customer may be when something unexpected comes, with a tap that must still work afterwards.
func moments() map[string][]string {
	hall := []string{"chat opens", "write /shows", "tap Night Trains", "tap Choose a seat", "tap 3D"}
	asked := append(slices.Clone(hall), "tap Continue with 3D")
	last := append(slices.Clone(asked), "write CUtNvY1Jxpn4V4RD1tgphsUKpQdo4q5i54")
	card := append(slices.Clone(last), "tap Order and pay 180.5 CRS", "wait 4s")
	yours := append(slices.Clone(card), "pay what is due", "block", "wait 4s", "block", "wait 4s")
	return map[string][]string{
		"in the hall":                       append(hall, "tap 3C"),
		"asked for a refund address":        append(asked, "write CUtNvY1Jxpn4V4RD1tgphsUKpQdo4q5i54"),
		"on the last screen before payment": append(last, "tap Another refund address"),
		"asked for another address":         append(slices.Clone(last), "tap Another refund address", "write ANOTHER"),
		"with a card to pay":                append(card, "tap QR with the address only"),
		"with a ticket":                     append(yours, "tap Refund…"),
	}
}

// unexpected is what nobody asked for.
func unexpected() []string {
	return []string{
		"send sticker", "send photo", "send voice", "send contact", "send location", "send forward", "send edited", "send dice",
		"write /help", "write /support", "write /language", "write /verify", "write /nonsense", "write /help me",
		"group /start", "group /refund k2x", "grouptap 1:cancel:k1x", "groupwrite hello",
		"bob raw 1:cancel:k1x", "bob raw 1:refund:k2x", "bob raw 1:own", "bob write /refund_k2x", "bob write /forget",
		"raw nonsense", "raw 1:card:k9x", "raw 1:undo:k9x:k2x", "raw 1:details:k1x:k9x", "raw 1:money:k9x",
	}
}

// TestWhateverComesInBetweenTheNextStepIsTheSame plays each moment with and without what comes in between.
func TestWhateverComesInBetweenTheNextStepIsTheSame(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(moments())) {
		lines := moments()[name]
		before, next := lines[:len(lines)-1], lines[len(lines)-1]
		for _, what := range unexpected() {
			t.Run(name+"/"+what, func(t *testing.T) { comesBetween(t, before, what, next) })
		}
	}
}

func comesBetween(t *testing.T, before []string, what, next string) {
	w, calm := newWorld(t), newWorld(t)
	for _, line := range before {
		w.happens(line)
		calm.happens(line)
	}
	w.happens(what)
	w.happens(next)
	calm.happens(next)
	got, err := w.db.Peek(t.Context(), ann)
	w.must(err)
	want, err := calm.db.Peek(t.Context(), ann)
	w.must(err)
	if !slices.Equal(got.Draft.Seats, want.Draft.Seats) || got.Screen != want.Screen || got.Refund != want.Refund || got.Own != want.Own {
		t.Errorf("the session is another one: %v, %q; without it %v, %q", got.Draft, got.Screen, want.Draft, want.Screen)
	}
	ids, err := w.db.Of(t.Context(), ann)
	w.must(err)
	calmly, err := calm.db.Of(t.Context(), ann)
	w.must(err)
	if !slices.Equal(ids, calmly) {
		t.Fatalf("orders %v; without it %v", ids, calmly)
	}
	for _, id := range ids {
		a, err := w.db.Load(t.Context(), id)
		w.must(err)
		b, err := calm.db.Load(t.Context(), id)
		w.must(err)
		if a.State != b.State || a.Tickets[0].State != b.Tickets[0].State || a.Private.Refund != b.Private.Refund || a.Hold.Sub(b.Hold).Abs() > time.Second {
			t.Errorf("order %s is %s, %s; without it %s, %s", id, a.State, a.Tickets[0].State, b.State, b.Tickets[0].State)
		}
	}
}
