package order

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Sweeper wakes orders whose next step is due and that no job woke, so that nothing depends on a job.
type Sweeper struct {
	Store   Store
	Heights Heights
	Jobs    Jobs
	Clock   func() time.Time
	// Finality is after how many blocks nothing is undone any more, as in Config.
	Finality uint64
}

// sweepBatch bounds how many orders one look takes up; the rest is found by the next.
const sweepBatch = 1000

// Sweep wakes what is due by the clock and by the tip. It is called for each block and about once a second.
func (s Sweeper) Sweep(ctx context.Context, height uint64) error {
	return s.wake(ctx, s.Clock(), height, sweepBatch)
}

// Start wakes every order that has a next step at all. A process that died may have known of something that happened
// to one of them, and forgot it.
func (s Sweeper) Start(ctx context.Context) error {
	const forever = 200 * 365 * 24 * time.Hour
	return s.wake(ctx, s.Clock().Add(forever), math.MaxInt64, math.MaxInt32)
}

// Undone wakes every order that rests on a block which is not final yet, after blocks were undone: it waits for a block
// at most Finality above the tip that was, or for an earlier one. The tip that is may be lower by as much as was undone,
// and what is not final is at most Finality deep.
func (s Sweeper) Undone(ctx context.Context, height uint64) error {
	return s.wake(ctx, s.Clock(), height+2*s.Finality+1, math.MaxInt32)
}

func (s Sweeper) wake(ctx context.Context, until time.Time, height uint64, limit int) error {
	byTime, err := s.Store.Due(ctx, until, limit)
	if err != nil {
		return fmt.Errorf("sweep by time: %w", err)
	}
	byHeight, err := s.Heights.DueAt(ctx, height, limit)
	if err != nil {
		return fmt.Errorf("sweep by height: %w", err)
	}
	now := s.Clock()
	woken := map[ID]bool{}
	var errs []error
	for _, id := range append(byTime, byHeight...) {
		if woken[id] {
			continue
		}
		woken[id] = true
		if err := s.Jobs.Wake(ctx, id, Woken, now); err != nil {
			errs = append(errs, fmt.Errorf("order %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// Woken is the version to wake an order with that is not due to a version of it but to something outside: a block, a
// sweep. Such a job is told apart from others by its time.
const Woken = 0
