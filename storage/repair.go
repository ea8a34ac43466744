package storage

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/flows/order"
)

// scanPage is how many keys one step of a scan looks at.
const scanPage = 500

// Repair reads all orders and mends their indexes: it adds what is missing and takes out transactions that no order
// watches any more, which a crash in the middle of a save leaves behind. It is run once after a start; nothing depends
// on it for correctness.
func (db *DB) Repair(ctx context.Context) error {
	indexed, err := db.Unmined(ctx)
	if err != nil {
		return err
	}
	watched := map[string]bool{}
	err = db.eachKey(ctx, db.key("order", "*"), func(ctx context.Context, keys []string) error {
		orders, err := db.repairPage(ctx, keys)
		for _, s := range orders {
			for _, tx := range s.watching {
				watched[tx] = true
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("repair indexes: %w", err)
	}
	var gone []string
	for tx := range indexed {
		if !watched[string(tx)] {
			gone = append(gone, string(tx))
		}
	}
	if len(gone) == 0 {
		return nil
	}
	err = db.do(ctx, "redis.repair.unmined", func(ctx context.Context) error {
		return db.client.HDel(ctx, db.unminedKey(), gone...).Err()
	})
	if err != nil {
		return fmt.Errorf("repair indexes: %w", err)
	}
	return nil
}

// repairPage mends the indexes of some orders and gives what it read of them.
func (db *DB) repairPage(ctx context.Context, keys []string) (orders []stored, err error) {
	err = db.do(ctx, "redis.repair.orders", func(ctx context.Context) error {
		read := make([]*redis.SliceCmd, len(keys))
		_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, key := range keys {
				read[i] = pipe.HMGet(ctx, key, "version", "next", "height", "customer", "created", "watching")
			}
			return nil
		})
		if err != nil {
			return err
		}
		_, err = db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, key := range keys {
				s := readStored(order.ID(strings.TrimPrefix(key, db.orderKey(""))), read[i].Val())
				orders = append(orders, s)
				db.settleDue(ctx, pipe, s.id, s.version, s.due)
				s.version = 1 // the customer's list too
				db.indexOrder(ctx, pipe, s)
			}
			return nil
		})
		return err
	})
	return orders, err
}

func readStored(id order.ID, fields []any) stored {
	entry := readDue(id, fields)
	s := stored{id: id, version: entry.version, due: entry.due, watching: strings.Fields(text(fields[5]))}
	s.customer, _ = strconv.ParseInt(text(fields[3]), 10, 64)
	created, _ := strconv.ParseInt(text(fields[4]), 10, 64)
	s.created = time.UnixMilli(created)
	return s
}

// eachKey goes through all keys of a pattern in pages, on every node of a cluster.
func (db *DB) eachKey(ctx context.Context, pattern string, visit func(context.Context, []string) error) error {
	scan := func(ctx context.Context, client redis.Cmdable) error {
		for cursor := uint64(0); ; {
			var keys []string
			err := db.do(ctx, "redis.scan", func(ctx context.Context) (err error) {
				keys, cursor, err = client.Scan(ctx, cursor, pattern, scanPage).Result()
				return err
			})
			if err != nil {
				return err
			}
			slices.Sort(keys)
			if err := visit(ctx, slices.Compact(keys)); err != nil {
				return err
			}
			if cursor == 0 {
				return nil
			}
		}
	}
	if cluster, ok := db.client.(*redis.ClusterClient); ok {
		return eachMaster(ctx, cluster, scan)
	}
	return scan(ctx, db.client)
}

// eachMaster visits the nodes of a cluster one after another.
func eachMaster(ctx context.Context, cluster *redis.ClusterClient, visit func(context.Context, redis.Cmdable) error) error {
	var mu sync.Mutex // the client visits them side by side
	return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		return visit(ctx, node)
	})
}

// All lists every order there is, in no order: for the operator, who asks seldom.
func (db *DB) All(ctx context.Context) ([]order.ID, error) {
	var ids []order.ID
	err := db.eachKey(ctx, db.key("order", "*"), func(_ context.Context, keys []string) error {
		for _, key := range keys {
			ids = append(ids, order.ID(strings.TrimPrefix(key, db.orderKey(""))))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
