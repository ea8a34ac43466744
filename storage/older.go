package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Redis may come back with older records: it was killed and had not written its last second, a replica took its place that
// was behind, or a backup was put back. All of these but the last show in the run id of the server. How often that happened
// is counted beside the tip (order.Tip.Older), and each order is held against the chain once after each time.

// Why records may be older than they were.
const (
	OlderRestarted = "restarted" // by a second or so: Redis was started anew
	OlderRestored  = "restored"  // by any time: a backup was put back
)

// olderKey is a hash: count, why while something must still be done about it, runs, the run ids of Redis as last seen, and
// coins, when the coins were looked at last.
func (db *DB) olderKey() string { return db.key("{board}", "older") }

// olderLua counts once more in KEYS[1]. What is to be done about a backup that was put back is also enough for a restart, not
// the other way round. The count is a time, so that one which was forgotten does not come again.
const olderLua = `
local function count(why, runs, now)
	if redis.call('HGET', KEYS[1], 'why') ~= 'restored' then redis.call('HSET', KEYS[1], 'why', why) end
	local count = math.max(tonumber(redis.call('HGET', KEYS[1], 'count') or 0) + 1, tonumber(now))
	redis.call('HSET', KEYS[1], 'runs', runs, 'count', string.format('%.0f', count))
end
`

// countOlder counts. KEYS: 1 olderKey. ARGV: 1 why, 2 run ids, 3 now in ms. Result: 1.
var countOlder = redis.NewScript(olderLua + `
count(ARGV[1], ARGV[2], ARGV[3])
return 1`)

// lookOlder counts where the run ids are others than they were. KEYS: 1 olderKey. ARGV: 1 run ids, 2 now in ms.
// Result: 1 counted, 0 not.
var lookOlder = redis.NewScript(olderLua + `
local runs = redis.call('HGET', KEYS[1], 'runs')
if runs == ARGV[1] then return 0 end
if not runs then -- the first look ever: there is nothing to compare with
	redis.call('HSET', KEYS[1], 'runs', ARGV[1])
	return 0
end
count('restarted', ARGV[1], ARGV[2])
return 1`)

// settleOlder notes that all was done, unless it was counted once more meanwhile. KEYS: 1 olderKey. ARGV: 1 count.
// Result: 1 settled, 0 not.
var settleOlder = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'count') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'why')
return 1`)

// LookOlder counts where Redis was started anew since somebody looked last. From the first call on it is also looked with
// each new connection, before that is used for anything: a server that was started anew has none of the old ones. In a
// cluster that is not so, and this must be called about once a second.
func (db *DB) LookOlder(ctx context.Context) (older bool, err error) {
	runs, err := db.runs(ctx)
	if err != nil || runs == "" {
		return false, err
	}
	result, err := db.run(ctx, "redis.older.look", lookOlder, []string{db.olderKey()}, runs, db.cfg.Clock().UnixMilli())
	if err != nil {
		return false, fmt.Errorf("look whether Redis was started anew: %w", err)
	}
	db.seenRun.Store(&runs)
	return result == int64(1), nil
}

// connected looks at the run id of the server that a new connection leads to.
func (db *DB) connected(ctx context.Context, conn *redis.Conn) error {
	seen := db.seenRun.Load()
	if seen == nil {
		return nil
	}
	info, err := conn.Info(ctx, "server").Result()
	var refused redis.Error
	if errors.As(err, &refused) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask for the run id of Redis: %w", err)
	}
	id := runID(info)
	if id == "" || id == *seen || strings.Contains(info, "redis_mode:sentinel") {
		return nil
	}
	if err := lookOlder.Eval(ctx, conn, []string{db.olderKey()}, id, db.cfg.Clock().UnixMilli()).Err(); err != nil {
		return fmt.Errorf("look whether Redis was started anew: %w", err)
	}
	db.seenRun.Store(&id)
	return nil
}

func runID(info string) string {
	for line := range strings.Lines(info) {
		if id, found := strings.CutPrefix(strings.TrimSpace(line), "run_id:"); found {
			return id
		}
	}
	return ""
}

// NoteOlder counts once more, for a reason that the servers do not show.
func (db *DB) NoteOlder(ctx context.Context, why string) error {
	runs, err := db.runs(ctx)
	if err != nil {
		return err
	}
	return db.countOlder(ctx, why, runs)
}

func (db *DB) countOlder(ctx context.Context, why, runs string) error {
	if _, err := db.run(ctx, "redis.older.count", countOlder, []string{db.olderKey()}, why, runs, db.cfg.Clock().UnixMilli()); err != nil {
		return fmt.Errorf("note that records may be older: %w", err)
	}
	return nil
}

// Older tells whether something must still be done about records that may be older, why ("" where nothing must), and the
// count to settle it with.
func (db *DB) Older(ctx context.Context) (why string, count uint64, err error) {
	var fields []any
	err = db.do(ctx, "redis.older.read", func(ctx context.Context) (err error) {
		fields, err = db.client.HMGet(ctx, db.olderKey(), "why", "count").Result()
		return err
	})
	if err != nil {
		return "", 0, fmt.Errorf("read whether records may be older: %w", err)
	}
	count, _ = strconv.ParseUint(text(fields[1]), 10, 64)
	return text(fields[0]), count, nil
}

// OlderSettled notes that all was done that Older asked for with this count.
func (db *DB) OlderSettled(ctx context.Context, count uint64) error {
	if _, err := db.run(ctx, "redis.older.settle", settleOlder, []string{db.olderKey()}, count); err != nil {
		return fmt.Errorf("settle older records: %w", err)
	}
	return nil
}

// readOlder reads count and coins, both in milliseconds, and tells whether the coins were not looked at since.
func readOlder(fields []any) (count uint64, stale bool) {
	if len(fields) < 2 {
		return 0, false
	}
	count, _ = strconv.ParseUint(text(fields[0]), 10, 64)
	coins, _ := strconv.ParseUint(text(fields[1]), 10, 64)
	return count, count > 0 && coins <= count
}

// runs are the run ids of the servers that hold the records; empty where they tell none.
func (db *DB) runs(ctx context.Context) (string, error) {
	var ids []string
	ask := func(ctx context.Context, node redis.Cmdable) error {
		return db.do(ctx, "redis.older.runs", func(ctx context.Context) error {
			info, err := node.Info(ctx, "server").Result()
			var refused redis.Error
			if errors.As(err, &refused) { // it does not tell
				return nil
			}
			if id := runID(info); id != "" {
				ids = append(ids, id)
			}
			return err
		})
	}
	var err error
	if cluster, ok := db.client.(*redis.ClusterClient); ok {
		err = eachMaster(ctx, cluster, ask)
	} else {
		err = ask(ctx, db.client)
	}
	if err != nil {
		return "", fmt.Errorf("ask for the run id of Redis: %w", err)
	}
	slices.Sort(ids)
	return strings.Join(ids, " "), nil
}

// Burn claims addresses for no order, as far as none has them, and tells how many it claimed: it is not known any more
// whether somebody was shown one.
func (db *DB) Burn(ctx context.Context, addresses []cirrus.Address) (burnt int, err error) {
	claims := make([]*redis.BoolCmd, len(addresses))
	err = db.do(ctx, "redis.address.burn", func(ctx context.Context) error {
		_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, address := range addresses {
				claims[i] = pipe.HSetNX(ctx, db.ownersKey(), string(address), string(order.Nobody))
			}
			return nil
		})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("burn addresses: %w", err)
	}
	for _, claim := range claims {
		if claim.Val() {
			burnt++
		}
	}
	return burnt, nil
}
