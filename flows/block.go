package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// maxSilence is how old the newest look at the chain may be before nothing is sold on it.
const maxSilence = 5 * time.Minute

// obstacle says, before money is taken, why it is not.
type obstacle struct {
	id   string // of the message
	args args
	// elsewhere: another seat of the show would do; otherwise the customer looks again later.
	elsewhere bool
}

// notSelling finds what stands against selling any seat of the show now; nil: nothing does.
func (f *Flows) notSelling(ctx context.Context, o offer) *obstacle {
	if off := f.off(ctx, o.tip); off != nil {
		return off
	}
	if f.Config.WindingDown != nil {
		if ends, err := f.Config.WindingDown(ctx, o.Contract); ends || err != nil {
			return &obstacle{id: "off.winding_down"}
		}
	}
	switch {
	case o.tip.Height+order.SaleMargin >= o.Show.EndOfSale:
		return &obstacle{id: "off.ends_soon"}
	case order.TypicalGas(len(o.Seats), o.Sold()) > f.Config.Gas.Limit:
		// The fuller a hall, the more a purchase takes; a node of the older kind allows too little for the last seats.
		return &obstacle{id: "off.gas"}
	}
	return nil
}

// off finds what stands against selling anything at all.
func (f *Flows) off(ctx context.Context, tip order.Tip) *obstacle {
	if f.Config.SellingOff != nil {
		if reason, off := f.Config.SellingOff(ctx); off {
			return &obstacle{id: offID(reason)}
		}
	}
	if _, err := f.Courier.Contact(ctx, 0); err != nil {
		return &obstacle{id: offID(OffCourier)}
	}
	if !tip.Healthy || f.Clock().Sub(tip.Seen) > maxSilence {
		return &obstacle{id: offID(OffNode)}
	}
	return nil
}

func offID(reason string) string {
	if slices.Contains([]string{OffPaused, OffCourier, OffNode, OffStore, OffFull}, reason) {
		return "off." + reason
	}
	return "off.other"
}

// blocked finds what stands against selling these seats to this customer now, apart from what the customer can do
// about it; nil: nothing does.
func (f *Flows) blocked(ctx context.Context, t *turn, o offer, seats []cirrus.Seat) *obstacle {
	if b := f.notSelling(ctx, o); b != nil {
		return b
	}
	for _, seat := range seats {
		if state := f.seatState(o, seat, t.now); state != seatFree {
			return &obstacle{id: "seat." + string(state), args: args{"Seat": seatName(seat)}, elsewhere: true}
		}
	}
	if _, err := order.QuoteAll(o.Sale, seats, f.Config.Gas, f.Config.ServiceFee); err != nil {
		return &obstacle{id: "off.too_much", elsewhere: true}
	}
	return nil
}

// stopped is the screen of an obstacle: what is in the way, and the next step.
func (f *Flows) stopped(t *turn, o offer, b *obstacle) Reply {
	key := showKey(o.Show.TxID)
	row := []Button{t.button("button.try_again", nil, act(doGo, key))}
	if b.elsewhere {
		row = []Button{f.otherSeats(t.voice, t.picked(o), key)}
	}
	buttons := [][]Button{row, {t.button("button.all_shows", nil, act(doShows))}}
	return f.inPlace(t, Screen{Text: paragraphs(t.say(b.id, b.args), t.say("stopped.nothing_paid", nil)), Buttons: buttons})
}

// otherSeats leads back to the hall.
func (f *Flows) otherSeats(v voice, mine []cirrus.Seat, key string) Button {
	if len(mine) > 1 {
		return v.button("button.other_seats", nil, act(doSeats, key))
	}
	return v.button("button.other_seat", nil, act(doSeats, key))
}

// refusal turns an answer of the desk into an obstacle. ok is false for an error that is none of these.
func refusal(err error, seats []cirrus.Seat) (b *obstacle, ok bool) {
	a := args{"Seat": seatName(seats[0])}
	gone := errors.Is(err, order.ErrSeatHeld) || errors.Is(err, order.ErrSeatTaken) || errors.Is(err, order.ErrSeatUnknown)
	switch {
	case gone && len(seats) > 1:
		return &obstacle{id: "seat.one_gone", elsewhere: true}, true
	case errors.Is(err, order.ErrSeatHeld):
		return &obstacle{id: "seat.held", args: a, elsewhere: true}, true
	case errors.Is(err, order.ErrSeatTaken), errors.Is(err, order.ErrSeatUnknown):
		return &obstacle{id: "seat.taken", args: a, elsewhere: true}, true
	case errors.Is(err, order.ErrSaleClosed):
		return &obstacle{id: "off.closed"}, true
	case errors.Is(err, order.ErrNameNeeded):
		return &obstacle{id: "off.names"}, true
	case errors.Is(err, order.ErrNoCourier):
		return &obstacle{id: offID(OffCourier)}, true
	case errors.Is(err, order.ErrTooMany):
		return &obstacle{id: "off.too_many"}, true
	case errors.Is(err, order.ErrNotAllowed):
		return &obstacle{id: "off.refused"}, true
	}
	return nil, false
}

// chat tells whether a secret chat with the customer is open, as the courier knows it.
func (f *Flows) chat(ctx context.Context, customer int64) (ChatState, error) {
	state, err := f.Courier.Chat(ctx, customer)
	switch {
	case errors.Is(err, order.ErrNoCourier), errors.Is(err, order.ErrNoChat):
		return ChatNone, nil
	case err != nil:
		return ChatNone, fmt.Errorf("asking for a secret chat: %w", err)
	}
	return state, nil
}
