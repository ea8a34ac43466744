package memory

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

func TestJobsRunInOrderOfTimeThenOfAsking(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	clock := NewClock(start)
	var ran []order.ID
	jobs := NewJobs(clock, func(_ context.Context, id order.ID) error {
		ran = append(ran, id)
		return nil
	})
	wake := func(id order.ID, version uint64, after time.Duration) {
		if err := jobs.Wake(t.Context(), id, version, start.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	wake("later", 1, 2*time.Second)
	wake("b", 1, 0)
	wake("a", 1, -time.Hour)
	wake("b", 1, 0)
	wake("soon", 1, time.Second)
	if err := jobs.RunUntilIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := jobs.RunUntil(t.Context(), start.Add(3*time.Second)); err != nil {
		t.Fatal(err)
	}
	want := []order.ID{"b", "a", "soon", "later"}
	if len(ran) != len(want) {
		t.Fatalf("ran %v, want %v", ran, want)
	}
	for i := range want {
		if ran[i] != want[i] {
			t.Fatalf("ran %v, want %v", ran, want)
		}
	}
	if got := clock.Now(); !got.Equal(start.Add(3 * time.Second)) {
		t.Fatalf("clock stands at %s", got)
	}
}

func TestJobsThatWakeEachOtherForEverAreFoundOut(t *testing.T) {
	clock := NewClock(time.Unix(1_700_000_000, 0))
	var jobs *Jobs
	jobs = NewJobs(clock, func(ctx context.Context, id order.ID) error {
		return jobs.Wake(ctx, id, 1, clock.Now())
	})
	if err := jobs.Wake(t.Context(), "a", 1, clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := jobs.RunUntilIdle(t.Context()); !errors.Is(err, ErrRestless) {
		t.Fatalf("got %v", err)
	}
}

func TestNothingIsSharedWithWhoSavedOrLoaded(t *testing.T) {
	db := New(time.Now)
	o := order.Order{ID: "a", Tickets: []order.Ticket{{ID: "t"}}}
	o.Private.Secrets = map[string][]order.Secret{"t": {{Key: []byte{1}}}}
	if err := db.Save(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	o.Tickets[0].ID = "changed"
	o.Private.Secrets["t"][0].Key[0] = 9
	first, err := db.Load(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if first.Tickets[0].ID != "t" || first.Private.Secrets["t"][0].Key[0] != 1 {
		t.Fatal("a change after saving reached the store")
	}
	first.Private.Secrets["t"][0].Key[0] = 8
	second, err := db.Load(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if second.Private.Secrets["t"][0].Key[0] != 1 {
		t.Fatal("a change after loading reached the store")
	}
}
