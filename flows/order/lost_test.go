package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// losing is paid and called for, and somebody else's call is in the same block before it.
func losing(t *testing.T) *world {
	t.Helper()
	w := newChoosing(t)
	w.open()
	w.pay()
	w.mine(1)
	w.wants(order.Filled, order.Reserved)
	w.node.seat(seat3D).Owner = others
	return w
}

// lostSeat has lost its seat to somebody who was faster; nothing is free but 3C, 4A and 4B.
func lostSeat(t *testing.T) *world {
	t.Helper()
	w := losing(t)
	w.mine(2)
	w.wants(order.Filled, order.Lost)
	return w
}

func (w *world) freeSeats() map[cirrus.Seat]order.Hold {
	w.t.Helper()
	held, err := w.db.Held(w.t.Context(), "show1")
	w.must(err)
	return held
}

func TestMoneyOfALostSeatWaitsForAnotherChoice(t *testing.T) {
	w := lostSeat(t)
	lost := w.ticket()
	if !lost.Choosing() || len(w.o.Payouts) != 0 || !w.o.Open() {
		t.Fatalf("ticket %+v, payouts %+v", lost, w.o.Payouts)
	}
	if len(w.freeSeats()) != 0 {
		t.Errorf("still held: %v", w.freeSeats())
	}
	w.mine(10)
	w.pass(lost.Choice.Sub(w.clock.Now()) - time.Second)
	if !w.ticket().Choosing() || len(w.o.Payouts) != 0 {
		t.Errorf("gave up early: %+v", w.o.Payouts)
	}
}

func TestMoneyOfALostSeatGoesBackWhenTheChoiceIsOver(t *testing.T) {
	w := lostSeat(t)
	w.mine(1)
	w.pass(choice)
	w.mine(2)
	w.wants(order.Filled, order.Lost)
	if p := w.payout(); p.Why != order.WhyLost || p.State != order.Done || w.o.Open() {
		t.Errorf("payout %+v, open %t", p, w.o.Open())
	}
	w.settled(w.o.Due)
}

func TestMoneyOfALostSeatGoesBackAtOnceWhenAskedFor(t *testing.T) {
	w := lostSeat(t)
	w.must(w.ask(order.MoneyBack))
	if w.ticket().Choosing() || w.payout().Why != order.WhyLost {
		t.Errorf("ticket %+v, payout %+v", w.ticket(), w.payout())
	}
	w.must(w.ask(order.MoneyBack)) // a second tap changes nothing
	w.mine(3)
	if len(w.o.Payouts) != 1 {
		t.Errorf("payouts %+v", w.o.Payouts)
	}
	w.settled(w.o.Due)
}

// The contract gives back the price in its block, the gas comes two blocks later: one payout takes both.
func TestMoneyBackWaitsForTheGasToo(t *testing.T) {
	w := losing(t)
	w.mine(1)
	w.must(w.ask(order.MoneyBack))
	if w.payout().State != order.PayoutDue {
		t.Errorf("payout %+v", w.payout())
	}
	w.mine(3)
	if p := w.payout(); p.State != order.Done || len(w.o.Payouts) != 1 || len(p.Coins) < 2 {
		t.Errorf("payouts %+v", w.o.Payouts)
	}
	w.settled(w.o.Due)
}

func TestNothingLeftToChooseFromSendsTheMoneyBack(t *testing.T) {
	for name, end := range map[string]func(*world){
		"all sold": func(w *world) {
			for _, seat := range []cirrus.Seat{seat3C, seat4A, seat4B} {
				w.node.seat(seat).Owner = others
			}
		},
		"sale about to end":      func(w *world) { w.node.height = end - order.SaleMargin },
		"another show":           func(w *world) { show := *w.node.sale.Show; show.TxID = "show2"; w.node.sale.Show = &show },
		"sale ended":             func(w *world) { w.node.sale.Show = nil },
		"only resold seats left": func(w *world) { w.node.resold(seat3C, seat4A, seat4B) },
	} {
		t.Run(name, func(t *testing.T) {
			w := lostSeat(t)
			end(w)
			w.mine(4)
			w.wants(order.Filled, order.Lost)
			if w.ticket().Choosing() || w.payout().Why != order.WhyLost {
				t.Errorf("ticket %+v", w.ticket())
			}
			w.settled(w.o.Due)
		})
	}
}

func TestLostWithoutAnotherSeatGoesBackAtOnce(t *testing.T) {
	w := losing(t)
	w.node.resold(seat3C, seat4A, seat4B)
	w.mine(4)
	w.wants(order.Filled, order.Lost)
	w.settled(w.o.Due)
}

func TestLostSeatOfSeveralWaitsWhileTheOthersGoOn(t *testing.T) {
	w := newChoosing(t)
	w.open(threeSeats...)
	w.pay()
	w.node.seat(seat4A).Owner = others
	w.mine(6)
	w.wantsAll(order.Filled, order.Owned, order.Lost, order.Owned)
	if !w.o.Tickets[1].Choosing() || len(w.o.Payouts) != 0 {
		t.Fatalf("ticket %+v, payouts %+v", w.o.Tickets[1], w.o.Payouts)
	}
	w.adds(w.o.Due)
	w.must(w.askOf(1, order.MoneyBack))
	w.mine(3)
	if p := w.payout(); p.Amount != price/2+2*budget-order.MinFee {
		t.Errorf("payout %+v", p)
	}
	w.adds(w.o.Due)
}

