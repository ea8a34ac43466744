package flows

import (
	"context"
	"fmt"
	"slices"

	"github.com/usherbot/usher/flows/order"
)

// maxListed bounds a list of orders within another text.
const maxListed = 8

// openOrders lists the customer's orders with money or a ticket of theirs in them, the newest first.
func (f *Flows) openOrders(ctx context.Context, customer int64) ([]order.Order, error) {
	all, err := f.Desk.List(ctx, customer)
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	return slices.DeleteFunc(all, func(o order.Order) bool { return !o.Open() }), nil
}

// orderArgs name an order in words.
func orderArgs(o order.Order) args {
	return args{"Order": string(o.ID), "Show": showName(o.Show), "Seats": enumerate(seatNames(seatsOf(o)))}
}

// forgetAsk says what is deleted, and what must stay while money is in it, until when.
func (f *Flows) forgetAsk(ctx context.Context, t *turn) (Reply, error) {
	open, err := f.openOrders(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	text := t.say("forget.ask", nil)
	if len(open) > 0 {
		tip, err := f.tip(ctx)
		if err != nil {
			return Reply{}, err
		}
		stays := t.say("forget.stays", args{"Count": len(open)})
		for _, o := range open[:min(len(open), maxListed)] {
			stays = lines(stays, f.stays(t, o, tip))
		}
		if more := len(open) - maxListed; more > 0 {
			stays = lines(stays, t.say("forget.more", args{"Count": more}))
		}
		text = paragraphs(text, stays)
	}
	buttons := [][]Button{{t.button("button.forget", nil, act(doForget)), t.button("button.keep", nil, act(doKeep))}}
	return f.fresh(t, Screen{Text: text, Buttons: buttons}), nil
}

// forget deletes what is remembered of a customer. An order with money in it stays, with all that is needed to bring
// the money back.
func (f *Flows) forget(ctx context.Context, t *turn) (Reply, error) {
	open, err := f.openOrders(ctx, t.customer())
	if err != nil {
		return Reply{}, err
	}
	text := t.say("forget.done", nil)
	if len(open) > 0 {
		text = t.say("forget.done_open", args{"Count": len(open)})
	}
	reply := f.inPlace(t, Screen{Text: text})
	t.session = Session{Format: SessionFormat, Version: t.session.Version}
	t.erase = true
	return reply, nil
}

// stays says why an order must stay, and until when.
func (f *Flows) stays(t *turn, o order.Order, tip order.Tip) Text {
	a := orderArgs(o)
	id := staysFor(o)
	switch id {
	case "owned":
		last, _ := o.Terms.LastRelease(o.Show.EndOfSale)
		a["About"], a["Block"] = when(tip, last), block(last)
	case "unpaid":
		a["Until"] = until(o.Hold)
	case "choosing":
		for _, ticket := range o.Tickets {
			if ticket.Choosing() {
				a["Until"] = until(ticket.Choice)
			}
		}
	}
	return t.say("stays."+id, a)
}

// staysFor names what takes longest of what an order waits for.
func staysFor(o order.Order) string {
	some := func(is func(order.Ticket) bool) bool { return slices.ContainsFunc(o.Tickets, is) }
	back := func(state order.PayoutState) bool {
		return slices.ContainsFunc(o.Payouts, func(p order.Payout) bool { return p.State == state })
	}
	switch {
	case o.State == order.AwaitingPayment || o.State == order.PartPaid:
		return "unpaid"
	case o.PartWaiting():
		return "part"
	case some(func(t order.Ticket) bool { return t.State == order.Attention || t.State == order.Stray }):
		return "person"
	case back(order.AddressNeeded):
		return "address"
	case some(func(t order.Ticket) bool { return t.State == order.Owned }):
		return "owned"
	case some(order.Ticket.Choosing):
		return "choosing"
	case back(order.PayoutDue) || back(order.Built) || back(order.Sent):
		return "back"
	}
	return "moving"
}
