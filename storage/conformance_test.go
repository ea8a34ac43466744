package storage

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

// promises is what every store keeps, whatever it is made of.
func promises() map[string]func(*testing.T, database, *memory.Clock) {
	return map[string]func(*testing.T, database, *memory.Clock){
		"AnOrderComesBackAsItWasSaved":          orderComesBack,
		"TwoWritersOfOneVersionDoNotBothWin":    oneWriterWins,
		"OrdersOfACustomerNewestFirst":          ordersNewestFirst,
		"DueOrdersEarliestFirst":                dueEarliestFirst,
		"OrdersDueByHeightLowestFirst":          dueLowestFirst,
		"TransactionsAreWatchedUntilMined":      watchedUntilMined,
		"ASeatIsHeldByOneOrder":                 seatHeldOnce,
		"ALapsedHoldCanBeTaken":                 lapsedHold,
		"AnAddressBelongsToOneOrderForEver":     addressForEver,
		"AFloatCoinIsOfOneOrder":                floatClaims,
		"AnUpdateCountsOnce":                    updateOnce,
		"ATurnIsOneAtATime":                     oneTurn,
		"AReleasedUpdateIsHandledAgain":         releasedUpdate,
		"AnOldSessionDoesNotOverwriteANewOne":   oldSession,
		"AnErasedSessionIsEmptyAndStaysHandled": erasedSession,
		"WhoLooksAtAHallIsKnownForAWhile":       lookersForAWhile,
		"OnlySoManyLookersAreKept":              lookersBounded,
		"ALockIsHeldOnce":                       lockOnce,
		"TheTipIsTheLastOnePosted":              lastTip,
		"ASaleComesBackAsItWasPosted":           salesComeBack,
		"CoinsAgeWithTheTip":                    coinsAge,
		"OnlyOrdersThatSomethingHappenedTo":     touchedOrders,
	}
}

func TestStoresKeepTheirPromises(t *testing.T) {
	for _, kind := range backends(t) {
		for name, promise := range promises() {
			t.Run(kind.name+"/"+name, func(t *testing.T) {
				clock := memory.NewClock(start)
				promise(t, kind.open(t, clock.Now), clock)
			})
		}
	}
}

func orderComesBack(t *testing.T, db database, _ *memory.Clock) {
	if _, err := db.Load(t.Context(), "a"); !errors.Is(err, order.ErrNotFound) {
		t.Fatalf("got %v, want not found", err)
	}
	saved := sample("a", start.Add(time.Nanosecond))
	must(t, db.Save(t.Context(), &saved))
	if saved.Version != 1 || saved.Format != order.Format {
		t.Fatalf("version %d, format %d after the first save", saved.Version, saved.Format)
	}
	saved.State = order.Paid
	must(t, db.Save(t.Context(), &saved))
	loaded, err := db.Load(t.Context(), "a")
	must(t, err)
	if !reflect.DeepEqual(loaded, saved) {
		t.Fatalf("got  %#v\nwant %#v", loaded, saved)
	}
	if loaded.Private.Names["t1"] != "Ada" {
		t.Fatal("its private part is gone")
	}
}

func oneWriterWins(t *testing.T, db database, _ *memory.Clock) {
	first := sample("a", start)
	must(t, db.Save(t.Context(), &first))
	second := first
	must(t, db.Save(t.Context(), &first))
	if err := db.Save(t.Context(), &second); !errors.Is(err, order.ErrConflict) {
		t.Fatalf("got %v, want a conflict", err)
	}
	if second.Version != 1 {
		t.Fatalf("version counted up to %d by a save that failed", second.Version)
	}
	again := sample("a", start)
	if err := db.Save(t.Context(), &again); !errors.Is(err, order.ErrConflict) {
		t.Fatalf("got %v, want a conflict for a new order of an old name", err)
	}
}

