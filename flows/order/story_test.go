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

func TestPaymentInTwoPartsIsJoinedAndBuys(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, 100*cirrus.CRS)
	w.mine(1)
	w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS)
	w.mine(4)
	w.wants(order.Filled, order.Owned)
	if len(w.told) != 0 || w.ticket().Coin.Amount != w.o.Due-order.MinFee {
		t.Errorf("operator told of %v, coin %+v", w.told, w.ticket().Coin)
	}
	w.giveBack()
	w.settled(w.o.Due)
}

func TestTooMuchGoesBackAfterThePurchase(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, w.o.Due+3*cirrus.CRS)
	w.mine(5)
	w.wants(order.Filled, order.Owned)
	if p := w.payout(); p.State != order.Done || p.Why != order.WhyExtra || p.Amount != 3*cirrus.CRS-order.MinFee {
		t.Errorf("payout %+v", p)
	}
	w.giveBack()
	w.settled(w.o.Due + 3*cirrus.CRS)
}

func TestTooLittleTooMuchStaysWithTheDeposit(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, w.o.Due+order.Sendable-1)
	w.mine(8)
	w.wants(order.Filled, order.Owned)
	if len(w.o.Payouts) != 0 {
		t.Errorf("payouts %+v", w.o.Payouts)
	}
	w.giveBack()
	w.settled(w.o.Due + order.Sendable - 1)
}

// An overpayment that is smaller than the least change leaves no coin that a release can name by itself.
func TestAFewStratsTooMuchDoNotPreventARefund(t *testing.T) {
	for _, more := range []cirrus.Strats{1, order.MinOutput} {
		w := newWorld(t)
		w.open()
		w.node.pay(w.o.Address, w.o.Due+more)
		w.mine(5)
		w.wants(order.Filled, order.Owned)
		w.giveBack()
		w.settled(w.o.Due + more)
	}
}

func TestPaidTwiceSecondGoesBackByItself(t *testing.T) {
	w := newWorld(t)
	w.buy()
	w.node.pay(w.o.Address, w.o.Due)
	w.mine(3)
	w.wants(order.Filled, order.Owned)
	if p := w.payout(); p.State != order.Done || p.Amount != w.o.Due-order.MinFee {
		t.Errorf("payout %+v", p)
	}
	w.giveBack()
	w.settled(2 * w.o.Due)
}

func TestRefundWaitsForTheExcessOnItsWay(t *testing.T) {
	w := newWorld(t)
	w.buy()
	w.node.pay(w.o.Address, w.o.Due)
	w.mine(1)
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	w.wants(order.Filled, order.Releasing)
	if w.payout().State != order.Sent || w.sites.count[order.SiteRelease] != 0 {
		t.Fatalf("payout %+v, released %d times", w.payout(), w.sites.count[order.SiteRelease])
	}
	w.mine(6)
	w.wants(order.Filled, order.Released)
	w.settled(2 * w.o.Due)
}

func TestExcessThatCannotBePaidLeavesWithTheLastPayout(t *testing.T) {
	w := newWorld(t)
	w.node.contract[refund] = true
	w.open()
	w.node.pay(w.o.Address, w.o.Due+cirrus.CRS)
	w.mine(5)
	w.wants(order.Filled, order.Owned)
	if w.payout().State != order.AddressNeeded {
		t.Fatalf("payout %+v", w.payout())
	}
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	w.node.contract[refund] = false
	w.mine(6)
	w.wants(order.Filled, order.Released)
	w.settled(w.o.Due + cirrus.CRS)
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

// giveBack gives the first ticket back, and everything comes to rest.
func (w *world) giveBack() {
	w.t.Helper()
	w.mine(2)
	least := order.LeastRefund(w.o, w.ticket())
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	w.mine(7)
	w.wants(order.Filled, order.Released)
	if p := w.payout(); p.State != order.Done || p.Amount < least {
		w.t.Errorf("payout %+v, promised at least %s", p, least)
	}
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
