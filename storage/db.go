package storage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// Config says where Redis is and what Usher works with there.
type Config struct {
	// URL is redis://[user:password@]host[:port][/db], rediss:// for TLS, redis+sentinel://host,host/master/db or
	// redis+cluster://host,host.
	URL string
	// Network is the node's name for its network, part of every key. Empty: the one remembered from the first start.
	Network string
	Keys    *Keyring
	Clock   func() time.Time // nil: time.Now
	Rand    io.Reader        // nil: crypto/rand
	Sites   order.Sites      // nil: order.Straight
	Log     *slog.Logger     // nil: nowhere
	// Timeout is the deadline of one step to Redis. 0: 5 s.
	Timeout time.Duration
	// Turn is how long a customer is kept from other updates when whoever handles theirs dies. 0: 30 s.
	Turn time.Duration
	// Lease is how long a lock or a leadership outlives whoever holds it: another process takes over in less than that and
	// a second. It is kept up three times in its length, so one late answer of Redis loses nothing. 0: 4 s.
	Lease time.Duration
	// Restoring opens also what a restore has begun and not ended: for restoring again.
	Restoring bool
}

// ErrNoNetwork says that no network was given and none is remembered yet: the node must answer first.
var ErrNoNetwork = errors.New("network not known yet")

// DB implements order.Store, order.Heights, order.Locks, order.Holds, order.Addresses, order.View, order.Board,
// flows.Sessions and flows.Lookers over Redis. It is safe for use by several goroutines.
type DB struct {
	cfg      Config
	client   redis.UniversalClient
	mutexes  *redsync.Redsync
	instance string // tells this process's turns from others'
	coins    coinCache
	seenRun  atomic.Pointer[string] // run ids of Redis, as last looked at (LookOlder); nil: never
}

var (
	_ order.Store     = (*DB)(nil)
	_ order.Heights   = (*DB)(nil)
	_ order.Locks     = (*DB)(nil)
	_ order.Holds     = (*DB)(nil)
	_ order.Addresses = (*DB)(nil)
	_ order.View      = (*DB)(nil)
	_ order.Board     = (*DB)(nil)
	_ flows.Sessions  = (*DB)(nil)
	_ flows.Lookers   = (*DB)(nil)
)

// Open connects to Redis. Errors: ErrURL, ErrNoNetwork, ErrRestoring.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	opts, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Keys == nil {
		return nil, fmt.Errorf("open storage: %w: none given", ErrKeys)
	}
	opts.ContextTimeoutEnabled = true
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	db := &DB{cfg: cfg.filled()}
	if !opts.IsClusterMode { // there each server has a run id of its own
		opts.OnConnect = db.connected
	}
	db.client = redis.NewUniversalClient(opts)
	if err := db.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open storage: %w", err), db.client.Close())
	}
	return db, nil
}

func (c Config) filled() Config {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Sites == nil {
		c.Sites = order.Straight{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		at   *time.Duration
		want time.Duration
	}{{&c.Timeout, 5 * time.Second}, {&c.Turn, 30 * time.Second}, {&c.Lease, 4 * time.Second}} {
		if *d.at <= 0 {
			*d.at = d.want
		}
	}
	return c
}

func (db *DB) start(ctx context.Context) error {
	db.mutexes = redsync.New(goredis.NewPool(db.client))
	var err error
	if db.instance, err = db.token(); err != nil {
		return err
	}
	err = db.do(ctx, "redis.ping", func(ctx context.Context) error { return db.client.Ping(ctx).Err() })
	if err == nil && db.cfg.Network == "" {
		db.cfg.Network, err = db.remembered(ctx)
	}
	if err != nil || db.cfg.Restoring {
		return err
	}
	return db.notRestoring(ctx)
}

// Close gives the connections back.
func (db *DB) Close() error {
	if err := db.client.Close(); err != nil {
		return fmt.Errorf("close storage: %w", err)
	}
	return nil
}

// Network is the network whose keys this uses.
func (db *DB) Network() string { return db.cfg.Network }

// do is the one way to Redis: a named call site with a deadline.
func (db *DB) do(ctx context.Context, site string, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, db.cfg.Timeout)
	defer cancel()
	return db.cfg.Sites.Do(ctx, site, call)
}

// run runs a script at a call site.
func (db *DB) run(
	ctx context.Context, site string, script *redis.Script, keys []string, args ...any,
) (result any, err error) {
	err = db.do(ctx, site, func(ctx context.Context) error {
		result, err = script.Run(ctx, db.client, keys, args...).Result()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	return result, err
}

// key names a key of this network.
func (db *DB) key(parts ...string) string {
	key := "usher:" + db.cfg.Network
	for _, part := range parts {
		key += ":" + part
	}
	return key
}

func (db *DB) orderKey(id order.ID) string { return db.key("order", string(id)) }

// customerKey names a key of a customer; all keys of one share a hash tag.
func (db *DB) customerKey(customer int64, part string) string {
	return db.key("customer", "{"+strconv.FormatInt(customer, 10)+"}", part)
}

// token gives a name that nobody else gives.
func (db *DB) token() (string, error) {
	raw := make([]byte, 12)
	if _, err := io.ReadFull(db.cfg.Rand, raw); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return hex.EncodeToString(raw), nil
}

// recordFormat is the version of the stored form of everything that has no Format of its own.
const recordFormat = 1

// envelope puts a format version around a stored value.
type envelope struct {
	Format int             `json:"format"`
	Value  json.RawMessage `json:"value"`
}

func wrap(value any) ([]byte, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope{recordFormat, raw})
}

// unwrap reads what wrap wrote. Errors: order.ErrNewFormat.
func unwrap(raw string, value any) error {
	var e envelope
	if err := json.Unmarshal([]byte(raw), &e); err != nil {
		return err
	}
	if err := checkFormat(e.Format, recordFormat); err != nil {
		return err
	}
	return json.Unmarshal(e.Value, value)
}

// checkFormat refuses what a newer Usher stored: reading it would lose what that one knows.
func checkFormat(stored, known int) error {
	if stored > known {
		return fmt.Errorf("stored in format %d, this Usher knows formats up to %d, run the newer one: %w",
			stored, known, order.ErrNewFormat)
	}
	return nil
}
