package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Block is one block of the chain, without the contents of its transactions.
type Block struct {
	Hash   string
	Parent string // hash of the block before it
	Height uint64
	Time   time.Time
	Txs    []cirrus.TxID // coinbase first
}

// BlockCount gives the height of the tip (BlockStore/getblockcount).
func (c *Client) BlockCount(ctx context.Context) (uint64, error) {
	var height number
	err := c.get(ctx, SiteBlockCount, c.node, "/api/BlockStore/getblockcount", nil, &height)
	return uint64(height), err
}

// BlockHash gives the hash of the block at a height (Consensus/getblockhash). Errors: order.ErrRefused above the tip.
func (c *Client) BlockHash(ctx context.Context, height uint64) (string, error) {
	var hash string
	query := url.Values{"height": {strconv.FormatUint(height, 10)}}
	err := c.do(ctx, call{
		site: SiteBlockHash, method: http.MethodGet, base: c.node, path: "/api/Consensus/getblockhash",
		query: query, harmless: true,
	}, func(body []byte) error {
		var text string
		if json.Unmarshal(body, &text) != nil {
			return errGarbage
		}
		id, err := cirrus.ParseTxID(text) // a block hash has the same form
		hash = string(id)
		return err
	})
	return hash, err
}

// Block reads a block (BlockStore/block). Errors: order.ErrRefused for a hash that the node does not have stored,
// which may also be a block that is known but not yet written.
func (c *Client) Block(ctx context.Context, hash string) (Block, error) {
	var block Block
	err := c.do(ctx, call{
		site: SiteBlock, method: http.MethodGet, base: c.node, path: "/api/BlockStore/block",
		query: url.Values{"hash": {hash}, "outputJson": {"true"}}, limit: limitBlock, harmless: true,
	}, func(body []byte) (err error) {
		block, err = parseBlock(body)
		return err
	})
	return block, err
}

func parseBlock(body []byte) (Block, error) {
	var read struct {
		Hash   string   `json:"hash"`
		Parent string   `json:"previousblockhash"`
		Height *number  `json:"height"`
		Time   int64    `json:"time"`
		Txs    []string `json:"tx"`
	}
	if json.Unmarshal(body, &read) != nil || read.Height == nil {
		return Block{}, errGarbage
	}
	block := Block{Height: uint64(*read.Height), Time: time.Unix(read.Time, 0).UTC()}
	for _, pair := range []struct {
		text string
		to   *string
	}{{read.Hash, &block.Hash}, {read.Parent, &block.Parent}} {
		id, err := cirrus.ParseTxID(pair.text)
		if err != nil {
			return Block{}, errGarbage
		}
		*pair.to = string(id)
	}
	for _, text := range read.Txs {
		id, err := cirrus.ParseTxID(text)
		if err != nil {
			return Block{}, errGarbage
		}
		block.Txs = append(block.Txs, id)
	}
	return block, nil
}

// Unspent tells whether an output exists and is unspent (Node/gettxout), as the mempool sees it or as the chain alone
// does. It needs no index of the node.
func (c *Client) Unspent(ctx context.Context, coin cirrus.Outpoint, mempool bool) (bool, error) {
	var output *struct{}
	query := url.Values{
		"trxid": {string(coin.TxID)}, "vout": {strconv.FormatUint(uint64(coin.Index), 10)},
		"includeMemPool": {strconv.FormatBool(mempool)},
	}
	err := c.get(ctx, SiteOutput, c.node, "/api/Node/gettxout", query, &output)
	return output != nil, err
}

// Raw reads the hex of a transaction (Node/getrawtransaction), which an ordinary node has while it is in the mempool.
// Errors: order.ErrNotFound.
func (c *Client) Raw(ctx context.Context, tx cirrus.TxID) (string, error) {
	var text string
	err := c.do(ctx, call{
		site: SiteRaw, method: http.MethodGet, base: c.node, path: "/api/Node/getrawtransaction",
		query: url.Values{"trxid": {string(tx)}, "verbose": {"false"}}, harmless: true,
	}, func(body []byte) (err error) {
		text, err = parseRaw(body)
		return err
	})
	if err == nil && text == "" {
		err = &Error{Site: SiteRaw, Status: http.StatusOK, reason: order.ErrNotFound, cause: fmt.Errorf("transaction %s", tx.Short())}
	}
	return text, err
}

// parseRaw reads {"hex":"…"}, or the bare text, or null as nothing.
func parseRaw(body []byte) (string, error) {
	var object *struct {
		Hex string `json:"hex"`
	}
	var text string
	if json.Unmarshal(body, &text) != nil {
		if json.Unmarshal(body, &object) != nil {
			return "", errGarbage
		}
		if object != nil {
			text = object.Hex
		}
	}
	if !isHex(text) {
		return "", errGarbage
	}
	return text, nil
}

func isHex(text string) bool {
	for _, r := range text {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') && (r < 'A' || r > 'F') {
			return false
		}
	}
	return len(text)%2 == 0
}

// Mempool lists the transactions that wait for a block (Mempool/getrawmempool).
func (c *Client) Mempool(ctx context.Context) (map[cirrus.TxID]bool, error) {
	var ids []cirrus.TxID
	if err := c.get(ctx, SiteMempool, c.node, "/api/Mempool/getrawmempool", nil, &ids); err != nil {
		return nil, err
	}
	waiting := make(map[cirrus.TxID]bool, len(ids))
	for _, id := range ids {
		waiting[id] = true
	}
	return waiting, nil
}
