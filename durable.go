package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/usherbot/usher/storage"
)

// durability follows how well Redis keeps what it is told: its settings change while Usher runs, and after a failover
// another server answers. While it could forget money nothing new is sold; what was begun goes on.
type durability struct {
	ask   func(context.Context) (storage.Durability, error)
	risk  string // what the operator accepts (REDIS_RISK)
	store small
	tell  func(ctx context.Context, keeps bool, why string) error // tells the operators
	pause backOff
	log   *slog.Logger

	mu   sync.Mutex
	last storage.Durability
}

const (
	// durabilityEvery is the time between two looks: a sale may begin for as long after Redis was changed.
	durabilityEvery = 3 * time.Second
	// durabilityKey keeps, for every process, whether the operators know that Redis could forget money.
	durabilityKey  = "operator:durability"
	durabilityTold = "told"
)

// look asks Redis anew. Where it does not answer, what it said last stands.
func (d *durability) look(ctx context.Context) error {
	now, err := d.ask(ctx)
	if err != nil {
		return fmt.Errorf("asking Redis how it keeps data: %w", err)
	}
	d.mu.Lock()
	before := d.last
	d.last = now
	d.mu.Unlock()
	if now == before {
		return nil
	}
	switch ok, why := now.Selling(d.risk); {
	case !ok:
		d.log.WarnContext(ctx, "selling is off", "why", why)
	case before != (storage.Durability{}):
		d.log.InfoContext(ctx, "Redis keeps data as it must again", "why", why)
	}
	return nil
}

// selling tells whether tickets may be sold, and in a sentence for the operator why not.
func (d *durability) selling() (ok bool, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last.Selling(d.risk)
}

// watch looks until ctx ends. Each process does, for each takes updates.
func (d *durability) watch(ctx context.Context) error {
	return each(ctx, durabilityEvery, func() {
		if err := d.look(ctx); err != nil && ctx.Err() == nil {
			d.log.DebugContext(ctx, "how Redis keeps data is not known just now", "error", err)
		}
	})
}

// report tells the operators once that Redis could forget money, and once that it does not any more, until ctx ends. One
// process does.
func (d *durability) report(ctx context.Context) error {
	return each(ctx, durabilityEvery, func() {
		if err := d.reportOnce(ctx); err != nil && ctx.Err() == nil {
			d.log.DebugContext(ctx, "how Redis keeps data was not told", "error", err)
		}
	})
}

func (d *durability) reportOnce(ctx context.Context) error {
	kept, err := d.store.Get(ctx, durabilityKey)
	if err != nil {
		return fmt.Errorf("reading what was told of Redis: %w", err)
	}
	told := string(kept) == durabilityTold
	keeps, why := d.selling()
	if told != keeps {
		d.pause.over() // all that is to be said was said
		return nil
	}
	if !d.pause.due() {
		return nil
	}
	if err := d.tell(ctx, keeps, why); err != nil {
		if first := d.pause.failed(); first {
			d.log.WarnContext(ctx, "no operator could be told how Redis keeps data; it is tried again", "error", err)
		}
		return err
	}
	state := durabilityTold
	if keeps {
		state = ""
	}
	if err := d.store.Put(ctx, durabilityKey, []byte(state)); err != nil {
		return fmt.Errorf("keeping what was told of Redis: %w", err)
	}
	d.pause.over()
	return nil
}

// each calls work now and then every so often until ctx ends, whose error it gives.
func each(ctx context.Context, every time.Duration, work func()) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		work()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// backOff spaces tries to tell operators who cannot be told, for they have never written to the bot: a minute at first,
// then twice as long each time, at most longestPause.
type backOff struct {
	clock func() time.Time

	mu       sync.Mutex
	failures int
	next     time.Time
}

const (
	firstPause   = time.Minute
	longestPause = 15 * time.Minute
)

// due tells whether it is time for a try.
func (b *backOff) due() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.clock().Before(b.next)
}

// failed notes a try that failed, and tells whether it was the first.
func (b *backOff) failed() (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next = b.clock().Add(min(firstPause<<min(b.failures, 10), longestPause))
	b.failures++
	return b.failures == 1
}

// hurry lets the next try be made at once.
func (b *backOff) hurry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next = time.Time{}
}

// over forgets what failed.
func (b *backOff) over() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.next = 0, time.Time{}
}
