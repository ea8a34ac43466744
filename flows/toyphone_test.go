package flows_test

import (
	"context"
	"strings"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// toyPhone is where secret chats are: it is on or off, and takes each parcel once in a chat.
type toyPhone struct {
	off    bool
	chats  int                // how many were opened
	has    map[string]toyWent // by parcel
	queued bool               // Telegram takes nothing just now
}

// toyWent says how far a parcel got, and in which chat.
type toyWent struct {
	chat int
	seen bool
}

// take is what a courier does with a parcel, as bot/courier does it: what the phone acknowledged in any chat is not
// sent again; what was sent into one that is gone goes into the next, marked as repeated.
func (p *toyPhone) take(c *chat, parcel flows.Parcel) order.DeliveryState {
	if p.has == nil {
		p.has = map[string]toyWent{}
	}
	went, known := p.has[parcel.ID]
	switch {
	case went.seen:
		return order.DeliverySeen
	case p.queued && !known:
		return order.DeliveryWaiting
	case !known || went.chat != p.chats:
		if known && parcel.Repeated == "" {
			parcel.Repeated = parcel.Again
		}
		if p.off {
			c.log.WriteString("  (at Telegram, for the phone:)\n")
		}
		c.secret(parcel)
	}
	p.has[parcel.ID] = toyWent{chat: p.chats, seen: !p.off}
	if p.off {
		return order.DeliverySent
	}
	return order.DeliverySeen
}

// phoneTurns is what becomes of the phone: off, on, or another one, on which no secret chat is.
func (w *world) phoneTurns(how string) {
	p := &w.courier.phone
	switch what, _, _ := strings.Cut(how, " "); what {
	case "off":
		p.off = true
	case "on":
		p.off = false
		for _, id := range w.orders() {
			_, err := w.engine.Do(context.Background(), ann, id, order.Ask{Verb: order.Unblocked})
			w.must(err)
		}
	default:
		w.t.Fatalf("phone %s?", how)
	}
	w.must(w.jobs.RunUntilIdle(context.Background()))
}

// Renew ends the customer's chats, as they asked for.
func (c *toyCourier) Renew(_ context.Context, customer int64) error {
	if c.username == "" {
		return order.ErrNoCourier
	}
	c.renewed++
	delete(c.open, customer)
	return nil
}
