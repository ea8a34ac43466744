package storage

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

// runs counts what was run.
type runs struct {
	mu  sync.Mutex
	ids []order.ID
}

func (r *runs) add(id order.ID) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, id)
	return len(r.ids)
}

func (r *runs) of(id order.ID) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(r.ids), func(other order.ID) bool { return other != id }))
}

// runJobs runs jobs until the test ends, or stop is called.
func runJobs(t *testing.T, db *DB, handler func(context.Context, order.ID) error) (jobs *Jobs, stop func()) {
	t.Helper()
	jobs = NewJobs(db, handler)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := jobs.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("jobs ended with %v", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return jobs, stop
}

func TestJobs(t *testing.T) {
	servers := map[string]string{
		"redis": redistest.Start(t).URL, "cluster": redistest.StartCluster(t).URL,
		"miniredis": "redis://" + miniredis.RunT(t).Addr(),
	}
	tests := map[string]func(*testing.T, *DB){
		"one version runs once however often it is woken": wokenOnce,
		"one that is woken while it runs, runs again":     wokenWhileRunning,
		"one that fails is tried again, and then let go":  failing,
		"later means later, now comes before it":          laterAndNow,
	}
	for server, url := range servers {
		for name, test := range tests {
			t.Run(server+"/"+name, func(t *testing.T) {
				test(t, openAt(t, url, func(c *Config) { c.Network = name }))
			})
		}
	}
}

func wokenOnce(t *testing.T, db *DB) {
	var ran runs
	jobs := NewJobs(db, nil)
	for range 5 {
		must(t, jobs.Wake(t.Context(), "a", 1, start))
	}
	must(t, jobs.Wake(t.Context(), "b", 1, start))
	running, _ := runJobs(t, db, func(_ context.Context, id order.ID) error {
		ran.add(id)
		return nil
	})
	eventually(t, "both", func() bool { return ran.of("a") > 0 && ran.of("b") > 0 })
	must(t, running.Wake(t.Context(), "c", 1, start))
	eventually(t, "the last", func() bool { return ran.of("c") > 0 })
	if ran.of("a") != 1 || ran.of("b") != 1 {
		t.Fatalf("ran %v", ran.ids)
	}
	must(t, running.Wake(t.Context(), "a", 1, start))
	eventually(t, "the same version again, later", func() bool { return ran.of("a") == 2 })
}

func wokenWhileRunning(t *testing.T, db *DB) {
	var ran runs
	begun, goOn := make(chan struct{}), make(chan struct{})
	jobs, _ := runJobs(t, db, func(_ context.Context, id order.ID) error {
		if ran.add(id) == 1 {
			close(begun)
			<-goOn
		}
		return nil
	})
	must(t, jobs.Wake(t.Context(), "a", 1, start))
	within(t, "the first run", begun)
	must(t, jobs.Wake(t.Context(), "a", 1, start))
	eventually(t, "the second run", func() bool { return ran.of("a") == 2 })
	close(goOn)
}

func failing(t *testing.T, db *DB) {
	var ran runs
	jobs, _ := runJobs(t, db, func(_ context.Context, id order.ID) error {
		ran.add(id)
		return errors.New("failed")
	})
	must(t, jobs.Wake(t.Context(), "a", 1, start))
	eventually(t, "the first try", func() bool { return ran.of("a") == 1 })
	for try := 2; try <= jobRetries+1; try++ { // waking does not wait for the next try
		eventually(t, "the next try", func() bool {
			must(t, jobs.Wake(t.Context(), "a", 1, start))
			return ran.of("a") >= try
		})
	}
	must(t, jobs.Wake(t.Context(), "b", 1, start))
	eventually(t, "another order", func() bool { return ran.of("b") >= 1 })
}

func laterAndNow(t *testing.T, db *DB) {
	var ran runs
	jobs, _ := runJobs(t, db, func(_ context.Context, id order.ID) error {
		ran.add(id)
		return nil
	})
	now := db.cfg.Clock()
	for range 2 {
		must(t, jobs.Wake(t.Context(), "a", 1, now.Add(time.Hour)))
		must(t, jobs.Wake(t.Context(), "b", 1, now.Add(500*time.Millisecond)))
	}
	must(t, jobs.Wake(t.Context(), "a", 1, now))
	eventually(t, "now", func() bool { return ran.of("a") == 1 })
	eventually(t, "later", func() bool { return ran.of("b") == 1 })
	if ran.of("a") != 1 {
		t.Fatalf("ran %v", ran.ids)
	}
}

func TestJobsEndGracefully(t *testing.T) {
	db := openAt(t, redistest.Start(t).URL)
	begun, goOn := make(chan struct{}), make(chan struct{})
	var cut error
	jobs, stop := runJobs(t, db, func(ctx context.Context, _ order.ID) error {
		close(begun)
		<-goOn
		cut = ctx.Err()
		return nil
	})
	must(t, jobs.Wake(t.Context(), "a", 1, start))
	within(t, "the run", begun)
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	close(goOn)
	within(t, "the end", stopped)
	must(t, cut)
}

func TestJobsOfAKilledRedisGoOn(t *testing.T) {
	server := redistest.Start(t)
	var ran runs
	jobs, _ := runJobs(t, openAt(t, server.URL), func(_ context.Context, id order.ID) error {
		ran.add(id)
		return nil
	})
	must(t, jobs.Wake(t.Context(), "later", 1, jobs.db.cfg.Clock().Add(time.Second)))
	server.Kill()
	server.Restart()
	eventually(t, "what was asked before", func() bool { return ran.of("later") == 1 })
}
