package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Each test here is named for a row of the tables and for what its call came to: answered well, refused, timed out.
// It fails unless it saw the step save the row's next state and make its call, counted at the call site.

// bought stops right before the purchase: the next block confirms the payment.
func bought(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.open()
	w.pay()
	return w
}

func TestOrderAwaitingPaymentSeesThePayment(t *testing.T) {
	w := bought(t)
	w.saw("awaiting_payment", "paying", order.SiteHold)
}

func TestOrderAwaitingPaymentHoldRefused(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.next(order.SiteHold, refusedWith(order.ErrSeatHeld))
	w.pay()
	w.saw("awaiting_payment", "paying", order.SiteHold)
}

func TestOrderAwaitingPaymentHoldTimedOut(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.next(order.SiteHold, dropped())
	w.pay()
	w.pass(2 * time.Second)
	w.saw("awaiting_payment", "paying", order.SiteHold)
}

func TestOrderAwaitingPaymentExpires(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.pass(16 * time.Minute)
	w.saw("awaiting_payment", "expired", "")
}

func TestOrderAwaitingPaymentCancelled(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.must(w.ask(order.Cancel))
	w.saw("awaiting_payment", "cancelled", "")
}

func TestOrderPartPaidToppedUpIsPaying(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, cirrus.CRS)
	w.post()
	w.node.pay(w.o.Address, w.o.Due)
	w.post()
	w.saw("awaiting_payment", "part_paid", order.SiteHold)
	w.saw("part_paid", "paying", order.SiteHold)
	w.mine(3)
	w.wants(order.Filled, order.Owned)
}

func TestOrderPartPaidVanishedWaitsAgain(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, cirrus.CRS)
	w.post()
	w.node.vanish()
	w.post()
	w.saw("part_paid", "awaiting_payment", "")
}

func TestOrderPartPaidExpires(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, cirrus.CRS)
	w.mine(1)
	w.pass(time.Hour)
	w.saw("part_paid", "expired", "")
}

func TestOrderPartPaidCancelledPaysBack(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, cirrus.CRS)
	w.mine(1)
	w.must(w.ask(order.Cancel))
	w.saw("part_paid", "cancelled", "")
	w.mine(2)
	w.settled(cirrus.CRS)
}

func TestOrderPayingConfirmedIsPaid(t *testing.T) {
	w := bought(t)
	w.mine(1)
	w.saw("paying", "paid", order.SiteHold)
}

func TestOrderPayingVanishedWaitsAgain(t *testing.T) {
	w := bought(t)
	w.node.vanish()
	w.post()
	w.saw("paying", "awaiting_payment", "")
}

func TestOrderPayingNeverConfirmedExpires(t *testing.T) {
	w := bought(t)
	w.pass(2 * time.Hour)
	w.saw("paying", "expired", "")
	w.mine(4)
	w.wants(order.Filled, order.Owned)
}

func TestOrderPaidHoldAnsweredWell(t *testing.T) {
	w := bought(t)
	w.mine(1)
	w.saw("paid", "filled", order.SiteHold)
}

func TestOrderPaidHoldRefusedIsLost(t *testing.T) {
	w := bought(t)
	w.next(order.SiteHold, refusedWith(order.ErrSeatHeld))
	w.mine(3)
	w.saw("paid", "filled", order.SiteHold)
	w.wants(order.Filled, order.Lost)
	w.settled(w.o.Due)
}

func TestOrderPaidHoldTimedOut(t *testing.T) {
	w := bought(t)
	w.next(order.SiteHold, dropped())
	w.mine(1)
	w.pass(2 * time.Second)
	w.saw("paid", "filled", order.SiteHold)
}

func TestOrderExpiredLatePaymentIsPaying(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.pass(16 * time.Minute)
	w.pay()
	w.mine(1)
	w.saw("expired", "paying", order.SiteHold)
}

func TestOrderExpiredHoldRefusedPaysBack(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.pass(16 * time.Minute)
	w.next(order.SiteHold, refusedWith(order.ErrSeatHeld))
	w.pay()
	w.mine(3)
	w.saw("expired", "due", order.SiteHold)
	w.settled(w.o.Due)
}

func TestOrderExpiredHoldTimedOut(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.pass(16 * time.Minute)
	w.next(order.SiteHold, dropped())
	w.pay()
	w.mine(1)
	w.pass(2 * time.Second)
	w.saw("expired", "paying", order.SiteHold)
}

// fine lets a call through.
func fine() fault { return fault{} }
