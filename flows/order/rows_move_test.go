package order_test

import (
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// The rows joining and splitting, and the joining before a release: each step against each outcome of its call.

// inParts pays one seat in two parts; the next block confirms the second.
func inParts(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.open()
	w.node.pay(w.o.Address, 100*cirrus.CRS)
	w.mine(1)
	w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS)
	w.post()
	return w
}

// toSplit pays three seats with something on top; the next block confirms it.
func toSplit(t *testing.T) *world {
	t.Helper()
	w := group(t)
	w.node.pay(w.o.Address, w.o.Due+cirrus.CRS)
	w.post()
	return w
}

// moves are the two rows with the world that enters them.
var moves = map[string]func(*testing.T) *world{"joining": inParts, "splitting": toSplit}

// bothMoves runs a test for either row and wants the tickets bought and nothing astray in the end.
func bothMoves(t *testing.T, row func(t *testing.T, w *world, state string)) {
	for state, enter := range moves {
		t.Run(state, func(t *testing.T) {
			w := enter(t)
			row(t, w, state)
			for _, ticket := range w.o.Tickets {
				if w.o.State != order.Filled || ticket.State != order.Owned {
					t.Errorf("order %s, ticket %s %s", w.o.State, ticket.Seat, ticket.State)
				}
			}
			w.adds(w.paidIn())
		})
	}
}

func TestOrderMoveAnsweredWell(t *testing.T) {
	bothMoves(t, func(t *testing.T, w *world, state string) {
		w.mine(1)
		w.saw("paid", state, order.SiteBuild)
		if !w.o.Move.Sent || w.sites.count[order.SiteSend] != 1 || w.sites.count[order.SiteReserve] != 0 {
			t.Errorf("move %+v", w.o.Move)
		}
		w.mine(4)
		w.saw(state, "filled", order.SiteUnspent)
	})
}

func TestOrderMoveBuildRefused(t *testing.T) {
	bothMoves(t, func(t *testing.T, w *world, state string) {
		w.next(order.SiteBuild, refusedWith(order.ErrPassword), refusedWith(order.ErrUnreachable))
		w.mine(1)
		if w.o.Move.TxID != "" || w.o.Move.Tries != 1 {
			t.Errorf("move %+v", w.o.Move)
		}
		w.pass(2 * time.Second)
		w.pass(3 * time.Second)
		w.mine(4)
		w.saw(state, "filled", order.SiteBuild)
	})
}

func TestOrderMoveBuildTimedOut(t *testing.T) {
	bothMoves(t, func(_ *testing.T, w *world, state string) {
		w.next(order.SiteBuild, lost(), dropped())
		w.mine(1)
		w.pass(2 * time.Second)
		w.pass(3 * time.Second)
		w.mine(4)
		w.saw(state, "filled", order.SiteBuild)
	})
}

func TestOrderMoveSendRefused(t *testing.T) {
	bothMoves(t, func(t *testing.T, w *world, state string) {
		w.next(order.SiteSend, refusedWith(order.ErrNoPeers))
		w.mine(1)
		if w.o.Move.Sent || w.sites.count[order.SiteUnspent] != 1 {
			t.Errorf("move %+v", w.o.Move)
		}
		w.pass(2 * time.Second)
		w.mine(4)
		w.saw(state, "filled", order.SiteSend)
		if w.sites.count[order.SiteBuild] != 1 || w.sites.count[order.SiteSend] != 2 {
			t.Errorf("calls %v", w.sites.count)
		}
	})
}

func TestOrderMoveSendTimedOutAfterTheWorkIsNotSentTwice(t *testing.T) {
	bothMoves(t, func(t *testing.T, w *world, state string) {
		w.next(order.SiteSend, lost())
		w.mine(5)
		w.saw(state, "filled", order.SiteUnspent)
		if w.sites.count[order.SiteBuild] != 1 || w.sites.count[order.SiteSend] != 1 {
			t.Errorf("calls %v", w.sites.count)
		}
	})
}

func TestOrderMoveSendTimedOutBeforeTheWorkIsSentAgain(t *testing.T) {
	bothMoves(t, func(t *testing.T, w *world, state string) {
		w.next(order.SiteSend, dropped(), dropped())
		w.mine(1)
		w.pass(2 * time.Second)
		w.pass(3 * time.Second)
		w.mine(4)
		w.saw(state, "filled", order.SiteSend)
		if w.sites.count[order.SiteBuild] != 1 || w.sites.count[order.SiteSend] != 3 {
			t.Errorf("calls %v", w.sites.count)
		}
	})
}

func TestOrderMoveInputsTimedOut(t *testing.T) {
	bothMoves(t, func(_ *testing.T, w *world, state string) {
		w.next(order.SiteUnspent, dropped(), refusedWith(order.ErrUnreachable))
		w.mine(1)
		w.pass(time.Minute)
		w.mine(4)
		w.pass(time.Minute)
		w.mine(4)
		w.saw(state, "filled", order.SiteUnspent)
	})
}

func TestOrderMoveVanishedIsSentAgainWithTheSameBytes(t *testing.T) {
	bothMoves(t, func(t *testing.T, w *world, state string) {
		w.mine(1)
		before := w.o.Move
		w.node.vanish()
		w.mine(6)
		w.saw(state, "filled", order.SiteSend)
		if w.sites.count[order.SiteBuild] != 1 || w.sites.count[order.SiteSend] != 2 || w.o.Move.Hex != before.Hex {
			t.Errorf("calls %v", w.sites.count)
		}
	})
}

func TestOrderMoveMinedUnderAnotherIDIsFound(t *testing.T) {
	bothMoves(t, func(_ *testing.T, w *world, state string) {
		w.mine(1)
		w.node.rename(w.o.Move.TxID)
		w.mine(8)
		w.saw(state, "filled", order.SiteUnspent)
	})
}

