package order

import (
	"cmp"
	"context"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// stepMove gives each ticket one coin: it joins the coins that paid for one seat, or splits what paid for several.
func (r *run) stepMove(ctx context.Context) (bool, error) {
	m := &r.o.Move
	if m.TxID == "" {
		return r.buildMove(ctx)
	}
	moved, mined, err := r.stepTransfer(ctx, r.moveSpot(), m)
	if moved || err != nil || !mined {
		return moved, err
	}
	return r.fill(ctx)
}

func (r *run) moveSpot() spot { return spot{"order", string(r.o.State)} }

// beginMove goes on from paid with a transfer.
func (r *run) beginMove(ctx context.Context, to State) (bool, error) {
	r.o.Move = Transfer{Block: r.k.tip.Height}
	r.o.move(to, r.k.now)
	return r.moved(ctx)
}

// buildMove makes the transfer of what lies confirmed at the order's address.
func (r *run) buildMove(ctx context.Context) (bool, error) {
	m := &r.o.Move
	if r.k.now.Before(m.Again) {
		return false, nil
	}
	there := at(r.k.coins, r.o.Address)
	if sum(there, r.cfg.Confirmations) < r.o.Due { // the payment's block was undone
		r.o.Move = Transfer{}
		r.o.move(Paid, r.k.now)
		return r.moved(ctx)
	}
	coins := moveCoins(there, r.cfg.Confirmations)
	if sum(coins, 0) < r.o.Due { // it came in too many parts for one transfer
		return r.moveLate(ctx, m.Block)
	}
	payment, back, err := r.movePayment(ctx, coins)
	if err != nil || !r.buildTransfer(ctx, r.moveSpot(), m, coins, payment) {
		return false, err
	}
	m.Back = back
	return r.moved(ctx)
}

// moveCoins picks the coins of a transfer, the largest first.
func moveCoins(coins []cirrus.Coin, confirmations uint64) []cirrus.Coin {
	deep := slices.DeleteFunc(slices.Clone(coins), func(c cirrus.Coin) bool { return c.Confirmations < confirmations })
	slices.SortStableFunc(deep, func(a, b cirrus.Coin) int { return cmp.Compare(b.Amount, a.Amount) })
	return deep[:min(len(deep), maxInputs)]
}

// movePayment says what the transfer pays: all to the one ticket, or its share to each ticket and what came on top,
// where that is worth sending, back to the customer.
func (r *run) movePayment(ctx context.Context, coins []cirrus.Coin) (p Payment, back cirrus.Strats, err error) {
	tickets := r.o.Tickets
	p = Payment{Account: r.o.Account, Fee: NetworkFee(len(coins), len(tickets))}
	rest := sum(coins, 0) - p.Fee
	for _, t := range tickets {
		p.Outputs = append(p.Outputs, Output{Address: t.Address, Amount: r.o.share(t)})
		rest -= r.o.share(t)
	}
	if len(tickets) == 1 || rest < Sendable {
		p.Outputs[0].Amount += rest // below zero the fee comes out of the deposit
		return p, 0, nil
	}
	contract, err := r.refundIsContract(ctx, r.moveSpot())
	if err != nil {
		return Payment{}, 0, err
	}
	if contract {
		p.Outputs[0].Amount += rest
		return p, 0, nil
	}
	fee := NetworkFee(len(coins), len(tickets)+1)
	rest, p.Fee = rest+p.Fee-fee, fee
	p.Outputs = append(p.Outputs, Output{Address: r.o.Private.Refund, Amount: rest})
	return p, rest, nil
}

// fill gives each ticket its coin once the watcher shows them all.
func (r *run) fill(ctx context.Context) (bool, error) {
	m := &r.o.Move
	if m.Mined == 0 {
		m.Mined = r.k.tip.Height
	}
	coins := make([]cirrus.Coin, len(r.o.Tickets))
	for i, t := range r.o.Tickets {
		if !t.Coin.IsZero() || t.Was != "" { // it had its coin before a block was undone, or takes another's place
			coins[i] = t.Coin
			continue
		}
		coin, ok := r.movedCoin(t, *m)
		if !ok {
			return r.moveLate(ctx, m.Mined)
		}
		coins[i] = coin
	}
	for i, coin := range coins {
		r.o.Tickets[i].Coin = coin
	}
	r.o.move(Filled, r.k.now)
	return r.moved(ctx)
}

// movedCoin finds a ticket's output of a transfer. It may have been mined under another id, for its signatures can
// be rewritten by whoever relays it; so after a while any coin counts that is enough.
func (r *run) movedCoin(t Ticket, m Transfer) (cirrus.Coin, bool) {
	coins := r.free(t.Address, "")
	for _, coin := range coins {
		if coin.TxID == m.TxID && coin.Confirmations > 0 {
			return coin, true
		}
	}
	if r.k.tip.Height < m.Mined+vanishedAfter {
		return cirrus.Coin{}, false
	}
	return callCoin(coins, t.Price+r.o.Gas.Budget())
}

// moveLate hands the tickets to a person when money that must be there has not come for a while.
func (r *run) moveLate(ctx context.Context, since uint64) (bool, error) {
	if r.k.tip.Height <= since+lateBlocks {
		return false, nil
	}
	r.Log.Error("money missing", "order", r.o.ID, "state", r.o.State, "tx", r.o.Move.TxID)
	for i := range r.o.Tickets { // the transfer stays noted: what it cost and sent back is part of the account
		r.attention(&r.o.Tickets[i], ReasonMissing)
	}
	r.o.move(Filled, r.k.now)
	return r.moved(ctx)
}
