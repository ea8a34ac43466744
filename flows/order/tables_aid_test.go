package order_test

import (
	"slices"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// The rows of an aid, and those of a ticket that lead to one.

// strayIn is a purchase whose answer was lost, in a world with a float; with the next block it is found.
func strayIn(coins []cirrus.Strats, change ...func(*order.Config)) func(*testing.T) *world {
	return func(t *testing.T) *world {
		t.Helper()
		return strayed(newFloated(t, coins, change...))
	}
}

func mayFork(cfg *order.Config) { cfg.Finality = finality }

var (
	strayFloated = strayIn(fewCoins)
	strayPoor    = strayIn(nil)
	strayForking = strayIn(fewCoins, mayFork)
)

// strayTooLate is one that cannot be given back any more.
func strayTooLate(coins ...cirrus.Strats) func(*testing.T) *world {
	return func(t *testing.T) *world {
		t.Helper()
		w := newFloated(t, coins)
		w.node.height = end - window
		w.post()
		return strayed(w)
	}
}

// strayWaits is one that waits for an empty float.
func strayWaits(enter func(*testing.T) *world) func(*testing.T) *world {
	return func(t *testing.T) *world {
		t.Helper()
		w := enter(t)
		w.mine(6)
		w.wants(order.Filled, order.Attention)
		return w
	}
}

// strayGone is one that was given back, its money made whole and not sent yet.
func strayGone(t *testing.T) *world {
	t.Helper()
	w := strayForking(t)
	w.next(order.SiteIsContract, slices.Repeat([]fault{refusedWith(order.ErrUnreachable)}, 3)...)
	w.mine(3)
	w.wants(order.Filled, order.Lost)
	return w
}

// aidOut has the float's transaction in the mempool.
func aidOut(t *testing.T) *world {
	t.Helper()
	w := strayFloated(t)
	w.mine(2)
	w.wantsAid(order.AidSent)
	return w
}

// topUpNeeded is a ticket being given back with a little too little for that.
func topUpNeeded(t *testing.T) *world {
	t.Helper()
	w := inPartsOfAll(newFloated(t, fewCoins))
	w.must(w.ask(order.GiveBack))
	return w
}

// backTooLate is a ticket whose giving back is called, and will be mined too late.
func backTooLate(coins ...cirrus.Strats) func(*testing.T) *world {
	return func(t *testing.T) *world {
		t.Helper()
		w := newFloated(t, coins)
		w.buy()
		w.mine(2)
		w.must(w.ask(order.GiveBack))
		undoOver(w)
		w.node.fail = true
		return w
	}
}

// topUpDelayed is one whose float could not be looked at yet.
func topUpDelayed(t *testing.T) *world {
	t.Helper()
	w := topUpNeeded(t)
	w.next(order.SiteFloat, refusedWith(order.ErrUnreachable))
	undoOver(w)
	w.wantsAid(order.AidWanted)
	return w
}

func (w *world) wantsAid(state order.AidState) {
	w.t.Helper()
	if len(w.o.Aids) == 0 || w.o.Aids[len(w.o.Aids)-1].State != state {
		w.t.Fatalf("aids %+v, wanted %s; ticket %s", w.o.Aids, state, w.ticket().State)
	}
}

// fills puts money into the float and lets it be found.
func fills(w *world) {
	w.float.fill(300 * cirrus.CRS)
	w.mine(3)
}

// rivals has another order claim what is noted, right before it is claimed.
func rivals(w *world) {
	w.float.rival = w.float.at[1] // the smallest coin that is enough
}

// sixBlocks are enough for a purchase to be found, given back, and made whole.
func sixBlocks(w *world) { w.mine(6) }

func aidStages() []stage {
	row := func(state order.AidState, site string, cases ...ending) stage {
		return stage{
			table: "aid", state: string(state), site: site, enter: strayFloated, happens: sixBlocks, ends: order.Lost, cases: cases,
		}
	}
	look := append(readAgain(order.ErrWallet), ending{outcome: "enough", leads: "claimed"},
		ending{outcome: "too little", enter: strayPoor, ends: order.Attention})
	poorer := func(w *world) { w.float.poor = 2 }
	return slices.Concat(strayStages(), []stage{
		row(order.AidWanted, order.SiteFloat, look...),
		row(order.AidWanted, order.SiteUnclaim, freeing()...),
		{
			table: "aid", state: "wanted", site: order.SiteAttend, enter: backTooLate(), ends: order.Ended,
			happens: func(w *world) { windowCloses(w); w.mine(2); fills(w) },
			cases:   []ending{{outcome: "told"}, {outcome: noAnswer}, {outcome: butDone}},
		},
		row(order.AidClaimed, order.SiteClaim, append(stays(order.ErrUnknownOutcome),
			ending{outcome: "claimed", leads: "built"}, ending{outcome: butDone},
			ending{outcome: order.ErrClaimed.Error(), leads: "wanted"})...),
		row(order.AidClaimed, order.SiteFloat, append(readAgain(order.ErrWallet),
			ending{outcome: "enough", leads: "built"}, ending{outcome: "too little", leads: "wanted", bring: poorer})...),
		row(order.AidClaimed, order.SiteBuild, append(spendingFails(), ending{outcome: "built", leads: "built"})...),
		aidSending(), aidLooking(), aidAwaited(),
		row(order.AidWanted, "", ending{outcome: "there is enough", leads: "claimed"},
			ending{outcome: "it is not needed any more", leads: givenUp, ends: order.Ended, enter: topUpDelayed, happens: windowCloses}),
		row(order.AidClaimed, "", ending{outcome: "it is built", leads: "built"},
			ending{outcome: "another order was faster", leads: "wanted", bring: rivals}),
		row(order.AidBuilt, "", ending{outcome: "it is sent", leads: "sent"}),
		row(order.AidSent, "", ending{outcome: "it is mined", leads: "given"},
			ending{outcome: "it vanished", leads: "built", enter: aidOut, bring: vanishes, happens: threeBlocks},
			ending{outcome: "the operator spent its coin", leads: "wanted", enter: aidOut, bring: operatorSpends, happens: func(w *world) { w.mine(24) }}),
		row(order.AidGiven, "", ending{outcome: "nothing more happens"},
			ending{outcome: "its block is undone", leads: "sent", enter: strayGone, happens: forks(1)}),
	})
}

// freeing are the outcomes of giving up what was claimed and not used.
func freeing() []ending {
	list := append(stays(order.ErrUnknownOutcome), ending{outcome: "given up"}, ending{outcome: butDone})
	for i, e := range list {
		list[i].bring = func(w *world) {
			rivals(w)
			w.log().plan = plan{"aid", "wanted", order.SiteUnclaim, fault{err: order.ErrUnknownOutcome, before: e.outcome != butDone}, e.outcome != "given up"}
		}
	}
	return list
}

// aidSending is the sending of the saved bytes.
func aidSending() stage {
	send := stage{
		table: "aid", state: "built", site: order.SiteSend, enter: strayFloated, happens: sixBlocks, ends: order.Lost,
		cases: append(sendingFails(), ending{outcome: "accepted", leads: "sent"}),
	}
	for i, e := range send.cases {
		if e.outcome == butDone {
			send.cases[i].leads = "sent" // its inputs are spent, so it is out
		}
	}
	return send
}

// aidLooking is the look at the inputs that follows a failed sending.
func aidLooking() stage {
	look := stage{
		table: "aid", state: "built", site: order.SiteUnspent, enter: strayFloated, happens: sixBlocks, ends: order.Lost,
		cases: append(readAgain(), ending{outcome: "there"}, ending{outcome: "gone", leads: "sent"}),
	}
	for i, e := range look.cases {
		look.cases[i].bring = afterFailedSending(look, e)
	}
	return look
}

// aidAwaited is the look for a transaction that does not come.
func aidAwaited() stage {
	vanishing := func(w *world) { w.node.vanish(); w.mine(3) }
	gone := func(w *world) { operatorSpends(w); w.mine(24) }
	s := stage{
		table: "aid", state: "sent", site: order.SiteUnspent, enter: aidOut, happens: vanishing, ends: order.Lost,
		cases: append(readAgain(), []ending{
			{outcome: "there", when: "it vanished", leads: "built"},
			{outcome: "there", when: "it is not mined for long", happens: func(w *world) { w.idle(24) }},
			{outcome: "gone", when: "it waits", happens: func(w *world) { w.idle(4) }},
			{outcome: "gone", when: "the operator spent its coin", leads: "wanted", happens: gone},
		}...),
	}
	return s
}

// operatorSpends has the float's keys used by hand: what the aid spends goes elsewhere.
func operatorSpends(w *world) {
	a := w.o.Aids[len(w.o.Aids)-1]
	w.node.vanish()
	c := w.node.coins[a.Coins[0].Outpoint]
	c.spentBy, c.mined = "elsewhere", true
	w.float.filled -= c.Amount
	w.post()
}

// strayStages are the ways of a ticket without its secret, where there is a float.
func strayStages() []stage {
	row := func(state order.TicketState, cases ...ending) stage {
		return stage{table: "ticket", state: string(state), enter: strayFloated, happens: sixBlocks, ends: order.Lost, cases: cases}
	}
	return []stage{
		row(order.Stray,
			ending{outcome: "there is a float: it is given back", leads: "releasing"},
			ending{outcome: "there is a float: it cannot be given back", leads: "lost", enter: strayTooLate(200 * cirrus.CRS)},
			ending{outcome: "the float has too little", leads: "attention", ends: order.Attention, enter: strayTooLate(20 * cirrus.CRS)}),
		row(order.Releasing,
			ending{outcome: "the float has made it whole", leads: "lost"},
			ending{outcome: "the float has too little", leads: "attention", ends: order.Attention, enter: strayPoor},
			ending{outcome: "the float adds what is missing", leads: "released", ends: order.Released, enter: topUpNeeded, happens: func(w *world) { undoOver(w); w.node.gasUsed = 15_000; w.mine(10) }},
			ending{outcome: "it has no secret and the window closes", leads: "stray", happens: func(w *world) {
				w.next(order.SiteRelease, refusedWith(order.ErrNoPeers))
				w.mine(1)
				windowCloses(w)
				w.mine(5)
			}}),
		row(order.Attention,
			ending{outcome: "the float is filled while it cannot be given back", leads: "stray", enter: strayWaits(strayTooLate()), happens: fills},
			ending{outcome: "the float is filled after it was given back", leads: "releasing", enter: strayWaits(strayPoor), happens: fills}),
		row(order.Lost,
			ending{outcome: "the block that gave it back is undone", leads: "releasing", enter: strayGone, happens: forks(2)},
			ending{outcome: "all since the purchase is undone", leads: "releasing", enter: strayGone, happens: forks(4)}),
	}
}
