package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

func TestTicketHeldBeginsToReserve(t *testing.T) {
	w := bought(t)
	w.mine(1)
	w.saw("held", "reserving", order.SiteReserve)
}

func TestTicketHeldNotBuyableIsLost(t *testing.T) {
	w := bought(t)
	w.node.seat(seat3D).Owner = others
	w.mine(3)
	w.saw("held", "lost", "")
	w.settled(w.o.Due)
}

func TestTicketReservingAnsweredWell(t *testing.T) {
	w := bought(t)
	w.mine(1)
	w.saw("reserving", "reserved", order.SiteReserve)
	if w.ticket().Reserve.Raw == "" || w.sites.count[order.SiteRaw] != 1 {
		t.Error("the call's bytes were not kept")
	}
}

func TestTicketReservingRefusedForGood(t *testing.T) {
	for _, refusal := range []error{order.ErrSeatTaken, order.ErrSaleClosed, order.ErrSeatUnknown, order.ErrNoContract} {
		t.Run(refusal.Error(), func(t *testing.T) {
			w := bought(t)
			w.next(order.SiteReserve, refusedWith(refusal))
			w.mine(3)
			w.saw("reserving", "lost", order.SiteReserve)
			w.settled(w.o.Due)
		})
	}
}

func TestTicketReservingRefusedForNow(t *testing.T) {
	for _, refusal := range []error{
		order.ErrNoPeers, order.ErrSyncing, order.ErrPassword, order.ErrWallet, order.ErrCoins, order.ErrUnreachable, order.ErrInputsReserved,
	} {
		t.Run(refusal.Error(), func(t *testing.T) {
			w := bought(t)
			w.next(order.SiteReserve, refusedWith(refusal), refusedWith(refusal))
			w.mine(1)
			w.wants(order.Filled, order.Reserving)
			w.pass(3 * time.Second)
			w.mine(2)
			w.wants(order.Filled, order.Owned)
			w.saw("reserving", "reserved", order.SiteReserve)
		})
	}
}

func TestTicketReservingRefusedForEverNeedsAPerson(t *testing.T) {
	w := bought(t)
	for range 40 {
		w.next(order.SiteReserve, refusedWith(order.ErrPassword))
	}
	w.mine(1)
	for range 40 {
		w.pass(6 * time.Minute)
	}
	w.saw("reserving", "attention", order.SiteReserve)
	if len(w.told) != 1 {
		t.Errorf("operator told %v", w.told)
	}
}

func TestTicketReservingTimedOutAfterTheWorkIsStray(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, lost())
	w.mine(1)
	w.saw("reserving", "unknown", order.SiteReserve)
	w.mine(2)
	w.saw("unknown", "stray", order.SiteCalls)
	w.saw("stray", "attention", order.SiteAttend)
	if len(w.told) != 1 || w.told[0] != string(order.ReasonNoSecret) {
		t.Errorf("operator told %v", w.told)
	}
}

func TestTicketReservingTimedOutBeforeTheWorkIsBoughtLater(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, dropped())
	w.mine(1)
	w.wants(order.Filled, order.Unknown)
	w.mine(12)
	w.saw("unknown", "reserving", order.SiteUnspent)
	w.mine(2)
	w.wants(order.Filled, order.Owned)
}

func TestTicketReservingInvalidOutpointsIsUnknown(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, refusedWith(order.ErrOutpoints))
	w.mine(1)
	w.saw("reserving", "unknown", order.SiteReserve)
}

func TestTicketUnknownLooksAgainWhenTheNodeDoesNotAnswer(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, dropped())
	w.next(order.SiteCalls, dropped(), refusedWith(order.ErrWallet))
	w.mine(14)
	w.pass(5 * time.Minute)
	w.mine(3)
	w.saw("unknown", "reserving", order.SiteCalls)
	w.wants(order.Filled, order.Owned)
}

