package storage

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

func lastTip(t *testing.T, db database, _ *memory.Clock) {
	if _, err := db.Tip(t.Context()); !errors.Is(err, order.ErrNotFound) {
		t.Fatalf("got %v, want not found", err)
	}
	for height := uint64(9); height < 12; height++ {
		want := order.Tip{Height: height, Hash: "h", Time: start, Seen: start, Healthy: true, Network: "CirrusTest"}
		must(t, db.PostTip(t.Context(), want))
		got, err := db.Tip(t.Context())
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
}

func salesComeBack(t *testing.T, db database, _ *memory.Clock) {
	if _, err := db.Sale(t.Context(), "b"); !errors.Is(err, order.ErrNotFound) {
		t.Fatalf("got %v, want not found", err)
	}
	b := order.Sale{Contract: "b", Venue: "Hall", Show: &cirrus.Show{Name: "Show", Time: start}, Seats: []order.SeatOnSale{
		{Seat: cirrus.Seat{Number: 1, Letter: 'B'}, Price: 1 << 63, Secret: []byte{1, 2}},
	}}
	a := order.Sale{Contract: "a"}
	must(t, errors.Join(db.PostSale(t.Context(), b), db.PostSale(t.Context(), a)))
	got, err := db.Sale(t.Context(), "b")
	must(t, err)
	if !reflect.DeepEqual(got, b) {
		t.Fatalf("got %+v, want %+v", got, b)
	}
	all, err := db.Sales(t.Context())
	must(t, err)
	if !reflect.DeepEqual(all, []order.Sale{a, b}) {
		t.Fatalf("got %+v", all)
	}
	must(t, db.DropSale(t.Context(), "b"))
	if all, err := db.Sales(t.Context()); err != nil || len(all) != 1 {
		t.Fatalf("got %+v, %v", all, err)
	}
}

func coin(n int, address cirrus.Address, confirmations uint64) cirrus.Coin {
	return cirrus.Coin{
		Outpoint: cirrus.Outpoint{TxID: tx(n), Index: 1}, Address: address, Amount: cirrus.CRS, Confirmations: confirmations,
	}
}

func coinsAge(t *testing.T, db database, _ *memory.Clock) {
	if _, err := db.PostCoins(t.Context(), nil); !errors.Is(err, order.ErrNotFound) {
		t.Fatalf("got %v for coins before the first tip, want not found", err)
	}
	if got, err := db.Coins(t.Context(), "x"); err != nil || len(got) != 0 {
		t.Fatalf("got %v, %v", got, err)
	}
	must(t, db.PostTip(t.Context(), order.Tip{Height: 100}))
	_, err := db.PostCoins(t.Context(), []cirrus.Coin{coin(2, "x", 3), coin(1, "x", 0), coin(3, "y", 1)})
	must(t, err)
	expectCoins := func(want ...cirrus.Coin) {
		t.Helper()
		got, err := db.Coins(t.Context(), "y", "nobody", "x")
		must(t, err)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	expectCoins(coin(3, "y", 1), coin(1, "x", 0), coin(2, "x", 3))
	must(t, db.PostTip(t.Context(), order.Tip{Height: 102}))
	expectCoins(coin(3, "y", 3), coin(1, "x", 0), coin(2, "x", 5))
	must(t, db.PostTip(t.Context(), order.Tip{Height: 90}))
	expectCoins(coin(3, "y", 1), coin(1, "x", 0), coin(2, "x", 1))
}

func touchedOrders(t *testing.T, db database, _ *memory.Clock) {
	must(t, errors.Join(db.Claim(t.Context(), "x", "ox"), db.Claim(t.Context(), "y", "oy"),
		db.Claim(t.Context(), "y2", "oy")))
	height := uint64(100)
	post := func(coins []cirrus.Coin, want ...order.ID) {
		t.Helper()
		must(t, db.PostTip(t.Context(), order.Tip{Height: height}))
		got, err := db.PostCoins(t.Context(), coins)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Fatalf("at %d: got %v, want %v", height, got, want)
		}
	}
	post(nil)
	post([]cirrus.Coin{coin(1, "x", 0), coin(9, "stranger", 0)}, "ox")
	post([]cirrus.Coin{coin(1, "x", 0), coin(9, "stranger", 0)})
	height++
	post([]cirrus.Coin{coin(1, "x", 1), coin(9, "stranger", 1)}, "ox")
	height++
	post([]cirrus.Coin{coin(1, "x", 2), coin(9, "stranger", 2)})
	height++ // the node was read a block later than it said
	post([]cirrus.Coin{coin(1, "x", 4), coin(9, "stranger", 4)})
	post([]cirrus.Coin{coin(1, "x", 3), coin(2, "y", 0), coin(3, "y2", 0)}, "oy")
	post([]cirrus.Coin{coin(1, "x", 0), coin(2, "y", 0), coin(3, "y2", 0)}, "ox") // a reorganisation
	changed := coin(2, "y", 0)
	changed.Amount++
	post([]cirrus.Coin{changed, coin(3, "y2", 0)}, "ox", "oy")
	post(nil, "oy")
	post(nil)
}
