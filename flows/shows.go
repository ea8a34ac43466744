package flows

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// maxShows bounds the list of shows, one button each.
const maxShows = 20

// offer is a show on sale and what is known around it; reading it makes no node call.
type offer struct {
	order.Sale
	tip      order.Tip
	held     map[cirrus.Seat]order.Hold
	customer int64 // who is looking at it
}

// tip is the newest block; before the first one a tip that is not healthy.
func (f *Flows) tip(ctx context.Context) (order.Tip, error) {
	tip, err := f.View.Tip(ctx)
	if err != nil && !errors.Is(err, order.ErrNotFound) {
		return order.Tip{}, fmt.Errorf("reading the tip: %w", err)
	}
	return tip, nil
}

// onSale lists the shows whose sale is open, the soonest first.
func (f *Flows) onSale(ctx context.Context) ([]order.Sale, order.Tip, error) {
	tip, err := f.tip(ctx)
	if err != nil {
		return nil, tip, err
	}
	sales, err := f.View.Sales(ctx)
	if err != nil {
		return nil, tip, fmt.Errorf("reading the catalogue: %w", err)
	}
	open := slices.DeleteFunc(slices.Clone(sales), func(s order.Sale) bool { return !s.Open(tip.Height) })
	slices.SortStableFunc(open, func(a, b order.Sale) int { return a.Show.Time.Compare(b.Show.Time) })
	return open, tip, nil
}

// find looks a show up by its key. ok is false where its sale is over.
func (f *Flows) find(ctx context.Context, customer int64, key string) (o offer, ok bool, err error) {
	sales, tip, err := f.onSale(ctx)
	if err != nil {
		return offer{}, false, err
	}
	i := slices.IndexFunc(sales, func(s order.Sale) bool { return showKey(s.Show.TxID) == key })
	if i < 0 {
		return offer{}, false, nil
	}
	o, err = f.offered(ctx, sales[i], tip)
	o.customer = customer
	if err == nil {
		err = f.giveUpForsaken(ctx, o)
	}
	return o, err == nil, err
}

// offered reads what is known around a show on sale.
func (f *Flows) offered(ctx context.Context, sale order.Sale, tip order.Tip) (offer, error) {
	held, err := f.Holds.Held(ctx, sale.Show.TxID)
	if err != nil {
		return offer{}, fmt.Errorf("reading holds: %w", err)
	}
	return offer{Sale: sale, tip: tip, held: held}, nil
}

// seatState says whether a seat can be chosen.
type seatState string

const (
	seatFree     seatState = "free"
	seatTaken    seatState = "taken"
	seatHeld     seatState = "held"     // by another customer
	seatMine     seatState = "mine"     // held by an order of this customer
	seatResold   seatState = "resold"   // the door could not read a ticket for it
	seatUnpriced seatState = "unpriced" // its price is out of bounds
	seatUnknown  seatState = "unknown"
)

func (f *Flows) seatState(o offer, seat cirrus.Seat, now time.Time) seatState {
	on, found := o.Seat(seat)
	if !found {
		return seatUnknown
	}
	if on.Owner != "" {
		return seatTaken
	}
	if on.Resold && !f.Config.SellResold {
		return seatResold // whoever may have held it: the hold of the first purchase may still run
	}
	if hold, held := o.held[seat]; held && hold.Until.After(now) {
		if hold.Customer == o.customer {
			return seatMine
		}
		return seatHeld
	}
	if _, err := order.Quote(o.Sale, seat, plenty(), f.Config.ServiceFee); err != nil {
		return seatUnpriced
	}
	return seatFree
}

// plenty is gas that is enough in any hall: whether there is enough is a matter of the show, not of one seat.
func plenty() order.Gas { return order.Gas{Limit: 1 << 32, Price: 1} }

// free counts the seats that can be chosen, and the range of their prices.
func (f *Flows) free(o offer, now time.Time) (count int, least, most cirrus.Strats) {
	for _, on := range o.Seats {
		if f.seatState(o, on.Seat, now) != seatFree {
			continue
		}
		price, _ := cirrus.StratsOf(on.Price)
		if count == 0 || price < least {
			least = price
		}
		most = max(most, price)
		count++
	}
	return count, least, most
}

func (f *Flows) prices(v voice, least, most cirrus.Strats) string {
	if least == most {
		return f.crs(least)
	}
	return v.plain("show.prices", args{"From": least, "To": f.crs(most)})
}

