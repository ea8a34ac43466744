package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/flows/order"
)

// An order is one hash at its own key. Its indexes live in other slots of a cluster, so saving takes three steps, each
// of which may be the last before a crash:
//
//  1. widen: the indexes get what the new version needs, on top of what the stored one needs. The due time becomes
//     the earlier of both.
//  2. write: one compare-and-set of the order itself.
//  3. settle: the indexes lose what only the old version needed.
//
// So the indexes always hold at least what the stored order needs. An order is in the due index from before its first
// write until after the write that made its Next zero: it may be listed too early or for nothing, which Due notices by
// reading the order, and never too late.

// saveOrder writes an order if its version is the expected one.
// KEYS: 1 order. ARGV: 1 format, 2 expected version, 3 new version, 4 token of this write, then the fields to set.
// Result: {"saved", transactions watched before} | {"conflict", version} | {"format", format}. A write that is sent
// again because its answer was lost finds its own token and counts as saved.
var saveOrder = redis.NewScript(`
local old = redis.call('HMGET', KEYS[1], 'format', 'version', 'token', 'watching')
if old[1] and tonumber(old[1]) > tonumber(ARGV[1]) then return {'format', old[1]} end
local version = old[2] or '0'
if version == ARGV[3] and old[3] == ARGV[4] then return {'saved', ''} end
if version ~= ARGV[2] then return {'conflict', version} end
redis.call('HSET', KEYS[1], 'format', ARGV[1], 'version', ARGV[3], 'token', ARGV[4])
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
return {'saved', old[4] or ''}
`)

// stored is an order on its way to Redis.
type stored struct {
	id       order.ID
	version  uint64 // after the save
	customer int64
	created  time.Time
	due      due
	watching []string
	body     []byte
	private  []byte // sealed
}

// Load implements order.Store.
func (db *DB) Load(ctx context.Context, id order.ID) (order.Order, error) {
	var fields []any
	err := db.do(ctx, "redis.order.load", func(ctx context.Context) (err error) {
		fields, err = db.client.HMGet(ctx, db.orderKey(id), "format", "body", "private").Result()
		return err
	})
	if err != nil {
		return order.Order{}, fmt.Errorf("load order %s: %w", id, err)
	}
	o, err := db.openOrder(id, text(fields[0]), text(fields[1]), text(fields[2]))
	if err != nil {
		return order.Order{}, fmt.Errorf("load order %s: %w", id, err)
	}
	return o, nil
}

func (db *DB) openOrder(id order.ID, format, body, private string) (o order.Order, err error) {
	if format == "" {
		return o, order.ErrNotFound
	}
	number, err := strconv.Atoi(format)
	if err != nil {
		return o, fmt.Errorf("read its format: %w", err)
	}
	if err := checkFormat(number, order.Format); err != nil {
		return o, err
	}
	if err := json.Unmarshal([]byte(body), &o); err != nil {
		return order.Order{}, fmt.Errorf("decode: %w", err)
	}
	plain, err := db.cfg.Keys.Open([]byte(private), db.orderKey(id))
	if err != nil {
		return order.Order{}, err
	}
	if json.Unmarshal(plain, &o.Private) != nil {
		// The decoder's error could quote what it read.
		return order.Order{}, errors.New("decode its private part")
	}
	return o, nil
}

// Save implements order.Store. Errors: order.ErrConflict, order.ErrNewFormat. After any other error the order may or
// may not have been written: load it again.
func (db *DB) Save(ctx context.Context, o *order.Order) error {
	next := *o
	next.Format = order.Format
	next.Version++
	s, err := db.sealOrder(next)
	if err != nil {
		return fmt.Errorf("save order %s: %w", o.ID, err)
	}
	if err := db.widen(ctx, s); err != nil {
		return fmt.Errorf("save order %s: %w", o.ID, err)
	}
	before, err := db.write(ctx, s)
	if err != nil {
		return fmt.Errorf("save order %s: %w", o.ID, err)
	}
	o.Format, o.Version = next.Format, next.Version
	if err := db.settle(ctx, s, before); err != nil {
		// The order is saved, and its indexes hold more than they need, which Due and Repair clear up.
		db.cfg.Log.WarnContext(ctx, "indexes of a saved order not cleared up", "order", o.ID, "error", err)
	}
	return nil
}

func (db *DB) sealOrder(o order.Order) (stored, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return stored{}, fmt.Errorf("encode: %w", err)
	}
	plain, err := json.Marshal(o.Private)
	if err != nil {
		return stored{}, errors.New("encode its private part")
	}
	private, err := db.cfg.Keys.Seal(plain, db.orderKey(o.ID))
	if err != nil {
		return stored{}, err
	}
	s := stored{
		id: o.ID, version: o.Version, customer: o.Customer, created: o.Created, due: due{o.Next, o.NextHeight},
		body: body, private: private,
	}
	for _, tx := range o.Watching() {
		s.watching = append(s.watching, string(tx))
	}
	return s, nil
}

// write is the compare-and-set. It gives the transactions that the order watched before.
func (db *DB) write(ctx context.Context, s stored) (before []string, err error) {
	token, err := db.token()
	if err != nil {
		return nil, err
	}
	result, err := db.run(ctx, "redis.order.save", saveOrder, []string{db.orderKey(s.id)},
		order.Format, s.version-1, s.version, token,
		"body", s.body, "private", s.private, "watching", strings.Join(s.watching, " "),
		"customer", s.customer, "created", s.created.UnixMilli(),
		"next", nanos(s.due.next), "height", s.due.height)
	if err != nil {
		return nil, err
	}
	answer, detail := pair(result)
	switch answer {
	case "saved":
		return strings.Fields(detail), nil
	case "conflict":
		return nil, fmt.Errorf("version %d, stored is %s: %w", s.version-1, detail, order.ErrConflict)
	case "format":
		number, _ := strconv.Atoi(detail)
		return nil, checkFormat(number, order.Format)
	}
	return nil, fmt.Errorf("unexpected answer %q", answer)
}

// Of implements order.Store.
func (db *DB) Of(ctx context.Context, customer int64) ([]order.ID, error) {
	var ids []string
	var owners []*redis.StringCmd
	err := db.do(ctx, "redis.order.of", func(ctx context.Context) (err error) {
		ids, err = db.client.ZRevRange(ctx, db.customerKey(customer, "orders"), 0, -1).Result()
		if err != nil || len(ids) == 0 {
			return err
		}
		_, err = db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, id := range ids {
				owners = append(owners, pipe.HGet(ctx, db.orderKey(order.ID(id)), "customer"))
			}
			return nil
		})
		return exceptNil(err)
	})
	if err != nil {
		return nil, fmt.Errorf("orders of a customer: %w", err)
	}
	var list []order.ID
	for i, owner := range owners {
		// An order that was never written after its index was, is nobody's.
		if owner.Val() == strconv.FormatInt(customer, 10) {
			list = append(list, order.ID(ids[i]))
		}
	}
	return list, nil
}

// nanos writes a time so that reading it loses nothing; a zero time is empty.
func nanos(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixNano(), 10)
}

// fromNanos reads what nanos wrote.
func fromNanos(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, n)
}

// text reads a field of a reply; an absent one is empty.
func text(field any) string {
	s, _ := field.(string)
	return s
}

// pair reads a script's answer of two strings.
func pair(result any) (first, second string) {
	fields, _ := result.([]any)
	if len(fields) > 0 {
		first = text(fields[0])
	}
	if len(fields) > 1 {
		second = text(fields[1])
	}
	return first, second
}

// exceptNil takes the absence of a single answer out of a pipeline's error.
func exceptNil(err error) error {
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}
