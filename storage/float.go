package storage

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

var _ order.FloatClaims = (*DB)(nil)

// claimFloat gives an address of the float to an order.
// KEYS: 1 claims. ARGV: 1 address, 2 order. Result: 1 the order's, 0 another's.
var claimFloat = redis.NewScript(`
local owner = redis.call('HGET', KEYS[1], ARGV[1])
if owner and owner ~= ARGV[2] then return 0 end
if not owner then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1
`)

// freeFloat gives an address of the float up if the order has it.
// KEYS: 1 claims. ARGV: 1 address, 2 order. Result: 1 freed, 0 not this order's.
var freeFloat = redis.NewScript(`
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`)

// floatKey holds which order has each claimed address of the float.
func (db *DB) floatKey() string { return db.key("float") }

// ClaimFloat implements order.FloatClaims.
func (db *DB) ClaimFloat(ctx context.Context, address cirrus.Address, id order.ID) error {
	result, err := db.run(ctx, "redis.float.claim", claimFloat, []string{db.floatKey()}, string(address), string(id))
	if err != nil {
		return fmt.Errorf("claim %s of the float: %w", address, err)
	}
	if result != int64(1) {
		return fmt.Errorf("claim %s of the float: %w", address, order.ErrClaimed)
	}
	return nil
}

// FreeFloat implements order.FloatClaims.
func (db *DB) FreeFloat(ctx context.Context, address cirrus.Address, id order.ID) error {
	_, err := db.run(ctx, "redis.float.free", freeFloat, []string{db.floatKey()}, string(address), string(id))
	if err != nil {
		return fmt.Errorf("free %s of the float: %w", address, err)
	}
	return nil
}

// FloatClaims implements order.FloatClaims.
func (db *DB) FloatClaims(ctx context.Context) (map[cirrus.Address]order.ID, error) {
	var fields map[string]string
	err := db.do(ctx, "redis.float.list", func(ctx context.Context) (err error) {
		fields, err = db.client.HGetAll(ctx, db.floatKey()).Result()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what is claimed of the float: %w", err)
	}
	claims := make(map[cirrus.Address]order.ID, len(fields))
	for address, id := range fields {
		claims[cirrus.Address(address)] = order.ID(id)
	}
	return claims, nil
}
