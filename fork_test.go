package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

// forked is a running Usher on a chain of its own, worked by hand, and one order.
type forked struct {
	*demo
	t  *testing.T
	id order.ID
}

// on mines so many blocks and has the watcher look and the order run after each.
func (f *forked) on(blocks int) order.Order {
	f.t.Helper()
	for range blocks {
		if _, err := f.chain.Mine(1); err != nil {
			f.t.Fatal(err)
		}
		f.look()
	}
	return f.look()
}

func (f *forked) look() order.Order {
	f.t.Helper()
	ctx := f.t.Context()
	if err := f.app.watcher.Look(ctx); err != nil {
		f.t.Fatal(err)
	}
	if err := f.app.engine.Run(ctx, f.id); err != nil && !errors.Is(err, order.ErrBusy) {
		f.t.Fatal(err)
	}
	o, err := f.app.db.Load(ctx, f.id)
	if err != nil {
		f.t.Fatal(err)
	}
	return o
}

func (f *forked) fork(depth int) order.Order {
	f.t.Helper()
	if _, err := f.chain.Reorg(depth); err != nil {
		f.t.Fatal(err)
	}
	return f.look()
}

// open orders the first seat that is free.
func (f *forked) open(refund cirrus.Address) order.Order {
	f.t.Helper()
	if err := f.app.watcher.Look(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	sales, err := f.app.db.Sales(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, sale := range sales {
		for _, on := range sale.Seats {
			if sale.Show == nil || sale.Terms.Identity || on.Owner != "" {
				continue
			}
			o, err := f.app.engine.Open(f.t.Context(), order.New{Customer: 4711, Sale: sale, Seats: []cirrus.Seat{on.Seat}, Refund: refund})
			if err != nil {
				f.t.Fatal(err)
			}
			f.id = o.ID
			return o
		}
	}
	f.t.Fatal("nothing is on sale")
	return order.Order{}
}

// TestUndoneBlocksCostNeitherTicketNorMoney undoes, on a whole node, the blocks with a purchase and with the payout of
// what was paid on top of it, whose inputs partly vanish with them.
func TestUndoneBlocksCostNeitherTicketNorMoney(t *testing.T) {
	for _, node := range []string{"today", "2020"} {
		t.Run(node, func(t *testing.T) {
			t.Parallel()
			undoesBlocks(t, node)
		})
	}
}

func undoesBlocks(t *testing.T, node string) {
	t.Helper()
	flags := demoFlags{generation: "hashed", node: node, block: "manual", redis: redistest.Start(t).URL}
	d, err := startDemo(t.Context(), flags, streams{strings.NewReader(""), io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close() //nolint:errcheck // the end of the test
	f := &forked{demo: d, t: t}
	refund := cirrus.TestNet.Address(cirrus.Hash{0xF0, 0x4B})
	o := f.open(refund)
	if _, err := d.chain.Fund(o.Address, o.Due+3*cirrus.CRS); err != nil {
		t.Fatal(err)
	}
	o = f.on(3)
	if o.Tickets[0].State != order.Owned {
		t.Fatalf("order %s, ticket %s (%s)", o.State, o.Tickets[0].State, o.Tickets[0].Reason)
	}
	secret, _ := o.Secret(o.Tickets[0].ID)
	if o = f.fork(2); o.Tickets[0].State != order.Reserved {
		t.Fatalf("the purchase was undone, and the ticket is %s", o.Tickets[0].State)
	}
	o = f.on(6)
	again, _ := o.Secret(o.Tickets[0].ID)
	if o.Tickets[0].State != order.Owned || again.Plaintext != secret.Plaintext || secret.Plaintext == "" {
		t.Fatalf("ticket %s (%s), secret kept: %t", o.Tickets[0].State, o.Tickets[0].Reason, again.Plaintext == secret.Plaintext)
	}
	if len(o.Payouts) != 1 || o.Payouts[0].State != order.Done {
		t.Fatalf("payouts %+v", o.Payouts)
	}
	first := o.Payouts[0]
	f.fork(6)
	o = f.on(14)
	if o.Tickets[0].State != order.Owned || len(o.Payouts) != 1 || o.Payouts[0].State != order.Done {
		t.Fatalf("ticket %s, payouts %+v", o.Tickets[0].State, o.Payouts)
	}
	t.Logf("paid on top: %s at first, %s in the end", first.TxID.Short(), o.Payouts[0].TxID.Short())
	coins, err := d.app.db.Coins(t.Context(), o.Addresses()...)
	if err != nil {
		t.Fatal(err)
	}
	s := order.Account(o, coins)
	if s.Paid != o.Due+3*cirrus.CRS || s.Returned != f.balance(refund) || s.Returned == 0 {
		t.Errorf("the account adds up to %s, %s came to the customer: %+v", s.Paid, f.balance(refund), s)
	}
}

// balance is what lies at an address by the chain itself.
func (f *forked) balance(address cirrus.Address) cirrus.Strats {
	for _, one := range f.chain.Ledger().Addresses {
		if one.Address == address {
			return cirrus.Strats(one.Balance) // #nosec G115 -- no more than there is
		}
	}
	return 0
}
