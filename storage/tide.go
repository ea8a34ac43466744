package storage

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// ErrOlder refuses to go on from records that are older than some process has seen: Redis has come back with the data of
// an earlier time.
var ErrOlder = errors.New("the data in Redis are older than they were")

// tide is a number in Redis that rises with every change of some records. Each process remembers the highest that it saw;
// where Redis shows a lower one, it has come back with older records. What a process knows is written beside the number
// (known), so that it is not lost with the process, and a write that reads it needs nobody's word.
//
// It notices nothing where all who knew are gone together with the data: then a person has to say so (doubt).
type tide struct {
	db   *DB
	key  string // a hash: at, known, anew. It shares a slot with the records
	seen atomic.Int64
}

// tideLua has what the scripts share. level gives where the tide is and the highest that anybody knows of; rise counts it
// up and gives it, or -1 where it is lower than that.
const tideLua = `
local function level(key, seen)
	local found = redis.call('HMGET', key, 'at', 'known')
	return tonumber(found[1] or 0), math.max(tonumber(found[2] or 0), tonumber(seen))
end
local function rise(key, seen)
	local at, known = level(key, seen)
	if at < known then
		redis.call('HSET', key, 'known', string.format('%.0f', known))
		return -1
	end
	return redis.call('HINCRBY', key, 'at', 1)
end
`

// lookAtTide tells of KEYS[1] whether it is lower than known, given the highest ARGV[1] that this process has seen, and
// whether the records are being made good. Result: {at, 0 or 1 for lower, 0 or 1 for being made good}.
var lookAtTide = redis.NewScript(tideLua + `
local at, known = level(KEYS[1], ARGV[1])
local lower = 0
if at < known then
	lower = 1
	redis.call('HSET', KEYS[1], 'known', string.format('%.0f', known))
end
return {at, lower, redis.call('HEXISTS', KEYS[1], 'anew')}`)

// turnTide lifts KEYS[2] above all that is known, and marks that the records are being made good, where the lease KEYS[1]
// is ARGV[1]. ARGV[2] is the highest that this process has seen. Result: the tide; 0 where another one leads.
var turnTide = redis.NewScript(tideLua + `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local at, known = level(KEYS[2], ARGV[2])
redis.call('HSET', KEYS[2], 'at', string.format('%.0f', math.max(at, known) + 1), 'anew', 1)
return tonumber(redis.call('HGET', KEYS[2], 'at'))`)

// settleTide takes turnTide's mark away, where the lease KEYS[1] is ARGV[1]. Result: 1; 0 where another one leads.
var settleTide = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[2], 'anew')
return 1`)

// doubtTide has KEYS[1] be lower than known. Result: 1.
var doubtTide = redis.NewScript(tideLua + `
local at, known = level(KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], 'known', string.format('%.0f', math.max(at, known) + 1))
return 1`)

// saw remembers the highest.
func (t *tide) saw(at int64) {
	for {
		highest := t.seen.Load()
		if at <= highest || t.seen.CompareAndSwap(highest, at) {
			return
		}
	}
}

// look compares, and leaves in Redis what this process knows better. older: a lower tide than known, so that nothing may
// be written; anew: they are being made good.
func (t *tide) look(ctx context.Context) (older, anew bool, err error) {
	result, err := t.db.run(ctx, "redis.tide.look", lookAtTide, []string{t.key}, t.seen.Load())
	if err != nil {
		return false, false, fmt.Errorf("look at the tide of %s: %w", t.key, err)
	}
	found, ok := result.([]any)
	if !ok || len(found) != 3 {
		return false, false, fmt.Errorf("look at the tide of %s: got %v", t.key, result)
	}
	at, _ := found[0].(int64)
	t.saw(at)
	return found[1] == int64(1), found[2] == int64(1), nil
}

// doubt has every process refuse to go on from these records, as if they were older.
func (t *tide) doubt(ctx context.Context) error {
	if _, err := t.db.run(ctx, "redis.tide.doubt", doubtTide, []string{t.key}, t.seen.Load()); err != nil {
		return fmt.Errorf("doubt %s: %w", t.key, err)
	}
	return nil
}
