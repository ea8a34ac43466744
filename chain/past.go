package chain

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// kindCall is the type of a contract call in SmartContractWallet/history.
const kindCall = 3

// Calls lists the contract calls that an address made, unmined ones included (SmartContractWallet/history). The node
// knows those of the first account of a wallet only.
func (c *Client) Calls(ctx context.Context, account cirrus.Account, sender cirrus.Address) ([]order.PastCall, error) {
	var calls []order.PastCall
	err := c.do(ctx, call{
		site: SiteCalls, method: http.MethodGet, base: c.node, path: "/api/SmartContractWallet/history",
		query: url.Values{"walletName": {account.Wallet}, "address": {string(sender)}}, harmless: true,
	}, func(body []byte) (err error) {
		calls, err = parseCalls(body)
		return err
	})
	return calls, err
}

func parseCalls(body []byte) ([]order.PastCall, error) {
	var read []struct {
		Block *int64         `json:"blockHeight"`
		Type  int            `json:"type"`
		Hash  string         `json:"hash"`
		To    cirrus.Address `json:"to"`
	}
	if json.Unmarshal(body, &read) != nil {
		return nil, errGarbage
	}
	var calls []order.PastCall
	for _, one := range read {
		if one.Type != kindCall {
			continue
		}
		id, err := cirrus.ParseTxID(one.Hash)
		if err != nil {
			return nil, errGarbage
		}
		past := order.PastCall{TxID: id, To: one.To}
		if one.Block != nil && *one.Block > 0 {
			height := uint64(*one.Block)
			past.Block = &height
		}
		calls = append(calls, past)
	}
	return calls, nil
}

// Movements lists what came to and went from one address (wallet/history).
func (c *Client) Movements(ctx context.Context, account cirrus.Account, address cirrus.Address) ([]order.Movement, error) {
	query := accountQuery(account)
	query.Set("address", string(address))
	var moves []order.Movement
	err := c.do(ctx, call{
		site: SiteHistory, method: http.MethodGet, base: c.node, path: "/api/wallet/history", query: query, limit: limitBlock, harmless: true,
	}, func(body []byte) (err error) {
		moves, err = parseHistory(body)
		return err
	})
	return moves, err
}

// movement is one entry of wallet/history.
type movement struct {
	Type     string  `json:"type"`
	ID       string  `json:"id"`
	Amount   strats  `json:"amount"`
	Fee      strats  `json:"fee"`
	Block    *number `json:"confirmedInBlock"`
	Index    uint32  `json:"txOutputIndex"`
	Payments []struct {
		To     *cirrus.Address `json:"destinationAddress"`
		Amount crs             `json:"amount"`
	} `json:"payments"`
}

func (m movement) read() (order.Movement, error) {
	id, err := cirrus.ParseTxID(m.ID)
	if err != nil {
		return order.Movement{}, errGarbage
	}
	move := order.Movement{
		Kind: m.Type, TxID: id, Index: m.Index, Amount: cirrus.Strats(m.Amount), Fee: cirrus.Strats(m.Fee),
	}
	if m.Block != nil {
		move.Block = uint64(*m.Block)
	}
	for _, p := range m.Payments {
		out := order.Output{Amount: cirrus.Strats(p.Amount)}
		if p.To != nil {
			out.Address = *p.To
		}
		move.Outputs = append(move.Outputs, out)
	}
	return move, nil
}

func parseHistory(body []byte) ([]order.Movement, error) {
	var read struct {
		History *[]struct {
			Moves []movement `json:"transactionsHistory"`
		} `json:"history"`
	}
	if json.Unmarshal(body, &read) != nil || read.History == nil {
		return nil, errGarbage
	}
	var moves []order.Movement
	for _, account := range *read.History {
		for _, one := range account.Moves {
			move, err := one.read()
			if err != nil {
				return nil, err
			}
			moves = append(moves, move)
		}
	}
	return moves, nil
}

// Forget removes unmined transactions from the wallet, so that what they spent is spendable again
// (wallet/remove-transactions). A node of 2020 frees the coins only by looking through its blocks again, so it is
// told to; until it is done coins can be missing from Spendable.
func (c *Client) Forget(ctx context.Context, account cirrus.Account, txs ...cirrus.TxID) error {
	if len(txs) == 0 {
		return nil
	}
	status, err := c.Status(ctx)
	if err != nil {
		return err
	}
	query := url.Values{"walletName": {account.Wallet}, "reSync": {"false"}}
	if status.Old() {
		query.Set("reSync", "true")
	}
	for _, tx := range txs {
		query.Add("ids", string(tx))
	}
	return c.do(ctx, call{
		site: SiteForget, method: http.MethodDelete, base: c.node, path: "/api/wallet/remove-transactions", query: query,
	}, anyAnswer)
}

// Old tells whether the node is of the generation of 2020, whose versions are 3.x; today's count from 1 again.
func (s Status) Old() bool { return strings.HasPrefix(s.Version, "3.") }

// Rescan makes a wallet look through the blocks since a time again (wallet/sync-from-date). It changes nothing on the
// chain.
func (c *Client) Rescan(ctx context.Context, wallet string, since time.Time) error {
	body := map[string]any{"date": since.UTC().Format(time.RFC3339), "walletName": wallet, "all": false}
	return c.do(ctx, call{
		site: SiteRescan, method: http.MethodPost, base: c.node, path: "/api/wallet/sync-from-date", body: body,
	}, anyAnswer)
}

// anyAnswer takes whatever body a success has, none included.
func anyAnswer([]byte) error { return nil }
