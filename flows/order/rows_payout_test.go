package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func TestPayoutDueAnsweredWell(t *testing.T) {
	w := given(t, func(*world) {})
	w.mine(5)
	w.saw("due", "built", order.SiteBuild)
	if w.sites.count[order.SiteIsContract] == 0 {
		t.Error("the refund address was not looked at")
	}
}

func TestPayoutDueBuildRefused(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteBuild, refusedWith(order.ErrPassword)) })
	w.mine(3)
	w.pass(5 * time.Second)
	w.mine(2)
	w.saw("due", "built", order.SiteBuild)
	w.settled(w.o.Due)
}

func TestPayoutDueBuildTimedOut(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteBuild, lost()) })
	w.mine(3)
	w.pass(5 * time.Second)
	w.mine(2)
	w.saw("due", "built", order.SiteBuild)
	w.settled(w.o.Due)
}

func TestPayoutDueDust(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.must(w.ask(order.Cancel))
	w.node.pay(w.o.Address, order.MinFee+order.MinOutput-1)
	w.mine(3)
	if len(w.o.Payouts) != 0 {
		t.Errorf("payouts %+v", w.o.Payouts)
	}
	w.node.pay(w.o.Address, cirrus.CRS)
	w.mine(3)
	w.settled(order.MinFee + order.MinOutput - 1 + cirrus.CRS)
}

func TestPayoutDueToAContractNeedsAnAddress(t *testing.T) {
	w := given(t, func(w *world) { w.node.contract[refund] = true })
	w.mine(4)
	w.saw("due", "address_needed", order.SiteIsContract)
	w.node.contract[refund] = false
	w.pass(25 * time.Hour)
	w.mine(2)
	w.saw("address_needed", "due", order.SiteIsContract)
	w.settled(w.o.Due)
}

func TestPayoutBuiltAnsweredWell(t *testing.T) {
	w := given(t, func(*world) {})
	w.mine(5)
	w.saw("built", "sent", order.SiteSend)
}

func TestPayoutBuiltRefusedIsTriedAgain(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteSend, refusedWith(order.ErrNoPeers)) })
	w.mine(3)
	w.pass(5 * time.Second)
	w.mine(2)
	w.saw("built", "sent", order.SiteSend)
	w.settled(w.o.Due)
}

func TestPayoutBuiltTimedOutAfterTheWorkIsNotSentTwice(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteSend, lost()) })
	w.mine(5)
	w.saw("built", "sent", order.SiteUnspent)
	if w.sites.count[order.SiteSend] != 1 {
		t.Errorf("sent %d times", w.sites.count[order.SiteSend])
	}
	w.settled(w.o.Due)
}

func TestPayoutSentIsMined(t *testing.T) {
	w := given(t, func(*world) {})
	w.mine(5)
	w.saw("sent", "done", order.SiteUnspent)
}

func TestPayoutSentVanishedIsSentAgain(t *testing.T) {
	w := given(t, func(*world) {})
	for w.mine(1); len(w.o.Payouts) == 0 || w.payout().State != order.Sent; w.mine(1) {
	}
	w.node.vanish()
	for _, c := range w.node.coins {
		if c.spentBy == w.payout().TxID {
			c.spentBy = ""
		}
	}
	w.mine(4)
	w.saw("sent", "built", order.SiteUnspent)
	w.settled(w.o.Due)
}

func TestPayoutMoneyMissingNeedsAPersonAndThenGoesOut(t *testing.T) {
	w := given(t, func(*world) {})
	w.mine(1)
	for key, c := range w.node.coins { // the contract's payment never comes
		if c.Address == w.o.Address && c.Amount == price-5*cirrus.CRS {
			delete(w.node.coins, key)
		}
	}
	w.mine(22)
	w.saw("released", "attention", order.SiteAttend)
	_, err := w.engine.Operate(t.Context(), w.o.ID, order.Ask{Verb: order.Resolve, Ticket: w.ticket().ID})
	w.must(err)
	w.run()
	w.mine(2)
	if w.payout().State != order.Done {
		t.Errorf("payout %+v", w.payout())
	}
}
