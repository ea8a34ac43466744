package sandbox

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
	"github.com/usherbot/usher/chain/sandbox/wallet"
)

type buildBody struct {
	WalletName       words           `json:"walletName"`
	AccountName      words           `json:"accountName"`
	Password         words           `json:"password"`
	Outpoints        []outpointBody  `json:"outpoints"`
	Recipients       []recipientBody `json:"recipients"`
	FeeType          words           `json:"feeType"`
	FeeAmount        words           `json:"feeAmount"`
	AllowUnconfirmed bool            `json:"allowUnconfirmed"`
	ChangeAddress    words           `json:"changeAddress"`
	ShuffleOutputs   *bool           `json:"shuffleOutputs"`
}

type recipientBody struct {
	DestinationAddress    words `json:"destinationAddress"`
	Amount                words `json:"amount"`
	SubtractFeeFromAmount bool  `json:"subtractFeeFromAmount"`
}

type builtBody struct {
	Fee           uint64      `json:"fee"`
	Hex           string      `json:"hex"`
	TransactionID cirrus.TxID `json:"transactionId"`
}

func (s *Sandbox) buildTransaction(a *ask) reply {
	var body buildBody
	if err := a.decode(&body); err != nil {
		return malformed(err)
	}
	if missing := body.missing(); len(missing) > 0 {
		return nodeFailure(http.StatusBadRequest, strings.Join(missing, "\n"), "Formatting error")
	}
	found, plan, err := s.plan(body)
	if err != nil {
		return nodeRefusal(err)
	}
	built, err := found.Build(plan)
	if err != nil {
		return nodeRefusal(err)
	}
	return ok(builtBody{Fee: built.Fee, Hex: built.Tx.Hex(), TransactionID: built.Tx.ID()})
}

// missing says what the request does not have, before anything else is looked at.
func (b buildBody) missing() []string {
	var say []string
	if b.WalletName == "" {
		say = append(say, "The name of the wallet is missing.")
	}
	if b.Password == "" {
		say = append(say, "A password is required.")
	}
	for _, recipient := range b.Recipients {
		if recipient.Amount == "" {
			say = append(say, "An amount is required.")
		} else if amount, err := cirrus.ParseCRS(string(recipient.Amount)); err != nil || amount <= 0 {
			say = append(say, "The amount is not in the correct format.")
		}
	}
	if _, err := cirrus.ParseCRS(string(b.FeeAmount)); b.FeeAmount != "" && err != nil {
		say = append(say, "The fee is not in the correct format.")
	}
	const please = "Please use 'FeeAmount' if you'd like to set the fee manually, or 'FeeType' if you want the wallet to calculate it for you."
	switch {
	case b.FeeAmount != "" && b.FeeType != "":
		say = append(say, "The query parameters 'FeeAmount' and 'FeeType' cannot be set at the same time. "+please)
	case b.FeeAmount == "" && b.FeeType == "":
		say = append(say, "One of parameters 'FeeAmount' and 'FeeType' is required. "+please)
	}
	return say
}

// plan turns a request that has everything into what the wallet understands.
func (s *Sandbox) plan(body buildBody) (*wallet.Wallet, wallet.Plan, error) {
	var plan wallet.Plan
	recipients, err := s.recipients(body.Recipients)
	if err != nil {
		return nil, plan, err
	}
	found, account, err := s.wallets.Account(string(body.WalletName), string(body.AccountName))
	if err != nil {
		return nil, plan, err
	}
	plan = wallet.Plan{
		Account: account, Password: string(body.Password), Recipients: recipients, MinConfirmations: 1,
		Shuffle: body.ShuffleOutputs == nil || *body.ShuffleOutputs,
	}
	if body.AllowUnconfirmed {
		plan.MinConfirmations = 0
	}
	if body.ChangeAddress != "" {
		hash, err := cirrus.Address(body.ChangeAddress).Hash()
		if err != nil || !s.wallets.Holds(found, account, hash) {
			return nil, plan, refused("Change address not found.")
		}
		plan.Change = &hash
	}
	if plan.Outpoints, err = points(body.Outpoints); err != nil {
		return nil, plan, err
	}
	plan.Fee, err = body.fee()
	return found, plan, err
}

