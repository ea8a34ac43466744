package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// What keeps a backup from being put back, or Usher from starting on one.
var (
	// ErrRunning: some Usher runs on these records.
	ErrRunning = errors.New("an Usher runs on this Redis")
	// ErrNotEmpty: there are records already, which a restore would replace.
	ErrNotEmpty = errors.New("this Redis holds records of Usher's")
	// ErrRestoring: a backup was put back only in part.
	ErrRestoring = errors.New("a restore has begun on this Redis and not ended")
)

// restoringName names the mark of a restore that has not ended. While it is there no Usher starts, and none leads.
const restoringName = "restoring"

// How much goes to Redis at once: keys, and bytes.
const (
	restoreBatch = 200
	restoreBytes = 4 << 20
)

// Restore puts a backup in the place of all records of its network. file is read wholly, and found whole, before anything
// is written. Where it dies in the middle, no Usher starts on what is there, and restoring again goes on. replace allows it
// to remove what is there. Errors: ErrNoBackup, ErrSealed, ErrBackupDamaged, ErrOtherNetwork, ErrRunning, ErrNotEmpty.
//
// What was written after the backup is gone then: the courier's chats must be doubted, and so must the orders.
func (db *DB) Restore(ctx context.Context, file io.ReadSeeker, replace bool) (Backup, error) {
	about, err := db.checkWhole(file)
	if err != nil {
		return Backup{}, err
	}
	if err := db.mayRestore(ctx, replace); err != nil {
		return Backup{}, err
	}
	if err := db.clearAll(ctx); err != nil {
		return Backup{}, fmt.Errorf("restore: %w", err)
	}
	if err := db.putBack(ctx, file); err != nil {
		return Backup{}, fmt.Errorf("restore, which must be done again: %w", err)
	}
	if err := db.RememberNetwork(ctx, about.Network); err != nil {
		return Backup{}, fmt.Errorf("restore: %w", err)
	}
	return about, nil
}

// checkWhole reads the file to its end before anything is written.
func (db *DB) checkWhole(file io.Reader) (Backup, error) {
	b, about, err := openBackup(file, db.cfg.Keys)
	if err != nil {
		return Backup{}, err
	}
	if about.Network != db.cfg.Network {
		return Backup{}, fmt.Errorf("%w: the backup is of %s, this is %s", ErrOtherNetwork, about.Network, db.cfg.Network)
	}
	about.Keys, err = b.each(db.checkKept)
	return about, err
}

// putBack writes what is in the file. It is checked once more on the way: it may have changed meanwhile.
func (db *DB) putBack(ctx context.Context, file io.ReadSeeker) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	b, _, err := openBackup(file, db.cfg.Keys)
	if err != nil {
		return err
	}
	p := &puttingBack{db: db, now: db.cfg.Clock()}
	_, err = b.each(func(k kept) error {
		if err := db.checkKept(k); err != nil {
			return err
		}
		return p.add(ctx, k)
	})
	if err != nil {
		return err
	}
	return p.flush(ctx)
}

// Restored ends a restore, once all that follows from it is written down: from now on Usher may start.
func (db *DB) Restored(ctx context.Context) error {
	err := db.do(ctx, "redis.restore.end", func(ctx context.Context) error {
		return db.client.Del(ctx, db.key(restoringName)).Err()
	})
	if err != nil {
		return fmt.Errorf("end the restore: %w", err)
	}
	return nil
}

// checkKept refuses what no backup of these records holds.
func (db *DB) checkKept(k kept) error {
	if !strings.HasPrefix(k.Key, db.key("")) || db.ofProcess(k.Key) || !slices.Contains(keptKinds, k.Kind) {
		return fmt.Errorf("%w: it holds a %s named %s", ErrBackupDamaged, k.Kind, k.Key)
	}
	pairs := k.Kind == "hash" || k.Kind == "zset"
	if n := len(k.Values); n == 0 || pairs && n%2 != 0 {
		return fmt.Errorf("%w: %s has %d values", ErrBackupDamaged, k.Key, n)
	}
	return nil
}

// keptKinds are those whose writing can be repeated.
var keptKinds = []string{"string", "hash", "zset", "set"}

