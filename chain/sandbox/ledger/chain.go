package ledger

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

// Rules are what differs between the generations of the node.
type Rules struct {
	MaxGasLimit uint64 // units of gas that one call may ask for
	BlockGas    uint64 // units of gas that the calls of one block may use
	// SplitMissing: missing and spent inputs are told apart, as a node of 2020 does.
	SplitMissing bool
}

// Limits that both generations of the node share.
const (
	MinGasLimit = 10_000
	MinGasPrice = 100    // strats for a unit of gas
	MaxGasPrice = 10_000 // strats for a unit of gas
	Dust        = 5_460  // strats; an output below is refused
	MinFee      = 10_000 // strats
	FeePerByte  = 10     // strats
	MaxAncestry = 25     // unconfirmed transactions in a chain, the new one included
	Maturity    = 2      // confirmations from which on a coinbase output can be spent
	Finality    = 240    // blocks; no node undoes more
)

// Config is what a chain needs.
type Config struct {
	Rules Rules
	Clock func() time.Time
	Rand  io.Reader
}

// Kind tells what made a transaction.
type Kind string

// The kinds of transactions. Outside money comes into being with the chain; everything else moves it.
const (
	Outside   Kind = "outside"   // money from outside of the story: it appears from nowhere at height 0
	Payment   Kind = "payment"   // moves coins between addresses
	Call      Kind = "call"      // calls a contract
	Create    Kind = "create"    // creates a contract
	Coinbase  Kind = "coinbase"  // pays out the fees of a block and returns unused gas
	Generated Kind = "generated" // moves a contract's money after a call
)

// State tells where a transaction is.
type State string

// The states of a transaction.
const (
	InMempool State = "mempool"
	Mined     State = "mined"
	Dropped   State = "dropped"  // left the mempool; wallets still count it
	Vanished  State = "vanished" // its inputs went to another transaction or with an undone block; wallets forget it
)

// Entry is a transaction and what became of it. Callers must not change it.
type Entry struct {
	ID    cirrus.TxID
	Tx    *Tx
	Kind  Kind
	State State
	Fee   uint64 // strats
	// Height is the block's where State is Mined, else the tip's when the transaction came.
	Height  uint64
	Seq     uint64    // changes whenever State does
	Arrived time.Time // when it was first seen
	Call    *CallData // of a Call or Create
	Cause   cirrus.TxID
	Rank    int // other buyers and the organiser go before or after what the fee rate says
	order   uint64
}

// Coin is an output that exists or existed.
type Coin struct {
	cirrus.Outpoint
	Amount   uint64      // strats
	Owner    cirrus.Hash // the address, or the contract where Contract is set
	Contract bool        // held by a contract, or on its way into one
	Script   []byte
}

// Receipt is what executing a call left.
type Receipt struct {
	TxID     cirrus.TxID
	Block    cirrus.TxID // hash
	Height   uint64
	GasUsed  uint64
	GasPrice uint64 // strats
	From     cirrus.Hash
	To       *cirrus.Hash // nil for a creation
	New      *cirrus.Hash // the contract that was created
	Contract cirrus.Hash
	Method   string
	Success  bool
	Error    string // empty where Success
	Logs     []contract.Log
}

// Block is one block. Txs are in order, the coinbase first, generated transactions behind their calls.
type Block struct {
	Height    uint64
	Hash      cirrus.TxID
	Prev      cirrus.TxID
	Time      time.Time
	Nonce     uint32
	Txs       []cirrus.TxID
	Calls     []cirrus.TxID // those with a receipt, in order
	contracts map[cirrus.Hash]*contract.Contract
	purses    map[cirrus.Hash]cirrus.Outpoint
}

// Chain is the whole state of the sandbox's chain.
type Chain struct {
	rules     Rules
	clock     func() time.Time
	rand      io.Reader
	key       []byte // proves that a wallet of this chain signed
	miner     cirrus.Hash
	blocks    []*Block // index: height
	entries   map[cirrus.TxID]*Entry
	coins     map[cirrus.Outpoint]*Coin
	owned     map[cirrus.Hash][]cirrus.Outpoint // oldest first
	spenders  map[cirrus.Outpoint][]cirrus.TxID // every transaction that ever tried
	receipts  map[cirrus.TxID]*Receipt
	contracts map[cirrus.Hash]*contract.Contract // replaced, never changed
	purses    map[cirrus.Hash]cirrus.Outpoint    // the one coin that a contract holds
	marked    map[cirrus.Hash]bool               // addresses that were declared contracts
	pool      map[cirrus.TxID]*Entry             // the mempool
	seq       uint64
}

