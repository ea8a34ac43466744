package order_test

import (
	"errors"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// used is the gas of one call in these tests.
const used = cirrus.Strats(15_000 * 100)

// lostCheap has lost 4A, for half the price of 3C and 3D, with a failed call.
func lostCheap(t *testing.T) *world {
	t.Helper()
	w := newChoosing(t)
	w.open(seat4A)
	w.pay()
	w.mine(1)
	w.wants(order.Filled, order.Reserved)
	w.node.seat(seat4A).Owner = others
	w.mine(3)
	w.wants(order.Filled, order.Lost)
	return w
}

// instead asks for another seat in place of the first ticket.
func (w *world) instead(seat cirrus.Seat) error {
	o, err := w.engine.Do(w.t.Context(), customer, w.o.ID, order.Ask{Verb: order.Exchange, Ticket: w.o.Tickets[0].ID, Seat: seat})
	if err == nil {
		w.o = o
		w.run()
	}
	return err
}

// newest is the ticket that was made last.
func (w *world) newest() order.Ticket { return w.o.Tickets[len(w.o.Tickets)-1] }

// topUp pays what a dearer seat costs more, and something on top, to its own address.
func (w *world) topUp(more cirrus.Strats) {
	w.t.Helper()
	w.node.pay(w.newest().Address, w.newest().Due+more)
	w.post()
}

func (w *world) wantsNewest(state order.TicketState) {
	w.t.Helper()
	if t := w.newest(); t.State != state {
		w.t.Fatalf("newest ticket %s is %s (%s), wanted %s: %+v; told %v", t.Seat, t.State, t.Reason, state, t, w.told)
	}
}

func (w *world) quote(seat cirrus.Seat) order.Difference {
	w.t.Helper()
	d, err := order.QuoteOther(w.o, w.ticket(), w.node.sale, seat, 0)
	w.must(err)
	return d
}

func TestAnotherSeatAtTheSamePriceTakesTheMoneyOverByItself(t *testing.T) {
	w := lostSeat(t)
	d := w.quote(seat3C)
	if d.Pay != 0 || d.Back != 0 {
		t.Errorf("difference %+v", d)
	}
	w.must(w.instead(seat3C))
	w.mine(6)
	w.wants(order.Filled, order.Exchanged)
	w.wantsNewest(order.Owned)
	n := w.newest()
	if n.Was != w.ticket().ID || n.Address == w.ticket().Address || n.Account != w.o.Account {
		t.Errorf("ticket %+v", n)
	}
	if want := w.o.Due - used - order.MinFee; n.Coin.Amount != want || len(n.Swap.Coins) != 3 {
		t.Errorf("brought over %s with %d coins, wanted %s", n.Coin.Amount, len(n.Swap.Coins), want)
	}
	if len(w.o.Payouts) != 0 || len(w.freeSeats()) != 1 || len(w.parcels) != 1 {
		t.Errorf("payouts %+v, held %v, parcels %v", w.o.Payouts, w.freeSeats(), w.parcels)
	}
	w.adds(w.o.Due)
	w.returnsNewest()
	w.settled(w.o.Due)
}

// returnsNewest gives the newest ticket back and wants what was promised to arrive.
func (w *world) returnsNewest() {
	w.t.Helper()
	w.mine(2)
	least := order.LeastRefund(w.o, w.newest())
	w.must(w.askOf(len(w.o.Tickets)-1, order.GiveBack))
	w.pass(11 * time.Second)
	w.mine(8)
	w.wantsNewest(order.Released)
	if p := w.payout(); p.State != order.Done || p.Amount < least || least <= 0 {
		w.t.Errorf("payout %+v, promised at least %s", p, least)
	}
}

func TestACheaperSeatSendsTheDifferenceBackAtOnce(t *testing.T) {
	w := lostSeat(t)
	d := w.quote(seat4A)
	if d.Pay != 0 || d.Back != price/2 {
		t.Errorf("difference %+v", d)
	}
	w.must(w.instead(seat4A))
	w.mine(6)
	w.wantsNewest(order.Owned)
	if w.newest().Swap.Back != price/2 || w.node.arrived(refund) != price/2 {
		t.Errorf("back %s, arrived %s", w.newest().Swap.Back, w.node.arrived(refund))
	}
	w.adds(w.o.Due)
	w.returnsNewest()
	w.settled(w.o.Due)
}

func TestADearerSeatIsPaidForAtItsOwnAddress(t *testing.T) {
	w := lostCheap(t)
	d := w.quote(seat3D)
	w.must(w.instead(seat3D))
	n := w.newest()
	if w.o.AtStake() != w.o.Due+d.Pay {
		t.Errorf("at stake: %s", w.o.AtStake())
	}
	if d.Pay != price/2 || n.Due != d.Pay || n.Missing() != d.Pay || !w.ticket().Choosing() {
		t.Fatalf("difference %+v, ticket %+v", d, n)
	}
	if !n.ShowFrom().Equal(n.Since.Add(order.ShowAfter)) || !n.Until.Equal(n.Since.Add(15*time.Minute)) {
		t.Errorf("shown from %s, held until %s", n.ShowFrom(), n.Until)
	}
	w.topUp(0)
	if w.newest().Seen != d.Pay || w.sites.count[order.SiteBuild] != 0 {
		t.Errorf("seen %s, built %d times", w.newest().Seen, w.sites.count[order.SiteBuild])
	}
	w.mine(6)
	w.wants(order.Filled, order.Exchanged)
	w.wantsNewest(order.Owned)
	w.adds(w.paidIn())
	w.returnsNewest()
	w.settled(w.paidIn())
}

func TestTooMuchForADearerSeatComesBackWithTheTransfer(t *testing.T) {
	w := lostCheap(t)
	w.must(w.instead(seat3D))
	w.topUp(3 * cirrus.CRS)
	w.mine(6)
	w.wantsNewest(order.Owned)
	if w.newest().Swap.Back != 3*cirrus.CRS || len(w.o.Payouts) != 0 {
		t.Errorf("swap %+v, payouts %+v", w.newest().Swap, w.o.Payouts)
	}
	w.adds(w.paidIn())
}

func TestADifferenceInPartsHoldsTheSeatLonger(t *testing.T) {
	w := lostCheap(t)
	w.must(w.instead(seat3D))
	w.pass(14 * time.Minute)
	w.node.pay(w.newest().Address, 40*cirrus.CRS)
	w.post()
	w.pass(14 * time.Minute)
	w.wantsNewest(order.Held)
	if w.newest().Missing() != w.newest().Due-40*cirrus.CRS {
		t.Errorf("missing %s", w.newest().Missing())
	}
	w.node.pay(w.newest().Address, w.newest().Missing())
	w.mine(6)
	w.wantsNewest(order.Owned)
	w.adds(w.paidIn())
}

func TestADifferenceThatIsNotPaidRenewsTheChoice(t *testing.T) {
	w := lostCheap(t)
	w.pass(20 * time.Minute)
	w.must(w.instead(seat3D))
	w.pass(15 * time.Minute)
	w.wantsNewest(order.Dropped)
	if lost := w.ticket(); !lost.Choosing() || !lost.Choice.Equal(w.clock.Now().Add(choice)) || len(w.freeSeats()) != 0 {
		t.Fatalf("lost %+v, held %v", lost, w.freeSeats())
	}
	w.topUp(0) // comes after all, and goes back
	w.mine(3)
	if p := w.payout(); p.State != order.Done || p.From != w.newest().Address {
		t.Errorf("payout %+v", p)
	}
	w.must(w.instead(seat4B))
	w.mine(6)
	w.wantsNewest(order.Owned)
	w.adds(w.paidIn())
}

func TestADifferenceSeenAtTheLastSecondIsWaitedFor(t *testing.T) {
	w := lostCheap(t)
	w.must(w.instead(seat3D))
	w.pass(14*time.Minute + 59*time.Second)
	w.topUp(0)
	w.pass(40 * time.Minute)
	w.wantsNewest(order.Held)
	w.mine(6)
	w.wantsNewest(order.Owned)
	w.adds(w.paidIn())
}

func TestADifferenceNeverConfirmedEndsAtTheCap(t *testing.T) {
	w := lostCheap(t)
	w.must(w.instead(seat3D))
	w.topUp(0)
	for range 6 {
		w.pass(15 * time.Minute)
	}
	w.wantsNewest(order.Dropped)
	w.mine(3)
	w.pass(choice)
	w.mine(3)
	w.settled(w.paidIn())
}

func TestTwoTapsMakeOneTicket(t *testing.T) {
	w := lostSeat(t)
	w.must(w.instead(seat3C))
	w.must(w.instead(seat3C))
	w.mine(2)
	w.must(w.instead(seat3C))
	w.mine(6)
	w.must(w.instead(seat3C)) // even when all is over
	if len(w.o.Tickets) != 2 || w.sites.count[order.SiteReserve] != 2 {
		t.Errorf("tickets %+v", w.o.Tickets)
	}
}

func TestAnotherMindReplacesWhatWasNotBegun(t *testing.T) {
	w := lostCheap(t)
	w.must(w.instead(seat3D))
	w.node.pay(w.newest().Address, cirrus.CRS)
	w.post()
	w.must(w.instead(seat4B))
	if w.o.Tickets[1].State != order.Dropped || w.newest().Seat != seat4B {
		t.Fatalf("tickets %+v", w.o.Tickets)
	}
	if held := w.freeSeats(); len(held) != 1 || held[seat4B].Order != w.o.ID {
		t.Errorf("held %v", held)
	}
	w.mine(6)
	w.wantsNewest(order.Owned)
	if w.node.arrived(refund) != cirrus.CRS-order.MinFee {
		t.Errorf("arrived %s", w.node.arrived(refund))
	}
	w.adds(w.paidIn())
}

func TestMoneyBackEndsWhatWasNotBegun(t *testing.T) {
	w := lostCheap(t)
	w.must(w.instead(seat3D))
	w.node.pay(w.newest().Address, cirrus.CRS)
	w.post()
	w.must(w.ask(order.MoneyBack))
	w.mine(4)
	w.wantsNewest(order.Dropped)
	w.wants(order.Filled, order.Lost)
	w.settled(w.paidIn())
}

func TestNothingIsReplacedOnceTheMoneyMoves(t *testing.T) {
	w := lostSeat(t)
	w.mine(2)
	w.must(w.instead(seat3C))
	if w.newest().Swap.TxID == "" || w.ticket().Choosing() {
		t.Fatalf("not begun: %+v", w.newest())
	}
	if err := w.instead(seat4A); !errors.Is(err, order.ErrNotAllowed) {
		t.Errorf("another seat: %v", err)
	}
	if err := w.ask(order.MoneyBack); !errors.Is(err, order.ErrNotAllowed) {
		t.Errorf("money back: %v", err)
	}
	w.mine(4)
	w.wantsNewest(order.Owned)
}

func TestTheOtherSeatIsTakenTooAndTheChoiceBeginsAnew(t *testing.T) {
	w := lostSeat(t)
	w.must(w.instead(seat3C))
	w.mine(1)
	w.wantsNewest(order.Reserved)
	w.node.seat(seat3C).Owner = others
	w.mine(3)
	w.wantsNewest(order.Lost)
	if lost := w.newest(); !lost.Choosing() {
		t.Fatalf("no choice: %+v", lost)
	}
	_, err := w.engine.Do(t.Context(), customer, w.o.ID, order.Ask{Verb: order.Exchange, Ticket: w.newest().ID, Seat: seat4A})
	w.must(err)
	w.run()
	w.mine(6)
	w.wantsNewest(order.Owned)
	w.adds(w.o.Due)
	w.returnsNewest()
	w.settled(w.o.Due)
}

func TestTheOtherSeatIsGoneBeforeTheMoneyMoves(t *testing.T) {
	w := lostCheap(t)
	w.must(w.instead(seat3D))
	w.topUp(0)
	w.node.seat(seat3D).Owner = others
	w.mine(4)
	w.wantsNewest(order.Dropped)
	if !w.ticket().Choosing() || w.newest().Reason != order.ReasonSeatTaken {
		t.Errorf("lost %+v, other %+v", w.ticket(), w.newest())
	}
	w.must(w.ask(order.MoneyBack))
	w.mine(3)
	w.settled(w.paidIn())
}

func TestTheOtherSeatIsHeldByAnotherCustomer(t *testing.T) {
	w := lostSeat(t)
	w.must(w.db.Hold(t.Context(), "show1", seat3C, order.Hold{Order: "x", Until: w.clock.Now().Add(time.Hour)}, w.clock.Now()))
	if err := w.instead(seat3C); !errors.Is(err, order.ErrSeatHeld) || len(w.o.Tickets) != 1 {
		t.Errorf("chosen: %v", err)
	}
	if err := w.instead(seat3D); !errors.Is(err, order.ErrSeatTaken) {
		t.Errorf("chosen although sold: %v", err)
	}
	w.node.resold(seat4A)
	w.post()
	if err := w.instead(seat4A); !errors.Is(err, order.ErrNotAllowed) {
		t.Errorf("chosen although resold: %v", err)
	}
}

func TestASeatOfTheSameOrderIsNoChoice(t *testing.T) {
	w := newChoosing(t)
	w.open(seat3D, seat4A)
	w.pay()
	w.node.seat(seat3D).Owner = others
	w.mine(3)
	w.wantsAll(order.Filled, order.Lost, order.Owned)
	if err := w.instead(seat4A); !errors.Is(err, order.ErrSeatTaken) {
		t.Errorf("chosen: %v", err)
	}
}

func TestTheNameGoesOverToTheOtherSeat(t *testing.T) {
	w := newChoosing(t)
	w.node.sale.Terms.Identity = true
	w.post()
	sale, err := w.db.Sale(t.Context(), hall)
	w.must(err)
	w.o, err = w.engine.Open(t.Context(), order.New{Customer: customer, Sale: sale, Seats: []cirrus.Seat{seat3D}, Names: []string{"Ada"}, Refund: refund})
	w.must(err)
	w.pay()
	w.node.seat(seat3D).Owner = others
	w.mine(3)
	w.must(w.instead(seat3C))
	w.mine(5)
	w.wantsNewest(order.Owned)
	if w.node.names[seat3C] != "Ada" {
		t.Errorf("names at the contract %q", w.node.names)
	}
}

func TestTheOrdersTicketsAreBounded(t *testing.T) {
	w := lostCheap(t)
	var err error
	for i := 0; err == nil && i < 100; i++ {
		err = w.instead([]cirrus.Seat{seat3D, seat3C}[i%2])
	}
	if !errors.Is(err, order.ErrTooMany) || len(w.o.Tickets) > 4*order.MaxSeats {
		t.Errorf("%d tickets: %v", len(w.o.Tickets), err)
	}
	w.must(w.ask(order.MoneyBack))
	w.mine(3)
	w.settled(w.o.Due)
}

func TestASecondLossMayAskForALittleMoreGas(t *testing.T) {
	w := lostSeat(t)
	w.node.gasUsed = 200_000
	lost := w.ticket()
	lost.Reserve.Spent = 3 * budget / 2
	d, err := order.QuoteOther(w.o, lost, w.node.sale, seat3C, 0)
	w.must(err)
	if d.Pay < order.Sendable || d.Back != 0 {
		t.Errorf("difference %+v", d)
	}
}

func TestWhatWasPaidTooMuchCountsForAnotherSeat(t *testing.T) {
	w := newChoosing(t)
	w.open(seat4A)
	w.node.pay(w.o.Address, w.o.Due+price/2)
	w.node.seat(seat4A).Owner = others
	w.post()
	w.mine(3)
	w.wants(order.Filled, order.Lost)
	if d := w.quote(seat3D); d.Pay != 0 || d.Back != 0 {
		t.Errorf("difference %+v", d)
	}
	w.must(w.instead(seat3D))
	w.mine(6)
	w.wantsNewest(order.Owned)
	w.adds(w.paidIn())
	w.returnsNewest()
	w.settled(w.paidIn())
}

func TestTheDifferenceThatCannotBePaidBackStaysWithTheTicket(t *testing.T) {
	w := lostSeat(t)
	w.node.contract[refund] = true
	w.must(w.instead(seat4A))
	w.mine(6)
	w.wantsNewest(order.Owned)
	if w.newest().Swap.Back != 0 {
		t.Errorf("swap %+v", w.newest().Swap)
	}
	w.adds(w.o.Due)
	w.node.contract[refund] = false
	w.pass(25 * time.Hour)
	w.mine(4)
	w.returnsNewest()
	w.settled(w.o.Due)
}

func TestMoneyAtTheOldAddressAfterTheExchangeGoesBack(t *testing.T) {
	w := lostSeat(t)
	w.must(w.instead(seat3C))
	w.mine(6)
	w.node.pay(w.o.Address, cirrus.CRS)
	w.mine(3)
	if w.node.arrived(refund) != cirrus.CRS-order.MinFee {
		t.Errorf("arrived %s", w.node.arrived(refund))
	}
	w.adds(w.paidIn())
}
