package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Sealed keeps bytes under names, each sealed under its own key: the state of the courier and of secret chats, the
// operator's decisions. A value
// copied to another name does not open there.
type Sealed struct {
	db    *DB
	owner string // whose records they are; "" where they are everybody's
}

// Sealed gives the sealed part of the store that every process may write.
func (db *DB) Sealed() *Sealed { return &Sealed{db: db} }

func (s *Sealed) key(name string) string {
	if s.owner != "" {
		return s.db.key("own", "{"+s.owner+"}", "sealed", name)
	}
	return s.db.key("sealed", name)
}

// namesKey holds the names in use, and perhaps some that a crash left there without a value.
func (s *Sealed) namesKey() string {
	if s.owner != "" {
		return s.db.key("own", "{"+s.owner+"}", "names")
	}
	return s.db.key("sealed-names")
}

// Get reads a value; nil where there is none. Errors: ErrSealed.
func (s *Sealed) Get(ctx context.Context, name string) ([]byte, error) {
	var raw []byte
	err := s.db.do(ctx, "redis.sealed.get", func(ctx context.Context) (err error) {
		raw, err = s.db.client.Get(ctx, s.key(name)).Bytes()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read sealed %s: %w", name, err)
	}
	value, err := s.db.cfg.Keys.Open(raw, s.key(name))
	if err != nil {
		return nil, fmt.Errorf("read sealed %s: %w", name, err)
	}
	if value == nil {
		value = []byte{} // an empty value is there, unlike none
	}
	return value, nil
}

// Put writes a value. It is durable when it returns.
func (s *Sealed) Put(ctx context.Context, name string, value []byte) error {
	raw, err := s.db.cfg.Keys.Seal(value, s.key(name))
	if err != nil {
		return err
	}
	err = s.db.do(ctx, "redis.sealed.put", func(ctx context.Context) error {
		// The name first: a value without its name would never be found again.
		if err := s.db.client.ZAdd(ctx, s.namesKey(), redis.Z{Member: name}).Err(); err != nil {
			return err
		}
		return s.db.client.Set(ctx, s.key(name), raw, 0).Err()
	})
	if err != nil {
		return fmt.Errorf("write sealed %s: %w", name, err)
	}
	return nil
}

// Delete removes a value; one that is not there is no error.
func (s *Sealed) Delete(ctx context.Context, name string) error {
	err := s.db.do(ctx, "redis.sealed.delete", func(ctx context.Context) error {
		if err := s.db.client.Del(ctx, s.key(name)).Err(); err != nil {
			return err
		}
		return s.db.client.ZRem(ctx, s.namesKey(), name).Err()
	})
	if err != nil {
		return fmt.Errorf("delete sealed %s: %w", name, err)
	}
	return nil
}

// Keys lists the names that begin with prefix, sorted.
func (s *Sealed) Keys(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	var there []*redis.IntCmd
	err := s.db.do(ctx, "redis.sealed.keys", func(ctx context.Context) (err error) {
		names, err = s.db.client.ZRangeByLex(ctx, s.namesKey(),
			&redis.ZRangeBy{Min: "[" + prefix, Max: "[" + prefix + "\xff"}).Result()
		if err != nil || len(names) == 0 {
			return err
		}
		_, err = s.db.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, name := range names {
				there = append(there, pipe.Exists(ctx, s.key(name)))
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sealed %s*: %w", prefix, err)
	}
	var found []string
	for i, exists := range there {
		if exists.Val() > 0 {
			found = append(found, names[i])
		}
	}
	return found, nil
}
