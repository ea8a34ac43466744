package order_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

var threeSeats = []cirrus.Seat{seat3D, seat4A, seat3C}

// group takes an order of three seats as far as the address shown.
func group(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.open(threeSeats...)
	return w
}

// buyGroup takes it as far as three tickets that are owned and delivered.
func buyGroup(t *testing.T) *world {
	t.Helper()
	w := group(t)
	w.pay()
	w.mine(4)
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
	return w
}

func (w *world) wantsAll(state order.State, tickets ...order.TicketState) {
	w.t.Helper()
	for i, want := range tickets {
		if got := w.o.Tickets[i]; w.o.State != state || got.State != want {
			w.t.Fatalf("order %s, ticket %d %s (%s), wanted %s and %s; saved: %s",
				w.o.State, i+1, got.State, got.Reason, state, want, strings.Join(w.db.all, " | "))
		}
	}
}

// adds wants the account to be right while tickets are alive.
func (w *world) adds(paid cirrus.Strats) {
	w.t.Helper()
	s := order.Account(w.o, w.there())
	if s.Paid != paid || s.Returned != w.node.arrived(refund) {
		w.t.Errorf("paid %s, %s came back, but the account is %+v", paid, w.node.arrived(refund), s)
	}
}

func TestSeveralSeatsArePaidOnceAndBoughtEachByItself(t *testing.T) {
	w := buyGroup(t)
	if w.o.Due != 2*price+price/2+6*budget+order.MinFee {
		t.Errorf("due %s", w.o.Due)
	}
	if len(w.o.Addresses()) != 4 || len(w.parcels) != 3 || w.sites.count[order.SiteReserve] != 3 {
		t.Errorf("addresses %v, parcels %v", w.o.Addresses(), w.parcels)
	}
	for _, ticket := range w.o.Tickets {
		if ticket.Coin.Amount != ticket.Price+2*budget || ticket.Account != w.o.Account {
			t.Errorf("%s got %s in %s", ticket.Seat, ticket.Coin.Amount, ticket.Account)
		}
	}
	w.adds(w.o.Due)
}

func TestOneOfSeveralSeatsGivenBackLeavesTheOthers(t *testing.T) {
	w := buyGroup(t)
	w.mine(1)
	_, err := w.engine.Do(t.Context(), customer, w.o.ID, order.Ask{Verb: order.GiveBack, Ticket: w.o.Tickets[1].ID})
	w.must(err)
	w.pass(11 * time.Second)
	w.mine(6)
	w.wantsAll(order.Filled, order.Owned, order.Released, order.Owned)
	if p := w.payout(); p.State != order.Done || p.Ticket != w.o.Tickets[1].ID || len(w.o.Payouts) != 1 {
		t.Errorf("payouts %+v", w.o.Payouts)
	}
	w.adds(w.o.Due)
	w.node.height = end - window - 2
	w.mine(6)
	w.wantsAll(order.Filled, order.Ended, order.Released, order.Ended)
	w.settled(w.o.Due)
}

func TestTooMuchForSeveralSeatsLeavesWithTheSplit(t *testing.T) {
	w := group(t)
	w.node.pay(w.o.Address, w.o.Due+order.Sendable)
	w.mine(4)
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
	if w.o.Move.Back != order.Sendable || w.node.arrived(refund) != order.Sendable || len(w.o.Payouts) != 0 {
		t.Errorf("back %s, came %s, payouts %+v", w.o.Move.Back, w.node.arrived(refund), w.o.Payouts)
	}
	w.adds(w.o.Due + order.Sendable)
}

func TestALittleTooMuchForSeveralSeatsGoesWithTheFirst(t *testing.T) {
	w := group(t)
	w.node.pay(w.o.Address, w.o.Due+order.Sendable-1)
	w.mine(6)
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
	if w.o.Move.Back != 0 || w.ticket().Coin.Amount != price+2*budget+order.Sendable-1 || len(w.o.Payouts) != 0 {
		t.Errorf("move %+v, coin %s", w.o.Move, w.ticket().Coin.Amount)
	}
	w.adds(w.o.Due + order.Sendable - 1)
}

