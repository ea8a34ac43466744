package sandbox

import (
	"slices"
	"strconv"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/wallet"
)

func (s *Sandbox) listWallets(*ask) reply {
	return ok(map[string][]string{"walletNames": s.wallets.Names()})
}

func (s *Sandbox) listAccounts(a *ask) reply {
	found, err := s.wallets.Wallet(a.text("walletName"))
	if err != nil {
		return nodeRefusal(err)
	}
	names := []string{}
	for _, account := range found.Accounts {
		names = append(names, account.Name)
	}
	return ok(names)
}

// account finds the account that a query names.
func (s *Sandbox) account(a *ask) (*wallet.Wallet, *wallet.Account, error) {
	if a.text("walletName") == "" {
		return nil, nil, refused("The name of the wallet is missing.")
	}
	return s.wallets.Account(a.text("walletName"), a.text("accountName"))
}

type balancesBody struct {
	Balances []balanceBody `json:"balances"`
}

type balanceBody struct {
	AccountName       string `json:"accountName"`
	AccountHDPath     string `json:"accountHdPath"`
	CoinType          int    `json:"coinType"`
	AmountConfirmed   uint64 `json:"amountConfirmed"`
	AmountUnconfirmed uint64 `json:"amountUnconfirmed"`
	SpendableAmount   uint64 `json:"spendableAmount"`
}

func (s *Sandbox) walletBalance(a *ask) reply {
	found, account, err := s.account(a)
	if err != nil {
		return nodeRefusal(err)
	}
	body := balanceBody{AccountName: account.Name, AccountHDPath: s.path(account), CoinType: s.coinType()}
	for _, coin := range found.Spendable(account, 0) {
		if coin.Confirmations > 0 {
			body.AmountConfirmed += coin.Amount
		} else {
			body.AmountUnconfirmed += coin.Amount
		}
	}
	body.SpendableAmount = body.AmountConfirmed
	return ok(balancesBody{Balances: []balanceBody{body}})
}

func (s *Sandbox) coinType() int {
	if s.options.Network == cirrus.MainNet {
		return 401
	}
	return 400
}

func (s *Sandbox) path(account *wallet.Account) string {
	return "m/44'/" + strconv.Itoa(s.coinType()) + "'/" + strconv.Itoa(account.Index) + "'"
}

type infoBody struct {
	WalletName            string `json:"walletName"`
	Network               string `json:"network"`
	CreationTime          string `json:"creationTime"`
	IsDecrypted           bool   `json:"isDecrypted"`
	LastBlockSyncedHeight uint64 `json:"lastBlockSyncedHeight"`
	ChainTip              uint64 `json:"chainTip"`
	IsChainSynced         bool   `json:"isChainSynced"`
	ConnectedNodes        int    `json:"connectedNodes"`
}

func (s *Sandbox) generalInfo(a *ask) reply {
	name := a.text("name")
	if name == "" {
		name = a.text("walletName")
	}
	if name == "" {
		return nodeRefusal(refused("The name of the wallet is missing."))
	}
	found, err := s.wallets.Wallet(name)
	if err != nil {
		return nodeRefusal(err)
	}
	return ok(infoBody{
		WalletName: name, Network: s.self.Network, CreationTime: seconds(found.Created), IsDecrypted: true,
		LastBlockSyncedHeight: s.chain.Height(), ChainTip: s.chain.Height(), IsChainSynced: !s.self.InIbd, ConnectedNodes: s.self.Peers,
	})
}

// seconds writes a moment as the wallet's answers do: Unix seconds as a string.
func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// maxAddresses bounds how many addresses one call may make.
const maxAddresses = 10_000

func (s *Sandbox) unusedAddress(a *ask) reply {
	found, account, err := s.account(a)
	if err != nil {
		return nodeRefusal(err)
	}
	return ok(s.address(s.wallets.UnusedAddresses(found, account, 1)[0]))
}

func (s *Sandbox) unusedAddresses(a *ask) reply { return s.addresses(a, s.wallets.UnusedAddresses) }
func (s *Sandbox) newAddresses(a *ask) reply    { return s.addresses(a, s.wallets.NewAddresses) }

func (s *Sandbox) addresses(a *ask, from func(*wallet.Wallet, *wallet.Account, int) []cirrus.Hash) reply {
	found, account, err := s.account(a)
	if err != nil {
		return nodeRefusal(err)
	}
	if a.text("count") == "" {
		return nodeRefusal(refused("The Count field is required."))
	}
	n, err := a.number("count", 0)
	if err != nil || n > maxAddresses {
		return nodeRefusal(refused("Input string was not in a correct format."))
	}
	list := []cirrus.Address{}
	for _, hash := range from(found, account, int(n)) {
		list = append(list, s.address(hash))
	}
	return ok(list)
}

