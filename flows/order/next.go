package order

import "time"

// Safety is the wait before an order is looked at although nothing woke it: the watcher normally does.
const Safety = 10 * time.Minute

// next says when the order must be looked at again at the latest; zero where nothing is left to do by itself.
func (r *run) next() time.Time {
	var soonest time.Time
	add := func(at time.Time) {
		if !at.IsZero() && (soonest.IsZero() || at.Before(soonest)) {
			soonest = at
		}
	}
	add(r.nextOrder())
	for _, t := range r.o.Tickets {
		add(r.nextTicket(t))
		add(r.nextDelivery(t))
	}
	for _, p := range r.o.Payouts {
		add(r.nextPayout(p))
	}
	for _, a := range r.o.Aids {
		if !a.State.Final() {
			add(r.again(a.Again))
		}
	}
	add(r.o.Card.Again)
	return soonest
}

func (r *run) nextOrder() time.Time {
	switch r.o.State {
	case AwaitingPayment, PartPaid:
		return r.o.Hold
	case Joining, Splitting:
		return r.nextTransfer(r.o.Move)
	case Paying, Paid:
		return r.k.now.Add(Safety)
	case Expired:
		return r.partUntil()
	case Filled, Void, Cancelled:
		return time.Time{}
	}
	return time.Time{}
}

func (r *run) nextTransfer(m Transfer) time.Time {
	return r.again(m.Again)
}

// again is when what failed is tried anew. Where that time has come already, it waits for something else, like all that
// waits: to be due at once would have it looked at without end.
func (r *run) again(at time.Time) time.Time {
	if at.After(r.k.now) {
		return at
	}
	return r.k.now.Add(Safety)
}

func (r *run) nextTicket(t Ticket) time.Time {
	if r.o.State != Filled {
		return time.Time{}
	}
	safety := r.k.now.Add(Safety)
	switch t.State {
	case Held:
		if t.Arriving() {
			return r.nextArriving(t)
		}
		return r.k.now
	case Reserving, Unknown:
		return later(t.Reserve.Again, r.k.now)
	case Stray: // it waits for the float
		return safety
	case Reserved:
		return safety
	case Owned:
		return time.Time{} // nextHeight has it
	case Releasing:
		return r.nextReleasing(t)
	case Attention:
		if !t.Told {
			return r.k.now.Add(time.Minute)
		}
	case Lost:
		if t.Choosing() && r.o.Instead(t.ID) == nil {
			return t.Choice
		}
	case Dropped, Exchanged, Released, Ended:
	}
	return time.Time{}
}

// nextHeight says with which block the order must be looked at: the deadlines of its tickets, confirmations, and calls
// that must have been mined by then.
func (r *run) nextHeight() uint64 {
	var soonest uint64
	add := func(height uint64) {
		if height > r.k.tip.Height && (soonest == 0 || height < soonest) {
			soonest = height
		}
	}
	if r.o.OlderFrom > 0 {
		add(r.k.tip.Height + 1)
	}
	if r.o.State == Paying || r.o.State == Joining || r.o.State == Splitting {
		add(r.k.tip.Height + 1)
	}
	if r.o.State.Unpaid() || r.o.PartWaiting() { // the card asks for money no longer
		add(r.o.LastToPay() + 1)
	}
	for _, coin := range r.k.coins {
		if coin.Confirmations < r.cfg.Confirmations { // money on its way, perhaps to an order that had ended
			add(r.k.tip.Height + 1)
		}
	}
	add(r.finalAt())
	last, _ := r.o.Terms.LastRelease(r.o.Show.EndOfSale)
	for _, t := range r.o.Tickets {
		switch {
		case r.o.State != Filled:
		case t.State == Owned:
			add(last)
			add(t.Owned + returnBlocks)
		case t.Choosing(), t.Arriving(): // the seats that are left may go with any block
			add(r.k.tip.Height + 1)
		case t.State == Unknown, t.State == Releasing && (t.Release.Calling || t.Top.begun()):
			add(r.k.tip.Height + 1)
		case t.State == Releasing && t.Release.TxID == "":
			add(max(t.Owned, t.Top.Mined) + settleBlocks + 1)
		}
	}
	for _, a := range r.o.Aids {
		if !a.State.Final() {
			add(r.k.tip.Height + 1)
		}
	}
	for _, p := range r.o.Payouts {
		switch {
		case p.State == PayoutDue:
			add(p.Block + lateBlocks)
		case p.State == Sent && p.Undone > 0:
			add(r.k.tip.Height + 1)
		}
	}
	return soonest
}

func (r *run) nextReleasing(t Ticket) time.Time {
	if r.k.now.Before(t.Undo) {
		return t.Undo
	}
	if t.Release.TxID == "" && !t.Release.Calling && t.Top.Mined == 0 && t.Top.Tries > 0 {
		return r.again(t.Top.Again)
	}
	if t.Release.TxID != "" || t.Release.Attempt == 0 {
		return r.k.now.Add(Safety)
	}
	return r.again(t.Release.Again)
}

func (r *run) nextDelivery(t Ticket) time.Time {
	if (t.State == Owned || t.State == Ended) && t.Delivery.State == DeliveryWaiting && !r.o.ShowOver(r.k.now) {
		return t.Delivery.Again
	}
	return time.Time{}
}

func (r *run) nextPayout(p Payout) time.Time {
	switch p.State {
	case PayoutDue, Sent:
		return r.again(p.Again)
	case Built, AddressNeeded:
		return later(p.Again, r.k.now)
	case Done, Dust:
	}
	return time.Time{}
}

// later gives the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
