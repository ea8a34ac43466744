package chain

import (
	"encoding/json"

	"github.com/usherbot/usher/chain/cirrus"
)

// blockBody is a block as BlockStore/block writes it.
func blockBody(height uint64, hash, parent string, txs ...cirrus.TxID) string {
	text, _ := json.Marshal(map[string]any{
		"hash": hash, "confirmations": 1, "size": 300, "height": height, "version": 1, "tx": txs, "time": 1606207200 + 16*height,
		"nTx": len(txs), "previousblockhash": parent, "nextblockhash": nil,
	})
	return string(text)
}
