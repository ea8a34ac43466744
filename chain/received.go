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

// Traffic is what the history of an account says of addresses: which transactions paid them, mined or not.
type Traffic struct {
	Received map[cirrus.Address][]cirrus.TxID // addresses of the account
	Paid     map[cirrus.Address][]cirrus.TxID // by the account: anybody's addresses, its own among them
}

// Traffic reads the whole history of an account (wallet/history): for an audit, not for every block.
func (c *Client) Traffic(ctx context.Context, account cirrus.Account) (Traffic, error) {
	traffic := Traffic{map[cirrus.Address][]cirrus.TxID{}, map[cirrus.Address][]cirrus.TxID{}}
	for page := range historyPages {
		query := accountQuery(account)
		query.Set("skip", strconv.Itoa(page*historyPage))
		query.Set("take", strconv.Itoa(historyPage))
		entries := 0
		err := c.do(ctx, call{
			site: SiteHistory, method: http.MethodGet, base: c.node, path: "/api/wallet/history", query: query, limit: limitBlock,
			harmless: true, slow: true,
		}, func(body []byte) (err error) {
			entries, err = traffic.add(body)
			return err
		})
		if err != nil {
			return traffic, err
		}
		if entries == 0 {
			return traffic, nil
		}
	}
	return traffic, fmt.Errorf("%w: the history of %s does not end", order.ErrUnknownOutcome, account)
}

// add takes up a page of a history, and tells how many entries it had.
func (t Traffic) add(body []byte) (entries int, err error) {
	var read struct {
		History *[]struct {
			Moves []struct {
				Type     string         `json:"type"`
				ID       string         `json:"id"`
				To       cirrus.Address `json:"toAddress"`
				Payments []struct {
					To cirrus.Address `json:"destinationAddress"`
				} `json:"payments"`
			} `json:"transactionsHistory"`
		} `json:"history"`
	}
	if json.Unmarshal(body, &read) != nil || read.History == nil {
		return 0, errGarbage
	}
	for _, account := range *read.History {
		for _, one := range account.Moves {
			entries++
			id, err := cirrus.ParseTxID(one.ID)
			if err != nil {
				return 0, errGarbage
			}
			if one.Type == "received" && one.To != "" {
				t.Received[one.To] = append(t.Received[one.To], id)
			}
			for _, payment := range one.Payments {
				if payment.To != "" {
					t.Paid[payment.To] = append(t.Paid[payment.To], id)
				}
			}
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
