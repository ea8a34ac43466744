package flows

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// maxTickets bounds a list of tickets; what is not on it is found through the support.
const maxTickets = 15

// entry is one ticket in a list.
type entry struct {
	o order.Order
	t order.Ticket
	// chatless: the ticket waits, because there is no secret chat to hand it over; noteChat finds out.
	chatless bool
}

// waits tells that a ticket is the customer's and was not handed over yet.
func (e entry) waits() bool {
	kept := e.t.State == order.Owned || e.t.State == order.Ended
	return kept && (e.t.Delivery.State == order.DeliveryNone || e.t.Delivery.State == order.DeliveryWaiting)
}

// noteChat finds out why tickets of a list wait, with one question to the courier; none where nothing waits.
func (f *Flows) noteChat(ctx context.Context, customer int64, list []entry) error {
	if !slices.ContainsFunc(list, entry.waits) {
		return nil
	}
	state, err := f.chat(ctx, customer)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].chatless = list[i].waits() && state != ChatOpen
	}
	return nil
}

func (e entry) past(now time.Time) bool { return e.o.Show.Time.Add(afterShow).Before(now) }

// entries lists the customer's tickets that are worth showing: upcoming ones first, the soonest at the top, then past
// ones, the latest at the top.
func (f *Flows) entries(ctx context.Context, customer int64, now time.Time) ([]entry, error) {
	orders, err := f.Desk.List(ctx, customer)
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	var list []entry
	for _, o := range orders {
		for _, t := range o.Tickets {
			if t.State != order.Dropped && t.State != order.Exchanged || o.Open() && o.State != order.Filled {
				list = append(list, entry{o: o, t: t})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b entry) int {
		switch {
		case a.past(now) && b.past(now):
			return b.o.Show.Time.Compare(a.o.Show.Time)
		case a.past(now):
			return 1
		case b.past(now):
			return -1
		}
		return a.o.Show.Time.Compare(b.o.Show.Time)
	})
	return list, nil
}

// tickets is the list of what the customer has.
func (f *Flows) tickets(ctx context.Context, t *turn) (Reply, error) {
	list, err := f.entries(ctx, t.customer(), t.now)
	if err != nil {
		return Reply{}, err
	}
	if len(list) == 0 {
		buttons := [][]Button{{t.button("button.shows", nil, act(doShows))}}
		return f.inPlace(t, Screen{Text: t.say("tickets.none", nil), Buttons: buttons}), nil
	}
	tip, err := f.tip(ctx)
	if err != nil {
		return Reply{}, err
	}
	more := max(0, len(list)-maxTickets)
	list = list[:len(list)-more]
	if err := f.noteChat(ctx, t.customer(), list); err != nil {
		return Reply{}, err
	}
	var text Text
	var buttons [][]Button
	for i, e := range list {
		if past := e.past(t.now); i == 0 || past != list[i-1].past(t.now) {
			text = paragraphs(text, t.say(headOf(past), nil))
		}
		text = paragraphs(text, lines(
			t.say("tickets.line", args{"Show": showName(e.o.Show), "Seat": seatName(e.t.Seat), "Time": moment(e.o.Show.Time)}),
			f.stateOf(t, e),
		))
		buttons = append(buttons, f.entryButtons(t, e, tip))
	}
	if more > 0 {
		text = paragraphs(text, t.say("tickets.more", args{"Count": more, "Support": f.support(t.voice)}))
	}
	if slices.ContainsFunc(list, func(e entry) bool { return asksArrived(e.o, e.t, t.now) }) {
		buttons = append(buttons, []Button{t.button("button.missing", nil, act(doMissing))})
	}
	if slices.ContainsFunc(list, func(e entry) bool { return e.chatless && !e.past(t.now) }) {
		buttons = append(buttons, []Button{t.button("button.to_chat", nil, act(doWays))})
	}
	return f.inPlace(t, Screen{Text: text, Buttons: buttons}), nil
}

func headOf(past bool) string {
	if past {
		return "tickets.past"
	}
	return "tickets.head"
}

// stateOf says in a few words how things stand with a ticket.
func (f *Flows) stateOf(t *turn, e entry) Text {
	id, until := stateID(e, t.now)
	return t.say("state."+id, args{"Until": until})
}

// stateID names a ticket's state, and the time that its words may tell.
func stateID(e entry, now time.Time) (id string, at any) {
	o, t := e.o, e.t
	switch {
	case o.State == order.AwaitingPayment:
		return "unpaid", until(o.Hold)
	case o.State == order.PartPaid:
		return "part_paid", until(o.Hold)
	case o.State == order.Paying:
		return "paying", nil
	case o.State == order.Void:
		return "void", nil
	case o.PartWaiting():
		return "part_waiting", nil
	case t.Missing() > 0:
		return "missing", until(t.Until)
	case t.Arriving():
		return "arriving", nil
	case t.State == order.Lost && o.Instead(t.ID) != nil:
		return "exchanged", nil
	}
	switch t.State {
	case order.Held, order.Reserving, order.Reserved:
		return "buying", nil
	case order.Unknown:
		return "unsure", nil
	case order.Owned, order.Ended:
		return ownedID(e, now), nil
	case order.Releasing:
		if now.Before(t.Undo) {
			return "undo", soon(t.Undo)
		}
		return "releasing", nil
	case order.Released:
		return "released", nil
	case order.Lost:
		return lostID(o, t), until(t.Choice)
	case order.Exchanged:
		return "exchanged", nil
	case order.Dropped:
		return "dropped", nil
	case order.Stray, order.Attention:
		if t.Stray && t.State == order.Stray {
			return "releasing", nil
		}
	}
	return "attention", nil
}

func ownedID(e entry, now time.Time) string {
	switch {
	case e.past(now):
		return "past"
	case e.t.Delivery.State == order.DeliverySent:
		return "sent"
	case e.t.Delivery.State == order.DeliverySeen:
		return "arrived"
	case e.chatless:
		return "chatless"
	}
	return "waiting"
}

func lostID(o order.Order, t order.Ticket) string {
	if t.Choosing() {
		return "choosing"
	}
	if back := o.Payout(t.ID); back != nil && back.State.Final() {
		return "lost_back"
	}
	return "lost"
}

func (f *Flows) entryButtons(t *turn, e entry, tip order.Tip) []Button {
	details := t.button("button.details", args{"Seat": seatName(e.t.Seat)}, act(doDetails, string(e.o.ID), e.t.ID))
	return append([]Button{details}, f.ownedButtons(t, e, tip)...)
}

// ownedButtons are what can be done with a ticket that is the customer's.
func (f *Flows) ownedButtons(t *turn, e entry, tip order.Tip) []Button {
	if e.t.State != order.Owned && e.t.State != order.Ended || e.past(t.now) {
		return nil
	}
	seat := args{"Seat": seatName(e.t.Seat)}
	row := []Button{t.button("button.send_seat", seat, act(doAgain, string(e.o.ID), e.t.ID))}
	if _, err := order.CanGiveBack(e.o, e.t, tip); err == nil {
		row = append(row, t.button("button.refund_seat", seat, act(doRefund, e.t.ID)))
	}
	return row
}