// New makes a chain with its first block, at height 0.
func New(config Config) (*Chain, error) {
	c := &Chain{
		rules: config.Rules, clock: config.Clock, rand: config.Rand, key: make([]byte, 32),
		entries: map[cirrus.TxID]*Entry{}, coins: map[cirrus.Outpoint]*Coin{}, owned: map[cirrus.Hash][]cirrus.Outpoint{},
		spenders: map[cirrus.Outpoint][]cirrus.TxID{}, receipts: map[cirrus.TxID]*Receipt{},
		contracts: map[cirrus.Hash]*contract.Contract{}, purses: map[cirrus.Hash]cirrus.Outpoint{},
		marked: map[cirrus.Hash]bool{}, pool: map[cirrus.TxID]*Entry{},
	}
	if _, err := io.ReadFull(c.rand, c.key); err != nil {
		return nil, fmt.Errorf("drawing the chain's key: %w", err)
	}
	miner, err := c.Stranger()
	if err != nil {
		return nil, err
	}
	c.miner = miner
	c.blocks = []*Block{{Prev: nullTxID, Time: c.clock()}}
	return c, c.seal(c.blocks[0])
}

// Rules gives the rules that the chain was made with.
func (c *Chain) Rules() Rules { return c.rules }

// Stranger gives an address that nobody uses.
func (c *Chain) Stranger() (cirrus.Hash, error) {
	var hash cirrus.Hash
	if _, err := io.ReadFull(c.rand, hash[:]); err != nil {
		return hash, fmt.Errorf("drawing an address: %w", err)
	}
	return hash, nil
}

// Miner is the address that the fees go to.
func (c *Chain) Miner() cirrus.Hash { return c.miner }

// Tip gives the newest block.
func (c *Chain) Tip() *Block { return c.blocks[len(c.blocks)-1] }

// Height gives the height of the newest block.
func (c *Chain) Height() uint64 { return uint64(len(c.blocks) - 1) }

// BlockAt finds a block by height.
func (c *Chain) BlockAt(height uint64) (*Block, bool) {
	if height >= uint64(len(c.blocks)) {
		return nil, false
	}
	return c.blocks[height], true
}

// BlockNamed finds a block by hash.
func (c *Chain) BlockNamed(hash cirrus.TxID) (*Block, bool) {
	for _, block := range slices.Backward(c.blocks) {
		if block.Hash == hash {
			return block, true
		}
	}
	return nil, false
}

// Entry finds a transaction that the chain has ever seen.
func (c *Chain) Entry(id cirrus.TxID) (*Entry, bool) {
	entry, ok := c.entries[id]
	return entry, ok
}

// Entries gives every transaction ever seen, oldest first.
func (c *Chain) Entries() []*Entry {
	return slices.SortedFunc(maps.Values(c.entries), func(a, b *Entry) int { return compare(a.order, b.order) })
}

// Mempool gives the unconfirmed transactions, oldest first.
func (c *Chain) Mempool() []*Entry {
	return slices.SortedFunc(maps.Values(c.pool), func(a, b *Entry) int { return compare(a.order, b.order) })
}

// Coin finds an output that exists or existed.
func (c *Chain) Coin(point cirrus.Outpoint) (*Coin, bool) {
	coin, ok := c.coins[point]
	return coin, ok
}

// Owned gives every output that was ever made to an address or contract, oldest first.
func (c *Chain) Owned(owner cirrus.Hash) []*Coin {
	coins := make([]*Coin, 0, len(c.owned[owner]))
	for _, point := range c.owned[owner] {
		coins = append(coins, c.coins[point])
	}
	return coins
}

// Owners gives everybody who ever had an output.
func (c *Chain) Owners() []cirrus.Hash { return slices.Collect(maps.Keys(c.owned)) }

// Spenders gives every transaction that ever spent a coin, whatever became of it.
func (c *Chain) Spenders(point cirrus.Outpoint) []*Entry {
	entries := make([]*Entry, 0, len(c.spenders[point]))
	for _, id := range c.spenders[point] {
		entries = append(entries, c.entries[id])
	}
	return entries
}

