package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func TestPaidSeatIsBoughtAndHandedOver(t *testing.T) {
	w := newWorld(t)
	w.buy()
	if w.ticket().Delivery.State != order.DeliverySent || len(w.parcels) != 1 {
		t.Errorf("delivery: %+v, parcels %v", w.ticket().Delivery, w.parcels)
	}
	if w.sites.count[order.SiteReserve] != 1 {
		t.Errorf("reserved %d times", w.sites.count[order.SiteReserve])
	}
}

func TestTicketGivenBackPaysToTheStrat(t *testing.T) {
	w := newWorld(t)
	w.buy()
	w.mine(2)
	least := order.LeastRefund(w.o, w.ticket())
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	w.mine(6)
	w.wants(order.Filled, order.Released)
	if p := w.payout(); p.State != order.Done || p.Amount < least {
		t.Errorf("payout %+v, promised at least %s", p, least)
	}
	w.settled(price + 2*budget)
}

func TestDepositGoesBackByItselfAfterTheDeadline(t *testing.T) {
	w := newWorld(t)
	w.buy()
	w.node.height = end - window - 2
	w.mine(6)
	w.wants(order.Filled, order.Ended)
	if w.payout().Why != order.WhyDeposit || w.payout().State != order.Done {
		t.Errorf("payout %+v", w.payout())
	}
	w.settled(price + 2*budget)
}

func TestUnpaidHoldEndsAndFreesTheSeat(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.pass(16 * time.Minute)
	w.wants(order.Expired, order.Dropped)
	held, err := w.db.Held(t.Context(), "show1")
	w.must(err)
	if len(held) != 0 || !w.o.Next.IsZero() {
		t.Errorf("held %v, next %s", held, w.o.Next)
	}
}

func TestLatePaymentBuysWhenSeatIsFree(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.pass(16 * time.Minute)
	w.pay()
	w.mine(3)
	w.wants(order.Filled, order.Owned)
}

func TestLatePaymentComesBackWhenSeatIsTaken(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.pass(16 * time.Minute)
	w.node.seat(seat3D).Owner = others
	w.pay()
	w.mine(3)
	w.wants(order.Expired, order.Dropped)
	if w.payout().State != order.Done || w.payout().Why != order.WhyLate {
		t.Errorf("payout %+v", w.payout())
	}
	w.settled(w.o.Due)
}

func TestPaymentAfterCancellingComesBack(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.must(w.ask(order.Cancel))
	w.pay()
	w.mine(3)
	w.wants(order.Cancelled, order.Dropped)
	if w.payout().State != order.Done || w.payout().Why != order.WhyCancelled {
		t.Errorf("payout %+v", w.payout())
	}
	w.settled(w.o.Due)
}

func TestTooLittleComesBackWhenTheHoldHasEnded(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, 100*cirrus.CRS)
	w.mine(1)
	w.wants(order.PartPaid, order.Held)
	w.pass(31 * time.Minute)
	w.mine(2)
	w.wants(order.Expired, order.Dropped)
	w.settled(100 * cirrus.CRS)
}

func TestPaymentInTwoPartsWaitsForAPersonAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, 100*cirrus.CRS)
	w.mine(1)
	w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS)
	w.mine(2)
	w.wants(order.Filled, order.Attention)
	if len(w.told) != 1 {
		t.Errorf("operator told of %v", w.told)
	}
	_, err := w.engine.Operate(t.Context(), w.o.ID, order.Ask{Verb: order.PayBack, Ticket: w.ticket().ID})
	w.must(err)
	w.run()
	w.mine(2)
	w.wants(order.Filled, order.Lost)
	w.settled(w.o.Due)
}

func TestTooMuchLeavesWithTheLastPayout(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, w.o.Due+3*cirrus.CRS)
	w.mine(5)
	w.wants(order.Filled, order.Owned)
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	w.mine(6)
	w.wants(order.Filled, order.Released)
	w.settled(w.o.Due + 3*cirrus.CRS)
}

