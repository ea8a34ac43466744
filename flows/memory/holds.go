package memory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

type seatOf struct {
	show cirrus.TxID
	seat cirrus.Seat
}

// Hold implements order.Holds.
func (db *DB) Hold(
	ctx context.Context, show cirrus.TxID, seat cirrus.Seat, h order.Hold, now time.Time,
) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("hold seat %s: %w", seat, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	key := seatOf{show, seat}
	if held, ok := db.holds[key]; ok && held.Order != h.Order && !held.Until.Before(now) {
		return fmt.Errorf("hold seat %s: %w", seat, order.ErrSeatHeld)
	}
	db.holds[key] = h
	return nil
}

// Free implements order.Holds.
func (db *DB) Free(ctx context.Context, show cirrus.TxID, seat cirrus.Seat, id order.ID) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("free seat %s: %w", seat, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if key := (seatOf{show, seat}); db.holds[key].Order == id {
		delete(db.holds, key)
	}
	return nil
}

// Held implements order.Holds.
func (db *DB) Held(ctx context.Context, show cirrus.TxID) (map[cirrus.Seat]order.Hold, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("held seats: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	held := map[cirrus.Seat]order.Hold{}
	for key, h := range db.holds {
		if key.show == show {
			held[key.seat] = h
		}
	}
	return held, nil
}

// Claim implements order.Addresses.
func (db *DB) Claim(ctx context.Context, address cirrus.Address, id order.ID) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("claim address %s: %w", address, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if owner, ok := db.owners[address]; ok && owner != id {
		return fmt.Errorf("claim address %s: %w", address, order.ErrClaimed)
	}
	db.owners[address] = id
	return nil
}

// Owner implements order.Addresses.
func (db *DB) Owner(ctx context.Context, address cirrus.Address) (order.ID, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("owner of address %s: %w", address, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	id, ok := db.owners[address]
	if !ok {
		return "", fmt.Errorf("owner of address %s: %w", address, order.ErrNotFound)
	}
	return id, nil
}

// lockWait is how long Lock waits for its turn.
const lockWait = 500 * time.Millisecond

// Lock implements order.Locks.
func (db *DB) Lock(ctx context.Context, name string) (context.Context, func(), error) {
	wait, stop := context.WithTimeout(ctx, lockWait)
	defer stop()
	for {
		busy, mine := db.tryLock(name)
		if busy == nil {
			held, cancel := context.WithCancel(ctx)
			release := sync.OnceFunc(func() {
				cancel()
				db.unlock(name, mine)
			})
			return held, release, nil
		}
		select {
		case <-busy:
		case <-wait.Done():
			if err := ctx.Err(); err != nil {
				return nil, nil, fmt.Errorf("lock %s: %w", name, err)
			}
			return nil, nil, fmt.Errorf("lock %s: %w", name, order.ErrBusy)
		}
	}
}

// tryLock takes the lock, or gives what is closed when the one who has it lets go.
func (db *DB) tryLock(name string) (busy, mine chan struct{}) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if busy, ok := db.locks[name]; ok {
		return busy, nil
	}
	mine = make(chan struct{})
	db.locks[name] = mine
	return nil, mine
}

func (db *DB) unlock(name string, mine chan struct{}) {
	db.mu.Lock()
	defer db.mu.Unlock()
	delete(db.locks, name)
	close(mine)
}
