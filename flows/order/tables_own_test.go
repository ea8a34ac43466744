package order_test

import (
	"slices"
	"testing"

	"github.com/usherbot/usher/flows/order"
)

// The rows of a ticket that is the customer's, that is lost or given back, and that needs a person.

// owned is a ticket that is the customer's and handed over.
func owned(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.buy()
	w.mine(2)
	return w
}

// ended is one whose refund deadline has passed, and its deposit is back.
func ended(t *testing.T) *world {
	t.Helper()
	w := owned(t)
	w.deadline()
	w.mine(4)
	w.wants(order.Filled, order.Ended)
	return w
}

// deadline has the block come after which no ticket can be given back.
func (w *world) deadline() {
	w.t.Helper()
	w.node.height = end - window - 2
	w.mine(2)
}

// seatLost is a ticket whose seat somebody else was faster to buy.
func seatLost(t *testing.T) *world {
	t.Helper()
	w := bought(t)
	w.next(order.SiteReserve, refusedWith(order.ErrSeatTaken))
	w.mine(1)
	w.wants(order.Filled, order.Lost)
	return w
}

// givenBack is a ticket that was given back, its money on the way.
func givenBack(t *testing.T) *world {
	t.Helper()
	w := given(t, func(*world) {})
	w.mine(1)
	w.wants(order.Filled, order.Released)
	return w
}

// courierSays has the courier answer so once.
func courierSays(states ...order.DeliveryState) func(*world) {
	return func(w *world) { w.log().parcels = states }
}

// delivery are the outcomes of handing over; the ticket stays what it is. All keep the parcel that was begun, the nth
// of the ticket, but for one that will not arrive.
func delivery(nth int) []ending {
	list := append(stays(order.ErrNoCourier, order.ErrNoChat, order.ErrUnknownOutcome), []ending{
		{outcome: butDone},
		{outcome: "waiting", bring: courierSays(order.DeliveryWaiting)},
		{outcome: "sent"},
		{outcome: "seen", bring: courierSays(order.DeliverySeen)},
	}...)
	for i := range list {
		list[i].parcels = nth
	}
	return append(list, ending{outcome: "failed", bring: courierSays(order.DeliveryFailed), parcels: nth + 1})
}

func ownStages() []stage {
	return slices.Concat(attentionStages(), []stage{
		{table: "ticket", state: "owned", site: order.SiteDeliver, enter: calledFor, happens: oneBlock, ends: order.Owned, cases: delivery(1)},
		{table: "ticket", state: "owned", enter: owned, ends: order.Owned, cases: []ending{
			{outcome: "the customer gives it back", leads: "releasing", ends: order.Released, happens: asks(order.GiveBack)},
			{outcome: "the refund deadline passes", leads: "ended", ends: order.Ended, happens: (*world).deadline},
			{outcome: "more money comes", happens: comesOnTop},
		}},
		{table: "ticket", state: "ended", site: order.SiteDeliver, enter: ended, happens: asks(order.SendAgain), ends: order.Ended, cases: delivery(2)},
		{table: "ticket", state: "ended", enter: ended, ends: order.Ended, cases: []ending{
			{outcome: "its money is not seen", leads: "attention", ends: order.Attention, enter: depositUnseen, happens: longUnseen},
			{outcome: "nothing more happens", happens: oneBlock},
			{outcome: "more money comes", happens: comesOnTop},
		}},
		{table: "ticket", state: "lost", enter: seatLost, ends: order.Lost, cases: []ending{
			{outcome: "its money is not seen", leads: "attention", ends: order.Attention, enter: lostUnseen, happens: longUnseen},
			{outcome: "nothing more happens", happens: oneBlock},
			{outcome: "more money comes", happens: comesOnTop},
		}},
		{table: "ticket", state: "released", enter: givenBack, ends: order.Released, cases: []ending{
			{outcome: "its money is not seen", leads: "attention", ends: order.Attention, enter: refundUnseen, happens: longUnseen},
			{outcome: "nothing more happens", happens: oneBlock},
			{outcome: "more money comes", happens: comesOnTop},
		}},
	})
}

// comesOnTop has the customer pay once more.
func comesOnTop(w *world) {
	w.node.pay(w.o.Address, w.o.Due)
	w.mine(3)
}

func attentionStages() []stage {
	return []stage{
		{table: "ticket", state: "attention", site: order.SiteAttend, enter: calledFor, happens: oneBlock, ends: order.Attention, cases: []ending{
			{outcome: "told", bring: disowned, rests: true}, failing(order.SiteAttend, noAnswer, disowned), failing(order.SiteAttend, butDone, disowned),
		}},
		{table: "ticket", state: "attention", ends: order.Owned, cases: []ending{
			{outcome: "its money was found: resolved", leads: "held", enter: moneyFound, happens: operates(order.Resolve)},
			{outcome: "refused for hours: resolved", leads: "reserving", enter: refusedTooOften, happens: operates(order.Resolve)},
			{outcome: "nothing was found: resolved", leads: "unknown", enter: unresolved, happens: operates(order.Resolve), ends: order.Attention},
			{outcome: "the contract shows somebody else: resolved", leads: "reserved", enter: notOurs, happens: operates(order.Resolve)},
			{outcome: "the call to give back failed: resolved", leads: "releasing", ends: order.Attention, enter: releaseRefused, happens: operates(order.Resolve)},
			{outcome: "the secret is lost: let go", leads: "releasing", ends: order.Released, enter: withoutSecret, happens: operates(order.LetGo)},
			{outcome: "given up: paid back", leads: "lost", ends: order.Lost, enter: refusedTooOften, happens: operates(order.PayBack)},
			{outcome: "the refund came late: resolved", leads: "released", ends: order.Released, enter: seenLate(refundUnseen), happens: operates(order.Resolve)},
			{outcome: "the deposit came late: resolved", leads: "ended", ends: order.Ended, enter: seenLate(depositUnseen), happens: operates(order.Resolve)},
			{outcome: "the money came late: resolved", leads: "lost", ends: order.Lost, enter: seenLate(lostUnseen), happens: operates(order.Resolve)},
		}},
	}
}

