package order

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// outcome is what an answer to a Reserve or ReleaseTicket call means for the ticket.
type outcome int

const (
	broadcast outcome = iota // the call is in the mempool
	again                    // nothing happened, not the seat's fault: try later
	doubtful                 // it may or may not have happened
	refused                  // nothing happened, and the seat or the window is gone
)

// judge reads an answer. Whatever is not known for sure to have done nothing is doubtful.
func judge(err error) outcome {
	if err == nil {
		return broadcast
	}
	for _, passing := range []error{
		ErrUnreachable, ErrNoPeers, ErrSyncing, ErrPassword, ErrWallet, ErrCoins, ErrInputsReserved, ErrRefused, ErrNameNeeded,
	} {
		if errors.Is(err, passing) {
			return again
		}
	}
	for _, gone := range []error{ErrSaleClosed, ErrSeatTaken, ErrSeatUnknown, ErrNoContract, ErrReleaseOver, ErrNotOwner} {
		if errors.Is(err, gone) {
			return refused
		}
	}
	return doubtful
}

// maxRefused is how often a call is tried that is refused for reasons that pass: with the wait growing to five
// minutes, about two hours.
const maxRefused = 30

// begin notes the intent to call; it must be saved before the call is made.
func (c *Call) begin(coin cirrus.Coin, tip Tip, now time.Time) {
	c.Attempt++
	c.Coin, c.Begun, c.Height, c.Calling = coin, now, tip.Height, true
	c.TxID, c.Raw, c.Block, c.Success, c.GasUsed = "", "", 0, false, 0
}

// refuse notes that the call did nothing and when it may be made again.
func (c *Call) refuse(now time.Time) {
	c.Calling = false
	c.Refused++
	c.Again = now.Add(backoff(c.Refused))
}

// settle notes the receipt, and what the call cost: its gas, and change too small to be made.
func (c *Call) settle(receipt Receipt, gas Gas, value cirrus.Strats) {
	c.Block, c.Success, c.GasUsed = receipt.Block, receipt.Success, receipt.GasUsed
	c.Past = append(c.Past, receipt.TxID)
	c.Spent += gas.Cost(receipt.GasUsed)
	c.Lost += c.swallowed(gas, value)
}

// swallowed is the change that the call was too small to make.
func (c *Call) swallowed(gas Gas, value cirrus.Strats) cirrus.Strats {
	if change := c.Coin.Amount - value - gas.Budget(); change > 0 && change < changeMade {
		return change
	}
	return 0
}

// undo takes back what settle noted: the block of the receipt was undone, and the call waits to be mined again.
func (c *Call) undo(gas Gas, value cirrus.Strats, tip Tip) {
	c.Spent -= gas.Cost(c.GasUsed)
	c.Lost -= c.swallowed(gas, value)
	c.Past = slices.DeleteFunc(c.Past, func(tx cirrus.TxID) bool { return tx == c.TxID })
	c.Block, c.Success, c.GasUsed = 0, false, 0
	c.Height, c.Undone = tip.Height, tip.Height
}

// stuck tells whether a call whose block was undone has not been mined again for so long that a person must look: what
// it spends may be gone.
func (c *Call) stuck(tip Tip) bool { return c.Undone > 0 && tip.Height > c.Undone+maxUnknown }

// changeMade is the least change that a wallet makes; 5 460 strats or less it leaves as fee.
const changeMade = MinOutput + 1

// usable tells whether a call that needs so much can name this coin without losing change.
func usable(coin cirrus.Coin, need cirrus.Strats) bool {
	change := coin.Amount - need
	return coin.Confirmations > 0 && (change == 0 || change >= changeMade)
}

// callCoin picks the one coin that a call names: the smallest that is enough and loses no change.
func callCoin(coins []cirrus.Coin, need cirrus.Strats) (cirrus.Coin, bool) {
	var best cirrus.Coin
	for _, coin := range coins {
		if usable(coin, need) && (best.IsZero() || coin.Amount < best.Amount) {
			best = coin
		}
	}
	return best, !best.IsZero()
}

// keepRaw reads the call's bytes from the mempool, so that one that vanishes can be sent again with its secret
// unchanged. That it fails is no harm: without bytes a vanished call is made anew.
func (r *run) keepRaw(ctx context.Context, state TicketState, c *Call) {
	err := r.call(ctx, "ticket", string(state), SiteRaw, func(ctx context.Context) error {
		raw, err := r.Ledger.Raw(ctx, c.TxID)
		c.Raw = raw
		return err
	})
	if err != nil {
		r.Log.Warn("call's bytes not read", "order", r.o.ID, "tx", c.TxID, "error", err)
		return
	}
	// It is saved with the next step; when that is lost, it is read again or done without.
}

// receipt asks what became of a call.
func (r *run) receipt(ctx context.Context, t *Ticket, tx cirrus.TxID) (receipt Receipt, mined bool, err error) {
	err = r.call(ctx, "ticket", string(t.State), SiteReceipt, func(ctx context.Context) error {
		receipt, err = r.Ledger.Receipt(ctx, tx)
		return err
	})
	if errors.Is(err, ErrNotMined) {
		return Receipt{}, false, nil
	}
	return receipt, err == nil, err
}

// unspent asks whether the coin that a call names is still there, as the mempool sees it.
func (r *run) unspent(ctx context.Context, t *Ticket, coin cirrus.Outpoint) (there bool, err error) {
	err = r.call(ctx, "ticket", string(t.State), SiteUnspent, func(ctx context.Context) error {
		there, err = r.Ledger.Unspent(ctx, coin, true)
		return err
	})
	return there, err
}

// vanishedAfter is after how many blocks without a receipt a broadcast call is looked for in the mempool.
const vanishedAfter = 2

// revive sees to a call that was broadcast and has no receipt: where its coin is unspent again it vanished, and is
// sent again, the same bytes. known is false where the bytes are not.
func (r *run) revive(ctx context.Context, t *Ticket, c *Call) (known bool, err error) {
	if r.k.tip.Height < c.Height+vanishedAfter {
		return true, nil
	}
	there, err := r.unspent(ctx, t, c.Coin.Outpoint)
	if err != nil || !there {
		return true, err
	}
	if c.Raw == "" {
		return false, nil
	}
	err = r.call(ctx, "ticket", string(t.State), SiteSend, func(ctx context.Context) error {
		return r.Purse.Send(ctx, c.Raw)
	})
	c.Height = r.k.tip.Height
	r.Log.Warn("vanished call sent again", "order", r.o.ID, "ticket", t.ID, "tx", c.TxID, "error", err)
	return true, nil
}
