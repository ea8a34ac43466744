package storage

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/flows/order"
)

// The due index is two sorted sets of order ids, by Next in milliseconds and by NextHeight, and beside them a hash that
// says for each order which version was last announced for it and when: "version:milliseconds".

// widenDue announces a version: what an order is due at becomes the earlier of what it is and what the version needs.
// KEYS: 1 by time, 2 by height, 3 announcements. ARGV: 1 order, 2 version, 3 time in ms or "", 4 height or "", 5 now in
// ms. Result: none.
var widenDue = redis.NewScript(`
local said = redis.call('HGET', KEYS[3], ARGV[1])
local version = said and tonumber(string.match(said, '^%d+')) or 0
if tonumber(ARGV[2]) >= version then redis.call('HSET', KEYS[3], ARGV[1], ARGV[2] .. ':' .. ARGV[5]) end
for i = 1, 2 do
  local wanted = tonumber(ARGV[i + 2])
  local due = tonumber(redis.call('ZSCORE', KEYS[i], ARGV[1]) or nil)
  if wanted and (not due or due > wanted) then redis.call('ZADD', KEYS[i], ARGV[i + 2], ARGV[1]) end
end
return 1
`)

// settleDue gives an order what its stored version is due at, unless a later version was announced: that one may be
// written at any moment, and may be due earlier. An announcement older than ARGV[5] is one whose writer died.
// KEYS: 1 by time, 2 by height, 3 announcements. ARGV: 1 order, 2 version, 3 time in ms or "", 4 height or "", 5 oldest
// living announcement in ms. Result: 1 settled, 0 left alone.
var settleDue = redis.NewScript(`
local said = redis.call('HGET', KEYS[3], ARGV[1])
if said then
  local version, at = string.match(said, '^(%d+):(-?%d+)$')
  if tonumber(version) > tonumber(ARGV[2]) and tonumber(at) >= tonumber(ARGV[5]) then return 0 end
end
for i = 1, 2 do
  if ARGV[i + 2] == '' then
    redis.call('ZREM', KEYS[i], ARGV[1])
  else
    redis.call('ZADD', KEYS[i], ARGV[i + 2], ARGV[1])
  end
end
if ARGV[3] == '' and ARGV[4] == '' then redis.call('HDEL', KEYS[3], ARGV[1]) end
return 1
`)

// due is when the next step of an order is due, by the clock and by the chain.
type due struct {
	next   time.Time // zero: never
	height uint64    // zero: never
}

// scores are the two places of the due index; empty for never. Times are rounded down so that nothing is listed late.
func (d due) scores() (next, height string) {
	if !d.next.IsZero() {
		next = strconv.FormatInt(d.next.UnixMilli(), 10)
	}
	if d.height != 0 {
		height = strconv.FormatUint(d.height, 10)
	}
	return next, height
}

func (d due) by(now time.Time) bool      { return !d.next.IsZero() && !d.next.After(now) }
func (d due) byBlock(height uint64) bool { return d.height != 0 && d.height <= height }

// writerLives bounds the time between the first and the last step of a save: each has a deadline of seconds. It is
// far longer, for clocks that differ between replicas.
const writerLives = 10 * time.Minute

func (db *DB) dueKeys() []string {
	return []string{db.key("{due}", "time"), db.key("{due}", "height"), db.key("{due}", "announced")}
}

func (db *DB) unminedKey() string { return db.key("unmined") }

// widen is the first step of a save.
func (db *DB) widen(ctx context.Context, s stored) error {
	now := db.cfg.Clock().UnixMilli()
	return db.do(ctx, "redis.order.widen", func(ctx context.Context) error {
		_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			next, height := s.due.scores()
			widenDue.Eval(ctx, pipe, db.dueKeys(), string(s.id), s.version, next, height, now)
			db.indexOrder(ctx, pipe, s)
			return nil
		})
		return err
	})
}

// indexOrder adds what finds the order by its customer and by its transactions.
func (db *DB) indexOrder(ctx context.Context, pipe redis.Pipeliner, s stored) {
	if s.version <= 1 {
		pipe.ZAdd(ctx, db.customerKey(s.customer, "orders"),
			redis.Z{Score: float64(s.created.UnixMilli()), Member: string(s.id)})
	}
	if len(s.watching) == 0 {
		return
	}
	fields := make([]any, 0, 2*len(s.watching))
	for _, tx := range s.watching {
		fields = append(fields, tx, string(s.id))
	}
	pipe.HSet(ctx, db.unminedKey(), fields...)
}

