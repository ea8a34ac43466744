package order_test

import (
	"context"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// purse offers addresses of several wallets; each account begins with the same ones again, as a node does until they
// are used.
type purse struct{ *node }

func (purse) Candidates(_ context.Context, account cirrus.Account, count int) ([]cirrus.Address, error) {
	var list []cirrus.Address
	for i := range count {
		list = append(list, cirrus.MainNet.Address(cirrus.Hash{account.Wallet[len(account.Wallet)-1], byte(i + 1)}))
	}
	return list, nil
}

// Whoever looks at the chain sees no address of a customer twice, and the addresses are those of all the wallets.
func TestOrdersOfOneCustomerUseFreshAddressesOfAllAccounts(t *testing.T) {
	accounts := []cirrus.Account{{Wallet: "north"}, {Wallet: "quay"}, {Wallet: "hill"}}
	w := newWorldWith(t, func(c *order.Config) { c.Accounts, c.Unpaid = accounts, 10 })
	turn := -1
	deps := w.engine.Deps
	deps.Purse, deps.Pick = purse{w.node}, func(n int) int { turn++; return turn % n }
	w.engine = order.NewEngine(w.cfg, deps)
	owners, used := map[cirrus.Address]order.ID{}, map[cirrus.Account]int{}
	sale, err := w.db.Sale(t.Context(), hall)
	w.must(err)
	for range 6 {
		o, err := w.engine.Open(t.Context(), order.New{Customer: customer, Sale: sale, Seats: []cirrus.Seat{seat3C, seat3D}, Refund: refund})
		w.must(err)
		used[o.Account]++
		for _, address := range o.Addresses() {
			if other, known := owners[address]; known {
				t.Errorf("%s is of orders %s and %s", address.Short(), other, o.ID)
			}
			owners[address] = o.ID
		}
		for _, ticket := range o.Tickets {
			if ticket.Account != o.Account {
				t.Errorf("a coin of %s would have to go over to %s", o.Account, ticket.Account)
			}
		}
		if _, err := w.engine.Do(t.Context(), customer, o.ID, order.Ask{Verb: order.Cancel}); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Minute)
	}
	if len(owners) != 18 {
		t.Errorf("%d addresses for six orders of two seats", len(owners))
	}
	for _, account := range accounts {
		if used[account] != 2 {
			t.Errorf("%s was used by %d orders", account, used[account])
		}
	}
}