func TestTicketUnknownFailedCallIsLost(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, lost())
	w.node.fail = true
	w.mine(4)
	w.saw("unknown", "lost", order.SiteReceipt)
	w.mine(2)
	w.settled(w.o.Due)
}

func TestTicketUnknownVanishedCallIsMadeAnew(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, lost())
	w.mine(1)
	w.node.vanish()
	w.mine(14)
	w.saw("unknown", "reserving", order.SiteForget)
	w.mine(2)
	w.wants(order.Filled, order.Owned)
}

func TestTicketUnknownForEverNeedsAPerson(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, dropped())
	w.mine(1)
	w.node.coins[w.ticket().Coin.Outpoint].spentBy = "elsewhere"
	w.node.coins[w.ticket().Coin.Outpoint].mined = true
	w.mine(130)
	w.saw("unknown", "attention", order.SiteUnspent)
}

func TestTicketReservedReceiptGood(t *testing.T) {
	w := bought(t)
	w.mine(2)
	w.saw("reserved", "owned", order.SiteReceipt)
	if w.sites.count[order.SiteTickets] != 1 {
		t.Error("the contract was not looked at")
	}
}

func TestTicketReservedReceiptFailed(t *testing.T) {
	w := bought(t)
	w.node.fail = true
	w.mine(5)
	w.saw("reserved", "lost", order.SiteReceipt)
	w.settled(w.o.Due)
}

func TestTicketReservedReceiptTimedOut(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReceipt, fine(), dropped(), dropped())
	w.mine(2)
	w.pass(5 * time.Second)
	w.pass(5 * time.Second)
	w.saw("reserved", "owned", order.SiteReceipt)
}

func TestTicketReservedContractNotReadable(t *testing.T) {
	w := bought(t)
	w.next(order.SiteTickets, dropped())
	w.mine(2)
	w.pass(2 * time.Second)
	w.saw("reserved", "owned", order.SiteTickets)
	if w.sites.count[order.SiteTickets] != 2 {
		t.Errorf("contract read %d times", w.sites.count[order.SiteTickets])
	}
}

func TestTicketReservedVanishedIsSentAgainWithTheSameBytes(t *testing.T) {
	w := bought(t)
	w.mine(1)
	w.node.vanish()
	w.mine(4)
	w.wants(order.Filled, order.Owned)
	w.saw("reserved", "owned", order.SiteSend)
	if w.sites.count[order.SiteReserve] != 1 {
		t.Errorf("reserved %d times", w.sites.count[order.SiteReserve])
	}
}

func TestTicketReservedVanishedWithoutBytesIsUnknown(t *testing.T) {
	w := bought(t)
	w.next(order.SiteRaw, refusedWith(order.ErrNotFound))
	w.mine(1)
	w.node.vanish()
	w.mine(3)
	w.saw("reserved", "unknown", order.SiteUnspent)
	w.mine(16)
	w.wants(order.Filled, order.Owned)
}

func TestTicketReservedOtherSecretOnChainIsStray(t *testing.T) {
	w := bought(t)
	w.mine(1)
	w.node.pending[0].call.secret = "another"
	w.mine(1)
	w.saw("reserved", "stray", order.SiteTickets)
	w.wants(order.Filled, order.Attention)
	if w.ticket().Reason != order.ReasonBadSecret || len(w.parcels) != 0 {
		t.Errorf("reason %s, parcels %v", w.ticket().Reason, w.parcels)
	}
}

func TestTicketStrayLetGoPaysBack(t *testing.T) {
	w := bought(t)
	w.next(order.SiteReserve, lost())
	w.mine(4)
	w.wants(order.Filled, order.Attention)
	_, err := w.engine.Operate(t.Context(), w.o.ID, order.Ask{Verb: order.LetGo, Ticket: w.ticket().ID})
	w.must(err)
	w.run()
	w.mine(6)
	w.saw("attention", "releasing", order.SiteRelease)
	w.wants(order.Filled, order.Released)
	w.settled(w.o.Due)
}
