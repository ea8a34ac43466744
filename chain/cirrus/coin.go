package cirrus

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// TxID is a transaction id: 64 lower-case hex digits. The empty TxID is none.
type TxID string

// ErrTxID says that a text is not 64 hex digits.
var ErrTxID = errors.New("not a transaction id")

// ParseTxID checks text and gives it in lower case.
func ParseTxID(text string) (TxID, error) {
	if raw, err := hex.DecodeString(text); err != nil || len(raw) != 32 {
		return "", fmt.Errorf("%w: %q", ErrTxID, text)
	}
	return TxID(strings.ToLower(text)), nil
}

// Short gives the id as people recognise it: "5f0c…91ab".
func (id TxID) Short() string {
	if len(id) <= 9 {
		return string(id)
	}
	return string(id[:4]) + "…" + string(id[len(id)-4:])
}

// Outpoint names one output of one transaction.
type Outpoint struct {
	TxID  TxID   `json:"transactionId"`
	Index uint32 `json:"index"`
}

// IsZero tells whether this names nothing.
func (o Outpoint) IsZero() bool { return o == Outpoint{} }

func (o Outpoint) String() string {
	return string(o.TxID) + ":" + strconv.FormatUint(uint64(o.Index), 10)
}

// Coin is an unspent output that a wallet of ours can spend.
type Coin struct {
	Outpoint
	Address       Address `json:"address"`
	Amount        Strats  `json:"amount"`
	Confirmations uint64  `json:"confirmations"` // 0: in the mempool; 1: in the block at the tip
}

// Account is an account of a wallet of the node.
type Account struct {
	Wallet string `json:"wallet"`
	Name   string `json:"name"` // "account 0" for the first, the only one whose calls the node can list
}

func (a Account) String() string { return a.Wallet + "/" + a.Name }
