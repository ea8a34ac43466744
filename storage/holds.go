package storage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// holdSeat takes a seat for an order where nobody else holds it now.
// KEYS: 1 holds of the show. ARGV: 1 seat, 2 order, 3 hold as JSON, 4 now in microseconds.
// Result: 1 held, 0 somebody else's.
var holdSeat = redis.NewScript(`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then
  local hold = cjson.decode(held)
  if hold.order ~= ARGV[2] and tonumber(hold['until']) >= tonumber(ARGV[4]) then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
`)

// freeSeat gives a seat up if the order holds it.
// KEYS: 1 holds of the show. ARGV: 1 seat, 2 order. Result: 1 freed, 0 not this order's.
var freeSeat = redis.NewScript(`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held or cjson.decode(held).order ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`)

// storedHold is a hold as the scripts read it.
type storedHold struct {
	Format   int      `json:"format"`
	Order    order.ID `json:"order"`
	Customer int64    `json:"customer"`
	Until    int64    `json:"until"` // microseconds since 1970
}

func (db *DB) holdsKey(show cirrus.TxID) string { return db.key("holds", string(show)) }

// Hold implements order.Holds.
func (db *DB) Hold(
	ctx context.Context, show cirrus.TxID, seat cirrus.Seat, h order.Hold, now time.Time,
) error {
	raw, err := encode(storedHold{recordFormat, h.Order, h.Customer, h.Until.UnixMicro()})
	if err != nil {
		return fmt.Errorf("hold seat %s: %w", seat, err)
	}
	result, err := db.run(ctx, "redis.hold.take", holdSeat, []string{db.holdsKey(show)},
		seatField(seat), string(h.Order), raw, now.UnixMicro())
	if err != nil {
		return fmt.Errorf("hold seat %s: %w", seat, err)
	}
	if result != int64(1) {
		return fmt.Errorf("hold seat %s: %w", seat, order.ErrSeatHeld)
	}
	return nil
}

// Free implements order.Holds.
func (db *DB) Free(ctx context.Context, show cirrus.TxID, seat cirrus.Seat, id order.ID) error {
	_, err := db.run(ctx, "redis.hold.free", freeSeat, []string{db.holdsKey(show)}, seatField(seat), string(id))
	if err != nil {
		return fmt.Errorf("free seat %s: %w", seat, err)
	}
	return nil
}

// Held implements order.Holds.
func (db *DB) Held(ctx context.Context, show cirrus.TxID) (map[cirrus.Seat]order.Hold, error) {
	var fields map[string]string
	err := db.do(ctx, "redis.hold.list", func(ctx context.Context) (err error) {
		fields, err = db.client.HGetAll(ctx, db.holdsKey(show)).Result()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("held seats: %w", err)
	}
	held := make(map[cirrus.Seat]order.Hold, len(fields))
	for field, raw := range fields {
		seat, hold, err := readHold(field, raw)
		if err != nil {
			return nil, fmt.Errorf("held seats: %w", err)
		}
		held[seat] = hold
	}
	return held, nil
}

func readHold(field, raw string) (cirrus.Seat, order.Hold, error) {
	seat, err := seatOf(field)
	if err != nil {
		return cirrus.Seat{}, order.Hold{}, err
	}
	var h storedHold
	if err := decode(raw, &h); err != nil {
		return cirrus.Seat{}, order.Hold{}, err
	}
	if err := checkFormat(h.Format, recordFormat); err != nil {
		return cirrus.Seat{}, order.Hold{}, err
	}
	return seat, order.Hold{Order: h.Order, Customer: h.Customer, Until: time.UnixMicro(h.Until)}, nil
}

// seatField names a seat by the numbers of its two parts, since half of a surrogate pair is a letter too.
func seatField(seat cirrus.Seat) string { return fmt.Sprintf("%d/%d", seat.Number, seat.Letter) }

func seatOf(field string) (cirrus.Seat, error) {
	number, letter, _ := strings.Cut(field, "/")
	n, errNumber := strconv.ParseInt(number, 10, 32)
	l, errLetter := strconv.ParseUint(letter, 10, 16)
	if err := errors.Join(errNumber, errLetter); err != nil {
		return cirrus.Seat{}, fmt.Errorf("read seat %q: %w", field, err)
	}
	return cirrus.Seat{Number: int32(n), Letter: cirrus.Char(l)}, nil
}

// ownersKey holds which order each address belongs to, for ever.
func (db *DB) ownersKey() string { return db.key("addresses") }

// Claim implements order.Addresses.
func (db *DB) Claim(ctx context.Context, address cirrus.Address, id order.ID) error {
	var owner string
	err := db.do(ctx, "redis.address.claim", func(ctx context.Context) error {
		// Two commands do for one, since an address never changes hands: the first claim stands.
		if err := db.client.HSetNX(ctx, db.ownersKey(), string(address), string(id)).Err(); err != nil {
			return err
		}
		var err error
		owner, err = db.client.HGet(ctx, db.ownersKey(), string(address)).Result()
		return err
	})
	if err != nil {
		return fmt.Errorf("claim address %s: %w", address, err)
	}
	if owner != string(id) {
		return fmt.Errorf("claim address %s: %w", address, order.ErrClaimed)
	}
	return nil
}

// Owner implements order.Addresses.
func (db *DB) Owner(ctx context.Context, address cirrus.Address) (id order.ID, err error) {
	err = db.do(ctx, "redis.address.owner", func(ctx context.Context) error {
		owner, err := db.client.HGet(ctx, db.ownersKey(), string(address)).Result()
		id = order.ID(owner)
		return err
	})
	if errors.Is(err, redis.Nil) {
		err = order.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("owner of address %s: %w", address, err)
	}
	return id, nil
}
