package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// The rows of a payout.

// paysBack is a payout that waits for the money of a ticket given back.
func paysBack(t *testing.T) *world {
	t.Helper()
	w := givenBack(t)
	w.wantsPayout(order.PayoutDue)
	return w
}

// built is one whose transaction is signed and could not be sent yet.
func built(t *testing.T) *world {
	t.Helper()
	w := paysBack(t)
	w.next(order.SiteSend, refusedWith(order.ErrUnreachable))
	w.mine(1)
	w.wantsPayout(order.Built)
	return w
}

// onItsWay is one in the mempool.
func onItsWay(t *testing.T) *world {
	t.Helper()
	w := paysBack(t)
	w.mine(1)
	w.wantsPayout(order.Sent)
	return w
}

// unpayable is one to an address that is a contract.
func unpayable(t *testing.T) *world {
	t.Helper()
	w := paysBack(t)
	refundBecomesContract(w)
	w.mine(2)
	w.wantsPayout(order.AddressNeeded)
	return w
}

func (w *world) wantsPayout(state order.PayoutState) {
	w.t.Helper()
	if p := w.payout(); p.State != state {
		w.t.Fatalf("payout %s, wanted %s", p.State, state)
	}
}

// paidOut is one that has arrived.
func paidOut(t *testing.T) *world {
	t.Helper()
	w := paysBack(t)
	w.mine(4)
	w.wantsPayout(order.Done)
	return w
}

// worthless is a ticket being given back whose release costs all that comes of it.
func worthless(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.node.seat(seat3D).Price = w.node.sale.Terms.ReleaseFee
	w.node.gasUsed = w.node.limit
	w.post()
	w.buy()
	w.must(w.ask(order.GiveBack))
	undoOver(w)
	return w
}

// paidOnTop is a ticket for which more was paid than was due; that is to go back.
func paidOnTop(t *testing.T) *world {
	t.Helper()
	w := owned(t)
	w.next(order.SiteBuild, refusedWith(order.ErrUnreachable))
	w.node.pay(w.o.Address, cirrus.CRS)
	w.mine(1)
	w.wantsPayout(order.PayoutDue)
	return w
}

// paidOnTopUnpayable is the same where that cannot be paid to the customer's address.
func paidOnTopUnpayable(t *testing.T) *world {
	t.Helper()
	w := owned(t)
	refundBecomesContract(w)
	w.node.pay(w.o.Address, cirrus.CRS)
	w.mine(1)
	w.wantsPayout(order.AddressNeeded)
	return w
}

// groupPaidAfterEnd is an order of several seats whose payment came after it was cancelled; that is to go back.
func groupPaidAfterEnd(t *testing.T) *world {
	t.Helper()
	w := group(t)
	w.must(w.ask(order.Cancel))
	w.next(order.SiteBuild, refusedWith(order.ErrUnreachable))
	comesConfirmed(w)
	w.wantsPayout(order.PayoutDue)
	return w
}

// isGone has the latest payment undone for good.
func isGone(w *world) {
	delete(w.node.coins, w.node.payments[len(w.node.payments)-1].Outpoint)
	w.post()
	w.calm(5*time.Second, 1)
}

func longGone(w *world) {
	isGone(w)
	longUnseen(w)
}

// givesBackWithIt gives the ticket back while what came on top waits for an address.
func givesBackWithIt(w *world) {
	w.must(w.ask(order.GiveBack))
	undoOver(w)
	w.mine(2)
}

func aDay(w *world) { w.pass(25 * time.Hour) }

func aWeek(w *world) { w.pass(7 * 24 * time.Hour) }

