package order_test

import (
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// The row releasing: the joining of coins that it may need, the call, its receipt, and a call without an answer.

// undoing is a ticket that the customer gives back, while that can be undone.
func undoing(t *testing.T) *world {
	t.Helper()
	w := owned(t)
	w.must(w.ask(order.GiveBack))
	return w
}

// undoingInParts is the same where no coin alone is enough for the call.
func undoingInParts(t *testing.T) *world {
	t.Helper()
	w := inParts(t)
	w.mine(6)
	w.wants(order.Filled, order.Owned)
	w.must(w.ask(order.GiveBack))
	return w
}

// calledBack has the call to give back in the mempool.
func calledBack(t *testing.T) *world {
	t.Helper()
	w := undoing(t)
	undoOver(w)
	return w
}

// backVanished has it not in the mempool any more, without its bytes where the node did not give them.
func backVanished(bytes bool) func(*testing.T) *world {
	return func(t *testing.T) *world {
		w := undoing(t)
		if !bytes {
			w.next(order.SiteRaw, refusedWith(order.ErrNotFound))
		}
		undoOver(w)
		w.node.vanish()
		return w
	}
}

// backInDoubt has the call without an answer, made or not.
func backInDoubt(f fault) func(*testing.T) *world {
	return func(t *testing.T) *world {
		w := undoing(t)
		w.next(order.SiteRelease, f)
		undoOver(w)
		w.wants(order.Filled, order.Releasing)
		return w
	}
}

func backDoubt(made bool) func(*testing.T) *world {
	if made {
		return backInDoubt(lost())
	}
	return backInDoubt(dropped())
}

func backGoneAgain(t *testing.T) *world {
	t.Helper()
	w := backDoubt(true)(t)
	w.node.vanish()
	return w
}

func undoOver(w *world) { w.pass(11 * time.Second) }

// windowCloses has the block come after which no release can succeed; the call in the mempool is mined in it.
func windowCloses(w *world) {
	w.node.height = end - window
	w.mine(1)
}

func releaseStages() []stage {
	join := stage{table: "ticket", state: "releasing", enter: undoingInParts, happens: undoOver, ends: order.Released}
	return slices.Concat(transferStages(join, "releasing"), releaseFindStages(), []stage{
		releaseStage(),
		{
			table: "ticket", state: "releasing", site: order.SiteRaw, enter: undoing, happens: undoOver, ends: order.Released,
			cases: append(readAgain(order.ErrNotFound), ending{outcome: "read"}),
		},
		backReceipt(), backVanishedStage(),
		{
			table: "ticket", state: "releasing", site: order.SiteSend, enter: backVanished(true), happens: threeBlocks, ends: order.Released,
			cases: whenever("the call vanished", append(sendingFails(), ending{outcome: "accepted"})),
		},
		{table: "ticket", state: "releasing", enter: undoing, ends: order.Owned, cases: []ending{
			{outcome: "it is undone", leads: "owned", happens: asks(order.UndoAsked)},
			{outcome: "the call is mined", leads: "released", ends: order.Released, enter: calledBack, happens: oneBlock},
			{outcome: "the window closes first", leads: "owned", ends: order.Ended, bring: windowCloses, happens: undoOver},
			{outcome: "it is refused for hours", leads: "attention", ends: order.Attention, happens: refusedForHours(order.SiteRelease)},
			{outcome: "its coins are gone", leads: "attention", ends: order.Attention, bring: coinsGone, happens: func(w *world) { undoOver(w); w.mine(14) }},
			{outcome: "its coins are gone after a refusal", ends: order.Attention, bring: func(w *world) { w.next(order.SiteRelease, refusedWith(order.ErrNoPeers)) }, happens: func(w *world) { undoOver(w); coinsGone(w); w.pass(2 * time.Second) }},
			{outcome: "nothing is found for a long time", leads: "attention", ends: order.Attention, enter: backDoubt(false), bring: backCoinElsewhere, happens: func(w *world) { w.mine(130) }},
			{outcome: "the process died during the call", leads: "released", ends: order.Released, bring: func(w *world) { w.next(order.SiteRelease, fault{before: true, crash: true}) }, happens: func(w *world) { undoOver(w); w.mine(14) }},
		}},
	})
}

func threeBlocks(w *world) { w.mine(3) }

// whenever says of all cases in which situation they are.
func whenever(when string, cases []ending) []ending {
	for i := range cases {
		cases[i].when = when
	}
	return cases
}

// coinsGone takes away what lies at the ticket's address.
func coinsGone(w *world) {
	for key, c := range w.node.coins {
		if c.Address == w.o.Address && c.spentBy == "" {
			delete(w.node.coins, key)
		}
	}
	w.post()
}

func backCoinElsewhere(w *world) {
	c := w.node.coins[w.ticket().Release.Coin.Outpoint]
	c.spentBy, c.mined = "elsewhere", true
}

// releaseStage is the call that gives back.
func releaseStage() stage {
	again := stays(order.ErrNoPeers, order.ErrSyncing, order.ErrUnreachable, order.ErrRefused, order.ErrPassword,
		order.ErrWallet, order.ErrCoins, order.ErrInputsReserved, order.ErrOutpoints, order.ErrUnknownOutcome)
	return stage{
		table: "ticket", state: "releasing", site: order.SiteRelease, enter: undoing, happens: undoOver, ends: order.Released,
		cases: slices.Concat(again, leadTo("owned", order.Owned, order.ErrReleaseOver, order.ErrSaleClosed),
			leadTo("attention", order.Attention, order.ErrNotOwner, order.ErrNoContract), []ending{
				{outcome: "broadcast"}, {outcome: butDone},
			}),
	}
}

func backReceipt() stage {
	return stage{
		table: "ticket", state: "releasing", site: order.SiteReceipt, enter: calledBack, happens: oneBlock, ends: order.Released,
		cases: append(readAgain(), []ending{
			{outcome: "good", leads: "released"},
			{outcome: "failed", leads: "attention", ends: order.Attention, bring: callsFail},
			{outcome: "failed", when: "the window is over", leads: "owned", ends: order.Ended, bring: callsFail, happens: windowCloses},
			{outcome: order.ErrNotMined.Error(), happens: isLookedAt},
		}...),
	}
}

func backVanishedStage() stage {
	return stage{
		table: "ticket", state: "releasing", site: order.SiteUnspent, enter: backVanished(true), happens: threeBlocks, ends: order.Released,
		cases: append(whenever("the call vanished", readAgain()), []ending{
			{outcome: "there", when: "its bytes are kept"},
			{outcome: "there", when: "its bytes are not known", enter: backVanished(false)},
			{outcome: "gone", when: "it only waits", enter: calledBack, happens: waitsUnmined},
		}...),
	}
}

// releaseFindStages resolve a call to give back without an answer.
func releaseFindStages() []stage {
	row := stage{table: "ticket", state: "releasing", enter: backDoubt(false), happens: manyBlocks, ends: order.Released}
	calls, receipt, coin, forget := row, row, row, row
	calls.site = order.SiteCalls
	calls.cases = append(readAgain(order.ErrWallet), []ending{
		{outcome: "none of ours"},
		{outcome: "ours not mined", enter: backDoubt(true), happens: looksAgain},
		{outcome: "ours mined", enter: backDoubt(true), happens: twoBlocks},
	}...)
	receipt.site, receipt.enter, receipt.happens = order.SiteReceipt, backDoubt(true), twoBlocks
	receipt.cases = append(whenever("without an answer", readAgain()), []ending{
		{outcome: "good", when: "without an answer"},
		{outcome: "failed", when: "without an answer", bring: callsFail, ends: order.Attention},
		{outcome: order.ErrNotMined.Error(), when: "without an answer", happens: looksAgain},
	}...)
	coin.site = order.SiteUnspent
	coin.cases = append(whenever("without an answer", readAgain()), []ending{
		{outcome: "there", when: "the call was never made"},
		{outcome: "there", when: "the call without an answer vanished", enter: backGoneAgain},
		{outcome: "gone", when: "the call without an answer waits", enter: backDoubt(true), happens: looksAgain},
		{outcome: "gone", when: "something else spent it", bring: backCoinElsewhere, ends: order.Attention, happens: func(w *world) { w.mine(130) }},
	}...)
	forget.site, forget.enter = order.SiteForget, backGoneAgain
	forget.cases = append(stays(order.ErrUnreachable, order.ErrRefused, order.ErrWallet, order.ErrUnknownOutcome),
		ending{outcome: "forgotten"}, ending{outcome: butDone})
	return []stage{calls, receipt, coin, forget}
}
