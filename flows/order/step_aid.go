package order

import (
	"context"
	"errors"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// stepAid brings money of the float to a ticket.
func (r *run) stepAid(ctx context.Context, a *Aid) (bool, error) {
	if r.k.now.Before(a.Again) {
		return false, nil
	}
	switch a.State {
	case AidWanted:
		return r.stepWanted(ctx, a)
	case AidClaimed:
		return r.stepClaimed(ctx, a)
	case AidBuilt:
		return r.stepAidBuilt(ctx, a)
	case AidSent:
		return r.stepAidSent(ctx, a)
	case AidGiven:
		return false, nil
	}
	return false, nil
}

// stepWanted looks for coins and notes their addresses: the record names a claim before the claim is made, so that one
// whose order dies on the way is found again. What was claimed before and not used is given up first.
func (r *run) stepWanted(ctx context.Context, a *Aid) (bool, error) {
	switch {
	case r.Float == nil: // it was taken out of the configuration; the ticket waits for a person
		return r.short(ctx, a)
	case len(a.From) > 0:
		return r.unclaim(ctx, a)
	case !r.stillWanted(*a):
		r.o.Aids = slices.DeleteFunc(r.o.Aids, func(other Aid) bool { return other.ID == a.ID })
		return r.moved(ctx)
	}
	gift, ok, err := r.lookForGift(ctx, *a, a.Amount)
	if err != nil {
		return false, err
	}
	if !ok {
		return r.short(ctx, a)
	}
	a.Short, a.Told = false, false
	for _, coin := range gift.coins {
		if !slices.Contains(a.From, coin.Address) {
			a.From = append(a.From, coin.Address)
		}
	}
	a.move(AidClaimed, r.k.now)
	return r.moved(ctx)
}

// lookForGift chooses among the coins that the float has for this order.
func (r *run) lookForGift(ctx context.Context, a Aid, amount cirrus.Strats) (g gift, ok bool, err error) {
	var coins []cirrus.Coin
	err = r.call(ctx, "aid", string(a.State), SiteFloat, func(ctx context.Context) error {
		coins, err = r.Float.Coins(ctx, r.o.ID)
		return err
	})
	if err != nil {
		return gift{}, false, err
	}
	spent := r.o.given()
	coins = slices.DeleteFunc(coins, func(c cirrus.Coin) bool {
		return spent[c.Outpoint] || len(a.From) > 0 && !slices.Contains(a.From, c.Address)
	})
	g, ok = pickGift(coins, amount)
	return g, ok, nil
}

// given is what aids of this order spent; a coin just spent may still be listed.
func (o Order) given() map[cirrus.Outpoint]bool {
	spent := map[cirrus.Outpoint]bool{}
	for _, a := range o.Aids {
		for _, coin := range a.Coins {
			spent[coin.Outpoint] = true
		}
	}
	return spent
}

// short notes that the float has too little: each block is looked at whether it was filled.
func (r *run) short(ctx context.Context, a *Aid) (bool, error) {
	if a.Why == AidLate && !a.Told {
		r.attendAid(ctx, a)
	}
	if a.Short {
		return false, nil
	}
	r.Log.Error("float too low", "order", r.o.ID, "aid", a.ID, "needs", a.Amount)
	a.Short = true
	return r.moved(ctx)
}

// attendAid tells the operator of an empty float where no ticket in attention does: the ticket keeps its state, and the
// operator is shown the reason with it.
func (r *run) attendAid(ctx context.Context, a *Aid) {
	o := *r.o
	o.Tickets = slices.Clone(o.Tickets)
	o.Ticket(a.Ticket).Reason = ReasonFloat
	err := r.call(ctx, "aid", string(a.State), SiteAttend, func(ctx context.Context) error {
		return r.Teller.Attend(ctx, o, a.Ticket)
	})
	if err != nil {
		r.Log.Error("operator not told", "order", r.o.ID, "aid", a.ID, "reason", ReasonFloat, "error", err)
		return
	}
	a.Told = true
}

// stillWanted tells whether the order's money, and what an aid is for, is still what it was when the aid was wanted.
func (r *run) stillWanted(a Aid) bool {
	t := r.o.Ticket(a.Ticket)
	if t == nil || r.o.State == Void {
		return false
	}
	state := t.State
	if state == Attention {
		state = t.Before
	}
	switch a.Why {
	case AidStray:
		return t.Stray && (state == Stray || state == Releasing)
	case AidTopUp:
		return state == Releasing && r.windowOpen()
	case AidLate:
	}
	return true
}

// eachClaim makes one call for each address of the float.
func (r *run) eachClaim(ctx context.Context, a *Aid, site string, do func(context.Context, cirrus.Address, ID) error) error {
	for _, address := range a.From {
		err := r.call(ctx, "aid", string(a.State), site, func(ctx context.Context) error {
			return do(ctx, address, r.o.ID)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unclaim gives up addresses that were not used. One that an earlier aid of this order used stays the order's.
func (r *run) unclaim(ctx context.Context, a *Aid) (bool, error) {
	used := func(address cirrus.Address) bool {
		return slices.ContainsFunc(r.o.Aids, func(other Aid) bool {
			return other.ID != a.ID && other.begun() && slices.Contains(other.From, address)
		})
	}
	a.From = slices.DeleteFunc(a.From, used)
	if err := r.eachClaim(ctx, a, SiteUnclaim, r.Float.Free); err != nil {
		return false, err
	}
	a.From = nil
	return r.moved(ctx)
}

// stepClaimed claims what was noted and builds the transaction. Where another order was faster, or the coins are not
// there any more, it chooses anew.
func (r *run) stepClaimed(ctx context.Context, a *Aid) (bool, error) {
	if r.Float == nil || !r.stillWanted(*a) {
		return r.chooseAnew(ctx, a)
	}
	err := r.eachClaim(ctx, a, SiteClaim, r.Float.Claim)
	if errors.Is(err, ErrClaimed) {
		return r.chooseAnew(ctx, a)
	}
	if err != nil {
		return false, err
	}
	gift, ok, err := r.lookForGift(ctx, *a, a.Amount)
	if err != nil {
		return false, err
	}
	if !ok {
		return r.chooseAnew(ctx, a)
	}
	return r.buildAid(ctx, a, gift)
}

func (r *run) chooseAnew(ctx context.Context, a *Aid) (bool, error) {
	a.move(AidWanted, r.k.now)
	return r.moved(ctx)
}

// buildAid makes the transaction: the amount to the ticket's address, the change back to where it came from.
func (r *run) buildAid(ctx context.Context, a *Aid, g gift) (bool, error) {
	t := r.o.Ticket(a.Ticket)
	payment := Payment{Account: r.cfg.Float, Fee: g.fee, Outputs: []Output{{Address: t.Address, Amount: a.Amount}}}
	if g.change > 0 {
		payment.Outputs = append(payment.Outputs, Output{Address: a.From[0], Amount: g.change})
	}
	for _, coin := range g.coins {
		payment.Coins = append(payment.Coins, coin.Outpoint)
	}
	var built BuiltTx
	err := r.call(ctx, "aid", string(a.State), SiteBuild, func(ctx context.Context) (err error) {
		built, err = r.Purse.Build(ctx, payment)
		return err
	})
	if err != nil {
		r.retryAid(a, "aid not built", err)
		return false, nil
	}
	a.Coins, a.Change, a.Fee, a.Hex, a.TxID, a.Tries = g.coins, g.change, g.fee, built.Hex, built.TxID, 0
	a.move(AidBuilt, r.k.now)
	return r.moved(ctx)
}

func (r *run) retryAid(a *Aid, what string, err error) {
	a.Tries++
	a.Again = r.k.now.Add(backoff(a.Tries))
	r.Log.Warn(what, "order", r.o.ID, "aid", a.ID, "tries", a.Tries, "error", err)
}

// stepAidBuilt sends the saved bytes. A refusal says nothing: whether the transaction is out is seen from its inputs.
func (r *run) stepAidBuilt(ctx context.Context, a *Aid) (bool, error) {
	err := r.call(ctx, "aid", string(AidBuilt), SiteSend, func(ctx context.Context) error {
		return r.Purse.Send(ctx, a.Hex)
	})
	if err != nil {
		untouched, lookErr := r.coinThere(ctx, spot{"aid", string(AidBuilt)}, a.Coins[0].Outpoint, true)
		if lookErr != nil || untouched {
			r.retryAid(a, "aid not sent", err)
			return false, nil
		}
	}
	a.Tries, a.Block = 0, r.k.tip.Height
	a.move(AidSent, r.k.now)
	return r.moved(ctx)
}

// stepAidSent waits until the money is at the ticket's address. That its inputs are spent does not tell: the operator
// has the float's keys too.
func (r *run) stepAidSent(ctx context.Context, a *Aid) (bool, error) {
	if coin, came := r.aidCoin(*a); came {
		a.Coin, a.Mined, a.Tries = coin, r.k.tip.Height, 0
		r.o.Ticket(a.Ticket).Given += a.Amount
		a.move(AidGiven, r.k.now)
		return r.moved(ctx)
	}
	if r.k.tip.Height < a.Block+vanishedAfter {
		return false, nil
	}
	at := spot{"aid", string(AidSent)}
	untouched, err := r.coinThere(ctx, at, a.Coins[0].Outpoint, true)
	if err != nil {
		return false, err
	}
	if untouched {
		a.move(AidBuilt, r.k.now) // it vanished: the same bytes again
		return r.moved(ctx)
	}
	if r.k.tip.Height <= a.Block+lateBlocks {
		return false, nil
	}
	waits, err := r.coinThere(ctx, at, a.Coins[0].Outpoint, false)
	if err != nil || waits {
		return false, err
	}
	return r.spentElsewhere(ctx, a)
}

// aidCoin finds what the aid brought: confirmed at the ticket's address, or already used there by a transaction of ours.
// Whoever relays a transaction can change its id, so the amount tells too.
func (r *run) aidCoin(a Aid) (cirrus.Outpoint, bool) {
	for at := range r.o.spent("") {
		if at == a.Coin || at.TxID == a.TxID {
			return at, true
		}
	}
	known := func(at cirrus.Outpoint) bool {
		return slices.ContainsFunc(r.o.Aids, func(other Aid) bool { return other.ID != a.ID && other.Coin == at })
	}
	for _, coin := range r.free(r.o.Ticket(a.Ticket).Address, "") {
		alike := coin.TxID == a.TxID || coin.Amount == a.Amount && r.k.tip.Height > a.Block+vanishedAfter
		if alike && coin.Confirmations > 0 && !known(coin.Outpoint) {
			return coin.Outpoint, true
		}
	}
	return cirrus.Outpoint{}, false
}

// spentElsewhere gives up a transaction whose coins something else has spent, and chooses anew. What it had claimed stays
// claimed: it was shown together with this order's address.
func (r *run) spentElsewhere(ctx context.Context, a *Aid) (bool, error) {
	r.Log.Error("coins of the float spent by somebody else", "order", r.o.ID, "aid", a.ID, "tx", a.TxID)
	a.From, a.Coins, a.Change, a.Fee, a.Hex, a.TxID, a.Coin = nil, nil, 0, 0, "", "", cirrus.Outpoint{}
	a.move(AidWanted, r.k.now)
	return r.moved(ctx)
}

// undoneAid has what the float gave awaited again where the block that brought it is undone.
func (r *run) undoneAid(a *Aid) bool {
	if a.State != AidGiven || a.Mined <= r.k.tip.Fork {
		return false
	}
	r.o.Ticket(a.Ticket).Given -= a.Amount
	a.Mined, a.Block = 0, r.k.tip.Height
	a.move(AidSent, r.k.now)
	return true
}
