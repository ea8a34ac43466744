package ledger

import (
	"errors"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
)

// Why the mempool refuses a transaction, in the node's words.
var (
	ErrInMempool     = errors.New("txn-already-in-mempool")
	ErrKnown         = errors.New("txn-already-known")
	ErrConflict      = errors.New("txn-mempool-conflict")
	ErrMissingSpent  = errors.New("bad-txns-inputs-missingorspent")
	ErrMissing       = errors.New("bad-txns-inputs-missing") // nodes of 2020
	ErrSpent         = errors.New("bad-txns-inputs-spent")   // nodes of 2020
	ErrDust          = errors.New("dust")
	ErrToContract    = errors.New("p2pkh-to-contract")
	ErrImmature      = errors.New("bad-txns-premature-spend-of-coinbase")
	ErrBelowOut      = errors.New("bad-txns-in-belowout")
	ErrFee           = errors.New("min relay fee not met")
	ErrSignature     = errors.New("mandatory-script-verify-flag-failed")
	ErrLongChain     = errors.New("too-long-mempool-chain")
	ErrGas           = errors.New("fee-too-small-for-gas")
	ErrNoInputs      = errors.New("bad-txns-vin-empty")
	ErrNoOutputs     = errors.New("bad-txns-vout-empty")
	ErrTooLarge      = errors.New("bad-txns-vout-toolarge")
	ErrTwice         = errors.New("bad-txns-inputs-duplicate")
	ErrScript        = errors.New("scriptpubkey")
	ErrNotInMempool  = errors.New("not in the mempool")
	ErrTooDeep       = errors.New("deeper than any node undoes")
	ErrManyContracts = errors.New("tx-multiple-contract-outputs")
)

// Accept takes a transaction into the mempool. Errors: one of those above.
func (c *Chain) Accept(tx *Tx) (*Entry, error) { return c.accept(tx, 0, false) }

// AcceptRanked does the same for transactions of the organiser and of other buyers, which go into a block in order of
// rank, highest first, and may ask for more gas than a wallet's.
func (c *Chain) AcceptRanked(tx *Tx, rank int) (*Entry, error) { return c.accept(tx, rank, true) }

func (c *Chain) accept(tx *Tx, rank int, trusted bool) (*Entry, error) {
	id := tx.ID()
	if _, ok := c.pool[id]; ok {
		return nil, ErrInMempool
	}
	call, err := c.checkForm(tx, trusted)
	if err != nil {
		return nil, err
	}
	if c.conflicts(tx, id) {
		return nil, ErrConflict
	}
	if c.knownUnspent(tx, id) {
		return nil, ErrKnown
	}
	in, err := c.checkInputs(tx)
	if err != nil {
		return nil, err
	}
	fee, err := c.checkMoney(tx, in, call)
	if err != nil {
		return nil, err
	}
	kind := Payment
	if call != nil {
		kind = Call
		if call.Create {
			kind = Create
		}
	}
	entry := c.remember(tx, kind)
	entry.Fee, entry.Call, entry.Rank = fee, call, rank
	c.move(entry, InMempool)
	return entry, nil
}

// checkForm checks what can be seen without the coins, and finds the call that the transaction carries.
func (c *Chain) checkForm(tx *Tx, trusted bool) (*CallData, error) {
	if len(tx.Ins) == 0 {
		return nil, ErrNoInputs
	}
	if len(tx.Outs) == 0 {
		return nil, ErrNoOutputs
	}
	if _, ok := tx.Total(); !ok || tx.Size() > maxTx {
		return nil, ErrTooLarge
	}
	seen := map[cirrus.Outpoint]bool{}
	for _, in := range tx.Ins {
		if seen[in.Prev] {
			return nil, ErrTwice
		}
		seen[in.Prev] = true
	}
	var call *CallData
	for _, out := range tx.Outs {
		found, err := c.checkOutput(out, trusted)
		if err != nil {
			return nil, err
		}
		if found != nil && call != nil {
			return nil, ErrManyContracts
		}
		if found != nil {
			call = found
		}
	}
	return call, nil
}

func (c *Chain) checkOutput(out Out, trusted bool) (*CallData, error) {
	if to, ok := Payee(out.Script); ok {
		if out.Amount < Dust {
			return nil, ErrDust
		}
		if c.IsContract(to) {
			return nil, ErrToContract
		}
		return nil, nil
	}
	call, ok := ParseCall(out.Script)
	if !ok {
		return nil, ErrScript
	}
	if !trusted && (call.GasLimit < MinGasLimit || call.GasLimit > c.rules.MaxGasLimit) {
		return nil, fmt.Errorf("%w: gas limit %d", ErrGas, call.GasLimit)
	}
	if call.GasPrice < MinGasPrice || call.GasPrice > MaxGasPrice {
		return nil, fmt.Errorf("%w: gas price %d", ErrGas, call.GasPrice)
	}
	return &call, nil
}

func (c *Chain) conflicts(tx *Tx, id cirrus.TxID) bool {
	for _, in := range tx.Ins {
		if spender, ok := c.Spender(in.Prev); ok && spender.State == InMempool && spender.ID != id {
			return true
		}
	}
	return false
}

// knownUnspent tells whether the transaction is in a block and something of it is still unspent.
func (c *Chain) knownUnspent(tx *Tx, id cirrus.TxID) bool {
	for i := range tx.Outs {
		point := cirrus.Outpoint{TxID: id, Index: uint32(i)}
		if entry, ok := c.entries[id]; ok && entry.State == Mined && c.Unspent(point, true) {
			return true
		}
	}
	return false
}

