package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/usherbot/usher/flows"
)

// Look implements flows.Lookers.
func (db *DB) Look(ctx context.Context, customer int64, now time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("note a looker: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	maps.DeleteFunc(db.lookers, func(_ int64, at time.Time) bool { return !at.After(now.Add(-flows.LookFor)) })
	db.lookers[customer] = now
	if all := db.lastFirst(); len(all) > flows.MaxLookers {
		for _, dropped := range all[flows.MaxLookers:] {
			delete(db.lookers, dropped)
		}
	}
	return nil
}

// Looking implements flows.Lookers.
func (db *DB) Looking(ctx context.Context, since time.Time) ([]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list lookers: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	long := func(customer int64) bool { return !db.lookers[customer].After(since) }
	return slices.DeleteFunc(db.lastFirst(), long), nil
}

// Leave implements flows.Lookers.
func (db *DB) Leave(ctx context.Context, customer int64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("forget a looker: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	delete(db.lookers, customer)
	return nil
}

// lastFirst lists the lookers, who looked last first.
func (db *DB) lastFirst() []int64 {
	return slices.SortedFunc(maps.Keys(db.lookers), func(a, b int64) int {
		return cmp.Or(db.lookers[b].Compare(db.lookers[a]), cmp.Compare(b, a))
	})
}
