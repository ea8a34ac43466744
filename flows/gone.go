package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// goneBell rings where the secret chat is gone of somebody who has tickets, or has paid for some: they stay theirs, and a
// new chat is shown to be made. Where the courier's account is gone, all of them wait to be sent again by themselves. What
// was said once, or wanted by the customer, is not said. unpaid rings because of orders that wait for money; nil: nothing
// does; both are one message.
func (f *Flows) goneBell(ctx context.Context, t *turn, why Why, unpaid *showing) (*showing, error) {
	kept, coming, err := f.atStake(ctx, t)
	if err != nil || len(kept) == 0 && coming == 0 {
		return unpaid, err
	}
	someone, err := f.someone(ctx, t.customer())
	if err == nil {
		err = f.waitForChat(ctx, t, why, kept, someone)
	}
	if err != nil {
		return nil, err
	}
	tries := &t.session.Tries
	again := tries.Gone == why
	if tries.Anew != "" || again && unpaid == nil {
		return unpaid, nil
	}
	bell := unpaid
	if bell == nil {
		s, err := f.besides(ctx, t)
		if err != nil {
			return nil, err
		}
		bell = &s
	}
	if !again {
		bell.edit = 0 // it rings
	}
	bell.Text = paragraphs(f.goneText(t, why, kept, coming, someone), bell.Text)
	if tries.Gone == "" {
		tries.Since = t.now
	}
	tries.Gone = why
	return bell, nil
}

// atStake lists the tickets that are the customer's and valid, and counts those that are paid and being bought.
func (f *Flows) atStake(ctx context.Context, t *turn) (kept []entry, coming int, err error) {
	orders, err := f.Desk.List(ctx, t.customer())
	if err != nil {
		return nil, 0, fmt.Errorf("listing orders: %w", err)
	}
	for _, o := range orders {
		for _, ticket := range o.Tickets {
			switch {
			case valid(o, ticket, t.now):
				kept = append(kept, entry{o: o, t: ticket})
			case comes(o, ticket) && !o.ShowOver(t.now):
				coming++
			}
		}
	}
	return kept, coming, nil
}

// comes tells whether a ticket is paid and being bought.
func comes(o order.Order, t order.Ticket) bool {
	switch o.State {
	case order.Paid, order.Joining, order.Splitting:
		return true
	case order.Filled:
		bought := t.State == order.Held || t.State == order.Reserving || t.State == order.Reserved || t.State == order.Unknown
		return bought && !t.Arriving()
	case order.AwaitingPayment, order.PartPaid, order.Paying, order.Void, order.Expired, order.Cancelled:
	}
	return false
}

// waitForChat has tickets wait for the next secret chat: those that are not sent yet, and with the courier's account all.
// The customer is told here; with no account left, the orders ring once there is one.
func (f *Flows) waitForChat(ctx context.Context, t *turn, why Why, kept []entry, someone bool) error {
	ask := order.Ask{Verb: order.SendAnew, Told: someone}
	if why != WhyAccount {
		ask.Verb = order.SendAgain
		kept = slices.DeleteFunc(slices.Clone(kept), entry.given)
	}
	return f.askAnew(ctx, t, kept, ask)
}

// someone tells whether there is a courier for the customer.
func (f *Flows) someone(ctx context.Context, customer int64) (bool, error) {
	_, err := f.Courier.Contact(ctx, customer)
	if err != nil && !errors.Is(err, order.ErrNoCourier) {
		return false, fmt.Errorf("asking for the courier: %w", err)
	}
	return err == nil, nil
}

// goneText says that tickets stay the customer's, and how they come again.
func (f *Flows) goneText(t *turn, why Why, kept []entry, coming int, someone bool) Text {
	a := args{"Count": len(kept), "Seats": "", "Show": ""}
	if len(kept) > 0 {
		a["Seats"], a["Show"] = seatName(kept[0].t.Seat), showName(kept[0].o.Show)
	}
	switch {
	case why == WhyAccount && len(kept) > 0 && !someone:
		return t.say("gone.account_none", a)
	case why == WhyAccount && len(kept) > 0:
		return t.say("gone.account", a)
	case slices.ContainsFunc(kept, func(e entry) bool { return e.t.Delivery.State == order.DeliverySeen }):
		return t.say("gone.kept", a)
	}
	a["Count"] = len(kept) + coming
	return t.say("gone.coming", a)
}

// What is offered when a secret chat opens, unless the one before is known to be gone: not what was sent a moment ago,
// which may be in this very chat. And nothing is offered again where news of it come twice.
const (
	offerAfter = 30 * time.Second
	offerEvery = 10 * time.Minute
)

// intoNewChat sees to the tickets that went into an earlier secret chat, now that another one is open. What another
// account of the courier's had, and what a customer wanted anew, is sent once more by itself; the rest, which the phone
// had, is offered: it may be another phone. What the phone did not have comes by itself all the same.
func (f *Flows) intoNewChat(ctx context.Context, t *turn, all []showing) ([]showing, error) {
	kept, _, err := f.atStake(ctx, t)
	if err != nil || len(kept) == 0 {
		return all, err
	}
	contact, err := f.Courier.Contact(ctx, t.customer())
	if errors.Is(err, order.ErrNoCourier) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the courier: %w", err)
	}
	var moved, wanted, rest []entry
	for _, e := range kept {
		switch d := e.t.Delivery; {
		case d.Via != "" && d.Via != contact.Username:
			moved = append(moved, e)
		case d.State != order.DeliverySeen:
		case t.session.Tries.Anew != "":
			wanted = append(wanted, e)
		case d.Sent.Before(t.session.Tries.Since), t.now.Sub(d.Sent) >= offerAfter:
			rest = append(rest, e)
		}
	}
	err = errors.Join(
		f.askAnew(ctx, t, moved, order.Ask{Verb: order.SendAnew, Via: contact.Username}),
		f.askAnew(ctx, t, wanted, order.Ask{Verb: order.SendAnew, Mark: t.session.Tries.Anew}),
	)
	if err != nil {
		return nil, err
	}
	return f.offerAgain(t, all, rest), nil
}

// offerAgain offers tickets again, in the message that tells of the new chat where there is one.
func (f *Flows) offerAgain(t *turn, all []showing, rest []entry) []showing {
	tries := &t.session.Tries
	if len(rest) == 0 || t.now.Sub(tries.Offered) < offerEvery {
		return all
	}
	tries.Offered = t.now
	text := t.say("anew.offer", args{"Count": len(rest), "Seats": seatName(rest[0].t.Seat), "Show": showName(rest[0].o.Show)})
	rows := t.againRow(rest)
	if t.session.Way != 0 && len(all) > 0 { // the last one is that message
		last := &all[len(all)-1]
		last.Text, last.Buttons = paragraphs(last.Text, text), append(rows, last.Buttons...)
		return all
	}
	rows = append(rows, []Button{t.button("button.tickets", nil, act(doMine))})
	return append(all, showing{Screen: Screen{Text: text, Buttons: rows}, shown: func(int) {}})
}