// mayRestore checks what is there, and marks the restore as begun.
func (db *DB) mayRestore(ctx context.Context, replace bool) error {
	begun, err := db.restoring(ctx)
	if err != nil {
		return err
	}
	there, err := db.anyRecord(ctx)
	if err != nil {
		return err
	}
	if there && !replace && !begun {
		return ErrNotEmpty
	}
	// First the mark, then the look at the leases: whoever takes one afterwards sees the mark.
	err = db.do(ctx, "redis.restore.begin", func(ctx context.Context) error {
		return db.client.Set(ctx, db.key(restoringName), "begun", 0).Err()
	})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	leases, err := db.Running(ctx)
	if err == nil && len(leases) > 0 {
		err = fmt.Errorf("%w: %s", ErrRunning, strings.Join(leases, ", "))
	}
	if err != nil && !begun {
		return errors.Join(err, db.Restored(ctx)) // nothing was changed
	}
	return err
}

// restoring tells whether a restore has begun and not ended.
func (db *DB) restoring(ctx context.Context) (begun bool, err error) {
	err = db.do(ctx, "redis.restore.look", func(ctx context.Context) error {
		n, err := db.client.Exists(ctx, db.key(restoringName)).Result()
		begun = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for a restore: %w", err)
	}
	return begun, nil
}

// notRestoring refuses records that were put back only in part.
func (db *DB) notRestoring(ctx context.Context) error {
	begun, err := db.restoring(ctx)
	if begun {
		return ErrRestoring
	}
	return err
}

// errEnough ends a scan.
var errEnough = errors.New("seen enough")

// anyRecord tells whether there is anything that a restore would replace.
func (db *DB) anyRecord(ctx context.Context) (bool, error) {
	err := db.eachKey(ctx, db.key("*"), func(_ context.Context, keys []string) error {
		for _, key := range keys {
			if !db.ofProcess(key) {
				return errEnough
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return true, nil
	}
	return false, err
}

// clearAll removes every record of the network, but not the mark of the restore.
func (db *DB) clearAll(ctx context.Context) error {
	return db.eachKey(ctx, db.key("*"), func(ctx context.Context, keys []string) error {
		return db.do(ctx, "redis.restore.clear", func(ctx context.Context) error {
			_, err := db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
				for _, key := range keys {
					if key != db.key(restoringName) {
						pipe.Del(ctx, key)
					}
				}
				return nil
			})
			return err
		})
	})
}

// puttingBack collects keys and writes them in batches.
type puttingBack struct {
	db    *DB
	now   time.Time
	batch []kept
	size  int // bytes in the batch
}

func (p *puttingBack) add(ctx context.Context, k kept) error {
	p.batch = append(p.batch, k)
	for _, value := range k.Values {
		p.size += len(value)
	}
	if len(p.batch) < restoreBatch && p.size < restoreBytes {
		return nil
	}
	return p.flush(ctx)
}

func (p *puttingBack) flush(ctx context.Context) error {
	if len(p.batch) == 0 {
		return nil
	}
	defer func() { p.batch, p.size = nil, 0 }()
	return p.db.do(ctx, "redis.restore.write", func(ctx context.Context) error {
		_, err := p.db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, k := range p.batch {
				if err := p.write(ctx, pipe, k); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	})
}

// write writes a key, or a part of one. A key whose time has passed meanwhile is left out.
func (p *puttingBack) write(ctx context.Context, pipe redis.Pipeliner, k kept) error {
	until := time.UnixMilli(k.Until)
	if k.Until != 0 && !until.After(p.now) {
		return nil
	}
	if !k.More {
		pipe.Del(ctx, k.Key) // a scan may have shown it twice
	}
	if err := writeValues(ctx, pipe, k); err != nil {
		return err
	}
	if k.Until != 0 {
		pipe.PExpireAt(ctx, k.Key, until)
	}
	return nil
}

func writeValues(ctx context.Context, pipe redis.Pipeliner, k kept) error {
	values := make([]any, len(k.Values))
	for i, value := range k.Values {
		values[i] = value
	}
	switch k.Kind {
	case "string":
		pipe.Set(ctx, k.Key, k.Values[0], 0)
	case "hash":
		pipe.HSet(ctx, k.Key, values...)
	case "set":
		pipe.SAdd(ctx, k.Key, values...)
	case "zset":
		for i := 0; i < len(k.Values); i += 2 {
			score, err := strconv.ParseFloat(string(k.Values[i+1]), 64)
			if err != nil {
				return fmt.Errorf("%w: a score that is no number", ErrBackupDamaged)
			}
			pipe.ZAdd(ctx, k.Key, redis.Z{Member: k.Values[i], Score: score})
		}
	}
	return nil
}