func TestOrderMovePaymentUndoneWaitsUntilItIsBack(t *testing.T) {
	bothMoves(t, func(_ *testing.T, w *world, state string) {
		w.next(order.SiteBuild, refusedWith(order.ErrUnreachable))
		w.mine(1)
		undone := w.node.undo()
		w.post()
		w.pass(2 * time.Second)
		w.wants(order.Paying, order.Held)
		w.saw(state, "paid", "")
		w.saw("paid", "paying", order.SiteHold)
		w.node.pending = undone
		w.mine(5)
		w.saw(state, "filled", order.SiteBuild)
	})
}

func TestOrderMovePaymentGoneForGoodEndsUnpaid(t *testing.T) {
	for state, enter := range moves {
		t.Run(state, func(t *testing.T) {
			w := enter(t)
			w.next(order.SiteBuild, refusedWith(order.ErrUnreachable))
			w.mine(1)
			w.node.undo()
			w.node.vanish()
			w.post()
			w.mine(25)
			w.saw(state, "paid", "")
			w.pass(time.Hour)
			w.mine(4)
			w.wants(order.Expired, order.Dropped)
			w.settled(w.paidIn())
		})
	}
}

func TestOrderMoveOutputsNeverSeenNeedAPersonAndThenBuy(t *testing.T) {
	for state, enter := range moves {
		t.Run(state, func(t *testing.T) {
			w := enter(t)
			w.mine(1)
			outputs := w.node.hide(w.o.Move.TxID)
			w.mine(25)
			w.saw(state, "attention", order.SiteAttend)
			for key, c := range outputs {
				w.node.coins[key] = c
			}
			w.mine(1)
			for _, ticket := range w.o.Tickets {
				_, err := w.engine.Operate(t.Context(), w.o.ID, order.Ask{Verb: order.Resolve, Ticket: ticket.ID})
				w.must(err)
			}
			w.run()
			w.mine(3)
			w.wants(order.Filled, order.Owned)
		})
	}
}

func TestOrderSplittingRefundAddressLookedAt(t *testing.T) {
	for name, bad := range map[string]fault{"refused": refusedWith(order.ErrUnreachable), "timed out": dropped()} {
		t.Run(name, func(t *testing.T) {
			w := toSplit(t)
			w.next(order.SiteIsContract, bad)
			w.mine(1)
			w.pass(2 * time.Second)
			w.mine(4)
			w.saw("splitting", "filled", order.SiteIsContract)
			w.wantsAll(order.Filled, order.Owned, order.Owned, order.Owned)
		})
	}
}

// short pays in parts, buys, and asks for a refund: no coin alone is enough for the call.
func short(t *testing.T, faults func(*world)) *world {
	t.Helper()
	w := inParts(t)
	w.mine(6)
	w.wants(order.Filled, order.Owned)
	clear(w.sites.count)
	faults(w)
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	return w
}

// joinedAndReleased wants the join to have been built once more often than faults let it, and everything settled.
func (w *world) joinedAndReleased(sent int) {
	w.t.Helper()
	w.mine(8)
	w.wants(order.Filled, order.Released)
	if w.ticket().Fees != order.MinFee || w.ticket().Top.Mined == 0 {
		w.t.Errorf("fees %s, join %+v", w.ticket().Fees, w.ticket().Top)
	}
	if got := w.sites.count[order.SiteSend]; got != sent+1 { // the last payout is one
		w.t.Errorf("sent %d times", got)
	}
	w.settled(w.o.Due)
}

func TestTicketReleasingJoinAnsweredWell(t *testing.T) {
	w := short(t, func(*world) {})
	if w.sites.count[order.SiteRelease] != 0 || !w.ticket().Top.Sent {
		t.Errorf("released before its coin was there: %+v", w.ticket().Top)
	}
	w.joinedAndReleased(1)
}

func TestTicketReleasingJoinBuildRefused(t *testing.T) {
	w := short(t, func(w *world) { w.next(order.SiteBuild, refusedWith(order.ErrPassword)) })
	w.pass(2 * time.Second)
	w.joinedAndReleased(1)
}

func TestTicketReleasingJoinBuildTimedOut(t *testing.T) {
	w := short(t, func(w *world) { w.next(order.SiteBuild, lost()) })
	w.pass(2 * time.Second)
	w.joinedAndReleased(1)
}

func TestTicketReleasingJoinSendRefused(t *testing.T) {
	w := short(t, func(w *world) { w.next(order.SiteSend, refusedWith(order.ErrNoPeers)) })
	w.pass(2 * time.Second)
	w.joinedAndReleased(2)
}

func TestTicketReleasingJoinSendTimedOut(t *testing.T) {
	w := short(t, func(w *world) { w.next(order.SiteSend, lost()) })
	w.joinedAndReleased(1)
}

func TestTicketReleasingJoinVanishedIsSentAgain(t *testing.T) {
	w := short(t, func(*world) {})
	w.node.vanish()
	w.mine(3)
	w.joinedAndReleased(2)
}

func TestTicketReleasingJoinIsFinishedWhenTheWindowCloses(t *testing.T) {
	w := inParts(t)
	w.mine(6)
	w.node.height = end - window - 8
	w.mine(1)
	w.must(w.ask(order.GiveBack))
	w.pass(11 * time.Second)
	for range 4 {
		w.node.vanish()
		w.mine(2)
	}
	w.mine(6)
	w.wants(order.Filled, order.Ended)
	if w.sites.count[order.SiteRelease] != 0 {
		t.Error("released after the window")
	}
	w.settled(w.o.Due)
}
