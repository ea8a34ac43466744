package storage

import (
	"errors"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

func (db *DB) olderNow(t *testing.T) uint64 {
	t.Helper()
	tip, err := db.Tip(t.Context())
	must(t, err)
	return tip.Older
}

// TestNothingIsReadFromARestartedRedisBeforeThatIsCounted: what it holds may be older, and whoever works on it must know.
func TestNothingIsReadFromARestartedRedisBeforeThatIsCounted(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *redistest.Server{
		"redis":    func(tb testing.TB) *redistest.Server { return redistest.Start(tb) },
		"sentinel": redistest.StartSentinel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			db := openAt(t, server.URL)
			must(t, db.PostTip(t.Context(), order.Tip{Height: 1}))
			for range 2 {
				older, err := db.LookOlder(t.Context())
				must(t, err)
				if older || db.olderNow(t) != 0 {
					t.Fatal("counted without a restart")
				}
			}
			server.Restart()
			var first uint64
			eventually(t, "Redis to answer", func() bool {
				tip, err := db.Tip(t.Context())
				first = tip.Older
				return err == nil
			})
			if first == 0 {
				t.Fatal("the first answer did not count the restart")
			}
			if older, err := db.LookOlder(t.Context()); older || err != nil || db.olderNow(t) != first {
				t.Errorf("counted twice: %v", err)
			}
			why, count, err := db.Older(t.Context())
			if why != OlderRestarted || count != first || err != nil {
				t.Errorf("%q, %d, %v", why, count, err)
			}
		})
	}
}

func TestARestartIsCountedByTheNextProcessAndInACluster(t *testing.T) {
	t.Parallel()
	server := redistest.StartCluster(t)
	db := openAt(t, server.URL)
	must(t, db.PostTip(t.Context(), order.Tip{Height: 1}))
	_, err := db.LookOlder(t.Context())
	must(t, err)
	server.Restart()
	next := openAt(t, server.URL, sameRing(db))
	eventually(t, "the restart to be counted", func() bool {
		older, err := next.LookOlder(t.Context())
		return older && err == nil
	})
	if next.olderNow(t) == 0 {
		t.Error("not counted")
	}
}

// TestACountIsNeverUsedTwice: orders were held against the chain under a count that Redis has then forgotten.
func TestACountIsNeverUsedTwice(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	now := start
	db := openAt(t, server.URL, func(c *Config) { c.Clock = func() time.Time { now = now.Add(time.Millisecond); return now } })
	must(t, db.PostTip(t.Context(), order.Tip{Height: 1}))
	_, err := db.LookOlder(t.Context())
	must(t, err)
	back := server.Snapshot()
	before := map[uint64]bool{}
	for range 3 {
		back()
		eventually(t, "Redis to answer", func() bool { return asked(t, db) == nil })
		count := db.olderNow(t)
		if before[count] {
			t.Fatalf("%d again", count)
		}
		before[count] = true
	}
}

// asked asks for anything.
func asked(t *testing.T, db *DB) error {
	_, err := db.Durability(t.Context())
	return err
}

func TestWhatABackupNeedsIsNotSettledByLess(t *testing.T) {
	t.Parallel()
	db := openAt(t, redistest.Start(t).URL)
	ctx := t.Context()
	wants := func(want string) (count uint64) {
		t.Helper()
		why, count, err := db.Older(ctx)
		must(t, err)
		if why != want {
			t.Fatalf("%q, wanted %q", why, want)
		}
		return count
	}
	wants("")
	must(t, db.NoteOlder(ctx, OlderRestored))
	early := wants(OlderRestored)
	must(t, db.NoteOlder(ctx, OlderRestarted))
	must(t, db.OlderSettled(ctx, early))
	must(t, db.OlderSettled(ctx, wants(OlderRestored)))
	wants("")
}

func TestABurntAddressIsGivenToNoOrder(t *testing.T) {
	t.Parallel()
	db := openAt(t, redistest.Start(t).URL)
	ctx := t.Context()
	must(t, db.Claim(ctx, "known", "a"))
	burnt, err := db.Burn(ctx, []cirrus.Address{"known", "shown", "fresh"})
	if burnt != 2 || err != nil {
		t.Fatalf("%d burnt, %v", burnt, err)
	}
	if err := db.Claim(ctx, "shown", "b"); !errors.Is(err, order.ErrClaimed) {
		t.Errorf("got %v", err)
	}
	must(t, db.Claim(ctx, "known", "a"))
}
