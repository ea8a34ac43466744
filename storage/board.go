package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// What the watcher writes down shares one slot. All of it can be read from the chain again.
func (db *DB) tipKey() string   { return db.key("{board}", "tip") }
func (db *DB) salesKey() string { return db.key("{board}", "sales") }

// Tip implements order.View.
func (db *DB) Tip(ctx context.Context) (tip order.Tip, err error) {
	var raw *redis.StringCmd
	var older *redis.SliceCmd
	err = db.do(ctx, "redis.board.tip", func(ctx context.Context) error {
		_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			raw = pipe.Get(ctx, db.tipKey())
			older = pipe.HMGet(ctx, db.olderKey(), "count", "coins")
			return nil
		})
		return exceptNil(err)
	})
	if err == nil && errors.Is(raw.Err(), redis.Nil) {
		err = order.ErrNotFound
	}
	if err == nil {
		err = unwrap(raw.Val(), &tip)
		tip.Older, tip.Stale = readOlder(older.Val())
	}
	if err != nil {
		return order.Tip{}, fmt.Errorf("read tip: %w", err)
	}
	return tip, nil
}

// PostTip implements order.Board.
func (db *DB) PostTip(ctx context.Context, tip order.Tip) error {
	raw, err := wrap(tip)
	if err != nil {
		return fmt.Errorf("post tip: %w", err)
	}
	err = db.do(ctx, "redis.board.post_tip", func(ctx context.Context) error {
		return db.client.Set(ctx, db.tipKey(), raw, 0).Err()
	})
	if err != nil {
		return fmt.Errorf("post tip: %w", err)
	}
	return nil
}

// PostSale implements order.Board.
func (db *DB) PostSale(ctx context.Context, sale order.Sale) error {
	raw, err := wrap(sale)
	if err != nil {
		return fmt.Errorf("post sale of %s: %w", sale.Contract, err)
	}
	err = db.do(ctx, "redis.board.post_sale", func(ctx context.Context) error {
		return db.client.HSet(ctx, db.salesKey(), string(sale.Contract), raw).Err()
	})
	if err != nil {
		return fmt.Errorf("post sale of %s: %w", sale.Contract, err)
	}
	return nil
}

// DropSale forgets a contract that is not followed any more.
func (db *DB) DropSale(ctx context.Context, contract cirrus.Address) error {
	err := db.do(ctx, "redis.board.drop_sale", func(ctx context.Context) error {
		return db.client.HDel(ctx, db.salesKey(), string(contract)).Err()
	})
	if err != nil {
		return fmt.Errorf("drop sale of %s: %w", contract, err)
	}
	return nil
}

// Sale implements order.View.
func (db *DB) Sale(ctx context.Context, contract cirrus.Address) (sale order.Sale, err error) {
	var raw string
	err = db.do(ctx, "redis.board.sale", func(ctx context.Context) (err error) {
		raw, err = db.client.HGet(ctx, db.salesKey(), string(contract)).Result()
		return err
	})
	if errors.Is(err, redis.Nil) {
		err = order.ErrNotFound
	}
	if err == nil {
		err = unwrap(raw, &sale)
	}
	if err != nil {
		return order.Sale{}, fmt.Errorf("read sale of %s: %w", contract, err)
	}
	return sale, nil
}

// Sales implements order.View. They come in the order of their contracts' addresses.
func (db *DB) Sales(ctx context.Context) ([]order.Sale, error) {
	var all []string
	err := db.do(ctx, "redis.board.sales", func(ctx context.Context) (err error) {
		all, err = db.client.HVals(ctx, db.salesKey()).Result()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read sales: %w", err)
	}
	sales := make([]order.Sale, len(all))
	for i, raw := range all {
		if err := unwrap(raw, &sales[i]); err != nil {
			return nil, fmt.Errorf("read sales: %w", err)
		}
	}
	slices.SortFunc(sales, func(a, b order.Sale) int { return cmp.Compare(a.Contract, b.Contract) })
	return sales, nil
}

// Watched implements order.Board.
func (db *DB) Watched(ctx context.Context, txs []cirrus.TxID) (map[cirrus.TxID]order.ID, error) {
	found := map[cirrus.TxID]order.ID{}
	if len(txs) == 0 {
		return found, nil
	}
	fields := make([]string, len(txs))
	for i, tx := range txs {
		fields[i] = string(tx)
	}
	var ids []any
	err := db.do(ctx, "redis.board.watched", func(ctx context.Context) (err error) {
		ids, err = db.client.HMGet(ctx, db.unminedKey(), fields...).Result()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find watched transactions: %w", err)
	}
	for i, id := range ids {
		if id := text(id); id != "" {
			found[txs[i]] = order.ID(id)
		}
	}
	return found, nil
}

// Unmined implements order.Board.
func (db *DB) Unmined(ctx context.Context) (map[cirrus.TxID]order.ID, error) {
	var fields map[string]string
	err := db.do(ctx, "redis.board.unmined", func(ctx context.Context) (err error) {
		fields, err = db.client.HGetAll(ctx, db.unminedKey()).Result()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read unmined transactions: %w", err)
	}
	all := make(map[cirrus.TxID]order.ID, len(fields))
	for tx, id := range fields {
		all[cirrus.TxID(tx)] = order.ID(id)
	}
	return all, nil
}
