package flows

import (
	"context"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Limits of a message's buttons.
const (
	maxRow     = 8
	maxButtons = 100
	// maxGrid leaves room for the buttons below the seats.
	maxGrid = maxButtons - 4
)

// buying does what the buttons on the way to an order say.
func (f *Flows) buying(ctx context.Context, t *turn, a action) (Reply, error) {
	if a.verb == doLater {
		return f.inPlace(t, Screen{Text: t.say("handover.later", nil), Buttons: t.menu()}), nil
	}
	if t.event.Message < t.session.Message && a.verb != doShow && a.verb != doSeats {
		return f.old(ctx, t)
	}
	if a.verb == doBuy {
		if reply, done, err := f.bought(ctx, t, a); done || err != nil {
			return reply, err
		}
	}
	o, found, err := f.find(ctx, t.customer(), a.args[0])
	if err != nil {
		return Reply{}, err
	}
	if !found {
		reply, err := f.shows(ctx, t)
		reply.Answer = t.answer("tap.sale_over")
		return reply, err
	}
	t.session.Screen = ""
	switch a.verb {
	case doShow:
		return f.show(ctx, t, o)
	case doSeats:
		return f.seats(t, o), nil
	case doPick:
		return f.pick(t, o, a)
	case doPhone:
		t.session.Phone = a.args[1]
		return f.proceed(ctx, t, o)
	case doBuy:
		return f.buy(ctx, t, o, a)
	}
	return f.proceed(ctx, t, o)
}

// picked is the seat of the draft, where it belongs to this show.
func (t *turn) picked(o offer) (cirrus.Seat, bool) {
	d := t.session.Draft
	if d.Show != o.Show.TxID || len(d.Seats) == 0 {
		return cirrus.Seat{}, false
	}
	return d.Seats[0], true
}

// pick moves the mark to a seat, or takes it away.
func (f *Flows) pick(t *turn, o offer, a action) (Reply, error) {
	seat, err := parseSeat(a.args[1])
	if err != nil {
		reply := f.seats(t, o)
		reply.Answer = t.answer("tap.old")
		return reply, nil
	}
	if state := f.seatState(o, seat, t.now); state != seatFree {
		reply := f.seats(t, o)
		reply.Answer = cut(t.plain("seat."+string(state), args{"Seat": seatName(seat)}), answerRoom)
		return reply, nil
	}
	before, marked := t.picked(o)
	t.session.Draft = Draft{Contract: o.Contract, Show: o.Show.TxID, Seats: []cirrus.Seat{seat}}
	if marked && before == seat {
		t.session.Draft = Draft{}
	}
	return f.seats(t, o), nil
}

// seats is the screen with the hall: a grid of buttons, and the same as a list for who has it read aloud.
func (f *Flows) seats(t *turn, o offer) Reply {
	mark, marked := t.picked(o)
	if marked && f.seatState(o, mark, t.now) != seatFree {
		t.session.Draft, marked = Draft{}, false
	}
	text := paragraphs(
		t.say("seats.head", args{"Show": showName(*o.Show)}),
		f.priceList(t, o),
		f.pickedLine(t, o, mark, marked),
	)
	buttons := f.grid(t, o, mark, marked)
	key := showKey(o.Show.TxID)
	last := []Button{t.button("button.back", nil, act(doShow, key))}
	if marked {
		last = append(last, t.button("button.continue_seat", args{"Seat": seatName(mark)}, act(doGo, key)))
	}
	return f.inPlace(t, Screen{Text: text, Buttons: append(buttons, last)})
}

func (f *Flows) pickedLine(t *turn, o offer, mark cirrus.Seat, marked bool) Text {
	if count, _, _ := f.free(o, t.now); count == 0 {
		return t.say("seats.none_free", nil)
	}
	if !marked {
		return t.say("seats.pick", nil)
	}
	on, _ := o.Seat(mark)
	price, _ := cirrus.StratsOf(on.Price)
	return t.say("seats.picked", args{"Seat": seatName(mark), "Price": f.crs(price)})
}

// maxListed bounds how many seats are spelled out, so that the text keeps within a message.
const maxListed = 150

// priceList names the free seats under their prices, the cheapest first.
func (f *Flows) priceList(t *turn, o offer) Text {
	byPrice := make(map[cirrus.Strats][]string)
	var prices []cirrus.Strats
	for i, on := range o.Seats {
		if i == maxListed {
			break
		}
		if f.seatState(o, on.Seat, t.now) != seatFree {
			continue
		}
		price, _ := cirrus.StratsOf(on.Price)
		if byPrice[price] == nil {
			prices = append(prices, price)
		}
		byPrice[price] = append(byPrice[price], seatName(on.Seat))
	}
	slices.Sort(prices)
	const maxClasses = 12
	var list Text
	for _, price := range prices[:min(len(prices), maxClasses)] {
		list = lines(list, t.say("seats.class", args{"Price": f.crs(price), "Seats": enumerate(byPrice[price])}))
	}
	return list
}

func enumerate(names []string) string {
	all := ""
	for i, name := range names {
		if i > 0 {
			all += ", "
		}
		all += name
	}
	return all
}

// grid lays the seats out: a row of the hall is a row of buttons, broken where it is longer than a message allows.
func (f *Flows) grid(t *turn, o offer, mark cirrus.Seat, marked bool) [][]Button {
	var grid [][]Button
	var row []Button
	var number int32
	seats := o.Seats[:min(len(o.Seats), maxGrid)]
	numbered := rowsByNumber(seats)
	for i, on := range seats {
		if len(row) == maxRow || i > 0 && numbered && on.Seat.Number != number {
			grid, row = append(grid, row), nil
		}
		number = on.Seat.Number
		row = append(row, f.seatButton(t, o, on.Seat, marked && on.Seat == mark))
	}
	if row != nil {
		grid = append(grid, row)
	}
	return grid
}

// rowsByNumber tells whether the number of a seat is its row: some row has several letters.
func rowsByNumber(seats []order.SeatOnSale) bool {
	for i := 1; i < len(seats); i++ {
		if seats[i].Seat.Number == seats[i-1].Seat.Number && seats[i].Seat.Number != 0 {
			return true
		}
	}
	return false
}

func (f *Flows) seatButton(t *turn, o offer, seat cirrus.Seat, marked bool) Button {
	if f.seatState(o, seat, t.now) != seatFree {
		return Button{Text: "·"}
	}
	text := seatName(seat)
	if marked {
		text += " ✓"
	}
	return Button{Text: text, Action: act(doPick, showKey(o.Show.TxID), seatKey(seat))}
}
