package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// bell is something that must ring.
type bell struct {
	keys   []string // it rings while one of them has not rung
	screen Screen
	payout int // index of the payout whose Rung it sets; -1: none
}

// ring sends a new message for each thing that must ring and did not yet.
func (f *Flows) ring(ctx context.Context, o *order.Order, around Around) error {
	for _, b := range f.bells(*o, around) {
		rung := func(key string) bool { return slices.Contains(o.Card.Rung, key) }
		b.keys = slices.DeleteFunc(b.keys, rung)
		if len(b.keys) == 0 {
			continue
		}
		if _, err := f.send(ctx, o.Customer, 0, b.screen); err != nil {
			return fmt.Errorf("telling %s of order %s: %w", b.keys, o.ID, err)
		}
		o.Card.Rung = append(o.Card.Rung, b.keys...)
		if b.payout >= 0 {
			o.Payouts[b.payout].Rung = true
		}
	}
	return f.remind(ctx, o)
}

// Reminders of money that waits for another address.
const (
	remindEvery = 24 * time.Hour
	remindKey   = "address:" // and when it was last said
)

// remind asks for another address once a day while money can't go back: in the secret chat where there is one, which
// is where the address is taken; otherwise in the bot chat.
func (f *Flows) remind(ctx context.Context, o *order.Order) error {
	if !needsAddress(*o) {
		return nil
	}
	now, last := f.Clock(), int64(0)
	for _, key := range o.Card.Rung {
		if said, found := strings.CutPrefix(key, remindKey); found {
			last, _ = strconv.ParseInt(said, 10, 64) // what can't be read was said long ago
		}
	}
	next := time.Unix(last, 0).Add(remindEvery)
	if !now.Before(next) {
		if err := f.remindNow(ctx, *o, last); err != nil {
			return err
		}
		o.Card.Rung = slices.DeleteFunc(o.Card.Rung, func(key string) bool { return strings.HasPrefix(key, remindKey) })
		o.Card.Rung = append(o.Card.Rung, remindKey+strconv.FormatInt(now.Unix(), 10))
		next = now.Add(remindEvery)
	}
	if o.Card.Again.IsZero() || next.Before(o.Card.Again) {
		o.Card.Again = next
	}
	return nil
}

// remindNow says it. last names what is said, so that it is said once even where a crash forgot that it was.
func (f *Flows) remindNow(ctx context.Context, o order.Order, last int64) error {
	v, sum := f.voice(o.Language), cirrus.Strats(0)
	for _, p := range o.Payouts {
		if p.State == order.AddressNeeded {
			sum += sumOf(p)
		}
	}
	a := args{"Sum": f.crs(sum), "Show": showName(o.Show), "Address": string(o.Private.Refund)}
	err := f.Courier.Say(ctx, o.Customer, fmt.Sprintf("needed-%s-%d", o.ID, last), v.plain("redirect.needed", a))
	if !errors.Is(err, order.ErrNoChat) && !errors.Is(err, order.ErrNoCourier) {
		return err
	}
	a["Address"] = o.Private.Refund.Short()
	row := []Button{v.button("button.back_to", nil, act(doBackTo, string(o.ID)))}
	_, err = f.send(ctx, o.Customer, 0, Screen{Text: v.say("ring.address", a), Buttons: [][]Button{row}})
	if err != nil {
		return fmt.Errorf("asking for another address of %s: %w", o.ID, err)
	}
	return nil
}

// bells lists what must have rung by now, in the order it happened.
func (f *Flows) bells(o order.Order, around Around) []bell {
	v := f.voice(o.Language)
	buttons := [][]Button{{v.button("button.tickets", nil, act(doMine))}}
	var all []bell
	add := func(keys []string, text Text) {
		if len(keys) > 0 {
			all = append(all, bell{keys: keys, screen: Screen{Text: text, Buttons: buttons}, payout: -1})
		}
	}
	all = append(all, f.partBells(v, o, around)...)
	add(f.paidBell(v, o))
	for _, t := range o.Tickets {
		if b, rings := f.choiceBell(v, o, t); rings {
			all = append(all, b)
			continue
		}
		add(f.ticketBell(v, o, t))
	}
	add(f.handedBell(v, o))
	all = append(all, f.chatBell(v, o, around)...)
	all = append(all, f.stillWaiting(v, o, around)...)
	add(f.voidBell(v, o))
	for i, p := range o.Payouts {
		key, text := f.payoutBell(v, o, p)
		if key == "" {
			continue
		}
		add([]string{key}, text)
		all[len(all)-1].payout = i
		all[len(all)-1].screen.Silent = p.Why == order.WhyDeposit
	}
	return all
}