func payoutStages() []stage {
	row := func(state order.PayoutState, site string, enter func(*testing.T) *world, happens func(*world), cases ...ending) stage {
		return stage{table: "payout", state: string(state), site: site, enter: enter, happens: happens, ends: order.Released, cases: cases}
	}
	again := func(w *world) { w.pass(2 * time.Second) }
	return append(builtStages(again),
		row(order.PayoutDue, order.SiteIsContract, paysBack, twoBlocks, append(readAgain(),
			ending{outcome: "no contract", leads: "built"},
			ending{outcome: "a contract", leads: "address_needed", bring: refundBecomesContract})...),
		operatorStage(),
		row(order.PayoutDue, order.SiteBuild, paysBack, twoBlocks, append(spendingFails(), ending{outcome: "built", leads: "built"})...),
		row(order.PayoutDue, "", paysBack, twoBlocks,
			ending{outcome: "all of it is there", leads: "built"},
			ending{outcome: "a part of it is not there yet", happens: isLookedAt},
			ending{outcome: "the address is a contract by now", leads: "address_needed", bring: refundBecomesContract}),
		row(order.PayoutDue, "", nil, longGone,
			ending{outcome: "what came after the end is gone again", leads: givenUp, ends: order.Dropped, enter: paidAfterEnd},
			ending{outcome: "what came for several seats after the end is gone again", leads: givenUp, ends: order.Dropped, enter: groupPaidAfterEnd},
			ending{outcome: "what came after the exchange is gone again", leads: givenUp, ends: order.Owned, enter: paidAfterExchange},
			ending{outcome: "what came on top is gone again", leads: givenUp, ends: order.Owned, enter: paidOnTop, happens: isGone}),
		row(order.PayoutDue, "", worthless, threeBlocks, ending{outcome: "it is too little to be sent", leads: "dust"}),
		row(order.Dust, "", worthless, threeBlocks, ending{outcome: "nothing more happens"}),
		row(order.AddressNeeded, order.SiteIsContract, unpayable, aDay, append(readAgain(),
			ending{outcome: "no contract", leads: "due", bring: addressPayable},
			ending{outcome: "a contract"})...),
		row(order.AddressNeeded, order.SiteAttend, unpayable, aWeek,
			ending{outcome: "told"}, ending{outcome: noAnswer}, ending{outcome: butDone}),
		row(order.AddressNeeded, "", paidOnTopUnpayable, givesBackWithIt, ending{outcome: "it leaves with the ticket's money", leads: givenUp}),
		row(order.AddressNeeded, "", unpayable, aDay, ending{outcome: "it can be paid again", leads: "due", bring: addressPayable}),
		row(order.Sent, order.SiteUnspent, onItsWay, twoBlocks, append(readAgain(),
			ending{outcome: "gone", leads: "done"},
			ending{outcome: "there", when: "it is not mined yet", happens: isLookedAt},
			ending{outcome: "there", when: "it vanished", leads: "built", bring: vanishes, happens: threeBlocks})...),
		row(order.Sent, "", onItsWay, twoBlocks,
			ending{outcome: "it is mined", leads: "done"},
			ending{outcome: "it vanished", leads: "built", bring: vanishes, happens: threeBlocks}),
		row(order.Done, "", paidOut, oneBlock, ending{outcome: "nothing more happens"}),
	)
}

// withFee is a ticket with a service fee, which is taken with its deposit.
func withFee(t *testing.T) *world {
	t.Helper()
	w := charging(t)
	w.buy()
	w.mine(2)
	return w
}

// operatorStage is the look at the operator's address, which follows that at the customer's.
func operatorStage() stage {
	s := stage{
		table: "payout", state: "due", site: order.SiteIsContract, enter: withFee, happens: (*world).deadline, ends: order.Ended,
		cases: append(readAgain(), ending{outcome: "no contract", leads: "built"},
			ending{outcome: "a contract", leads: "built", bring: func(w *world) { w.node.contract[feeTo] = true }}),
	}
	for i, e := range s.cases {
		if failure, ok := s.failure(e); ok {
			s.cases[i].bring = func(w *world) { w.next(s.site, fine(), failure) }
		}
	}
	s.cases = whenever("the operator's address", s.cases)
	return s
}

func addressPayable(w *world) { clear(w.node.contract) }

// builtStages are the sending of a payout and the look at its inputs that follows a failure.
func builtStages(again func(*world)) []stage {
	send := stage{
		table: "payout", state: "built", site: order.SiteSend, enter: built, happens: again, ends: order.Released,
		cases: append(sendingFails(), ending{outcome: "accepted", leads: "sent"}),
	}
	for i, e := range send.cases {
		if e.outcome == butDone {
			send.cases[i].leads = "sent" // its inputs are spent, so it is out
		}
	}
	look := stage{
		table: "payout", state: "built", site: order.SiteUnspent, enter: built, happens: again, ends: order.Released,
		cases: append(readAgain(), ending{outcome: "there"}, ending{outcome: "gone", leads: "sent"}),
	}
	for i, e := range look.cases {
		look.cases[i].bring = afterFailedSending(look, e)
	}
	out := stage{table: "payout", state: "built", enter: built, happens: again, ends: order.Released, cases: []ending{
		{outcome: "it is sent", leads: "sent"},
	}}
	return []stage{send, look, out}
}

// afterFailedSending has the sending fail first; where the inputs are wanted gone, it was done all the same.
func afterFailedSending(s stage, e ending) func(*world) {
	return func(w *world) {
		failure := refusedWith(order.ErrNoPeers)
		if e.outcome == "gone" {
			failure = lost()
		}
		w.next(order.SiteSend, failure)
		w.log().fail(s, ending{outcome: e.outcome})
	}
}
