package order

import (
	"context"
	"errors"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// settleBlocks is how many blocks a coin must lie unspent before a call without an answer counts as never made: a
// request that timed out may still be worked on by the node.
const settleBlocks = 10

// maxUnknown is after how many blocks a person must look.
const maxUnknown = 120

// trace is what the chain tells of a call without an answer.
type trace int

const (
	traceNone   trace = iota // nothing is known yet: look again
	traceNever               // the coin lies there untouched: it was never made
	traceFound               // a call of ours to the contract, not mined yet
	traceGood                // mined, and the contract agreed
	traceFailed              // mined, and the contract refused
)

// traced looks for the call in the history of its address. tx and receipt are given where it was found.
func (r *run) traced(ctx context.Context, t *Ticket, c Call) (found trace, receipt Receipt, err error) {
	var calls []PastCall
	err = r.call(ctx, "ticket", string(t.State), SiteCalls, func(ctx context.Context) (err error) {
		calls, err = r.Ledger.Calls(ctx, t.Account, t.Address)
		return err
	})
	if err != nil {
		return traceNone, Receipt{}, err
	}
	for _, past := range calls {
		if past.To != r.o.Show.Contract || settled(*t, past) {
			continue
		}
		receipt, mined, err := r.receipt(ctx, t, past.TxID)
		switch {
		case err != nil:
			return traceNone, Receipt{}, err
		case !mined:
			return r.tracePending(ctx, t, c, past)
		case receipt.Success:
			return traceGood, receipt, nil
		}
		return traceFailed, receipt, nil
	}
	return r.traceAbsent(ctx, t, c)
}

// settled tells whether a call of the history is one whose outcome was noted before.
func settled(t Ticket, past PastCall) bool {
	return slices.Contains(t.Reserve.Past, past.TxID) || slices.Contains(t.Release.Past, past.TxID)
}

// tracePending sees to a call that the wallet knows and no block has. While its coin is spent it is in the mempool.
// Where the coin is unspent it vanished: without its bytes it is removed from the wallet, and the coin is free again.
func (r *run) tracePending(ctx context.Context, t *Ticket, c Call, past PastCall) (trace, Receipt, error) {
	there, err := r.unspent(ctx, t, c.Coin.Outpoint)
	if err != nil {
		return traceNone, Receipt{}, err
	}
	if there && r.k.tip.Height >= c.Height+settleBlocks {
		err = r.call(ctx, "ticket", string(t.State), SiteForget, func(ctx context.Context) error {
			return r.Ledger.Forget(ctx, t.Account, past.TxID)
		})
		return traceNone, Receipt{}, err
	}
	return traceFound, Receipt{TxID: past.TxID}, nil
}

// traceAbsent decides on a call that the history does not have.
func (r *run) traceAbsent(ctx context.Context, t *Ticket, c Call) (trace, Receipt, error) {
	if r.k.tip.Height < c.Height+settleBlocks {
		return traceNone, Receipt{}, nil
	}
	there, err := r.unspent(ctx, t, c.Coin.Outpoint)
	if err != nil || !there {
		return traceNone, Receipt{}, err
	}
	for _, coin := range at(r.k.coins, t.Address) {
		if coin.Outpoint == c.Coin.Outpoint {
			return traceNever, Receipt{}, nil
		}
	}
	return traceNone, Receipt{}, nil // the wallet does not offer the coin yet
}

// stepUnknown resolves a Reserve call without an answer by looking at the chain.
func (r *run) stepUnknown(ctx context.Context, t *Ticket) (bool, error) {
	c := &t.Reserve
	if r.k.now.Before(c.Again) {
		return false, nil
	}
	found, receipt, err := r.traced(ctx, t, *c)
	if err != nil {
		return false, err
	}
	switch found {
	case traceGood, traceFailed:
		return r.unknownMined(ctx, t, found, receipt)
	case traceFound:
		return r.unknownPending(ctx, t, receipt)
	case traceNever:
		c.TxID, c.Again = "", r.k.now
		t.move(Reserving, r.k.now)
		return r.moved(ctx)
	case traceNone:
	}
	if r.k.tip.Height > c.Height+maxUnknown {
		r.attention(t, ReasonUnresolved)
		return r.moved(ctx)
	}
	c.Again = r.k.now.Add(lookAgain)
	return false, nil
}

// unknownMined: the call was made after all.
func (r *run) unknownMined(ctx context.Context, t *Ticket, found trace, receipt Receipt) (bool, error) {
	c := &t.Reserve
	c.TxID = receipt.TxID
	switch {
	case found == traceFailed:
		c.settle(receipt, r.o.Gas, t.Price)
		r.lose(ctx, t, ReasonCallFailed)
	case r.hasSecret(*t, receipt.TxID):
		t.move(Reserved, r.k.now) // the next step checks which secret fits
	default:
		c.settle(receipt, r.o.Gas, t.Price)
		t.Owned, t.Reason = receipt.Block, ReasonNoSecret
		t.move(Stray, r.k.now)
	}
	return r.moved(ctx)
}

// unknownPending: the call is in the mempool. With secrets at hand it is as good as answered; without, its block is
// awaited, for it may still fail and cost nothing but gas.
func (r *run) unknownPending(ctx context.Context, t *Ticket, receipt Receipt) (bool, error) {
	c := &t.Reserve
	if c.TxID == receipt.TxID {
		c.Again = r.k.now.Add(lookAgain)
		return false, nil
	}
	c.TxID = receipt.TxID
	if r.hasSecret(*t, receipt.TxID) {
		t.move(Reserved, r.k.now)
	}
	return r.moved(ctx)
}

// hasSecret tells whether there is a secret that may be the one of a call that was found on chain.
func (r *run) hasSecret(t Ticket, tx cirrus.TxID) bool {
	r.derive(t, tx)
	return len(r.o.Private.Secrets[t.ID]) > 0
}

// derive adds the secret of a call that was found without its answer, where the booth can tell it.
func (r *run) derive(t Ticket, tx cirrus.TxID) {
	deriver, can := r.Booth.(Deriver)
	kept := func(secret Secret) bool { return secret.TxID == tx }
	if !can || slices.ContainsFunc(r.o.Private.Secrets[t.ID], kept) {
		return
	}
	secrets, err := deriver.Derive(r.boothCall(t, t.Reserve))
	if err != nil {
		r.Log.Error("secret not derived", "order", r.o.ID, "ticket", t.ID, "error", err)
	}
	for _, secret := range slices.Backward(secrets) { // the likeliest last, where it is looked for first
		r.keepSecret(t.ID, Reservation{TxID: tx, Secret: secret})
	}
}

// refusedAsOver tells whether an answer to ReleaseTicket means that the window is over, not that an earlier call of
// ours was faster.
func refusedAsOver(err error) bool {
	return errors.Is(err, ErrReleaseOver) || errors.Is(err, ErrSaleClosed)
}
