package flows

import (
	"context"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Check holds a secret against what the contract stored. It implements order.Deliverer. Errors say what differs,
// never a secret.
func (f *Flows) Check(o order.Order, ticket string, secret order.Secret, onChain cirrus.Ticket) error {
	t := o.Ticket(ticket)
	if t == nil {
		return fmt.Errorf("checking a ticket of order %s: %w", o.ID, order.ErrNotFound)
	}
	if err := f.Artist.Check(Digital{Seat: t.Seat, Secret: secret}, onChain); err != nil {
		return fmt.Errorf("checking ticket %s of order %s: %w", ticket, o.ID, err)
	}
	return nil
}

// Deliver hands a ticket to the courier: the warning first, then the picture. It implements order.Deliverer. Nothing
// of it ever becomes a Screen. Errors: order.ErrNoCourier, order.ErrNoChat.
func (f *Flows) Deliver(ctx context.Context, o order.Order, ticket string) (order.Handed, error) {
	t := o.Ticket(ticket)
	secret, ok := o.Secret(ticket)
	if t == nil || !ok {
		return order.Handed{}, fmt.Errorf("no secret of ticket %s of order %s: %w", ticket, o.ID, order.ErrNotFound)
	}
	v := f.voice(o.Language)
	at := o.Show.Time.UTC().Format("Mon 2 Jan 2006, 15:04") + " UTC"
	warning := v.plain("parcel.warning", nil)
	if f.Config.Timer > 0 {
		warning += "\n\n" + v.plain("parcel.timer", args{"Bot": "@" + f.Config.BotUsername})
	}
	picture, err := f.Artist.Ticket(Digital{Seat: t.Seat, Secret: secret}, Frame{
		Show: showName(o.Show), Venue: venueName(o.Show), Seat: seatName(t.Seat), Time: at,
		Warning: v.plain("parcel.on_picture", nil),
	})
	if err != nil {
		return order.Handed{}, fmt.Errorf("drawing ticket %s of order %s: %w", ticket, o.ID, err)
	}
	p := Parcel{
		ID: t.Delivery.Parcel, Warning: warning, Picture: picture, Again: v.plain("parcel.repeated", nil),
		Caption: v.plain("parcel.caption", args{
			"Show": showName(o.Show), "Venue": venueName(o.Show), "Time": at, "Seat": seatName(t.Seat),
		}),
	}
	if t.Delivery.Count > 1 {
		p.Repeated = v.plain("parcel.repeated", nil)
	}
	// Asked before, so that a parcel that an account took before another one came in its place counts as that one's.
	contact, err := f.Courier.Contact(ctx, o.Customer)
	if err != nil {
		return order.Handed{}, fmt.Errorf("asking who hands over ticket %s of order %s: %w", ticket, o.ID, err)
	}
	state, err := f.Courier.Deliver(ctx, o.Customer, p)
	if err != nil {
		return order.Handed{}, fmt.Errorf("handing over ticket %s of order %s: %w", ticket, o.ID, err)
	}
	return order.Handed{State: state, Via: contact.Username}, nil
}
