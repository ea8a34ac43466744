package flows

import (
	"context"
	"fmt"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// choosing tells whether the customer may still choose what becomes of a lost ticket: nothing was begun that can't be
// undone.
func choosing(o order.Order, lost order.Ticket) bool {
	next := o.Instead(lost.ID)
	return lost.Choosing() && o.Payout(lost.ID) == nil && (next == nil || next.Swap.TxID == "")
}

// exchanging does what the buttons around a lost seat say.
func (f *Flows) exchanging(ctx context.Context, t *turn, a action) (Reply, error) {
	o, lost, err := f.ofTicket(ctx, t.customer(), a.args[0])
	if err != nil {
		return Reply{}, err
	}
	if lost == nil {
		return Reply{Answer: t.answer("tap.not_yours"), Alert: true}, nil
	}
	t.session.Screen = ""
	if a.verb == doMoney {
		return f.moneyBack(ctx, t, o, *lost)
	}
	if a.verb == doTake {
		if next := o.Instead(lost.ID); next != nil && seatKey(next.Seat) == a.args[1] {
			return f.exchanged(t, o, *lost, *next), nil
		}
	}
	s, onSale, err := f.find(ctx, t.customer(), showKey(o.Show.TxID))
	if err != nil {
		return Reply{}, err
	}
	if !choosing(o, *lost) || !onSale {
		return f.chosenAlready(ctx, t, o)
	}
	x := swap{o: o, lost: *lost, sale: s}
	switch a.verb {
	case doOffer:
		return f.offerOther(t, x, a.args[1], nil)
	case doTake:
		return f.takeOther(ctx, t, x, a)
	}
	t.below = len(a.args) == 1
	return f.otherHall(t, x, "")
}

// swap is a choice to be made: a lost ticket, and what is on sale in its place.
type swap struct {
	o    order.Order
	lost order.Ticket
	sale offer
}

// ofTicket finds a ticket among the customer's orders; nil where none of them has it.
func (f *Flows) ofTicket(ctx context.Context, customer int64, id string) (order.Order, *order.Ticket, error) {
	all, err := f.Desk.List(ctx, customer)
	if err != nil {
		return order.Order{}, nil, fmt.Errorf("listing orders: %w", err)
	}
	for _, o := range all {
		if t := o.Ticket(id); t != nil {
			return o, t, nil
		}
	}
	return order.Order{}, nil, nil
}

// chosenAlready answers a choice that can't be made any more, with the order as it is now.
func (f *Flows) chosenAlready(ctx context.Context, t *turn, o order.Order) (Reply, error) {
	reply, err := f.snapshot(ctx, t, o)
	reply.Answer = t.answer("tap.old_card")
	return reply, err
}

// otherHall shows the seats that could take the place of a lost one. The purchase that may be being made up in the
// meantime is not touched.
func (f *Flows) otherHall(t *turn, x swap, answer string) (Reply, error) {
	screen, err := f.otherScreen(t, x)
	if err != nil {
		return Reply{}, err
	}
	reply := f.following(t, screen, Hall{Show: x.o.Show.TxID, Lost: x.lost.ID, Seats: f.plan(t, x.sale, nil).name()})
	reply.Answer = cut(answer, answerRoom)
	return reply, nil
}

// otherScreen is the hall with the seats that could take the place of a lost one.
func (f *Flows) otherScreen(t *turn, x swap) (Screen, error) {
	seat := args{"Seat": seatName(x.lost.Seat), "Show": showName(x.o.Show)}
	s := Screen{Buttons: f.otherGrid(t, x)}
	room := listRoom
	if !t.session.Draft.List {
		room = captionSeats
		if err := f.drawHall(&s, f.plan(t, x.sale, nil)); err != nil {
			return Screen{}, err
		}
	}
	say := t.say("exchange.pick", seat)
	if count, _, _ := f.free(x.sale, t.now); count == 0 {
		say = t.say("seats.none_free", nil)
	}
	s.Text = paragraphs(t.say("exchange.head", seat), f.seatList(t, x.sale, room), say, f.untilBack(t, x))
	return s, nil
}

// otherGrid is the hall's grid whose buttons choose a seat in place of the lost one.
func (f *Flows) otherGrid(t *turn, x swap) [][]Button {
	grid := f.grid(t, x.sale, nil)
	for _, row := range grid {
		for i, b := range row {
			if a, err := parseAction(b.Action); err == nil && a.verb == doPick {
				row[i].Action = act(doOffer, x.lost.ID, a.args[1])
			}
		}
	}
	return append(grid, []Button{t.button("button.money_back", nil, act(doMoney, x.lost.ID))})
}

// untilBack says what happens by itself where nothing is chosen.
func (f *Flows) untilBack(t *turn, x swap) Text {
	if next := x.o.Instead(x.lost.ID); next != nil {
		return t.say("exchange.held", args{"Seat": seatName(next.Seat), "Until": until(next.Until)})
	}
	return t.say("exchange.until", args{"Seat": seatName(x.lost.Seat), "Until": until(x.lost.Choice)})
}

// offerOther is the screen with what another seat means in money. note is put in front where something changed.
func (f *Flows) offerOther(t *turn, x swap, key string, note Text) (Reply, error) {
	seat, err := parseSeat(key)
	if err != nil {
		return f.otherHall(t, x, t.answer("tap.old"))
	}
	if state := f.seatState(x.sale, seat, t.now); state != seatFree {
		return f.otherHall(t, x, t.plain("seat."+string(state), args{"Seat": seatName(seat)}))
	}
	d, err := order.QuoteOther(x.o, x.lost, x.sale.Sale, seat, f.Config.ServiceFee)
	if err != nil {
		return f.otherHall(t, x, t.plain("exchange.not_this", args{"Seat": seatName(seat)}))
	}
	name := args{"Seat": seatName(seat)}
	text := paragraphs(note, f.difference(t, x, seat, d), f.untilBack(t, x))
	return f.inPlace(t, Screen{Text: text, Buttons: [][]Button{
		{t.button("button.take", name, act(doTake, x.lost.ID, seatKey(seat), differenceKey(d)))},
		t.insteadRow(x),
	}}), nil
}

// insteadRow leads from one seat to the others, and to the money.
func (t *turn) insteadRow(x swap) []Button {
	return []Button{
		t.button("button.other_seat", nil, act(doOther, x.lost.ID, "h")),
		t.button("button.money_back", nil, act(doMoney, x.lost.ID)),
	}
}

// differenceKey names a difference in a button, so that one that has changed is seen before it is taken.
func differenceKey(d order.Difference) string {
	const base = 36
	return strconv.FormatInt(int64(d.Pay-d.Back), base)
}

// difference says what another seat means in money, line by line.
func (f *Flows) difference(t *turn, x swap, seat cirrus.Seat, d order.Difference) Text {
	a := args{
		"Seat": seatName(seat), "Was": seatName(x.lost.Seat), "Price": f.crs(d.Price), "WasPrice": f.crs(x.lost.Price),
		"Sum": f.crs(d.Pay), "Hold": f.holdTime(t.voice), "Address": x.o.Private.Refund.Short(),
	}
	over := t.say("exchange.over", args{"Was": a["Was"], "Sum": f.crs(d.Network)})
	money := t.say("exchange.same", a)
	dearer := max(0, d.Price+f.Config.ServiceFee-x.lost.Price-x.lost.Fee)
	switch {
	case d.Pay > 0:
		money = t.say("exchange.pay", a)
		if used := d.Pay - dearer; used > 0 {
			money = lines(money, t.say("exchange.used", args{"Sum": f.crs(used)}))
		}
		money = paragraphs(money, t.say("exchange.hold", a))
	case d.Back > 0:
		a["Sum"] = f.crs(d.Back)
		money = t.say("exchange.back", a)
	}
	all := lines(t.say("exchange.seat", a), t.say("exchange.prices", a))
	if fee := f.Config.ServiceFee; fee != x.lost.Fee {
		all = lines(all, t.say("exchange.fee_other", args{"Sum": f.crs(fee), "WasPrice": f.crs(x.lost.Fee)}))
	} else if fee > 0 {
		all = lines(all, t.say("exchange.fee", args{"Sum": f.crs(fee)}))
	}
	if x.o.Terms.Identity {
		over = lines(over, t.say("exchange.name", nil))
	}
	return paragraphs(all, money, over, f.refundOf(t.voice, x.sale, d.Price))
}
