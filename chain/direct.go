package chain

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Direct is a Booth that buys with the node's generic contract call. Every secret is derived before the call is made,
// so that none is lost with an answer. Everything else it leaves to Ticketbooth.
type Direct struct {
	*Client
	network cirrus.Network
	form    Secrets
	key     Derive
}

// Derive gives n secret bytes that only this purpose gives, always the same ones.
type Derive func(purpose string, n int) ([]byte, error)

var (
	_ order.Booth   = (*Direct)(nil)
	_ order.Deriver = (*Direct)(nil)
)

// NewDirect makes one. form is what the scanners at the doors read. Errors: ErrConfig.
func NewDirect(client *Client, network cirrus.Network, form Secrets, key Derive) (*Direct, error) {
	if form != Ciphered && form != Hashed {
		return nil, fmt.Errorf("%w: secrets are %q, want %s or %s", ErrConfig, form, Ciphered, Hashed)
	}
	return &Direct{Client: client, network: network, form: form, key: key}, nil
}

// Derive gives the secret of a call in the form that is used now, and then in the other one: the setting may have
// been changed while a call was without an answer.
func (d *Direct) Derive(call order.BoothCall) ([]order.Secret, error) {
	what, err := d.derive(call)
	if err != nil {
		return nil, err
	}
	other := Ciphered
	if d.form == Ciphered {
		other = Hashed
	}
	return []order.Secret{what.form(d.form), what.form(other)}, nil
}

// Reserve broadcasts a purchase (SmartContractWallet/call, method Reserve). It is never repeated here. What
// Ticketbooth checks before it broadcasts is asked of the contract itself, in a rehearsal.
func (d *Direct) Reserve(ctx context.Context, call order.BoothCall) (order.Reservation, error) {
	what, err := d.derive(call)
	if err != nil {
		return order.Reservation{}, &Error{Site: SiteCall, reason: order.ErrRefused, cause: err}
	}
	parameters, err := d.parameters(call, what)
	if err != nil {
		return order.Reservation{}, &Error{Site: SiteCall, reason: order.ErrRefused, cause: err}
	}
	if err := d.rehearse(ctx, call, parameters); err != nil {
		return order.Reservation{}, err
	}
	id, err := d.broadcast(ctx, call, parameters)
	if err != nil {
		return order.Reservation{}, err
	}
	secret := what.form(d.form)
	secret.TxID = id
	return order.Reservation{TxID: id, Secret: secret}, nil
}

// parameters of Reserve: the seat, the secret, and where the contract asks for one the name, enciphered.
func (d *Direct) parameters(call order.BoothCall, what derived) ([]string, error) {
	secret, err := what.onChain(d.form)
	if err != nil {
		return nil, err
	}
	list := []string{byteParameter(seatBytes(call.Seat)), byteParameter(secret)}
	if call.Name == "" {
		return list, nil
	}
	name, err := encipher(what.nameKey, what.nameIV, call.Name)
	return append(list, byteParameter(name)), err
}

// byteParameter writes a byte[] as the node's parameters have it: its type's number, and hex.
func byteParameter(value []byte) string { return "10#" + strings.ToUpper(hex.EncodeToString(value)) }

// seatBytes is the struct as the contract's serializer writes it: an RLP list of the number, 4 bytes, and the letter,
// 2 bytes, little-endian both.
func seatBytes(seat cirrus.Seat) []byte {
	const list, number, letter = 0xC0 + 8, 0x80 + 4, 0x80 + 2
	out := binary.LittleEndian.AppendUint32([]byte{list, number}, uint32(seat.Number))
	return binary.LittleEndian.AppendUint16(append(out, letter), uint16(seat.Letter))
}

// callBody is the body of SmartContractWallet/call. Amounts are CRS.
type callBody struct {
	Wallet     string         `json:"walletName"`
	Account    string         `json:"accountName"`
	Outpoints  []outpointJSON `json:"outpoints"`
	Contract   cirrus.Address `json:"contractAddress"`
	Method     string         `json:"methodName"`
	Amount     string         `json:"amount"`
	Fee        string         `json:"feeAmount"`
	Password   string         `json:"password"`
	GasPrice   uint64         `json:"gasPrice"`
	GasLimit   uint64         `json:"gasLimit"`
	Sender     cirrus.Address `json:"sender"`
	Parameters []string       `json:"parameters"`
}

const methodReserve = "Reserve"

