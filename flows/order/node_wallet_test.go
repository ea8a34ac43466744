package order_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func (n *node) Candidates(_ context.Context, account cirrus.Account, count int) ([]cirrus.Address, error) {
	var list []cirrus.Address
	for i := range count {
		list = append(list, cirrus.MainNet.Address(cirrus.Hash{byte(len(account.Wallet)), byte(i + 1)}))
	}
	return list, nil
}

func (n *node) Build(_ context.Context, p order.Payment) (order.BuiltTx, error) {
	total := p.Fee
	for _, out := range p.Outputs {
		total += out.Amount
	}
	for _, in := range p.Coins {
		c, ok := n.coins[in]
		if !ok || c.spentBy != "" {
			return order.BuiltTx{}, order.ErrOutpoints
		}
		total -= c.Amount
	}
	if total != 0 {
		return order.BuiltTx{}, fmt.Errorf("%w: sums differ by %s", order.ErrRefused, total)
	}
	t := &tx{id: n.id(), inputs: p.Coins}
	t.raw = "pay-" + string(t.id)
	for i, out := range p.Outputs {
		if out.Amount < order.MinOutput {
			return order.BuiltTx{}, fmt.Errorf("%w: dust", order.ErrRefused)
		}
		at := cirrus.Outpoint{TxID: t.id, Index: uint32(len(p.Outputs) - 1 - i)} // #nosec G115 -- small; the order is not kept
		t.outputs = append(t.outputs, cirrus.Coin{Outpoint: at, Address: out.Address, Amount: out.Amount})
	}
	n.built = append(n.built, t)
	return order.BuiltTx{TxID: t.id, Hex: t.raw}, nil
}

func (n *node) Send(_ context.Context, raw string) error {
	for _, t := range slices.Concat(n.calls, n.built) {
		if t.raw == raw {
			return n.send(t)
		}
	}
	return order.ErrRefused
}

func (n *node) send(t *tx) error {
	if n.out(t.id) {
		return order.ErrRefused
	}
	for _, in := range t.inputs {
		if c, ok := n.coins[in]; !ok || c.spentBy != "" && c.spentBy != t.id {
			return order.ErrRefused
		}
	}
	for _, in := range t.inputs {
		n.coins[in].spentBy = t.id
	}
	n.pending = append(n.pending, t)
	for _, out := range t.outputs {
		n.coins[out.Outpoint] = &coin{Coin: out}
	}
	return nil
}

// arrived is what was mined for an address that is not ours.
func (n *node) arrived(address cirrus.Address) cirrus.Strats {
	var total cirrus.Strats
	for _, c := range n.coins {
		if c.Address == address && c.block > 0 {
			total += c.Amount
		}
	}
	return total
}

func (n *node) IsContract(_ context.Context, address cirrus.Address) (bool, error) {
	return n.contract[address], nil
}

// undo takes the newest block's coins out of the chain again and gives the transactions that made them. The height
// stays: another block took its place.
func (n *node) undo() []*tx {
	var back []*tx
	for key, c := range n.coins {
		if c.block == n.height {
			c.block = 0
			back = append(back, &tx{id: key.TxID, outputs: []cirrus.Coin{c.Coin}})
		}
	}
	n.pending = append(n.pending, back...)
	return back
}

// rename has a payment in the mempool mined under another id, as whoever relays it can bring about.
func (n *node) rename(id cirrus.TxID) {
	for _, t := range n.pending {
		if t.id != id {
			continue
		}
		t.id = n.id()
		for _, in := range t.inputs {
			n.coins[in].spentBy = t.id
		}
		for i := range t.outputs {
			delete(n.coins, t.outputs[i].Outpoint)
			t.outputs[i].TxID = t.id
			n.coins[t.outputs[i].Outpoint] = &coin{Coin: t.outputs[i]}
		}
	}
}

// hide mines a payment whose outputs the wallet does not show.
func (n *node) hide(id cirrus.TxID) map[cirrus.Outpoint]*coin {
	hidden := map[cirrus.Outpoint]*coin{}
	for _, t := range n.pending {
		if t.id != id {
			continue
		}
		for _, out := range t.outputs {
			hidden[out.Outpoint] = n.coins[out.Outpoint]
			hidden[out.Outpoint].block = n.height + 1
			delete(n.coins, out.Outpoint)
		}
		t.outputs = nil
	}
	return hidden
}

// resold marks seats as sold before in this sale.
func (n *node) resold(seats ...cirrus.Seat) {
	for _, seat := range seats {
		n.seat(seat).Resold = true
	}
}

// Movements lists what came to and went from an address, as wallet/history does.
func (n *node) Movements(_ context.Context, _ cirrus.Account, address cirrus.Address) ([]order.Movement, error) {
	sent := map[cirrus.TxID]*order.Movement{}
	var list []order.Movement
	for _, c := range n.coins {
		if c.Address != address || c.spentBy == "" || !n.out(c.spentBy) {
			continue
		}
		for _, t := range slices.Concat(n.calls, n.built) {
			if t.id != c.spentBy {
				continue
			}
			if sent[t.id] == nil {
				sent[t.id] = n.sent(t)
			}
		}
	}
	for _, m := range sent {
		list = append(list, *m)
	}
	for _, c := range n.coins {
		if c.Address == address && sent[c.TxID] == nil {
			list = append(list, order.Movement{Kind: order.MovedIn, TxID: c.TxID, Index: c.Index, Amount: c.Amount, Block: c.block})
		}
	}
	return list, nil
}

func (n *node) sent(t *tx) *order.Movement {
	m := &order.Movement{Kind: order.MovedOut, TxID: t.id, Block: t.mined}
	if t.call != nil {
		m.Kind = "createOrCall"
	}
	for _, in := range t.inputs {
		m.Amount += n.coins[in].Amount
	}
	m.Fee = m.Amount
	for _, out := range t.outputs {
		m.Fee -= out.Amount
		m.Outputs = append(m.Outputs, order.Output{Address: out.Address, Amount: out.Amount})
	}
	return m
}
