package sandbox

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

type receiptBody struct {
	TransactionHash    cirrus.TxID     `json:"transactionHash"`
	BlockHash          cirrus.TxID     `json:"blockHash"`
	BlockNumber        *uint64         `json:"blockNumber,omitempty"` // today only
	PostState          string          `json:"postState"`
	GasUsed            uint64          `json:"gasUsed"`
	From               cirrus.Address  `json:"from"`
	To                 *cirrus.Address `json:"to"`
	NewContractAddress *cirrus.Address `json:"newContractAddress"`
	Success            bool            `json:"success"`
	ReturnValue        *string         `json:"returnValue"`
	Bloom              string          `json:"bloom"`
	Error              *string         `json:"error"`
	Logs               []logBody       `json:"logs"`
}

type logBody struct {
	Address cirrus.Address `json:"address"`
	Topics  []string       `json:"topics"`
	Data    string         `json:"data"`
	Log     any            `json:"log"`
}

// eventBody is how today's nodes wrap a decoded log.
type eventBody struct {
	Event string         `json:"event"`
	Data  map[string]any `json:"data"`
}

// stackTrace follows the first line of an assertion's error, as it does on a real node.
const stackTrace = "\n   at Stratis.SmartContracts.SmartContract.Assert(Boolean condition, String message)\n   at TicketContract_1_0_0."

func (s *Sandbox) receipt(receipt *ledger.Receipt) receiptBody {
	body := receiptBody{
		TransactionHash: receipt.TxID, BlockHash: receipt.Block, PostState: string(receipt.Block), GasUsed: receipt.GasUsed,
		From: s.address(receipt.From), To: s.maybe(receipt.To), NewContractAddress: s.maybe(receipt.New),
		Success: receipt.Success, Bloom: strings.Repeat("0", 512), Logs: []logBody{},
	}
	if s.options.Node == NodeToday {
		height := receipt.Height
		body.BlockNumber = &height
	}
	if !receipt.Success {
		text := receipt.Error
		if strings.HasPrefix(text, "Stratis.SmartContracts.SmartContractAssertException") {
			text += stackTrace + receipt.Method
		}
		body.Error = &text
	}
	for _, log := range receipt.Logs {
		body.Logs = append(body.Logs, s.logged(receipt.Contract, log))
	}
	return body
}

func (s *Sandbox) maybe(hash *cirrus.Hash) *cirrus.Address {
	if hash == nil {
		return nil
	}
	address := s.address(*hash)
	return &address
}

func (s *Sandbox) logged(at cirrus.Hash, log contract.Log) logBody {
	body := logBody{Address: s.address(at), Topics: []string{}, Data: upper(log.Data)}
	for _, topic := range log.Topics {
		body.Topics = append(body.Topics, upper(topic))
	}
	fields := map[string]any{}
	for _, field := range log.Fields {
		fields[field.Name] = s.field(field.Value)
	}
	body.Log = fields
	if s.options.Node == NodeToday {
		body.Log = eventBody{Event: log.Event, Data: fields}
	}
	return body
}

// field gives a logged value as the node's deserializer writes it.
func (s *Sandbox) field(value any) any {
	switch value := value.(type) {
	case cirrus.Hash:
		return s.address(value)
	case []byte:
		if value == nil {
			return nil
		}
		return upper(value)
	}
	return value
}

func upper(data []byte) string { return strings.ToUpper(hex.EncodeToString(data)) }

func (s *Sandbox) getReceipt(a *ask) reply {
	id, err := cirrus.ParseTxID(a.text("txHash"))
	if err != nil {
		return reply{status: http.StatusInternalServerError} // the node does not catch it
	}
	receipt, found := s.chain.Receipt(id)
	if !found {
		return nodeFailure(http.StatusBadRequest, "The receipt was not found.", "No stored transaction could be found for the supplied hash.")
	}
	return ok(s.receipt(receipt))
}

func (s *Sandbox) searchReceipts(a *ask) reply {
	at, isOne := s.contractAt(a.text("contractAddress"))
	if !isOne {
		return nodeFailure(http.StatusInternalServerError, "No code exists", "No contract execution code exists at "+clip(a.text("contractAddress")))
	}
	from, err := a.number("fromBlock", 0)
	if err != nil {
		return nodeRefusal(err)
	}
	to, err := a.number("toBlock", s.chain.Height())
	if err != nil {
		return nodeRefusal(err)
	}
	found := []receiptBody{}
	for _, receipt := range s.receipts(at, from, to) {
		if logs(receipt, a.text("eventName")) {
			found = append(found, s.receipt(receipt))
		}
	}
	return ok(found)
}

