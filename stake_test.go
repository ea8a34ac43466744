package main

import (
	"context"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func TestNothingIsSoldBeyondWhatMayBeAtStake(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	orders := map[order.ID]order.Order{
		"a": {State: order.AwaitingPayment, Due: 100 * cirrus.CRS},
		"b": {State: order.Filled, Due: 50 * cirrus.CRS, Tickets: []order.Ticket{{State: order.Owned}}},
		"c": {State: order.Filled, Due: 900 * cirrus.CRS, Tickets: []order.Ticket{{State: order.Released}}},
		"d": {State: order.Expired, Due: 900 * cirrus.CRS, Tickets: []order.Ticket{{State: order.Dropped}}},
	}
	s := stake{
		all:   func(context.Context) ([]order.ID, error) { return []order.ID{"a", "b", "c", "d", "gone"}, nil },
		clock: func() time.Time { return now },
		load: func(_ context.Context, id order.ID) (order.Order, error) {
			o, ok := orders[id]
			if !ok {
				return o, order.ErrNotFound
			}
			return o, nil
		},
	}
	for most, want := range map[cirrus.Strats]bool{150 * cirrus.CRS: true, 150*cirrus.CRS + 1: false} {
		if full, err := s.full(t.Context(), most); err != nil || full != want {
			t.Errorf("with a cap of %s: %t, %v", most, full, err)
		}
	}
}