func (b buildBody) fee() (uint64, error) {
	if b.FeeAmount == "" {
		if !slices.Contains([]string{"low", "medium", "high"}, strings.ToLower(string(b.FeeType))) {
			return 0, refused("FeeType %s is not a valid FeeType.", clip(string(b.FeeType)))
		}
		return 0, nil
	}
	amount, _ := cirrus.ParseCRS(string(b.FeeAmount))
	if amount < ledger.MinFee {
		return 0, refused("Not enough fees. The minimum fee is %s.", cirrus.Strats(ledger.MinFee).Decimal())
	}
	return uint64(amount), nil
}

func (s *Sandbox) recipients(list []recipientBody) ([]wallet.Recipient, error) {
	if len(list) == 0 {
		return nil, refused("No recipients.")
	}
	var found []wallet.Recipient
	carried := false
	for _, recipient := range list {
		if recipient.DestinationAddress == "" {
			return nil, refused("No recipient address.")
		}
		if recipient.SubtractFeeFromAmount && carried {
			return nil, refused("Multiple fee subtraction recipients.")
		}
		carried = carried || recipient.SubtractFeeFromAmount
		if _, err := s.options.Network.ParseAddress(string(recipient.DestinationAddress)); err != nil {
			return nil, refused("Invalid Base58 string or network: %s", clip(string(recipient.DestinationAddress)))
		}
		hash, _ := cirrus.Address(recipient.DestinationAddress).Hash()
		amount, _ := cirrus.ParseCRS(string(recipient.Amount))
		found = append(found, wallet.Recipient{
			Script: ledger.Pay(hash), Amount: uint64(amount), SubtractFee: recipient.SubtractFeeFromAmount,
		})
	}
	return found, nil
}

type sendBody struct {
	Hex words `json:"hex"`
}

type sentBody struct {
	TransactionID cirrus.TxID `json:"transactionId"`
	Outputs       []sentOut   `json:"outputs"`
}

type sentOut struct {
	Address *cirrus.Address `json:"address"`
	Amount  uint64          `json:"amount"`
	Data    *string         `json:"opReturnData"`
}

func (s *Sandbox) sendTransaction(a *ask) reply {
	var body sendBody
	if err := a.decode(&body); err != nil {
		return malformed(err)
	}
	if body.Hex == "" {
		return nodeFailure(http.StatusBadRequest, "The transaction in hexadecimal format is missing.", "Formatting error")
	}
	if s.self.Peers == 0 {
		return nodeFailure(http.StatusForbidden, "Can't send transaction: sending transaction requires at least one connection"+s.fullStop(), "")
	}
	tx, err := ledger.ParseTx(string(body.Hex))
	if err != nil {
		return nodeRefusal(err)
	}
	if err := s.send(tx); err != nil {
		return nodeRefusal(err)
	}
	sent := sentBody{TransactionID: tx.ID(), Outputs: []sentOut{}}
	for _, out := range tx.Outs {
		line := sentOut{Amount: out.Amount}
		if to, plain := ledger.Payee(out.Script); plain {
			line.Address = s.maybe(&to)
		}
		sent.Outputs = append(sent.Outputs, line)
	}
	return ok(sent)
}

func (s *Sandbox) fullStop() string {
	if s.options.Node == Node2020 {
		return "!"
	}
	return "."
}

// errSilent is the refusal without words that the node gives when the same bytes come twice and no peer announced
// them in between.
var errSilent = errors.New("")

// send gives a transaction to the mempool and the peers. An error has the node's words.
func (s *Sandbox) send(tx *ledger.Tx) error {
	id := tx.ID()
	_, err := s.chain.Accept(tx)
	switch {
	case err == nil:
		s.broadcast[id] = true
		return nil
	case errors.Is(err, ledger.ErrInMempool) && s.broadcast[id] && s.self.Announce:
		return nil
	case (errors.Is(err, ledger.ErrInMempool) || errors.Is(err, ledger.ErrKnown)) && s.broadcast[id] && !s.self.Announce:
		return errSilent
	}
	return err
}
