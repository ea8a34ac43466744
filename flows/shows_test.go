package flows

import (
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// TestASeatThatWasGivenBackIsNotCalledHeld: the hold of who bought it first may still run when it is free on the chain
// again; neither they nor others must be told that it can be had.
func TestASeatThatWasGivenBackIsNotCalledHeld(t *testing.T) {
	now := time.Date(2026, time.December, 1, 18, 0, 0, 0, time.UTC)
	seat := cirrus.Seat{Number: 3, Letter: 'C'}
	o := offer{
		Sale: order.Sale{Show: &cirrus.Show{}, Seats: []order.SeatOnSale{{Seat: seat, Price: uint64(cirrus.CRS), Resold: true}}},
		held: map[cirrus.Seat]order.Hold{seat: {Customer: 7, Until: now.Add(time.Minute)}},
	}
	for _, customer := range []int64{7, 8} {
		o.customer = customer
		f := &Flows{}
		if state := f.seatState(o, seat, now); state != seatResold {
			t.Errorf("customer %d: %s", customer, state)
		}
	}
}
