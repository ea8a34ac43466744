package flows

import (
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// Around is what a card shows beside its order.
type Around struct {
	Tip     order.Tip
	Chat    ChatState // whether a ticket could be handed over now; empty: not asked
	Courier string    // username of the courier, without @; empty where it was not asked for, or none is logged in
	// Nr and Of number an order among those that were made together, each seat paid on its own; 0: it is alone.
	Nr, Of int
}

// part is what one state adds to a card.
type part struct {
	text    Text
	buttons [][]Button
	stage   stage
}

// card is one rendering of an order.
type card struct {
	voice
	f      *Flows
	o      order.Order
	now    time.Time
	around Around
	bare   bool // the QR holds the address alone
	brief  bool // there is no room for more than what matters
}

// Card shows an order as it is: what is true now, what the customer can do, what happens by itself and by when. It is
// a picture message from the start, since a text message cannot become one. Errors: a picture that cannot be drawn.
func (f *Flows) Card(o order.Order, now time.Time, around Around) (Screen, error) {
	return f.card(o, now, around).screen()
}

func (f *Flows) card(o order.Order, now time.Time, around Around) card {
	return card{voice: f.voice(o.Language), f: f, o: o, now: now, around: around}
}

// preparing tells that the address may not be shown yet: its record was saved a moment ago only.
func preparing(o order.Order, now time.Time) bool {
	return o.State == order.AwaitingPayment && now.Before(o.ShowFrom)
}

func (c card) screen() (Screen, error) {
	s, draw := c.layout()
	if draw == nil {
		return s, nil
	}
	var err error
	s.Picture, err = draw()
	return s, err
}

// layout is the screen with its picture named but not drawn, and how to draw it; nil where there is none yet.
func (c card) layout() (s Screen, draw func() ([]byte, error)) {
	p := c.body()
	if mayRedirect(c.o) {
		p = c.backTo(p)
	}
	s = Screen{Text: paragraphs(c.head(), p.text), Buttons: p.buttons}
	if !c.brief && s.Text.size() > captionRoom {
		c.brief = true
		return c.layout()
	}
	asking := c.asking()
	switch {
	case preparing(c.o, c.now):
		return s, nil
	case asking != nil:
		s.PictureName, draw = c.topPicture(*asking)
		return s, draw
	case c.holdOver(), c.saleOver(), c.o.State != order.AwaitingPayment && c.o.State != order.PartPaid && c.waitsUntil().IsZero():
		s.PictureName = "stage:" + string(p.stage)
		return s, c.f.banners[p.stage]
	case c.bare:
		s.PictureName = "address:" + string(c.o.ID)
		return s, func() ([]byte, error) { return c.payment(string(c.o.Address)) }
	}
	s.PictureName = "request:" + string(c.o.ID) + ":" + c.missing().String()
	return s, func() ([]byte, error) { return c.payment(paymentURI(c.o)) }
}

func (c card) payment(text string) ([]byte, error) {
	png, err := c.f.Artist.Payment(text)
	if err != nil {
		return nil, fmt.Errorf("drawing the payment of %s: %w", c.o.ID, err)
	}
	return png, nil
}

func (c card) head() Text {
	show := c.o.Show
	var seats []string
	for _, t := range c.standing() {
		seats = append(seats, seatName(t.Seat))
	}
	return c.say("card.head", args{
		"Show": showName(show), "Venue": venueName(show), "Time": moment(show.Time), "Seats": enumerate(seats), "Count": len(seats),
	})
}

// body is the part of the card that depends on the state of the order.
func (c card) body() part {
	switch c.o.State {
	case order.AwaitingPayment:
		return c.awaiting()
	case order.PartPaid:
		return c.partPaid()
	case order.Paying:
		return c.came("card.paying", stageSeen)
	case order.Paid:
		return c.came("card.paid", stagePaid)
	case order.Joining:
		return c.came("card.joining", stagePaid)
	case order.Splitting:
		return c.came("card.splitting", stagePaid)
	case order.Filled:
		return c.tickets()
	case order.Void:
		return c.simple("card.void", args{"Support": c.f.support(c.voice)}, stageEnded)
	case order.Expired:
		if c.saleOver() {
			return c.tooLate()
		}
		if end := c.waitsUntil(); !end.IsZero() {
			return c.partLate(end)
		}
		if c.o.PartWaiting() && c.missing() <= 0 {
			return c.simple("card.late_seen", args{"Sum": c.f.crs(c.seen())}, stageSeen)
		}
		return c.ended(c.expired())
	case order.Cancelled:
		return c.cancelled()
	}
	return c.simple("card.unknown", args{"Support": c.f.support(c.voice)}, stagePerson)
}

func (c card) simple(id string, a args, s stage) part {
	if a == nil {
		a = args{}
	}
	a["Count"] = len(c.o.Tickets)
	return part{text: c.say(id, a), stage: s}
}

// came is an order whose money is there and on its way to the tickets.
func (c card) came(id string, s stage) part {
	p := c.simple(id, args{"Sum": c.f.crs(c.seen())}, s)
	if c.o.Late {
		p.text = paragraphs(c.simple("card.late_came", nil, s).text, p.text)
	}
	p.text = paragraphs(p.text, c.extra(), c.oneOf())
	return p
}

// tickets goes through the tickets of an order that has its money.
func (c card) tickets() part {
	standing := c.standing()
	if len(standing) != 1 {
		return c.several()
	}
	all := c.ticket(standing[0])
	all.text = paragraphs(c.lateNote(), all.text, c.excess(standing[0]), c.swapBack(standing[0]), c.payouts())
	return all
}

// ended is an order that took no ticket; what still comes to its address goes on by itself.
func (c card) ended(id string) part {
	return part{
		text:    paragraphs(c.simple(id, nil, stageEnded).text, c.payouts()),
		buttons: [][]Button{{c.button("button.shows", nil, act(doMore))}},
		stage:   stageEnded,
	}
}

// ticket is one seat's part of the card.
func (c card) ticket(t order.Ticket) part {
	a := args{"Seat": seatName(t.Seat)}
	switch {
	case t.Arriving():
		return c.pending(t)
	case choosing(c.o, t):
		return c.choose(t)
	}
	if t.Stray && (t.State == order.Stray || t.State == order.Releasing) {
		return c.simple("card.stray", args{"Seat": seatName(t.Seat), "Why": c.reason(t)}, stageBack)
	}
	switch t.State {
	case order.Held, order.Reserving:
		return c.simple("card.buying", a, stagePaid)
	case order.Unknown:
		return c.simple("card.unsure", a, stagePaid)
	case order.Reserved:
		return c.simple("card.reserved", args{"Seat": seatName(t.Seat), "Tx": t.Reserve.TxID.Short()}, stagePaid)
	case order.Owned:
		return c.owned(t)
	case order.Ended:
		return c.kept(t)
	case order.Releasing:
		return c.woundDown(t, c.releasing(t))
	case order.Released:
		return c.woundDown(t, c.simple("card.released", args{"Seat": seatName(t.Seat), "Block": block(t.Release.Block)}, stageBack))
	case order.Lost:
		return c.lost(t)
	case order.Exchanged:
		return c.simple("card.exchanged", a, stageBack)
	case order.Dropped:
		return c.simple("card.expired", nil, stageEnded)
	case order.Stray, order.Attention:
		return c.attention(t)
	}
	return c.simple("card.unknown", args{"Support": c.f.support(c.voice)}, stagePerson)
}

// lost is a seat that could not be bought, once nothing is to be chosen any more.
func (c card) lost(t order.Ticket) part {
	id := "card.lost"
	if t.Reserve.Spent > 0 {
		id = "card.lost_gas"
	}
	if t.Stray {
		id = "card.lost_stray"
	}
	if p := c.o.Payout(t.ID); p != nil && p.State.Final() {
		id = "card.lost_done"
	}
	return c.simple(id, args{"Seat": seatName(t.Seat), "Why": c.reason(t)}, stageBack)
}

// reason says in the customer's words why a ticket went another way.
func (c card) reason(t order.Ticket) string {
	if dead(c.o, t) {
		return c.plain("reason.dead", nil)
	}
	if c.o.Late && t.State == order.Lost && t.Reason == order.ReasonSeatTaken {
		return c.plain("reason.late", nil)
	}
	if slices.Contains(Reasons(), t.Reason) {
		return c.plain("reason."+string(t.Reason), nil)
	}
	return c.plain("reason.other", nil)
}

// Reasons lists all reasons; each has words for the customer and for the operator.
func Reasons() []order.Reason {
	return []order.Reason{
		order.ReasonSeatTaken, order.ReasonSaleClosed, order.ReasonShowChanged, order.ReasonCallFailed, order.ReasonNoSecret,
		order.ReasonBadSecret, order.ReasonTooMany, order.ReasonWindowOver, order.ReasonMissing, order.ReasonUnresolved,
		order.ReasonAddress, order.ReasonFloat, order.ReasonUnsupported, order.ReasonWindingDown,
	}
}

// attention is a ticket that a person looks after.
func (c card) attention(t order.Ticket) part {
	text := c.say("card.attention", args{
		"Seat": seatName(t.Seat), "Why": c.reason(t), "Order": string(c.o.ID), "Support": c.f.support(c.voice),
	})
	return part{text: text, buttons: c.f.supportRow(c.voice), stage: stagePerson}
}