// bellArgs are the words around some tickets of an order.
func (f *Flows) bellArgs(v voice, o order.Order, tickets ...order.Ticket) args {
	names := make([]string, len(tickets))
	for i, t := range tickets {
		names[i] = seatName(t.Seat)
	}
	return args{"Seats": enumerate(names), "Seat": enumerate(names), "Count": len(names), "Show": showName(o.Show), "Support": f.support(v)}
}

// buying tells whether the purchase of one of the tickets goes on right now. One that waits for a difference does not
// count.
func buying(o order.Order) bool {
	return slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool {
		return !t.Arriving() && (t.State == order.Held || t.State == order.Reserving || t.State == order.Reserved)
	})
}

func (f *Flows) paidBell(v voice, o order.Order) (keys []string, text Text) {
	another := slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool { return t.Was != "" }) // then it was said long ago
	bought := o.State == order.Filled && buying(o) && !another
	if !bought && o.State != order.Paid && o.State != order.Joining && o.State != order.Splitting {
		return nil, nil
	}
	return []string{"paid"}, v.say("ring.paid", f.bellArgs(v, o, o.Tickets...))
}

// choiceBell rings where a choice has to be made: a seat was lost, or the difference for another one was not paid.
func (f *Flows) choiceBell(v voice, o order.Order, t order.Ticket) (b bell, rings bool) {
	a := f.bellArgs(v, o, t)
	key, id, lost := "lost:"+t.ID, "ring.choose", t
	if dead(o, t) {
		key, id = deadBell(t), "ring.choose_dead"
	}
	if old := o.Ticket(t.Was); old != nil && t.State == order.Dropped {
		key, id, lost = "dropped:"+t.ID, "ring.choose_again", *old
		a["Was"] = seatName(old.Seat)
		switch {
		case t.Reason != "":
			id = "ring.choose_gone"
		case t.Since.Before(t.Until):
			return bell{}, false // the customer gave it up for another
		}
	}
	if o.State != order.Filled || !choosing(o, lost) || o.Instead(lost.ID) != nil {
		return bell{}, false
	}
	a["Until"] = until(lost.Choice)
	return bell{keys: []string{key}, screen: Screen{Text: v.say(id, a), Buttons: [][]Button{v.chooseRow(lost)}}, payout: -1}, true
}

func (f *Flows) ticketBell(v voice, o order.Order, t order.Ticket) (keys []string, text Text) {
	a := f.bellArgs(v, o, t)
	switch {
	case o.State != order.Filled:
		return nil, nil
	case t.Dead() && !t.Choosing():
		return []string{deadBell(t)}, v.say("ring.dead", a)
	case t.State == order.Lost && !t.Choosing():
		return []string{"lost:" + t.ID}, v.say("ring.lost", a)
	case t.State == order.Attention:
		return []string{"attention:" + t.ID + ":" + string(t.Reason)}, v.say("ring.attention", a)
	case t.State == order.Owned && t.Reason == order.ReasonWindowOver:
		return []string{"kept:" + t.ID}, v.say("ring.kept", a)
	}
	return nil, nil
}

func (f *Flows) payoutBell(v voice, o order.Order, p order.Payout) (key string, text Text) {
	a := args{"Sum": f.crs(p.Amount), "Address": o.WentTo(p.ID).Short(), "Tx": p.TxID.Short(), "Show": showName(o.Show)}
	switch p.State {
	case order.Done:
		return "arrived:" + p.ID, v.say("ring.arrived", a)
	case order.AddressNeeded, order.PayoutDue, order.Built, order.Sent, order.Dust:
	}
	return "", nil
}