// Spender gives the transaction that spends a coin now, in a block or in the mempool.
func (c *Chain) Spender(point cirrus.Outpoint) (*Entry, bool) {
	for _, entry := range c.Spenders(point) {
		if entry.State == Mined || entry.State == InMempool {
			return entry, true
		}
	}
	return nil, false
}

// Confirmations gives how many blocks hold or follow a transaction; 0 outside of a block.
func (c *Chain) Confirmations(id cirrus.TxID) uint64 {
	entry, ok := c.entries[id]
	if !ok || entry.State != Mined {
		return 0
	}
	return c.Height() - entry.Height + 1
}

// Unspent tells whether a coin exists and nothing spends it. With mempool unset only blocks count.
func (c *Chain) Unspent(point cirrus.Outpoint, mempool bool) bool {
	made, ok := c.entries[point.TxID]
	if _, exists := c.coins[point]; !ok || !exists {
		return false
	}
	if made.State != Mined && (!mempool || made.State != InMempool) {
		return false
	}
	spender, spent := c.Spender(point)
	return !spent || (!mempool && spender.State == InMempool)
}

// Receipt finds the receipt of a mined call.
func (c *Chain) Receipt(id cirrus.TxID) (*Receipt, bool) {
	receipt, ok := c.receipts[id]
	return receipt, ok
}

// Contract finds a contract as the newest block left it. It must not be executed, only read or cloned.
func (c *Chain) Contract(at cirrus.Hash) (*contract.Contract, bool) {
	found, ok := c.contracts[at]
	return found, ok
}

// IsContract tells whether an address is one of a contract, one that Mark declared included.
func (c *Chain) IsContract(at cirrus.Hash) bool {
	_, ok := c.contracts[at]
	return ok || c.marked[at]
}

// Mark declares an address to be a contract.
func (c *Chain) Mark(at cirrus.Hash) { c.marked[at] = true }

// Issue makes money from outside: a confirmed coin at an address that did not exist before.
func (c *Chain) Issue(to cirrus.Hash, amount uint64) (cirrus.Outpoint, error) {
	if amount == 0 || amount > math.MaxInt64/1000 {
		return cirrus.Outpoint{}, fmt.Errorf("%w: %d strats cannot be issued", ErrTx, amount)
	}
	tx := &Tx{
		Ins:  []In{{Prev: cirrus.Outpoint{TxID: nullTxID, Index: nullIndex}, Script: binary.LittleEndian.AppendUint64(nil, c.seq)}},
		Outs: []Out{{Amount: amount, Script: Pay(to)}},
	}
	entry := c.remember(tx, Outside)
	c.move(entry, Mined)
	entry.Height = 0
	return cirrus.Outpoint{TxID: entry.ID}, nil
}

// remember enters a transaction that was never seen, or finds it.
func (c *Chain) remember(tx *Tx, kind Kind) *Entry {
	id := tx.ID()
	if entry, ok := c.entries[id]; ok {
		return entry
	}
	entry := &Entry{ID: id, Tx: tx, Kind: kind, Arrived: c.clock(), order: uint64(len(c.entries)), State: Dropped}
	c.entries[id] = entry
	for i, out := range tx.Outs {
		c.addCoin(cirrus.Outpoint{TxID: id, Index: uint32(i)}, out)
	}
	for _, in := range tx.Ins {
		if in.Prev.TxID != nullTxID {
			c.spenders[in.Prev] = append(c.spenders[in.Prev], id)
		}
	}
	return entry
}

func (c *Chain) addCoin(point cirrus.Outpoint, out Out) {
	coin := &Coin{Outpoint: point, Amount: out.Amount, Script: out.Script}
	if to, ok := Payee(out.Script); ok {
		coin.Owner = to
	} else if by, ok := holder(out.Script); ok {
		coin.Owner, coin.Contract = by, true
	} else if call, ok := ParseCall(out.Script); ok {
		coin.Owner, coin.Contract = call.Contract, true
		if call.Create {
			coin.Owner = created(point.TxID)
		}
	}
	c.coins[point] = coin
	c.owned[coin.Owner] = append(c.owned[coin.Owner], point)
}

// move changes the state of a transaction and keeps the mempool in step.
func (c *Chain) move(entry *Entry, state State) {
	c.seq++
	entry.State, entry.Seq, entry.Height = state, c.seq, c.Height()
	if state == InMempool {
		c.pool[entry.ID] = entry
	} else {
		delete(c.pool, entry.ID)
	}
}

func compare(a, b uint64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}
