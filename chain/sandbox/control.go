package sandbox

import (
	"errors"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/door"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// maxBlocks bounds how many blocks one call may mine.
const maxBlocks = 10_000

// Fund pays an address from outside: the payment is in the mempool when it returns. Errors: ErrRequest.
func (s *Sandbox) Fund(address cirrus.Address, amount cirrus.Strats) (cirrus.TxID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := s.hash(string(address))
	if err != nil {
		return "", err
	}
	if amount < ledger.Dust || amount > maxFund {
		return "", wrong("amount is %d strats, want %d to %d", amount, ledger.Dust, maxFund)
	}
	payer, err := s.chain.Stranger()
	if err != nil {
		return "", err
	}
	coin, err := s.chain.Issue(payer, uint64(amount)+ledger.MinFee)
	if err != nil {
		return "", wrong("amount: %v", err)
	}
	tx := &ledger.Tx{Ins: []ledger.In{{Prev: coin}}, Outs: []ledger.Out{{Amount: uint64(amount), Script: ledger.Pay(to)}}}
	s.chain.Sign(tx)
	entry, err := s.chain.AcceptRanked(tx, 0)
	if errors.Is(err, ledger.ErrToContract) {
		return "", wrong("%s is a contract, which cannot be paid like this", address)
	}
	if err != nil {
		return "", err
	}
	return entry.ID, nil
}

// maxFund bounds one payment, in strats: a million CRS.
const maxFund = 1_000_000 * cirrus.CRS

// hash reads an address of this network.
func (s *Sandbox) hash(text string) (cirrus.Hash, error) {
	address, err := s.options.Network.ParseAddress(text)
	if err != nil {
		return cirrus.Hash{}, wrong("address %q is none of %s", clip(text), s.options.Network.Name)
	}
	return address.Hash()
}

// Mine makes blocks and gives the new height. Errors: ErrRequest.
func (s *Sandbox) Mine(blocks int) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mine(blocks)
}

func (s *Sandbox) mine(blocks int) (uint64, error) {
	if blocks < 1 || blocks > maxBlocks {
		return 0, wrong("blocks is %d, want 1 to %d", blocks, maxBlocks)
	}
	for range blocks {
		if _, err := s.chain.Mine(); err != nil {
			return 0, err
		}
	}
	return s.chain.Height(), nil
}

// Height gives the height of the newest block.
func (s *Sandbox) Height() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chain.Height()
}

// Venues gives the contracts that were made here, oldest first.
func (s *Sandbox) Venues() []cirrus.Address {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.venues)
}

// NodeRequest changes what the node says of itself. What is nil stays.
type NodeRequest struct {
	Peers    *int    `json:"peers"`
	InIbd    *bool   `json:"inIbd"`
	Network  *string `json:"network"`
	Announce *bool   `json:"announce"` // whether peers announce what the node sends; without it the same bytes sent twice are refused without words
	Index    *bool   `json:"txindex"`  // whether mined transactions are found by id
	Restart  bool    `json:"restart"`  // the node starts anew: reservations, cached keys and what it broadcast are forgotten
}

// maxPeers bounds the list in the node's status.
const maxPeers = 125

// Node changes what the node says of itself, and with it what it does. Errors: ErrRequest.
func (s *Sandbox) Node(request NodeRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if request.Peers != nil && (*request.Peers < 0 || *request.Peers > maxPeers) {
		return wrong("peers is %d, want 0 to %d", *request.Peers, maxPeers)
	}
	set(&s.self.Peers, request.Peers)
	set(&s.self.InIbd, request.InIbd)
	set(&s.self.Network, request.Network)
	set(&s.self.Announce, request.Announce)
	set(&s.self.Index, request.Index)
	if request.Restart {
		s.wallets.Restart()
		s.broadcast = map[cirrus.TxID]bool{}
	}
	return nil
}

func set[T any](field, to *T) {
	if to != nil {
		*field = *to
	}
}

// Reorg undoes the newest blocks; their transactions return to the mempool. It gives the new height. Errors:
// ErrRequest.
func (s *Sandbox) Reorg(depth int) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if depth < 1 {
		return 0, wrong("depth is %d, want 1 or more", depth)
	}
	if err := s.chain.Reorg(uint64(depth)); err != nil {
		return 0, wrong("depth: %v", err)
	}
	return s.chain.Height(), nil
}

// Drop lets a transaction leave the mempool; the wallets still count it. Errors: ErrRequest.
func (s *Sandbox) Drop(id cirrus.TxID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.chain.Drop(lower(id)); err != nil {
		return wrong("transactionId: %v; a mined one returns there by reorg", err)
	}
	return nil
}

// DoubleSpend replaces a transaction of the mempool by one that gives its inputs to somebody else, and gives that
// one's id. Errors: ErrRequest.
func (s *Sandbox) DoubleSpend(id cirrus.TxID) (cirrus.TxID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, err := s.chain.DoubleSpend(lower(id))
	if err != nil {
		return "", wrong("transactionId: %v; a mined one returns to the mempool by reorg", err)
	}
	return entry.ID, nil
}

// Code declares an address to be a contract. Errors: ErrRequest.
func (s *Sandbox) Code(address cirrus.Address) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, err := s.hash(string(address))
	if err != nil {
		return err
	}
	s.chain.Mark(at)
	return nil
}

// ScanResult is what the door scanner says.
type ScanResult struct {
	Opens   bool          `json:"opens"`
	Results []door.Answer `json:"results"`
}

// Scan gives a QR's text to the known door scanner of this generation. Errors: ErrRequest.
func (s *Sandbox) Scan(address cirrus.Address, ticket string) (ScanResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _, err := s.venue(address)
	if err != nil {
		return ScanResult{}, err
	}
	logs, show := s.ticketLogs(at)
	outcome := door.Scan(door.Generation(s.options.Generation), logs, show, ticket)
	result := ScanResult{Opens: outcome.Opens, Results: outcome.Tickets}
	if len(result.Results) == 0 {
		verdict := door.Refused
		if outcome.Uncaught != "" {
			verdict = door.NoAnswer
		}
		result.Results = []door.Answer{{Verdict: verdict, Reason: outcome.Reason}}
	}
	return result, nil
}

// ticketLogs gives the Ticket logs of a contract since its last Show, and the height of that Show.
func (s *Sandbox) ticketLogs(at cirrus.Hash) (tickets []door.LoggedTicket, show uint64) {
	for _, receipt := range s.receipts(at, 0, s.chain.Height()) {
		for _, log := range receipt.Logs {
			switch log.Event {
			case "Show":
				tickets, show = nil, receipt.Height
			case "Ticket":
				tickets = append(tickets, door.LoggedTicket{Height: receipt.Height, Ticket: loggedTicket(log)})
			}
		}
	}
	return tickets, show
}

func loggedTicket(log contract.Log) contract.Ticket {
	var ticket contract.Ticket
	for _, field := range log.Fields {
		switch value := field.Value.(type) {
		case cirrus.Seat:
			ticket.Seat = value
		case uint64:
			ticket.Price = value
		case cirrus.Hash:
			ticket.Owner = value
		case []byte:
			if field.Name == "Secret" {
				ticket.Secret = value
			} else {
				ticket.Identifier = value
			}
		}
	}
	return ticket
}

// lower gives an id as the chain writes it.
func lower(id cirrus.TxID) cirrus.TxID { return cirrus.TxID(strings.ToLower(string(id))) }
