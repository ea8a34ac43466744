package chain

import (
	"context"
	"slices"
	"sync"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// board is an order.Board in memory, and the order.View of what was posted.
type board struct {
	mu      sync.Mutex
	tips    []order.Tip
	coins   []cirrus.Coin
	posts   int // of coins
	sales   map[cirrus.Address]order.Sale
	waiting map[cirrus.TxID]order.ID // unmined
	all     map[cirrus.TxID]order.ID // every transaction of an order
	owners  map[cirrus.Address]order.ID
	woken   []order.ID
	fail    error
}

func newBoard() *board {
	return &board{
		sales: map[cirrus.Address]order.Sale{}, waiting: map[cirrus.TxID]order.ID{},
		all: map[cirrus.TxID]order.ID{}, owners: map[cirrus.Address]order.ID{},
	}
}

func (b *board) PostTip(_ context.Context, tip order.Tip) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tips = append(b.tips, tip)
	return b.fail
}

func (b *board) PostCoins(_ context.Context, coins []cirrus.Coin) ([]order.ID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return nil, b.fail
	}
	var changed []order.ID
	for _, coin := range coins {
		if id, ours := b.owners[coin.Address]; ours && !slices.Contains(b.coins, coin) {
			changed = append(changed, id)
		}
	}
	b.coins = coins
	b.posts++
	return changed, nil
}

func (b *board) PostSale(_ context.Context, sale order.Sale) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sales[sale.Contract] = sale
	return b.fail
}

func (b *board) Watched(_ context.Context, txs []cirrus.TxID) (map[cirrus.TxID]order.ID, error) {
	found := map[cirrus.TxID]order.ID{}
	for _, tx := range txs {
		if id, ours := b.all[tx]; ours {
			found[tx] = id
		}
	}
	return found, b.fail
}

func (b *board) Unmined(context.Context) (map[cirrus.TxID]order.ID, error) { return b.waiting, b.fail }

func (b *board) wake(_ context.Context, id order.ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.woken = append(b.woken, id)
	return nil
}

// drain gives the orders woken since the last time, sorted.
func (b *board) drain() []order.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	woken := b.woken
	b.woken = nil
	slices.Sort(woken)
	return woken
}

func (b *board) tip() order.Tip {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.tips) == 0 {
		return order.Tip{}
	}
	return b.tips[len(b.tips)-1]
}

// seen is a View that knows a tip only.
type seen struct {
	order.View
	tip order.Tip
	err error
}

func (s seen) Sales(context.Context) ([]order.Sale, error) {
	return []order.Sale{{Contract: "tGone"}}, s.err
}

func (s seen) Tip(context.Context) (order.Tip, error) { return s.tip, s.err }
