package order

import (
	"context"

	"github.com/usherbot/usher/chain/cirrus"
)

// spot is the state from which a call is made; its row must list the call's site.
type spot struct{ table, state string }

// maxInputs bounds the coins of one transfer, so that it stays far below the largest transaction that nodes relay.
const maxInputs = 200

// begun tells whether a transfer was built and is not known to be mined.
func (m Transfer) begun() bool { return m.TxID != "" && m.Mined == 0 }

// buildTransfer makes and signs a transfer of these coins; the caller saves it. A failure is noted with the time of
// the next try: nothing was spent, so building again is safe.
func (r *run) buildTransfer(ctx context.Context, at spot, m *Transfer, coins []cirrus.Coin, p Payment) bool {
	for _, coin := range coins {
		p.Coins = append(p.Coins, coin.Outpoint)
	}
	var built BuiltTx
	err := r.call(ctx, at.table, at.state, SiteBuild, func(ctx context.Context) (err error) {
		built, err = r.Purse.Build(ctx, p)
		return err
	})
	if err != nil {
		r.retryTransfer(m, "transfer not built", err)
		return false
	}
	*m = Transfer{Hex: built.Hex, TxID: built.TxID, Coins: coins, Fee: p.Fee, Block: r.k.tip.Height}
	return true
}

func (r *run) retryTransfer(m *Transfer, what string, err error) {
	m.Tries++
	m.Again = r.k.now.Add(backoff(m.Tries))
	r.Log.Warn(what, "order", r.o.ID, "tx", m.TxID, "tries", m.Tries, "error", err)
}

// stepTransfer sends what was built and waits until its inputs are spent in the chain; mined tells that they are.
// Where it vanished, the same bytes are sent again.
func (r *run) stepTransfer(ctx context.Context, at spot, m *Transfer) (moved, mined bool, err error) {
	if r.k.now.Before(m.Again) {
		return false, false, nil
	}
	if !m.Sent {
		moved, err = r.sendTransfer(ctx, at, m)
		return moved, false, err
	}
	there, err := r.coinThere(ctx, at, m.Coins[0].Outpoint, false)
	if err != nil {
		return false, false, err
	}
	if !there {
		return false, true, nil
	}
	m.Mined = 0
	if r.k.tip.Height < m.Block+vanishedAfter {
		return false, false, nil
	}
	untouched, err := r.coinThere(ctx, at, m.Coins[0].Outpoint, true)
	if err != nil || !untouched {
		return false, false, err
	}
	m.Sent = false
	moved, err = r.moved(ctx)
	return moved, false, err
}

// sendTransfer sends the saved bytes. A refusal says nothing: whether the transaction is out is seen from its inputs.
func (r *run) sendTransfer(ctx context.Context, at spot, m *Transfer) (bool, error) {
	err := r.call(ctx, at.table, at.state, SiteSend, func(ctx context.Context) error {
		return r.Purse.Send(ctx, m.Hex)
	})
	if err != nil {
		untouched, lookErr := r.coinThere(ctx, at, m.Coins[0].Outpoint, true)
		if lookErr != nil || untouched {
			r.retryTransfer(m, "transfer not sent", err)
			return false, nil
		}
	}
	m.Sent, m.Tries, m.Block = true, 0, r.k.tip.Height
	return r.moved(ctx)
}

// coinThere asks whether a coin is unspent, as the mempool sees it or as the chain alone does.
func (r *run) coinThere(ctx context.Context, at spot, coin cirrus.Outpoint, mempool bool) (there bool, err error) {
	err = r.call(ctx, at.table, at.state, SiteUnspent, func(ctx context.Context) error {
		there, err = r.Ledger.Unspent(ctx, coin, mempool)
		return err
	})
	return there, err
}