// receipts gives the receipts of one contract in order.
func (s *Sandbox) receipts(at cirrus.Hash, from, to uint64) []*ledger.Receipt {
	var found []*ledger.Receipt
	for height := from; height <= to; height++ {
		block, exists := s.chain.BlockAt(height)
		if !exists {
			break
		}
		for _, id := range block.Calls {
			if receipt, ok := s.chain.Receipt(id); ok && receipt.Contract == at {
				found = append(found, receipt)
			}
		}
	}
	return found
}

func logs(receipt *ledger.Receipt, event string) bool {
	return event == "" || slices.ContainsFunc(receipt.Logs, func(log contract.Log) bool { return log.Event == event })
}

// contractAt finds the contract that an address stands for.
func (s *Sandbox) contractAt(text string) (cirrus.Hash, bool) {
	address, err := s.options.Network.ParseAddress(text)
	if err != nil {
		return cirrus.Hash{}, false
	}
	hash, err := address.Hash()
	return hash, err == nil && s.chain.IsContract(hash)
}

type codeBody struct {
	Type     *string `json:"type"`
	Bytecode *string `json:"bytecode"`
	CSharp   *string `json:"csharp"`
	Message  string  `json:"message"`
}

func (s *Sandbox) getCode(a *ask) reply {
	text := a.text("address")
	if _, err := s.options.Network.ParseAddress(text); err != nil {
		return reply{status: http.StatusInternalServerError} // the node does not catch it
	}
	if _, isOne := s.contractAt(text); !isOne {
		return ok(codeBody{Message: "No contract execution code exists at " + text})
	}
	kind, code, source := "TicketContract", "4D5A90", "// public class TicketContract : SmartContract"
	return ok(codeBody{Type: &kind, Bytecode: &code, CSharp: &source, Message: "Contract execution code retrieved at " + text})
}

func (s *Sandbox) contractBalance(a *ask) reply {
	hash, isOne := s.contractAt(a.text("address"))
	var held uint64
	if found, ok := s.chain.Contract(hash); ok && isOne {
		held = found.Balance()
	}
	return ok(cirrus.Strats(held).String())
}

type localCallBody struct {
	ContractAddress words   `json:"contractAddress"`
	MethodName      words   `json:"methodName"`
	Amount          words   `json:"amount"`
	Sender          words   `json:"sender"`
	GasLimit        count   `json:"gasLimit"`
	GasPrice        count   `json:"gasPrice"`
	Parameters      []words `json:"parameters"`
}

type localResult struct {
	InternalTransfers []localTransfer `json:"internalTransfers"`
	GasConsumed       gasBody         `json:"gasConsumed"`
	Revert            bool            `json:"revert"`
	ErrorMessage      *valueBody      `json:"errorMessage"`
	Return            *string         `json:"return"`
	Logs              []logBody       `json:"logs"`
}

type localTransfer struct {
	From  cirrus.Address `json:"from"`
	To    cirrus.Address `json:"to"`
	Value uint64         `json:"value"`
}

type gasBody struct {
	Value uint64 `json:"value"`
}

type valueBody struct {
	Value string `json:"value"`
}

// localCall tries a call on a copy of the contract, at the height of the next block.
func (s *Sandbox) localCall(a *ask) reply {
	var body localCallBody
	if err := a.decode(&body); err != nil {
		return malformed(err)
	}
	at, _ := s.contractAt(string(body.ContractAddress))
	found, isOne := s.chain.Contract(at)
	if !isOne {
		return nodeRefusal(refused("No contract execution code exists at %s", clip(string(body.ContractAddress))))
	}
	params, err := contract.ParseParams(s.options.Network, texts(body.Parameters))
	if err != nil {
		return nodeRefusal(refused("%s", err))
	}
	sender, _ := cirrus.Address(body.Sender).Hash()
	amount, _ := cirrus.ParseCRS(string(body.Amount))
	result := found.Clone().Execute(contract.Call{
		Height: s.chain.Height() + 1, Sender: sender, Value: uint64(amount), Method: string(body.MethodName), Params: params,
	})
	answer := localResult{
		InternalTransfers: []localTransfer{}, GasConsumed: gasBody{contract.GasUsed(result.GasMetered)}, Revert: !result.OK, Logs: []logBody{},
	}
	if result.Failure != nil {
		answer.ErrorMessage = &valueBody{result.Failure.ReceiptError()}
	}
	for _, transfer := range result.Transfers {
		answer.InternalTransfers = append(answer.InternalTransfers, localTransfer{s.address(at), s.address(transfer.To), transfer.Amount})
	}
	for _, log := range result.Logs {
		answer.Logs = append(answer.Logs, s.logged(at, log))
	}
	return ok(answer)
}

func texts(list []words) []string {
	found := make([]string, 0, len(list))
	for _, text := range list {
		found = append(found, string(text))
	}
	return found
}