type spendablesBody struct {
	Transactions []spendableBody `json:"transactions"`
}

type spendableBody struct {
	ID            cirrus.TxID    `json:"id"`
	Index         uint32         `json:"index"`
	Address       cirrus.Address `json:"address"`
	IsChange      bool           `json:"isChange"`
	Amount        uint64         `json:"amount"`
	CreationTime  string         `json:"creationTime"`
	Confirmations uint64         `json:"confirmations"`
}

func (s *Sandbox) spendableTransactions(a *ask) reply {
	found, account, err := s.account(a)
	if err != nil {
		return nodeRefusal(err)
	}
	least, err := a.number("minConfirmations", 0)
	if err != nil {
		return nodeRefusal(err)
	}
	body := spendablesBody{Transactions: []spendableBody{}}
	for _, coin := range found.Spendable(account, least) {
		body.Transactions = append(body.Transactions, spendableBody{
			ID: coin.TxID, Index: coin.Index, Address: s.address(coin.Owner), IsChange: coin.Change, Amount: coin.Amount,
			CreationTime: seconds(coin.Created), Confirmations: coin.Confirmations,
		})
	}
	return ok(body)
}

type historyBody struct {
	History []accountHistoryBody `json:"history"`
}

type accountHistoryBody struct {
	AccountName   string     `json:"accountName"`
	AccountHDPath string     `json:"accountHdPath"`
	CoinType      int        `json:"coinType"`
	Transactions  []itemBody `json:"transactionsHistory"`
}

type itemBody struct {
	Type             string          `json:"type"`
	ToAddress        *cirrus.Address `json:"toAddress,omitempty"`
	ID               cirrus.TxID     `json:"id"`
	Amount           uint64          `json:"amount"`
	Payments         []paymentBody   `json:"payments,omitempty"`
	Fee              *uint64         `json:"fee,omitempty"`
	ConfirmedInBlock *uint64         `json:"confirmedInBlock,omitempty"`
	Timestamp        string          `json:"timestamp"`
	TxOutputTime     int64           `json:"txOutputTime"`
	TxOutputIndex    uint32          `json:"txOutputIndex"`
}

type paymentBody struct {
	DestinationAddress *cirrus.Address `json:"destinationAddress"`
	Amount             crsDecimal      `json:"amount"`
	IsChange           bool            `json:"isChange"`
}

func (s *Sandbox) walletHistory(a *ask) reply {
	found, account, err := s.account(a)
	if err != nil {
		return nodeRefusal(err)
	}
	var only *cirrus.Hash
	if text := a.text("address"); text != "" {
		if _, err := s.options.Network.ParseAddress(text); err != nil {
			return nodeRefusal(refused("Invalid address %s", clip(text)))
		}
		hash, _ := cirrus.Address(text).Hash()
		only = &hash
	}
	items := []itemBody{}
	for _, item := range found.History(account, only) {
		items = append(items, s.item(item))
	}
	items = slices.DeleteFunc(items, func(item itemBody) bool {
		query := a.text("q")
		return query != "" && string(item.ID) != query && (item.ToAddress == nil || string(*item.ToAddress) != query)
	})
	skip, errSkip := a.number("skip", 0)
	take, errTake := a.number("take", uint64(len(items)))
	if errSkip != nil || errTake != nil {
		return nodeRefusal(refused("The value is not valid for Skip or Take."))
	}
	items = items[min(skip, uint64(len(items))):]
	items = items[:min(take, uint64(len(items)))]
	return ok(historyBody{History: []accountHistoryBody{{
		AccountName: account.Name, AccountHDPath: s.path(account), CoinType: s.coinType(), Transactions: items,
	}}})
}

func (s *Sandbox) item(item wallet.Item) itemBody {
	body := itemBody{
		Type: item.Type, ToAddress: s.maybe(item.To), ID: item.ID, Amount: item.Amount, ConfirmedInBlock: item.Block,
		Timestamp: seconds(item.Time), TxOutputTime: item.Time.Unix(), TxOutputIndex: item.Index,
	}
	if item.Type != "received" {
		fee := item.Fee
		body.Fee = &fee
		body.Amount += fee
	}
	for _, payment := range item.Payments {
		body.Payments = append(body.Payments, paymentBody{s.maybe(payment.To), crsDecimal(payment.Amount), payment.Change})
	}
	return body
}
