package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// screenExchange says that a secret chat comes first, before another seat is taken and paid for on top.
const screenExchange = "exchange_chat"

// takeOther takes another seat, if it still means what the customer saw.
func (f *Flows) takeOther(ctx context.Context, t *turn, x swap, a action) (Reply, error) {
	seat, err := parseSeat(a.args[1])
	if err != nil {
		return f.otherHall(t, x, t.answer("tap.old"))
	}
	d, err := order.QuoteOther(x.o, x.lost, x.sale.Sale, seat, f.Config.ServiceFee)
	switch {
	case err != nil || f.seatState(x.sale, seat, t.now) != seatFree:
		return f.offerOther(t, x, a.args[1], nil)
	case t.event.Message < t.session.Message: // another screen came after this one, perhaps with another choice
		reply, err := f.offerOther(t, x, a.args[1], nil)
		reply.Answer = t.answer("tap.old")
		return reply, err
	}
	if differenceKey(d) != a.args[2] {
		return f.offerOther(t, x, a.args[1], t.say("confirm.price_changed", nil))
	}
	if reply, stops, err := f.notNow(ctx, t, x, seat, d); stops || err != nil {
		return reply, err
	}
	changed, err := f.Desk.Do(ctx, t.customer(), x.o.ID, order.Ask{Verb: order.Exchange, Ticket: x.lost.ID, Seat: seat})
	if err != nil {
		return f.notTaken(ctx, t, x, seat, err)
	}
	next := changed.Instead(x.lost.ID)
	if next == nil {
		return f.chosenAlready(ctx, t, changed)
	}
	return f.exchanged(t, changed, x.lost, *next), nil
}

// notNow finds what stands against taking another seat just now: nothing is paid on top that could not be delivered.
// What goes over without a payment only needs the chain.
func (f *Flows) notNow(ctx context.Context, t *turn, x swap, seat cirrus.Seat, d order.Difference) (Reply, bool, error) {
	again := []Button{t.button("button.try_again", nil, act(doOffer, x.lost.ID, seatKey(seat)))}
	b := f.off(ctx, x.sale.tip)
	if b != nil && d.Pay == 0 && b.id != offID(OffNode) {
		b = nil
	}
	if b == nil && d.Pay > 0 {
		state, err := f.chat(ctx, t.customer())
		if err != nil {
			return Reply{}, false, err
		}
		if state != ChatOpen {
			b = &obstacle{id: "exchange.chat"}
			again = append([]Button{t.button("button.ways", nil, act(doWays))}, again...)
			t.session.Screen, t.session.Exchange = screenExchange, &Exchange{Lost: x.lost.ID, Seat: seatKey(seat)}
		}
	}
	if b == nil {
		return Reply{}, false, nil
	}
	text := paragraphs(t.say(b.id, b.args), f.untilBack(t, x))
	back := []Button{t.button("button.money_back", nil, act(doMoney, x.lost.ID))}
	return f.inPlace(t, Screen{Text: text, Buttons: [][]Button{again, back}}), true, nil
}

// exchangeAfterChat shows again what another seat means, now that there is a secret chat to hand its ticket over.
func (f *Flows) exchangeAfterChat(ctx context.Context, t *turn) (Reply, error) {
	wish := *t.session.Exchange
	t.session.Exchange = nil
	o, lost, err := f.ofTicket(ctx, t.customer(), wish.Lost)
	if err != nil || lost == nil {
		return Reply{}, err
	}
	s, onSale, err := f.find(ctx, t.customer(), showKey(o.Show.TxID))
	if err != nil || !onSale || !choosing(o, *lost) {
		return Reply{}, err // its card says what became of it
	}
	x := swap{o: o, lost: *lost, sale: s}
	seat, err := parseSeat(wish.Seat)
	if err != nil {
		return Reply{}, nil //nolint:nilerr // a wish of another program: the buttons are there still
	}
	if state := f.seatState(s, seat, t.now); state != seatFree {
		text := paragraphs(t.say("seat."+string(state), args{"Seat": seatName(seat)}), f.untilBack(t, x))
		return f.inPlace(t, Screen{Text: text, Buttons: [][]Button{t.insteadRow(x)}}), nil
	}
	return f.offerOther(t, x, wish.Seat, nil)
}

// notTaken says why another seat could not be had after all.
func (f *Flows) notTaken(ctx context.Context, t *turn, x swap, seat cirrus.Seat, why error) (Reply, error) {
	b, known := refusal(why, []cirrus.Seat{seat})
	switch {
	case !known:
		return Reply{}, fmt.Errorf("taking another seat in %s: %w", x.o.ID, why)
	case errors.Is(why, order.ErrTooMany):
		b = &obstacle{id: "exchange.enough"}
	case b.elsewhere:
		return f.otherHall(t, x, t.plain(b.id, b.args))
	case errors.Is(why, order.ErrNotAllowed):
		return f.chosenAlready(ctx, t, x.o)
	}
	text := paragraphs(t.say(b.id, b.args), f.untilBack(t, x))
	row := []Button{t.button("button.money_back", nil, act(doMoney, x.lost.ID))}
	return f.inPlace(t, Screen{Text: text, Buttons: [][]Button{row}}), nil
}

// exchanged says that another seat is held. What is to be done next stands on the order's card.
func (f *Flows) exchanged(t *turn, o order.Order, lost, next order.Ticket) Reply {
	a := args{"Seat": seatName(next.Seat), "Was": seatName(lost.Seat), "Sum": f.crs(next.Due)}
	id := "exchange.done"
	if next.Due > 0 {
		id = "exchange.done_pay"
	}
	row := []Button{t.button("button.show_order", nil, act(doCard, string(o.ID)))}
	return f.inPlace(t, Screen{Text: t.say(id, a), Buttons: [][]Button{row}})
}

// moneyBack gives the money of a lost seat back at once.
func (f *Flows) moneyBack(ctx context.Context, t *turn, o order.Order, lost order.Ticket) (Reply, error) {
	back := func(p order.Payout) bool { return p.Ticket == lost.ID && p.Why == order.WhyLost }
	if lost.State == order.Lost && slices.ContainsFunc(o.Payouts, back) {
		return Reply{Answer: t.answer("tap.money_back")}, nil // tapped before
	}
	if !choosing(o, lost) {
		return f.chosenAlready(ctx, t, o)
	}
	return f.do(ctx, t, o, order.Ask{Verb: order.MoneyBack, Ticket: lost.ID}, "tap.money_back")
}
