package sandbox

import (
	"cmp"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// LedgerView is everything there is to audit: every address with its outputs, every transaction. Amounts are strats.
type LedgerView struct {
	Network      string            `json:"network"`
	Height       uint64            `json:"height"`
	Tip          cirrus.TxID       `json:"tip"`
	Addresses    []AddressView     `json:"addresses"`
	Transactions []TransactionView `json:"transactions"`
	Totals       TotalsView        `json:"totals"`
}

// TotalsView is the count of all money: Issued equals Unspent plus FeesPending.
type TotalsView struct {
	Issued      uint64 `json:"issued"`      // came from outside
	Unspent     uint64 `json:"unspent"`     // lies in outputs that nothing spends
	FeesPending uint64 `json:"feesPending"` // of transactions in the mempool; a block gives them to the miner and back to callers
}

// AddressView is one address, or one contract.
type AddressView struct {
	Address  cirrus.Address `json:"address"`
	Contract bool           `json:"contract"`
	Wallet   string         `json:"wallet,omitempty"` // "wallet/account" where one of the node's wallets has it
	Change   bool           `json:"change,omitempty"` // an address for change
	Role     string         `json:"role,omitempty"`   // miner, organiser
	Balance  uint64         `json:"balance"`          // unspent, the mempool counted
	Outputs  []OutputView   `json:"outputs"`
}

// OutputView is one output. SpentBy names a transaction in a block or in the mempool.
type OutputView struct {
	TransactionID cirrus.TxID    `json:"transactionId"`
	Index         uint32         `json:"index"`
	Address       cirrus.Address `json:"address"`
	Amount        uint64         `json:"amount"`
	CreatedBy     ledger.Kind    `json:"createdBy"`
	State         ledger.State   `json:"state"`  // of the transaction that made it; only mempool and mined exist
	Height        *uint64        `json:"height"` // null outside of a block
	Confirmations uint64         `json:"confirmations"`
	SpentBy       cirrus.TxID    `json:"spentBy,omitempty"`
	SpentHeight   *uint64        `json:"spentHeight,omitempty"`
}

// TransactionView is one transaction.
type TransactionView struct {
	TransactionID cirrus.TxID  `json:"transactionId"`
	Kind          ledger.Kind  `json:"kind"`
	State         ledger.State `json:"state"`
	Height        *uint64      `json:"height"` // null outside of a block
	Inputs        []InputView  `json:"inputs"`
	Outputs       []OutputView `json:"outputs"`
	Fee           uint64       `json:"fee"`
	Cause         cirrus.TxID  `json:"cause,omitempty"` // the call that a generated transaction belongs to
	Call          *CallView    `json:"call,omitempty"`
}

// InputView is one input and the output that it spends.
type InputView struct {
	TransactionID cirrus.TxID    `json:"transactionId"`
	Index         uint32         `json:"index"`
	Address       cirrus.Address `json:"address"`
	Amount        uint64         `json:"amount"`
}

// CallView is the contract call that a transaction carries. Success and what follows is there once it is in a block.
type CallView struct {
	Contract  cirrus.Address `json:"contract"`
	Method    string         `json:"method"`
	Sender    cirrus.Address `json:"sender"`
	Value     uint64         `json:"value"`
	GasPrice  uint64         `json:"gasPrice"`
	GasLimit  uint64         `json:"gasLimit"`
	Success   *bool          `json:"success"`
	GasUsed   *uint64        `json:"gasUsed,omitempty"`
	GasCost   *uint64        `json:"gasCost,omitempty"`   // gas used times gas price
	GasReturn *uint64        `json:"gasReturn,omitempty"` // what the coinbase gives back
	Error     string         `json:"error,omitempty"`
}

// Ledger gives everything there is to audit.
func (s *Sandbox) Ledger() LedgerView {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.chain.Sum()
	view := LedgerView{
		Network: s.options.Network.Name, Height: s.chain.Height(), Tip: s.chain.Tip().Hash,
		Addresses: []AddressView{}, Transactions: []TransactionView{},
		Totals: TotalsView{Issued: sum.Issued, Unspent: sum.Unspent, FeesPending: sum.Fees},
	}
	for _, owner := range s.chain.Owners() {
		view.Addresses = append(view.Addresses, s.addressView(owner))
	}
	slices.SortFunc(view.Addresses, func(a, b AddressView) int { return cmp.Compare(a.Address, b.Address) })
	for _, entry := range s.chain.Entries() {
		view.Transactions = append(view.Transactions, s.transactionView(entry))
	}
	return view
}

func (s *Sandbox) addressView(owner cirrus.Hash) AddressView {
	view := AddressView{Address: s.address(owner), Contract: s.chain.IsContract(owner), Outputs: []OutputView{}}
	if home, ok := s.wallets.Home(owner); ok {
		view.Wallet, view.Change = home.Wallet.Name+"/"+home.Account.Name, home.Change
	}
	switch owner {
	case s.organiser:
		view.Role = "organiser"
	case s.chain.Miner():
		view.Role = "miner"
	}
	for _, coin := range s.chain.Owned(owner) {
		view.Outputs = append(view.Outputs, s.outputView(coin))
		if s.chain.Unspent(coin.Outpoint, true) {
			view.Balance += coin.Amount
		}
	}
	return view
}

func (s *Sandbox) outputView(coin *ledger.Coin) OutputView {
	made, _ := s.chain.Entry(coin.TxID)
	view := OutputView{
		TransactionID: coin.TxID, Index: coin.Index, Address: s.address(coin.Owner), Amount: coin.Amount, CreatedBy: made.Kind,
		State: made.State, Height: minedAt(made), Confirmations: s.chain.Confirmations(coin.TxID),
	}
	if spender, spent := s.chain.Spender(coin.Outpoint); spent {
		view.SpentBy, view.SpentHeight = spender.ID, minedAt(spender)
	}
	return view
}

func minedAt(entry *ledger.Entry) *uint64 {
	if entry.State != ledger.Mined {
		return nil
	}
	height := entry.Height
	return &height
}

func (s *Sandbox) transactionView(entry *ledger.Entry) TransactionView {
	view := TransactionView{
		TransactionID: entry.ID, Kind: entry.Kind, State: entry.State, Height: minedAt(entry), Inputs: []InputView{},
		Outputs: []OutputView{}, Fee: entry.Fee, Cause: entry.Cause,
	}
	for _, in := range entry.Tx.Ins {
		if coin, ok := s.chain.Coin(in.Prev); ok {
			view.Inputs = append(view.Inputs, InputView{in.Prev.TxID, in.Prev.Index, s.address(coin.Owner), coin.Amount})
		}
	}
	for i := range entry.Tx.Outs {
		if coin, ok := s.chain.Coin(cirrus.Outpoint{TxID: entry.ID, Index: uint32(i)}); ok {
			view.Outputs = append(view.Outputs, s.outputView(coin))
		}
	}
	if entry.Call != nil {
		view.Call = s.callView(entry)
	}
	return view
}

func (s *Sandbox) callView(entry *ledger.Entry) *CallView {
	sender, _ := s.chain.Sender(entry.Tx)
	view := &CallView{
		Contract: s.address(entry.Call.Contract), Method: entry.Call.Method, Sender: s.address(sender),
		GasPrice: entry.Call.GasPrice, GasLimit: entry.Call.GasLimit,
	}
	if entry.Call.Create {
		view.Contract, view.Method = s.address(ledger.Created(entry.ID)), "<create>"
	}
	for _, out := range entry.Tx.Outs {
		if _, isCall := ledger.ParseCall(out.Script); isCall {
			view.Value = out.Amount
		}
	}
	receipt, found := s.chain.Receipt(entry.ID)
	if !found {
		return view
	}
	cost := receipt.GasUsed * receipt.GasPrice
	back := entry.Call.Budget() - cost
	success, used := receipt.Success, receipt.GasUsed
	view.Success, view.GasUsed, view.GasCost, view.GasReturn, view.Error = &success, &used, &cost, &back, receipt.Error
	return view
}
