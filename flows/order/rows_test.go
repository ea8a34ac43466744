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

// fine lets a call through.
func fine() fault { return fault{} }
