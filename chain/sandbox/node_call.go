package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/ledger"
	"github.com/usherbot/usher/chain/sandbox/wallet"
)

type callBody struct {
	WalletName      words          `json:"walletName"`
	AccountName     words          `json:"accountName"`
	Outpoints       []outpointBody `json:"outpoints"`
	ContractAddress words          `json:"contractAddress"`
	MethodName      words          `json:"methodName"`
	Amount          words          `json:"amount"`
	FeeAmount       words          `json:"feeAmount"`
	Password        words          `json:"password"`
	GasPrice        count          `json:"gasPrice"`
	GasLimit        count          `json:"gasLimit"`
	Sender          words          `json:"sender"`
	Parameters      []words        `json:"parameters"`
}

type calledBody struct {
	Fee           uint64      `json:"fee"`
	Hex           string      `json:"hex"`
	Message       string      `json:"message"`
	Success       bool        `json:"success"`
	TransactionID cirrus.TxID `json:"transactionId"`
}

// call is the generic contract call.
func (s *Sandbox) call(a *ask) reply {
	var body callBody
	if err := a.decode(&body); err != nil {
		return malformed(err)
	}
	if missing := s.callMissing(body); len(missing) > 0 {
		return nodeFailure(http.StatusBadRequest, strings.Join(missing, "\n"), "Formatting error")
	}
	params, err := contract.ParseParams(s.options.Network, texts(body.Parameters))
	if err != nil {
		return nodeRefusal(refused("%s", err))
	}
	at, _ := cirrus.Address(body.ContractAddress).Hash()
	amount, _ := cirrus.ParseCRS(string(body.Amount))
	extra, _ := cirrus.ParseCRS(string(body.FeeAmount))
	built, err := s.buildCall(body, wallet.CallPlan{
		Amount: uint64(amount), ExtraFee: uint64(extra), Call: ledger.CallData{
			Contract: at, Method: string(body.MethodName), Params: params,
			GasPrice: uint64(body.GasPrice), GasLimit: uint64(body.GasLimit),
		},
	})
	if err != nil {
		return nodeRefusal(err)
	}
	if err := s.send(built.Tx); err != nil {
		return nodeRefusal(err)
	}
	return ok(calledBody{
		Fee: built.Fee, Hex: built.Tx.Hex(), Success: true, TransactionID: built.Tx.ID(),
		Message: "Your CALL method " + string(body.MethodName) + " transaction was successfully built.",
	})
}

// buildCall fills the plan of a call with who pays for it.
func (s *Sandbox) buildCall(body callBody, plan wallet.CallPlan) (wallet.Built, error) {
	named, err := points(body.Outpoints)
	if err != nil {
		return wallet.Built{}, err
	}
	sender, err := cirrus.Address(body.Sender).Hash()
	if err != nil {
		return wallet.Built{}, refused("Invalid sender %s", clip(string(body.Sender)))
	}
	plan.Wallet, plan.Account, plan.Password = string(body.WalletName), string(body.AccountName), string(body.Password)
	plan.Sender, plan.SenderText, plan.Outpoints = sender, string(body.Sender), named
	return s.wallets.BuildCall(plan)
}

// callMissing says what is wrong with the fields of a call, before anything else is looked at.
func (s *Sandbox) callMissing(body callBody) []string {
	var say []string
	for _, field := range []struct {
		value words
		say   string
	}{
		{body.WalletName, "The name of the wallet is missing."},
		{body.ContractAddress, "A smart contract address is required."},
		{body.MethodName, "A method name is required."},
		{body.Amount, "An amount is required but this can be set to 0."},
		{body.FeeAmount, "The fee is not in the correct format."},
		{body.Password, "A password for the wallet is required."},
		{body.Sender, "Sender is required."},
	} {
		if field.value == "" {
			say = append(say, field.say)
		}
	}
	for _, address := range []words{body.ContractAddress, body.Sender} {
		if _, err := s.options.Network.ParseAddress(string(address)); address != "" && err != nil {
			say = append(say, "Invalid address "+clip(string(address)))
		}
	}
	for _, amount := range []words{body.Amount, body.FeeAmount} {
		if _, err := cirrus.ParseCRS(string(amount)); amount != "" && err != nil {
			say = append(say, "The amount is not in the correct format.")
		}
	}
	say = append(say, between("GasPrice", uint64(body.GasPrice), ledger.MinGasPrice, ledger.MaxGasPrice)...)
	return append(say, between("GasLimit", uint64(body.GasLimit), ledger.MinGasLimit, s.GasLimit())...)
}

