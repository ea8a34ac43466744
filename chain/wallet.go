package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func accountQuery(account cirrus.Account) url.Values {
	return url.Values{"walletName": {account.Wallet}, "accountName": {account.Name}}
}

// Spendable lists every spendable output of an account in one call (wallet/spendable-transactions), mempool ones
// included. Outputs that an earlier build reserved are listed too.
func (c *Client) Spendable(ctx context.Context, account cirrus.Account) ([]cirrus.Coin, error) {
	query := accountQuery(account)
	query.Set("minConfirmations", "0")
	var coins []cirrus.Coin
	err := c.do(ctx, call{
		site: SiteSpendable, method: http.MethodGet, base: c.node, path: "/api/wallet/spendable-transactions",
		query: query, limit: limitBlock, harmless: true,
	}, func(body []byte) (err error) {
		coins, err = parseSpendable(body)
		return err
	})
	return coins, err
}

func parseSpendable(body []byte) ([]cirrus.Coin, error) {
	var read struct {
		Transactions *[]struct {
			ID            string         `json:"id"`
			Index         uint32         `json:"index"`
			Address       cirrus.Address `json:"address"`
			Amount        strats         `json:"amount"`
			Confirmations number         `json:"confirmations"`
		} `json:"transactions"`
	}
	if json.Unmarshal(body, &read) != nil || read.Transactions == nil {
		return nil, errGarbage
	}
	coins := make([]cirrus.Coin, 0, len(*read.Transactions))
	for _, one := range *read.Transactions {
		id, err := cirrus.ParseTxID(one.ID)
		if err != nil {
			return nil, errGarbage
		}
		coins = append(coins, cirrus.Coin{
			Outpoint: cirrus.Outpoint{TxID: id, Index: one.Index}, Address: one.Address,
			Amount: cirrus.Strats(one.Amount), Confirmations: uint64(one.Confirmations),
		})
	}
	return coins, nil
}

// Candidates gives n addresses of the account that saw no payment (wallet/unusedaddresses). Asked again it gives the
// same ones until they are used: who hands one out must remember that.
func (c *Client) Candidates(ctx context.Context, account cirrus.Account, n int) ([]cirrus.Address, error) {
	return c.addresses(ctx, SiteUnused, "/api/wallet/unusedaddresses", account, n)
}

// NewAddresses makes n addresses that were never given out (wallet/newaddresses). Nodes of 2020 do not have this call.
func (c *Client) NewAddresses(ctx context.Context, account cirrus.Account, n int) ([]cirrus.Address, error) {
	return c.addresses(ctx, SiteNew, "/api/wallet/newaddresses", account, n)
}

func (c *Client) addresses(ctx context.Context, site, path string, account cirrus.Account, n int) ([]cirrus.Address, error) {
	query := accountQuery(account)
	query.Set("count", strconv.Itoa(n))
	var addresses []cirrus.Address
	err := c.get(ctx, site, c.node, path, query, &addresses)
	return addresses, err
}

// Balance gives the confirmed strats at one address of the node's wallets (SmartContractWallet/address-balance).
func (c *Client) Balance(ctx context.Context, address cirrus.Address) (cirrus.Strats, error) {
	var balance strats
	err := c.get(ctx, SiteBalance, c.node, "/api/SmartContractWallet/address-balance",
		url.Values{"address": {string(address)}}, &balance)
	return cirrus.Strats(balance), err
}

// Wallet is how far a wallet of the node has come.
type Wallet struct {
	Network string
	Synced  uint64 // height of the last block that the wallet has looked at
	Tip     uint64 // of the chain, as the wallet sees it
}

// WalletInfo asks how far a wallet has come (wallet/general-info). While it lags behind the tip, outputs can be
// missing from Spendable.
func (c *Client) WalletInfo(ctx context.Context, wallet string) (Wallet, error) {
	var read struct {
		Network string  `json:"network"`
		Synced  *number `json:"lastBlockSyncedHeight"`
		Tip     number  `json:"chainTip"`
	}
	err := c.get(ctx, SiteWallet, c.node, "/api/wallet/general-info",
		url.Values{"name": {wallet}, "walletName": {wallet}}, &read)
	info := Wallet{Network: read.Network, Tip: uint64(read.Tip)}
	if read.Synced != nil {
		info.Synced = uint64(*read.Synced)
	}
	return info, err
}

