package chain

import (
	"errors"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
)

func TestFromPaymentToRefundOnEachKindOfNode(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		c := newTown(t, options)
		c.catalogueIsThere()
		call := c.pay(sandbox.WalletOne, 1)
		c.board.owners[call.Sender] = "one"
		reserved := c.reserve(call, options)
		c.bought(call, reserved)
		c.release(call)
		c.payOut(call)
	})
}

func (c *town) catalogueIsThere() {
	sale := c.board.sales[c.hall]
	if sale.Venue != "Odeon" || sale.Show == nil || sale.Show.Name != "Dune" || len(sale.Seats) != 4 || !sale.Open(sale.Height) ||
		sale.Terms != (cirrus.Terms{ReleaseFee: uint64(cirrus.CRS), NoReleaseBlocks: 10, Identity: true}) {
		c.t.Fatalf("sale %+v, show %+v", sale, sale.Show)
	}
	if sale.Show.Block != c.sandbox.Height() || sale.Seats[0].Owner != "" || sale.Seats[0].Price != uint64(seatPrice) {
		c.t.Fatalf("show %+v, seats %+v", sale.Show, sale.Seats)
	}
	if !c.board.tip().Healthy {
		c.t.Fatalf("tip %+v", c.board.tip())
	}
}

func (c *town) reserve(call order.BoothCall, options sandbox.Options) order.Reservation {
	ctx := c.t.Context()
	reserved, err := c.client.Reserve(ctx, call)
	c.must(err)
	secret := reserved.Secret
	if len(secret.Plaintext) != 15 || (len(secret.Key) == 32) != (options.Generation == sandbox.Ciphered) ||
		len(secret.NameKey) != 32 || len(secret.NameIV) != 16 || secret.TxID != reserved.TxID {
		c.t.Fatal("the answer lacks a part of the secret")
	}
	c.board.waiting[reserved.TxID], c.board.all[reserved.TxID] = "one", "one"
	if _, err := c.client.Receipt(ctx, reserved.TxID); !errors.Is(err, order.ErrNotMined) {
		c.t.Fatalf("receipt of an unmined call: %v", err)
	}
	raw, err := c.client.Raw(ctx, reserved.TxID)
	if err != nil || raw == "" {
		c.t.Fatalf("raw bytes: %q, %v", raw, err)
	}
	calls, err := c.client.Calls(ctx, call.Account, call.Sender)
	if err != nil || len(calls) != 1 || calls[0].TxID != reserved.TxID || calls[0].Block != nil || calls[0].To != c.hall {
		c.t.Fatalf("calls %+v, %v", calls, err)
	}
	for mempool, want := range map[bool]bool{true: false, false: true} {
		if unspent, err := c.client.Unspent(ctx, call.Coin, mempool); err != nil || unspent != want {
			c.t.Fatalf("unspent (mempool %v): %v, %v", mempool, unspent, err)
		}
	}
	if _, err := c.client.Reserve(ctx, call); !errors.Is(err, order.ErrOutpoints) {
		c.t.Fatalf("a second call with the same coin: %v", err)
	}
	return reserved
}

func (c *town) bought(call order.BoothCall, reserved order.Reservation) {
	ctx := c.t.Context()
	c.look()
	c.board.drain()
	c.mine(1)
	c.woken("one")
	receipt, err := c.client.Receipt(ctx, reserved.TxID)
	if err != nil || !receipt.Success || receipt.Block != c.sandbox.Height() || receipt.GasUsed == 0 {
		c.t.Fatalf("receipt %+v, %v", receipt, err)
	}
	delete(c.board.waiting, reserved.TxID)
	if seat := c.board.sales[c.hall].Seats[0]; seat.Owner != call.Sender || len(seat.Secret) == 0 || len(seat.Name) == 0 || seat.Resold {
		c.t.Fatalf("seat %+v", seat)
	}
	c.mine(1) // the gas refund is spendable one block later
	returned := c.budget - cirrus.Strats(receipt.GasUsed*gasPrice)
	var amounts []cirrus.Strats
	for _, coin := range c.coinsAt(call.Sender) {
		amounts = append(amounts, coin.Amount)
	}
	if sum := c.budget + returned; len(amounts) != 2 || amounts[0]+amounts[1] != sum {
		c.t.Fatalf("left are %v, want %s together", amounts, sum)
	}
	c.board.drain()
}

func (c *town) release(call order.BoothCall) {
	ctx := c.t.Context()
	for _, coin := range c.coinsAt(call.Sender) {
		if coin.Amount == c.budget {
			call.Coin = coin.Outpoint
		}
	}
	id, err := c.client.Release(ctx, call)
	c.must(err)
	c.mine(2)
	receipt, err := c.client.Receipt(ctx, id)
	if err != nil || !receipt.Success {
		c.t.Fatalf("receipt %+v, %v", receipt, err)
	}
	if seat := c.board.sales[c.hall].Seats[0]; seat.Owner != "" || !seat.Resold {
		c.t.Fatalf("seat %+v", seat)
	}
	if _, err := c.client.Release(ctx, call); !errors.Is(err, order.ErrNotOwner) {
		c.t.Fatalf("a second release: %v", err)
	}
}

func (c *town) payOut(call order.BoothCall) {
	ctx := c.t.Context()
	coins := c.coinsAt(call.Sender)
	payment := order.Payment{Account: call.Account, Fee: 10_000}
	var sum cirrus.Strats
	for _, coin := range coins {
		payment.Coins = append(payment.Coins, coin.Outpoint)
		sum += coin.Amount
	}
	refund, err := c.client.Candidates(ctx, cirrus.Account{Wallet: sandbox.WalletTwo, Name: sandbox.Account}, 1)
	c.must(err)
	payment.Outputs = []order.Output{{Address: refund[0], Amount: sum - payment.Fee}}
	built, err := c.client.Build(ctx, payment)
	c.must(err)
	c.must(c.client.Send(ctx, built.Hex))
	c.mine(1)
	if got := c.coinsAt(refund[0]); len(got) != 1 || got[0].TxID != built.TxID || got[0].Amount != sum-payment.Fee {
		c.t.Fatalf("arrived %+v, want %s", got, sum-payment.Fee)
	}
	if left := c.coinsAt(call.Sender); len(left) != 0 {
		c.t.Fatalf("left behind %+v", left)
	}
	moves, err := c.client.Movements(ctx, call.Account, call.Sender)
	if err != nil || len(moves) == 0 {
		c.t.Fatalf("history %+v, %v", moves, err)
	}
}
