package order_test

import (
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// The rows of a ticket until it is the customer's: held, reserving, unknown, reserved, stray.

// calledFor is a ticket whose call to buy is in the mempool.
func calledFor(t *testing.T) *world {
	t.Helper()
	w := bought(t)
	w.mine(1)
	w.wants(order.Filled, order.Reserved)
	return w
}

// vanished is one whose call is not in the mempool any more, without its bytes where the node did not give them.
func vanished(bytes bool) func(*testing.T) *world {
	return func(t *testing.T) *world {
		w := bought(t)
		if !bytes {
			w.next(order.SiteRaw, refusedWith(order.ErrNotFound))
		}
		w.mine(1)
		w.wants(order.Filled, order.Reserved)
		w.node.vanish()
		return w
	}
}

// inDoubt is a ticket whose call to buy had no answer, with the call made or not.
func inDoubt(f fault) func(*testing.T) *world {
	return func(t *testing.T) *world {
		w := bought(t)
		w.next(order.SiteReserve, f)
		w.next(order.SiteCalls, refusedWith(order.ErrUnreachable)) // nothing was found out yet
		w.mine(1)
		w.wants(order.Filled, order.Unknown)
		return w
	}
}

func isSold(w *world) { w.node.seat(seat3D).Owner = others }

func callsFail(w *world) { w.node.fail = true }

func twoBlocks(w *world) { w.mine(2) }

func manyBlocks(w *world) { w.mine(14) }

func operates(verb order.Verb) func(*world) {
	return func(w *world) {
		for _, ticket := range w.o.Tickets {
			_, err := w.engine.Operate(w.t.Context(), w.o.ID, order.Ask{Verb: verb, Ticket: ticket.ID})
			w.must(err)
		}
		w.run()
	}
}

// unseen is an order whose payment is being joined, and the wallet will not show what comes of it.
func unseen(t *testing.T) *world {
	t.Helper()
	w := inParts(t)
	w.mine(1)
	w.node.hide(w.o.Move.TxID)
	return w
}

func buyStages() []stage {
	return []stage{
		{table: "ticket", state: "held", ends: order.Owned, enter: bought, happens: oneBlock, cases: []ending{
			{outcome: "its coin is there", leads: "reserving"},
			{outcome: "the seat is sold", leads: "lost", ends: order.Lost, bring: isSold},
			{outcome: "the order ends unpaid", leads: "dropped", ends: order.Dropped, enter: opened, happens: waits(16 * time.Minute)},
			{outcome: "its money is gone", leads: "attention", ends: order.Attention, enter: unseen, happens: func(w *world) { w.mine(25) }},
		}},
		{table: "ticket", state: "dropped", ends: order.Dropped, enter: lapsed, happens: comesConfirmed, cases: []ending{
			{outcome: "nothing comes", happens: oneBlock},
			{outcome: "the money comes late", leads: "held", ends: order.Owned},
		}},
		reserveStage(),
		{
			table: "ticket", state: "reserving", site: order.SiteRaw, saved: "reserved", enter: bought, happens: oneBlock, ends: order.Owned,
			cases: append(readAgain(order.ErrNotFound), ending{outcome: "read"}),
		},
		{table: "ticket", state: "reserving", ends: order.Owned, enter: bought, cases: []ending{
			{outcome: "the seat is sold while it waits", leads: "lost", ends: order.Lost, happens: soldWhileWaiting},
			{outcome: "the process died during the call", leads: "unknown", bring: func(w *world) { w.next(order.SiteReserve, fault{before: true, crash: true}) }, happens: oneBlock},
			{outcome: "it is refused for hours", leads: "attention", ends: order.Attention, happens: refusedForHours(order.SiteReserve)},
		}},
		receiptStage(), contractStage(), vanishedStage(), resentStage(),
		{table: "ticket", state: "stray", ends: order.Attention, enter: inDoubt(lost()), cases: []ending{
			{outcome: "a person must look", leads: "attention", happens: func(w *world) { w.mine(3) }},
		}},
	}
}

func soldWhileWaiting(w *world) {
	w.next(order.SiteReserve, refusedWith(order.ErrNoPeers))
	w.mine(1)
	isSold(w)
	w.post()
	w.pass(2 * time.Second)
}

func refusedForHours(site string) func(*world) {
	return func(w *world) {
		w.next(site, slices.Repeat([]fault{refusedWith(order.ErrPassword)}, 40)...)
		w.mine(1)
		for range 40 {
			w.pass(6 * time.Minute)
		}
	}
}

// reserveStage is the call that buys.
func reserveStage() stage {
	again := stays(order.ErrNoPeers, order.ErrSyncing, order.ErrNameNeeded, order.ErrUnreachable, order.ErrRefused, order.ErrPassword,
		order.ErrWallet, order.ErrCoins, order.ErrInputsReserved)
	gone := leadTo("lost", order.Lost, order.ErrSaleClosed, order.ErrNoContract, order.ErrSeatTaken, order.ErrSeatUnknown)
	return stage{
		table: "ticket", state: "reserving", site: order.SiteReserve, enter: bought, happens: oneBlock, ends: order.Owned,
		cases: slices.Concat(again, gone, leadTo("unknown", "", order.ErrOutpoints, order.ErrUnknownOutcome), []ending{
			{outcome: "broadcast", leads: "reserved"},
			{outcome: butDone, leads: "unknown", ends: order.Attention},
			{outcome: order.ErrSeatTaken.Error(), when: "an earlier call may have been made", leads: "unknown", ends: order.Lost, enter: inDoubt(dropped()), happens: soldAfterDoubt},
		}),
	}
}

// soldAfterDoubt has the call made again after one that was in doubt, and the seat sold to somebody else by then.
func soldAfterDoubt(w *world) {
	w.mine(12)
	isSold(w)
	w.mine(14)
}

// receiptStage awaits the block of the call.
func receiptStage() stage {
	return stage{
		table: "ticket", state: "reserved", site: order.SiteReceipt, enter: calledFor, happens: oneBlock, ends: order.Owned,
		cases: append(readAgain(), []ending{
			{outcome: "good", leads: "owned"},
			{outcome: "failed", leads: "lost", ends: order.Lost, bring: callsFail},
			{outcome: order.ErrNotMined.Error(), happens: isLookedAt},
		}...),
	}
}

// contractStage looks at the contract after a good receipt.
func contractStage() stage {
	return stage{
		table: "ticket", state: "reserved", site: order.SiteTickets, enter: calledFor, happens: oneBlock, ends: order.Owned,
		cases: append(readAgain(order.ErrNoContract), []ending{
			{outcome: "seat ours", leads: "owned"},
			{outcome: "seat ours", when: "no secret of ours fits", leads: "stray", ends: order.Attention, bring: func(w *world) { w.node.pending[0].call.secret = "another" }},
			{outcome: "seat not ours", leads: "attention", ends: order.Attention, bring: func(w *world) { w.log().disown = true }},
		}...),
	}
}

// vanishedStage looks for a call that has no receipt after some blocks.
func vanishedStage() stage {
	again := readAgain()
	for i := range again {
		again[i].enter = vanished(true)
	}
	return stage{
		table: "ticket", state: "reserved", site: order.SiteUnspent, happens: func(w *world) { w.mine(3) }, ends: order.Owned,
		cases: append(again, []ending{
			{outcome: "there", when: "its bytes are kept", enter: vanished(true)},
			{outcome: "there", when: "its bytes are not known", leads: "unknown", enter: vanished(false)},
			{outcome: "gone", when: "it only waits", enter: calledFor, happens: waitsUnmined},
		}...),
	}
}

// waitsUnmined makes empty blocks.
func waitsUnmined(w *world) {
	w.node.height += 3
	w.post()
	isLookedAt(w)
}

// resentStage sends the bytes of a vanished call again.
func resentStage() stage {
	return stage{
		table: "ticket", state: "reserved", site: order.SiteSend, enter: vanished(true), happens: func(w *world) { w.mine(3) }, ends: order.Owned,
		cases: append(sendingFails(), ending{outcome: "accepted"}),
	}
}
