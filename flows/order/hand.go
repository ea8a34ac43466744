package order

import (
	"context"
	"errors"
	"time"
)

// chatAgain is the wait before the next try to hand over a ticket; a chat that opens wakes the order at once.
const chatAgain = 2 * time.Minute

// hand tells the operator of what needs a person, and hands over tickets that wait for it.
func (r *run) hand(ctx context.Context) error {
	for i := range r.o.Tickets {
		t := &r.o.Tickets[i]
		if t.State == Attention && !t.Told {
			r.attend(ctx, t)
		}
		if t.State != Owned && t.State != Ended {
			continue
		}
		if r.o.ShowOver(r.k.now) {
			continue
		}
		due := t.Delivery.State == DeliveryWaiting && !r.k.now.Before(t.Delivery.Again)
		// Once it is sent, whatever wakes the order also asks whether the phone has acknowledged it.
		if due || t.Delivery.State == DeliverySent {
			if err := r.deliver(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) attend(ctx context.Context, t *Ticket) {
	err := r.call(ctx, "ticket", string(Attention), SiteAttend, func(ctx context.Context) error {
		return r.Teller.Attend(ctx, *r.o, t.ID)
	})
	if err != nil {
		r.Log.Error("operator not told", "order", r.o.ID, "ticket", t.ID, "reason", t.Reason, "error", err)
		return
	}
	t.Told = true
}

// deliver gives the ticket to the courier. The parcel's id is saved before, so that the courier knows it again after
// a crash and does not send it twice.
func (r *run) deliver(ctx context.Context, t *Ticket) error {
	if t.Delivery.Parcel == "" {
		t.Delivery.Parcel = t.ID + "-" + r.NewID()
		t.Delivery.Count++
		if err := r.save(ctx); err != nil {
			return err
		}
	}
	var handed Handed
	err := r.call(ctx, "ticket", string(t.State), SiteDeliver, func(ctx context.Context) (err error) {
		handed, err = r.Deliverer.Deliver(ctx, *r.o, t.ID)
		return err
	})
	if err != nil {
		r.notDelivered(t, err)
		return r.save(ctx)
	}
	if handed.State == t.Delivery.State && handed.State != DeliveryWaiting {
		return nil
	}
	t.Delivery.handed(handed, r.k.now)
	return r.save(ctx)
}

// handed notes how far a parcel got. The next look is not far off while it waits: the courier tells of what changes, but
// what it tells may be lost.
func (d *Delivery) handed(h Handed, now time.Time) {
	failed := h.State == DeliveryFailed
	if failed {
		d.Parcel, h.State = "", DeliveryWaiting
	}
	switch h.State {
	case DeliveryNone, DeliveryWaiting, DeliveryFailed:
		if d.State != DeliveryWaiting { // its chat ended, and it went into the next one
			d.Since, d.Attempts = now, 0
		}
		d.State = DeliveryWaiting
		d.Attempts++
		d.Again = now.Add(min(backoff(d.Attempts), chatAgain))
	case DeliverySent, DeliverySeen:
		if d.State == DeliveryWaiting {
			d.Sent = now
		}
		d.State, d.Attempts, d.Told = h.State, 0, false
		d.Again = now.Add(time.Second)
	}
	if h.State == DeliverySeen {
		d.Seen = now
	}
	if !failed && h.Via != "" {
		d.Via = h.Via
	}
}

// again has a ticket handed over once more.
func (d *Delivery) again(ask Ask, now time.Time) {
	switch onItsWay := d.State == DeliveryWaiting; {
	case onItsWay && (ask.Verb == SendAgain || d.Via == ""):
		d.Again, d.Told = now, d.Told || ask.Told
	case ask.Verb == SendAnew && (ask.Mark != "" && ask.Mark == d.Mark || ask.Via != "" && ask.Via == d.Via):
	default:
		*d = Delivery{State: DeliveryWaiting, Since: now, Count: d.Count, Mark: d.Mark, Told: ask.Told}
	}
	if ask.Mark != "" {
		d.Mark = ask.Mark
	}
}

// AfterShow is how long after its beginning a show's ticket is still handed over.
const AfterShow = 12 * time.Hour

// ShowOver tells whether no ticket of the order is handed over any more, because its show is over.
func (o Order) ShowOver(now time.Time) bool {
	return !o.Show.Time.IsZero() && now.After(o.Show.Time.Add(AfterShow))
}

func (r *run) notDelivered(t *Ticket, err error) {
	d := &t.Delivery
	if d.State == DeliverySent && errors.Is(err, ErrNoChat) {
		// The chat ended before the phone had it. Whoever closed it was told; the courier knows the parcel again.
		d.State, d.Since, d.Attempts, d.Told = DeliveryWaiting, r.k.now, 0, true
	}
	d.Attempts++
	d.Again = r.k.now.Add(backoff(d.Attempts))
	if errors.Is(err, ErrNoChat) || errors.Is(err, ErrNoCourier) {
		d.Again = r.k.now.Add(chatAgain)
	}
	r.Log.Warn("ticket not handed over", "order", r.o.ID, "ticket", t.ID, "attempts", d.Attempts, "error", err)
}
