package flows_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// toyChain does what one ticket needs, and no more: the real rules live in the sandbox.
type toyChain struct {
	w         *world
	height    uint64
	coins     []cirrus.Coin
	mempool   []toyTx
	receipts  map[cirrus.TxID]order.Receipt
	secrets   map[cirrus.TxID]string
	payments  map[string]order.Payment
	contracts map[cirrus.Address]bool
	handed    map[cirrus.Address]bool // addresses of ours
	newest    []minedTx
	forks     uint64 // how often a block was undone
	fork      uint64 // blocks above this height were undone
	txs       int
	addresses byte
	ciphered  bool   // answers as of the generation that ciphers what is secret
	fail      string // "reserve": the next purchase is refused in its block; "lost": its answer is lost
}

type toyTx struct {
	id      cirrus.TxID
	spends  []cirrus.Outpoint
	call    order.BoothCall
	kind    string // "reserve", "release", "payment"
	payment order.Payment
}

// minedTx is a transaction of the newest block, with the coins that it spent and how many it made.
type minedTx struct {
	tx    toyTx
	spent []cirrus.Coin
	made  []cirrus.Coin
}

func newToyChain(w *world) *toyChain {
	return &toyChain{
		w: w, height: 1_198_000, receipts: map[cirrus.TxID]order.Receipt{}, secrets: map[cirrus.TxID]string{},
		payments: map[string]order.Payment{}, contracts: map[cirrus.Address]bool{}, handed: map[cirrus.Address]bool{},
	}
}

const toyGas = 31_000

func (c *toyChain) tx() cirrus.TxID {
	c.txs++
	return cirrus.TxID(strings.Repeat(fmt.Sprintf("%04x", 0xa100+c.txs), 16))
}

func (c *toyChain) add(address cirrus.Address, amount cirrus.Strats) {
	if amount > 0 {
		c.coins = append(c.coins, cirrus.Coin{Outpoint: cirrus.Outpoint{TxID: c.tx()}, Address: address, Amount: amount})
	}
}

// pay puts a payment into the mempool.
func (c *toyChain) pay(address cirrus.Address, amount cirrus.Strats) {
	c.add(address, amount)
	c.w.post()
}

// list gives the coins that nothing in the mempool spends.
func (c *toyChain) list() []cirrus.Coin {
	var free []cirrus.Coin
	for _, coin := range c.coins {
		if !c.spent(coin.Outpoint) {
			free = append(free, coin)
		}
	}
	return free
}

func (c *toyChain) spent(o cirrus.Outpoint) bool {
	return slices.ContainsFunc(c.mempool, func(tx toyTx) bool { return slices.Contains(tx.spends, o) })
}

func (c *toyChain) block() {
	c.height++
	c.w.clock.Advance(cirrus.BlockTime)
	for i := range c.coins {
		c.coins[i].Confirmations++
	}
	c.newest = nil
	for _, tx := range c.mempool {
		c.mine(tx)
	}
	c.mempool = nil
	c.w.post()
}

func (c *toyChain) mine(tx toyTx) {
	var in cirrus.Strats
	var spent []cirrus.Coin
	c.coins = slices.DeleteFunc(c.coins, func(coin cirrus.Coin) bool {
		if !slices.Contains(tx.spends, coin.Outpoint) {
			return false
		}
		in += coin.Amount
		spent = append(spent, coin)
		return true
	})
	before := len(c.coins)
	switch tx.kind {
	case "reserve":
		c.mineReserve(tx, in)
	case "release":
		c.mineRelease(tx, in)
	}
	for i := before; i < len(c.coins); i++ {
		c.coins[i].Confirmations = 1
	}
	c.newest = append(c.newest, minedTx{tx: tx, spent: spent, made: slices.Clone(c.coins[before:])})
}

// undo takes the newest block away: its transactions wait to be mined again, and seats that it sold are free.
func (c *toyChain) undo() {
	c.height--
	c.forks, c.fork = c.forks+1, c.height
	for _, m := range c.newest {
		c.coins = slices.DeleteFunc(c.coins, func(coin cirrus.Coin) bool { return slices.Contains(m.made, coin) })
		c.coins, c.mempool = append(c.coins, m.spent...), append(c.mempool, m.tx)
		delete(c.receipts, m.tx.id)
		if m.tx.kind == "reserve" {
			seat := c.w.seat(m.tx.call.Seat.String())
			seat.Owner, seat.Secret = "", nil
		}
	}
	c.newest = nil
}

func (c *toyChain) mineReserve(tx toyTx, in cirrus.Strats) {
	seat := c.w.seat(tx.call.Seat.String())
	gas := cirrus.Strats(toyGas * tx.call.GasPrice)
	price := cirrus.Strats(seat.Price)
	c.receipts[tx.id] = order.Receipt{TxID: tx.id, Block: c.height, Success: seat.Owner == "", GasUsed: toyGas}
	budget := cirrus.Strats(250_000 * tx.call.GasPrice)
	if seat.Owner != "" {
		price = 0
	} else {
		seat.Owner, seat.Secret = tx.call.Sender, []byte(c.secrets[tx.id])
	}
	c.add(tx.call.Sender, in-price-budget)
	c.add(tx.call.Sender, budget-gas)
}