func ordersNewestFirst(t *testing.T, db database, _ *memory.Clock) {
	for i, id := range []order.ID{"b", "a", "c"} {
		o := sample(id, start)
		o.Created = start.Add(time.Duration(i) * time.Minute)
		must(t, db.Save(t.Context(), &o))
	}
	other := sample("x", start)
	other.Customer = 8
	must(t, db.Save(t.Context(), &other))
	got, err := db.Of(t.Context(), 7)
	must(t, err)
	if want := []order.ID{"c", "a", "b"}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if got, err := db.Of(t.Context(), 9); err != nil || len(got) != 0 {
		t.Fatalf("got %v, %v for somebody without orders", got, err)
	}
}

func dueEarliestFirst(t *testing.T, db database, _ *memory.Clock) {
	nexts := map[order.ID]time.Time{
		"past": start.Add(-time.Hour), "now": start, "soon": start.Add(time.Second), "never": {},
	}
	for id, next := range nexts {
		o := sample(id, next)
		must(t, db.Save(t.Context(), &o))
	}
	expectDue := func(at time.Time, limit int, want ...order.ID) {
		t.Helper()
		got, err := db.Due(t.Context(), at, limit)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	expectDue(start, 10, "past", "now")
	expectDue(start, 1, "past")
	expectDue(start, 0)
	expectDue(start.Add(time.Minute), 10, "past", "now", "soon")
	done, err := db.Load(t.Context(), "past")
	must(t, err)
	done.Next = time.Time{}
	must(t, db.Save(t.Context(), &done))
	later, err := db.Load(t.Context(), "now")
	must(t, err)
	later.Next = start.Add(time.Hour)
	must(t, db.Save(t.Context(), &later))
	expectDue(start.Add(time.Minute), 10, "soon")
	expectDue(start.Add(time.Hour), 10, "soon", "now")
}

func dueLowestFirst(t *testing.T, db database, _ *memory.Clock) {
	for id, height := range map[order.ID]uint64{"b": 100, "a": 101, "c": 101, "never": 0, "far": 1 << 40} {
		o := sample(id, time.Time{})
		o.NextHeight = height
		must(t, db.Save(t.Context(), &o))
	}
	expectDue := func(height uint64, limit int, want ...order.ID) {
		t.Helper()
		got, err := db.DueAt(t.Context(), height, limit)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	expectDue(99, 10)
	expectDue(100, 10, "b")
	expectDue(101, 10, "b", "a", "c")
	expectDue(math.MaxUint64, 3, "b", "a", "c")
	expectDue(math.MaxInt64, math.MaxInt32, "b", "a", "c", "far")
	mined, err := db.Load(t.Context(), "b")
	must(t, err)
	mined.NextHeight = 200
	must(t, db.Save(t.Context(), &mined))
	expectDue(101, 10, "a", "c")
	if ids, err := db.Due(t.Context(), start.Add(200*365*24*time.Hour), 10); err != nil || len(ids) != 0 {
		t.Fatalf("due by time: %v, %v", ids, err)
	}
}

func watchedUntilMined(t *testing.T, db database, _ *memory.Clock) {
	o := sample("a", start)
	must(t, db.Save(t.Context(), &o))
	found, err := db.Watched(t.Context(), []cirrus.TxID{tx(99), tx(100)})
	must(t, err)
	if want := (map[cirrus.TxID]order.ID{tx(100): "a"}); !reflect.DeepEqual(found, want) {
		t.Fatalf("got %v, want %v", found, want)
	}
	o.Tickets[0].Reserve.Block = 5
	o.Tickets[0].Release = order.Call{TxID: tx(101)}
	must(t, db.Save(t.Context(), &o))
	all, err := db.Unmined(t.Context())
	must(t, err)
	if want := (map[cirrus.TxID]order.ID{tx(101): "a"}); !reflect.DeepEqual(all, want) {
		t.Fatalf("got %v, want %v", all, want)
	}
	if found, err := db.Watched(t.Context(), nil); err != nil || len(found) != 0 {
		t.Fatalf("got %v, %v for no transactions", found, err)
	}
}

func seatHeldOnce(t *testing.T, db database, _ *memory.Clock) {
	seat := cirrus.Seat{Number: 3, Letter: 0xD800}
	hold := order.Hold{Order: "a", Customer: 7, Until: start.Add(time.Minute)}
	must(t, db.Hold(t.Context(), tx(1), seat, hold, start))
	other := order.Hold{Order: "b", Customer: 8, Until: start.Add(time.Minute)}
	if err := db.Hold(t.Context(), tx(1), seat, other, start); !errors.Is(err, order.ErrSeatHeld) {
		t.Fatalf("got %v, want seat held", err)
	}
	must(t, db.Hold(t.Context(), tx(2), seat, other, start))
	must(t, db.Free(t.Context(), tx(1), seat, "b"))
	hold.Until = start.Add(2 * time.Minute)
	must(t, db.Hold(t.Context(), tx(1), seat, hold, start))
	held, err := db.Held(t.Context(), tx(1))
	must(t, err)
	if len(held) != 1 || held[seat].Order != "a" || !held[seat].Until.Equal(hold.Until) || held[seat].Customer != 7 {
		t.Fatalf("held: %v", held)
	}
	must(t, db.Free(t.Context(), tx(1), seat, "a"))
	must(t, db.Free(t.Context(), tx(1), seat, "a"))
	must(t, db.Hold(t.Context(), tx(1), seat, other, start))
}

func lapsedHold(t *testing.T, db database, _ *memory.Clock) {
	seat := cirrus.Seat{Number: 3}
	must(t, db.Hold(t.Context(), tx(1), seat, order.Hold{Order: "a", Until: start}, start))
	other := order.Hold{Order: "b", Until: start.Add(time.Hour)}
	if err := db.Hold(t.Context(), tx(1), seat, other, start); !errors.Is(err, order.ErrSeatHeld) {
		t.Fatalf("got %v at the hold's last moment, want seat held", err)
	}
	held, err := db.Held(t.Context(), tx(1))
	must(t, err)
	if len(held) != 1 {
		t.Fatalf("held: %v", held)
	}
	must(t, db.Hold(t.Context(), tx(1), seat, other, start.Add(time.Millisecond)))
}

func addressForEver(t *testing.T, db database, _ *memory.Clock) {
	if _, err := db.Owner(t.Context(), "x"); !errors.Is(err, order.ErrNotFound) {
		t.Fatalf("got %v, want not found", err)
	}
	must(t, db.Claim(t.Context(), "x", "a"))
	must(t, db.Claim(t.Context(), "x", "a"))
	if err := db.Claim(t.Context(), "x", "b"); !errors.Is(err, order.ErrClaimed) {
		t.Fatalf("got %v, want claimed", err)
	}
	owner, err := db.Owner(t.Context(), "x")
	must(t, err)
	if owner != "a" {
		t.Fatalf("owner %s", owner)
	}
}

func floatClaims(t *testing.T, db database, _ *memory.Clock) {
	must(t, db.ClaimFloat(t.Context(), "x", "a"))
	must(t, db.ClaimFloat(t.Context(), "x", "a"))
	if err := db.ClaimFloat(t.Context(), "x", "b"); !errors.Is(err, order.ErrClaimed) {
		t.Fatalf("got %v, want claimed", err)
	}
	must(t, db.FreeFloat(t.Context(), "x", "b"))
	must(t, db.ClaimFloat(t.Context(), "y", "b"))
	claims, err := db.FloatClaims(t.Context())
	must(t, err)
	if want := (map[cirrus.Address]order.ID{"x": "a", "y": "b"}); !reflect.DeepEqual(claims, want) {
		t.Fatalf("claimed %v, want %v", claims, want)
	}
	must(t, db.FreeFloat(t.Context(), "x", "a"))
	must(t, db.ClaimFloat(t.Context(), "x", "b"))
}

func begin(t *testing.T, db database, update int64) flows.Session {
	t.Helper()
	s, fresh, err := db.Begin(t.Context(), 7, update)
	must(t, err)
	if !fresh {
		t.Fatalf("update %d counts as handled", update)
	}
	return s
}

func updateOnce(t *testing.T, db database, _ *memory.Clock) {
	s := begin(t, db, 1)
	s.Screen, s.Refund, s.Seen = "wallet", "refund-address", start
	s.Draft.Seats = []cirrus.Seat{{Number: 2}}
	must(t, db.End(t.Context(), 7, 1, s))
	got, fresh, err := db.Begin(t.Context(), 7, 1)
	must(t, err)
	if fresh {
		t.Fatal("an update counts twice")
	}
	s.Format, s.Version = flows.SessionFormat, 1
	if !reflect.DeepEqual(got, s) {
		t.Fatalf("got %+v, want %+v", got, s)
	}
	if got := begin(t, db, 2); !reflect.DeepEqual(got, s) {
		t.Fatalf("got %+v, want %+v", got, s)
	}
	must(t, db.End(t.Context(), 7, 2, s))
	for range 2 {
		must(t, db.End(t.Context(), 7, 0, begin(t, db, 0)))
	}
	peeked, err := db.Peek(t.Context(), 7)
	must(t, err)
	if peeked.Version != 4 || peeked.Refund != "refund-address" {
		t.Fatalf("session: %+v", peeked)
	}
}

func oneTurn(t *testing.T, db database, _ *memory.Clock) {
	s := begin(t, db, 1)
	if _, _, err := db.Begin(t.Context(), 7, 2); !errors.Is(err, order.ErrBusy) {
		t.Fatalf("got %v, want busy", err)
	}
	if _, fresh, err := db.Begin(t.Context(), 8, 3); err != nil || !fresh {
		t.Fatalf("another customer waits too: %v", err)
	}
	if err := db.End(t.Context(), 7, 2, s); !errors.Is(err, order.ErrConflict) {
		t.Fatalf("got %v, want a conflict for somebody else's turn", err)
	}
	must(t, db.End(t.Context(), 7, 1, s))
	if err := db.End(t.Context(), 7, 1, s); !errors.Is(err, order.ErrConflict) {
		t.Fatalf("got %v, want a conflict for a turn given back", err)
	}
	begin(t, db, 2)
}

func releasedUpdate(t *testing.T, db database, _ *memory.Clock) {
	begin(t, db, 1)
	must(t, db.Release(t.Context(), 7))
	must(t, db.Release(t.Context(), 7))
	if s := begin(t, db, 1); s.Version != 0 {
		t.Fatalf("session: %+v", s)
	}
}

func oldSession(t *testing.T, db database, _ *memory.Clock) {
	old := begin(t, db, 1)
	must(t, db.Release(t.Context(), 7))
	must(t, db.End(t.Context(), 7, 2, begin(t, db, 2)))
	begin(t, db, 1)
	if err := db.End(t.Context(), 7, 1, old); !errors.Is(err, order.ErrConflict) {
		t.Fatalf("got %v, want a conflict", err)
	}
}

func erasedSession(t *testing.T, db database, _ *memory.Clock) {
	s := begin(t, db, 1)
	s.Refund = "refund-address"
	must(t, db.End(t.Context(), 7, 1, s))
	begin(t, db, 2)
	must(t, db.Erase(t.Context(), 7))
	must(t, db.End(t.Context(), 7, 2, flows.Session{}))
	peeked, err := db.Peek(t.Context(), 7)
	must(t, err)
	if peeked.Refund != "" || peeked.Version != 1 {
		t.Fatalf("session: %+v", peeked)
	}
	if _, fresh, err := db.Begin(t.Context(), 7, 1); err != nil || fresh {
		t.Fatalf("an update counts twice after erasing: %v", err)
	}
}

func lockOnce(t *testing.T, db database, _ *memory.Clock) {
	held, release, err := db.Lock(t.Context(), "a")
	must(t, err)
	if _, _, err := db.Lock(t.Context(), "a"); !errors.Is(err, order.ErrBusy) {
		t.Fatalf("got %v, want busy", err)
	}
	_, other, err := db.Lock(t.Context(), "b")
	must(t, err)
	other()
	must(t, held.Err())
	release()
	release()
	if held.Err() == nil {
		t.Fatal("the work under a released lock goes on")
	}
	_, release, err = db.Lock(t.Context(), "a")
	must(t, err)
	release()
}