// checkInputs sums the coins that the transaction spends, in strats.
func (c *Chain) checkInputs(tx *Tx) (uint64, error) {
	var sum uint64
	for _, in := range tx.Ins {
		coin, ok := c.coins[in.Prev]
		if !ok || coin.Contract || !c.Unspent(in.Prev, true) {
			return 0, c.missing(in.Prev)
		}
		if !c.mature(in.Prev.TxID) {
			return 0, ErrImmature
		}
		sum += coin.Amount
	}
	return sum, nil
}

func (c *Chain) missing(point cirrus.Outpoint) error {
	if !c.rules.SplitMissing {
		return ErrMissingSpent
	}
	if spender, ok := c.Spender(point); ok && spender.State == Mined {
		return ErrSpent
	}
	return ErrMissing
}

func (c *Chain) mature(id cirrus.TxID) bool {
	entry, ok := c.entries[id]
	return ok && (entry.Kind != Coinbase || c.Confirmations(id) >= Maturity)
}

// checkMoney gives the fee, in strats.
func (c *Chain) checkMoney(tx *Tx, in uint64, call *CallData) (uint64, error) {
	out, _ := tx.Total()
	if out > in {
		return 0, ErrBelowOut
	}
	fee := in - out
	if fee < Fee(tx.Size()) {
		return 0, ErrFee
	}
	if call != nil && (call.GasLimit > fee/call.GasPrice) {
		return 0, ErrGas
	}
	if !c.signed(tx) {
		return 0, ErrSignature
	}
	if c.ancestry(tx, map[cirrus.TxID]bool{}) > MaxAncestry {
		return 0, ErrLongChain
	}
	for _, in := range tx.Ins {
		if parent, ok := c.pool[in.Prev.TxID]; ok && c.tooManyDescendants(parent) {
			return 0, ErrLongChain
		}
	}
	return fee, nil
}

// Fee gives the least fee of a transaction of that many bytes, in strats.
func Fee(size int) uint64 { return max(MinFee, uint64(size)*FeePerByte) }

// ancestry counts the unconfirmed transactions that this one builds on, itself included.
func (c *Chain) ancestry(tx *Tx, seen map[cirrus.TxID]bool) int {
	for _, in := range tx.Ins {
		if parent, ok := c.pool[in.Prev.TxID]; ok && !seen[parent.ID] {
			seen[parent.ID] = true
			c.ancestry(parent.Tx, seen)
		}
	}
	return len(seen) + 1
}

// tooManyDescendants tells whether one more would be too many for this transaction or one of its ancestors.
func (c *Chain) tooManyDescendants(entry *Entry) bool {
	if len(c.descendants(entry.ID))+1 >= MaxAncestry {
		return true
	}
	for _, in := range entry.Tx.Ins {
		if parent, ok := c.pool[in.Prev.TxID]; ok && c.tooManyDescendants(parent) {
			return true
		}
	}
	return false
}

// descendants gives the mempool transactions that build on this one, in no order.
func (c *Chain) descendants(id cirrus.TxID) map[cirrus.TxID]*Entry {
	found := map[cirrus.TxID]*Entry{}
	left := []cirrus.TxID{id}
	for len(left) > 0 {
		next := c.entries[left[0]]
		left = left[1:]
		for i := range next.Tx.Outs {
			for _, spender := range c.Spenders(cirrus.Outpoint{TxID: next.ID, Index: uint32(i)}) {
				if _, seen := found[spender.ID]; !seen && spender.State == InMempool {
					found[spender.ID] = spender
					left = append(left, spender.ID)
				}
			}
		}
	}
	return found
}

// Drop lets a transaction, and what builds on it, leave the mempool as if it had been forgotten by everybody. Errors:
// ErrNotInMempool.
func (c *Chain) Drop(id cirrus.TxID) error { return c.leave(id, Dropped) }

func (c *Chain) leave(id cirrus.TxID, state State) error {
	entry, ok := c.pool[id]
	if !ok {
		return fmt.Errorf("%w: %s", ErrNotInMempool, id)
	}
	for _, child := range c.descendants(id) {
		c.move(child, state)
	}
	c.move(entry, state)
	return nil
}

// DoubleSpend replaces a transaction of the mempool by one that gives its inputs to a stranger. What builds on it
// vanishes with it. Errors: ErrNotInMempool.
func (c *Chain) DoubleSpend(id cirrus.TxID) (*Entry, error) {
	entry, ok := c.pool[id]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrNotInMempool, id)
	}
	to, err := c.Stranger()
	if err != nil {
		return nil, err
	}
	thief := &Tx{}
	var sum uint64
	for _, in := range entry.Tx.Ins {
		thief.Ins = append(thief.Ins, In{Prev: in.Prev})
		sum += c.coins[in.Prev].Amount
	}
	thief.Outs = []Out{{Script: Pay(to)}}
	c.Sign(thief)
	fee := Fee(thief.Size())
	if sum < fee+Dust {
		return nil, ErrDust
	}
	thief.Outs[0].Amount = sum - fee
	c.Sign(thief)
	if err := c.leave(id, Vanished); err != nil {
		return nil, err
	}
	return c.AcceptRanked(thief, entry.Rank)
}
