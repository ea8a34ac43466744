package flows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

const (
	ann      = int64(1001) // the customer of most stories
	bob      = int64(1002) // somebody else
	operator = int64(9001)
)

var start = time.Date(2026, time.December, 1, 18, 0, 0, 0, time.UTC)

// world is everything around the conversations: the real engine on stores in memory, and a toy chain.
type world struct {
	t       testing.TB
	clock   *memory.Clock
	db      *memory.DB
	jobs    *memory.Jobs
	engine  *order.Engine
	flows   *flows.Flows
	chain   *toyChain
	courier *toyCourier
	artist  *toyArtist
	chats   map[int64]*chat
	sale    order.Sale
	network cirrus.Network
	off     string
	final   uint64 // how many blocks lie on what can't be undone any more; 0: nothing is ever undone
	healthy bool
	own     map[cirrus.Address]bool
	showing func() error // what happens when a screen is shown outside of a reply; nil: nothing
	ids     int
	updates int64
}

func addressNr(n byte) cirrus.Address {
	var hash cirrus.Hash
	hash[0], hash[19] = 7, n
	return cirrus.MainNet.Address(hash)
}

// at is the same on the network of the story.
func (w *world) at(n byte) cirrus.Address {
	hash, err := addressNr(n).Hash()
	w.must(err)
	return w.network.Address(hash)
}

func newWorld(t testing.TB) *world { return newWorldOn(t, cirrus.MainNet) }

