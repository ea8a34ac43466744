package chain

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Log is one event that a contract logged.
type Log struct {
	Contract cirrus.Address
	Event    string                     // "Show", "Ticket", …
	Fields   map[string]json.RawMessage // of the event's struct, by name in lower case
}

// Read puts one field into out and tells whether that worked.
func (l Log) Read(field string, out any) bool {
	raw, found := l.Fields[strings.ToLower(field)]
	return found && json.Unmarshal(raw, out) == nil
}

// Receipt is the outcome of a mined contract call as the node gives it.
type Receipt struct {
	TxID      cirrus.TxID
	BlockHash string
	Block     uint64 // height; 0 where the node leaves it out (2020)
	Success   bool
	GasUsed   uint64
	From, To  cirrus.Address
	Error     string // first line only; a stack trace follows in the node's answer
	Logs      []Log
}

type receiptAnswer struct {
	TxID      string           `json:"transactionHash"`
	BlockHash string           `json:"blockHash"`
	Block     *number          `json:"blockNumber"`
	Success   bool             `json:"success"`
	GasUsed   number           `json:"gasUsed"`
	From      cirrus.Address   `json:"from"`
	To        cirrus.Address   `json:"to"`
	Error     *json.RawMessage `json:"error"`
	Logs      []logAnswer      `json:"logs"`
}

type logAnswer struct {
	Address cirrus.Address  `json:"address"`
	Topics  []string        `json:"topics"`
	Log     json.RawMessage `json:"log"`
}

func (r receiptAnswer) receipt() (Receipt, error) {
	id, err := cirrus.ParseTxID(r.TxID)
	if err != nil {
		return Receipt{}, errGarbage
	}
	receipt := Receipt{
		TxID: id, BlockHash: strings.ToLower(r.BlockHash), Success: r.Success, GasUsed: uint64(r.GasUsed),
		From: r.From, To: r.To, Error: firstLine(r.Error),
	}
	if r.Block != nil {
		receipt.Block = uint64(*r.Block)
	}
	for _, log := range r.Logs {
		receipt.Logs = append(receipt.Logs, log.log())
	}
	return receipt, nil
}

// firstLine reads the error of a receipt, which is a text, or an object around one.
func firstLine(raw *json.RawMessage) string {
	if raw == nil || bytes.Equal(*raw, []byte("null")) {
		return ""
	}
	text := messageOf(*raw)
	if text == "" {
		var wrapped struct {
			Value string `json:"value"`
		}
		_ = json.Unmarshal(*raw, &wrapped)
		text = wrapped.Value
	}
	return clean(text, nil)
}

// log reads a log in either shape: today's {"event":"Show","data":{…}}, or the fields themselves (2020). The event's
// name is in the first topic, in hex.
func (l logAnswer) log() Log {
	log := Log{Contract: l.Address}
	if len(l.Topics) > 0 {
		name, _ := hex.DecodeString(l.Topics[0])
		log.Event = string(name)
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(l.Log, &fields) != nil {
		return log
	}
	log.Fields = lowered(fields)
	var event string
	var data map[string]json.RawMessage
	if len(fields) == 2 && log.Read("event", &event) && log.Read("data", &data) {
		log.Fields = lowered(data)
		if log.Event == "" {
			log.Event = event
		}
	}
	return log
}

func lowered(fields map[string]json.RawMessage) map[string]json.RawMessage {
	low := make(map[string]json.RawMessage, len(fields))
	for name, value := range fields {
		low[strings.ToLower(name)] = value
	}
	return low
}

func parseReceipt(body []byte) (Receipt, error) {
	var read receiptAnswer
	if json.Unmarshal(body, &read) != nil {
		return Receipt{}, errGarbage
	}
	return read.receipt()
}

func parseReceipts(body []byte) ([]Receipt, error) {
	var read []receiptAnswer
	if json.Unmarshal(body, &read) != nil {
		return nil, errGarbage
	}
	receipts := make([]Receipt, 0, len(read))
	for _, one := range read {
		receipt, err := one.receipt()
		if err != nil {
			return nil, err
		}
		receipts = append(receipts, receipt)
	}
	return receipts, nil
}

// Receipt gives the outcome of a contract call (SmartContracts/receipt). The node keeps the receipts of blocks that were
// undone, so the block is looked up too. Errors: order.ErrNotMined, also where the block is not of the chain any more.
func (c *Client) Receipt(ctx context.Context, tx cirrus.TxID) (order.Receipt, error) {
	receipt, err := c.FullReceipt(ctx, tx)
	if err != nil {
		return order.Receipt{}, err
	}
	return order.Receipt{
		TxID: receipt.TxID, Block: receipt.Block, Success: receipt.Success, GasUsed: receipt.GasUsed, Error: receipt.Error,
	}, nil
}

// FullReceipt is Receipt with everything that the node tells.
func (c *Client) FullReceipt(ctx context.Context, tx cirrus.TxID) (Receipt, error) {
	var receipt Receipt
	err := c.do(ctx, call{
		site: SiteReceipt, method: http.MethodGet, base: c.node, path: "/api/SmartContracts/receipt",
		query: url.Values{"txHash": {string(tx)}}, harmless: true,
	}, func(body []byte) (err error) {
		receipt, err = parseReceipt(body)
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	if err := c.placeReceipt(ctx, &receipt); err != nil {
		return Receipt{}, err
	}
	return receipt, nil
}

// placeReceipt finds the height of a receipt's block where the node left it out, and makes sure that the chain still
// has that block. Errors: order.ErrNotMined.
func (c *Client) placeReceipt(ctx context.Context, receipt *Receipt) error {
	var err error
	there := receipt.BlockHash
	if receipt.Block != 0 {
		there, err = c.BlockHash(ctx, receipt.Block)
	} else {
		var block Block
		block, err = c.Block(ctx, receipt.BlockHash)
		receipt.Block = block.Height
	}
	if errors.Is(err, order.ErrRefused) || (err == nil && there != receipt.BlockHash) {
		return &Error{Site: SiteReceipt, reason: order.ErrNotMined, cause: errUndone}
	}
	return err
}

var errUndone = errors.New("its block was undone")

// Receipts finds the receipts of a contract that hold an event, the oldest first (SmartContracts/receipt-search), from
// a height on; heights are as the node gives them. Errors: order.ErrNoContract.
func (c *Client) Receipts(ctx context.Context, contract cirrus.Address, event string, from uint64) ([]Receipt, error) {
	query := url.Values{"contractAddress": {string(contract)}, "eventName": {event}}
	if from > 0 {
		query.Set("fromBlock", strconv.FormatUint(from, 10))
	}
	var receipts []Receipt
	err := c.do(ctx, call{
		site: SiteReceipts, method: http.MethodGet, base: c.node, path: "/api/SmartContracts/receipt-search",
		query: query, limit: limitBlock, harmless: true, slow: from == 0,
	}, func(body []byte) (err error) {
		receipts, err = parseReceipts(body)
		return err
	})
	return receipts, err
}
