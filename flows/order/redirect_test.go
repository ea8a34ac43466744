package order_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func (w *world) redirect(to cirrus.Address) error {
	ask := order.Ask{Verb: order.Redirect, Address: to}
	if text := fmt.Sprintf("%v %+v %#v", ask, ask, ask); to != "" && strings.Contains(text, string(to)) {
		w.t.Errorf("printed: %s", text)
	}
	o, err := w.engine.Do(w.t.Context(), customer, w.o.ID, ask)
	if err == nil {
		w.o = o
		w.run()
	}
	return err
}

func TestMoneyGoesToTheOtherAddressFromNowOn(t *testing.T) {
	w := newWorld(t)
	w.buy()
	w.must(w.redirect(other))
	if before := w.o.Private.Before; w.o.Private.Refund != other || len(before) != 1 || before[0] != refund {
		t.Errorf("before %v", before)
	}
	w.giveBack()
	if w.node.arrived(refund) != 0 || w.node.arrived(other) != w.payout().Amount {
		t.Errorf("arrived %s and %s", w.node.arrived(refund), w.node.arrived(other))
	}
	w.settled(w.o.Due)
}

func TestWhatIsBuiltKeepsItsAddress(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteSend, refusedWith(order.ErrNoPeers)) })
	for len(w.o.Payouts) == 0 || w.payout().State == order.PayoutDue {
		w.mine(1)
	}
	built := w.payout()
	w.must(w.redirect(other))
	w.pass(5 * time.Second)
	w.mine(3)
	if p := w.payout(); p.State != order.Done || p.TxID != built.TxID || w.node.arrived(refund) != p.Amount || w.node.arrived(other) != 0 {
		t.Errorf("payout %+v", p)
	}
	w.settled(w.o.Due)
}

func TestAnAddressThatCanBePaidIsTakenAtOnce(t *testing.T) {
	w := given(t, func(w *world) { w.node.contract[refund] = true })
	w.mine(5)
	if w.payout().State != order.AddressNeeded {
		t.Fatalf("payout %+v", w.payout())
	}
	w.must(w.redirect(other))
	w.mine(1)
	if p := w.payout(); p.State != order.Done || w.node.arrived(other) != p.Amount {
		t.Errorf("payout %+v", p)
	}
	w.settled(w.o.Due)
}

func TestOwnAddressIsNoRefundAddress(t *testing.T) {
	w := newWorld(t)
	w.buy()
	for _, bad := range []cirrus.Address{"", w.o.Address} {
		if err := w.redirect(bad); !errors.Is(err, order.ErrNotAllowed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestOperatorIsToldOnceOfAnAddressMissingForAWeek(t *testing.T) {
	w := given(t, func(w *world) { w.node.contract[refund] = true })
	w.mine(5)
	for day := range 10 {
		w.pass(24 * time.Hour)
		if told := len(w.told); told != 0 && day < 6 || told > 1 || told == 0 && day >= 7 {
			t.Fatalf("day %d: operator told %v", day+1, w.told)
		}
	}
	if w.told[0] != string(order.ReasonAddress) || w.payout().State != order.AddressNeeded || w.ticket().State != order.Released {
		t.Errorf("told %v, payout %+v", w.told, w.payout())
	}
	w.must(w.redirect(other))
	w.mine(1)
	w.settled(w.o.Due)
}

func TestOperatorNotReachedIsToldAgain(t *testing.T) {
	w := given(t, func(w *world) { w.node.contract[refund] = true })
	w.mine(5)
	w.next(order.SiteAttend, refusedWith(order.ErrBlocked))
	for range 8 {
		w.pass(24 * time.Hour)
	}
	if len(w.told) != 1 || !w.payout().Told {
		t.Errorf("told %v, payout %+v", w.told, w.payout())
	}
}

func TestOperatorMayHaveTheAddressLookedAtAgain(t *testing.T) {
	w := given(t, func(w *world) { w.node.contract[refund] = true })
	w.mine(5)
	w.node.contract[refund] = false
	_, err := w.engine.Operate(t.Context(), w.o.ID, order.Ask{Verb: order.Resolve, Ticket: w.ticket().ID})
	w.must(err)
	w.run()
	w.mine(1)
	w.settled(w.o.Due)
}

// TestWhatWasSentBeforeIsSaidToHaveGoneWhereItWent: another address for the order does not rewrite what happened.
func TestWhatWasSentBeforeIsSaidToHaveGoneWhereItWent(t *testing.T) {
	w := given(t, func(*world) {})
	w.mine(5)
	first := w.payout()
	w.must(w.redirect(other))
	w.must(w.redirect(refund))
	w.must(w.redirect(other))
	if first.State != order.Done || w.o.WentTo(first.ID) != refund || w.o.WentTo("of no payout yet") != other {
		t.Errorf("payout %+v: to %s, others to %s", first, w.o.WentTo(first.ID), w.o.WentTo("of no payout yet"))
	}
}
