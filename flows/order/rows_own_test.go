package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// given asks for a refund, with the undo time over.
func given(t *testing.T, faults func(*world)) *world {
	t.Helper()
	w := newWorld(t)
	w.buy()
	w.mine(2)
	faults(w)
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	return w
}

func TestTicketOwnedDeliveryRefusedIsTriedAgain(t *testing.T) {
	w := bought(t)
	w.next(order.SiteDeliver, refusedWith(order.ErrNoCourier))
	w.mine(2)
	if w.ticket().Delivery.State != order.DeliveryWaiting {
		t.Fatalf("delivery %+v", w.ticket().Delivery)
	}
	w.pass(3 * time.Minute)
	if w.ticket().Delivery.State != order.DeliverySent {
		t.Errorf("delivery %+v", w.ticket().Delivery)
	}
}

func TestTicketOwnedDeliveryTimedOutKeepsItsParcel(t *testing.T) {
	w := bought(t)
	w.next(order.SiteDeliver, lost())
	w.mine(2)
	w.pass(5 * time.Second)
	if len(w.parcels) != 1 || w.ticket().Delivery.State != order.DeliverySent || w.ticket().Delivery.Count != 1 {
		t.Errorf("parcels %v, delivery %+v", w.parcels, w.ticket().Delivery)
	}
}

func TestTicketOwnedEnds(t *testing.T) {
	w := newWorld(t)
	w.buy()
	w.node.height = end - window - 2
	w.mine(2)
	w.saw("owned", "ended", order.SiteDeliver)
}

func TestTicketReleasingAnsweredWell(t *testing.T) {
	w := given(t, func(*world) {})
	w.mine(5)
	w.saw("owned", "releasing", "")
	w.saw("releasing", "released", order.SiteRelease)
	w.settled(w.o.Due)
}

func TestTicketReleasingRefusedAsOverKeepsTheTicket(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteRelease, refusedWith(order.ErrReleaseOver)) })
	w.saw("releasing", "owned", order.SiteRelease)
	if w.ticket().Reason != order.ReasonWindowOver {
		t.Errorf("reason %q", w.ticket().Reason)
	}
}

func TestTicketReleasingRefusedForNow(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteRelease, refusedWith(order.ErrNoPeers)) })
	w.wants(order.Filled, order.Releasing)
	w.pass(2 * time.Second)
	w.mine(5)
	w.saw("releasing", "released", order.SiteRelease)
	w.settled(w.o.Due)
}

func TestTicketReleasingNotOwnerNeedsAPerson(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteRelease, refusedWith(order.ErrNotOwner)) })
	w.saw("releasing", "attention", order.SiteRelease)
}

func TestTicketReleasingTimedOutAfterTheWork(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteRelease, lost()) })
	w.mine(6)
	w.saw("releasing", "released", order.SiteCalls)
	if w.sites.count[order.SiteRelease] != 1 {
		t.Errorf("released %d times", w.sites.count[order.SiteRelease])
	}
	w.settled(w.o.Due)
}

func TestTicketReleasingTimedOutBeforeTheWork(t *testing.T) {
	w := given(t, func(w *world) { w.next(order.SiteRelease, dropped()) })
	w.mine(16)
	w.saw("releasing", "released", order.SiteUnspent)
	if w.sites.count[order.SiteRelease] != 2 {
		t.Errorf("released %d times", w.sites.count[order.SiteRelease])
	}
	w.settled(w.o.Due)
}

func TestTicketReleasingFailedInTheBlockNeedsAPerson(t *testing.T) {
	w := given(t, func(*world) {})
	w.node.fail = true
	w.mine(1)
	w.saw("releasing", "attention", order.SiteReceipt)
}

func TestTicketReleasingVanishedIsSentAgain(t *testing.T) {
	w := given(t, func(*world) {})
	w.node.vanish()
	w.mine(8)
	w.saw("releasing", "released", order.SiteSend)
	w.settled(w.o.Due)
}

func TestTicketLostPaysBack(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, refusedWith(order.ErrSeatTaken))
	w.mine(3)
	w.saw("lost", "done", order.SiteSend)
}

func TestTicketAttentionIsToldOnceEvenWhenTellingFails(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, lost())
	w.next(order.SiteAttend, dropped())
	w.mine(3)
	w.pass(2 * time.Minute)
	w.pass(2 * time.Minute)
	if len(w.told) != 1 {
		t.Errorf("operator told %v", w.told)
	}
}
