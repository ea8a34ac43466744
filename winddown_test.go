package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/audit"
	"github.com/usherbot/usher/flows/order"
)

// winds runs the command, without waiting, and then does what a running Usher does.
func (a *audited) winds(f winddownFlags, answer string) (out string, err error) {
	a.t.Helper()
	var said bytes.Buffer
	err = a.auditor.winddown(a.t.Context(), f, streams{strings.NewReader(answer), &said, &said})
	return said.String(), err
}

// TestWinddownTwicePaysOnce: it says who gets what, asks, and pays; again it finds nothing to do; the audit agrees, and
// nothing is sold until it is undone.
func TestWinddownTwicePaysOnce(t *testing.T) {
	a := newAudited(t, demoFlags{})
	refund := cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x0A})
	o := a.buys(refund)
	a.on(2)
	least := order.LeastRefund(o, o.Tickets[0])

	out, err := a.winds(winddownFlags{dryRun: true}, "")
	if err != nil || !strings.Contains(out, string(o.ID)) || !strings.Contains(out, least.String()) || !strings.Contains(out, refund.Short()) {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := a.winds(winddownFlags{}, "n\n"); !errors.Is(err, errSaid) {
		t.Fatalf("%v\n%s", err, out)
	}
	if o := a.look(); o.Tickets[0].State != order.Owned {
		t.Fatalf("given back without a yes: %s", o.Tickets[0].State)
	}
	if out, err := a.winds(winddownFlags{}, "y\n"); err != nil || !strings.Contains(out, "Still to come") {
		t.Fatalf("%v\n%s", err, out)
	}
	o = a.until("all is back", func(o order.Order) bool { return !o.Open() })
	arrived := sumAt(a.chain.Ledger(), refund)
	if arrived < least || len(o.Payouts) != 1 || o.Tickets[0].State != order.Released {
		t.Errorf("%s arrived, at least %s was promised; %+v", arrived, least, o.Payouts)
	}
	if out, err := a.winds(winddownFlags{}, "y\n"); err != nil || !strings.Contains(out, "Nothing is left") {
		t.Errorf("%v\n%s", err, out)
	}
	a.on(3)
	if again := sumAt(a.chain.Ledger(), refund); again != arrived {
		t.Errorf("%s arrived, then %s", arrived, again)
	}
	a.sells(false)
	if out, err := a.winds(winddownFlags{undo: true}, ""); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	a.sells(true)
}

// sells tells whether a seat can be ordered.
func (a *audited) sells(want bool) {
	a.t.Helper()
	sales, err := a.app.db.Sales(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	for _, sale := range sales {
		for _, on := range sale.Seats {
			if sale.Show == nil || sale.Terms.Identity || on.Owner != "" || on.Resold {
				continue
			}
			_, err := a.app.engine.Open(a.t.Context(), order.New{Customer: 99, Sale: sale, Seats: []cirrus.Seat{on.Seat}, Refund: cirrus.TestNet.Address(cirrus.Hash{9})})
			if (err == nil) != want {
				a.t.Errorf("selling: %v, wanted %t", err, want)
			}
			return
		}
	}
	a.t.Fatal("nothing is on sale")
}

// TestWinddownOfOneVenueLeavesTheOthers.
func TestWinddownOfOneVenueLeavesTheOthers(t *testing.T) {
	a := newAudited(t, demoFlags{})
	o := a.buys(cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x0B}))
	for _, venue := range a.chain.Venues() {
		if venue == o.Show.Contract {
			continue
		}
		if out, err := a.winds(winddownFlags{venue: string(venue), yes: true}, ""); err != nil || strings.Contains(out, string(o.ID)) {
			t.Errorf("%v\n%s", err, out)
		}
	}
	a.on(3)
	if o := a.look(); o.Tickets[0].State != order.Owned {
		t.Errorf("ticket %s", o.Tickets[0].State)
	}
	if _, err := a.winds(winddownFlags{venue: "nonsense"}, ""); err == nil {
		t.Error("nonsense was taken for a venue")
	}
}

// TestMarksOfWindingDown: each change is another mark; of one venue, of several, of all; undone one by one or at once.
func TestMarksOfWindingDown(t *testing.T) {
	one, two := cirrus.TestNet.Address(cirrus.Hash{1}), cirrus.TestNet.Address(cirrus.Hash{2})
	m := windingMark{}.with(one, true)
	if !m.covers(one) || m.covers(two) {
		t.Errorf("%+v", m)
	}
	if m = m.with(two, true).with(one, false); m.covers(one) || !m.covers(two) || m.Number != 3 {
		t.Errorf("%+v", m)
	}
	if m = m.with("", true); !m.covers(one) || !m.covers(two) {
		t.Errorf("%+v", m)
	}
	if m = m.with("", false); m.covers(one) || m.covers(two) || m.Number != 5 {
		t.Errorf("%+v", m)
	}
}

// TestWindingDownBesideARunningUsher, with processes of their own: one customer has a ticket, one has an unpaid order.
// Both hear of it, the ticket's money comes back, and the command says so.
func TestWindingDownBesideARunningUsher(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	w.run("")
	refund := cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA0})
	ada, ben := w.person("Ada"), w.person("Ben")
	address, due := ada.order("2B", refund)
	w.pay(address, due)
	ada.sees("the ticket", says("is yours"), w.mine)
	ben.order("3A", cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA1}))

	code, out := w.command("", "winddown", "--yes", "--wait", "0s")
	if code != 0 || !strings.Contains(out, "is given back") || !strings.Contains(out, "ends; nothing was paid") {
		t.Fatalf("%d\n%s", code, out)
	}
	ben.sees("the end of the order", says("ended unpaid"), nil)
	ada.sees("why it goes back", says("operator has ended the sale"), nil)
	ada.sees("the money back", says("has arrived at"), w.mine)
	if code, out = w.command("", "winddown", "--yes", "--wait", "30s"); code != 0 || !strings.Contains(out, "Nothing is left") {
		t.Errorf("%d\n%s", code, out)
	}
	s, err := statement(w.ledger(), []cirrus.Address{cirrus.Address(address)}, refund)
	if err != nil || s.Paid != due || s.Held != 0 || s.Returned == 0 {
		t.Errorf("%v: %+v", err, s)
	}
}

// TestWhoGetsWhat: each state has words, and whoever waits for a person is not waited for.
func TestWhoGetsWhat(t *testing.T) {
	if hasWork([]audit.Owed{{Person: true}, {Stays: true}}) || !hasWork([]audit.Owed{{Person: true}, {}}) {
		t.Error("waits for the wrong ones")
	}
	var out bytes.Buffer
	if err := printOwed(&out, []audit.Owed{{Order: "o1", State: "owned", Does: "is given back", Sum: 5 * cirrus.CRS, To: cirrus.TestNet.Zero()}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"o1", "owned", "is given back", "at least 5 CRS"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}
