package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// partMembers is how many members of a long key go into one part of it.
const partMembers = 1000

// Backup writes every record of Usher's to w, sealed with the key ring: readable by nobody else, and by restore only whole.
// It may run beside Usher. Then it is no picture of one moment: each key is as it was when it was read, and what is found
// in others comes after what finds it. Jobs, leases and turns are left out: they belong to processes, not to orders.
func (db *DB) Backup(ctx context.Context, w io.Writer) (Backup, error) {
	about := Backup{Format: backupFormat, Network: db.cfg.Network, Made: db.cfg.Clock().UTC()}
	file, err := newBackupWriter(w, db.cfg.Keys, db.cfg.Rand, about)
	if err != nil {
		return Backup{}, fmt.Errorf("write the backup: %w", err)
	}
	b := &backingUp{db: db, file: file, seen: map[string]bool{}}
	if err := db.eachKey(ctx, db.key("*"), b.page); err != nil {
		return Backup{}, fmt.Errorf("write the backup: %w", err)
	}
	// An order that was saved meanwhile has its address claimed in these, and not the other way round.
	for _, key := range b.late {
		if err := b.keep(ctx, key); err != nil {
			return Backup{}, fmt.Errorf("write the backup: %w", err)
		}
	}
	if err := file.end(b.keys); err != nil {
		return Backup{}, fmt.Errorf("write the backup: %w", err)
	}
	about.Keys = b.keys
	return about, nil
}

// CheckBackup reads a whole backup and tells what it is of.
// Errors: ErrNoBackup, ErrSealed for another key ring, ErrBackupDamaged, order.ErrNewFormat.
func CheckBackup(r io.Reader, keys *Keyring) (Backup, error) {
	file, about, err := openBackup(r, keys)
	if err == nil {
		about.Keys, err = file.each(nil)
	}
	return about, err
}

// backingUp is a backup under way.
type backingUp struct {
	db   *DB
	file *backupWriter
	seen map[string]bool // a scan may show a key twice
	late []string
	keys int
}

func (b *backingUp) page(ctx context.Context, keys []string) error {
	for _, key := range keys {
		if b.seen[key] || b.db.ofProcess(key) {
			continue
		}
		b.seen[key] = true
		if b.db.findsOthers(key) {
			b.late = append(b.late, key)
			continue
		}
		if err := b.keep(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// ofProcess tells whether a key belongs to a process that runs: it must not come back in another one's time.
func (db *DB) ofProcess(key string) bool {
	name := strings.TrimPrefix(key, db.key(""))
	return strings.HasPrefix(name, "lock:") || strings.HasPrefix(name, "leader:") || name == restoringName ||
		strings.HasPrefix(name, "own:") && strings.HasSuffix(name, ":lease") ||
		strings.HasPrefix(name, "customer:") && strings.HasSuffix(name, ":turn")
}

// findsOthers tells whether a key must be at least as new as those that it finds.
func (db *DB) findsOthers(key string) bool {
	return key == db.ownersKey() || key == db.floatKey() || key == db.Sealed().namesKey() ||
		strings.HasPrefix(key, db.key("own", "")) && strings.HasSuffix(key, ":names")
}

// keep reads a key in one command and writes it; one that is gone meanwhile is left out.
func (b *backingUp) keep(ctx context.Context, key string) error {
	k, err := b.db.readKey(ctx, key)
	if err != nil || k.Kind == "none" {
		return err
	}
	b.keys++
	for part := range parts(k) {
		if err := b.file.add(part); err != nil {
			return err
		}
	}
	return nil
}

// readKey reads what is under a key, whatever its kind; "none" where nothing is.
func (db *DB) readKey(ctx context.Context, key string) (kept, error) {
	k := kept{Key: key}
	err := db.do(ctx, "redis.backup.read", func(ctx context.Context) (err error) {
		if k.Kind, err = db.client.Type(ctx, key).Result(); err != nil || k.Kind == "none" {
			return err
		}
		lasts, err := db.client.PTTL(ctx, key).Result()
		if err != nil {
			return err
		}
		if lasts > 0 {
			k.Until = db.cfg.Clock().Add(lasts).UnixMilli()
		}
		k.Values, err = readValues(ctx, db.client, key, k.Kind)
		if errors.Is(err, redis.Nil) || len(k.Values) == 0 {
			k.Kind = "none" // it went in between
			return exceptNil(err)
		}
		return err
	})
	if err != nil {
		return kept{}, fmt.Errorf("read %s: %w", key, err)
	}
	return k, nil
}

func readValues(ctx context.Context, client redis.Cmdable, key, kind string) (values [][]byte, err error) {
	switch kind {
	case "string":
		text, err := client.Get(ctx, key).Bytes()
		return [][]byte{text}, err
	case "hash":
		fields, err := client.HGetAll(ctx, key).Result()
		for field, value := range fields {
			values = append(values, []byte(field), []byte(value))
		}
		return values, err
	case "zset":
		members, err := client.ZRangeWithScores(ctx, key, 0, -1).Result()
		for _, z := range members {
			values = append(values, []byte(fmt.Sprint(z.Member)), fmt.Appendf(nil, "%.17g", z.Score))
		}
		return values, err
	case "set":
		members, err := client.SMembers(ctx, key).Result()
		for _, member := range members {
			values = append(values, []byte(member))
		}
		return values, err
	}
	return nil, fmt.Errorf("no way to keep a %s", kind)
}

// parts splits a long key.
func parts(k kept) func(yield func(kept) bool) {
	return func(yield func(kept) bool) {
		for part := range slices.Chunk(k.Values, 2*partMembers) { // a pair stays together
			one := k
			one.Values = part
			if !yield(one) {
				return
			}
			k.More = true
		}
	}
}

// Running names the leases that processes hold now: while there is one, some Usher runs on these records.
func (db *DB) Running(ctx context.Context) (leases []string, err error) {
	for _, pattern := range []string{db.key("leader", "*"), db.key("own", "*", "lease")} {
		err := db.eachKey(ctx, pattern, func(_ context.Context, keys []string) error {
			leases = append(leases, keys...)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look whether an Usher runs: %w", err)
		}
	}
	return leases, nil
}
