package main

import (
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	ledgerpkg "github.com/usherbot/usher/chain/sandbox/ledger"
	"github.com/usherbot/usher/flows/order"
)

// hardTales are what seldom happens, and has rows of the state tables of its own.
func hardTales() []tortureTale {
	return []tortureTale{{"vanish", vanishTale}, {"undone", undoneTale}, {"moved", movedTale}, {"stuck", stuckTale}}
}

// vanishTale: transactions of ours vanish from the mempool: a purchase, one whose answer was lost too, a release and a
// payout.
func vanishTale(b *bed) {
	ada, ben, cleo := b.persons[1], b.persons[2], b.persons[3]
	ada.pay(ada.orders("1A"), 0)
	cleo.pay(cleo.orders("1C"), 0)
	b.mine(1)
	b.vanishes()
	b.mine(14)
	ben.pay(ben.orders("1B"), 0)
	if err := b.chain.Fault(sandbox.FaultRequest{Path: "reserve|build-and-send-call", Kind: "drop-after", Times: 1}); err != nil {
		b.fail("%v", err)
	}
	b.mine(1)
	b.chain.ClearFaults()
	b.vanishes()
	cleo.givesBack("1C")
	b.pass(15*time.Second, 5*time.Second)
	b.vanishes()
	b.mine(14)
	b.vanishes()
	b.mine(14)
}

// vanishes lets every transaction of our wallets leave the mempool, and forgets none that is mined.
func (b *bed) vanishes() {
	ledger := b.chain.Ledger()
	ours := map[cirrus.Address]bool{}
	for _, a := range ledger.Addresses {
		ours[a.Address] = a.Wallet != "" && !strings.HasPrefix(a.Wallet, sandbox.WalletFloat+"/")
	}
	for _, tx := range ledger.Transactions {
		if tx.State == ledgerpkg.InMempool && len(tx.Inputs) > 0 && ours[tx.Inputs[0].Address] {
			b.note(b.chain.Drop(tx.TransactionID))
		}
	}
}

// undoneTale: blocks are undone under a payment, under a purchase, and under a payout.
func undoneTale(b *bed) {
	ada, ben := b.persons[1], b.persons[2]
	ada.pay(ada.orders("1A"), 0)
	ben.pay(ben.orders("1B", "1C"), 0)
	b.mine(1)
	b.undoes(1)
	b.mine(4)
	b.undoes(3)
	b.mine(6)
	ben.givesBack("1B")
	b.pass(15*time.Second, 5*time.Second)
	b.mine(5)
	b.undoes(4)
	b.mine(12)
}

// undoes takes back blocks, whose transactions wait for others.
func (b *bed) undoes(blocks int) {
	if _, err := b.chain.Reorg(blocks); err != nil {
		b.fail("undoing blocks: %v", err)
	}
	b.mine(blocks + 1)
}

// movedTale: a refund address turns into a contract, and its owner gives another one after more than a week. Somebody has
// no secret chat until their ticket cannot be given back any more.
func movedTale(b *bed) {
	ada, ben := b.persons[1], b.persons[2]
	ada.pay(ada.orders("1A"), 0)
	ben.pay(ben.orders("1B"), 0)
	ben.closed = true
	b.mine(6)
	if err := b.chain.Code(ada.refund); err != nil {
		b.fail("%v", err)
	}
	ada.givesBack("1A")
	b.pass(15*time.Second, 5*time.Second)
	b.mine(10)
	b.pass(9*24*time.Hour, 12*time.Hour)
	ada.refund = b.chain.Network().Address(cirrus.Hash{0xAE})
	for _, o := range ada.orders0() {
		b.alive(func() {
			_, err := b.app.engine.Do(b.ctx, ada.id, o.ID, order.Ask{Verb: order.Redirect, Address: ada.refund})
			b.note(err)
		})
	}
	for b.chain.Height() < b.show-5 {
		b.mine(1)
	}
	ben.closed = false
	b.alive(func() { b.note(b.app.wakeCustomer(b.ctx, ben.id)) })
	b.pass(10*time.Minute, time.Minute)
}

// stuckTale: the node has no peers for hours, so that a purchase and a release need a person.
func stuckTale(b *bed) {
	ada, ben := b.persons[1], b.persons[2]
	ben.pay(ben.orders("1B"), 0)
	b.mine(6)
	bill := ada.orders("1A")
	b.peers(0)
	ada.pay(bill, 0)
	ben.givesBack("1B")
	b.mine(2)
	b.pass(4*time.Hour, 4*time.Minute)
	b.peers(3)
	b.pass(time.Minute, 10*time.Second)
	b.attends()
	b.mine(12)
}

func (b *bed) peers(n int) {
	if err := b.chain.Node(sandbox.NodeRequest{Peers: &n}); err != nil {
		b.fail("%v", err)
	}
}