// failing has a call fail on top of what brings it about.
func failing(site, outcome string, bring func(*world)) ending {
	return ending{outcome: outcome, bring: func(w *world) {
		bring(w)
		w.next(site, fault{err: order.ErrUnknownOutcome, before: outcome == noAnswer})
	}}
}

func disowned(w *world) { w.log().disown = true }

// moneyFound needs a person because the joined coins were not seen; by now they are.
func moneyFound(t *testing.T) *world {
	t.Helper()
	w := inParts(t)
	w.mine(1)
	outputs := w.node.hide(w.o.Move.TxID)
	w.mine(25)
	w.wants(order.Filled, order.Attention)
	for key, c := range outputs {
		w.node.coins[key] = c
	}
	w.mine(1)
	return w
}

func refusedTooOften(t *testing.T) *world {
	t.Helper()
	w := bought(t)
	refusedForHours(order.SiteReserve)(w)
	w.wants(order.Filled, order.Attention)
	return w
}

// unresolved is a call in doubt whose coin is spent by something else.
func unresolved(t *testing.T) *world {
	t.Helper()
	w := doubt(false)(t)
	coinIsElsewhere(w)
	w.mine(130)
	w.wants(order.Filled, order.Attention)
	return w
}

// notOurs has a good receipt, and the contract was read as if the seat were somebody else's.
func notOurs(t *testing.T) *world {
	t.Helper()
	w := calledFor(t)
	w.watch().disown = true
	w.mine(1)
	w.wants(order.Filled, order.Attention)
	return w
}

func releaseRefused(t *testing.T) *world {
	t.Helper()
	w := given(t, func(*world) {})
	callsFail(w)
	w.mine(1)
	w.wants(order.Filled, order.Attention)
	return w
}

func withoutSecret(t *testing.T) *world {
	t.Helper()
	w := doubt(true)(t)
	w.mine(4)
	w.wants(order.Filled, order.Attention)
	return w
}

// refundUnseen is a ticket given back whose money from the contract is not seen.
func refundUnseen(t *testing.T) *world {
	t.Helper()
	w := given(t, func(*world) {})
	w.node.mine()
	w.hide(func(c *coin) bool { return c.Amount == w.o.Terms.Refund(price) })
	w.post()
	w.wants(order.Filled, order.Released)
	return w
}

// depositUnseen is a ticket whose refund deadline passes while the rest of its deposit is not seen.
func depositUnseen(t *testing.T) *world {
	t.Helper()
	w := owned(t)
	w.hide(func(*coin) bool { return true })
	w.deadline()
	w.wants(order.Filled, order.Ended)
	return w
}

// lostUnseen is a lost ticket whose money is not seen.
func lostUnseen(t *testing.T) *world {
	t.Helper()
	w := bought(t)
	w.next(order.SiteReserve, refusedWith(order.ErrSeatTaken))
	w.next(order.SiteBuild, refusedWith(order.ErrUnreachable))
	w.mine(1)
	w.wants(order.Filled, order.Lost)
	w.hide(func(*coin) bool { return true })
	return w
}

// paidAfterEnd is a cancelled order whose payment came all the same and is to go back.
func paidAfterEnd(t *testing.T) *world {
	t.Helper()
	w := cancelled(t)
	w.next(order.SiteBuild, refusedWith(order.ErrUnreachable))
	comesConfirmed(w)
	w.wantsPayout(order.PayoutDue)
	return w
}

// paidAfterExchange is a ticket that another one took the place of, with a later payment to it that is to go back.
func paidAfterExchange(t *testing.T) *world {
	t.Helper()
	w := tookPlace(t)
	w.next(order.SiteBuild, refusedWith(order.ErrUnreachable))
	w.node.pay(w.o.Address, w.o.Due)
	w.mine(1)
	w.wantsPayout(order.PayoutDue)
	return w
}

// hide has the wallet not show coins at the order's address that nothing spends.
func (w *world) hide(which func(*coin) bool) {
	for _, c := range w.node.coins {
		if c.Address == w.o.Address && c.spentBy == "" && which(c) {
			c.from = never
		}
	}
}

// shows has the wallet show again what was hidden.
func (w *world) shows() {
	for _, c := range w.node.coins {
		if c.from == never {
			c.from = 0
		}
	}
	w.mine(1)
}

// seenLate is one that needs a person because its money was not seen for long, and by now it is.
func seenLate(enter func(*testing.T) *world) func(*testing.T) *world {
	return func(t *testing.T) *world {
		w := enter(t)
		w.mine(22)
		w.wants(w.o.State, order.Attention)
		w.shows()
		return w
	}
}

func TestAccountAddsUpWhileAPersonLooks(t *testing.T) {
	for name, enter := range map[string]func(*testing.T) *world{"released": refundUnseen, "ended": depositUnseen, "lost": lostUnseen} {
		t.Run(name, func(t *testing.T) {
			w := seenLate(enter)(t)
			w.mine(4)
			w.wants(order.Filled, order.Attention)
			w.adds(w.paidIn())
		})
	}
}

func longUnseen(w *world) { w.mine(22) }

// never is a block that does not come.
const never = 1 << 40
