package storage

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/flows/order"
)

// The due index is a sorted set of order ids by Next in milliseconds, and beside it a hash that says for each order
// which version was last announced for it and when: "version:milliseconds".

// widenDue announces a version: the order's due time becomes the earlier of what it is and what the version needs.
// KEYS: 1 due set, 2 announcements. ARGV: 1 order, 2 version, 3 due in ms or "", 4 now in ms. Result: none.
var widenDue = redis.NewScript(`
local said = redis.call('HGET', KEYS[2], ARGV[1])
local version = said and tonumber(string.match(said, '^%d+')) or 0
if tonumber(ARGV[2]) >= version then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ':' .. ARGV[4]) end
if ARGV[3] == '' then return 1 end
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[3]) then redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end
return 1
`)

// settleDue gives an order the due time that its stored version has, unless a later version was announced: that one
// may be written at any moment, and may be due earlier. An announcement older than ARGV[4] is one whose writer died.
// KEYS: 1 due set, 2 announcements. ARGV: 1 order, 2 version, 3 due in ms or "", 4 oldest living announcement in ms.
// Result: 1 settled, 0 left alone.
var settleDue = redis.NewScript(`
local said = redis.call('HGET', KEYS[2], ARGV[1])
if said then
  local version, at = string.match(said, '^(%d+):(-?%d+)$')
  if tonumber(version) > tonumber(ARGV[2]) and tonumber(at) >= tonumber(ARGV[4]) then return 0 end
end
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
else
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
end
return 1
`)

// writerLives bounds the time between the first and the last step of a save: each has a deadline of seconds. It is
// far longer, for clocks that differ between replicas.
const writerLives = 10 * time.Minute

func (db *DB) dueKeys() []string { return []string{db.key("{due}"), db.key("{due}", "announced")} }

func (db *DB) unminedKey() string { return db.key("unmined") }

// widen is the first step of a save.
func (db *DB) widen(ctx context.Context, s stored) error {
	now := db.cfg.Clock().UnixMilli()
	return db.do(ctx, "redis.order.widen", func(ctx context.Context) error {
		_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			widenDue.Eval(ctx, pipe, db.dueKeys(), string(s.id), s.version, millis(s.next), now)
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
			db.settleDue(ctx, pipe, string(s.id), s.version, millis(s.next))
			if len(mined) > 0 {
				pipe.HDel(ctx, db.unminedKey(), mined...)
			}
			return nil
		})
		return err
	})
}

func (db *DB) settleDue(ctx context.Context, pipe redis.Pipeliner, id string, version uint64, due string) {
	oldest := db.cfg.Clock().Add(-writerLives).UnixMilli()
	settleDue.Eval(ctx, pipe, db.dueKeys(), id, version, due, oldest)
}

// Due implements order.Store. What the index lists too early is left out, and cleared up where its writer is gone.
func (db *DB) Due(ctx context.Context, now time.Time, limit int) ([]order.ID, error) {
	var due []order.ID
	var early []dueEntry
	for from := int64(0); len(due) < limit; {
		page, err := db.duePage(ctx, now, from, int64(limit))
		if err != nil {
			return nil, fmt.Errorf("orders due: %w", err)
		}
		for _, entry := range page {
			if entry.due(now) && len(due) < limit {
				due = append(due, entry.id)
			} else if !entry.due(now) {
				early = append(early, entry)
			}
		}
		if len(page) < limit {
			break
		}
		from += int64(len(page))
	}
	if err := db.clear(ctx, early); err != nil {
		return nil, fmt.Errorf("clear up the due index: %w", err)
	}
	return due, nil
}

// dueEntry is a line of the due index beside what the order itself says.
type dueEntry struct {
	id      order.ID
	version uint64    // 0: there is no such order
	next    time.Time // zero: never
}

func (e dueEntry) due(now time.Time) bool { return !e.next.IsZero() && !e.next.After(now) }

func (db *DB) duePage(ctx context.Context, now time.Time, from, count int64) ([]dueEntry, error) {
	var page []dueEntry
	err := db.do(ctx, "redis.order.due", func(ctx context.Context) error {
		ids, err := db.client.ZRangeByScore(ctx, db.dueKeys()[0], &redis.ZRangeBy{
			Min: "-inf", Max: strconv.FormatInt(now.UnixMilli(), 10), Offset: from, Count: count,
		}).Result()
		if err != nil || len(ids) == 0 {
			return err
		}
		orders := make([]*redis.SliceCmd, len(ids))
		_, err = db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, id := range ids {
				orders[i] = pipe.HMGet(ctx, db.orderKey(order.ID(id)), "version", "next")
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

func readDue(id order.ID, fields []any) dueEntry {
	entry := dueEntry{id: id}
	if len(fields) == 2 {
		entry.version, _ = strconv.ParseUint(text(fields[0]), 10, 64)
		entry.next, _ = fromNanos(text(fields[1]))
	}
	return entry
}

// clear gives entries of the index the times that their orders have.
func (db *DB) clear(ctx context.Context, early []dueEntry) error {
	if len(early) == 0 {
		return nil
	}
	return db.do(ctx, "redis.order.clear", func(ctx context.Context) error {
		_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, entry := range early {
				db.settleDue(ctx, pipe, string(entry.id), entry.version, millis(entry.next))
			}
			return nil
		})
		return err
	})
}

// millis is a time as a score of the due index, rounded down so that nothing is listed late; empty for a zero time.
func millis(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}
