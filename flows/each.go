package flows

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// openEach makes an order of its own for each seat, so that nothing on the chain joins them.
func (f *Flows) openEach(ctx context.Context, t *turn, o offer, seats []cirrus.Seat) (Reply, error) {
	made, err := f.Desk.OpenEach(ctx, t.newOrder(o, seats))
	if err != nil {
		if b, ok := refusal(err, seats); ok {
			return f.stopped(t, o, b), nil
		}
		return Reply{}, fmt.Errorf("opening an order for each seat: %w", err)
	}
	t.session.Draft = Draft{}
	return f.orderedEach(t, made), nil
}

// boughtEach finds the orders that this very button led to before.
func (f *Flows) boughtEach(ctx context.Context, t *turn, a action) (Reply, bool, error) {
	all, err := f.Desk.List(ctx, t.customer())
	if err != nil {
		return Reply{}, false, fmt.Errorf("listing orders: %w", err)
	}
	seen := map[string]bool{}
	for _, o := range all {
		if o.Batch == "" || seen[o.Batch] || showKey(o.Show.TxID) != a.args[0] {
			continue
		}
		seen[o.Batch] = true
		together := batch(all, o.Batch)
		open := slices.ContainsFunc(together, func(o order.Order) bool { return o.State.Unpaid() })
		if open && seatsKey(seatsOf(together...)) == a.args[1] {
			t.session.Draft = Draft{}
			return f.orderedEach(t, together), true, nil
		}
	}
	return Reply{}, false, nil
}

// batch picks the orders that were made together, in the order of their seats. all has the newest first.
func batch(all []order.Order, id string) []order.Order {
	var together []order.Order
	for _, o := range all {
		if o.Batch == id {
			together = append(together, o)
		}
	}
	slices.SortStableFunc(together, func(a, b order.Order) int {
		x, y := a.Tickets[0].Seat, b.Tickets[0].Seat
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(x.Number, y.Number), cmp.Compare(x.Letter, y.Letter))
	})
	return together
}

// numbered tells which of the orders that were made together this is, and how many they are; 0 where it is alone.
func (f *Flows) numbered(ctx context.Context, o order.Order) (nr, of int, err error) {
	if o.Batch == "" || !o.State.Unpaid() {
		return 0, 0, nil
	}
	all, err := f.Desk.List(ctx, o.Customer)
	if err != nil {
		return 0, 0, fmt.Errorf("listing orders: %w", err)
	}
	together := batch(all, o.Batch)
	i := slices.IndexFunc(together, func(other order.Order) bool { return other.ID == o.ID })
	return i + 1, len(together), nil
}

// orderedEach replaces the screen with the costs; a card for each seat follows by itself.
func (f *Flows) orderedEach(t *turn, made []order.Order) Reply {
	seats := seatsOf(made...)
	text := t.say("ordered_each", args{
		"Count": len(seats), "Seats": enumerate(seatNames(seats)), "Show": showName(made[0].Show),
	})
	reply := f.inPlace(t, Screen{Text: text})
	t.session.Shown = 0
	return reply
}
