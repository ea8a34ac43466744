package sandbox

import (
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/wallet"
)

type signBody struct {
	WalletName      words `json:"walletName"`
	Password        words `json:"password"`
	ExternalAddress words `json:"externalAddress"`
	Message         words `json:"message"`
}

func (s *Sandbox) signMessage(a *ask) reply {
	var body signBody
	if err := a.decode(&body); err != nil {
		return malformed(err)
	}
	var missing []string
	for _, field := range []struct {
		value words
		say   string
	}{
		{body.WalletName, "The name of the wallet is missing."},
		{body.Password, "A password is required."},
		{body.ExternalAddress, "An address is required."},
		{body.Message, "A message is required."},
	} {
		if field.value == "" {
			missing = append(missing, field.say)
		}
	}
	if len(missing) > 0 {
		return nodeRefusal(refused("%s", strings.Join(missing, "\n")))
	}
	found, err := s.wallets.Wallet(string(body.WalletName))
	if err != nil {
		return nodeRefusal(err)
	}
	hash, _ := cirrus.Address(body.ExternalAddress).Hash()
	signature, err := found.SignMessage(string(body.Password), hash, string(body.Message))
	if err != nil {
		return nodeRefusal(err)
	}
	return ok(signature)
}

type syncBody struct {
	Date       *moment `json:"date"`
	WalletName words   `json:"walletName"`
	All        bool    `json:"all"`
}

func (s *Sandbox) syncFromDate(a *ask) reply {
	var body syncBody
	if err := a.decode(&body); err != nil {
		return malformed(err)
	}
	from := time.Time{}
	if body.Date != nil && !body.All {
		from = body.Date.Time
	}
	names := s.wallets.Names()
	if body.WalletName != "" {
		names = []string{string(body.WalletName)}
	}
	for _, name := range names {
		found, err := s.wallets.Wallet(name)
		if err != nil {
			return nodeRefusal(err)
		}
		found.Rescan(from)
	}
	return reply{status: 200}
}

type removedBody struct {
	TransactionID cirrus.TxID `json:"transactionId"`
	CreationTime  time.Time   `json:"creationTime"`
}

func (s *Sandbox) removeTransactions(a *ask) reply {
	if a.text("walletName") == "" {
		return nodeRefusal(refused("The name of the wallet is required."))
	}
	found, err := s.wallets.Wallet(a.text("walletName"))
	if err != nil {
		return nodeRefusal(err)
	}
	removed, err := remove(found, a)
	if err != nil {
		return nodeRefusal(err)
	}
	if a.flag("reSync", false) && len(removed) > 0 {
		oldest := removed[0].Created
		found.Rescan(oldest)
	}
	body := []removedBody{}
	for _, one := range removed {
		body = append(body, removedBody{one.ID, one.Created})
	}
	return ok(body)
}

func remove(from *wallet.Wallet, a *ask) ([]wallet.Removed, error) {
	ids, date, all := a.query["ids"], a.text("fromDate"), a.flag("all", false)
	given := 0
	for _, is := range []bool{len(ids) > 0, date != "", all} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, refused("One of the query parameters 'DeleteAll', 'TransactionsIds' or 'FromDate' must be set.")
	case given > 1:
		return nil, refused("Only one out of the query parameters 'DeleteAll', 'TransactionsIds' or 'FromDate' can be set at the same time.")
	case all:
		return from.RemoveAll(), nil
	case date != "":
		var at moment
		if err := at.read(date); err != nil {
			return nil, err
		}
		return from.RemoveSince(at.Time), nil
	}
	var parsed []cirrus.TxID
	for _, text := range ids {
		id, err := cirrus.ParseTxID(text)
		if err != nil {
			return nil, refused("Invalid Hex String")
		}
		parsed = append(parsed, id)
	}
	return from.Remove(parsed), nil
}