// broadcast makes the call.
func (d *Direct) broadcast(ctx context.Context, call order.BoothCall, parameters []string) (cirrus.TxID, error) {
	password, err := d.password(SiteCall, call.Account.Wallet)
	if err != nil {
		return "", err
	}
	body := callBody{
		Wallet: call.Account.Wallet, Account: call.Account.Name, Outpoints: []outpointJSON{outpointJSON(call.Coin)},
		Contract: call.Contract, Method: methodReserve, Amount: call.Price.Decimal(), Fee: "0", Password: password,
		GasPrice: call.GasPrice, GasLimit: call.GasLimit, Sender: call.Sender, Parameters: parameters,
	}
	var answer called
	err = d.post(ctx, SiteCall, d.node, "/api/SmartContractWallet/call", body, &answer, password)
	if err != nil {
		return "", mempoolSaid(err)
	}
	return answer.read(password)
}

// called is the answer to a call. A node may give a refusal as a success of HTTP.
type called struct {
	Success *bool  `json:"success"`
	Message string `json:"message"`
	TxID    string `json:"transactionId"`
}

func (c called) read(password string) (cirrus.TxID, error) {
	if c.Success != nil && !*c.Success {
		return "", mempoolSaid(&Error{
			Site: SiteCall, Status: http.StatusOK, Message: clean(c.Message, []string{password}),
			reason: meaning(http.StatusBadRequest, c.Message, false),
		})
	}
	id, err := cirrus.ParseTxID(c.TxID)
	if err != nil {
		return "", &Error{Site: SiteCall, Status: http.StatusOK, reason: order.ErrUnknownOutcome, cause: errGarbage}
	}
	return id, nil
}

// mempoolSaid tells a refusal of the mempool from one of the wallet: it is a code without a space, such as
// txn-mempool-conflict, or no word at all. Then the wallet had built the call, and an earlier one with the same coin
// may be out: nothing is known.
func mempoolSaid(err error) error {
	var failed *Error
	if !errors.As(err, &failed) || !errors.Is(failed.reason, order.ErrRefused) || strings.Contains(failed.Message, " ") {
		return err
	}
	doubtful := *failed
	doubtful.reason = order.ErrUnknownOutcome
	return &doubtful
}

// rehearsalBody is the body of SmartContracts/local-call.
type rehearsalBody struct {
	Contract   cirrus.Address `json:"contractAddress"`
	Method     string         `json:"methodName"`
	Amount     string         `json:"amount"`
	GasPrice   uint64         `json:"gasPrice"`
	GasLimit   uint64         `json:"gasLimit"`
	Sender     cirrus.Address `json:"sender"`
	Parameters []string       `json:"parameters"`
}

// rehearse has the node run the call on a copy of the contract (SmartContracts/local-call), which costs nothing, and
// asks whether it could be broadcast: the generic call, unlike Ticketbooth's, looks at neither. Whatever goes wrong
// here, nothing was sent.
func (d *Direct) rehearse(ctx context.Context, call order.BoothCall, parameters []string) error {
	body := rehearsalBody{
		Contract: call.Contract, Method: methodReserve, Amount: call.Price.Decimal(), GasPrice: call.GasPrice,
		GasLimit: call.GasLimit, Sender: call.Sender, Parameters: parameters,
	}
	var ended rehearsed
	err := d.do(ctx, d.rehearsal(body), func(answer []byte) (err error) {
		ended, err = parseRehearsal(answer)
		return err
	})
	if err != nil {
		return notSent(err)
	}
	if ended.reverted {
		return &Error{Site: SiteRehearse, Status: http.StatusOK, Message: ended.words, reason: assertion(ended.words)}
	}
	status, err := d.Status(ctx)
	if err != nil {
		return notSent(err)
	}
	if healthy, why := status.Health(); !healthy {
		reason := order.ErrSyncing
		if status.Peers == 0 {
			reason = order.ErrNoPeers
		}
		return &Error{Site: SiteRehearse, Message: why, reason: reason}
	}
	return nil
}

// rehearsed is how a rehearsal ended.
type rehearsed struct {
	reverted bool
	words    string // of the contract, first line
}

func parseRehearsal(body []byte) (rehearsed, error) {
	var read struct {
		Revert *bool            `json:"revert"`
		Error  *json.RawMessage `json:"errorMessage"`
	}
	if json.Unmarshal(body, &read) != nil || read.Revert == nil {
		return rehearsed{}, errGarbage
	}
	return rehearsed{reverted: *read.Revert, words: firstLine(read.Error)}, nil
}

func (c *Client) rehearsal(body rehearsalBody) call {
	return call{site: SiteRehearse, method: http.MethodPost, base: c.node, path: "/api/SmartContracts/local-call", body: body, harmless: true}
}

// notSent gives an error of the rehearsal, after which the call itself is not made: that it had no answer leaves no
// doubt about the call.
func notSent(err error) error {
	var failed *Error
	if !errors.As(err, &failed) || !errors.Is(failed.reason, order.ErrUnknownOutcome) {
		return err
	}
	sure := *failed
	sure.reason = order.ErrUnreachable
	return &sure
}
