package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

var errCrash = errors.New("crashed")

// crasher is the Sites of a process that dies at its nth call, before the call or right after it.
type crasher struct {
	left  atomic.Int64
	after bool
}

func (c *crasher) Do(ctx context.Context, _ string, call func(context.Context) error) error {
	left := c.left.Add(-1)
	if left < 0 || (left == 0 && !c.after) {
		return errCrash
	}
	if err := call(ctx); err != nil {
		return err
	}
	if left == 0 {
		return errCrash
	}
	return nil
}

// crashes gives every way in which a save can be cut short: it makes three calls.
func crashes(url string, t *testing.T, keys *Keyring, clock func() time.Time) map[string]*DB {
	dying := map[string]*DB{}
	for call := int64(1); call <= 3; call++ {
		for _, after := range []bool{false, true} {
			c := &crasher{after: after}
			c.left.Store(1 << 30)
			db := openAt(t, url, func(cfg *Config) { cfg.Keys, cfg.Clock, cfg.Sites = keys, clock, c })
			c.left.Store(call)
			dying[fmt.Sprintf("call %d after=%t", call, after)] = db
		}
	}
	return dying
}

// A process dies in the middle of a save; another one goes on. Whatever was stored is due when it says that it is.
func TestACrashInASaveLosesNoOrderFromDue(t *testing.T) {
	url, keys := redistest.Start(t).URL, ring(t)
	clock := memory.NewClock(start)
	soon, late := start.Add(time.Minute), start.Add(time.Hour)
	moves := map[string][2]time.Time{
		"new": {{}, soon}, "earlier": {late, soon}, "later": {soon, late}, "ends": {soon, {}}, "begins": {{}, soon},
	}
	for move, next := range moves {
		for name, dying := range crashes(url, t, keys, clock.Now) {
			t.Run(move+"/"+name, func(t *testing.T) {
				db := openAt(t, url, func(c *Config) { c.Keys, c.Clock = keys, clock.Now })
				id := order.ID(strings.NewReplacer(" ", "-", "=", "-").Replace(move + name))
				o := sample(id, next[0])
				if move != "new" {
					must(t, db.Save(t.Context(), &o))
				}
				o.Next = next[1]
				o.Tickets[0].Reserve.TxID = tx(200)
				_ = dying.Save(t.Context(), &o)
				expectStoredAgrees(t, db, id, late)
				must(t, db.Repair(t.Context()))
				expectStoredAgrees(t, db, id, late)
				expectWatched(t, db, id)
			})
		}
	}
}

// expectStoredAgrees holds the due index against the order: at every moment it is listed exactly when it is due.
func expectStoredAgrees(t *testing.T, db *DB, id order.ID, until time.Time) {
	t.Helper()
	o, err := db.Load(t.Context(), id)
	if err != nil && !errors.Is(err, order.ErrNotFound) {
		t.Fatal(err)
	}
	for at := start; !at.After(until); at = at.Add(time.Minute) {
		ids, err := db.Due(t.Context(), at, 1000)
		must(t, err)
		want := !o.Next.IsZero() && !o.Next.After(at)
		if got := slices.Contains(ids, id); got != want {
			t.Fatalf("listed at %s: %t, want %t", at.Format(time.TimeOnly), got, want)
		}
	}
	of, err := db.Of(t.Context(), 7)
	must(t, err)
	if got, want := slices.Contains(of, id), o.Version > 0; got != want {
		t.Fatalf("listed for its customer: %t, want %t", got, want)
	}
}

func expectWatched(t *testing.T, db *DB, id order.ID) {
	t.Helper()
	all, err := db.Unmined(t.Context())
	must(t, err)
	o, err := db.Load(t.Context(), id)
	if errors.Is(err, order.ErrNotFound) {
		return
	}
	must(t, err)
	for _, tx := range o.Watching() {
		if all[tx] == "" {
			t.Fatalf("%s is not watched: %v", tx.Short(), all)
		}
	}
}

func TestRepairTakesOutWhatNoOrderWatches(t *testing.T) {
	url, keys := redistest.Start(t).URL, ring(t)
	db := openAt(t, url, func(c *Config) { c.Keys = keys })
	o := sample("a", start)
	must(t, db.Save(t.Context(), &o))
	c := &crasher{}
	c.left.Store(1 << 30)
	dying := openAt(t, url, func(cfg *Config) { cfg.Keys, cfg.Sites = keys, c })
	c.left.Store(3)
	o.Tickets[0].Reserve.Block = 5
	must(t, dying.Save(t.Context(), &o)) // it is written, and its indexes were not cleared up
	all, err := db.Unmined(t.Context())
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("watched after the crash: %v", all)
	}
	must(t, db.client.Del(t.Context(), db.dueKeys()[0], db.customerKey(7, "orders")).Err())
	must(t, db.Repair(t.Context()))
	all, err = db.Unmined(t.Context())
	must(t, err)
	due, errDue := db.Due(t.Context(), start, 10)
	of, errOf := db.Of(t.Context(), 7)
	must(t, errors.Join(errDue, errOf))
	if len(all) != 0 || len(due) != 1 || len(of) != 1 {
		t.Fatalf("after repair: watched %v, due %v, of the customer %v", all, due, of)
	}
}