// settle is the last step of a save.
func (db *DB) settle(ctx context.Context, s stored, before []string) error {
	mined := slices.DeleteFunc(before, func(tx string) bool { return slices.Contains(s.watching, tx) })
	return db.do(ctx, "redis.order.settle", func(ctx context.Context) error {
		_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			db.settleDue(ctx, pipe, s.id, s.version, s.due)
			if len(mined) > 0 {
				pipe.HDel(ctx, db.unminedKey(), mined...)
			}
			return nil
		})
		return err
	})
}

func (db *DB) settleDue(ctx context.Context, pipe redis.Pipeliner, id order.ID, version uint64, d due) {
	oldest := db.cfg.Clock().Add(-writerLives).UnixMilli()
	next, height := d.scores()
	settleDue.Eval(ctx, pipe, db.dueKeys(), string(id), version, next, height, oldest)
}

// Due implements order.Store.
func (db *DB) Due(ctx context.Context, now time.Time, limit int) ([]order.ID, error) {
	ids, err := db.listDue(ctx, db.dueKeys()[0], now.UnixMilli(), limit, func(d due) bool { return d.by(now) })
	if err != nil {
		return nil, fmt.Errorf("orders due: %w", err)
	}
	return ids, nil
}

// DueAt implements order.Heights.
func (db *DB) DueAt(ctx context.Context, height uint64, limit int) ([]order.ID, error) {
	most := int64(min(height, math.MaxInt64))
	ids, err := db.listDue(ctx, db.dueKeys()[1], most, limit, func(d due) bool { return d.byBlock(height) })
	if err != nil {
		return nil, fmt.Errorf("orders due at block %d: %w", height, err)
	}
	return ids, nil
}

// duePage is how many lines of the due index are read at once.
const duePage = 500

// listDue reads a due index up to a score. What it lists too early is left out, and cleared up where its writer is gone.
func (db *DB) listDue(
	ctx context.Context, index string, most int64, limit int, isDue func(due) bool,
) (list []order.ID, err error) {
	var early []dueEntry
	for from := int64(0); len(list) < limit; from += duePage {
		page, err := db.dueEntries(ctx, index, most, from)
		if err != nil {
			return nil, err
		}
		for _, entry := range page {
			switch {
			case !isDue(entry.due):
				early = append(early, entry)
			case len(list) < limit:
				list = append(list, entry.id)
			}
		}
		if len(page) < duePage {
			break
		}
	}
	return list, db.clear(ctx, early)
}

// dueEntry is a line of a due index beside what the order itself says.
type dueEntry struct {
	id      order.ID
	version uint64 // 0: there is no such order
	due     due
}

func (db *DB) dueEntries(ctx context.Context, index string, most, from int64) ([]dueEntry, error) {
	var page []dueEntry
	err := db.do(ctx, "redis.order.due", func(ctx context.Context) error {
		ids, err := db.client.ZRangeByScore(ctx, index, &redis.ZRangeBy{
			Min: "-inf", Max: strconv.FormatInt(most, 10), Offset: from, Count: duePage,
		}).Result()
		if err != nil || len(ids) == 0 {
			return err
		}
		orders := make([]*redis.SliceCmd, len(ids))
		_, err = db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, id := range ids {
				orders[i] = pipe.HMGet(ctx, db.orderKey(order.ID(id)), "version", "next", "height")
			}
			return nil
		})
		for i, id := range ids {
			page = append(page, readDue(order.ID(id), orders[i].Val()))
		}
		return err
	})
	return page, err
}

// readDue reads version, next and height of an order; none of them is there where the order is not.
func readDue(id order.ID, fields []any) dueEntry {
	entry := dueEntry{id: id}
	if len(fields) >= 3 {
		entry.version, _ = strconv.ParseUint(text(fields[0]), 10, 64)
		entry.due.next = fromNanos(text(fields[1]))
		entry.due.height, _ = strconv.ParseUint(text(fields[2]), 10, 64)
	}
	return entry
}

// clear gives entries of the index what their orders are due at.
func (db *DB) clear(ctx context.Context, early []dueEntry) error {
	if len(early) == 0 {
		return nil
	}
	err := db.do(ctx, "redis.order.clear", func(ctx context.Context) error {
		_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, entry := range early {
				db.settleDue(ctx, pipe, entry.id, entry.version, entry.due)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("clear up the due index: %w", err)
	}
	return nil
}
