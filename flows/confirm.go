package flows

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// confirm is the last screen before payment: what it costs, who holds the money meanwhile, what a refund would be.
// note is put in front where something changed.
func (f *Flows) confirm(ctx context.Context, customer int64, v voice, s Session, o offer, note Text) (Screen, error) {
	seats := s.Draft.Seats
	total, err := order.QuoteAll(o.Sale, seats, f.Config.Gas, f.Config.ServiceFee)
	if err != nil {
		return Screen{}, fmt.Errorf("quoting %d seats: %w", len(seats), err)
	}
	first, err := f.firstOrder(ctx, customer)
	if err != nil {
		return Screen{}, err
	}
	var trust, names, joined Text
	if first {
		trust = v.say("confirm.trust", args{"Support": f.support(v)})
	}
	if o.Terms.Identity {
		names = v.say("confirm.names", args{"Count": len(seats)})
	}
	if len(seats) > 1 {
		joined = v.say("confirm.joined", args{"Count": len(seats)})
	}
	text := paragraphs(note,
		v.say("confirm.head", args{
			"Show": showName(*o.Show), "Venue": venueName(*o.Show), "Count": len(seats), "Seats": enumerate(seatNames(seats)),
			"Time": moment(o.Show.Time),
		}),
		f.costs(v, o, seats, total),
		f.refundOf(v, o, cheapest(total)),
		lines(refundLine(v, s), names, joined),
		trust,
		f.confirmNext(v, o, len(seats)),
	)
	return Screen{Text: text, Buttons: append(f.confirmButtons(v, o, seats, total), refundRow(v, s)...)}, nil
}

func (f *Flows) confirmButtons(v voice, o offer, seats []cirrus.Seat, total order.Total) [][]Button {
	key := showKey(o.Show.TxID)
	paid := strconv.FormatInt(int64(total.Price()), 10)
	buttons := [][]Button{
		{v.button("button.confirm", args{"Sum": f.crs(total.Due())}, act(doBuy, key, seatsKey(seats), paid))},
		{f.otherSeats(v, seats, key), v.button("button.other_address", nil, act(doOwn))},
	}
	if len(seats) > 1 {
		each := v.button("button.confirm_each", nil, act(doEach, key, seatsKey(seats), paid))
		buttons = slices.Insert(buttons, 1, []Button{each})
	}
	if o.Terms.Identity {
		buttons = append(buttons, []Button{v.button("button.other_names", nil, act(doNames, key))})
	}
	return buttons
}

// cheapest is the seat for which the venue gives back the least.
func cheapest(total order.Total) cirrus.Strats {
	prices := make([]cirrus.Strats, len(total.Seats))
	for i, p := range total.Seats {
		prices[i] = p.Seat
	}
	return slices.Min(prices)
}

// costs lists what is paid, line by line.
func (f *Flows) costs(v voice, o offer, seats []cirrus.Seat, total order.Total) Text {
	all := f.seatCosts(v, seats, total)
	all = lines(all, v.say("cost.deposit", args{"Sum": f.crs(total.Deposit()), "Back": f.about(total.Back())}))
	if total.Network > 0 {
		all = lines(all, v.say("cost.network", args{"Sum": f.crs(total.Network)}))
	}
	if total.Fee() > 0 {
		all = lines(all, v.say("cost.fee", args{"Sum": f.crs(total.Fee())}))
	}
	return lines(all, v.say("cost.all", args{"Sum": f.crs(total.Due())}))
}

// seatCosts has a line for each price.
func (f *Flows) seatCosts(v voice, seats []cirrus.Seat, total order.Total) Text {
	if len(seats) == 1 {
		return v.say("cost.seat", args{"Sum": f.crs(total.Price())})
	}
	var prices []cirrus.Strats
	of := map[cirrus.Strats][]string{}
	for i, p := range total.Seats {
		if of[p.Seat] == nil {
			prices = append(prices, p.Seat)
		}
		of[p.Seat] = append(of[p.Seat], seatName(seats[i]))
	}
	slices.Sort(prices)
	var all Text
	for _, price := range prices {
		n := len(of[price])
		all = lines(all, v.say("cost.seats", args{
			"Sum": f.crs(price * cirrus.Strats(n)), "Count": n, "Seats": enumerate(of[price]), "Each": f.crs(price),
		}))
	}
	return all
}
