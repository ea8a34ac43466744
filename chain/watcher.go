package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Watching says what a Watcher follows and whom it tells. All of it is needed except View, Drop and Log.
type Watching struct {
	Client  *Client
	Network cirrus.Network
	// Accounts are the wallet accounts with money of ours, the float included.
	Accounts []cirrus.Account
	// Venues lists the contracts to follow; it is asked once for each block.
	Venues func(ctx context.Context) ([]cirrus.Address, error)
	Board  order.Board
	// View tells where the watcher before this one stopped; nil: begin at the tip.
	View order.View
	// Drop takes a contract off the board that is followed no more; nil: it stays there with nothing on sale.
	Drop func(ctx context.Context, contract cirrus.Address) error
	// Wake makes an order run soon.
	Wake func(ctx context.Context, id order.ID) error
	// Undone wakes all orders that rest on blocks which are not final yet, after blocks were undone; nil: none.
	Undone func(ctx context.Context, height uint64) error
	Poll   time.Duration // between two looks; 0: 4 seconds
	Clock  func() time.Time
	Log    *slog.Logger
}

// Watcher follows the tip of the chain. It must run once at a time, wherever; who runs it is the caller's business.
//
// A look costs one Node/status and one spendable-transactions for each account. A new block costs beyond that one
// reading of the block (its hash, then itself), one Tickets for each venue whose sale is open, and one getrawmempool
// where any order waits for a transaction. Venues without an open sale are looked at again when a block holds more
// than its coinbase. Nothing of this grows with the number of orders.
//
// Node/status tells heights only, so a block that takes the place of another at the same height is noticed with the
// block after it, or by the coins that it changes.
type Watcher struct {
	Watching
	trail   trail
	due     due
	touched map[order.ID]bool // orders to wake
	purses  map[cirrus.Account][]cirrus.Coin
	shelf   map[cirrus.Address]*venue
	left    []cirrus.Address // sales that the watcher before this one posted
	posted  order.Tip
	forks   uint64 // see order.Tip
	fork    uint64
	trouble string // why selling is off although the node is fit, as of the last look
	begun   bool
}

// due is what must still be looked at. It outlives a look that failed.
type due struct {
	coins, sales, calls bool
	renew, busy         bool                 // sales: read everything again; closed venues may have changed
	txs                 map[cirrus.TxID]bool // calls: mined or undone
	all                 bool                 // calls: any of them may have been mined
	undone              bool                 // orders that rest on blocks which are not final must be woken
}

// add takes up what following the chain brought.
func (d *due) add(n news) {
	if n.blocks == 0 && !n.undone {
		return
	}
	d.coins, d.sales, d.calls = true, true, true
	d.renew = d.renew || n.undone || n.jumped
	d.busy = d.busy || n.busy
	d.all = d.all || n.jumped
	d.undone = d.undone || n.forked
	if d.txs == nil {
		d.txs = map[cirrus.TxID]bool{}
	}
	maps.Copy(d.txs, n.touched)
}

// NewWatcher makes a watcher; it makes no call.
func NewWatcher(w Watching) *Watcher {
	w.Poll = orElse(w.Poll, 4*time.Second)
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	return &Watcher{
		Watching: w, touched: map[order.ID]bool{},
		purses: map[cirrus.Account][]cirrus.Coin{}, shelf: map[cirrus.Address]*venue{},
	}
}

// heartbeat is how old the posted tip gets before it is posted again although it is the same.
const heartbeat = 10 * time.Second

// patience is how many looks in a row may fail until that is logged once more.
const patience = 60