// shows lists what is on sale.
func (f *Flows) shows(ctx context.Context, t *turn) (Reply, error) {
	sales, _, err := f.onSale(ctx)
	if err != nil {
		return Reply{}, err
	}
	if len(sales) == 0 {
		return f.inPlace(t, Screen{Text: t.say("shows.none", nil), Buttons: [][]Button{
			{t.button("button.look_again", nil, act(doShows)), t.button("button.tickets", nil, act(doTickets))},
		}}), nil
	}
	text := Text(t.say("shows.head", args{"Count": len(sales)}))
	var buttons [][]Button
	for _, sale := range sales[:min(len(sales), maxShows)] {
		show := *sale.Show
		text = paragraphs(text, t.say("shows.line", args{
			"Show": showName(show), "Venue": venueName(show), "Time": moment(show.Time),
		}))
		buttons = append(buttons, []Button{{Text: showName(show), Action: act(doShow, showKey(show.TxID))}})
	}
	return f.inPlace(t, Screen{Text: text, Buttons: buttons}), nil
}

// show is the card of one show.
func (f *Flows) show(ctx context.Context, t *turn, o offer) (Reply, error) {
	show := *o.Show
	text := paragraphs(
		lines(
			t.say("show.head", args{"Show": showName(show), "Venue": venueName(show)}),
			t.say("show.when", args{"Time": moment(show.Time), "By": Clean(show.Organiser, nameRoom)}),
		),
		f.availability(t, o),
		lines(f.saleEnd(t, o), f.refundTerms(t.voice, o, o.Terms)),
	)
	key := showKey(show.TxID)
	buttons := [][]Button{{t.button("button.seats", nil, act(doSeats, key))}, {t.button("button.all_shows", nil, act(doShows))}}
	if o.Terms.Identity {
		text = paragraphs(text, t.say("show.names", nil))
	}
	if b := f.notSelling(ctx, o); b != nil {
		text = paragraphs(text, t.say(b.id, b.args))
	}
	return f.inPlace(t, Screen{Text: text, Buttons: buttons}), nil
}

func (f *Flows) availability(t *turn, o offer) Text {
	count, least, most := f.free(o, t.now)
	if count == 0 {
		return t.say("show.full", args{"All": len(o.Seats)})
	}
	return t.say("show.seats", args{"Count": count, "All": len(o.Seats), "Price": f.prices(t.voice, least, most)})
}

// saleEnd says when the sale ends, and where little time is left what that means.
func (f *Flows) saleEnd(t *turn, o offer) Text {
	last := o.Show.EndOfSale - 1
	end := t.say("show.sale_end", args{"About": when(o.tip, last), "Block": block(last)})
	if !f.endsSooner(o) || o.tip.Height+order.SaleMargin >= o.Show.EndOfSale {
		return end // or nothing is sold any more, which is said elsewhere
	}
	return join(" ", end, t.say("show.ends_sooner", nil))
}

// endsSooner tells whether the sale ends before a hold that began now would.
func (f *Flows) endsSooner(o offer) bool {
	end := when(o.tip, o.Show.EndOfSale-1).At
	return o.tip.Height > 0 && end.Before(f.Clock().Add(f.Config.Hold))
}

// holdTime is how long a seat is held unpaid, in words.
func (f *Flows) holdTime(v voice) string {
	return v.plain("minutes", args{"Count": int(f.Config.Hold.Minutes())})
}

// confirmNext says what the tap on the last screen before payment leads to.
func (f *Flows) confirmNext(v voice, o offer, seats int) Text {
	next := v.say("confirm.next", args{"Hold": f.holdTime(v), "Count": seats})
	if !f.endsSooner(o) {
		return next
	}
	last := o.Show.EndOfSale - 1
	return join(" ", next, v.say("confirm.ends_sooner", args{"About": when(o.tip, last), "Block": block(last)}))
}

// refundOf says the same for a seat whose price is known: the venue may keep all of it.
func (f *Flows) refundOf(v voice, o offer, price cirrus.Strats) Text {
	terms := o.Terms
	if terms.Refund(price) == 0 {
		terms.ReleaseFee = math.MaxUint64
	}
	return f.refundTerms(v, o, terms)
}

// refundTerms says until when a ticket can be given back and what that costs.
func (f *Flows) refundTerms(v voice, o offer, terms cirrus.Terms) Text {
	tip := o.tip
	last, ok := terms.LastRelease(o.Show.EndOfSale)
	switch {
	case !ok || last <= o.Show.Block+order.RefundMargin:
		return v.say("refund.terms_never", nil)
	case last < tip.Height+order.RefundMargin:
		return v.say("refund.terms_none", nil)
	}
	last -= order.RefundMargin
	fee, fits := cirrus.StratsOf(terms.ReleaseFee)
	id := "refund.terms"
	switch {
	case !fits:
		return v.say("refund.terms_worthless", args{"About": when(tip, last), "Block": block(last)})
	case fee == 0:
		id = "refund.terms_free"
	}
	return v.say(id, args{"About": when(tip, last), "Block": block(last), "Fee": f.crs(fee)})
}
