package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

const service = 2 * cirrus.CRS

// charging is a world with a service fee, and another seat to choose in place of a lost one.
func charging(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, func(cfg *order.Config) { cfg.Fee, cfg.FeeTo, cfg.Choice = service, feeTo, choice })
}

// ends lets the refund deadline pass.
func (w *world) ends() {
	w.t.Helper()
	w.node.height = end - window - 2
	w.mine(6)
}

func TestServiceFeeIsTakenWithATicketThatIsKept(t *testing.T) {
	w := charging(t)
	w.buy()
	if w.o.Due != price+2*budget+service {
		t.Errorf("due %s", w.o.Due)
	}
	w.mine(4)
	if w.node.arrived(feeTo) != 0 || len(w.o.Payouts) != 0 {
		t.Errorf("taken before the ticket was kept: %+v", w.o.Payouts)
	}
	w.ends()
	if p := w.payout(); p.Why != order.WhyDeposit || p.Service != service || w.node.arrived(feeTo) != service || p.Amount <= 0 {
		t.Errorf("payout %+v", p)
	}
	w.settled(w.o.Due)
}

func TestNoServiceFeeForATicketGivenBack(t *testing.T) {
	w := charging(t)
	w.buy()
	w.giveBack()
	if w.node.arrived(feeTo) != 0 {
		t.Error("taken")
	}
	w.settled(w.o.Due)
}

func TestNoServiceFeeForALostSeatAndOnceForTheOtherOne(t *testing.T) {
	w := charging(t)
	w.open(seat4A)
	w.pay()
	w.node.seat(seat4A).Owner = others
	w.mine(3)
	w.must(w.instead(seat4B))
	w.mine(5)
	w.wantsNewest(order.Owned)
	w.ends()
	if w.node.arrived(feeTo) != service {
		t.Errorf("taken: %s", w.node.arrived(feeTo))
	}
	w.settled(w.o.Due)

	w = charging(t)
	w.open(seat4A)
	w.pay()
	w.node.seat(seat4A).Owner = others
	w.mine(3)
	w.must(w.ask(order.MoneyBack))
	w.mine(3)
	if w.node.arrived(feeTo) != 0 {
		t.Error("taken for a lost seat")
	}
	w.settled(w.o.Due)
}

func TestServiceFeeOfSeveralSeatsIsTakenForTheOnesKept(t *testing.T) {
	w := charging(t)
	w.open(threeSeats...)
	w.node.pay(w.o.Address, w.o.Due+cirrus.CRS)
	w.mine(6)
	w.must(w.askOf(1, order.GiveBack))
	w.pass(11 * time.Second)
	w.mine(6)
	w.ends()
	if w.node.arrived(feeTo) != 2*service {
		t.Errorf("taken: %s", w.node.arrived(feeTo))
	}
	w.settled(w.paidIn())
}

func TestServiceFeeThatCannotBePaidGoesToTheCustomer(t *testing.T) {
	w := charging(t)
	w.buy()
	w.node.contract[feeTo] = true
	w.ends()
	if p := w.payout(); p.Service != 0 || p.State != order.Done {
		t.Errorf("payout %+v", p)
	}
	w.settled(w.o.Due)
}

func TestServiceFeeAddressIsLookedAtAgainWhereTheNodeDoesNotAnswer(t *testing.T) {
	w := charging(t)
	w.buy()
	w.next(order.SiteIsContract, fine(), dropped())
	w.ends()
	w.pass(time.Minute)
	w.mine(3)
	if w.node.arrived(feeTo) != service {
		t.Errorf("taken: %s", w.node.arrived(feeTo))
	}
	w.settled(w.o.Due)
}

func TestNearTheEndARefundIsCalledAtOnce(t *testing.T) {
	for left, undo := range map[uint64]bool{order.NoUndo: false, order.NoUndo + 1: true} {
		w := newWorld(t)
		w.buy()
		last, _ := w.o.Terms.LastRelease(end)
		w.node.height = last - left - 1
		w.mine(1)
		w.must(w.ask(order.GiveBack))
		if called := w.sites.count[order.SiteRelease] > 0; called == undo {
			t.Errorf("%d blocks left: called at once: %t", left, called)
		}
		if err := w.ask(order.UndoAsked); (err == nil) != undo {
			t.Errorf("%d blocks left: undone: %v", left, err)
		}
	}
}