func TestMoneyBackIsForLostSeatsOnly(t *testing.T) {
	w := newChoosing(t)
	w.buy()
	if err := w.ask(order.MoneyBack); err == nil {
		t.Error("money of a living ticket sent back")
	}
}

func TestLatePaymentForATakenSeatMayChooseAnother(t *testing.T) {
	w := newChoosing(t)
	w.open()
	w.pass(16 * time.Minute)
	w.node.seat(seat3D).Owner = others
	w.pay()
	w.mine(3)
	w.wants(order.Filled, order.Lost)
	if !w.o.Late || !w.ticket().Choosing() || w.ticket().Reason != order.ReasonSeatTaken {
		t.Errorf("late %t, ticket %+v", w.o.Late, w.ticket())
	}
	w.adds(w.o.Due)
	w.pass(choice)
	w.mine(3)
	w.settled(w.o.Due)
}

func TestLatePaymentInPartsForATakenSeatIsJoinedForTheChoice(t *testing.T) {
	w := newChoosing(t)
	w.open()
	w.node.pay(w.o.Address, 100*cirrus.CRS)
	w.mine(1)
	w.pass(16 * time.Minute)
	w.wants(order.Expired, order.Dropped)
	w.node.seat(seat3D).Owner = others
	w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS)
	w.mine(4)
	w.wants(order.Filled, order.Lost)
	if !w.ticket().Choosing() || w.ticket().Coin.Amount != w.o.Due-order.MinFee {
		t.Errorf("ticket %+v", w.ticket())
	}
	w.must(w.ask(order.MoneyBack))
	w.mine(3)
	w.settled(w.o.Due)
}

// expiredPart has paid 100 CRS of one seat, and its hold is over.
func expiredPart(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, 100*cirrus.CRS)
	w.mine(1)
	w.pass(16 * time.Minute)
	w.wants(order.Expired, order.Dropped)
	if !w.o.PartWaiting() || !w.o.Open() || len(w.o.Payouts) != 0 || len(w.freeSeats()) != 0 {
		t.Fatalf("payouts %+v", w.o.Payouts)
	}
	return w
}

func TestPartWaitsOneMoreHoldForItsRestAndThenBuys(t *testing.T) {
	w := expiredPart(t)
	w.pass(10 * time.Minute)
	w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS)
	w.mine(4)
	w.wants(order.Filled, order.Owned)
	if !w.o.Late {
		t.Error("not noted as late")
	}
	w.adds(w.o.Due)
}

func TestPartWithoutItsRestGoesBackAfterOneMoreHold(t *testing.T) {
	w := expiredPart(t)
	if until := w.o.PartUntil(15 * time.Minute); !w.o.Next.Equal(until) {
		t.Errorf("next step %s, part waits until %s", w.o.Next, until)
	}
	w.pass(15 * time.Minute)
	if p := w.payout(); p.Why != order.WhyLate {
		t.Errorf("payout %+v", p)
	}
	w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS) // too late: a payment of its own
	w.mine(6)
	w.wants(order.Expired, order.Dropped)
	w.settled(w.o.Due)
}

func TestPartThatWaitsGoesBackAtOnceWhenCancelled(t *testing.T) {
	w := expiredPart(t)
	w.must(w.ask(order.Cancel))
	w.wants(order.Cancelled, order.Dropped)
	if p := w.payout(); p.Why != order.WhyCancelled {
		t.Errorf("payout %+v", p)
	}
	w.mine(2)
	w.settled(100 * cirrus.CRS)
}

func TestRestThatIsSeenAtTheLastSecondIsWaitedFor(t *testing.T) {
	w := expiredPart(t)
	w.clock.Advance(w.o.PartUntil(15*time.Minute).Sub(w.clock.Now()) - time.Second)
	w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS)
	w.post()
	w.pass(time.Minute)
	w.mine(4)
	w.wants(order.Filled, order.Owned)
	w.adds(w.o.Due)
}

func TestSecondPartShowsOnTheCard(t *testing.T) {
	w := newWorld(t)
	w.open()
	for range 2 {
		w.node.pay(w.o.Address, 50*cirrus.CRS)
		w.mine(1)
	}
	if sum(w.o.Coins) != 100*cirrus.CRS {
		t.Errorf("noted %v", w.o.Coins)
	}
}

// TestAnUnpaidOrderIsLookedAtWhenNoPaymentCouldBuyAnyMore: nothing else wakes it then, and its card asks for money.
func TestAnUnpaidOrderIsLookedAtWhenNoPaymentCouldBuyAnyMore(t *testing.T) {
	w := newWorld(t)
	w.open(seat3D)
	last := w.o.LastToPay()
	if w.o.NextHeight != last+1 {
		t.Errorf("looked at again with block %d, the last to pay is %d", w.o.NextHeight, last)
	}
	w.mine(int(last - w.node.height))
	w.pay()
	w.mine(1)
	w.wants(order.Filled, order.Reserved)
}

func TestAPaymentAfterTheLastBlockToPayBuysNothing(t *testing.T) {
	w := newWorld(t)
	w.open(seat3D)
	w.mine(int(w.o.LastToPay()+1) - int(w.node.height))
	w.pay()
	w.mine(3)
	w.wants(order.Expired, order.Dropped)
	if len(w.o.Payouts) != 1 || w.o.Payouts[0].State != order.Done || w.sites.count[order.SiteReserve] != 0 {
		t.Errorf("payouts %+v, reserved %d times", w.o.Payouts, w.sites.count[order.SiteReserve])
	}
}
