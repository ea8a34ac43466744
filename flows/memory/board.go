package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// board is what the watcher wrote down.
type board struct {
	tip   *order.Tip
	coins map[cirrus.Address][]placed
	sales map[cirrus.Address][]byte
}

// placed is a coin with the height of its block instead of its confirmations, so that it stays the same from block
// to block.
type placed struct {
	outpoint cirrus.Outpoint
	amount   cirrus.Strats
	height   int64
	mined    bool
}

// Tip implements order.View.
func (db *DB) Tip(ctx context.Context) (order.Tip, error) {
	if err := ctx.Err(); err != nil {
		return order.Tip{}, fmt.Errorf("read tip: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.board.tip == nil {
		return order.Tip{}, fmt.Errorf("read tip: %w", order.ErrNotFound)
	}
	return *db.board.tip, nil
}

// PostTip implements order.Board.
func (db *DB) PostTip(ctx context.Context, tip order.Tip) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("post tip: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.board.tip = &tip
	return nil
}

// Coins implements order.View.
func (db *DB) Coins(ctx context.Context, addresses ...cirrus.Address) ([]cirrus.Coin, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read coins: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	var coins []cirrus.Coin
	for _, address := range addresses {
		for _, p := range db.board.coins[address] {
			coin := cirrus.Coin{Outpoint: p.outpoint, Address: address, Amount: p.amount}
			if p.mined {
				coin.Confirmations = uint64(max(1, int64(db.board.tip.Height)+1-p.height))
			}
			coins = append(coins, coin)
		}
	}
	return coins, nil
}

// PostCoins implements order.Board. It must follow the PostTip of the block that the coins were read at. An order
// counts as touched when a coin of one of its addresses came, went, was mined or left its block again.
func (db *DB) PostCoins(ctx context.Context, coins []cirrus.Coin) ([]order.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("post coins: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.board.tip == nil {
		return nil, fmt.Errorf("post coins before a tip: %w", order.ErrNotFound)
	}
	now := place(coins, int64(db.board.tip.Height))
	touched := map[order.ID]bool{}
	for _, side := range []map[cirrus.Address][]placed{now, db.board.coins} {
		for address := range side {
			id, owned := db.owners[address]
			if owned && !slices.EqualFunc(now[address], db.board.coins[address], alike) {
				touched[id] = true
			}
		}
	}
	db.board.coins = now
	return sorted(touched), nil
}

func place(coins []cirrus.Coin, tip int64) map[cirrus.Address][]placed {
	at := map[cirrus.Address][]placed{}
	for _, coin := range coins {
		p := placed{outpoint: coin.Outpoint, amount: coin.Amount, mined: coin.Confirmations > 0}
		if p.mined {
			p.height = tip + 1 - int64(coin.Confirmations)
		}
		at[coin.Address] = append(at[coin.Address], p)
	}
	for _, placed := range at {
		slices.SortFunc(placed, byOutpoint)
	}
	return at
}

func byOutpoint(a, b placed) int {
	return cmp.Or(cmp.Compare(a.outpoint.TxID, b.outpoint.TxID), cmp.Compare(a.outpoint.Index, b.outpoint.Index))
}

func alike(a, b placed) bool {
	return a.outpoint == b.outpoint && a.amount == b.amount && a.mined == b.mined
}

func sorted(set map[order.ID]bool) []order.ID {
	ids := make([]order.ID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// PostSale implements order.Board.
func (db *DB) PostSale(ctx context.Context, sale order.Sale) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("post sale of %s: %w", sale.Contract, err)
	}
	body, err := json.Marshal(sale)
	if err != nil {
		return fmt.Errorf("post sale of %s: %w", sale.Contract, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.board.sales[sale.Contract] = body
	return nil
}

// DropSale forgets a contract that is not followed any more.
func (db *DB) DropSale(ctx context.Context, contract cirrus.Address) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("drop sale of %s: %w", contract, err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	delete(db.board.sales, contract)
	return nil
}

// Sale implements order.View.
func (db *DB) Sale(ctx context.Context, contract cirrus.Address) (order.Sale, error) {
	sales, err := db.Sales(ctx)
	if err != nil {
		return order.Sale{}, err
	}
	for _, sale := range sales {
		if sale.Contract == contract {
			return sale, nil
		}
	}
	return order.Sale{}, fmt.Errorf("read sale of %s: %w", contract, order.ErrNotFound)
}

// Sales implements order.View. They come in the order of their contracts' addresses.
func (db *DB) Sales(ctx context.Context) ([]order.Sale, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read sales: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	sales := make([]order.Sale, 0, len(db.board.sales))
	var errs []error
	for _, body := range db.board.sales {
		var sale order.Sale
		errs = append(errs, json.Unmarshal(body, &sale))
		sales = append(sales, sale)
	}
	slices.SortFunc(sales, func(a, b order.Sale) int { return cmp.Compare(a.Contract, b.Contract) })
	return sales, errors.Join(errs...)
}

// Watched implements order.Board.
func (db *DB) Watched(ctx context.Context, txs []cirrus.TxID) (map[cirrus.TxID]order.ID, error) {
	all, err := db.Unmined(ctx)
	if err != nil {
		return nil, err
	}
	found := map[cirrus.TxID]order.ID{}
	for _, tx := range txs {
		if id, ok := all[tx]; ok {
			found[tx] = id
		}
	}
	return found, nil
}

// Unmined implements order.Board.
func (db *DB) Unmined(ctx context.Context) (map[cirrus.TxID]order.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read unmined transactions: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	all := map[cirrus.TxID]order.ID{}
	for id, r := range db.orders {
		for _, tx := range r.watching {
			all[tx] = id
		}
	}
	return all, nil
}
