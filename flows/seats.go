package flows

import (
	"context"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
)

// buying does what the buttons on the way to an order say.
func (f *Flows) buying(ctx context.Context, t *turn, a action) (Reply, error) {
	if a.verb == doLater {
		return f.later(t), nil
	}
	if t.event.Message < t.session.Message && a.verb != doShow && a.verb != doSeats {
		return f.old(ctx, t)
	}
	if a.verb == doBuy || a.verb == doEach {
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
	return f.onTheWay(ctx, t, o, a)
}

// onTheWay does what a button says for a show that is on sale.
func (f *Flows) onTheWay(ctx context.Context, t *turn, o offer, a action) (Reply, error) {
	switch a.verb {
	case doShow:
		return f.show(ctx, t, o)
	case doSeats:
		return f.seats(t, o)
	case doPick:
		return f.pick(t, o, a)
	case doBest:
		return f.best(t, o, a)
	case doClear:
		t.choose(o, nil)
		return f.seats(t, o)
	case doList:
		t.session.Draft.List = !t.session.Draft.List
		return f.seats(t, o)
	case doNames:
		t.session.Names = nil
	case doPhone:
		t.session.Phone = a.args[1]
	case doStuck:
		t.hint = hintStuck
	case doBuy, doEach:
		return f.buy(ctx, t, o, a)
	}
	return f.proceed(ctx, t, o)
}

// seats is the screen with the hall: a picture and a grid of buttons, or a list for who has it read aloud. It follows
// by itself what others take and give back.
func (f *Flows) seats(t *turn, o offer) (Reply, error) {
	gone := f.dropGone(t, o)
	screen, err := f.hall(t, o, gone)
	if err != nil {
		return Reply{}, err
	}
	return f.following(t, screen, Hall{Show: o.Show.TxID, Seats: f.plan(t, o, t.picked(o)).name(), Gone: gone}), nil
}

// How much of a message, or of a picture's caption, the list of seats may take, in bytes.
const (
	listRoom     = 3000
	captionSeats = 480
)

// hall draws the hall as the customer sees it now. gone are chosen seats that went to others.
func (f *Flows) hall(t *turn, o offer, gone []cirrus.Seat) (Screen, error) {
	mine := t.picked(o)
	s := Screen{Buttons: append(f.grid(t, o, mine), f.seatsBelow(t, o, mine)...)}
	room := listRoom
	if !t.session.Draft.List {
		room = captionSeats
		if err := f.drawHall(&s, f.plan(t, o, mine)); err != nil {
			return Screen{}, err
		}
	}
	s.Text = paragraphs(t.say("seats.head", args{"Show": showName(*o.Show)}), f.seatList(t, o, room), f.goneLine(t, gone),
		f.pickedLine(t, o, mine))
	return s, nil
}

// seatList names the seats under their prices; who does not see the picture reads of the others too.
func (f *Flows) seatList(t *turn, o offer, room int) Text {
	list := f.priceList(t, o, room)
	if t.session.Draft.List {
		list = lines(list, f.notFree(t, o, room-len(list.String())))
	}
	return list
}

// goneLine says which chosen seats went to others.
func (f *Flows) goneLine(t *turn, gone []cirrus.Seat) Text {
	if len(gone) == 0 {
		return nil
	}
	return t.say("seats.gone", args{"Count": len(gone), "Seats": enumerate(seatNames(gone))})
}

// pickedLine says what is chosen, with the running total.
func (f *Flows) pickedLine(t *turn, o offer, mine []cirrus.Seat) Text {
	if count, _, _ := f.free(o, t.now); count == 0 {
		return t.say("seats.none_free", nil)
	}
	if len(mine) == 0 {
		return t.say("seats.pick", nil)
	}
	return t.say("seats.picked", args{"Count": len(mine), "Seats": enumerate(seatNames(mine)), "Price": f.crs(priceOf(o, mine))})
}

// priceOf is what the contract takes for these seats.
func priceOf(o offer, seats []cirrus.Seat) cirrus.Strats {
	var sum cirrus.Strats
	for _, seat := range seats {
		on, _ := o.Seat(seat)
		price, _ := cirrus.StratsOf(on.Price)
		sum += price
	}
	return sum
}

// priceList names the free seats under their prices, the cheapest first, as far as there is room.
func (f *Flows) priceList(t *turn, o offer, room int) Text {
	byPrice := make(map[cirrus.Strats][]string)
	var prices []cirrus.Strats
	for _, on := range o.Seats {
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
	var list Text
	for i, price := range prices {
		names := byPrice[price]
		line := t.say("seats.class", args{"Price": f.crs(price), "Seats": enumerate(names)})
		if room -= len(line.String()) + 1; room < 0 {
			more := 0
			for _, price := range prices[i:] {
				more += len(byPrice[price])
			}
			return lines(list, t.say("seats.more", args{"Count": more, "Price": f.prices(t.voice, price, prices[len(prices)-1])}))
		}
		list = lines(list, line)
	}
	return list
}

// notFree names the seats that can't be chosen, for who does not see the picture.
func (f *Flows) notFree(t *turn, o offer, room int) Text {
	var held, taken, resold []string
	for _, on := range o.Seats {
		switch f.seatState(o, on.Seat, t.now) {
		case seatHeld, seatMine:
			held = append(held, seatName(on.Seat))
		case seatResold:
			resold = append(resold, seatName(on.Seat))
		case seatTaken, seatUnpriced, seatUnknown:
			taken = append(taken, seatName(on.Seat))
		case seatFree:
		}
	}
	var list Text
	for _, part := range []struct {
		id    string
		names []string
	}{{"seats.list_held", held}, {"seats.list_taken", taken}, {"seats.list_resold", resold}} {
		if len(part.names) == 0 {
			continue
		}
		line := t.say(part.id, args{"Seats": enumerate(part.names)})
		if room -= len(line.String()) + 1; room > 0 {
			list = lines(list, line)
		}
	}
	return list
}

func seatNames(seats []cirrus.Seat) []string {
	names := make([]string, len(seats))
	for i, seat := range seats {
		names[i] = seatName(seat)
	}
	return names
}

func enumerate(names []string) string { return strings.Join(names, ", ") }
