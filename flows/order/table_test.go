package order_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

var update = flag.Bool("update", false, "write what the tests compare with")

func TestDiagramAndTablesAgree(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "states.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(order.Diagram()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != order.Diagram() {
		t.Error("docs/states.md differs from the tables; run with -update and read the difference")
	}
}

func TestEveryEdgeLeadsToAState(t *testing.T) {
	for _, row := range order.Rows() {
		for _, to := range append(row.Next, row.Later...) {
			if _, ok := order.RowOf(row.Table, to); !ok {
				t.Errorf("%s %s leads to %s, which is no state", row.Table, row.State, to)
			}
		}
		for _, later := range row.Later {
			if !row.Leads(later) {
				t.Errorf("%s %s: %s comes later but is no edge", row.Table, row.State, later)
			}
		}
		if !row.Final && len(row.Next) == len(row.Later) && len(row.Next) > 0 && row.State != "joining" && row.State != "splitting" {
			t.Errorf("%s %s leads nowhere", row.Table, row.State)
		}
	}
}

// TestEverySavedChangeIsAnEdge plays random stories and holds every change that was saved against the tables.
func TestEverySavedChangeIsAnEdge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := randomWorld(t, rt)
		w.open(rapid.Permutation(threeSeats).Draw(rt, "order of seats")[:rapid.IntRange(1, 3).Draw(rt, "seats")]...)
		if rapid.Bool().Draw(rt, "first seat lost") {
			w.pay()
			w.mine(rapid.IntRange(1, 2).Draw(rt, "blocks"))
			w.node.seat(w.ticket().Seat).Owner = others
			w.mine(1)
		}
		for range rapid.IntRange(5, 40).Draw(rt, "events") {
			w.random(rt)
		}
		w.accounts(rt)
	})
}

func randomWorld(t *testing.T, rt *rapid.T) *world {
	t.Helper()
	change := func(cfg *order.Config) {
		cfg.Choice, cfg.Finality = choice, finality
		cfg.FeeTo, cfg.Fee = feeTo, rapid.SampledFrom([]cirrus.Strats{0, 0, order.MinFee, cirrus.CRS}).Draw(rt, "service fee")
	}
	if rapid.Bool().Draw(rt, "without a float") {
		return newWorldWith(t, change)
	}
	return newFloated(t, fewCoins[:rapid.IntRange(0, len(fewCoins)).Draw(rt, "coins of the float")], change)
}

// random does one of the things that can happen.
func (w *world) random(rt *rapid.T) {
	sites := []string{
		order.SiteReserve, order.SiteRelease, order.SiteReceipt, order.SiteSend, order.SiteBuild, order.SiteSave, order.SiteCalls, order.SiteUnspent,
		order.SiteHold, order.SiteIsContract, order.SiteFloat, order.SiteClaim, order.SiteUnclaim, order.SiteReserve,
	}
	faults := []fault{lost(), dropped(), {before: true, crash: true}, {crash: true}, refusedWith(order.ErrNoPeers)}
	switch rapid.SampledFrom([]string{"mine", "mine", "mine", "pass", "pay", "part", "rest", "ask", "other", "other", "difference", "fault", "taken", "vanish", "contract", "deadline", "address", "fork", "fill"}).Draw(rt, "event") {
	case "mine":
		w.mine(rapid.IntRange(1, 12).Draw(rt, "blocks"))
	case "pass":
		w.pass(rapid.SampledFrom([]time.Duration{2 * time.Second, 20 * time.Second, 6 * time.Minute, 20 * time.Minute}).Draw(rt, "time"))
	case "pay":
		w.pay()
	case "part":
		w.node.pay(w.o.Address, cirrus.CRS)
		w.post()
	case "rest": // what tops up a part, or is a little too much
		if missing := w.o.Due - sum(w.there()); missing > 0 {
			w.node.pay(w.o.Address, missing+order.Sendable)
			w.post()
		}
	case "ask":
		_ = w.askOf(rapid.IntRange(0, len(w.o.Tickets)-1).Draw(rt, "ticket"), rapid.SampledFrom([]order.Verb{order.GiveBack, order.UndoAsked, order.Cancel, order.SendAgain, order.MoneyBack}).Draw(rt, "verb"))
	case "other":
		lost := rapid.IntRange(0, len(w.o.Tickets)-1).Draw(rt, "lost")
		if i := slices.IndexFunc(w.o.Tickets, order.Ticket.Choosing); i >= 0 {
			lost = i
		}
		seat := rapid.SampledFrom([]cirrus.Seat{seat3C, seat3D, seat4A, seat4B}).Draw(rt, "other seat")
		if o, err := w.engine.Do(w.t.Context(), customer, w.o.ID, order.Ask{Verb: order.Exchange, Ticket: w.o.Tickets[lost].ID, Seat: seat}); err == nil {
			w.o = o
			w.run()
		}
	case "difference": // what a dearer seat costs more, a part of it, or more than that
		if n := w.newest(); n.Was != "" {
			w.node.pay(n.Address, max(order.Sendable, n.Due/2*cirrus.Strats(rapid.IntRange(1, 3).Draw(rt, "halves"))))
			w.post()
		}
	case "fault":
		w.next(rapid.SampledFrom(sites).Draw(rt, "site"), rapid.SampledFrom(faults).Draw(rt, "fault"))
	case "taken":
		if seat := w.node.seat(rapid.SampledFrom([]cirrus.Seat{seat3C, seat3D, seat4A, seat3C, seat3D, seat4A, seat4B}).Draw(rt, "seat")); seat.Owner == "" {
			seat.Owner = others
			w.post()
		}
	case "vanish":
		if !w.node.unmined() {
			w.node.vanish()
			w.post()
		}
	case "fork":
		w.fork(rapid.IntRange(1, 6).Draw(rt, "depth"))
	case "fill":
		if w.float != nil {
			w.float.fill(rapid.SampledFrom([]cirrus.Strats{cirrus.CRS / 10, 6 * cirrus.CRS, 90 * cirrus.CRS}).Draw(rt, "coin"))
		}
	case "contract":
		w.node.contract[refund] = !w.node.contract[refund]
	case "address":
		_ = w.redirect(rapid.SampledFrom([]cirrus.Address{refund, other}).Draw(rt, "address"))
	case "deadline":
		if until, ok := order.RefundUntil(w.o); ok && w.node.height < until {
			w.node.height = until
		}
	}
}

