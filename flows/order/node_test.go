package order_test

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// node is a chain, a wallet and one contract, small enough to read: it keeps the rules that the steps lean on.
type node struct {
	height   uint64
	coins    map[cirrus.Outpoint]*coin
	pending  []*tx // the mempool, oldest first
	calls    []*tx // every contract call that the wallet knows, removed ones not
	built    []*tx // every payment that was built
	receipts map[cirrus.TxID]order.Receipt
	sale     order.Sale
	gasUsed  uint64
	limit    uint64
	price    uint64
	serial   int
	contract map[cirrus.Address]bool // addresses that are contracts
	fail     bool                    // calls mined from now on fail
	names    map[cirrus.Seat]string  // given with the latest Reserve
	payments []cirrus.Coin           // that came from outside
	blocks   map[uint64][]*tx        // by height
	forks    uint64                  // reorganisations so far
	fork     uint64                  // height of the newest block that none of them undid
}

type coin struct {
	cirrus.Coin
	block   uint64 // 0: in the mempool
	from    uint64 // spendable from this height on
	spentBy cirrus.TxID
	mined   bool // spent in a block
}

type tx struct {
	id      cirrus.TxID
	raw     string
	inputs  []cirrus.Outpoint
	outputs []cirrus.Coin
	call    *call
	mined   uint64
}

type call struct {
	release bool
	sender  cirrus.Address
	seat    cirrus.Seat
	value   cirrus.Strats
	secret  string
	owner   cirrus.Address // of the seat, before it was mined
	stored  []byte         // the secret of that one
}

func newNode(sale order.Sale, gas order.Gas) *node {
	return &node{
		height: 1000, coins: map[cirrus.Outpoint]*coin{}, receipts: map[cirrus.TxID]order.Receipt{}, sale: sale,
		gasUsed: 15_000, limit: gas.Limit, price: gas.Price, contract: map[cirrus.Address]bool{},
		names: map[cirrus.Seat]string{}, blocks: map[uint64][]*tx{},
	}
}

func (n *node) id() cirrus.TxID {
	n.serial++
	return cirrus.TxID(fmt.Sprintf("%064x", n.serial))
}

// pay puts a payment into the mempool.
func (n *node) pay(to cirrus.Address, amount cirrus.Strats) {
	id := n.id()
	c := cirrus.Coin{Outpoint: cirrus.Outpoint{TxID: id}, Address: to, Amount: amount}
	n.pending = append(n.pending, &tx{id: id, outputs: []cirrus.Coin{c}})
	n.payments = append(n.payments, c)
	n.coins[c.Outpoint] = &coin{Coin: c}
}

// mine makes a block of everything in the mempool.
func (n *node) mine() {
	n.height++
	block := n.pending
	n.pending, n.blocks[n.height] = nil, block
	for _, t := range block {
		t.mined = n.height
		for _, in := range t.inputs {
			n.coins[in].mined = true
		}
		for _, out := range t.outputs {
			n.coins[out.Outpoint].block = n.height
		}
		if t.call != nil {
			n.execute(t)
		}
	}
}

func (n *node) execute(t *tx) {
	receipt := order.Receipt{TxID: t.id, Block: n.height, GasUsed: n.gasUsed, Success: !n.fail}
	seat := n.seat(t.call.seat)
	t.call.owner, t.call.stored = seat.Owner, seat.Secret
	switch {
	case n.fail:
	case t.call.release && seat.Owner == t.call.sender:
		seat.Owner, seat.Secret = "", nil
		n.output(t.call.sender, n.sale.Terms.Refund(cirrus.Strats(seat.Price)), n.height)
	case !t.call.release && seat.Owner == "":
		seat.Owner, seat.Secret = t.call.sender, []byte(t.call.secret)
	default:
		receipt.Success = false
	}
	if !receipt.Success && t.call.value > 0 {
		n.output(t.call.sender, t.call.value, n.height)
	}
	n.output(t.call.sender, cirrus.Strats((n.limit-n.gasUsed)*n.price), n.height+1) // the coinbase
	n.receipts[t.id] = receipt
}

func (n *node) output(to cirrus.Address, amount cirrus.Strats, from uint64) {
	if amount == 0 {
		return
	}
	c := cirrus.Coin{Outpoint: cirrus.Outpoint{TxID: n.id()}, Address: to, Amount: amount}
	n.coins[c.Outpoint] = &coin{Coin: c, block: n.height, from: from}
}

func (n *node) seat(seat cirrus.Seat) *order.SeatOnSale {
	for i := range n.sale.Seats {
		if n.sale.Seats[i].Seat == seat {
			return &n.sale.Seats[i]
		}
	}
	panic("no such seat")
}

// spendable lists the wallet's coins as spendable-transactions does.
func (n *node) spendable() []cirrus.Coin {
	var list []cirrus.Coin
	for _, key := range slices.SortedFunc(maps.Keys(n.coins), func(a, b cirrus.Outpoint) int {
		return slices.Compare([]byte(a.String()), []byte(b.String()))
	}) {
		c := n.coins[key]
		if c.spentBy != "" || c.from > n.height || slices.Contains(foreign, c.Address) {
			continue
		}
		out := c.Coin
		if c.block > 0 {
			out.Confirmations = n.height - c.block + 1
		}
		list = append(list, out)
	}
	return list
}

