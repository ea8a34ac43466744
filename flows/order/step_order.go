package order

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// holdCap is how many times HOLD a seat is held at most for a payment that was seen but does not get confirmed.
const holdCap = 4

// stepOrder moves money in: from the address shown to each ticket having its coin.
func (r *run) stepOrder(ctx context.Context) (bool, error) {
	coins := at(r.k.coins, r.o.Address)
	switch r.o.State {
	case AwaitingPayment, PartPaid, Paying:
		return r.stepUnpaid(ctx, coins)
	case Paid:
		return r.stepPaid(ctx, coins)
	case Expired:
		return r.stepLate(ctx, coins)
	case Joining, Splitting:
		return r.stepMove(ctx)
	case Cancelled, Filled, Void:
		return false, nil
	}
	return false, nil
}

// unpaidState says where an unpaid order belongs, by what lies at its address and by its clock.
func unpaidState(o Order, coins []cirrus.Coin, cfg Config, now time.Time) State {
	switch seen := sum(coins, 0); {
	case o.State == Paying && sum(coins, cfg.Confirmations) >= o.Due:
		return Paid
	case sum(coins, cfg.Confirmations) >= o.Due:
		return Paying
	case seen >= o.Due && now.Before(o.Created.Add(holdCap*cfg.Hold)):
		return Paying
	case !now.Before(o.Hold):
		return Expired
	case seen > 0:
		return PartPaid
	}
	return AwaitingPayment
}

func (r *run) stepUnpaid(ctx context.Context, coins []cirrus.Coin) (bool, error) {
	to := unpaidState(*r.o, coins, r.cfg, r.k.now)
	if r.k.ends { // nothing is bought any more; what came goes back from there
		to = Expired
	}
	if to == r.o.State {
		return r.note(ctx, coins)
	}
	r.o.Coins = coins
	switch to {
	case Paying, PartPaid:
		if !r.o.Extended {
			r.o.Extended = true
			r.o.Hold = r.k.now.Add(r.cfg.Hold)
		}
		if _, err := r.keepHolds(ctx); err != nil {
			return false, err
		}
	case Expired:
		r.dropTickets()
	}
	r.o.move(to, r.k.now)
	moved, err := r.moved(ctx)
	if moved && to == Expired {
		r.freeHolds(ctx)
	}
	return moved, err
}

// stepPaid retakes the seats and gives each ticket its coin, or begins the transfer that makes one for each. A seat
// that is not to be had does not stop the others: it is lost once it has its share.
func (r *run) stepPaid(ctx context.Context, coins []cirrus.Coin) (bool, error) {
	r.o.Coins = coins
	r.o.Hold = later(r.o.Hold, r.k.now.Add(r.cfg.Hold))
	if sum(coins, r.cfg.Confirmations) < r.o.Due { // its block was undone
		r.o.move(Paying, r.k.now)
		return r.moved(ctx)
	}
	taken, err := r.keepHolds(ctx)
	if err != nil {
		return false, err
	}
	for i := range r.o.Tickets {
		r.o.Tickets[i].Reason = ""
		if slices.Contains(taken, i) {
			r.o.Tickets[i].Reason = ReasonSeatTaken
		}
	}
	if len(r.o.Tickets) > 1 {
		return r.beginMove(ctx, Splitting)
	}
	t := &r.o.Tickets[0]
	coin, single := oneCoin(coins, r.o.Due)
	if !single && (t.Reason == "" && r.buyable(*t) == "" || r.otherSeat(*t)) {
		return r.beginMove(ctx, Joining)
	}
	t.Coin = coin
	r.o.move(Filled, r.k.now)
	return r.moved(ctx)
}

// oneCoin finds the coin that pays for everything; a call names exactly one. single is false where none does, and
// the largest is given.
func oneCoin(coins []cirrus.Coin, due cirrus.Strats) (largest cirrus.Coin, single bool) {
	for _, coin := range coins {
		if coin.Confirmations == 0 {
			continue
		}
		if coin.Amount >= due {
			return coin, true
		}
		if coin.Amount > largest.Amount {
			largest = coin
		}
	}
	return largest, false
}

// buyable tells why a ticket's pinned conditions do not hold any more; "" where they do.
func (r *run) buyable(t Ticket) Reason {
	if r.k.ends {
		return ReasonWindingDown
	}
	sale := r.k.sale
	if sale == nil || sale.Show == nil {
		return ReasonSaleClosed
	}
	on, found := sale.Seat(t.Seat)
	switch {
	case sale.Show.TxID != r.o.Show.TxID, sale.Show.EndOfSale != r.o.Show.EndOfSale, !found:
		return ReasonShowChanged
	case r.k.tip.Height+ReserveMargin >= r.o.Show.EndOfSale:
		return ReasonSaleClosed
	case on.Owner != "" && on.Owner != t.Address:
		return ReasonSeatTaken
	case on.Resold && !r.cfg.Resold:
		return ReasonSeatTaken
	}
	if price, fits := cirrus.StratsOf(on.Price); !fits || price != t.Price {
		return ReasonShowChanged
	}
	return ""
}

// note keeps what has come to the order's address so far, for the card.
func (r *run) note(ctx context.Context, coins []cirrus.Coin) (bool, error) {
	if sum(coins, 0) == sum(r.o.Coins, 0) {
		return false, nil
	}
	r.o.Coins = coins
	return r.moved(ctx)
}

// keepHolds takes the seats for this order, again or anew, and tells which tickets' seats another customer holds.
func (r *run) keepHolds(ctx context.Context) (taken []int, err error) {
	for i, t := range r.o.Tickets {
		err := r.hold(ctx, spot{"order", string(r.o.State)}, t.Seat, r.o.Hold)
		if errors.Is(err, ErrSeatHeld) {
			taken = append(taken, i)
		} else if err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// freeHolds gives the seats to others. That it fails costs nothing: a lapsed hold can be taken over.
func (r *run) freeHolds(ctx context.Context) {
	for _, t := range r.o.Tickets {
		r.freeHold(ctx, t)
	}
}

// freeHold gives one ticket's seat to others, unless another ticket of the order is for it now.
func (r *run) freeHold(ctx context.Context, t Ticket) {
	if t.State.Final() && r.o.wants(t.Seat) {
		return
	}
	if err := r.Holds.Free(ctx, r.o.Show.TxID, t.Seat, r.o.ID); err != nil {
		r.Log.Warn("hold not freed", "order", r.o.ID, "seat", t.Seat.String(), "error", err)
	}
}

func (r *run) dropTickets() {
	for i := range r.o.Tickets {
		if r.o.Tickets[i].State == Held {
			r.o.Tickets[i].move(Dropped, r.k.now)
		}
	}
}

// attention hands a ticket to a person.
func (r *run) attention(t *Ticket, reason Reason) {
	t.Before, t.Reason, t.Told = t.State, reason, false
	t.move(Attention, r.k.now)
}
