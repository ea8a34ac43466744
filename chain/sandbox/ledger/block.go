package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

// Mine makes one block out of the mempool: ancestors first, then by rank and fee rate, as long as there is gas.
func (c *Chain) Mine() (*Block, error) {
	block := &Block{
		Height: c.Height() + 1, Prev: c.Tip().Hash, Time: c.clock(),
		contracts: maps.Clone(c.contracts), purses: maps.Clone(c.purses),
	}
	work := &assembly{chain: c, block: block}
	waiting := c.Mempool()
	slices.SortStableFunc(waiting, func(a, b *Entry) int { return a.before(b) })
	for len(waiting) > 0 {
		next := slices.IndexFunc(waiting, work.ready)
		if next < 0 {
			break
		}
		entry := waiting[next]
		waiting = slices.Delete(waiting, next, next+1)
		work.include(entry)
	}
	return block, work.finish()
}

// before orders the mempool: by rank, then by fee for a byte, then by age.
func (e *Entry) before(other *Entry) int {
	if e.Rank != other.Rank {
		return other.Rank - e.Rank
	}
	// fee/size compared without division
	if by := compare(other.Fee*uint64(e.Tx.Size()), e.Fee*uint64(other.Tx.Size())); by != 0 {
		return by
	}
	return compare(e.order, other.order)
}

// assembly is a block in the making.
type assembly struct {
	chain   *Chain
	block   *Block
	entries []*Entry
	gas     uint64
	fees    uint64
	returns []Out // unused gas, in the order of the calls
}

// ready tells whether everything that the transaction builds on is in a block.
func (a *assembly) ready(entry *Entry) bool {
	for _, in := range entry.Tx.Ins {
		if _, waits := a.chain.pool[in.Prev.TxID]; waits && !slices.Contains(a.block.Txs, in.Prev.TxID) {
			return false
		}
	}
	return true
}

// include puts a transaction into the block. A call for which the block has no gas left stays in the mempool.
func (a *assembly) include(entry *Entry) {
	if entry.Call == nil {
		a.add(entry)
		return
	}
	done := a.chain.execute(entry, a.block.Height)
	if a.gas+done.receipt.GasUsed > a.chain.rules.BlockGas {
		return
	}
	a.gas += done.receipt.GasUsed
	a.add(entry)
	a.commit(entry, done)
}

func (a *assembly) add(entry *Entry) {
	a.entries = append(a.entries, entry)
	a.block.Txs = append(a.block.Txs, entry.ID)
	a.fees += entry.Fee
}

// commit makes what a call did part of the chain.
func (a *assembly) commit(entry *Entry, done execution) {
	c := a.chain
	at := done.receipt.Contract
	if done.after != nil {
		c.contracts[at] = done.after
	}
	c.receipts[entry.ID] = done.receipt
	a.block.Calls = append(a.block.Calls, entry.ID)
	if done.unused > 0 {
		a.returns = append(a.returns, Out{Amount: done.unused * entry.Call.GasPrice, Script: Pay(done.receipt.From)})
	}
	generated := c.settle(entry, done)
	if generated == nil {
		return
	}
	follow := c.remember(generated, Generated)
	follow.Cause = entry.ID
	a.add(follow)
}

// finish puts the coinbase in front, seals the block and makes it the tip.
func (a *assembly) finish() error {
	c := a.chain
	var returned uint64
	for _, out := range a.returns {
		returned += out.Amount
	}
	height := binary.LittleEndian.AppendUint64(nil, a.block.Height)
	nonce := make([]byte, 4)
	if _, err := io.ReadFull(c.rand, nonce); err != nil {
		return fmt.Errorf("drawing a nonce: %w", err)
	}
	coinbase := &Tx{
		Ins:  []In{{Prev: cirrus.Outpoint{TxID: nullTxID, Index: nullIndex}, Script: append(height, nonce...)}},
		Outs: append([]Out{{Amount: a.fees - returned, Script: Pay(c.miner)}}, a.returns...),
	}
	first := c.remember(coinbase, Coinbase)
	a.block.Txs = slices.Insert(a.block.Txs, 0, first.ID)
	if err := c.seal(a.block); err != nil {
		return err
	}
	c.blocks = append(c.blocks, a.block)
	for _, entry := range append([]*Entry{first}, a.entries...) {
		c.move(entry, Mined)
	}
	for _, id := range a.block.Calls {
		c.receipts[id].Block = a.block.Hash
	}
	return nil
}

// seal gives a block its hash, which is a new one whenever a block is made again after a reorganisation.
func (c *Chain) seal(block *Block) error {
	nonce := make([]byte, 4)
	if _, err := io.ReadFull(c.rand, nonce); err != nil {
		return fmt.Errorf("drawing a nonce: %w", err)
	}
	block.Nonce = binary.LittleEndian.Uint32(nonce)
	header := append([]byte(nil), reversed(block.Prev)...)
	root := block.MerkleRoot()
	header = append(header, reversed(root)...)
	header = binary.LittleEndian.AppendUint64(header, uint64(block.Time.Unix()))
	header = binary.LittleEndian.AppendUint64(header, block.Height)
	block.Hash = doubleHash(append(header, nonce...))
	return nil
}

