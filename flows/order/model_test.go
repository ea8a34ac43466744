package order_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// TestModelWhateverHappensTheMoneyAddsUp plays random events in random order: payments of any kind, blocks, some of them
// undone again, outsiders, faults and deaths at any call site, taps, time. Afterwards every strat is accounted for, no
// seat was bought twice, and whatever is not over has a next step. make models plays thousands, drawn anew each time.
func TestModelWhateverHappensTheMoneyAddsUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorldWith(t, func(cfg *order.Config) { cfg.Finality = 240 })
		w.open(rapid.SampledFrom([][]cirrus.Seat{{seat3D}, {seat3D, seat4A}, threeSeats}).Draw(rt, "seats")...)
		for range rapid.IntRange(5, 30).Draw(rt, "events") {
			w.event(rt)
		}
		w.goesOnCalmly(rt)
	})
}

// modelSites are where faults are let in.
var modelSites = []string{
	order.SiteSave, order.SiteReserve, order.SiteRelease, order.SiteTickets, order.SiteReceipt, order.SiteUnspent, order.SiteRaw,
	order.SiteCalls, order.SiteForget, order.SiteBuild, order.SiteSend, order.SiteIsContract, order.SiteDeliver, order.SiteHold,
}

// event is one thing that happens.
func (w *world) event(rt *rapid.T) {
	ticket := rapid.IntRange(0, len(w.o.Tickets)-1)
	what := rapid.SampledFrom([]string{"pay", "pay", "mine", "mine", "mine", "wait", "outsider", "fault", "death", "tap", "tap", "reorg"})
	switch what.Draw(rt, "event") {
	case "pay":
		part := rapid.SampledFrom([]cirrus.Strats{w.o.Due, w.o.Due, w.o.Due / 2, w.o.Due + cirrus.CRS, order.MinOutput, 3 * cirrus.CRS})
		w.node.pay(w.o.Address, part.Draw(rt, "sum"))
		w.post()
	case "mine":
		w.mine(rapid.SampledFrom([]int{1, 1, 2, 3, 12}).Draw(rt, "blocks"))
	case "wait":
		w.pass(rapid.SampledFrom([]time.Duration{time.Second, 11 * time.Second, time.Minute, 16 * time.Minute}).Draw(rt, "time"))
	case "outsider":
		if seat := w.node.seat(w.o.Tickets[ticket.Draw(rt, "seat")].Seat); seat.Owner == "" {
			seat.Owner = others
			w.post()
		}
	case "fault":
		failure := rapid.SampledFrom([]fault{
			lost(), dropped(), refusedWith(order.ErrNoPeers), refusedWith(order.ErrPassword), refusedWith(order.ErrUnreachable),
		})
		w.next(rapid.SampledFrom(modelSites[1:]).Draw(rt, "site"), failure.Draw(rt, "fault"))
	case "death":
		w.next(rapid.SampledFrom(modelSites).Draw(rt, "site"), fault{before: rapid.Bool().Draw(rt, "before"), crash: true})
	case "reorg":
		w.fork(rapid.SampledFrom([]int{1, 1, 2, 5, 20}).Draw(rt, "depth"))
	case "tap":
		verb := rapid.SampledFrom([]order.Verb{order.GiveBack, order.UndoAsked, order.Cancel, order.SendAgain, order.MoneyBack})
		err := w.askOf(ticket.Draw(rt, "ticket"), verb.Draw(rt, "verb"))
		if err != nil && !errors.Is(err, order.ErrNotAllowed) && !errors.Is(err, order.ErrReleaseOver) {
			rt.Fatal(err)
		}
	}
}

// goesOnCalmly ends the faults, lets time pass, and looks whether everything is in its place.
func (w *world) goesOnCalmly(rt *rapid.T) {
	clear(w.sites.faults)
	for range 10 { // a call that rests on what was undone is left to a person after 120 blocks
		w.mine(16)
		w.pass(16 * time.Minute)
	}
	alone := false
	for _, ticket := range w.o.Tickets {
		alone = alone || ticket.State == order.Attention
	}
	for _, p := range w.o.Payouts {
		if !p.State.Final() && w.o.Next.IsZero() && w.o.NextHeight == 0 {
			rt.Errorf("payout %s has no next step", p.State)
		}
	}
	for _, ticket := range w.o.Tickets {
		if w.o.State == order.Filled && !ticket.State.Final() && ticket.State != order.Attention && w.o.Next.IsZero() && w.o.NextHeight == 0 {
			rt.Errorf("ticket %s is %s and has no next step", ticket.Seat, ticket.State)
		}
	}
	if s := order.Account(w.o, w.there()); !alone && (s.Paid != w.paidIn() || s.Returned != w.node.arrived(refund)) {
		rt.Errorf("paid %s, %s came back, but the account is %+v; %v", w.paidIn(), w.node.arrived(refund), s, w.db.seen)
	}
	if came := w.node.arrived(refund); came > w.paidIn() {
		rt.Errorf("%s came back of %s", came, w.paidIn())
	}
	w.nothingTwice()
}
