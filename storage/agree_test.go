package storage

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

// Whatever is done to both, in any order, the store in memory and the one in Redis say the same.
func TestMemoryAndRedisAgree(t *testing.T) {
	server, keys := redistest.Start(t), ring(t)
	network := 0
	rapid.Check(t, func(r *rapid.T) {
		network++
		clock := memory.NewClock(start)
		cfg := Config{URL: server.URL, Network: fmt.Sprint(network), Keys: keys, Clock: clock.Now}
		db, err := Open(t.Context(), cfg)
		must(t, err)
		defer db.Close()
		both := []database{memory.New(clock.Now), db}
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			act := rapid.SampledFrom([]func(context.Context, *rapid.T) func(database) any{
				drawSave, drawHold, drawCoins, drawClaim, drawTurn, drawReads,
			}).Draw(r, "act")(t.Context(), r)
			if a, b := act(both[0]), act(both[1]); !reflect.DeepEqual(a, b) {
				r.Fatalf("memory says %v, Redis says %v", a, b)
			}
		}
	})
}

// said is what a call came to, errors by their kind.
func said(err error, values ...any) any {
	for _, kind := range []error{
		order.ErrNotFound, order.ErrConflict, order.ErrSeatHeld, order.ErrClaimed, order.ErrBusy,
	} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	if err != nil {
		return err.Error()
	}
	return values
}

func drawID(r *rapid.T) order.ID {
	return rapid.SampledFrom([]order.ID{"a", "b", "c"}).Draw(r, "order")
}

func drawTime(r *rapid.T) time.Time {
	return start.Add(time.Duration(rapid.IntRange(0, 4).Draw(r, "minutes")) * time.Minute)
}

func drawSave(ctx context.Context, r *rapid.T) func(database) any {
	id, next, height := drawID(r), drawTime(r), rapid.Uint64Range(0, 3).Draw(r, "height")
	block := rapid.Uint64Range(0, 1).Draw(r, "mined")
	return func(db database) any {
		o, err := db.Load(ctx, id)
		if errors.Is(err, order.ErrNotFound) {
			o, err = sample(id, next), nil
			o.Tickets[0].Reserve.TxID = cirrus.TxID("tx-of-" + id)
		}
		if err != nil {
			return said(err)
		}
		o.Next, o.NextHeight, o.Tickets[0].Reserve.Block = next, height, block
		if next.Equal(start) {
			o.Next = time.Time{}
		}
		return said(db.Save(ctx, &o), o)
	}
}

func drawHold(ctx context.Context, r *rapid.T) func(database) any {
	h := order.Hold{Order: drawID(r), Customer: 7, Until: drawTime(r)}
	now, free := drawTime(r), rapid.IntRange(0, 3).Draw(r, "free") == 0
	seat := cirrus.Seat{Number: rapid.Int32Range(1, 2).Draw(r, "seat")}
	return func(db database) any {
		var err error
		if free {
			err = db.Free(ctx, tx(1), seat, h.Order)
		} else {
			err = db.Hold(ctx, tx(1), seat, h, now)
		}
		held, errHeld := db.Held(ctx, tx(1))
		whose := map[cirrus.Seat]string{}
		for seat, hold := range held {
			whose[seat] = fmt.Sprint(hold.Order, hold.Until.Unix())
		}
		return []any{said(err), said(errHeld, whose)}
	}
}

func drawCoins(ctx context.Context, r *rapid.T) func(database) any {
	tip := rapid.Uint64Range(1, 6).Draw(r, "tip")
	coins := rapid.SliceOfNDistinct(rapid.Custom(func(r *rapid.T) cirrus.Coin {
		address := rapid.SampledFrom([]cirrus.Address{"x", "y"}).Draw(r, "address")
		return coin(rapid.IntRange(1, 4).Draw(r, "coin"), address, rapid.Uint64Range(0, tip).Draw(r, "confirmations"))
	}), 0, 4, func(c cirrus.Coin) cirrus.TxID { return c.TxID }).Draw(r, "coins")
	return func(db database) any {
		errTip := db.PostTip(ctx, order.Tip{Height: tip})
		ids, err := db.PostCoins(ctx, slices.Clone(coins))
		seen, errSeen := db.Coins(ctx, "x", "y")
		return []any{said(errTip), said(err, ids), said(errSeen, seen)}
	}
}

func drawClaim(ctx context.Context, r *rapid.T) func(database) any {
	id, address := drawID(r), rapid.SampledFrom([]cirrus.Address{"x", "y"}).Draw(r, "address")
	return func(db database) any {
		err := db.Claim(ctx, address, id)
		owner, errOwner := db.Owner(ctx, address)
		return []any{said(err), said(errOwner, owner)}
	}
}

func drawTurn(ctx context.Context, r *rapid.T) func(database) any {
	update, how := rapid.Int64Range(0, 4).Draw(r, "update"), rapid.IntRange(0, 3).Draw(r, "how")
	return func(db database) any {
		s, fresh, err := db.Begin(ctx, 7, update)
		first := said(err, s, fresh)
		switch how {
		case 0:
			return []any{first, said(db.Release(ctx, 7))}
		case 1:
			return []any{first, said(db.Erase(ctx, 7))}
		case 2:
			return first // leaves the turn taken
		}
		s.Screen, s.Refund = fmt.Sprint("screen", update), "refund-address"
		return []any{first, said(db.End(ctx, 7, update, s))}
	}
}

func drawReads(ctx context.Context, r *rapid.T) func(database) any {
	at, height, limit := drawTime(r), rapid.Uint64Range(0, 4).Draw(r, "height"), rapid.IntRange(0, 3).Draw(r, "limit")
	return func(db database) any {
		due, errDue := db.Due(ctx, at, limit)
		dueAt, errAt := db.DueAt(ctx, height, limit)
		of, errOf := db.Of(ctx, 7)
		unmined, errUnmined := db.Unmined(ctx)
		s, errPeek := db.Peek(ctx, 7)
		lists := fmt.Sprint(due, dueAt, of)
		return []any{said(errors.Join(errDue, errAt, errOf, errUnmined, errPeek), lists, unmined, s)}
	}
}
