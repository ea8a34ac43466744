package order

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// Config is what the operator decides.
type Config struct {
	Gas           Gas
	Accounts      []cirrus.Account // addresses are spread over them
	Confirmations uint64           // a payment so deep is paid; at least 1
	Hold          time.Duration    // how long seats are held for an unpaid order
	Choice        time.Duration    // how long another seat may be chosen in place of a lost one; 0: not at all
	Undo          time.Duration    // how long a refund can be undone
	Finality      uint64           // after so many blocks nothing is undone any more; 0: nothing ever is
	Fee           cirrus.Strats    // service fee a seat
	FeeTo         cirrus.Address   // where the service fee goes
	Resold        bool             // sell seats that were sold before in the same sale
	Unpaid        int              // unpaid orders that a customer may have at once
	AtStake       cirrus.Strats    // what all open orders may hold; 0: no cap
	Float         cirrus.Account   // of Deps.Float
}

// Deps is what the engine works with.
type Deps struct {
	Store     Store
	Locks     Locks
	Holds     Holds
	Addresses Addresses
	View      View
	Booth     Booth
	Ledger    Ledger
	Past      Past
	Purse     Purse
	Float     Float // nil: there is none, and a person sees to what is lost
	Jobs      Jobs
	Teller    Teller
	Deliverer Deliverer
	Sites     Sites
	Clock     func() time.Time
	// NewID makes a short, opaque, unguessable id.
	NewID func() string
	// Pick gives a number below n, to spread addresses over the accounts.
	Pick func(n int) int
	Log  *slog.Logger
	// WindingDown tells whether the operator winds the sales of a contract down; nil: never.
	WindingDown func(ctx context.Context, contract cirrus.Address) (bool, error)
	// Strict makes a call outside of its row panic; tests set it.
	Strict bool
}

// Engine moves orders. It is safe for use by several goroutines and by several processes on one store.
type Engine struct {
	Deps
	cfg Config
}

// NewEngine makes an engine.
func NewEngine(cfg Config, deps Deps) *Engine {
	if deps.Sites == nil {
		deps.Sites = Straight{}
	}
	if cfg.Confirmations == 0 {
		cfg.Confirmations = 1
	}
	return &Engine{Deps: deps, cfg: cfg}
}

// known is what a step may rely on: the watcher's view, read once for each step. No node was called for it.
type known struct {
	now   time.Time
	tip   Tip
	coins []cirrus.Coin // at the order's addresses
	sale  *Sale         // nil where the contract is not followed
	ends  bool          // the operator winds this contract's sales down
}

// run is one order being worked on, under its lock.
type run struct {
	*Engine
	o *Order
	k known
	// unsaved: o holds the answer of a call that could not be saved yet.
	unsaved bool
	// failed is what failed in this run, by machine; the others go on.
	failed map[string]error
	// told is the version whose card was shown and is not saved yet; nil: none.
	told *uint64
}

// maxSteps bounds one run; an order that still moves then is taken up again at once.
const maxSteps = 40

// Run takes the order as far as it goes now: it steps, saving as it goes, shows the card and hands over tickets, and
// notes when the next step is due. Errors: ErrBusy while another worker has it; others are passing, Run again later.
func (e *Engine) Run(ctx context.Context, id ID) error {
	told, err := e.run(ctx, id)
	if err != nil && told != nil {
		err = errors.Join(err, e.repaint(ctx, id, *told))
	}
	return err
}

// run is Run under the order's lock. told is the version whose card was shown and could not be saved; nil: none.
func (e *Engine) run(ctx context.Context, id ID) (told *uint64, err error) {
	held, release, err := e.Locks.Lock(ctx, "order:"+string(id))
	if err != nil {
		return nil, fmt.Errorf("order %s: %w", id, err)
	}
	defer release()
	o, err := e.Store.Load(held, id)
	if err != nil {
		return nil, fmt.Errorf("order %s: %w", id, err)
	}
	r := &run{Engine: e, o: &o}
	held = withOrder(held, &o)
	err = r.all(held)
	if err == nil || errors.Is(err, ErrConflict) {
		return r.told, err
	}
	later := r.later(held)
	if later == nil {
		r.told = nil
	}
	return r.told, errors.Join(err, later)
}

// repaintWithin bounds how long a card is seen to that may have been overwritten.
const repaintWithin = 5 * time.Second

// repaint has a card shown anew where this process showed a version of it while another one had taken over: a process
// that stood still may have overwritten what the other has shown since, and nobody else knows. It is done even where
// this process is stopping to work on orders.
func (e *Engine) repaint(ctx context.Context, id ID, told uint64) error {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), repaintWithin)
	defer done()
	_, err := e.change(ctx, id, func(o *Order) error {
		if o.Version != told {
			o.Card.Shown = ""
		}
		return nil
	})
	return err
}