func TestTooMuchThatCannotBePaidBackGoesWithTheFirst(t *testing.T) {
	w := group(t)
	w.node.contract[refund] = true
	w.node.pay(w.o.Address, w.o.Due+cirrus.CRS)
	w.mine(4)
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
	if w.o.Move.Back != 0 || w.ticket().Coin.Amount != price+2*budget+cirrus.CRS {
		t.Errorf("move %+v, coin %s", w.o.Move, w.ticket().Coin.Amount)
	}
	w.adds(w.o.Due + cirrus.CRS)
}

func TestPartsForSeveralSeatsAreSplitInOneTransaction(t *testing.T) {
	w := group(t)
	const parts, last = 8, 6000
	for i := range cirrus.Strats(parts) {
		w.node.pay(w.o.Address, (w.o.Due-last+i)/parts)
		w.mine(1)
	}
	w.wantsAll(order.PartPaid, order.Held)
	w.node.pay(w.o.Address, last)
	w.mine(5)
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
	if w.sites.count[order.SiteBuild] != 1 || w.o.Move.Fee <= order.MinFee {
		t.Errorf("built %d times, fee %s", w.sites.count[order.SiteBuild], w.o.Move.Fee)
	}
	w.giveBack() // the fee of many coins came out of the first ticket's deposit
	w.adds(w.o.Due)
}

