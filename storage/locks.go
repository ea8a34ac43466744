package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-redsync/redsync/v4"

	"github.com/usherbot/usher/flows/order"
)

const (
	// lockTries times lockDelay is how long Lock waits for its turn.
	lockTries = 10
	lockDelay = 50 * time.Millisecond
	// leaderDelay is how often those who stand by look whether they may lead.
	leaderDelay = 250 * time.Millisecond
	// leaderPatience is how many of these looks in a row may fail until that is logged once more.
	leaderPatience = 240
)

// errLost ends the work under a lock that is not ours any more.
var errLost = errors.New("lock lost")

// Lock implements order.Locks.
func (db *DB) Lock(ctx context.Context, name string) (context.Context, func(), error) {
	held, mine, err := db.lock(ctx, db.key("lock", name), lockTries)
	if err != nil {
		return nil, nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return held, mine.release, nil
}

// Leader runs work while this process holds the leadership called name, and stands by while another one does. When the
// leadership is lost, work's context ends, and once work has returned this stands by again. It returns what work
// returns by itself, or the context's error.
func (db *DB) Leader(ctx context.Context, name string, work func(context.Context) error) error {
	standby := func(context.Context) error { return nil }
	return db.leader(ctx, name, db.key("leader", name), func(ctx context.Context, _ *tenure) error { return work(ctx) }, standby)
}

// leader also calls standby whenever another process was seen to lead.
func (db *DB) leader(
	ctx context.Context, name, key string, work func(context.Context, *tenure) error, standby func(context.Context) error,
) error {
	failed := 0
	for {
		led, err := db.lead(ctx, key, work)
		if led || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if errors.Is(err, order.ErrBusy) {
			err = standby(ctx)
		}
		if err == nil {
			failed = 0
		} else {
			if failed%leaderPatience == 0 {
				db.cfg.Log.WarnContext(ctx, "standing by", "leadership", name, "error", err, "failed", failed+1)
			}
			failed++
		}
		timer := time.NewTimer(leaderDelay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// lead tries once. led tells that work ended by itself, with err.
func (db *DB) lead(ctx context.Context, key string, work func(context.Context, *tenure) error) (led bool, err error) {
	held, mine, err := db.lock(ctx, key, 1)
	if err != nil {
		return false, err
	}
	defer mine.release()
	if err := db.notRestoring(ctx); err != nil {
		return false, err
	}
	err = work(held, mine)
	if errors.Is(context.Cause(held), errLost) {
		return false, errors.Join(errLost, err)
	}
	return true, err
}

// tenure is a lease that is held.
type tenure struct {
	value   string // of the lease in Redis; no other lease ever has it
	lose    func() // ends the work under it, which is not ours any more
	release func() // gives it back
}

// lock takes a lease and keeps it up until release. Errors: order.ErrBusy.
func (db *DB) lock(ctx context.Context, key string, tries int) (context.Context, *tenure, error) {
	mutex := db.mutexes.NewMutex(key, redsync.WithExpiry(db.cfg.Lease), redsync.WithTries(tries),
		redsync.WithRetryDelay(lockDelay), redsync.WithTimeoutFactor(0.5), redsync.WithGenValueFunc(db.token))
	if err := db.acquire(ctx, mutex, tries); err != nil {
		return nil, nil, err
	}
	held, lose := context.WithCancelCause(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { db.keep(held, lose, mutex) })
	release := sync.OnceFunc(func() {
		lose(context.Canceled)
		keeper.Wait()
		db.unlock(ctx, mutex)
	})
	return held, &tenure{value: mutex.Value(), lose: func() { lose(errLost) }, release: release}, nil
}

func (db *DB) acquire(ctx context.Context, mutex *redsync.Mutex, tries int) error {
	err := db.do(ctx, "redis.lock.take", func(ctx context.Context) error {
		if tries == 1 {
			return mutex.TryLockContext(ctx)
		}
		return mutex.LockContext(ctx)
	})
	var taken *redsync.ErrTaken
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &taken), errors.Is(err, redsync.ErrFailed):
		return order.ErrBusy
	}
	return err
}

// keep extends the lease until held ends. Where Redis cannot be reached it goes on trying for as long as the lease
// lasts, and calls it lost then.
func (db *DB) keep(held context.Context, lose context.CancelCauseFunc, mutex *redsync.Mutex) {
	ticker := time.NewTicker(db.cfg.Lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-held.Done():
			return
		case <-ticker.C:
		}
		if err := db.extend(held, mutex); err != nil && held.Err() == nil {
			db.cfg.Log.WarnContext(held, "lock not extended", "lock", mutex.Name(), "error", err)
			if errors.Is(err, errLost) {
				lose(errLost)
				return
			}
		}
	}
}

// extend makes the lease longer. Errors: errLost where somebody else has it or it ran out.
func (db *DB) extend(ctx context.Context, mutex *redsync.Mutex) error {
	ctx, cancel := context.WithTimeout(ctx, db.cfg.Lease/3)
	defer cancel()
	return db.do(ctx, "redis.lock.extend", func(ctx context.Context) error {
		extended, err := mutex.ExtendContext(ctx)
		var unreachable *redsync.RedisError
		switch {
		case extended:
			return nil
		case errors.As(err, &unreachable) && time.Now().Before(mutex.Until()):
			return err
		}
		return errors.Join(errLost, err)
	})
}

// unlock gives the lease back, even where the work's context has ended; otherwise it would run out by itself.
func (db *DB) unlock(ctx context.Context, mutex *redsync.Mutex) {
	ctx = context.WithoutCancel(ctx)
	err := db.do(ctx, "redis.lock.release", func(ctx context.Context) error {
		_, err := mutex.UnlockContext(ctx)
		return err
	})
	var taken *redsync.ErrTaken
	if err != nil && !errors.As(err, &taken) && !errors.Is(err, redsync.ErrLockAlreadyExpired) {
		db.cfg.Log.WarnContext(ctx, "lock not given back, it will run out", "lock", mutex.Name(), "error", err)
	}
}
