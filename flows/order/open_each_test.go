package order_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// each asks for three seats, each paid on its own, in two accounts by turns.
func each(t *testing.T, change func(*order.Config, *order.Deps)) (*world, order.New) {
	t.Helper()
	w := newWorldWith(t, func(*order.Config) {})
	cfg := w.cfg
	cfg.Accounts = []cirrus.Account{{Wallet: "usher1", Name: "account 0"}, {Wallet: "usher22", Name: "account 0"}}
	deps := w.engine.Deps
	turn := 0
	deps.Pick = func(n int) int { turn++; return turn % n }
	change(&cfg, &deps)
	w.engine = order.NewEngine(cfg, deps)
	sale, err := w.db.Sale(t.Context(), hall)
	w.must(err)
	return w, order.New{Customer: customer, Sale: sale, Seats: threeSeats, Refund: refund}
}

func nothingElse(*order.Config, *order.Deps) {}

func TestEachSeatGetsAnOrderOfItsOwn(t *testing.T) {
	w, made := each(t, nothingElse)
	orders, err := w.engine.OpenEach(t.Context(), made)
	w.must(err)
	seen := map[cirrus.Address]bool{}
	for i, o := range orders {
		seen[o.Address] = true
		if len(o.Tickets) != 1 || o.Tickets[0].Seat != threeSeats[i] || o.Batch == "" || o.Batch != orders[0].Batch {
			t.Errorf("order %+v", o)
		}
		if o.Due != o.Tickets[0].Price+2*budget || o.Address != o.Tickets[0].Address {
			t.Errorf("due %s", o.Due)
		}
	}
	if len(orders) != 3 || len(seen) != 3 || orders[0].Account == orders[1].Account || len(w.freeSeats()) != 3 {
		t.Errorf("addresses %v, held %v", seen, w.freeSeats())
	}
	for _, o := range orders[:2] {
		w.node.pay(o.Address, o.Due)
	}
	w.post()
	w.mine(3)
	w.pass(16 * time.Minute)
	for i, want := range []order.TicketState{order.Owned, order.Owned, order.Dropped} {
		w.o = orders[i]
		w.load()
		if w.ticket().State != want {
			t.Errorf("order %d: %s", i, w.ticket().State)
		}
	}
}

func TestOrdersMadeTogetherCountOnce(t *testing.T) {
	w, made := each(t, func(cfg *order.Config, _ *order.Deps) { cfg.Unpaid = 2 })
	_, err := w.engine.OpenEach(t.Context(), made)
	w.must(err)
	made.Seats = []cirrus.Seat{seat4B}
	_, err = w.engine.Open(t.Context(), made)
	w.must(err)
	w.node.sale.Seats = append(w.node.sale.Seats, order.SeatOnSale{Seat: cirrus.Seat{Number: 9, Letter: 'A'}, Price: uint64(price)})
	made.Sale, made.Seats = w.node.sale, []cirrus.Seat{{Number: 9, Letter: 'A'}}
	if _, err := w.engine.Open(t.Context(), made); !errors.Is(err, order.ErrTooMany) {
		t.Errorf("a third: %v", err)
	}
}

func TestOneSeatThatIsHeldStopsAllOfThem(t *testing.T) {
	w, made := each(t, nothingElse)
	w.must(w.db.Hold(t.Context(), "show1", threeSeats[2], order.Hold{Order: "x", Until: w.clock.Now().Add(time.Hour)}, w.clock.Now()))
	if _, err := w.engine.OpenEach(t.Context(), made); !errors.Is(err, order.ErrSeatHeld) {
		t.Errorf("made: %v", err)
	}
	if held := w.freeSeats(); len(held) != 1 || held[threeSeats[2]].Order != "x" {
		t.Errorf("held %v", held)
	}
	w.noneOpen()
}

// noneOpen wants none of the customer's orders to wait for money.
func (w *world) noneOpen() {
	w.t.Helper()
	list, err := w.engine.List(w.t.Context(), customer)
	w.must(err)
	for _, o := range list {
		if o.State != order.Cancelled || o.Open() {
			w.t.Errorf("order %s is %s", o.ID, o.State)
		}
	}
}

// failingStore is a store that fails at one of the saves, after it or before it was done.
type failingStore struct {
	order.Store
	at   int
	done bool
}

func (f *failingStore) Save(ctx context.Context, o *order.Order) error {
	f.at--
	if f.at != 0 {
		return f.Store.Save(ctx, o)
	}
	if f.done {
		copied := *o
		if err := f.Store.Save(ctx, &copied); err != nil {
			return err
		}
	}
	return errors.New("no answer")
}

func TestAFailureHalfWayTakesAllBack(t *testing.T) {
	for _, done := range []bool{true, false} {
		for at := 1; at <= 3; at++ {
			w, made := each(t, func(_ *order.Config, deps *order.Deps) {
				deps.Store = &failingStore{Store: deps.Store, at: at, done: done}
			})
			if _, err := w.engine.OpenEach(t.Context(), made); err == nil {
				t.Fatal("made although one could not be saved")
			}
			w.noneOpen()
			if len(w.freeSeats()) != 0 {
				t.Errorf("held %v", w.freeSeats())
			}
			w.pass(time.Hour)
		}
	}
}

func TestNamesGoToEachOrderByItself(t *testing.T) {
	w, made := each(t, nothingElse)
	made.Sale.Terms.Identity = true
	made.Names = []string{"Ada", "Bo", "Cy"}
	orders, err := w.engine.OpenEach(t.Context(), made)
	w.must(err)
	for i, o := range orders {
		o, err := w.engine.Load(t.Context(), customer, o.ID)
		w.must(err)
		if len(o.Private.Names) != 1 || !strings.HasPrefix(o.Private.Names[o.Tickets[0].ID], made.Names[i]) {
			t.Errorf("names %d", len(o.Private.Names))
		}
	}
}