func TestSeatOutOfReachDoesNotStopTheOthers(t *testing.T) {
	for name, gone := range map[string]func(*world){
		"sold to somebody else": func(w *world) { w.node.seat(seat4A).Owner = others },
		"dearer now":            func(w *world) { w.node.seat(seat4A).Price++ },
		"held by another customer": func(w *world) {
			w.must(w.db.Free(w.t.Context(), "show1", seat4A, w.o.ID))
			w.must(w.db.Hold(w.t.Context(), "show1", seat4A, order.Hold{Order: "x", Until: w.clock.Now().Add(time.Hour)}, w.clock.Now()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := group(t)
			w.pay()
			gone(w)
			w.mine(6)
			w.wantsAll(order.Filled, order.Owned, order.Lost, order.Owned)
			if p := w.payout(); p.Why != order.WhyLost || p.Amount != price/2+2*budget-order.MinFee {
				t.Errorf("payout %+v", p)
			}
			w.adds(w.o.Due)
		})
	}
}

func TestSeatHeldByAnotherIsLostForThatReason(t *testing.T) {
	w := group(t)
	w.pay()
	w.next(order.SiteHold, fine(), refusedWith(order.ErrSeatHeld))
	w.mine(6)
	w.wantsAll(order.Filled, order.Owned, order.Lost, order.Owned)
	if w.o.Tickets[1].Reason != order.ReasonSeatTaken || w.o.Tickets[0].Reason != "" {
		t.Errorf("reasons %q, %q", w.o.Tickets[1].Reason, w.o.Tickets[0].Reason)
	}
}

func TestPaymentAfterTheSplitGoesStraightBack(t *testing.T) {
	w := buyGroup(t)
	for i := range cirrus.Strats(2) {
		w.node.pay(w.o.Address, cirrus.CRS+i)
		w.mine(3)
		if p := w.payout(); p.State != order.Done || p.From != w.o.Address || p.Ticket != "" || p.Amount != cirrus.CRS+i-order.MinFee {
			t.Errorf("payout %+v", p)
		}
	}
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
	w.adds(w.o.Due + 2*cirrus.CRS + 1)
}

func TestPaymentWhileTheSplitIsOnItsWayGoesBack(t *testing.T) {
	w := group(t)
	w.pay()
	w.mine(1)
	w.wantsAll(order.Splitting, order.Held)
	w.node.pay(w.o.Address, w.o.Due)
	w.mine(5)
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
	w.adds(2 * w.o.Due)
	if w.node.arrived(refund) != w.o.Due-order.MinFee {
		t.Errorf("came back: %s", w.node.arrived(refund))
	}
}

func TestMoneyForSeveralSeatsComesBackAfterTheEnd(t *testing.T) {
	t.Run("cancelled", func(t *testing.T) {
		w := group(t)
		w.must(w.ask(order.Cancel))
		w.pay()
		w.mine(3)
		w.wantsAll(order.Cancelled, order.Dropped, order.Dropped, order.Dropped)
		w.settled(w.o.Due)
	})
	t.Run("expired with a part", func(t *testing.T) {
		w := group(t)
		w.node.pay(w.o.Address, cirrus.CRS)
		w.mine(1)
		w.pass(31 * time.Minute)
		w.mine(2)
		w.wantsAll(order.Expired, order.Dropped, order.Dropped, order.Dropped)
		w.settled(cirrus.CRS)
	})
	t.Run("late, and all seats are gone", func(t *testing.T) {
		w := group(t)
		w.pass(16 * time.Minute)
		for _, seat := range threeSeats {
			w.node.seat(seat).Owner = others
		}
		w.pay()
		w.mine(3)
		w.wantsAll(order.Expired, order.Dropped, order.Dropped, order.Dropped)
		w.settled(w.o.Due)
	})
}

func TestLatePaymentForSeveralSeatsBuysEachThatIsFree(t *testing.T) {
	for name, gone := range map[string]func(*world){
		"sold": func(w *world) { w.node.seat(seat3C).Owner = others },
		"held": func(w *world) {
			other := order.Hold{Order: "x", Until: w.clock.Now().Add(time.Hour)}
			w.must(w.db.Hold(w.t.Context(), "show1", seat3C, other, w.clock.Now()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := group(t)
			w.pass(16 * time.Minute)
			gone(w)
			w.pay()
			w.mine(6)
			w.wantsAll(order.Filled, order.Owned, order.Owned, order.Lost)
			if p := w.payout(); !w.o.Late || p.Why != order.WhyLost || p.State != order.Done || p.Ticket != w.o.Tickets[2].ID {
				t.Errorf("late %t, payout %+v", w.o.Late, p)
			}
			w.adds(w.o.Due)
		})
	}
}

func TestLatePaymentForSeveralSeatsBuysAll(t *testing.T) {
	w := group(t)
	w.pass(16 * time.Minute)
	w.pay()
	w.mine(5)
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
	w.adds(w.o.Due)
}

func TestOpenHoldsAllSeatsOrNone(t *testing.T) {
	w := newWorld(t)
	sale, err := w.db.Sale(t.Context(), hall)
	w.must(err)
	w.must(w.db.Hold(t.Context(), "show1", seat4A, order.Hold{Order: "x", Until: w.clock.Now().Add(time.Hour)}, w.clock.Now()))
	_, err = w.engine.Open(t.Context(), order.New{Customer: customer, Sale: sale, Seats: threeSeats, Refund: refund})
	if !errors.Is(err, order.ErrSeatHeld) {
		t.Errorf("opened: %v", err)
	}
	held, err := w.db.Held(t.Context(), "show1")
	w.must(err)
	if len(held) != 1 {
		t.Errorf("held %v", held)
	}
}

func TestOpenRefusesWhatIsNoOrder(t *testing.T) {
	w := newWorld(t)
	sale, err := w.db.Sale(t.Context(), hall)
	w.must(err)
	for name, seats := range map[string][]cirrus.Seat{
		"none": {}, "one twice": {seat3D, seat3C, seat3D}, "an unknown one": {seat3D, {Number: 99}},
		"nine": slices.Repeat([]cirrus.Seat{seat3D}, 9),
	} {
		_, err := w.engine.Open(t.Context(), order.New{Customer: customer, Sale: sale, Seats: seats, Refund: refund})
		if !errors.Is(err, order.ErrNotAllowed) && !errors.Is(err, order.ErrSeatTaken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	held, err := w.db.Held(t.Context(), "show1")
	w.must(err)
	if len(held) != 0 {
		t.Errorf("held %v", held)
	}
}

func TestQuoteOfSeveralSeatsAddsUp(t *testing.T) {
	w := newWorld(t)
	gas, fee := order.Gas{Limit: 250_000, Price: 100}, cirrus.CRS/10
	one, err := order.QuoteAll(w.node.sale, threeSeats[:1], gas, fee)
	w.must(err)
	single, err := order.Quote(w.node.sale, seat3D, gas, fee)
	w.must(err)
	if one.Due() != single.Due() || one.Network != 0 {
		t.Errorf("one seat: %+v, by itself %+v", one, single)
	}
	all, err := order.QuoteAll(w.node.sale, threeSeats, gas, fee)
	w.must(err)
	if all.Due() != 2*price+price/2+6*budget+3*fee+order.MinFee || all.Price()+all.Deposit()+all.Fee()+all.Network != all.Due() {
		t.Errorf("due %s of %+v", all.Due(), all)
	}
	if all.Back() >= 3*single.Back || all.Back() <= 0 {
		t.Errorf("back %s; each seat sold makes the next call dearer", all.Back())
	}
}

func TestQuoteRefusesTheSeatThatNoLongerFitsTheGasLimit(t *testing.T) {
	w := newWorld(t)
	gas := order.Gas{Limit: order.TypicalGas(4, 1), Price: 100}
	if _, err := order.QuoteAll(w.node.sale, threeSeats[:2], gas, 0); err != nil {
		t.Error(err)
	}
	if _, err := order.QuoteAll(w.node.sale, threeSeats, gas, 0); !errors.Is(err, order.ErrNotAllowed) {
		t.Errorf("third seat: %v", err)
	}
}

func TestNamesAreAskedForAndGivenToTheContract(t *testing.T) {
	w := newWorld(t)
	w.node.sale.Terms.Identity = true
	w.post()
	sale, err := w.db.Sale(t.Context(), hall)
	w.must(err)
	made := order.New{Customer: customer, Sale: sale, Seats: []cirrus.Seat{seat3D, seat4A}, Refund: refund}
	for _, names := range [][]string{nil, {"Ada"}, {"Ada", " "}, {"Ada", strings.Repeat("ä", 65)}, {"Ada", "B", "C"}, {"Ada", "\xff"}} {
		made.Names = names
		if _, err := w.engine.Open(t.Context(), made); !errors.Is(err, order.ErrNotAllowed) {
			t.Errorf("%q: %v", names, err)
		}
	}
	made.Names = []string{" Ada Lovelace ", strings.Repeat("ä", 64)}
	if text := fmt.Sprintf("%v %+v %#v", made, made, made); strings.Contains(text, "Ada") || strings.Contains(text, string(refund)) {
		t.Errorf("printed: %s", text)
	}
	w.o, err = w.engine.Open(t.Context(), made)
	w.must(err)
	w.pass(3 * time.Second)
	w.pay()
	w.mine(4)
	w.wantsAll(order.Filled, order.Owned, order.Owned)
	if w.node.names[seat3D] != "Ada Lovelace" || w.node.names[seat4A] != made.Names[1] {
		t.Errorf("names at the contract: %q", w.node.names)
	}
}

func TestNoTicketWaitsForAnotherThatFails(t *testing.T) {
	w := group(t)
	w.pay()
	w.mine(2)
	w.wantsAll(order.Filled, order.Reserved, order.Reserved, order.Reserved)
	for range 4 {
		w.next(order.SiteReceipt, dropped(), fine(), fine())
	}
	w.mine(1)
	w.wantsAll(order.Filled, order.Reserved, order.Owned, order.Owned)
	if len(w.parcels) != 2 {
		t.Errorf("parcels %v", w.parcels)
	}
	clear(w.sites.faults)
	w.pass(2 * time.Second)
	w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
}
