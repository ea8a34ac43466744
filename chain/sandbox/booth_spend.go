package sandbox

import (
	"net/http"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/ledger"
	"github.com/usherbot/usher/chain/sandbox/wallet"
)

type reserveBody struct {
	payer
	Seat         cirrus.Seat `json:"seat"`
	CustomerName words       `json:"customerName"`
}

type reservedCiphered struct {
	TransactionHash cirrus.TxID `json:"transactionHash"`
	Secret          cipheredOut `json:"secret"`
	CustomerName    *keyOut     `json:"customerName"`
}

type reservedHashed struct {
	TransactionHash cirrus.TxID `json:"transactionHash"`
	Secret          string      `json:"secret"`
	CustomerName    *keyOut     `json:"customerName"`
}

type cipheredOut struct {
	Plaintext string `json:"plaintext"`
	Key       string `json:"key"`
	IV        string `json:"iv"`
}

type keyOut struct {
	Key string `json:"key"`
	IV  string `json:"iv"`
}

// msgNoPeers is Ticketbooth's own sentence; send-transaction of the node has another.
const msgNoPeers = "Can't send transaction as the node requires at least one connection."

// reserveTicket checks in the original's order: address, contract, seat, sale, free, name, peers, wallet.
func (s *Sandbox) reserveTicket(a *ask) reply {
	body, refusal := fields(s, a, func(b *reserveBody) *payer { return &b.payer }, nil)
	if refusal != nil {
		return *refusal
	}
	call, refusal := s.openVenue(a)
	if refusal != nil {
		return *refusal
	}
	ticket, found := call.findTicket(body.Seat)
	switch {
	case !found:
		return say(http.StatusBadRequest, "Invalid seat "+body.Seat.String())
	case !call.saleOpen():
		return say(http.StatusConflict, "Sale is not currently open")
	case ticket.Owner != (cirrus.Hash{}):
		return say(http.StatusBadRequest, "Ticket for seat "+body.Seat.String()+" not available to purchase")
	case call.state.RequireIdentityVerification && strings.TrimSpace(string(body.CustomerName)) == "":
		return say(http.StatusBadRequest, "Customer name is required")
	case s.self.Peers == 0:
		return say(http.StatusForbidden, msgNoPeers)
	}
	return s.buy(call, body, ticket.Price)
}

// buy makes the secret, enciphers the name where one is asked for, and sends the call.
func (s *Sandbox) buy(call venueCall, body reserveBody, price uint64) reply {
	secret, err := s.newSecret()
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	params := []string{contract.ParamBytes(contract.EncodeSeat(body.Seat)), contract.ParamBytes(secret.onChain)}
	var name *keyOut
	if call.state.RequireIdentityVerification {
		box, err := seal(s.options.Rand, string(body.CustomerName))
		if err != nil {
			return reply{status: http.StatusInternalServerError}
		}
		name = &keyOut{Key: upper(box.key), IV: upper(box.iv)}
		params = append(params, contract.ParamBytes(box.cipher))
	}
	id, refusal := s.transact(body.payer, price, ledger.CallData{Contract: call.at, Method: "Reserve"}, params...)
	if refusal != nil {
		return *refusal
	}
	answer := created(id, nil)
	if s.options.Generation == Hashed {
		answer.body = reservedHashed{TransactionHash: id, Secret: secret.plain, CustomerName: name}
		return answer
	}
	out := cipheredOut{Plaintext: secret.plain, Key: upper(secret.sealed.key), IV: upper(secret.sealed.iv)}
	answer.body = reservedCiphered{TransactionHash: id, Secret: out, CustomerName: name}
	return answer
}

func created(id cirrus.TxID, body any) reply {
	return reply{status: http.StatusCreated, body: body, location: "/api/smartContracts/receipt?txHash=" + string(id)}
}

// transact builds a call with all the gas that the node allows, and broadcasts it.
func (s *Sandbox) transact(who payer, value uint64, call ledger.CallData, params ...string) (cirrus.TxID, *reply) {
	refuse := func(answer reply) (cirrus.TxID, *reply) { return "", &answer }
	parsed, err := contract.ParseParams(s.options.Network, params)
	if err != nil {
		return refuse(boothRefusal(err))
	}
	call.Params, call.GasPrice, call.GasLimit = parsed, uint64(who.GasPrice), s.GasLimit()
	built, err := s.buildCall(callBody{
		WalletName: who.WalletName, AccountName: who.AccountName, Password: who.password(), Sender: who.Sender, Outpoints: who.Outpoints,
	}, wallet.CallPlan{Amount: value, Call: call})
	if err != nil {
		return refuse(boothRefusal(err))
	}
	if err := s.send(built.Tx); err != nil {
		return refuse(say(http.StatusInternalServerError, err.Error()))
	}
	return built.Tx.ID(), nil
}

type seatBody struct {
	payer
	Seat cirrus.Seat `json:"seat"`
}

// releaseTicket checks in the original's order: address, contract, seat, sale, refund window, owner, peers, wallet.
func (s *Sandbox) releaseTicket(a *ask) reply {
	body, refusal := fields(s, a, func(b *seatBody) *payer { return &b.payer }, nil)
	if refusal != nil {
		return *refusal
	}
	call, refusal := s.openVenue(a)
	if refusal != nil {
		return *refusal
	}
	ticket, found := call.findTicket(body.Seat)
	sender, _ := cirrus.Address(body.Sender).Hash()
	switch {
	case !found:
		return say(http.StatusBadRequest, "Invalid seat "+body.Seat.String())
	case !call.saleOpen():
		return say(http.StatusConflict, "Sale is not currently open")
	case !call.refundOpen():
		return say(http.StatusConflict, "Ticket release is no longer available")
	case ticket.Owner == (cirrus.Hash{}) || ticket.Owner != sender:
		return say(http.StatusBadRequest, "Ticket for seat "+body.Seat.String()+" not owned by "+string(body.Sender))
	}
	return s.manage(body.payer, call, "ReleaseTicket", contract.ParamBytes(contract.EncodeSeat(body.Seat)))
}

// manage sends a call without value and answers with its hash.
func (s *Sandbox) manage(who payer, call venueCall, method string, params ...string) reply {
	if s.self.Peers == 0 {
		return say(http.StatusForbidden, msgNoPeers)
	}
	id, refusal := s.transact(who, 0, ledger.CallData{Contract: call.at, Method: method}, params...)
	if refusal != nil {
		return *refusal
	}
	return created(id, id)
}
