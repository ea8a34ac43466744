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
	var state DeliveryState
	err := r.call(ctx, "ticket", string(t.State), SiteDeliver, func(ctx context.Context) (err error) {
		state, err = r.Deliverer.Deliver(ctx, *r.o, t.ID)
		return err
	})
	if err != nil {
		r.notDelivered(t, err)
		return r.save(ctx)
	}
	if state == DeliveryFailed {
		t.Delivery.Parcel, state = "", DeliveryWaiting
	}
	if state == t.Delivery.State && state != DeliveryWaiting {
		return nil
	}
	if state != DeliveryWaiting && t.Delivery.State == DeliveryWaiting {
		t.Delivery.Sent = r.k.now
	}
	t.Delivery.State, t.Delivery.Attempts = state, 0
	t.Delivery.Again = r.k.now.Add(time.Second)
	return r.save(ctx)
}

func (r *run) notDelivered(t *Ticket, err error) {
	t.Delivery.Attempts++
	t.Delivery.Again = r.k.now.Add(backoff(t.Delivery.Attempts))
	if errors.Is(err, ErrNoChat) || errors.Is(err, ErrNoCourier) {
		t.Delivery.Again = r.k.now.Add(chatAgain)
	}
	r.Log.Warn("ticket not handed over", "order", r.o.ID, "ticket", t.ID, "attempts", t.Delivery.Attempts, "error", err)
}
