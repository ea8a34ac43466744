package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrFenced refuses a write to owned records by a process that does not own them, or does not any more.
var ErrFenced = errors.New("these records belong to another process now")

// Owned keeps sealed records that one process at a time may write: the one that leads under their name. Whether it still
// does is decided in Redis, in the same step as the write. So a process that stood still for longer than its lease writes
// nothing any more, whatever it believes when it goes on. The same step refuses what would build on records that are older
// than any process has seen; see Renew.
type Owned struct {
	Sealed
	name   string
	tenure atomic.Pointer[tenure] // nil: this process does not lead
	tide   tide
}

// Owned gives the records that belong to whoever leads under name. Where a process asks for the same name twice, only the
// one that it leads with may write.
func (db *DB) Owned(name string) *Owned {
	o := &Owned{Sealed: Sealed{db: db, owner: name}, name: name}
	o.tide.db, o.tide.key = db, db.key("own", "{"+name+"}", "tide")
	return o
}

// leaseKey holds the lease. It shares a hash tag with the records, so that one script sees both.
func (o *Owned) leaseKey() string { return o.db.key("own", "{"+o.name+"}", "lease") }

// Shared gives the same records without the fence: for names that any process may write.
func (o *Owned) Shared() *Sealed { return &Sealed{db: o.db, owner: o.name} }

// Lead is Leader for these records: while work runs, this process may write them. A write that is refused ends work's
// context at once. One that stands by learns how far the records are, and remembers it for when it leads.
func (o *Owned) Lead(ctx context.Context, work func(context.Context) error) error {
	standby := func(ctx context.Context) error {
		_, _, err := o.tide.look(ctx)
		return err
	}
	return o.db.leader(ctx, o.name, o.leaseKey(), o.working(work), standby)
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
		ctx, done := context.WithCancel(ctx)
		var watching sync.WaitGroup
		defer watching.Wait()
		defer done()
		watching.Go(func() { o.watch(ctx, mine) })
		return work(ctx)
	}
}

// watch ends the work where the records have become older than they were, also while nothing is written.
func (o *Owned) watch(ctx context.Context, mine *tenure) {
	ticker := time.NewTicker(tideEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if older, _, err := o.tide.look(ctx); err == nil && older {
			mine.lose()
			return
		}
	}
}

// Renew must be called first of all under Lead. Where the records are older than some process has seen, or Doubt was
// called, it calls startOver, which may write again and has to make good whatever depends on the newest records; and so
// it does where a process died in the middle of that. Errors: ErrFenced, startOver's.
func (o *Owned) Renew(ctx context.Context, startOver func(context.Context) error) error {
	older, anew, err := o.tide.look(ctx)
	if err != nil || (!older && !anew) {
		return err
	}
	at, err := o.fenced(ctx, "redis.tide.turn", turnTide)
	if err != nil {
		return fmt.Errorf("begin %s anew: %w", o.name, err)
	}
	o.tide.saw(at)
	if err := startOver(ctx); err != nil {
		return fmt.Errorf("begin %s anew: %w", o.name, err)
	}
	if _, err := o.fenced(ctx, "redis.tide.settle", settleTide); err != nil {
		return fmt.Errorf("begin %s anew: %w", o.name, err)
	}
	return nil
}

// Doubt says for a person that the records are older than they were, where no process can know. Whoever leads, now or
// next, starts over.
func (o *Owned) Doubt(ctx context.Context) error { return o.tide.doubt(ctx) }

// fenced changes the tide for the one that leads.
func (o *Owned) fenced(ctx context.Context, site string, script *redis.Script) (at int64, err error) {
	mine := o.tenure.Load()
	if mine == nil {
		return 0, ErrFenced
	}
	result, err := o.db.run(ctx, site, script, []string{o.leaseKey(), o.tide.key}, mine.value, o.tide.seen.Load())
	if err != nil {
		return 0, err
	}
	at, _ = result.(int64)
	if at == 0 {
		mine.lose()
		return 0, ErrFenced
	}
	return at, nil
}

// tideEvery is how often the one that leads looks whether its records have become older.
const tideEvery = time.Second

// putOwned writes KEYS[4], named ARGV[3] in the list KEYS[3], where the lease KEYS[1] is still ARGV[1] and the tide KEYS[2]
// not lower than known, which counts up with it; ARGV[2] is the highest that this process has seen. A lease's value is
// random and never used again, so being equal means that nobody has led in between. Result: the tide; 0 where another one
// leads, -1 where the records are older.
var putOwned = redis.NewScript(tideLua + `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local at = rise(KEYS[2], ARGV[2])
if at < 0 then return at end
redis.call('ZADD', KEYS[3], 0, ARGV[3])
redis.call('SET', KEYS[4], ARGV[4])
return at`)

// deleteOwned removes what putOwned wrote, on the same conditions and with the same result.
var deleteOwned = redis.NewScript(tideLua + `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local at = rise(KEYS[2], ARGV[2])
if at < 0 then return at end
redis.call('DEL', KEYS[4])
redis.call('ZREM', KEYS[3], ARGV[3])
return at`)

// Put writes a value. It is durable when it returns. Errors: ErrFenced, ErrOlder.
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

// Delete removes a value; one that is not there is no error. Errors: ErrFenced, ErrOlder.
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
	keys := []string{o.leaseKey(), o.tide.key, o.namesKey(), o.key(name)}
	result, err := o.db.run(ctx, site, script, keys, append([]any{mine.value, o.tide.seen.Load(), name}, args...)...)
	if err != nil {
		return err
	}
	at, _ := result.(int64)
	if at > 0 {
		o.tide.saw(at)
		return nil
	}
	mine.lose()
	if at < 0 {
		return ErrOlder
	}
	return ErrFenced
}
