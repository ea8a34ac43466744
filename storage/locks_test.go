package storage

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

const patience = 2 * time.Minute

// within fails the test if done is not closed in time.
func within(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("waited %s for %s", patience, what)
	}
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for !yes() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// hasty leases run out quickly.
func hasty(c *Config) { c.Lease = 300 * time.Millisecond }

// steady leases are long enough not to be lost on a busy machine.
func steady(c *Config) { c.Lease, c.Turn = 2*time.Second, 2*time.Second }

func TestALockIsKeptForAsLongAsTheWorkTakes(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL
	one, two := openAt(t, url, steady), openAt(t, url, steady)
	held, release, err := one.Lock(t.Context(), "a")
	must(t, err)
	defer release()
	asked := time.Now()
	for time.Since(asked) < one.cfg.Lease*3/2 { // each try waits
		if _, _, err := two.Lock(t.Context(), "a"); !errors.Is(err, order.ErrBusy) {
			t.Fatalf("got %v, want busy", err)
		}
	}
	must(t, held.Err())
}

func TestWorkEndsWhenItsLockIsLost(t *testing.T) {
	server := redistest.Start(t)
	for name, lose := range map[string]func(t *testing.T, db *DB){
		"taken by another": func(t *testing.T, db *DB) {
			must(t, db.client.Set(t.Context(), db.key("lock", "a"), "another", 0).Err())
		},
		"redis gone": func(*testing.T, *DB) { server.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			server.Restart()
			db := openAt(t, server.URL, hasty)
			must(t, db.client.FlushAll(t.Context()).Err())
			held, release, err := db.Lock(t.Context(), "a")
			must(t, err)
			lose(t, db)
			within(t, "the work to end", held.Done())
			release()
		})
	}
}

func TestALockOfADeadProcessRunsOut(t *testing.T) {
	t.Parallel()
	db := openAt(t, redistest.Start(t).URL, hasty)
	must(t, db.client.Set(t.Context(), db.key("lock", "a"), "dead", db.cfg.Lease).Err())
	eventually(t, "the lock", func() bool {
		_, release, err := db.Lock(t.Context(), "a")
		if err == nil {
			release()
		}
		return err == nil
	})
}

func TestATurnOfADeadProcessRunsOut(t *testing.T) {
	t.Parallel()
	url, keys := redistest.Start(t).URL, ring(t)
	dead := openAt(t, url, steady, func(c *Config) { c.Keys = keys })
	db := openAt(t, url, steady, func(c *Config) { c.Keys = keys })
	s, _, err := dead.Begin(t.Context(), 7, 1)
	must(t, err)
	if _, _, err := db.Begin(t.Context(), 7, 1); !errors.Is(err, order.ErrBusy) {
		t.Fatalf("got %v, want busy", err)
	}
	must(t, db.Release(t.Context(), 7)) // not ours to give back
	if _, _, err := db.Begin(t.Context(), 7, 1); !errors.Is(err, order.ErrBusy) {
		t.Fatalf("got %v, want busy", err)
	}
	eventually(t, "the turn", func() bool {
		_, fresh, err := db.Begin(t.Context(), 7, 1)
		return err == nil && fresh
	})
	if err := dead.End(t.Context(), 7, 1, s); !errors.Is(err, order.ErrConflict) {
		t.Fatalf("got %v, want a conflict for a turn that ran out", err)
	}
}

func TestOneLeadsAndAnotherTakesOver(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL
	one, two := openAt(t, url, steady), openAt(t, url, steady)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	leads := make(chan *DB)
	results := make(chan error, 2)
	lead := func(ctx context.Context, db *DB) {
		results <- db.Leader(ctx, "watcher", func(ctx context.Context) error {
			select {
			case leads <- db:
			case <-ctx.Done():
				return ctx.Err()
			}
			<-ctx.Done()
			return ctx.Err()
		})
	}
	first, stopFirst := context.WithCancel(ctx)
	defer stopFirst()
	go lead(first, one)
	if led := <-leads; led != one {
		t.Fatal("somebody else leads")
	}
	go lead(ctx, two)
	select {
	case <-leads:
		t.Fatal("two lead")
	case <-time.After(one.cfg.Lease * 3 / 2):
	}
	must(t, one.client.Set(t.Context(), one.key("leader", "watcher"), "another", one.cfg.Lease).Err())
	<-leads // whoever is faster, after the stranger's lease
	stopFirst()
	stop()
	for range 2 {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
}

func TestALeaderThatFailsSaysSo(t *testing.T) {
	db := openAt(t, redistest.Start(t).URL)
	failed := errors.New("failed")
	if err := db.Leader(t.Context(), "watcher", func(context.Context) error { return failed }); !errors.Is(err, failed) {
		t.Fatalf("got %v", err)
	}
	if err := db.Leader(t.Context(), "watcher", func(context.Context) error { return nil }); err != nil {
		t.Fatalf("got %v", err)
	}
}

// counter is the Sites that counts calls.
type counter struct{ calls int }

func (c *counter) Do(ctx context.Context, _ string, call func(context.Context) error) error {
	c.calls++
	return call(ctx)
}

func TestABlockCostsTheSameForManyQuietOrdersAsForFew(t *testing.T) {
	count := func(orders int) int {
		calls := &counter{}
		db := openAt(t, redistest.Start(t).URL, func(c *Config) { c.Sites = calls })
		var coins []cirrus.Coin
		for i := range orders {
			o := sample(order.ID(tx(i)), start.Add(time.Hour))
			must(t, db.Save(t.Context(), &o))
			must(t, db.Claim(t.Context(), o.Address, o.ID))
			coins = append(coins, coin(i, o.Address, 1))
		}
		block := func(height uint64) {
			must(t, db.PostTip(t.Context(), order.Tip{Height: height}))
			_, err := db.PostCoins(t.Context(), coins)
			must(t, err)
			_, err = db.Due(t.Context(), start, 100)
			must(t, err)
			for i := range coins {
				coins[i].Confirmations++
			}
		}
		block(100)
		calls.calls = 0
		for height := range uint64(10) {
			block(101 + height)
		}
		return calls.calls
	}
	if few, many := count(3), count(300); few != many {
		t.Fatalf("ten blocks took %d calls with 3 orders, %d with 300", few, many)
	}
}