// vanish drops the call or payment from the mempool; forget drops it from the wallet too.
func (n *node) vanish() {
	for _, t := range n.pending {
		for _, out := range t.outputs {
			delete(n.coins, out.Outpoint)
		}
	}
	n.pending = nil
}

func (n *node) Reserve(_ context.Context, c order.BoothCall) (order.Reservation, error) {
	seat := n.seat(c.Seat)
	switch {
	case n.sale.Show == nil || n.height >= n.sale.Show.EndOfSale:
		return order.Reservation{}, order.ErrSaleClosed
	case seat.Owner != "":
		return order.Reservation{}, order.ErrSeatTaken
	}
	t, err := n.broadcast(c, call{sender: c.Sender, seat: c.Seat, value: cirrus.Strats(seat.Price)})
	if err != nil {
		return order.Reservation{}, err
	}
	n.names[c.Seat] = c.Name
	t.call.secret = fmt.Sprintf("secret-%09d", n.serial)
	return order.Reservation{TxID: t.id, Secret: order.Secret{Plaintext: t.call.secret}}, nil
}

func (n *node) Release(_ context.Context, c order.BoothCall) (cirrus.TxID, error) {
	last, ok := n.sale.Terms.LastRelease(n.sale.Show.EndOfSale)
	switch {
	case !ok || n.height > last:
		return "", order.ErrReleaseOver
	case n.seat(c.Seat).Owner != c.Sender:
		return "", order.ErrNotOwner
	}
	t, err := n.broadcast(c, call{release: true, sender: c.Sender, seat: c.Seat})
	if err != nil {
		return "", err
	}
	return t.id, nil
}

func (n *node) broadcast(c order.BoothCall, what call) (*tx, error) {
	budget := cirrus.Strats(n.limit * n.price)
	in, ok := n.coins[c.Coin]
	if !ok || in.spentBy != "" || in.Address != c.Sender {
		return nil, order.ErrOutpoints
	}
	if in.Amount < what.value+budget {
		return nil, order.ErrCoins
	}
	t := &tx{id: n.id(), inputs: []cirrus.Outpoint{c.Coin}, call: &what}
	t.raw = "raw-" + string(t.id)
	in.spentBy = t.id
	if change := in.Amount - what.value - budget; change > order.MinOutput {
		out := cirrus.Coin{Outpoint: cirrus.Outpoint{TxID: t.id, Index: 1}, Address: c.Sender, Amount: change}
		t.outputs = []cirrus.Coin{out}
		n.coins[out.Outpoint] = &coin{Coin: out}
	}
	n.pending = append(n.pending, t)
	n.calls = append(n.calls, t)
	return t, nil
}

func (n *node) Tickets(context.Context, cirrus.Address) ([]cirrus.Ticket, error) {
	var list []cirrus.Ticket
	for _, s := range n.sale.Seats {
		list = append(list, cirrus.Ticket{Seat: s.Seat, Price: s.Price, Address: s.Owner, Secret: s.Secret})
	}
	return list, nil
}

func (n *node) Receipt(_ context.Context, id cirrus.TxID) (order.Receipt, error) {
	if receipt, ok := n.receipts[id]; ok {
		return receipt, nil
	}
	return order.Receipt{}, order.ErrNotMined
}

func (n *node) Unspent(_ context.Context, at cirrus.Outpoint, mempool bool) (bool, error) {
	c, ok := n.coins[at]
	if !ok || !mempool && c.block == 0 {
		return false, nil
	}
	if !mempool {
		return !c.mined, nil
	}
	return c.spentBy == "" || !n.out(c.spentBy), nil
}

// out tells whether a transaction is in the mempool or in a block.
func (n *node) out(id cirrus.TxID) bool {
	return slices.ContainsFunc(n.pending, func(t *tx) bool { return t.id == id }) || n.minedTx(id)
}

func (n *node) minedTx(id cirrus.TxID) bool {
	for _, c := range n.coins {
		if c.spentBy == id && c.mined {
			return true
		}
	}
	return false
}

func (n *node) Raw(_ context.Context, id cirrus.TxID) (string, error) {
	for _, t := range n.pending {
		if t.id == id {
			return t.raw, nil
		}
	}
	return "", order.ErrNotFound
}

func (n *node) Calls(_ context.Context, _ cirrus.Account, sender cirrus.Address) ([]order.PastCall, error) {
	var list []order.PastCall
	for _, t := range n.calls {
		if t.call.sender != sender {
			continue
		}
		past := order.PastCall{TxID: t.id, To: n.sale.Contract}
		if t.mined > 0 {
			past.Block = &t.mined
		}
		list = append(list, past)
	}
	return list, nil
}

func (n *node) Forget(_ context.Context, _ cirrus.Account, ids ...cirrus.TxID) error {
	gone := func(t *tx) bool { return t.mined == 0 && slices.Contains(ids, t.id) }
	n.calls = slices.DeleteFunc(n.calls, gone)
	for _, c := range n.coins {
		if slices.Contains(ids, c.spentBy) && !c.mined {
			c.spentBy = ""
		}
	}
	return nil
}
