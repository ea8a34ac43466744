package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// DB implements order.Store, order.Heights, order.Locks, order.Holds, order.Addresses, order.View, order.Board,
// flows.Sessions and flows.Lookers.
type DB struct {
	clock func() time.Time

	mu       sync.Mutex
	orders   map[order.ID]record
	owners   map[cirrus.Address]order.ID
	float    map[cirrus.Address]order.ID // addresses of the float that are claimed
	holds    map[seatOf]order.Hold
	locks    map[string]chan struct{}
	sessions map[int64]*customer
	lookers  map[int64]time.Time // when they looked at a hall last
	board    board
}

var (
	_ order.Store     = (*DB)(nil)
	_ order.Heights   = (*DB)(nil)
	_ order.Locks     = (*DB)(nil)
	_ order.Holds     = (*DB)(nil)
	_ order.Addresses = (*DB)(nil)
	_ order.View      = (*DB)(nil)
	_ order.Board     = (*DB)(nil)
	_ flows.Sessions  = (*DB)(nil)
	_ flows.Lookers   = (*DB)(nil)
)

// New gives an empty store. Only the turns of customers look at the clock; every other time is given.
func New(clock func() time.Time) *DB {
	return &DB{
		clock:    clock,
		orders:   map[order.ID]record{},
		owners:   map[cirrus.Address]order.ID{},
		float:    map[cirrus.Address]order.ID{},
		holds:    map[seatOf]order.Hold{},
		locks:    map[string]chan struct{}{},
		sessions: map[int64]*customer{},
		lookers:  map[int64]time.Time{},
		board:    board{coins: map[cirrus.Address][]placed{}, sales: map[cirrus.Address][]byte{}},
	}
}

// record is a stored order: bytes, so that nothing of it is shared with whoever saved or loaded it.
type record struct {
	body, private []byte
	version       uint64
	customer      int64
	created, next time.Time
	nextHeight    uint64
	watching      []cirrus.TxID
}

func (r record) open() (order.Order, error) {
	var o order.Order
	if err := json.Unmarshal(r.body, &o); err != nil {
		return order.Order{}, err
	}
	return o, json.Unmarshal(r.private, &o.Private)
}

func recordOf(o order.Order) (record, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return record{}, err
	}
	private, err := json.Marshal(o.Private)
	return record{
		body: body, private: private, version: o.Version, customer: o.Customer,
		created: o.Created, next: o.Next, nextHeight: o.NextHeight, watching: o.Watching(),
	}, err
}

// Load implements order.Store.
func (db *DB) Load(ctx context.Context, id order.ID) (order.Order, error) {
	if err := ctx.Err(); err != nil {
		return order.Order{}, fmt.Errorf("load order %s: %w", id, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	r, ok := db.orders[id]
	if !ok {
		return order.Order{}, fmt.Errorf("load order %s: %w", id, order.ErrNotFound)
	}
	o, err := r.open()
	if err != nil {
		return order.Order{}, fmt.Errorf("load order %s: %w", id, err)
	}
	if o.Format > order.Format {
		return order.Order{}, fmt.Errorf("load order %s: format %d: %w", id, o.Format, order.ErrNewFormat)
	}
	return o, nil
}

// Save implements order.Store.
func (db *DB) Save(ctx context.Context, o *order.Order) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("save order %s: %w", o.ID, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if now := db.orders[o.ID].version; now != o.Version {
		return fmt.Errorf("save order %s: version %d, stored is %d: %w", o.ID, o.Version, now, order.ErrConflict)
	}
	next := *o
	next.Format = order.Format
	next.Version++
	r, err := recordOf(next)
	if err != nil {
		return fmt.Errorf("save order %s: %w", o.ID, err)
	}
	db.orders[o.ID] = r
	o.Format, o.Version = next.Format, next.Version
	return nil
}

// Of implements order.Store.
func (db *DB) Of(ctx context.Context, customer int64) ([]order.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("orders of a customer: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	ids := db.matching(func(r record) bool { return r.customer == customer })
	slices.SortFunc(ids, func(a, b order.ID) int {
		return cmp.Or(db.orders[b].created.Compare(db.orders[a].created), cmp.Compare(b, a))
	})
	return ids, nil
}

// Due implements order.Store.
func (db *DB) Due(ctx context.Context, now time.Time, limit int) ([]order.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("orders due: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	ids := db.matching(func(r record) bool { return !r.next.IsZero() && !r.next.After(now) })
	slices.SortFunc(ids, func(a, b order.ID) int {
		return cmp.Or(db.orders[a].next.Compare(db.orders[b].next), cmp.Compare(a, b))
	})
	return ids[:min(len(ids), max(limit, 0))], nil
}

// DueAt implements order.Heights.
func (db *DB) DueAt(ctx context.Context, height uint64, limit int) ([]order.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("orders due at block %d: %w", height, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	ids := db.matching(func(r record) bool { return r.nextHeight != 0 && r.nextHeight <= height })
	slices.SortFunc(ids, func(a, b order.ID) int {
		return cmp.Or(cmp.Compare(db.orders[a].nextHeight, db.orders[b].nextHeight), cmp.Compare(a, b))
	})
	return ids[:min(len(ids), max(limit, 0))], nil
}

func (db *DB) matching(want func(record) bool) []order.ID {
	var ids []order.ID
	for id, r := range db.orders {
		if want(r) {
			ids = append(ids, id)
		}
	}
	return ids
}
