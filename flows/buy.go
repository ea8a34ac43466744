package flows

import (
	"context"
	"fmt"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// proceed takes the next step towards an order: whatever is still missing is asked for, in this order: seats, a
// refund address, a secret chat, names where the venue asks for them. Then comes the last screen before payment.
func (f *Flows) proceed(ctx context.Context, t *turn, o offer) (Reply, error) {
	seats := t.picked(o)
	if len(seats) == 0 {
		return f.seats(t, o)
	}
	if b := f.blocked(ctx, t, o, seats); b != nil {
		return f.stopped(t, o, b), nil
	}
	if t.session.Refund == "" {
		return f.wallet(t), nil
	}
	state, err := f.chatOf(ctx, t)
	if err != nil {
		return Reply{}, err
	}
	t.session.Chat = state == ChatOpen
	switch {
	case !t.session.Chat:
		return f.handover(ctx, t, o, state)
	case t.namesMissing(o):
		return f.askName(ctx, t, o)
	}
	screen, err := f.confirm(ctx, t.customer(), t.voice, t.session, o, nil)
	return f.inPlace(t, screen), err
}

// firstOrder tells whether this customer never ordered before.
func (f *Flows) firstOrder(ctx context.Context, customer int64) (bool, error) {
	all, err := f.Desk.List(ctx, customer)
	if err != nil {
		return false, fmt.Errorf("listing orders: %w", err)
	}
	return len(all) == 0, nil
}

// bought finds the order that this very button led to before: a second tap, or an update that comes again, shows it
// and orders nothing.
func (f *Flows) bought(ctx context.Context, t *turn, a action) (Reply, bool, error) {
	if a.verb == doEach {
		return f.boughtEach(ctx, t, a)
	}
	open, err := f.unpaid(ctx, t.customer())
	if err != nil {
		return Reply{}, false, err
	}
	for _, o := range open {
		if showKey(o.Show.TxID) == a.args[0] && len(o.Tickets) > 0 && seatsKey(seatsOf(o)) == a.args[1] {
			t.session.Draft = Draft{}
			return f.ordered(t, o), true, nil
		}
	}
	return Reply{}, false, nil
}

func seatsOf(orders ...order.Order) []cirrus.Seat {
	var seats []cirrus.Seat
	for _, o := range orders {
		for _, t := range o.Tickets {
			seats = append(seats, t.Seat)
		}
	}
	return seats
}

// buy makes the order, if everything is still as the customer saw it.
func (f *Flows) buy(ctx context.Context, t *turn, o offer, a action) (Reply, error) {
	seats := t.picked(o)
	if len(seats) == 0 || seatsKey(seats) != a.args[1] {
		return f.seatsAnswering(t, o, t.answer("tap.old"))
	}
	state, err := f.chat(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	if f.blocked(ctx, t, o, seats) != nil || t.session.Refund == "" || state != ChatOpen || t.namesMissing(o) {
		return f.proceed(ctx, t, o)
	}
	if seen, err := strconv.ParseInt(a.args[2], 10, 64); err != nil || cirrus.Strats(seen) != priceOf(o, seats) {
		screen, err := f.confirm(ctx, t.customer(), t.voice, t.session, o, t.say("confirm.price_changed", nil))
		return f.inPlace(t, screen), err
	}
	if a.verb == doEach && len(seats) > 1 {
		return f.openEach(ctx, t, o, seats)
	}
	return f.open(ctx, t, o, seats)
}

// newOrder is what an order of these seats is made from.
func (t *turn) newOrder(o offer, seats []cirrus.Seat) order.New {
	n := order.New{Customer: t.customer(), Language: t.lang, Sale: o.Sale, Seats: seats, Refund: t.session.refundTo()}
	if o.Terms.Identity {
		n.Names = t.session.Names
	}
	return n
}

func (f *Flows) open(ctx context.Context, t *turn, o offer, seats []cirrus.Seat) (Reply, error) {
	made, err := f.Desk.Open(ctx, t.newOrder(o, seats))
	if err != nil {
		if b, ok := refusal(err, seats); ok {
			return f.stopped(t, o, b), nil
		}
		return Reply{}, fmt.Errorf("opening an order: %w", err)
	}
	t.session.Draft = Draft{}
	return f.ordered(t, made), nil
}

// ordered replaces the screen with the costs. The card itself comes as a message of its own from Tell, which is the
// only one that shows it, so that there is never more than one.
func (f *Flows) ordered(t *turn, o order.Order) Reply {
	seats := seatsOf(o)
	text := t.say("ordered", args{"Count": len(seats), "Seats": enumerate(seatNames(seats)), "Show": showName(o.Show)})
	reply := f.inPlace(t, Screen{Text: text})
	t.session.Shown = 0
	return reply
}
