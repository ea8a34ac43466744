package order_test

import (
	"context"
	"errors"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// windable is a world whose operator can wind its hall down.
func windable(t *testing.T) (w *world, mark *bool) {
	t.Helper()
	w = newChoosing(t)
	mark = new(bool)
	w.engine.WindingDown = func(_ context.Context, contract cirrus.Address) (bool, error) {
		return *mark && contract == hall, nil
	}
	return w, mark
}

// winds sets the mark and wakes what there is, as a running Usher does.
func (w *world) winds(mark *bool) {
	w.t.Helper()
	*mark = true
	w.must(w.sweeper().Start(w.t.Context()))
	w.run()
}

func TestWindingDownGivesATicketBackAndPaysOnce(t *testing.T) {
	w, mark := windable(t)
	w.buy()
	least := order.LeastRefund(w.o, w.ticket())
	w.winds(mark)
	w.mine(6)
	w.wants(order.Filled, order.Released)
	w.winds(mark)
	w.mine(3)
	if w.ticket().Reason != order.ReasonWindingDown || len(w.o.Payouts) != 1 || w.payout().State != order.Done || w.payout().Amount < least {
		t.Errorf("ticket %+v, payouts %+v, at least %s", w.ticket(), w.o.Payouts, least)
	}
	w.settled(w.o.Due)
}

func TestWindingDownEndsUnpaidOrdersAndWhatStillComesGoesBack(t *testing.T) {
	w, mark := windable(t)
	w.open()
	w.winds(mark)
	w.wants(order.Expired, order.Dropped)
	w.pay()
	w.mine(4)
	if w.o.Open() || w.node.arrived(refund) == 0 || w.ticket().Reserve.Attempt > 0 {
		t.Errorf("order %s, %s arrived", w.o.State, w.node.arrived(refund))
	}
	w.settled(w.o.Due)
}

// TestWindingDownPaysBackWhatIsOnItsWayIn at every moment between the payment's first sight and the purchase.
func TestWindingDownPaysBackWhatIsOnItsWayIn(t *testing.T) {
	for blocks := range 4 {
		for _, seats := range [][]cirrus.Seat{{seat3D}, {seat3C, seat4A}} {
			w, mark := windable(t)
			w.open(seats...)
			w.pay()
			w.mine(blocks)
			w.winds(mark)
			w.mine(12)
			if w.o.Open() || len(w.told) > 0 {
				t.Errorf("%d blocks, %d seats: order %s, ticket %s (%s), told %v", blocks, len(seats), w.o.State, w.ticket().State, w.ticket().Reason, w.told)
			}
			for _, on := range w.node.sale.Seats {
				if on.Owner != "" {
					t.Errorf("%d blocks, %d seats: %s is still owned", blocks, len(seats), on.Seat)
				}
			}
			w.settled(w.o.Due)
		}
	}
}

func TestWindingDownSendsAPartBackAtOnce(t *testing.T) {
	w, mark := windable(t)
	w.open()
	w.node.pay(w.o.Address, w.o.Due/2)
	w.post()
	w.mine(1)
	w.wants(order.PartPaid, order.Held)
	w.winds(mark)
	w.mine(3)
	if w.o.Open() {
		t.Errorf("order %s still waits", w.o.State)
	}
	w.settled(w.o.Due / 2)
}

func TestWindingDownEndsTheChoiceOfAnotherSeat(t *testing.T) {
	w := losing(t)
	mark := false
	w.engine.WindingDown = func(context.Context, cirrus.Address) (bool, error) { return mark, nil }
	w.mine(2)
	w.wants(order.Filled, order.Lost)
	w.winds(&mark)
	if err := w.askSeat(seat4A); err == nil {
		t.Error("another seat was taken")
	}
	w.mine(4)
	if w.o.Open() || w.payout().Why != order.WhyLost {
		t.Errorf("open, payouts %+v", w.o.Payouts)
	}
	w.settled(w.o.Due)
}

func (w *world) askSeat(seat cirrus.Seat) error {
	_, err := w.engine.Do(w.t.Context(), customer, w.o.ID, order.Ask{Verb: order.Exchange, Ticket: w.ticket().ID, Seat: seat})
	return err
}

func TestNothingIsSoldWhileWindingDownAndAgainAfterIt(t *testing.T) {
	w, mark := windable(t)
	*mark = true
	sale, err := w.db.Sale(t.Context(), hall)
	w.must(err)
	_, err = w.engine.Open(t.Context(), order.New{Customer: customer, Sale: sale, Seats: []cirrus.Seat{seat3D}, Refund: refund})
	if !errors.Is(err, order.ErrSaleClosed) {
		t.Errorf("sold: %v", err)
	}
	*mark = false
	w.buy()
}

// TestWindingDownLeavesATicketThatCannotBeGivenBack: near the end of refunds, and where the contract would pay nothing.
func TestWindingDownLeavesATicketThatCannotBeGivenBack(t *testing.T) {
	t.Run("too late", func(t *testing.T) {
		w, mark := windable(t)
		w.buy()
		w.mine(int(end - window - order.RefundMargin - w.node.height))
		w.winds(mark)
		w.mine(2)
		w.wants(order.Filled, order.Owned)
	})
	t.Run("for nothing", func(t *testing.T) {
		w, mark := windable(t)
		w.node.sale.Terms.ReleaseFee = uint64(price)
		w.post()
		w.buy()
		w.winds(mark)
		w.mine(2)
		w.wants(order.Filled, order.Owned)
	})
	t.Run("and says so when it was tried in vain", func(t *testing.T) {
		w, mark := windable(t)
		w.buy()
		w.next(order.SiteRelease, refusedWith(order.ErrReleaseOver))
		w.winds(mark)
		w.mine(3)
		w.wants(order.Filled, order.Owned)
		if w.sites.count[order.SiteRelease] != 1 {
			t.Errorf("called %d times", w.sites.count[order.SiteRelease])
		}
	})
}