// MerkleRoot is one hash over the transactions of the block.
func (b *Block) MerkleRoot() cirrus.TxID {
	sum := sha256.New()
	for _, id := range b.Txs {
		sum.Write(reversed(id))
	}
	return doubleHash(sum.Sum(nil))
}

// execution is what a call did, not yet part of the chain.
type execution struct {
	receipt   *Receipt
	after     *contract.Contract // nil where nothing changed
	transfers []contract.Transfer
	value     uint64 // strats that came along
	source    cirrus.Outpoint
	unused    uint64 // units of gas that are paid back
}

// OutOfGas is the error of a receipt whose call needed more gas than its limit.
const OutOfGas = "Execution ran out of gas."

// execute runs the call of a transaction against a copy of its contract.
func (c *Chain) execute(entry *Entry, height uint64) execution {
	call := entry.Call
	from := c.coins[entry.Tx.Ins[0].Prev].Owner
	done := execution{receipt: &Receipt{
		TxID: entry.ID, Height: height, GasPrice: call.GasPrice, From: from, Contract: call.Contract, Method: call.Method,
	}}
	for i, out := range entry.Tx.Outs {
		if _, ok := ParseCall(out.Script); ok {
			done.value, done.source = out.Amount, cirrus.Outpoint{TxID: entry.ID, Index: uint32(i)}
		}
	}
	input := contract.Call{Height: height, Sender: from, Value: done.value, Method: call.Method, Params: call.Params}
	after, result := c.run(entry, input)
	receipt := done.receipt
	receipt.Success, receipt.GasUsed = result.OK, contract.GasUsed(result.GasMetered)
	if call.Create {
		receipt.Contract = created(entry.ID)
	} else {
		receipt.To = &receipt.Contract
	}
	if result.Failure != nil {
		receipt.Error = result.Failure.ReceiptError()
	}
	if receipt.GasUsed > call.GasLimit {
		receipt.Success, receipt.GasUsed, receipt.Error = false, call.GasLimit, OutOfGas
	}
	if done.unused = call.GasLimit - receipt.GasUsed; !receipt.Success {
		return done
	}
	done.after, done.transfers, receipt.Logs = after, result.Transfers, result.Logs
	if call.Create {
		receipt.New = &receipt.Contract
	}
	return done
}

// run gives the contract after the call, and what the call did.
func (c *Chain) run(entry *Entry, input contract.Call) (*contract.Contract, contract.Result) {
	if entry.Call.Create {
		return contract.Create(input.Sender, input)
	}
	before, ok := c.contracts[entry.Call.Contract]
	if !ok {
		failure := &contract.Failure{Kind: "ContractDoesNotExist", Message: "No contract at this address."}
		return nil, contract.Result{Failure: failure, Refund: input.Value, GasMetered: MinGasLimit}
	}
	after := before.Clone()
	return after, after.Execute(input)
}

// settle makes the transaction that moves a contract's money after a call, nil where none is needed: a failure sends
// the whole value back; otherwise everything that the contract has is joined into one coin, less what it pays.
func (c *Chain) settle(entry *Entry, done execution) *Tx {
	at := done.receipt.Contract
	if !done.receipt.Success {
		if done.value == 0 {
			return nil
		}
		return &Tx{
			Ins:  []In{{Prev: done.source, Script: []byte{opSpend}}},
			Outs: []Out{{Amount: done.value, Script: Pay(done.receipt.From)}},
		}
	}
	purse, has := c.purses[at]
	if len(done.transfers) == 0 && (done.value == 0 || !has) {
		if done.value > 0 {
			c.purses[at] = done.source
		}
		return nil
	}
	tx := &Tx{}
	var held uint64
	if has {
		tx.Ins, held = append(tx.Ins, In{Prev: purse, Script: []byte{opSpend}}), c.coins[purse].Amount
	}
	if done.value > 0 {
		tx.Ins, held = append(tx.Ins, In{Prev: done.source, Script: []byte{opSpend}}), held+done.value
	}
	return c.payOut(tx, at, held, done.transfers)
}

func (c *Chain) payOut(tx *Tx, at cirrus.Hash, holds uint64, transfers []contract.Transfer) *Tx {
	var outs []Out
	for _, transfer := range transfers {
		outs = append(outs, Out{Amount: transfer.Amount, Script: Pay(transfer.To)})
		holds -= transfer.Amount
	}
	delete(c.purses, at)
	if holds > 0 {
		outs = append([]Out{{Amount: holds, Script: held(at)}}, outs...)
	}
	tx.Outs = outs
	if holds > 0 {
		c.purses[at] = cirrus.Outpoint{TxID: tx.ID()}
	}
	return tx
}

// created gives the address of the contract that a transaction creates.
func created(by cirrus.TxID) cirrus.Hash {
	sum := sha256.Sum256(append(reversed(by), 0, 0, 0, 0))
	return cirrus.Hash(sum[:20])
}

// Created gives the address of the contract that a transaction creates.
func Created(by cirrus.TxID) cirrus.Hash { return created(by) }