func newWorldOn(t testing.TB, network cirrus.Network) *world {
	w := &world{t: t, network: network, chats: map[int64]*chat{}, healthy: true, own: map[cirrus.Address]bool{}, artist: &toyArtist{}}
	w.clock = memory.NewClock(start)
	w.db = memory.New(w.clock.Now)
	w.chain = newToyChain(w)
	w.courier = &toyCourier{username: "QuayTickets", open: map[int64]flows.ChatState{}, parcels: map[string]bool{}, w: w}
	gas := order.Gas{Limit: 250_000, Price: 100}
	var err error
	w.flows, err = flows.New(flows.Deps{
		Sessions: w.db, Courier: w.courier, Desk: desk{w}, Operate: desk{w}.Operate, View: w.db, Holds: w.db, Lookers: w.db, Messenger: w, Artist: w.artist,
		Clock: w.clock.Now, Wait: func(context.Context, time.Duration) error { return errors.New("no time to wait") },
		CardShown: func(ctx context.Context, id order.ID, message int) error { return w.engine.CardShown(ctx, id, message) },
		Attention: w.attention, Verify: w.courier.Verify, Link: w.courier.Link, Renew: w.courier.Renew,
		Pause: func(_ context.Context, paused bool) error {
			w.off = map[bool]string{true: flows.OffPaused}[paused]
			return nil
		},
		WordsWrong: func(err error) { t.Errorf("words: %v", err) },
		Config: flows.Config{
			Support: "@quay_help", BotUsername: "UsherBot", Admins: []int64{operator}, Network: network, Gas: gas,
			Hold: 15 * time.Minute, AtOnce: 1,
			OwnAddress: func(_ context.Context, a cirrus.Address) (bool, error) { return w.own[a], nil },
			IsContract: w.chain.IsContract,
			SellingOff: func(context.Context) (string, bool) { return w.off, w.off != "" },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.newEngine(gas)
	w.newSale()
	w.chain.block()
	return w
}

func (w *world) newEngine(gas order.Gas) {
	w.jobs = memory.NewJobs(w.clock, func(ctx context.Context, id order.ID) error { return w.engine.Run(ctx, id) })
	w.engine = order.NewEngine(order.Config{
		Gas: gas, Accounts: []cirrus.Account{{Wallet: "usher1", Name: "account 0"}}, Hold: 15 * time.Minute, Choice: 30 * time.Minute, Undo: 10 * time.Second,
		Finality: w.final, Unpaid: 2, Resold: w.flows.Config.SellResold, Fee: w.flows.Config.ServiceFee, FeeTo: w.at(99),
	}, order.Deps{
		Store: w.db, Locks: w.db, Holds: w.db, Addresses: w.db, View: w.db, Booth: w.chain, Ledger: w.chain, Purse: w.chain,
		Jobs: w.jobs, Teller: w.flows, Deliverer: w.flows, Clock: w.clock.Now, Strict: true, Log: slog.New(slog.DiscardHandler),
		Pick:  func(int) int { return 0 },
		NewID: func() string { w.ids++; return fmt.Sprintf("k%dx", w.ids) },
	})
}

func (w *world) newSale() {
	show := cirrus.Show{
		Contract: w.at(200), Venue: "Harbour Hall", Name: "Night Trains", Organiser: "Quay Collective",
		Time: start.Add(72 * time.Hour), EndOfSale: 1_198_600, Block: 1_190_000,
		TxID: "5f0c2a7795c9aa0a1a1f6ec1b5f0c2a7795c9aa0a1a1f6ec1b5f0c2a7795c9aa",
	}
	w.sale = order.Sale{
		Contract: show.Contract, Venue: show.Venue, Show: &show,
		Terms: cirrus.Terms{ReleaseFee: 5 * uint64(cirrus.CRS), NoReleaseBlocks: 400},
	}
	for number := range int32(3) {
		for letter := range cirrus.Char(4) {
			w.sale.Seats = append(w.sale.Seats, order.SeatOnSale{
				Seat:  cirrus.Seat{Number: number + 1, Letter: 'A' + letter},
				Price: uint64(120+60*(number/2)) * uint64(cirrus.CRS),
			})
		}
	}
}

// seat finds a seat of the sale by its name.
func (w *world) seat(name string) *order.SeatOnSale {
	for i := range w.sale.Seats {
		if w.sale.Seats[i].Seat.String() == name {
			return &w.sale.Seats[i]
		}
	}
	w.t.Fatalf("no seat %s", name)
	return nil
}

// post writes what the watcher would have written, and runs what that woke.
func (w *world) post() {
	ctx := context.Background()
	tip := order.Tip{
		Height: w.chain.height, Hash: fmt.Sprint(w.chain.height), Time: w.clock.Now(), Seen: w.clock.Now(), Healthy: w.healthy,
		Why: "no peers", Network: w.network.Name, Forks: w.chain.forks, Fork: w.chain.fork,
	}
	w.must(w.db.PostTip(ctx, tip))
	w.must(w.db.PostSale(ctx, w.sale))
	_, err := w.db.PostCoins(ctx, w.chain.list())
	w.must(err)
	for _, id := range w.orders() {
		w.must(w.engine.Run(ctx, id))
	}
	w.must(w.jobs.RunUntilIdle(ctx))
}

func (w *world) orders() []order.ID {
	var all []order.ID
	for _, customer := range []int64{ann, bob} {
		ids, err := w.db.Of(context.Background(), customer)
		w.must(err)
		slices.Reverse(ids)
		all = append(all, ids...)
	}
	return all
}

// last is the newest order of a customer.
func (w *world) last(customer int64) order.Order {
	ids, err := w.db.Of(context.Background(), customer)
	w.must(err)
	if len(ids) == 0 {
		w.t.Fatal("no order")
	}
	o, err := w.db.Load(context.Background(), ids[0])
	w.must(err)
	return o
}

// wait lets time pass, and runs what falls due.
func (w *world) wait(d time.Duration) {
	ctx, end := context.Background(), w.clock.Now().Add(d)
	for w.clock.Now().Before(end) {
		w.clock.Advance(time.Second)
		due, err := w.db.Due(ctx, w.clock.Now(), 100)
		w.must(err)
		for _, id := range due {
			w.must(w.engine.Run(ctx, id))
		}
		w.must(w.jobs.RunUntilIdle(ctx))
	}
}

func (w *world) attention(context.Context) ([]order.Order, error) {
	var list []order.Order
	for _, id := range w.orders() {
		o, err := w.db.Load(context.Background(), id)
		w.must(err)
		list = append(list, o)
	}
	return list, nil
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// desk is the engine; it is made after the conversations, which it needs itself.
type desk struct{ w *world }

func (d desk) Open(ctx context.Context, n order.New) (order.Order, error) {
	return d.w.engine.Open(ctx, n)
}

func (d desk) OpenEach(ctx context.Context, n order.New) ([]order.Order, error) {
	return d.w.engine.OpenEach(ctx, n)
}

func (d desk) Load(ctx context.Context, customer int64, id order.ID) (order.Order, error) {
	return d.w.engine.Load(ctx, customer, id)
}

func (d desk) List(ctx context.Context, customer int64) ([]order.Order, error) {
	return d.w.engine.List(ctx, customer)
}

func (d desk) Do(ctx context.Context, customer int64, id order.ID, ask order.Ask) (order.Order, error) {
	return d.w.engine.Do(ctx, customer, id, ask)
}

func (d desk) Operate(ctx context.Context, id order.ID, ask order.Ask) (order.Order, error) {
	return d.w.engine.Operate(ctx, id, ask)
}

// toyArtist draws nothing.
type toyArtist struct{ hall func(flows.HallPlan) }

func (*toyArtist) Ticket(flows.Digital, flows.Frame) ([]byte, error) {
	return []byte("ticket picture"), nil
}
func (*toyArtist) Payment(text string) ([]byte, error) { return []byte("QR of " + text), nil }
func (a *toyArtist) Hall(p flows.HallPlan) ([]byte, error) {
	if a.hall != nil {
		a.hall(p)
	}
	return []byte("hall"), nil
}

func (*toyArtist) Check(d flows.Digital, onChain cirrus.Ticket) error {
	if d.Secret.Plaintext != string(onChain.Secret) {
		return errors.New("secret does not fit")
	}
	return nil
}

// toyCourier hands over what it is given while a chat is open.
type toyCourier struct {
	w        *world
	username string
	open     map[int64]flows.ChatState
	parcels  map[string]bool
	phone    toyPhone
	renewed  int   // how often Renew was asked
	refuses  error // what Say fails with; nil: it does not
	asks     bool  // whether it may ask phones
	links    int   // how many it made
}

func (c *toyCourier) Contact(context.Context, int64) (flows.Contact, error) {
	if c.username == "" {
		return flows.Contact{}, order.ErrNoCourier
	}
	return flows.Contact{Username: c.username, Name: "Quay Tickets"}, nil
}

// Link gives a new line to send each time, and none while no more phones may be asked.
func (c *toyCourier) Link(context.Context, int64) (flows.Link, error) {
	if !c.asks {
		return flows.Link{}, order.ErrNotAllowed
	}
	c.links++
	code := fmt.Sprintf("code%d", c.links)
	return flows.Link{URL: "https://t.me/" + c.username + "?text=" + code, Code: code, Until: c.w.clock.Now().Add(15 * time.Minute)}, nil
}

func (c *toyCourier) Invite(context.Context, int64) error { return nil }

func (c *toyCourier) Chat(_ context.Context, customer int64) (flows.ChatState, error) {
	if state, ok := c.open[customer]; ok {
		return state, nil
	}
	return flows.ChatNone, nil
}

func (c *toyCourier) Deliver(_ context.Context, customer int64, p flows.Parcel) (order.DeliveryState, error) {
	if c.open[customer] != flows.ChatOpen {
		return "", order.ErrNoChat
	}
	return c.phone.take(c.w.chat(customer), p), nil
}

// Verify gives the same key for each customer's open chat.
func (c *toyCourier) Verify(_ context.Context, customer int64) (flows.Key, error) {
	if c.open[customer] != flows.ChatOpen {
		return flows.Key{}, order.ErrNoChat
	}
	return flows.Key{Picture: []byte("cells"), Lines: [4]string{
		"0f 1e 2d 3c  4b 5a 69 78", "87 96 a5 b4  c3 d2 e1 f0", "10 32 54 76  98 ba dc fe", "ef cd ab 89  67 45 23 01",
	}}, nil
}

// Say writes into the secret chat, once for each key.
func (c *toyCourier) Say(_ context.Context, customer int64, key, text string) error {
	if c.refuses != nil {
		return c.refuses
	}
	if c.open[customer] != flows.ChatOpen {
		return order.ErrNoChat
	}
	if !c.parcels["say "+key] {
		c.parcels["say "+key] = true
		c.w.chat(customer).secret(flows.Parcel{Warning: text})
	}
	return nil
}
