package storage

import (
	"context"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Claims lists every address that was ever given to an order, for whoever holds Redis against the wallets.
func (db *DB) Claims(ctx context.Context) (map[cirrus.Address]order.ID, error) {
	claims := map[cirrus.Address]order.ID{}
	for cursor := uint64(0); ; {
		var fields []string
		err := db.do(ctx, "redis.address.list", func(ctx context.Context) (err error) {
			fields, cursor, err = db.client.HScan(ctx, db.ownersKey(), cursor, "", scanPage).Result()
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("listing addresses: %w", err)
		}
		for i := 0; i+1 < len(fields); i += 2 {
			claims[cirrus.Address(fields[i])] = order.ID(fields[i+1])
		}
		if cursor == 0 {
			return claims, nil
		}
	}
}

// Known gives the network that this Redis remembers. Errors: ErrNoNetwork where it remembers none.
func (db *DB) Known(ctx context.Context) (network string, err error) { return db.remembered(ctx) }