func (c *toyChain) mineRelease(tx toyTx, in cirrus.Strats) {
	seat := c.w.seat(tx.call.Seat.String())
	seat.Owner, seat.Secret, seat.Resold = "", nil, true
	c.receipts[tx.id] = order.Receipt{TxID: tx.id, Block: c.height, Success: true, GasUsed: toyGas}
	c.add(tx.call.Sender, in-cirrus.Strats(toyGas*tx.call.GasPrice))
	c.add(tx.call.Sender, c.w.sale.Terms.Refund(cirrus.Strats(seat.Price)))
}

func (c *toyChain) Reserve(_ context.Context, call order.BoothCall) (order.Reservation, error) {
	tx := c.tx()
	c.secrets[tx] = "secret of " + string(tx[:4])
	c.mempool = append(c.mempool, toyTx{id: tx, spends: []cirrus.Outpoint{call.Coin}, call: call, kind: "reserve"})
	if c.fail == "lost" {
		return order.Reservation{}, order.ErrUnknownOutcome
	}
	secret := order.Secret{TxID: tx, Plaintext: c.secrets[tx]}
	if c.ciphered {
		secret.Key, secret.IV = bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{9}, 16)
		secret.NameKey, secret.NameIV = secret.IV, secret.IV
	}
	return order.Reservation{TxID: tx, Secret: secret}, nil
}

func (c *toyChain) Release(_ context.Context, call order.BoothCall) (cirrus.TxID, error) {
	tx := c.tx()
	c.mempool = append(c.mempool, toyTx{id: tx, spends: []cirrus.Outpoint{call.Coin}, call: call, kind: "release"})
	return tx, nil
}

func (c *toyChain) Tickets(context.Context, cirrus.Address) ([]cirrus.Ticket, error) {
	var list []cirrus.Ticket
	for _, on := range c.w.sale.Seats {
		list = append(list, cirrus.Ticket{Seat: on.Seat, Price: on.Price, Address: on.Owner, Secret: on.Secret})
	}
	return list, nil
}

func (c *toyChain) Receipt(_ context.Context, tx cirrus.TxID) (order.Receipt, error) {
	if receipt, ok := c.receipts[tx]; ok {
		return receipt, nil
	}
	return order.Receipt{}, order.ErrNotMined
}

func (c *toyChain) Unspent(_ context.Context, coin cirrus.Outpoint, mempool bool) (bool, error) {
	there := slices.ContainsFunc(c.coins, func(known cirrus.Coin) bool { return known.Outpoint == coin })
	return there && !(mempool && c.spent(coin)), nil
}

func (c *toyChain) Raw(_ context.Context, tx cirrus.TxID) (string, error) {
	return "raw" + string(tx), nil
}

func (c *toyChain) Calls(_ context.Context, _ cirrus.Account, sender cirrus.Address) ([]order.PastCall, error) {
	var calls []order.PastCall
	for tx := range c.receipts {
		if c.w.sale.Seats[0].Owner == sender || c.fail == "lost" {
			calls = append(calls, order.PastCall{TxID: tx, To: c.w.sale.Contract})
		}
	}
	return calls, nil
}

func (c *toyChain) Forget(context.Context, cirrus.Account, ...cirrus.TxID) error { return nil }

func (c *toyChain) Candidates(_ context.Context, _ cirrus.Account, n int) ([]cirrus.Address, error) {
	var list []cirrus.Address
	for range n {
		c.addresses++
		list = append(list, c.w.at(c.addresses))
		c.handed[c.w.at(c.addresses)] = true
	}
	return list, nil
}

func (c *toyChain) Build(_ context.Context, p order.Payment) (order.BuiltTx, error) {
	tx := c.tx()
	c.payments[string(tx)] = p
	return order.BuiltTx{TxID: tx, Hex: string(tx)}, nil
}

func (c *toyChain) Send(_ context.Context, hex string) error {
	p := c.payments[hex]
	for i, out := range p.Outputs {
		if c.handed[out.Address] {
			c.coins = append(c.coins, cirrus.Coin{
				Outpoint: cirrus.Outpoint{TxID: cirrus.TxID(hex), Index: uint32(i)}, Address: out.Address, Amount: out.Amount,
			})
		}
	}
	c.mempool = append(c.mempool, toyTx{id: cirrus.TxID(hex), spends: p.Coins, kind: "payment", payment: p})
	return nil
}

func (c *toyChain) IsContract(_ context.Context, a cirrus.Address) (bool, error) {
	return c.contracts[a], nil
}