// CheckPassword tells whether the configured password opens the wallet, by signing a text with the key of one of its
// addresses (wallet/signmessage). That call never uses a key that the node keeps unlocked. Errors: order.ErrPassword.
func (c *Client) CheckPassword(ctx context.Context, wallet string, address cirrus.Address) error {
	password, err := c.password(SiteSign, wallet)
	if err != nil {
		return err
	}
	body := map[string]any{
		"walletName": wallet, "password": password, "externalAddress": address, "message": "usher password check",
	}
	var signature string
	return c.post(ctx, SiteSign, c.node, "/api/wallet/signmessage", body, &signature, password)
}

// password gives a wallet's password. Its error says which wallet, and never what was read.
func (c *Client) password(site, wallet string) (string, error) {
	password, err := c.passwords(wallet)
	if err != nil {
		return "", &Error{Site: site, reason: order.ErrPassword, cause: fmt.Errorf("no password for wallet %q", wallet)}
	}
	return password, nil
}

type outpointJSON struct {
	TxID  cirrus.TxID `json:"transactionId"`
	Index uint32      `json:"index"`
}

type recipientJSON struct {
	Address  cirrus.Address `json:"destinationAddress"`
	Amount   string         `json:"amount"`
	Subtract bool           `json:"subtractFeeFromAmount"`
}

// Build makes and signs a transaction of exactly these coins, without change (wallet/build-transaction). Nothing is
// broadcast, but the node reserves the coins in its memory: never build for show. Coins must be confirmed. Errors:
// order.ErrOutpoints where a coin is spent or foreign, order.ErrRefused where outputs and fee are not the sum that
// the coins have, or an output is too small or pays a contract.
func (c *Client) Build(ctx context.Context, p order.Payment) (order.BuiltTx, error) {
	password, err := c.password(SiteBuild, p.Account.Wallet)
	if err != nil {
		return order.BuiltTx{}, err
	}
	outpoints := make([]outpointJSON, 0, len(p.Coins))
	for _, coin := range p.Coins {
		outpoints = append(outpoints, outpointJSON(coin))
	}
	recipients := make([]recipientJSON, 0, len(p.Outputs))
	for _, output := range p.Outputs {
		recipients = append(recipients, recipientJSON{Address: output.Address, Amount: output.Amount.Decimal()})
	}
	body := map[string]any{
		"walletName": p.Account.Wallet, "accountName": p.Account.Name, "password": password,
		"outpoints": outpoints, "recipients": recipients, "feeAmount": p.Fee.Decimal(),
		"allowUnconfirmed": false, "shuffleOutputs": false,
	}
	var read struct {
		Fee  strats      `json:"fee"`
		Hex  string      `json:"hex"`
		TxID cirrus.TxID `json:"transactionId"`
	}
	if err := c.post(ctx, SiteBuild, c.node, "/api/wallet/build-transaction", body, &read, password); err != nil {
		return order.BuiltTx{}, err
	}
	id, err := cirrus.ParseTxID(string(read.TxID))
	if err != nil || read.Hex == "" || !isHex(read.Hex) {
		return order.BuiltTx{}, &Error{Site: SiteBuild, Status: http.StatusOK, reason: order.ErrUnknownOutcome, cause: errGarbage}
	}
	if cirrus.Strats(read.Fee) != p.Fee {
		return order.BuiltTx{}, &Error{
			Site: SiteBuild, Status: http.StatusOK, reason: order.ErrRefused,
			cause: fmt.Errorf("a fee of %s came out, not %s", cirrus.Strats(read.Fee), p.Fee),
		}
	}
	return order.BuiltTx{TxID: id, Hex: read.Hex}, nil
}

// Send broadcasts a signed transaction (wallet/send-transaction). Except for order.ErrUnreachable and
// order.ErrNoPeers a failure says nothing about what happened: the node answers 400 to a transaction that it has
// already, too.
func (c *Client) Send(ctx context.Context, hex string) error {
	var read struct{}
	return c.post(ctx, SiteSend, c.node, "/api/wallet/send-transaction", map[string]string{"hex": hex}, &read)
}

// IsContract tells whether there is a contract at an address (SmartContracts/code). The node refuses to pay one.
func (c *Client) IsContract(ctx context.Context, address cirrus.Address) (bool, error) {
	var read struct {
		Bytecode string `json:"bytecode"`
	}
	err := c.get(ctx, SiteCode, c.node, "/api/SmartContracts/code", url.Values{"address": {string(address)}}, &read)
	return read.Bytecode != "", err
}
