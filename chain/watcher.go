package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Watching says what a Watcher follows and whom it tells. All of it is needed except View and Log.
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
	// Wake makes an order run soon.
	Wake  func(ctx context.Context, id order.ID) error
	Poll  time.Duration // between two looks; 0: 4 seconds
	Clock func() time.Time
	Log   *slog.Logger
}

// Watcher follows the tip of the chain. It must run once at a time, wherever; who runs it is the caller's business.
//
// A look costs one Node/status and one spendable-transactions for each account. A new block costs beyond that one
// reading of the block (its hash, then itself), one Tickets for each venue whose sale is open, and one getrawmempool
// where any order waits for a transaction. Venues without an open sale are looked at again when a block holds more
// than its coinbase. Nothing of this grows with the number of orders.
type Watcher struct {
	Watching
	trail   trail
	told    news // what happened since orders were last woken
	touched map[order.ID]bool
	purses  map[cirrus.Account][]cirrus.Coin
	shelf   map[cirrus.Address]*venue
	posted  order.Tip
	begun   bool
	again   bool // part of the last look failed and is done again although there is no new block
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

// Run looks at the chain every Poll until ctx ends. What fails is logged and done again at the next look.
func (w *Watcher) Run(ctx context.Context) {
	ticker := time.NewTicker(w.Poll)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "looking at the chain", "error", err)
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
	if err := w.trail.follow(ctx, w.Client, status.Height, &w.told); err != nil {
		return errors.Join(err, w.postTip(ctx, false, "the node's blocks cannot be read"))
	}
	err = w.lookAround(ctx, status)
	w.again = err != nil
	if err == nil {
		w.told = news{}
	}
	return errors.Join(err, w.wake(ctx))
}

// lookAround looks at everything but blocks. The tip is posted after coins and sales, so whoever reads it finds those
// at least as new.
func (w *Watcher) lookAround(ctx context.Context, status Status) error {
	healthy, why := status.Health()
	problems := []error{w.lookAtCoins(ctx)}
	if errors.Is(problems[0], errWalletBehind) {
		healthy, why = false, "a wallet is still looking through blocks"
	}
	if w.news() {
		sales := w.lookAtSales(ctx)
		if passing(sales) {
			healthy, why = false, "Ticketbooth does not answer"
		}
		problems = append(problems, sales)
	}
	problems = append(problems, w.postTip(ctx, healthy, why))
	if w.news() {
		problems = append(problems, w.lookForCalls(ctx))
	}
	return errors.Join(problems...)
}

// news tells whether blocks came or went since everything was last told.
func (w *Watcher) news() bool { return w.told.blocks > 0 || w.told.undone || w.again }

// begin takes up the trail where it was left, once.
func (w *Watcher) begin(ctx context.Context) error {
	if w.begun || w.View == nil {
		return nil
	}
	tip, err := w.View.Tip(ctx)
	if err != nil && !errors.Is(err, order.ErrNotFound) {
		return fmt.Errorf("reading where the watcher stopped: %w", err)
	}
	if err == nil && tip.Hash != "" && tip.Network == w.Network.Name {
		w.trail.push(Block{Hash: tip.Hash, Height: tip.Height, Time: tip.Time})
		w.posted = tip
	}
	w.begun = true
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
		Healthy: healthy, Why: why, Network: w.Network.Name,
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

// lookAtCoins posts the spendable coins of all accounts after a block and whenever they changed in between.
func (w *Watcher) lookAtCoins(ctx context.Context) error {
	changed := w.news()
	var all []cirrus.Coin
	for _, account := range w.Accounts {
		coins, err := w.Client.Spendable(ctx, account)
		if err != nil {
			return fmt.Errorf("listing the coins of %s: %w", account, err)
		}
		before, known := w.purses[account]
		if !known || misses(before, coins) {
			if err := w.synced(ctx, account); err != nil {
				return err
			}
		}
		changed = changed || !slices.Equal(before, coins)
		w.purses[account] = coins
		all = append(all, coins...)
	}
	if !changed {
		return nil
	}
	ids, err := w.Board.PostCoins(ctx, all)
	if err != nil {
		w.purses = map[cirrus.Account][]cirrus.Coin{}
		return fmt.Errorf("posting the coins: %w", err)
	}
	for _, id := range ids {
		w.touched[id] = true
	}
	return nil
}

// misses tells whether a coin that was there is not any more.
func misses(before, now []cirrus.Coin) bool {
	there := make(map[cirrus.Outpoint]bool, len(now))
	for _, coin := range now {
		there[coin.Outpoint] = true
	}
	return slices.ContainsFunc(before, func(coin cirrus.Coin) bool { return !there[coin.Outpoint] })
}

// A wallet that has not looked at all blocks yet lets money seem to be missing. A moment after each block that is
// so; for long it is while a wallet looks through its blocks anew.
var (
	errWalletBehind = errors.New("the wallet is behind the chain")
	errWalletSoon   = errors.New("the wallet has not looked at block")
)

// synced refuses the coins of a wallet that has not looked at the newest block yet.
func (w *Watcher) synced(ctx context.Context, account cirrus.Account) error {
	info, err := w.Client.WalletInfo(ctx, account.Wallet)
	if err != nil {
		return fmt.Errorf("asking how far wallet %s is: %w", account.Wallet, err)
	}
	top, _ := w.trail.top()
	switch {
	case info.Synced >= top.Height:
		return nil
	case info.Synced+maxBehind >= top.Height:
		return fmt.Errorf("%w %d yet: %s", errWalletSoon, top.Height, account.Wallet)
	}
	return fmt.Errorf("%w: %s is at block %d of %d", errWalletBehind, account.Wallet, info.Synced, top.Height)
}

// lookForCalls finds the orders whose transactions were mined, undone, or are gone from the mempool.
func (w *Watcher) lookForCalls(ctx context.Context) error {
	touched := make([]cirrus.TxID, 0, len(w.told.touched))
	for id := range w.told.touched {
		touched = append(touched, id)
	}
	slices.Sort(touched)
	if len(touched) > 0 {
		watched, err := w.Board.Watched(ctx, touched)
		if err != nil {
			return fmt.Errorf("finding orders by transaction: %w", err)
		}
		for _, id := range watched {
			w.touched[id] = true
		}
	}
	unmined, err := w.Board.Unmined(ctx)
	if err != nil {
		return fmt.Errorf("listing unmined transactions: %w", err)
	}
	if len(unmined) == 0 {
		return nil
	}
	waiting, err := w.Client.Mempool(ctx)
	if err != nil {
		return fmt.Errorf("reading the mempool: %w", err)
	}
	for tx, id := range unmined {
		if w.told.jumped || !waiting[tx] {
			w.touched[id] = true
		}
	}
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
