package order

import (
	"context"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// lookAgain is the wait between two looks at the chain for something that has no answer yet.
const lookAgain = cirrus.BlockTime

// releaseMargin is how many blocks before the last one a release is still called. The API checks against the tip, but
// the call runs in the next block or later.
const releaseMargin = 1

// stepReleasing gives a ticket back: it waits for the undo time, saves the intent, calls, and awaits the receipt.
func (r *run) stepReleasing(ctx context.Context, t *Ticket) (bool, error) {
	c := &t.Release
	switch {
	case t.Stray && c.Success: // given back, and the float makes the rest good
		return r.makeWhole(ctx, t)
	case r.k.now.Before(t.Undo):
		return false, nil
	case c.TxID != "":
		return r.releaseCalled(ctx, t)
	case c.Calling:
		return r.releaseUnknown(ctx, t)
	case r.k.now.Before(c.Again):
		return false, nil
	case c.Refused >= maxRefused:
		r.attention(t, ReasonTooMany)
		return r.moved(ctx)
	}
	return r.beginRelease(ctx, t)
}

// beginRelease finds the coin that the call names, and calls. An excess on its way to the customer and the joining of
// coins end before, for they spend what lies there.
func (r *run) beginRelease(ctx context.Context, t *Ticket) (bool, error) {
	switch {
	case t.Top.begun():
		return r.awaitTop(ctx, t)
	case !r.windowOpen():
		return r.keep(ctx, t)
	case r.endExtra(t):
		return false, nil
	}
	coin, ok := callCoin(r.free(t.Address, ""), r.o.Gas.Budget())
	if ok {
		return r.callRelease(ctx, t, coin)
	}
	if moved, err := r.stepTop(ctx, t); moved || err != nil {
		return moved, err
	}
	if missing := r.topUp(*t); missing > 0 && (r.Float != nil || r.o.aiding(t.ID) != nil) {
		return r.aided(ctx, t, AidTopUp, missing)
	}
	if r.k.tip.Height > max(t.Owned, t.Top.Mined)+settleBlocks {
		r.attention(t, ReasonMissing)
		return r.moved(ctx)
	}
	return false, nil // the change of the purchase is not confirmed yet; its block wakes us
}

// windowOpen tells whether a call made now can still succeed.
func (r *run) windowOpen() bool {
	last, ok := r.o.Terms.LastRelease(r.o.Show.EndOfSale)
	return ok && r.k.tip.Height+releaseMargin <= last
}

// keep ends an attempt to give back: the ticket stays the customer's, and one that opens no door stays with us.
func (r *run) keep(ctx context.Context, t *Ticket) (bool, error) {
	t.Reason = ReasonWindowOver
	t.Undo = time.Time{}
	to := Owned
	if t.Stray {
		t.Reason, to = ReasonNoSecret, Stray
	}
	t.move(to, r.k.now)
	return r.moved(ctx)
}

// callRelease saves the intent, makes the call, and saves what it came to.
func (r *run) callRelease(ctx context.Context, t *Ticket, coin cirrus.Coin) (bool, error) {
	c := &t.Release
	c.begin(coin, r.k.tip, r.k.now)
	if _, err := r.moved(ctx); err != nil {
		return false, err
	}
	ctx = context.WithoutCancel(ctx) // a stop must not cut the call off from the saving of its answer
	var tx cirrus.TxID
	err := r.call(ctx, "ticket", string(Releasing), SiteRelease, func(ctx context.Context) (err error) {
		tx, err = r.Booth.Release(ctx, r.boothCall(*t, *c))
		return err
	})
	if err != nil {
		r.Log.Warn("release not answered well", "order", r.o.ID, "ticket", t.ID, "attempt", c.Attempt, "error", err)
	}
	switch judge(err) {
	case broadcast:
		c.Calling, c.TxID = false, tx
	case again:
		c.refuse(r.k.now)
	case refused:
		c.Calling = false
		if refusedAsOver(err) {
			return r.keep(ctx, t)
		}
		r.attention(t, ReasonUnresolved)
	case doubtful:
		c.Again = r.k.now.Add(lookAgain) // Calling stays: the chain will tell
	}
	if _, err := r.moved(ctx); err != nil {
		return false, err
	}
	if c.TxID != "" {
		r.keepRaw(ctx, Releasing, c)
	}
	return true, nil
}

// releaseUnknown resolves a ReleaseTicket call without an answer by looking at the chain.
func (r *run) releaseUnknown(ctx context.Context, t *Ticket) (bool, error) {
	c := &t.Release
	if r.k.now.Before(c.Again) {
		return false, nil
	}
	found, receipt, err := r.traced(ctx, t, *c)
	if err != nil {
		return false, err
	}
	switch found {
	case traceGood, traceFailed, traceFound:
		c.Calling, c.TxID = false, receipt.TxID
		return r.moved(ctx)
	case traceNever:
		c.Calling, c.Again = false, r.k.now
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

// releaseCalled waits for the receipt of a release.
func (r *run) releaseCalled(ctx context.Context, t *Ticket) (bool, error) {
	c := &t.Release
	receipt, mined, err := r.receipt(ctx, t, c.TxID)
	if err != nil {
		return false, err
	}
	if !mined {
		if c.stuck(r.k.tip) {
			r.attention(t, ReasonUnresolved)
			return r.moved(ctx)
		}
		known, err := r.revive(ctx, t, c)
		if err != nil || known {
			return false, err
		}
		c.TxID, c.Calling, c.Again = "", true, time.Time{}
		return r.moved(ctx)
	}
	c.settle(receipt, r.o.Gas, 0)
	if !receipt.Success {
		return r.releaseFailed(ctx, t)
	}
	t.Delivery.State = DeliveryNone
	if t.Stray {
		t.Kept = t.Price - r.o.Terms.Refund(t.Price)
		return r.moved(ctx)
	}
	t.move(Released, r.k.now)
	p := r.payBack(t, WhyReleased, t.left()-t.Price+r.o.Terms.Refund(t.Price))
	p.Block = receipt.Block
	return r.moved(ctx)
}

// releaseFailed: the contract refused. Where the window is over the ticket stays the customer's; otherwise a person
// must look, for it should have worked.
func (r *run) releaseFailed(ctx context.Context, t *Ticket) (bool, error) {
	if !r.windowOpen() {
		r.payLate(t)
		return r.keep(ctx, t)
	}
	r.attention(t, ReasonCallFailed)
	return r.moved(ctx)
}

// payLate has the float pay the gas of a call that came too late, once: the customer had asked in time. The network fee
// of sending it back is paid with it.
func (r *run) payLate(t *Ticket) {
	before := slices.ContainsFunc(r.o.Aids, func(a Aid) bool { return a.Ticket == t.ID && a.Why == AidLate })
	if r.Float == nil || t.Stray || before {
		return
	}
	r.want(t, AidLate, r.o.Gas.Cost(t.Release.GasUsed)+MinFee)
}
