package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/usherbot/usher/flows/order"
)

// deadKey notes that the QR of a ticket was called dead in the secret chat.
const deadKey = "undone:" // and the ticket

// dead tells whether what was handed over for a ticket opens no door, because what it rested on was undone on the chain.
func dead(o order.Order, t order.Ticket) bool {
	if o.State == order.Void || t.State == order.Exchanged {
		return t.Delivery.Count > 0
	}
	return t.Dead()
}

// callDead says in the secret chat, where the picture is, that a QR opens no door; each once, and once more where it does
// after all. Without a chat there is nobody to say it to: then the bot chat alone says it. It may have been said already
// although nothing tells so, after a crash: the courier knows what it said by its key.
func (f *Flows) callDead(ctx context.Context, o *order.Order) error {
	for _, t := range o.Tickets {
		key, id := deadKey+t.ID, ""
		said := slices.Contains(o.Card.Rung, key)
		switch {
		case dead(*o, t) && !said && o.State == order.Void:
			id = "parcel.dead_void"
		case dead(*o, t) && !said:
			id = "parcel.dead"
		case t.State == order.Owned && said:
			id = "parcel.alive"
		default:
			continue
		}
		if err := f.sayOfQR(ctx, *o, t, id); err != nil {
			return err
		}
		if said {
			o.Card.Rung = slices.DeleteFunc(o.Card.Rung, func(rung string) bool { return rung == key || rung == deadBell(t) })
		} else {
			o.Card.Rung = append(o.Card.Rung, key)
		}
	}
	return nil
}

// sayOfQR says it in the secret chat where there is one. The moment since when it is so makes it news.
func (f *Flows) sayOfQR(ctx context.Context, o order.Order, t order.Ticket, id string) error {
	text := f.voice(o.Language).plain(id, args{"Seat": seatName(t.Seat), "Show": showName(o.Show), "Bot": "@" + f.Config.BotUsername})
	err := f.Courier.Say(ctx, o.Customer, fmt.Sprintf("%s-%s-%d", id, t.ID, t.Since.Unix()), text)
	if err == nil || errors.Is(err, order.ErrNoChat) || errors.Is(err, order.ErrNoCourier) {
		return nil
	}
	return fmt.Errorf("saying what became of ticket %s of order %s: %w", t.ID, o.ID, err)
}

// deadBell is the key of what rings in the bot chat.
func deadBell(t order.Ticket) string { return "dead:" + t.ID }

// voidBell rings once where the payment of an order is gone after its tickets were bought.
func (f *Flows) voidBell(v voice, o order.Order) (keys []string, text Text) {
	if o.State != order.Void {
		return nil, nil
	}
	return []string{"void"}, v.say("ring.void", f.bellArgs(v, o, o.Tickets...))
}
