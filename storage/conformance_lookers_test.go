package storage

import (
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/memory"
)

func wantLookers(t *testing.T, db database, since time.Time, want ...int64) {
	t.Helper()
	got, err := db.Looking(t.Context(), since)
	must(t, err)
	if !slices.Equal(got, want) {
		t.Fatalf("looking since %s: %v, want %v", since, got, want)
	}
}

// The given times alone decide, never a clock or an expiry of the store.
func lookersForAWhile(t *testing.T, db database, _ *memory.Clock) {
	wantLookers(t, db, start)
	must(t, db.Look(t.Context(), 7, start))
	must(t, db.Look(t.Context(), 8, start.Add(time.Minute)))
	wantLookers(t, db, start.Add(-time.Millisecond), 8, 7)
	wantLookers(t, db, start, 8)
	must(t, db.Look(t.Context(), 7, start.Add(2*time.Minute)))
	wantLookers(t, db, start, 7, 8)
	must(t, db.Leave(t.Context(), 7))
	must(t, db.Leave(t.Context(), 7))
	wantLookers(t, db, start, 8)
	must(t, db.Look(t.Context(), 9, start.Add(time.Minute+flows.LookFor)))
	wantLookers(t, db, start.Add(-time.Hour), 9)
}

func lookersBounded(t *testing.T, db database, _ *memory.Clock) {
	for i := range int64(flows.MaxLookers + 3) {
		must(t, db.Look(t.Context(), 100+i, start.Add(time.Duration(i)*time.Millisecond)))
	}
	got, err := db.Looking(t.Context(), start.Add(-time.Hour))
	must(t, err)
	if len(got) != flows.MaxLookers || got[0] != 100+flows.MaxLookers+2 || got[len(got)-1] != 103 {
		t.Fatalf("%d lookers, first %d, last %d", len(got), got[0], got[len(got)-1])
	}
}