// Run looks at the chain every Poll until ctx ends. What fails is logged and done again at the next look.
func (w *Watcher) Run(ctx context.Context) {
	ticker := time.NewTicker(w.Poll)
	defer ticker.Stop()
	failed := 0
	for ctx.Err() == nil {
		err := w.Look(ctx)
		switch {
		case ctx.Err() != nil:
		case err == nil && failed > 0:
			w.Log.InfoContext(ctx, "the chain can be looked at again", "failed", failed)
			failed = 0
		case err != nil:
			if failed%patience == 0 {
				w.Log.WarnContext(ctx, "looking at the chain", "error", err, "failed", failed+1)
			}
			failed++
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// Look looks at the chain once: it follows new blocks, posts what changed, and wakes the orders that something
// happened to. After an error it can be called again and goes on where it was.
func (w *Watcher) Look(ctx context.Context) error {
	if err := w.begin(ctx); err != nil {
		return err
	}
	status, err := w.Client.Status(ctx)
	if err != nil {
		return errors.Join(err, w.postTip(ctx, false, "the node does not answer"))
	}
	if status.Network != w.Network.Name {
		why := fmt.Sprintf("the node is of %s, not of %s", status.Network, w.Network.Name)
		return errors.Join(fmt.Errorf("%w: %s", cirrus.ErrNetwork, why), w.postTip(ctx, false, why))
	}
	var brought news
	err = w.trail.follow(ctx, w.Client, status.Height, &brought)
	w.due.add(brought)
	w.noteFork(brought)
	if err != nil {
		return errors.Join(err, w.postTip(ctx, false, "the node's blocks cannot be read"))
	}
	return errors.Join(w.lookAround(ctx, status), w.wake(ctx))
}

// lookAround looks at everything but blocks. The tip is posted first, because the coins' confirmations count from it,
// with the trouble that there was at the last look, and again where that changed.
func (w *Watcher) lookAround(ctx context.Context, status Status) error {
	if err := w.postHealth(ctx, status); err != nil {
		return err
	}
	trouble := ""
	coins := w.lookAtCoins(ctx)
	if errors.Is(coins, errWalletBehind) {
		trouble = "a wallet is still looking through blocks"
	}
	calls, sales := w.lookForCalls(ctx), w.lookAtSales(ctx)
	if errors.Is(sales, errBooth) {
		trouble = "Ticketbooth does not answer"
	}
	w.trouble = trouble
	return errors.Join(coins, calls, sales, w.postHealth(ctx, status), w.wakeUndone(ctx))
}

// noteFork counts forks, and remembers the deepest of those that are not final yet: an order may have missed some.
func (w *Watcher) noteFork(n news) {
	if !n.forked {
		return
	}
	top, _ := w.trail.top()
	if w.forks == 0 || top.Height > w.fork+Memory || n.fork < w.fork {
		w.fork = n.fork
	}
	w.forks++
}

// wakeUndone wakes the orders that undone blocks may concern, once what they look at is posted.
func (w *Watcher) wakeUndone(ctx context.Context) error {
	top, known := w.trail.top()
	if !w.due.undone || !known {
		return nil
	}
	if w.Undone != nil {
		if err := w.Undone(ctx, top.Height); err != nil {
			return fmt.Errorf("waking orders of undone blocks: %w", err)
		}
	}
	w.due.undone = false
	return nil
}

// postHealth posts the tip with what the node says of itself and the trouble that the watcher had.
func (w *Watcher) postHealth(ctx context.Context, status Status) error {
	healthy, why := status.Health()
	if healthy && w.trouble != "" {
		healthy, why = false, w.trouble
	}
	return w.postTip(ctx, healthy, why)
}

// begin takes up the trail where it was left, once. The watcher before may have stopped in the middle of a look, so
// everything is looked at even where there is no new block.
func (w *Watcher) begin(ctx context.Context) error {
	if w.begun {
		return nil
	}
	if w.View != nil {
		if err := w.recall(ctx); err != nil {
			return fmt.Errorf("reading where the watcher stopped: %w", err)
		}
	}
	w.begun, w.due = true, due{coins: true, sales: true, calls: true}
	return nil
}

func (w *Watcher) recall(ctx context.Context) error {
	tip, err := w.View.Tip(ctx)
	if errors.Is(err, order.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	sales, err := w.View.Sales(ctx)
	if err != nil {
		return err
	}
	for _, sale := range sales {
		w.left = append(w.left, sale.Contract)
	}
	w.forks, w.fork = tip.Forks, tip.Fork
	if tip.Hash != "" && tip.Network == w.Network.Name {
		w.trail.push(Block{Hash: tip.Hash, Height: tip.Height, Time: tip.Time})
		w.trail.doubt = true
	}
	return nil
}

// postTip posts the newest block and the node's health where anything of it changed, or the last post is old.
func (w *Watcher) postTip(ctx context.Context, healthy bool, why string) error {
	top, known := w.trail.top()
	if !known {
		return nil
	}
	tip := order.Tip{
		Height: top.Height, Hash: top.Hash, Time: top.Time, Seen: w.Clock(),
		Healthy: healthy, Why: why, Network: w.Network.Name, Forks: w.forks, Fork: w.fork,
	}
	same := tip
	same.Seen = w.posted.Seen
	if same == w.posted && tip.Seen.Sub(w.posted.Seen) < heartbeat {
		return nil
	}
	if err := w.Board.PostTip(ctx, tip); err != nil {
		return fmt.Errorf("posting the tip: %w", err)
	}
	w.posted = tip
	return nil
}

// wake wakes what something happened to; what cannot be woken is tried again at the next look.
func (w *Watcher) wake(ctx context.Context) error {
	var problems []error
	for id := range w.touched {
		if err := w.Wake(ctx, id); err != nil {
			problems = append(problems, fmt.Errorf("waking order %s: %w", id, err))
			continue
		}
		delete(w.touched, id)
	}
	return errors.Join(problems...)
}
