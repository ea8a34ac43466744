package order_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

const customer = 77

var (
	hall   = cirrus.MainNet.Address(cirrus.Hash{0xAA})
	refund = cirrus.MainNet.Address(cirrus.Hash{0xBB})
	others = cirrus.MainNet.Address(cirrus.Hash{0xCC})
	other  = cirrus.MainNet.Address(cirrus.Hash{0xDD}) // another refund address
	feeTo  = cirrus.MainNet.Address(cirrus.Hash{0xEE})
	seat3C = cirrus.Seat{Number: 3, Letter: 'C'}
	seat3D = cirrus.Seat{Number: 3, Letter: 'D'}
	seat4A = cirrus.Seat{Number: 4, Letter: 'A'}
	seat4B = cirrus.Seat{Number: 4, Letter: 'B'}
)

// foreign are addresses that are not in our wallet.
var foreign = []cirrus.Address{refund, other, feeTo}

const (
	price  = 180 * cirrus.CRS
	budget = cirrus.CRS / 4
	end    = uint64(1400)
	window = uint64(100)
)

// fault is what a call site does instead of, before or after its call.
type fault struct {
	err    error
	before bool // the call is not made
	crash  bool // the process dies there
}

// death is what a crash panics with.
type death struct{}

// sites counts calls and lets faults in, one for each call in turn.
type sites struct {
	count  map[string]int
	faults map[string][]fault
}

func (s *sites) Do(ctx context.Context, site string, call func(context.Context) error) error {
	s.count[site]++
	queue := s.faults[site]
	if len(queue) == 0 {
		return call(ctx)
	}
	next := queue[0]
	s.faults[site] = queue[1:]
	if !next.before {
		if err := call(ctx); err != nil && !next.crash {
			return err
		}
	}
	if next.crash {
		panic(death{})
	}
	return next.err
}

// states remembers every state that was saved, in order.
type states struct {
	*memory.DB
	seen []string
	all  []string // the same, with each ticket
	made int      // how many saves there were
}

func (s *states) Save(ctx context.Context, o *order.Order) error {
	if err := s.DB.Save(ctx, o); err != nil {
		return err
	}
	s.made++
	all := string(o.State)
	for _, t := range o.Tickets {
		all += " " + string(t.State)
	}
	s.all = append(s.all, all)
	now := fmt.Sprintf("%s %s", o.State, o.Tickets[0].State)
	if len(o.Payouts) > 0 {
		now += " " + string(o.Payouts[len(o.Payouts)-1].State)
	}
	if len(s.seen) == 0 || s.seen[len(s.seen)-1] != now {
		s.seen = append(s.seen, now)
	}
	return nil
}

// reading is an order as it was after so many saves.
type reading struct {
	id    order.ID
	saves int
}

type world struct {
	t       *testing.T
	clock   *memory.Clock
	db      *states
	jobs    *memory.Jobs
	node    *node
	sites   *sites
	engine  *order.Engine
	cfg     order.Config
	o       order.Order
	read    reading        // what o is
	told    []string       // reasons that the operator was told of
	causes  []order.Ticket // the tickets as they were then
	parcels map[string]int
	noChat  bool
	deaths  int
	revived int
	float   *purseOfFloat
	forks   uint64 // reorganisations that the watcher has seen
	older   uint64 // how often the store came back older
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, func(*order.Config) {})
}

// choice is how long another seat may be chosen in tests of that.
const choice = 30 * time.Minute

// newChoosing is a world in which another seat may be chosen in place of a lost one.
func newChoosing(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, func(cfg *order.Config) { cfg.Choice = choice })
}

