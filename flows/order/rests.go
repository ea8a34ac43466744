package order

import "github.com/usherbot/usher/chain/cirrus"

// Rests is the least that must lie at an address of the order, for whoever holds the record against the wallets. ok is
// false where nothing can be said: money is on its way there, or from there.
func (o Order) Rests(address cirrus.Address, tip Tip) (least cirrus.Strats, ok bool) {
	if o.State != Filled {
		return 0, false
	}
	for i := range o.Tickets {
		if t := &o.Tickets[i]; t.Address == address {
			return o.restsOf(*t, tip)
		}
	}
	return 0, false
}

func (o Order) restsOf(t Ticket, tip Tip) (cirrus.Strats, bool) {
	if t.Top.begun() || o.Instead(t.ID) != nil || o.aiding(t.ID) != nil {
		return 0, false
	}
	if p := o.Payout(t.ID); p != nil && !p.State.Final() {
		waits := (p.State == PayoutDue || p.State == AddressNeeded) && p.Keep == 0
		return p.Expect, waits && p.Undone == 0 && tip.Height > p.Block+lateBlocks
	}
	switch t.State {
	case Held:
		return t.Coin.Amount, !t.Arriving() && !t.Coin.IsZero()
	case Owned:
		return t.left() - t.Price, tip.Height >= t.Owned+returnBlocks
	case Releasing:
		return t.left() - t.Price, t.Release.Attempt == 0 && tip.Height >= t.Owned+returnBlocks
	case Lost:
		return t.left(), t.Choosing() && tip.Height >= t.Reserve.Block+returnBlocks
	case Reserving, Unknown, Reserved, Stray, Attention, Dropped, Exchanged, Released, Ended:
	}
	return 0, false
}
