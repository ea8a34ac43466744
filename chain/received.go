package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// historyPage is how many entries of a history are asked for at once, and historyPages how many such pages at most.
const (
	historyPage  = 1000
	historyPages = 1000
)

// Received lists the addresses of an account that ever got something, each with the transactions that brought it, mined
// or not (wallet/history). It reads the whole history of the account: for an audit, not for every block.
func (c *Client) Received(ctx context.Context, account cirrus.Account) (map[cirrus.Address][]cirrus.TxID, error) {
	received := map[cirrus.Address][]cirrus.TxID{}
	for page := range historyPages {
		query := accountQuery(account)
		query.Set("skip", strconv.Itoa(page*historyPage))
		query.Set("take", strconv.Itoa(historyPage))
		entries := 0
		err := c.do(ctx, call{
			site: SiteHistory, method: http.MethodGet, base: c.node, path: "/api/wallet/history", query: query, limit: limitBlock,
			harmless: true, slow: true,
		}, func(body []byte) (err error) {
			entries, err = addReceived(body, received)
			return err
		})
		if err != nil {
			return nil, err
		}
		if entries == 0 {
			return received, nil
		}
	}
	return nil, fmt.Errorf("%w: the history of %s does not end", order.ErrUnknownOutcome, account)
}

// addReceived adds what a page of a history says, and tells how many entries it had.
func addReceived(body []byte, received map[cirrus.Address][]cirrus.TxID) (entries int, err error) {
	var read struct {
		History *[]struct {
			Moves []struct {
				Type string         `json:"type"`
				ID   string         `json:"id"`
				To   cirrus.Address `json:"toAddress"`
			} `json:"transactionsHistory"`
		} `json:"history"`
	}
	if json.Unmarshal(body, &read) != nil || read.History == nil {
		return 0, errGarbage
	}
	for _, account := range *read.History {
		for _, one := range account.Moves {
			entries++
			if one.Type != "received" || one.To == "" {
				continue
			}
			id, err := cirrus.ParseTxID(one.ID)
			if err != nil {
				return 0, errGarbage
			}
			received[one.To] = append(received[one.To], id)
		}
	}
	return entries, nil
}

// LastShow gives the transaction of the newest show that a contract began, from a height on; empty where there is none.
func (c *Client) LastShow(ctx context.Context, contract cirrus.Address, from uint64) (cirrus.TxID, error) {
	receipts, err := c.Receipts(ctx, contract, "Show", from)
	if err != nil {
		return "", fmt.Errorf("looking for the newest show: %w", err)
	}
	_, receipt, _ := lastLog(receipts, contract, "Show")
	return receipt.TxID, nil
}