func TestPaidTwiceSecondGoesBackWithTheLastPayout(t *testing.T) {
	w := newWorld(t)
	w.buy()
	w.node.pay(w.o.Address, w.o.Due)
	w.mine(2)
	w.wants(order.Filled, order.Owned)
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	w.mine(6)
	w.settled(2 * w.o.Due)
}

func TestPaymentLongAfterEverythingEndedGoesBackToo(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.pass(16 * time.Minute)
	w.pass(100 * time.Hour)
	w.node.sale.Show = nil
	w.pay()
	w.mine(3)
	w.node.pay(w.o.Address, cirrus.CRS)
	w.mine(3)
	if len(w.o.Payouts) != 2 || w.o.Payouts[1].State != order.Done {
		t.Errorf("payouts %+v", w.o.Payouts)
	}
	w.settled(w.o.Due + cirrus.CRS)
}

func TestUndoneRefundKeepsTheTicket(t *testing.T) {
	w := newWorld(t)
	w.buy()
	w.must(w.ask(order.GiveBack))
	w.pass(5 * time.Second)
	w.must(w.ask(order.UndoAsked))
	w.pass(time.Minute)
	w.mine(3)
	w.wants(order.Filled, order.Owned)
	if w.sites.count[order.SiteRelease] != 0 {
		t.Error("released all the same")
	}
}

func TestRefundIsNotOfferedNearTheDeadline(t *testing.T) {
	w := newWorld(t)
	w.buy()
	until, ok := order.RefundUntil(w.o)
	if !ok {
		t.Fatal("no refunds")
	}
	w.node.height = until
	w.mine(1)
	if err := w.ask(order.GiveBack); err == nil {
		t.Error("offered after its last block")
	}
}

func TestAnotherShowAtTheContractIsNeverBought(t *testing.T) {
	w := newWorld(t)
	w.open()
	show := *w.node.sale.Show
	show.TxID, show.EndOfSale = "show2", end+1000
	w.node.sale.Show = &show
	w.pay()
	w.mine(3)
	w.wants(order.Filled, order.Lost)
	if w.ticket().Reason != order.ReasonShowChanged || w.sites.count[order.SiteReserve] != 0 {
		t.Errorf("reason %s", w.ticket().Reason)
	}
	w.settled(w.o.Due)
}

func TestTicketWaitsForASecretChat(t *testing.T) {
	w := newWorld(t)
	w.noChat = true
	w.buy()
	if w.ticket().Delivery.State != order.DeliveryWaiting {
		t.Fatalf("delivery %+v", w.ticket().Delivery)
	}
	w.noChat = false
	w.must(w.ask(order.Unblocked))
	if w.ticket().Delivery.State != order.DeliverySent {
		t.Errorf("delivery %+v", w.ticket().Delivery)
	}
}

func TestSendAgainMakesANewParcel(t *testing.T) {
	w := newWorld(t)
	w.buy()
	w.must(w.ask(order.SendAgain))
	if len(w.parcels) != 2 || w.ticket().Delivery.Count != 2 {
		t.Errorf("parcels %v", w.parcels)
	}
}

func TestOrderOfSomebodyElseIsNotFound(t *testing.T) {
	w := newWorld(t)
	w.buy()
	_, err := w.engine.Do(t.Context(), customer+1, w.o.ID, order.Ask{Verb: order.GiveBack, Ticket: w.ticket().ID})
	if err == nil {
		t.Error("gave back somebody else's ticket")
	}
}

func TestFeeOfThePriceOrMorePaysOnlyWhatIsLeft(t *testing.T) {
	w := newWorld(t)
	w.node.sale.Terms.ReleaseFee = uint64(price)
	w.post()
	w.buy()
	w.mine(1)
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	w.mine(6)
	w.wants(order.Filled, order.Released)
	w.settled(w.o.Due)
}
