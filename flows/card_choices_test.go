package flows_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// choices are orders with a lost seat while another may be chosen, and with one that is about to take its place, in
// every state that this has.
func choices(w *world) map[string]order.Order {
	lost := longOrder(w)
	lost.Payouts = nil
	lost.Tickets[0].State, lost.Tickets[0].Choice, lost.Tickets[0].Reason = order.Lost, start.Add(time.Hour), order.ReasonCallFailed
	spent := lost
	spent.Tickets = slices.Clone(lost.Tickets)
	spent.Tickets[0].Reserve.Spent = 3_100_000
	all := map[string]order.Order{"choose": lost, "choose after gas": spent}
	next := func(name string, change func(*order.Ticket)) {
		o := lost
		t := lost.Tickets[0]
		t.ID, t.Was, t.State, t.Choice, t.Reason, t.Coin = "t2", "t1", order.Held, time.Time{}, "", cirrus.Coin{}
		t.Due, t.Until, t.Since, t.Address = 1_000_000_000_12345678, start.Add(time.Hour), start.Add(-time.Hour), addressNr(3)
		change(&t)
		o.Tickets = append(slices.Clone(lost.Tickets), t)
		all["other "+name] = o
	}
	next("to pay", func(*order.Ticket) {})
	next("address not old enough", func(t *order.Ticket) { t.Since = start })
	next("not paid", func(t *order.Ticket) { t.Until = start })
	next("paid in part", func(t *order.Ticket) { t.Seen = 999_999_999_12345678 })
	next("paid", func(t *order.Ticket) { t.Seen = t.Due })
	next("nothing to pay", func(t *order.Ticket) { t.Due = 0 })
	next("brought over", func(t *order.Ticket) { t.Swap.TxID = t.Reserve.TxID })
	next("dropped", func(t *order.Ticket) { t.State = order.Dropped })
	return all
}

// severalChoices makes an order one of eight seats that all are as its first is, with what takes their places.
func severalChoices(o order.Order) order.Order {
	tickets := o.Tickets
	o.Tickets = nil
	for i := range order.MaxSeats {
		for _, t := range tickets {
			t.ID, t.Seat.Letter = fmt.Sprintf("%s-%d", t.ID, i), 'A'+cirrus.Char(i)
			if t.Was != "" {
				t.Was = fmt.Sprintf("%s-%d", t.Was, i)
			}
			o.Tickets = append(o.Tickets, t)
		}
	}
	return o
}

// TestACardAsksForNoMoneyAfterTheSale: what is paid after the end of the sale could only come back.
func TestACardAsksForNoMoneyAfterTheSale(t *testing.T) {
	w := newWorld(t)
	tip, err := w.db.Tip(t.Context())
	w.must(err)
	for _, state := range []order.State{order.AwaitingPayment, order.PartPaid, order.Expired} {
		o := longOrder(w)
		o.State, o.Payouts = state, nil
		if state == order.AwaitingPayment {
			o.Coins = nil
		}
		asks := func(height uint64) bool {
			tip.Height = height
			s, err := w.flows.Card(o, start, flows.Around{Tip: tip})
			w.must(err)
			copies := slices.ContainsFunc(slices.Concat(s.Buttons...), func(b flows.Button) bool { return b.Copy != "" })
			if named := strings.Contains(s.Text.String(), string(o.Address)); named != copies {
				t.Errorf("%s: names the address: %v, copies it: %v", state, named, copies)
			}
			return copies
		}
		if end := o.Show.EndOfSale; !asks(end-100) || asks(end-1) || asks(end+1000) {
			t.Errorf("%s asks for money after the sale, or not before", state)
		}
	}
}