func sum(coins []cirrus.Coin) cirrus.Strats {
	var total cirrus.Strats
	for _, c := range coins {
		total += c.Amount
	}
	return total
}

// holds holds every saved change against the tables.
func (s *states) holds(t *rapid.T) {
	for i := 1; i < len(s.all); i++ {
		before, after := strings.Fields(s.all[i-1]), strings.Fields(s.all[i])
		for j := range min(len(before), len(after)) {
			table := "ticket"
			if j == 0 {
				table = "order"
			}
			row, _ := order.RowOf(table, before[j])
			if before[j] != after[j] && !row.Leads(after[j]) {
				t.Fatalf("%s went from %s to %s, which is no edge: %s", table, before[j], after[j], strings.Join(s.seen, " | "))
			}
		}
	}
}

// accounts lets things come to rest and wants every strat that was paid to be in the account, whatever happened.
func (w *world) accounts(t *rapid.T) {
	clear(w.sites.faults)
	clear(w.node.contract)
	w.pass(choice)
	w.pass(25 * time.Hour) // an address that could not be paid is looked at once a day
	for range 4 {
		w.pass(6 * time.Minute)
		w.mine(14)
	}
	if w.node.forks > 0 && slices.ContainsFunc(w.o.Tickets, func(t order.Ticket) bool { return t.State == order.Reserved }) {
		w.mine(140) // what it spends may be gone with a block, and that shows after a while
	}
	w.db.holds(t)
	for _, ticket := range w.o.Tickets {
		if ticket.State == order.Attention || ticket.State == order.Unknown {
			return // a person must look; what was spent by then is not settled
		}
	}
	if s := order.Account(w.o, w.there()); s.Paid != w.paidIn() || s.Returned != w.node.arrived(refund)+w.node.arrived(other) || s.Service != w.node.arrived(feeTo) || s.Float != w.float.gave() {
		t.Fatalf("paid %s, from the float %s, the account adds up to %s: %+v; %s", w.paidIn(), w.float.gave(), s.Paid, s, strings.Join(w.db.seen, " | "))
	}
	w.nothingAstray(t)
}

// nothingAstray wants nothing of the customer's to stay with us but deposits of living tickets and what is too little
// to be sent.
func (w *world) nothingAstray(t *rapid.T) {
	least := order.Sendable * cirrus.Strats(len(w.o.Addresses()))
	for _, ticket := range w.o.Tickets {
		if ticket.State == order.Owned {
			least += 2*budget + ticket.Fee
		} else if !ticket.State.Final() {
			return
		}
	}
	if held := order.Account(w.o, w.there()).Held; held >= least || w.o.State != order.Filled && len(w.o.Payouts) == 0 && held >= order.Sendable {
		t.Fatalf("%s still held in %s; %s; payouts %+v", held, w.o.State, strings.Join(w.db.all, " | "), w.o.Payouts)
	}
}
