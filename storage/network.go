package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// networkKey is the one key outside of any network: which one this Redis serves.
const networkKey = "usher:network"

// ErrOtherNetwork says that this Redis holds the orders of another network.
var ErrOtherNetwork = errors.New("this Redis belongs to another network")

// RememberNetwork keeps the name of the network for ever. The first answer of a node wins.
// Errors: ErrOtherNetwork for any other name.
func (db *DB) RememberNetwork(ctx context.Context, name string) error {
	err := db.do(ctx, "redis.network.remember", func(ctx context.Context) error {
		return db.client.SetNX(ctx, networkKey, name, 0).Err()
	})
	if err != nil {
		return fmt.Errorf("remember the network: %w", err)
	}
	known, err := db.remembered(ctx)
	if err != nil {
		return err
	}
	if known != name {
		return fmt.Errorf("%w: %s, the node is on %s", ErrOtherNetwork, known, name)
	}
	return nil
}

// remembered gives the network of earlier starts. Errors: ErrNoNetwork.
func (db *DB) remembered(ctx context.Context) (name string, err error) {
	err = db.do(ctx, "redis.network.read", func(ctx context.Context) error {
		name, err = db.client.Get(ctx, networkKey).Result()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return "", ErrNoNetwork
	}
	if err != nil {
		return "", fmt.Errorf("read the network: %w", err)
	}
	return name, nil
}
