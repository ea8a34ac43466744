package chain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// lookAtCoins posts the spendable coins of all accounts after a block and whenever they changed in between.
func (w *Watcher) lookAtCoins(ctx context.Context) error {
	changed := w.due.coins
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
	w.due.coins = false
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

// lookForCalls finds the orders whose transactions were mined, undone, or are gone from the mempool, after a block.
func (w *Watcher) lookForCalls(ctx context.Context) error {
	if !w.due.calls {
		return nil
	}
	if len(w.due.txs) > 0 {
		watched, err := w.Board.Watched(ctx, slices.Sorted(maps.Keys(w.due.txs)))
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
	if err := w.lookForLost(ctx, unmined); err != nil {
		return err
	}
	w.due.calls, w.due.txs, w.due.all = false, nil, false
	return nil
}

// lookForLost finds, of transactions that orders wait for, those that wait for a block no more.
func (w *Watcher) lookForLost(ctx context.Context, unmined map[cirrus.TxID]order.ID) error {
	if len(unmined) == 0 {
		return nil
	}
	waiting, err := w.Client.Mempool(ctx)
	if err != nil {
		return fmt.Errorf("reading the mempool: %w", err)
	}
	for tx, id := range unmined {
		if w.due.all || !waiting[tx] {
			w.touched[id] = true
		}
	}
	return nil
}