func newWorldWith(t *testing.T, change func(*order.Config)) *world {
	t.Helper()
	clock := memory.NewClock(time.Unix(1_800_000_000, 0))
	show := &cirrus.Show{Contract: hall, Venue: "Hall", Name: "Night Trains", EndOfSale: end, TxID: "show1", Block: 900}
	sale := order.Sale{
		Contract: hall, Venue: "Hall", Show: show, Terms: cirrus.Terms{ReleaseFee: 5e8, NoReleaseBlocks: window},
		Seats: []order.SeatOnSale{
			{Seat: seat3C, Price: uint64(price)},
			{Seat: seat3D, Price: uint64(price)},
			{Seat: seat4A, Price: uint64(price / 2)},
			{Seat: seat4B, Price: uint64(price / 2)},
		},
	}
	gas := order.Gas{Limit: 250_000, Price: 100}
	w := &world{
		t: t, clock: clock, db: &states{DB: memory.New(clock.Now)}, node: newNode(sale, gas),
		sites: &sites{count: map[string]int{}, faults: map[string][]fault{}}, parcels: map[string]int{},
	}
	w.jobs = memory.NewJobs(clock, w.handle)
	serial := 0
	cfg := order.Config{
		Gas: gas, Accounts: []cirrus.Account{{Wallet: "usher1", Name: "account 0"}}, Hold: 15 * time.Minute, Undo: 10 * time.Second, Unpaid: 2,
	}
	change(&cfg)
	w.cfg = cfg
	w.engine = order.NewEngine(cfg, order.Deps{
		Store: w.db, Locks: w.db, Holds: w.db, Addresses: w.db, View: w.db, Booth: w.node, Ledger: w.node, Past: w.node, Purse: w.node,
		Jobs: w.jobs, Teller: w, Deliverer: w, Sites: w.sites, Clock: clock.Now, Strict: true,
		NewID: func() string { serial++; return fmt.Sprintf("id%d", serial) },
		Pick:  func(int) int { return 0 },
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	w.post()
	return w
}

// handle runs an order. Where the process dies, all that was in memory is gone: the jobs too.
func (w *world) handle(ctx context.Context, id order.ID) (err error) {
	defer func() {
		switch died := recover(); died.(type) {
		case nil:
		case death:
			w.jobs.Forget()
			w.deaths++
			err = errors.New("died")
		default:
			panic(died)
		}
	}()
	return w.engine.Run(ctx, id)
}

func (w *world) Tell(context.Context, *order.Order) error { return nil }

func (w *world) Attend(_ context.Context, o order.Order, ticket string) error {
	t := o.Ticket(ticket)
	w.told = append(w.told, string(t.Reason))
	w.causes = append(w.causes, *t)
	if _, known := order.CauseOf(*t); t.State == order.Attention && !known {
		w.t.Errorf("%s needs a person for %s in state %s, which is not in the list", t.Seat, t.Reason, t.Before)
	}
	return nil
}

func (w *world) Check(_ order.Order, _ string, secret order.Secret, onChain cirrus.Ticket) error {
	if secret.Plaintext != string(onChain.Secret) {
		return errors.New("does not fit")
	}
	return nil
}

func (w *world) Deliver(_ context.Context, o order.Order, ticket string) (order.Handed, error) {
	if w.noChat {
		return order.Handed{}, order.ErrNoChat
	}
	w.parcels[o.Ticket(ticket).Delivery.Parcel]++
	return order.Handed{State: order.DeliverySent, Via: "QuayTickets"}, nil
}

// post is the watcher: it writes down the chain and wakes who is concerned.
func (w *world) post() {
	w.t.Helper()
	ctx := w.t.Context()
	w.must(w.db.PostTip(ctx, order.Tip{
		Height: w.node.height, Time: w.clock.Now(), Healthy: true, Forks: w.node.forks, Fork: w.node.fork, Older: w.older,
	}))
	w.must(w.db.PostSale(ctx, w.node.sale))
	ids, err := w.db.PostCoins(ctx, w.node.spendable())
	w.must(err)
	unmined, err := w.db.Unmined(ctx)
	w.must(err)
	for tx, id := range unmined {
		if _, mined := w.node.receipts[tx]; mined || w.node.minedTx(tx) || !w.node.out(tx) {
			ids = append(ids, id)
		}
	}
	if w.forks != w.node.forks {
		w.forks = w.node.forks
		w.must(w.sweeper().Undone(ctx, w.node.height))
	}
	for _, id := range ids {
		w.must(w.jobs.Wake(ctx, id, order.Woken, w.clock.Now()))
	}
	w.must(w.sweeper().Sweep(ctx, w.node.height))
	w.run()
}

// run does everything that is due now.
func (w *world) run() {
	w.t.Helper()
	for range 50 {
		if w.deaths > w.revived {
			w.revived++
			w.must(w.sweeper().Start(w.t.Context()))
		}
		if err := w.jobs.RunUntilIdle(w.t.Context()); err != nil {
			w.t.Log(err)
		}
		due, err := w.db.Due(w.t.Context(), w.clock.Now(), 100)
		w.must(err)
		if len(due) == 0 && w.deaths == w.revived {
			break
		}
		w.must(w.sweeper().Sweep(w.t.Context(), w.node.height))
	}
	if w.o.ID != "" {
		w.load()
	}
}

func (w *world) sweeper() order.Sweeper {
	return order.Sweeper{Store: w.db, Heights: w.db, Jobs: w.jobs, Clock: w.clock.Now, Finality: w.cfg.Finality}
}

// mine makes n blocks, 16 s apart.
func (w *world) mine(n int) {
	w.t.Helper()
	for range n {
		w.clock.Advance(cirrus.BlockTime)
		w.node.mine()
		w.post()
	}
}

func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.clock.Advance(d)
	w.run()
}

// load reads the order anew, unless nothing was saved since it was read last.
func (w *world) load() {
	w.t.Helper()
	now := reading{w.o.ID, w.db.made}
	if w.read == now {
		return
	}
	o, err := w.db.Load(w.t.Context(), w.o.ID)
	w.must(err)
	w.o, w.read = o, now
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) open(seats ...cirrus.Seat) {
	w.t.Helper()
	sale, err := w.db.Sale(w.t.Context(), hall)
	w.must(err)
	if len(seats) == 0 {
		seats = []cirrus.Seat{seat3D}
	}
	w.o, err = w.engine.Open(w.t.Context(), order.New{Customer: customer, Sale: sale, Seats: seats, Refund: refund})
	w.must(err)
	w.pass(3 * time.Second)
}

// pay pays what is due, seen but not mined.
func (w *world) pay() {
	w.t.Helper()
	w.node.pay(w.o.Address, w.o.Due)
	w.post()
}

// buy takes an order as far as a ticket that is owned and delivered.
func (w *world) buy() {
	w.t.Helper()
	w.open()
	w.pay()
	w.mine(3)
	w.wants(order.Filled, order.Owned)
}

func (w *world) ask(verb order.Verb) error { return w.askOf(0, verb) }

func (w *world) askOf(ticket int, verb order.Verb) error {
	o, err := w.engine.Do(w.t.Context(), customer, w.o.ID, order.Ask{Verb: verb, Ticket: w.o.Tickets[ticket].ID})
	if err == nil {
		w.o = o
		w.run()
	}
	return err
}

// next makes a call site fail in turn.
func (w *world) next(site string, faults ...fault) {
	w.sites.faults[site] = append(w.sites.faults[site], faults...)
}

func refusedWith(err error) fault { return fault{err: err, before: true} }

// lost: the work was done and its answer is gone. dropped: the request never arrived, and nobody knows.
func lost() fault    { return fault{err: order.ErrUnknownOutcome} }
func dropped() fault { return fault{err: order.ErrUnknownOutcome, before: true} }

func (w *world) ticket() order.Ticket { return w.o.Tickets[0] }

func (w *world) payout() order.Payout {
	w.t.Helper()
	if len(w.o.Payouts) == 0 {
		w.t.Fatal("no payout")
	}
	return w.o.Payouts[len(w.o.Payouts)-1]
}

func (w *world) wants(state order.State, ticket order.TicketState) {
	w.t.Helper()
	if w.o.State != state || w.ticket().State != ticket {
		w.t.Fatalf("order %s, ticket %s (%s), wanted %s and %s; saved: %s",
			w.o.State, w.ticket().State, w.ticket().Reason, state, ticket, strings.Join(w.db.seen, " | "))
	}
}

// saw wants an edge of a table to have been saved, and the site to have been called.
func (w *world) saw(from, to, site string) {
	w.t.Helper()
	if site != "" && w.sites.count[site] == 0 {
		w.t.Errorf("%s was never called", site)
	}
	for i := 1; i < len(w.db.seen); i++ {
		if has(w.db.seen[i-1], from) && has(w.db.seen[i], to) {
			return
		}
	}
	w.t.Errorf("never saved %s -> %s: %s", from, to, strings.Join(w.db.seen, " | "))
}

func has(seen, state string) bool { return strings.Contains(" "+seen+" ", " "+state+" ") }

// there lists the coins that lie at the order's addresses.
func (w *world) there() []cirrus.Coin {
	return slices.DeleteFunc(w.node.spendable(), func(c cirrus.Coin) bool {
		return !slices.Contains(w.o.Addresses(), c.Address)
	})
}

// paidIn is what came from outside to the order's addresses and did not vanish.
func (w *world) paidIn() cirrus.Strats {
	var total cirrus.Strats
	for _, c := range w.node.payments {
		if _, there := w.node.coins[c.Outpoint]; there {
			total += c.Amount
		}
	}
	return total
}

// settled wants the money to be accounted for to the strat, and nothing of ours to lie at the order's addresses.
func (w *world) settled(paid cirrus.Strats) {
	w.t.Helper()
	s := order.Account(w.o, w.there())
	if s.Paid != paid {
		w.t.Errorf("paid %s, but the account adds up to %s: %+v", paid, s.Paid, s)
	}
	if came := w.node.arrived(refund) + w.node.arrived(other); s.Returned != came {
		w.t.Errorf("%s returned by the account, %s came to the customer", s.Returned, came)
	}
	if came := w.node.arrived(feeTo); s.Service != came {
		w.t.Errorf("service fee %s by the account, %s came to the operator", s.Service, came)
	}
	if gave := w.float.gave(); s.Float != gave {
		w.t.Errorf("%s from the float by the account, %s left it", s.Float, gave)
	}
	if s.Held != 0 {
		w.t.Errorf("%s still held: %+v", s.Held, s)
	}
	w.mine(int(w.cfg.Finality)) // #nosec G115 -- small
	if !w.o.Next.IsZero() || w.o.NextHeight != 0 {
		w.t.Errorf("everything has ended, but a next step is due at %s, block %d", w.o.Next, w.o.NextHeight)
	}
}