func between(name string, value, least, most uint64) []string {
	if value >= least && value <= most {
		return nil
	}
	return []string{"The field " + name + " must be between " + decimal(least) + " and " + decimal(most) + "."}
}

type callItemBody struct {
	BlockHeight    *uint64        `json:"blockHeight"`
	Type           int            `json:"type"`
	Hash           cirrus.TxID    `json:"hash"`
	To             cirrus.Address `json:"to"`
	Amount         pointDecimal   `json:"amount"`
	TransactionFee pointDecimal   `json:"transactionFee"`
	GasFee         pointDecimal   `json:"gasFee"`
}

// Types of items in the history of an address, as the node numbers them.
const (
	itemCall   = 3
	itemCreate = 4
)

func (s *Sandbox) callHistory(a *ask) reply {
	if a.text("walletName") == "" {
		return nodeFailure(http.StatusBadRequest, "No wallet name", "No wallet name provided")
	}
	if a.text("address") == "" {
		return nodeFailure(http.StatusBadRequest, "No address", "No address provided")
	}
	found, err := s.wallets.Wallet(a.text("walletName"))
	if err != nil {
		return nodeRefusal(err)
	}
	hash, _ := cirrus.Address(a.text("address")).Hash()
	items := []callItemBody{}
	for _, entry := range found.Calls(hash) {
		items = append(items, s.callItem(entry))
	}
	slices.SortStableFunc(items, func(a, b callItemBody) int { return cmp.Compare(height(b), height(a)) })
	return ok(items)
}

func height(item callItemBody) uint64 {
	if item.BlockHeight == nil {
		return 1<<64 - 1
	}
	return *item.BlockHeight
}

func (s *Sandbox) callItem(entry *ledger.Entry) callItemBody {
	budget := entry.Call.Budget()
	item := callItemBody{Type: itemCall, Hash: entry.ID, To: s.address(entry.Call.Contract), GasFee: pointDecimal(budget)}
	if entry.Kind == ledger.Create {
		item.Type, item.To = itemCreate, s.address(ledger.Created(entry.ID))
	}
	item.TransactionFee = pointDecimal(entry.Fee - budget)
	for _, out := range entry.Tx.Outs {
		if _, isCall := ledger.ParseCall(out.Script); isCall {
			item.Amount = pointDecimal(out.Amount)
		}
	}
	if entry.State == ledger.Mined {
		height := entry.Height
		item.BlockHeight = &height
	}
	if receipt, found := s.chain.Receipt(entry.ID); found {
		item.GasFee = pointDecimal(receipt.GasUsed * receipt.GasPrice)
	}
	return item
}

func (s *Sandbox) accountAddresses(a *ask) reply {
	found, err := s.wallets.Wallet(a.text("walletName"))
	if err != nil {
		return nodeRefusal(err)
	}
	list := []cirrus.Address{}
	for _, coin := range found.Spendable(found.Accounts[0], 0) {
		if address := s.address(coin.Owner); !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	if len(list) == 0 {
		list = append(list, s.address(s.wallets.UnusedAddresses(found, found.Accounts[0], 1)[0]))
	}
	return ok(list)
}

func (s *Sandbox) addressBalance(a *ask) reply {
	hash, err := cirrus.Address(a.text("address")).Hash()
	if err != nil {
		return reply{status: http.StatusInternalServerError} // the node does not catch it
	}
	confirmed, _, found := s.wallets.Balance(hash)
	if !found {
		return reply{status: http.StatusInternalServerError} // neither this
	}
	return ok(pointDecimal(confirmed))
}
