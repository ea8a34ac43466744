package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

// loses has everything in Redis lost: the auditor gets an empty one.
func (a *audited) loses() {
	a.t.Helper()
	s := a.app.settings
	s.redisURL = redistest.Start(a.t).URL
	other, err := openAuditor(a.t.Context(), s, a.app.log)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = other.close() })
	other.pause = time.Millisecond
	a.auditor = other
}

// rescues runs the command with somebody who answers.
func (a *audited) rescues(f auditFlags, answer string) (out string, err error) {
	a.t.Helper()
	var said bytes.Buffer
	err = a.auditor.run(a.t.Context(), f, streams{strings.NewReader(answer), &said, &said})
	return said.String(), err
}

// TestRescuePaysOutOnceAndAsks: from an address that no order has, after saying exactly what; again it sends nothing.
func TestRescuePaysOutOnceAndAsks(t *testing.T) {
	a := newAudited(t, demoFlags{})
	o := a.buys(cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x05}))
	a.on(2) // all that the purchase gives back can be spent
	lies := sumAt(a.chain.Ledger(), o.Address)
	to := cirrus.TestNet.Address(cirrus.Hash{0x77})
	f := auditFlags{rescue: string(o.Address), to: string(to)}

	if out, err := a.rescues(f, "y\n"); !errors.Is(err, errAlive) || out != "" {
		t.Fatalf("a living order: %v\n%s", err, out)
	}
	a.loses()
	out, err := a.rescues(f, "n\n")
	if !errors.Is(err, errSaid) || !strings.Contains(out, lies.String()) || !strings.Contains(out, string(to)) || !strings.Contains(out, "Nothing was done") {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := a.chain.Fault(sandbox.FaultRequest{Path: "send-transaction", Kind: "drop-after", Times: 1}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the answer of the first is lost
		if out, err = a.rescues(f, "y\n"); err != nil || !strings.Contains(out, "transaction ") {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if _, err := a.chain.Mine(1); err != nil {
		t.Fatal(err)
	}
	fee := order.NetworkFee(2, 1)
	if got := sumAt(a.chain.Ledger(), to); got != lies-fee || sumAt(a.chain.Ledger(), o.Address) != 0 {
		t.Errorf("%s of %s arrived", got, lies)
	}
}

// TestRescueOfALivingOrderTakesAClearWord, and says what that means.
func TestRescueOfALivingOrderTakesAClearWord(t *testing.T) {
	a := newAudited(t, demoFlags{})
	o := a.buys(cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x06}))
	a.on(2)
	f := auditFlags{rescue: string(o.Address), to: string(cirrus.TestNet.Address(cirrus.Hash{0x78})), force: true}
	if out, err := a.rescues(f, "n\n"); !strings.Contains(out, "WARNING: it belongs to order "+string(o.ID)) {
		t.Errorf("%v\n%s", err, out)
	}
	if sumAt(a.chain.Ledger(), o.Address) == 0 {
		t.Error("the money is gone")
	}
	for _, bad := range []string{"", "nonsense", string(o.Address), string(cirrus.TestNet.Zero()), string(a.chain.Venues()[0])} {
		f.to = bad
		if out, err := a.rescues(f, "y\n"); err == nil {
			t.Errorf("to %q:\n%s", bad, out)
		}
	}
}

// opensNamed orders two seats in the hall that asks for names, paid at once and split.
func (a *audited) opensNamed(refund cirrus.Address, names ...string) order.Order {
	a.t.Helper()
	if err := a.app.watcher.Look(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	sales, err := a.app.db.Sales(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	for _, sale := range sales {
		if sale.Show == nil || !sale.Terms.Identity {
			continue
		}
		seats := []cirrus.Seat{sale.Seats[0].Seat, sale.Seats[1].Seat}
		o, err := a.app.engine.Open(a.t.Context(), order.New{Customer: 4712, Sale: sale, Seats: seats, Names: names, Refund: refund})
		if err != nil {
			a.t.Fatal(err)
		}
		a.id = o.ID
		return o
	}
	a.t.Fatal("no hall asks for names")
	return order.Order{}
}

// TestAfterRedisIsLostTicketsAreMadeAgainThatTheDoorAccepts: with secrets that are derived, chain and key ring are enough,
// in both forms, for seats paid alone and seats of a split payment, with names.
func TestAfterRedisIsLostTicketsAreMadeAgainThatTheDoorAccepts(t *testing.T) {
	for _, generation := range []string{"ciphered", "hashed"} {
		t.Run(generation, func(t *testing.T) {
			a := newAudited(t, demoFlags{reserve: "direct", generation: generation, node: "today"})
			a.buys(cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x07}))
			o := a.opensNamed(cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x08}), "Gus Grey", "Zoë Dahl")
			a.fund(o.Address, o.Due)
			a.until("both bought", func(o order.Order) bool {
				return o.Tickets[0].State == order.Owned && o.Tickets[1].State == order.Owned
			})
			a.loses()
			dir := filepath.Join(t.TempDir(), "tickets")
			out, err := a.rescues(auditFlags{rebuild: true, tickets: dir}, "y\n")
			if err != nil || !strings.Contains(out, "Made again from chain and key ring: 3.") || !strings.Contains(out, "WARNING") {
				t.Fatalf("%v\n%s", err, out)
			}
			if names := a.opens(dir, 3); !slices.Equal(names, []string{"Gus Grey", "Zoë Dahl"}) {
				t.Errorf("the doorman sees %q", names)
			}
			if _, err := a.rescues(auditFlags{rebuild: true, tickets: dir}, "y\n"); err == nil {
				t.Error("pictures that are there were written over")
			}
		})
	}
}

// opens scans every picture of a folder at the door that its name says, and gives the names that the doorman sees.
func (a *audited) opens(dir string, want int) (names []string) {
	a.t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != want {
		a.t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			a.t.Errorf("%s has mode %v (%v)", file.Name(), info.Mode(), err)
		}
		picture, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			a.t.Fatal(err)
		}
		ticket, err := readQR(picture)
		if err != nil {
			a.t.Fatal(err)
		}
		door, _, _ := strings.Cut(file.Name(), "-")
		result, err := a.chain.Scan(cirrus.Address(door), ticket)
		if err != nil || !result.Opens {
			a.t.Errorf("%s: %v, %+v", file.Name(), err, result)
		}
		for _, one := range result.Results {
			if one.Name != "" {
				names = append(names, one.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// TestTicketsOfTicketboothCannotBeMadeAgain, and the command says so and ends with 1.
func TestTicketsOfTicketboothCannotBeMadeAgain(t *testing.T) {
	a := newAudited(t, demoFlags{})
	a.buys(cirrus.TestNet.Address(cirrus.Hash{0xAD, 0x09}))
	out, err := a.rescues(auditFlags{rebuild: true}, "")
	if !errors.Is(err, errSaid) || !strings.Contains(out, "cannot be made again") || !strings.Contains(out, "key ring: 0.") {
		t.Errorf("%v\n%s", err, out)
	}
}
