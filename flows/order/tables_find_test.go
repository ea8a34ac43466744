package order_test

import (
	"slices"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// The row unknown: a call to buy without an answer, and what the chain tells of it.

// doubt is a ticket in doubt: its call was made, or never reached the node.
func doubt(made bool) func(*testing.T) *world {
	if made {
		return inDoubt(lost())
	}
	return inDoubt(dropped())
}

// goneAgain is one whose call was made and vanished, so that only the wallet still knows of it.
func goneAgain(t *testing.T) *world {
	t.Helper()
	w := doubt(true)(t)
	w.node.vanish()
	return w
}

// doubtWithSecret is one whose call was answered and then vanished without its bytes.
func doubtWithSecret(t *testing.T) *world {
	t.Helper()
	w := vanished(false)(t)
	w.mine(2)
	w.wants(order.Filled, order.Unknown)
	return w
}

// isBack has the vanished call in the mempool again: somebody else had kept it.
func isBack(w *world) {
	w.must(w.node.send(w.node.calls[0]))
}

func findStages() []stage {
	calls := stage{
		table: "ticket", state: "unknown", site: order.SiteCalls, enter: doubt(false), happens: manyBlocks, ends: order.Owned,
		cases: append(readAgain(order.ErrWallet), []ending{
			{outcome: "none of ours", when: "it may still be made"},
			{outcome: "none of ours", when: "its coin lies there for ten blocks", leads: "reserving"},
			{outcome: "ours not mined", when: "no secret is kept", enter: doubt(true), happens: looksAgain, ends: order.Attention},
			{outcome: "ours not mined", when: "a secret is kept", enter: doubtWithSecret, bring: isBack, happens: looksAgain},
			{outcome: "ours mined", when: "no secret is kept", leads: "stray", enter: doubt(true), happens: twoBlocks, ends: order.Attention},
			{outcome: "ours mined", when: "a secret is kept", leads: "reserved", enter: doubtWithSecret, bring: isBack, happens: twoBlocks},
		}...),
	}
	return append(findReceipt(), calls, findCoin(), findForgotten(), stage{
		table: "ticket", state: "unknown", enter: doubt(true), happens: twoBlocks, ends: order.Owned, cases: []ending{
			{outcome: "the call was never made", leads: "reserving", enter: doubt(false), happens: manyBlocks},
			{outcome: "the call is found and its secret kept", leads: "reserved", enter: doubtWithSecret, bring: isBack},
			{outcome: "the seat is ours without its secret", leads: "stray", ends: order.Attention},
			{outcome: "the contract refused the call", leads: "lost", ends: order.Lost, bring: callsFail},
			{outcome: "nothing is found for a long time", leads: "attention", ends: order.Attention, enter: doubt(false), bring: coinIsElsewhere, happens: func(w *world) { w.mine(130) }},
		},
	})
}

// looksAgain waits until the chain is looked at again; no block comes.
func looksAgain(w *world) { w.pass(cirrus.BlockTime) }

// coinIsElsewhere has the coin of the call spent by something that is none of ours.
func coinIsElsewhere(w *world) {
	c := w.node.coins[w.ticket().Coin.Outpoint]
	c.spentBy, c.mined = "elsewhere", true
}

func findReceipt() []stage {
	return []stage{{
		table: "ticket", state: "unknown", site: order.SiteReceipt, enter: doubt(true), happens: twoBlocks, ends: order.Attention,
		cases: append(readAgain(), []ending{
			{outcome: "good", when: "no secret is kept", leads: "stray"},
			{outcome: "good", when: "a secret is kept", leads: "reserved", ends: order.Owned, enter: doubtWithSecret, bring: isBack},
			{outcome: "failed", leads: "lost", ends: order.Lost, bring: callsFail},
			{outcome: order.ErrNotMined.Error(), happens: looksAgain},
		}...),
	}}
}

func findCoin() stage {
	return stage{
		table: "ticket", state: "unknown", site: order.SiteUnspent, enter: doubt(false), happens: manyBlocks, ends: order.Owned,
		cases: append(readAgain(), []ending{
			{outcome: "there", when: "the call was never made", leads: "reserving"},
			{outcome: "there", when: "the wallet does not offer the coin", bring: hidden, ends: order.Attention, happens: func(w *world) { w.mine(130) }},
			{outcome: "there", when: "the call vanished", enter: goneAgain},
			{outcome: "gone", when: "the call waits for its block", enter: doubt(true), happens: looksAgain, ends: order.Attention},
			{outcome: "gone", when: "something else spent it", bring: coinIsElsewhere, ends: order.Attention, happens: func(w *world) { w.mine(130) }},
		}...),
	}
}

// hidden has the wallet keep quiet about the coin of the call, though the chain has it unspent.
func hidden(w *world) { w.node.coins[w.ticket().Coin.Outpoint].from = never }

func findForgotten() stage {
	return stage{
		table: "ticket", state: "unknown", site: order.SiteForget, enter: goneAgain, happens: manyBlocks, ends: order.Owned,
		cases: slices.Concat(stays(order.ErrUnreachable, order.ErrRefused, order.ErrWallet, order.ErrUnknownOutcome), []ending{
			{outcome: "forgotten"}, {outcome: butDone},
		}),
	}
}
