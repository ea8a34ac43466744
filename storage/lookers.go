package storage

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/flows"
)

// lookAt notes that a customer looks at a hall, and keeps the list short.
// KEYS: 1 lookers, by when they looked last. ARGV: 1 customer, 2 now in ms, 3 how many to keep,
// 4 who looked until then in ms is forgotten. Result: how many there are.
var lookAt = redis.NewScript(`
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[3]) - 1)
return redis.call('ZCARD', KEYS[1])
`)

func (db *DB) lookersKey() string { return db.key("lookers") }

// Look implements flows.Lookers.
func (db *DB) Look(ctx context.Context, customer int64, now time.Time) error {
	_, err := db.run(ctx, "redis.lookers.look", lookAt, []string{db.lookersKey()},
		customer, now.UnixMilli(), flows.MaxLookers, now.Add(-flows.LookFor).UnixMilli())
	if err != nil {
		return fmt.Errorf("note a looker: %w", err)
	}
	return nil
}

// Looking implements flows.Lookers. It forgets nobody: a read that writes nothing costs no sync of the disk.
func (db *DB) Looking(ctx context.Context, since time.Time) ([]int64, error) {
	var members []string
	err := db.do(ctx, "redis.lookers.list", func(ctx context.Context) (err error) {
		members, err = db.client.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: db.lookersKey(), Start: "(" + strconv.FormatInt(since.UnixMilli(), 10), Stop: "+inf", ByScore: true,
		}).Result()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list lookers: %w", err)
	}
	customers := make([]int64, len(members))
	for i, member := range members {
		if customers[i], err = strconv.ParseInt(member, 10, 64); err != nil {
			return nil, fmt.Errorf("list lookers: %w", err)
		}
	}
	slices.Reverse(customers)
	return customers, nil
}

// Leave implements flows.Lookers.
func (db *DB) Leave(ctx context.Context, customer int64) error {
	err := db.do(ctx, "redis.lookers.leave", func(ctx context.Context) error {
		return db.client.ZRem(ctx, db.lookersKey(), customer).Err()
	})
	if err != nil {
		return fmt.Errorf("forget a looker: %w", err)
	}
	return nil
}
