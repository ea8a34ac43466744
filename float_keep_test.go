package main

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

// floatBed is a float of these coins, and what its keeper told and sent.
type floatBed struct {
	*memory.DB
	coins []cirrus.Coin
	kept  map[string][]byte
	told  int
	sent  []order.Payment
	fails error // building does
}

func newFloatBed(t *testing.T, coins ...cirrus.Strats) (*floatBed, *floatKeeper) {
	t.Helper()
	db := memory.New(time.Now)
	b := &floatBed{DB: db, kept: map[string][]byte{}}
	for i, amount := range coins {
		b.coins = append(b.coins, floatCoinAt(byte(i), amount))
	}
	if err := db.PostTip(t.Context(), order.Tip{Height: 1000}); err != nil {
		t.Fatal(err)
	}
	k := &floatKeeper{
		purse:  floatPurse{cirrus.Account{Wallet: "float"}, func(context.Context, cirrus.Account) ([]cirrus.Coin, error) { return slices.Clone(b.coins), nil }, db},
		wallet: b, orders: func(context.Context) ([]order.ID, error) { return []order.ID{"a"}, nil }, load: db.Load, view: db, store: b,
		gas: order.Gas{Limit: 250_000, Price: 100}, log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		tell: func(context.Context, cirrus.Strats, cirrus.Strats) error { b.told++; return nil },
	}
	return b, k
}

func floatCoinAt(n byte, amount cirrus.Strats) cirrus.Coin {
	return cirrus.Coin{
		Outpoint: cirrus.Outpoint{TxID: "coin", Index: uint32(n)}, Address: cirrus.TestNet.Address(cirrus.Hash{0xF1, n}),
		Amount: amount, Confirmations: 3,
	}
}

func (b *floatBed) Get(_ context.Context, name string) ([]byte, error) { return b.kept[name], nil }

func (b *floatBed) Put(_ context.Context, name string, value []byte) error {
	b.kept[name] = value
	return nil
}

func (b *floatBed) Candidates(_ context.Context, _ cirrus.Account, n int) (list []cirrus.Address, err error) {
	for i := range n {
		list = append(list, cirrus.TestNet.Address(cirrus.Hash{0xF2, byte(i)})) // #nosec G115 -- small
	}
	return list, nil
}

func (b *floatBed) Build(_ context.Context, p order.Payment) (order.BuiltTx, error) {
	b.sent = append(b.sent, p)
	return order.BuiltTx{TxID: "built"}, b.fails
}

func (b *floatBed) Send(context.Context, string) error { return nil }

// owes has an order with a seat of 180 CRS in this state.
func (b *floatBed) owes(t *testing.T, state order.TicketState) {
	t.Helper()
	o, err := b.Load(t.Context(), "a")
	if err != nil {
		o = order.Order{ID: "a", State: order.Filled, Show: cirrus.Show{EndOfSale: 5000}, Terms: cirrus.Terms{ReleaseFee: 5e8, NoReleaseBlocks: 100}, Gas: order.Gas{Limit: 250_000, Price: 100}}
		o.Tickets = []order.Ticket{{ID: "t", Price: 180 * cirrus.CRS}}
	}
	o.Tickets[0].State = state
	if err := b.Save(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
}

func (k *floatKeeper) sees(t *testing.T) floatState {
	t.Helper()
	if err := k.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := k.state(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The floor is what a seat would cost whose secret is lost: what the contract keeps of its price, two calls, and fees.
func TestNothingNewIsSoldWhereTheFloatDoesNotCoverTheWorst(t *testing.T) {
	b, k := newFloatBed(t, 3*cirrus.CRS, 2*cirrus.CRS)
	if s := k.sees(t); s.low() || b.told != 0 {
		t.Fatalf("nothing is held, and %+v", s)
	}
	b.owes(t, order.Reserving)
	for range 3 {
		if s := k.sees(t); !s.low() || s.Needed != 55*cirrus.CRS/10+3*order.MinFee {
			t.Fatalf("a seat is being bought, and %+v", s)
		}
	}
	if b.told != 1 {
		t.Errorf("the operators were told %d times", b.told)
	}
	b.owes(t, order.Owned)
	if s := k.sees(t); s.low() || s.Needed != cirrus.CRS/4+order.MinFee {
		t.Errorf("the ticket is there, and %+v", s)
	}
	b.owes(t, order.Unknown)
	k.sees(t)
	if b.told != 2 {
		t.Errorf("too low once more, and the operators were told %d times", b.told)
	}
	b.coins = append(b.coins, floatCoinAt(9, cirrus.CRS))
	if s := k.sees(t); s.low() {
		t.Errorf("it was filled, and %+v", s)
	}
}

func TestWhatIsClaimedOfTheFloatDoesNotCount(t *testing.T) {
	b, k := newFloatBed(t, 3*cirrus.CRS, 4*cirrus.CRS)
	if err := b.ClaimFloat(t.Context(), b.coins[0].Address, "b"); err != nil {
		t.Fatal(err)
	}
	if s := k.sees(t); s.Free != 4*cirrus.CRS || s.Coins != 1 {
		t.Errorf("%+v", s)
	}
}

func TestALargeCoinOfTheFloatIsDividedBeforeAnOrderTakesIt(t *testing.T) {
	b, k := newFloatBed(t, 1000*cirrus.CRS)
	k.sees(t)
	if len(b.sent) != 1 || len(b.sent[0].Outputs) != 20 {
		t.Fatalf("sent %+v", b.sent)
	}
	total, seen := b.sent[0].Fee, map[cirrus.Address]bool{}
	for _, out := range b.sent[0].Outputs {
		total += out.Amount
		seen[out.Address] = true
	}
	if total != 1000*cirrus.CRS || len(seen) != 20 || seen[b.coins[0].Address] {
		t.Errorf("%s to %d addresses", total, len(seen))
	}
	claims, err := b.FloatClaims(t.Context())
	if err != nil || claims[b.coins[0].Address] != fanOutID {
		t.Errorf("claimed %v, %v", claims, err)
	}
	b.coins = nil
	for i, out := range b.sent[0].Outputs {
		c := floatCoinAt(byte(i), out.Amount) // #nosec G115 -- small
		c.Address = out.Address
		b.coins = append(b.coins, c)
	}
	k.sees(t)
	if len(b.sent) != 1 {
		t.Errorf("divided once more: %+v", b.sent[1])
	}
}

func TestACoinThatWasNotDividedIsGivenBack(t *testing.T) {
	b, k := newFloatBed(t, 1000*cirrus.CRS)
	b.fails = order.ErrPassword
	if err := k.look(t.Context()); err == nil {
		t.Error("nobody hears that it failed")
	}
	if claims, err := b.FloatClaims(t.Context()); err != nil || len(claims) > 0 {
		t.Errorf("claimed %v, %v", claims, err)
	}
	b.fails = nil
	if err := b.ClaimFloat(t.Context(), b.coins[0].Address, "a"); err != nil {
		t.Fatal(err)
	}
	k.sees(t)
	if len(b.sent) != 1 {
		t.Errorf("a coin of an order was divided: %+v", b.sent)
	}
}
