package order_test

import (
	"slices"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// rest lets whatever failed work again and waits until nothing moves any more by itself.
func (w *world) rest() {
	w.t.Helper()
	clear(w.sites.faults)
	w.calm(5*time.Second, 0)
	w.calm(5*time.Second, 0)
	w.calm(5*time.Second, 4)
	clear(w.node.contract)
	w.node.fail = false
	w.calm(6*time.Minute, 14)
	w.calm(25*time.Hour, 4) // an address that cannot be paid is looked at once a day
	w.calm(choice, 10)      // one that was renewed
}

// endedAs wants each ticket to have come to its end, and, where none needs a person, every strat to be in the account;
// then the sale ends and nothing of the customer's may be left with us.
func (w *world) endedAs(s stage, e ending) {
	w.t.Helper()
	want := s.ends
	if e.ends != "" {
		want = e.ends
	}
	if want == order.Attention {
		needs := slices.ContainsFunc(w.o.Tickets, func(t order.Ticket) bool { return t.State == order.Attention && t.Told })
		if !needs || len(w.told) == 0 {
			w.t.Errorf("nobody was told: %v", statesOf(w.o))
		}
		return
	}
	for _, ticket := range w.o.Tickets {
		if to := w.endOf(ticket, want); ticket.State != to {
			w.t.Fatalf("ticket %s ended as %s (%s), wanted %s: %v", ticket.Seat, ticket.State, ticket.Reason, to, statesOf(w.o))
		}
	}
	w.handedOver(e.parcels)
	w.adds(w.paidIn())
	if want == order.Owned {
		w.node.height = end - window - 2
		w.mine(6)
	}
	w.settled(w.paidIn())
}

// endOf is how a ticket must have ended where the order as a whole ended so: one that another took the place of is
// exchanged with it, and one that was to take a lost one's place is dropped with that.
func (w *world) endOf(ticket order.Ticket, want order.TicketState) order.TicketState {
	if taken := w.o.Instead(ticket.ID); taken != nil {
		if taken.Coin.IsZero() && taken.Reserve.Attempt == 0 { // else what was brought over is gone with a block
			return order.Lost
		}
		return order.Exchanged
	}
	if taker := w.o.Instead(ticket.Was); ticket.Was != "" && (taker == nil || taker.ID != ticket.ID) {
		return order.Dropped
	}
	return want
}

// calm lets time pass and blocks come. An order that is then due again at once would be worked on without end.
func (w *world) calm(d time.Duration, blocks int) {
	w.t.Helper()
	w.pass(d)
	w.mine(blocks)
	due, err := w.db.Due(w.t.Context(), w.clock.Now(), 1)
	w.must(err)
	if len(due) > 0 {
		w.t.Errorf("due at %s, which is now or before: %v", w.o.Next, statesOf(w.o))
	}
}

// handedOver wants each ticket that is the customer's with them, and so many parcels made for the first.
func (w *world) handedOver(parcels int) {
	w.t.Helper()
	for _, ticket := range w.o.Tickets {
		got := ticket.Delivery.State == order.DeliverySent || ticket.Delivery.State == order.DeliverySeen
		if !got && (ticket.State == order.Owned || ticket.State == order.Ended) {
			w.t.Errorf("ticket %s is not handed over: %+v", ticket.Seat, ticket.Delivery)
		}
	}
	if count := w.ticket().Delivery.Count; parcels > 0 && (count != parcels || len(w.parcels) != parcels) {
		w.t.Errorf("%d parcels, %d of them given to the courier, wanted %d", count, len(w.parcels), parcels)
	}
}