// An entry that a dead writer left is read each time at first, and cleared up once it is old.
func TestDueClearsUpAfterTheDead(t *testing.T) {
	url, keys := redistest.Start(t).URL, ring(t)
	clock := memory.NewClock(start)
	c := &crasher{after: true}
	c.left.Store(1 << 30)
	dying := openAt(t, url, func(cfg *Config) { cfg.Keys, cfg.Sites, cfg.Clock = keys, c, clock.Now })
	c.left.Store(1)
	o := sample("ghost", start)
	if err := dying.Save(t.Context(), &o); !errors.Is(err, errCrash) {
		t.Fatalf("got %v", err)
	}
	db := openAt(t, url, func(cfg *Config) { cfg.Keys, cfg.Clock = keys, clock.Now })
	entries := func() int64 {
		ids, err := db.Due(t.Context(), clock.Now(), 10)
		must(t, err)
		if len(ids) != 0 {
			t.Fatalf("due: %v", ids)
		}
		n, err := db.client.ZCard(t.Context(), db.dueKeys()[0]).Result()
		must(t, err)
		return n
	}
	if entries() != 1 {
		t.Fatal("the entry of a writer that may be alive was cleared up")
	}
	clock.Advance(writerLives + time.Minute)
	if entries() != 0 {
		t.Fatal("the entry of a dead writer is still there")
	}
}

// Several writers save the same few orders, in steps that mix in any way, some dying; then the index agrees.
func TestSavesThatMixKeepTheDueIndexTrue(t *testing.T) {
	url, keys := redistest.Start(t).URL, ring(t)
	clock := memory.NewClock(start)
	plain := openAt(t, url, func(c *Config) { c.Keys, c.Clock = keys, clock.Now })
	rapid.Check(t, func(r *rapid.T) {
		must(t, plain.client.FlushAll(t.Context()).Err())
		pending := map[string]stored{} // announced and not yet written
		versions := map[string]uint64{}
		written := map[string][]stored{}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			id := rapid.SampledFrom([]string{"a", "b"}).Draw(r, "order")
			writer := id + rapid.SampledFrom([]string{"1", "2"}).Draw(r, "writer")
			s, announced := pending[writer]
			switch {
			case !announced:
				s = stored{id: order.ID(id), version: versions[id] + 1, customer: 7, created: start, body: []byte("{}")}
				if minutes := rapid.IntRange(0, 5).Draw(r, "due"); minutes > 0 {
					s.due.next = start.Add(time.Duration(minutes) * time.Minute)
				}
				if blocks := rapid.Uint64Range(0, 5).Draw(r, "block"); blocks > 0 {
					s.due.height = 100 + blocks
				}
				must(t, plain.widen(t.Context(), s))
				pending[writer] = s
			case s.version > 0:
				if _, err := plain.write(t.Context(), s); err == nil {
					versions[id] = s.version
					written[id] = append(written[id], s)
				}
				delete(pending, writer)
			}
			if late := written[id]; len(late) > 0 && rapid.Bool().Draw(r, "settle") {
				which := rapid.IntRange(0, len(late)-1).Draw(r, "which")
				must(t, plain.settle(t.Context(), late[which], nil))
			}
			expectDueTrue(t, r, plain, written)
		}
	})
}

func expectDueTrue(t *testing.T, r *rapid.T, db *DB, written map[string][]stored) {
	expect := func(what string, got []order.ID, isDue func(due) bool) {
		var want []order.ID
		for _, saves := range written {
			if s := saves[len(saves)-1]; isDue(s.due) {
				want = append(want, s.id)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			r.Fatalf("due %s: %v, want %v", what, got, want)
		}
	}
	for step := range 6 {
		at, height := start.Add(time.Duration(step)*time.Minute), 100+uint64(step)
		byTime, errTime := db.Due(t.Context(), at, 10)
		byHeight, errHeight := db.DueAt(t.Context(), height, 10)
		must(t, errors.Join(errTime, errHeight))
		expect(at.Format(time.TimeOnly), byTime, func(d due) bool { return !d.next.IsZero() && !d.next.After(at) })
		expect(fmt.Sprint("at ", height), byHeight, func(d due) bool { return d.height != 0 && d.height <= height })
	}
}

// Orders that were told to nobody, because the process died first, are told to the next one.
func TestACrashAfterPostingCoinsForgetsNoOrder(t *testing.T) {
	url, keys := redistest.Start(t).URL, ring(t)
	first := openAt(t, url, func(c *Config) { c.Keys = keys })
	must(t, errors.Join(first.PostTip(t.Context(), order.Tip{Height: 9}), first.Claim(t.Context(), "x", "a")))
	post := func(db *DB, coins []cirrus.Coin, want ...order.ID) {
		t.Helper()
		got, err := db.PostCoins(t.Context(), coins)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	coins := []cirrus.Coin{coin(1, "x", 0)}
	post(first, coins, "a")
	second := openAt(t, url, func(c *Config) { c.Keys = keys })
	post(second, coins, "a")
	post(second, coins)
	post(first, nil, "a") // its copy was outdated by nobody; the other's is now
	post(second, nil, "a")
	post(second, nil)
}
