package storage

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// ErrFenced refuses a write to owned records by a process that does not own them, or does not any more.
var ErrFenced = errors.New("these records belong to another process now")

// Owned keeps sealed records that one process at a time may write: the one that leads under their name. Whether it still
// does is decided in Redis, in the same step as the write. So a process that stood still for longer than its lease writes
// nothing any more, whatever it believes when it goes on.
type Owned struct {
	Sealed
	name   string
	tenure atomic.Pointer[tenure] // nil: this process does not lead
}

// Owned gives the records that belong to whoever leads under name. Where a process asks for the same name twice, only the
// one that it leads with may write.
func (db *DB) Owned(name string) *Owned {
	return &Owned{Sealed: Sealed{db: db, owner: name}, name: name}
}

// leaseKey holds the lease. It shares a hash tag with the records, so that one script sees both.
func (o *Owned) leaseKey() string { return o.db.key("own", "{"+o.name+"}", "lease") }

// Shared gives the same records without the fence: for names that any process may write.
func (o *Owned) Shared() *Sealed { return &Sealed{db: o.db, owner: o.name} }

// Lead is Leader for these records: while work runs, this process may write them. A write that is refused ends work's
// context at once.
func (o *Owned) Lead(ctx context.Context, work func(context.Context) error) error {
	return o.db.leader(ctx, o.name, o.leaseKey(), o.working(work))
}

// TryLead is Lead for work that does not wait for its turn. Errors: order.ErrBusy where another process leads.
func (o *Owned) TryLead(ctx context.Context, work func(context.Context) error) error {
	_, err := o.db.lead(ctx, o.leaseKey(), o.working(work))
	return err
}

func (o *Owned) working(work func(context.Context) error) func(context.Context, *tenure) error {
	return func(ctx context.Context, mine *tenure) error {
		o.tenure.Store(mine)
		defer o.tenure.Store(nil)
		return work(ctx)
	}
}

// putOwned writes KEYS[3], named ARGV[2] in the list KEYS[2], where the lease KEYS[1] is still ARGV[1]. A lease's value is
// random and never used again, so being equal means that nobody has led in between.
var putOwned = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('ZADD', KEYS[2], 0, ARGV[2])
redis.call('SET', KEYS[3], ARGV[3])
return 1`)

// deleteOwned removes what putOwned wrote, on the same condition.
var deleteOwned = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[3])
redis.call('ZREM', KEYS[2], ARGV[2])
return 1`)

// Put writes a value. It is durable when it returns. Errors: ErrFenced.
func (o *Owned) Put(ctx context.Context, name string, value []byte) error {
	raw, err := o.db.cfg.Keys.Seal(value, o.key(name))
	if err != nil {
		return err
	}
	if err := o.change(ctx, "redis.sealed.put", putOwned, name, raw); err != nil {
		return fmt.Errorf("write sealed %s: %w", name, err)
	}
	return nil
}

// Delete removes a value; one that is not there is no error. Errors: ErrFenced.
func (o *Owned) Delete(ctx context.Context, name string) error {
	if err := o.change(ctx, "redis.sealed.delete", deleteOwned, name); err != nil {
		return fmt.Errorf("delete sealed %s: %w", name, err)
	}
	return nil
}

func (o *Owned) change(ctx context.Context, site string, script *redis.Script, name string, args ...any) error {
	mine := o.tenure.Load()
	if mine == nil {
		return ErrFenced
	}
	keys := []string{o.leaseKey(), o.namesKey(), o.key(name)}
	done, err := o.db.run(ctx, site, script, keys, append([]any{mine.value, name}, args...)...)
	if err != nil {
		return err
	}
	if done != int64(1) {
		mine.lose()
		return ErrFenced
	}
	return nil
}
