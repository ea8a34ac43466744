package flows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// editGap is the least time between two edits of one card: Telegram counts edits as messages.
const editGap = 3 * time.Second

// Tell brings the card of an order up to date. What happens between two edits is not shown one by one: the last state
// wins. A new message is sent only for what must ring, each once. It implements order.Teller.
func (f *Flows) Tell(ctx context.Context, o *order.Order) error {
	now := f.Clock()
	o.Card.Again = time.Time{}
	if o.Card.Blocked {
		return nil
	}
	if preparing(*o, now) {
		o.Card.Again = o.ShowFrom
		return nil
	}
	around, err := f.around(ctx, *o)
	if err != nil {
		return err
	}
	err = f.tellCard(ctx, o, now, around)
	if err == nil {
		err = f.ring(ctx, o, around)
	}
	if errors.Is(err, order.ErrBlocked) {
		o.Card.Blocked, o.Card.Again = true, time.Time{}
		return nil
	}
	return err
}

// around gathers what a card shows beside its order.
func (f *Flows) around(ctx context.Context, o order.Order) (Around, error) {
	tip, err := f.tip(ctx)
	if err != nil {
		return Around{}, err
	}
	around := Around{Tip: tip}
	waiting := func(t order.Ticket) bool { return t.Delivery.State == order.DeliveryWaiting }
	if !slices.ContainsFunc(o.Tickets, waiting) {
		return around, nil
	}
	contact, err := f.Courier.Contact(ctx)
	if errors.Is(err, order.ErrNoCourier) {
		return around, nil
	}
	if err != nil {
		return Around{}, fmt.Errorf("asking for the courier: %w", err)
	}
	around.Courier = contact.Username
	around.Chat, err = f.chat(ctx, o.Customer)
	return around, err
}

func (f *Flows) tellCard(ctx context.Context, o *order.Order, now time.Time, around Around) error {
	screen, draw := f.card(*o, now, around).layout()
	digest := screen.digest()
	if o.Card.Message != 0 && digest == o.Card.Shown {
		return nil
	}
	if next := o.Card.Edited.Add(editGap); o.Card.Message != 0 && now.Before(next) {
		o.Card.Again = next
		return nil
	}
	var err error
	if screen.Picture, err = draw(); err != nil {
		return err
	}
	message, err := f.send(ctx, o.Customer, o.Card.Message, screen)
	if err != nil {
		return fmt.Errorf("showing the card of %s: %w", o.ID, err)
	}
	o.Card.Message, o.Card.Shown, o.Card.Edited = message, digest, now
	return nil
}

// send edits a message, or sends a new one where there is none to edit any more.
func (f *Flows) send(ctx context.Context, customer int64, edit int, s Screen) (int, error) {
	message, err := f.Messenger.Show(ctx, Outgoing{Chat: customer, Edit: edit, Screen: s})
	if edit != 0 && errors.Is(err, order.ErrGone) {
		message, err = f.Messenger.Show(ctx, Outgoing{Chat: customer, Screen: s})
	}
	if err == nil && message == 0 {
		message = edit
	}
	return message, err
}

// digest tells whether a screen would look different. Estimated times move a little with every block and are left
// out, or each block would edit every card.
func (s Screen) digest() string {
	sum := sha256.New()
	for _, span := range s.Text {
		if span.Style != Time {
			fmt.Fprintf(sum, "%q %s %d\n", span.Text, span.Style, span.Unix)
		}
	}
	fmt.Fprintf(sum, "%q\n", s.PictureName)
	for _, row := range s.Buttons {
		fmt.Fprintf(sum, "%q\n", row)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

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
	add(f.paidBell(v, o))
	for _, t := range o.Tickets {
		add(f.ticketBell(v, o, t))
	}
	add(f.handedBell(v, o))
	add(f.chatBell(v, o, around))
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

// beingBought tells that a ticket's purchase goes on right now.
func beingBought(t order.Ticket) bool {
	return t.State == order.Held || t.State == order.Reserving || t.State == order.Reserved
}

func (f *Flows) paidBell(v voice, o order.Order) (keys []string, text Text) {
	buying := o.State == order.Filled && slices.ContainsFunc(o.Tickets, beingBought)
	if !buying && o.State != order.Paid && o.State != order.Joining && o.State != order.Splitting {
		return nil, nil
	}
	return []string{"paid"}, v.say("ring.paid", f.bellArgs(v, o, o.Tickets...))
}

func (f *Flows) ticketBell(v voice, o order.Order, t order.Ticket) (keys []string, text Text) {
	a := f.bellArgs(v, o, t)
	switch {
	case o.State != order.Filled:
		return nil, nil
	case t.State == order.Lost:
		return []string{"lost:" + t.ID}, v.say("ring.lost", a)
	case t.State == order.Attention:
		return []string{"attention:" + t.ID + ":" + string(t.Reason)}, v.say("ring.attention", a)
	case t.State == order.Owned && t.Reason == order.ReasonWindowOver:
		return []string{"kept:" + t.ID}, v.say("ring.kept", a)
	}
	return nil, nil
}

// handedBell rings once for all tickets that arrived together, when none is being bought any more.
func (f *Flows) handedBell(v voice, o order.Order) (keys []string, text Text) {
	if o.State != order.Filled || slices.ContainsFunc(o.Tickets, beingBought) {
		return nil, nil
	}
	var handed []order.Ticket
	for _, t := range o.Tickets {
		there := t.Delivery.State == order.DeliverySent || t.Delivery.State == order.DeliverySeen
		if key := "sent:" + t.ID; t.State == order.Owned && t.Reason != order.ReasonWindowOver && there && !slices.Contains(o.Card.Rung, key) {
			handed, keys = append(handed, t), append(keys, key)
		}
	}
	return keys, v.say("ring.sent", f.bellArgs(v, o, handed...))
}

// chatBell rings once for all tickets that wait for a secret chat.
func (f *Flows) chatBell(v voice, o order.Order, around Around) (keys []string, text Text) {
	if o.State != order.Filled || around.Courier == "" || around.Chat != ChatNone {
		return nil, nil
	}
	var waiting []order.Ticket
	for _, t := range o.Tickets {
		waits := t.Delivery.State == order.DeliveryWaiting && t.Delivery.Attempts > 0
		if key := "chat:" + t.ID; t.State == order.Owned && t.Reason != order.ReasonWindowOver && waits && !slices.Contains(o.Card.Rung, key) {
			waiting, keys = append(waiting, t), append(keys, key)
		}
	}
	a := f.bellArgs(v, o, waiting...)
	a["Courier"] = around.Courier
	return keys, v.say("ring.chat", a)
}

func (f *Flows) payoutBell(v voice, o order.Order, p order.Payout) (key string, text Text) {
	a := args{"Sum": f.crs(p.Amount), "Address": o.Private.Refund.Short(), "Tx": p.TxID.Short(), "Show": showName(o.Show)}
	switch p.State {
	case order.Done:
		return "arrived:" + p.ID, v.say("ring.arrived", a)
	case order.AddressNeeded:
		a["Support"] = f.support(v)
		return "address:" + p.ID, v.say("ring.address", a)
	case order.PayoutDue, order.Built, order.Sent, order.Dust:
	}
	return "", nil
}
