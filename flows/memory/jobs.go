package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// ErrRestless says that jobs kept waking each other without end.
var ErrRestless = errors.New("jobs never came to rest")

// maxRuns is how many jobs one RunUntilIdle runs before it calls them restless.
const maxRuns = 10_000

// Jobs runs orders one after another under a test's clock: the earliest first, and of those the one asked for first.
type Jobs struct {
	clock   *Clock
	handler func(context.Context, order.ID) error

	mu      sync.Mutex
	asked   uint64
	waiting []job
}

type job struct {
	id      order.ID
	version uint64
	at      time.Time
	nr      uint64
}

var _ order.Jobs = (*Jobs)(nil)

// NewJobs gives jobs that run handler when RunUntilIdle or RunUntil is called, and not by themselves.
func NewJobs(clock *Clock, handler func(context.Context, order.ID) error) *Jobs {
	return &Jobs{clock: clock, handler: handler}
}

// Wake implements order.Jobs. Asking twice for one version at one time runs once.
func (j *Jobs) Wake(ctx context.Context, id order.ID, version uint64, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wake order %s: %w", id, err)
	}
	if now := j.clock.Now(); at.Before(now) {
		at = now
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	same := func(w job) bool { return w.id == id && w.version == version && w.at.Equal(at) }
	if slices.ContainsFunc(j.waiting, same) {
		return nil
	}
	j.asked++
	j.waiting = append(j.waiting, job{id, version, at, j.asked})
	slices.SortFunc(j.waiting, func(a, b job) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.nr, b.nr))
	})
	return nil
}

// RunUntilIdle runs everything that is due now, and what that asks for now, and gives the handler's errors joined.
// A job whose handler failed is not run again by itself. Errors: ErrRestless.
func (j *Jobs) RunUntilIdle(ctx context.Context) error {
	var errs []error
	for range maxRuns {
		next, ok := j.take(j.clock.Now())
		if !ok {
			return errors.Join(errs...)
		}
		if err := j.handler(ctx, next.id); err != nil {
			errs = append(errs, fmt.Errorf("order %s: %w", next.id, err))
		}
	}
	return errors.Join(append(errs, ErrRestless)...)
}

// RunUntil moves the clock to end, stopping at each job on the way to run it.
func (j *Jobs) RunUntil(ctx context.Context, end time.Time) error {
	var errs []error
	for range maxRuns {
		errs = append(errs, j.RunUntilIdle(ctx))
		next, ok := j.Next()
		if !ok || next.After(end) {
			j.clock.Set(end)
			return errors.Join(errs...)
		}
		j.clock.Set(next)
	}
	return errors.Join(append(errs, ErrRestless)...)
}

// Next is when the earliest waiting job is due.
func (j *Jobs) Next() (at time.Time, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) == 0 {
		return time.Time{}, false
	}
	return j.waiting[0].at, true
}

// Forget drops every waiting job, as a crash that took the queue with it would.
func (j *Jobs) Forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waiting = nil
}

func (j *Jobs) take(now time.Time) (job, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) == 0 || j.waiting[0].at.After(now) {
		return job{}, false
	}
	next := j.waiting[0]
	j.waiting = j.waiting[1:]
	return next, true
}
