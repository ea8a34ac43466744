package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// floatKeeper looks after the operator's float: whether it covers the worst that the open orders may cost, and that it
// lies in coins of a size that one order uses up.
type floatKeeper struct {
	purse   floatPurse
	wallet  floatWallet
	orders  func(context.Context) ([]order.ID, error)
	load    func(context.Context, order.ID) (order.Order, error)
	view    order.View
	store   small
	gas     order.Gas
	derived bool
	tell    func(ctx context.Context, free, needed cirrus.Strats) error
	log     *slog.Logger
}

// floatWallet is what dividing coins takes of the node.
type floatWallet interface {
	Candidates(ctx context.Context, account cirrus.Account, n int) ([]cirrus.Address, error)
	Build(ctx context.Context, p order.Payment) (order.BuiltTx, error)
	Send(ctx context.Context, hex string) error
}

// floatState is what the last look at the float came to.
type floatState struct {
	Free   cirrus.Strats `json:"free"`   // that no order has claimed
	Needed cirrus.Strats `json:"needed"` // the worst loss of what is held and paid, and of one seat more
	Coins  int           `json:"coins"`
	Told   bool          `json:"told"` // the operators know that it is too low
}

func (s floatState) low() bool { return s.Free < s.Needed }

const floatStateKey = "operator:float"

// floatEvery is the time between two looks; blocks come about as often. floatWithin bounds one.
const (
	floatEvery  = 15 * time.Second
	floatWithin = time.Minute
)

// fanOutID is whom an address of the float belongs to whose coin was divided.
const fanOutID order.ID = "fan-out"

func (a *app) newFloatKeeper() *floatKeeper {
	if a.settings.float == nil {
		return nil
	}
	return &floatKeeper{
		purse: floatPurse{*a.settings.float, a.node.Spendable, a.db}, wallet: a.node, orders: a.db.All, load: a.db.Load, view: a.db,
		store: a.db.Sealed(), gas: a.settings.gas, derived: a.settings.direct != "", tell: a.flows.FloatLow, log: a.log,
	}
}

// run looks until ctx ends.
func (k *floatKeeper) run(ctx context.Context) error {
	ticker := time.NewTicker(floatEvery)
	defer ticker.Stop()
	for {
		err := k.lookWithin(ctx)
		early := errors.Is(err, order.ErrNotFound) // the chain was not looked at yet
		if err != nil && !early && ctx.Err() == nil {
			k.log.Warn("looking after the float", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func (k *floatKeeper) lookWithin(ctx context.Context) error {
	ctx, done := context.WithTimeout(ctx, floatWithin)
	defer done()
	return k.look(ctx)
}

// look notes what the float has and what it needs, tells the operators once when that is too little, and divides a coin
// where that is due.
func (k *floatKeeper) look(ctx context.Context) error {
	coins, err := k.purse.Coins(ctx, fanOutID)
	if err != nil {
		return fmt.Errorf("listing the float's coins: %w", err)
	}
	needed, err := k.needed(ctx)
	if err != nil {
		return err
	}
	before, err := k.state(ctx)
	if err != nil {
		return err
	}
	now := floatState{Needed: needed, Coins: len(coins), Told: before.Told}
	for _, coin := range coins {
		now.Free += coin.Amount
	}
	if now.Free >= needed+needed/4 { // not at each order more or less
		now.Told = false
	}
	if now.low() && !now.Told {
		if err := k.tell(ctx, now.Free, needed); err != nil {
			k.log.Error("operator not told of the float", "free", now.Free, "needed", needed, "error", err)
		} else {
			now.Told = true
		}
	}
	return errors.Join(k.keep(ctx, now), k.divide(ctx, coins))
}

// needed is the worst that all open orders may cost, and one seat more.
func (k *floatKeeper) needed(ctx context.Context) (cirrus.Strats, error) {
	tip, err := k.view.Tip(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the tip: %w", err)
	}
	ids, err := k.orders(ctx)
	if err != nil {
		return 0, fmt.Errorf("listing orders: %w", err)
	}
	var worst cirrus.Strats
	for _, id := range ids {
		o, err := k.load(ctx, id)
		if errors.Is(err, order.ErrNotFound) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("adding up what the float may have to pay: %w", err)
		}
		worst += order.WorstLoss(o, tip, k.derived)
	}
	sales, err := k.view.Sales(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the sales: %w", err)
	}
	var more cirrus.Strats
	for _, sale := range sales {
		more = max(more, order.SeatLoss(sale, k.gas, tip, k.derived))
	}
	return worst + more, nil
}

// state is what the last look came to; nothing before the first.
func (k *floatKeeper) state(ctx context.Context) (s floatState, err error) {
	raw, err := k.store.Get(ctx, floatStateKey)
	if err != nil || len(raw) == 0 {
		return s, err
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("reading how the float is: %w", err)
	}
	return s, nil
}

func (k *floatKeeper) keep(ctx context.Context, s floatState) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return k.store.Put(ctx, floatStateKey, raw)
}

// divide has one coin of the float become several, where that is due. The coin's address is claimed first, so that no
// order takes it meanwhile. Nothing is lost with a death in between: the coin is the float's before and after.
func (k *floatKeeper) divide(ctx context.Context, coins []cirrus.Coin) error {
	claims, err := k.purse.claims.FloatClaims(ctx)
	if err != nil {
		return err
	}
	coin, parts, fee := order.FanOut(coins, func(a cirrus.Address) bool { return claims[a] == fanOutID })
	if len(parts) == 0 {
		return nil
	}
	payment := order.Payment{Account: k.purse.account, Coins: []cirrus.Outpoint{coin.Outpoint}, Fee: fee}
	fresh, err := k.fresh(ctx, len(parts), claims)
	if err != nil {
		return err
	}
	for i, amount := range parts {
		payment.Outputs = append(payment.Outputs, order.Output{Address: fresh[i], Amount: amount})
	}
	if err := k.purse.Claim(ctx, coin.Address, fanOutID); errors.Is(err, order.ErrClaimed) {
		return nil // an order was faster
	} else if err != nil {
		return err
	}
	built, err := k.wallet.Build(ctx, payment)
	if err != nil {
		return fmt.Errorf("dividing a coin of the float: %w", errors.Join(err, k.purse.Free(ctx, coin.Address, fanOutID)))
	}
	if err := k.wallet.Send(ctx, built.Hex); err != nil {
		return fmt.Errorf("dividing a coin of the float: %w", err)
	}
	k.log.Info("float divided", "coin", coin.Outpoint.String(), "parts", len(parts), "tx", built.TxID)
	return nil
}

// fresh finds addresses of the float that no coin lies at and nobody has claimed.
func (k *floatKeeper) fresh(ctx context.Context, n int, claims map[cirrus.Address]order.ID) ([]cirrus.Address, error) {
	const spare = 20
	candidates, err := k.wallet.Candidates(ctx, k.purse.account, n+spare)
	if err != nil {
		return nil, fmt.Errorf("asking for addresses of the float: %w", err)
	}
	candidates = slices.DeleteFunc(candidates, func(a cirrus.Address) bool { _, claimed := claims[a]; return claimed })
	if len(candidates) < n {
		return nil, fmt.Errorf("dividing a coin of the float: %w: %d fresh addresses of %d", order.ErrNotAllowed, len(candidates), n)
	}
	return candidates[:n], nil
}

// line says how the float is, for /status.
func (s floatState) line() string {
	return fmt.Sprintf("Float: %s CRS in %d coins that no order has; what is held and paid may take %s CRS.", s.Free, s.Coins, s.Needed)
}