// all steps until nothing moves, then tells and delivers. What failed on the way is given in the end.
func (r *run) all(ctx context.Context) error {
	for range maxSteps {
		if err := r.look(ctx); err != nil {
			return err
		}
		moved, err := r.step(ctx)
		if err != nil {
			return err
		}
		if !moved {
			break
		}
	}
	if len(r.failed) == 0 {
		r.o.Attempts = 0
	}
	if err := r.hand(ctx); err != nil {
		return err
	}
	r.tell(ctx)
	r.o.Next, r.o.NextHeight = r.next(), r.nextHeight()
	if err := r.save(ctx); err != nil {
		return err
	}
	r.told = nil
	return errors.Join(slices.Collect(maps.Values(r.failed))...)
}

// later notes a failed run, so that the sweep takes the order up again after a growing wait. What a failed step left
// half done in memory is dropped, except for the answer of a call, which exists nowhere else.
func (r *run) later(ctx context.Context) error {
	attempts := r.o.Attempts + 1
	if !r.unsaved {
		fresh, err := r.Store.Load(ctx, r.o.ID)
		if err != nil {
			return fmt.Errorf("order %s: %w", r.o.ID, err)
		}
		*r.o = fresh
	}
	r.o.Attempts = attempts
	r.o.Next = r.Clock().Add(backoff(attempts))
	return r.save(ctx)
}

// backoff grows from one second to five minutes.
func backoff(attempts int) time.Duration {
	return min(5*time.Minute, time.Second<<min(max(attempts-1, 0), 10))
}

func (r *run) look(ctx context.Context) error {
	tip, err := r.View.Tip(ctx)
	if err != nil {
		return fmt.Errorf("reading the tip: %w", err)
	}
	coins, err := r.View.Coins(ctx, r.o.Addresses()...)
	if err != nil {
		return fmt.Errorf("reading coins: %w", err)
	}
	ends, err := r.windingDown(ctx, r.o.Show.Contract)
	if err != nil {
		return err
	}
	sale, err := r.View.Sale(ctx, r.o.Show.Contract)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("reading the sale: %w", err)
	}
	r.k = known{now: r.Clock(), tip: tip, coins: coins, ends: ends}
	if err == nil {
		r.k.sale = &sale
	}
	return nil
}

// save makes what happened so far durable.
func (r *run) save(ctx context.Context) error {
	return r.Sites.Do(ctx, SiteSave, func(ctx context.Context) error {
		if err := r.Store.Save(ctx, r.o); err != nil {
			return fmt.Errorf("saving order %s: %w", r.o.ID, err)
		}
		return nil
	})
}

// answerTries is how often the saving of an answer is tried in a row, with a growing wait of a tenth of a second and
// more: about ten seconds in all.
const answerTries = 7

// saveAnswer saves what a Reserve call answered, and does not give up easily. Where somebody else changed the order
// meanwhile, because our lock ran out, the secret is added to what they saved; their resolving finds the call.
func (r *run) saveAnswer(ctx context.Context, ticket string, got Reservation) error {
	r.unsaved = true
	var err error
	for try := range answerTries {
		if _, err = r.moved(ctx); err == nil {
			r.unsaved = false
			return nil
		}
		if errors.Is(err, ErrConflict) {
			err = r.addSecret(ctx, ticket, got)
		}
		if err == nil {
			return fmt.Errorf("order %s: answer added to what another worker saved: %w", r.o.ID, ErrConflict)
		}
		wait(ctx, 100*time.Millisecond<<try)
	}
	return err
}

func (r *run) addSecret(ctx context.Context, ticket string, got Reservation) error {
	fresh, err := r.Store.Load(ctx, r.o.ID)
	if err != nil {
		return fmt.Errorf("order %s: %w", r.o.ID, err)
	}
	if got.TxID == "" {
		return nil
	}
	other := &run{Engine: r.Engine, o: &fresh, k: r.k}
	other.keepSecret(ticket, got)
	return other.save(ctx)
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// moved saves a change of state.
func (r *run) moved(ctx context.Context) (bool, error) {
	// A crash from here on must find the order due at once: the sweep then takes it up where this run stopped.
	r.o.Next = r.k.now
	if err := r.save(ctx); err != nil {
		return false, err
	}
	return true, nil
}

// call makes a call at a site, which the row of the state must list.
func (r *run) call(ctx context.Context, table, state, site string, call func(context.Context) error) error {
	row, _ := RowOf(table, state)
	if !slices.Contains(row.Sites, site) {
		problem := fmt.Errorf("%s %s may not call %s", table, state, site)
		if r.Strict {
			panic(problem)
		}
		return problem
	}
	return r.Sites.Do(atRow(ctx, table, state), site, call)
}

// tell shows the card; that it fails never holds up money or tickets.
func (r *run) tell(ctx context.Context) {
	version := r.o.Version
	r.told = &version
	err := r.Sites.Do(ctx, SiteTell, func(ctx context.Context) error { return r.Teller.Tell(ctx, r.o) })
	if err != nil {
		r.Log.Warn("card not shown", "order", r.o.ID, "error", err)
		r.o.Card.Again = r.k.now.Add(10 * time.Second)
	}
}
