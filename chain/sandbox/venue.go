package sandbox

import (
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// Ranks in a block: the organiser goes first, then a buyer who is faster than ours, then everybody by fee, then a
// buyer who is slower.
const (
	rankCreate = 50
	rankManage = 40
	rankFirst  = 10
	rankLast   = -10
)

// VenueRequest asks for a contract.
type VenueRequest struct {
	Venue           string        `json:"venue"`
	Seats           []cirrus.Seat `json:"seats"`
	ReleaseFee      uint64        `json:"releaseFee"`      // strats
	NoReleaseBlocks uint64        `json:"noReleaseBlocks"` // blocks
	Identity        bool          `json:"identity"`        // the contract asks for a name
}

// Venue creates a contract and mines the block that it needs. Errors: ErrRequest.
func (s *Sandbox) Venue(request VenueRequest) (cirrus.Address, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.createVenue(request)
}

func (s *Sandbox) createVenue(request VenueRequest) (cirrus.Address, error) {
	if request.Venue == "" || len(request.Seats) == 0 {
		return "", wrong(`want {"venue":"name","seats":[{"number":1,"letter":"A"}],…} with at least one seat`)
	}
	created, err := s.organise(ledger.CallData{Create: true}, rankCreate,
		contract.ParamBytes(contract.EncodeSeats(request.Seats)), contract.ParamString(request.Venue))
	if err != nil {
		return "", err
	}
	at := ledger.Created(created)
	calls := []cirrus.TxID{created}
	for _, setting := range []struct {
		wanted bool
		method string
		param  string
	}{
		{request.ReleaseFee > 0, "SetTicketReleaseFee", contract.ParamUlong(request.ReleaseFee)},
		{request.NoReleaseBlocks > 0, "SetNoReleaseBlocks", contract.ParamUlong(request.NoReleaseBlocks)},
		{request.Identity, "SetIdentityVerificationPolicy", contract.ParamBool(true)},
	} {
		if !setting.wanted {
			continue
		}
		id, err := s.organise(ledger.CallData{Contract: at, Method: setting.method}, rankManage, setting.param)
		if err != nil {
			return "", err
		}
		calls = append(calls, id)
	}
	if err := s.settle(calls...); err != nil {
		return "", err
	}
	s.venues = append(s.venues, s.address(at))
	return s.address(at), nil
}

// organise makes a call of the organiser's, with gas enough for any hall.
func (s *Sandbox) organise(call ledger.CallData, rank int, params ...string) (cirrus.TxID, error) {
	call.GasPrice, call.GasLimit = ledger.MinGasPrice, s.options.rules().BlockGas
	return s.callAs(s.organiser, 0, call, rank, params)
}

// callAs puts a call into the mempool that somebody makes with money from outside, exactly as much as it needs.
func (s *Sandbox) callAs(sender cirrus.Hash, value uint64, call ledger.CallData, rank int, params []string) (cirrus.TxID, error) {
	parsed, err := contract.ParseParams(s.options.Network, params)
	if err != nil {
		return "", wrong("parameters: %v", err)
	}
	call.Params = parsed
	coin, err := s.chain.Issue(sender, value+call.Budget())
	if err != nil {
		return "", wrong("price: %v", err)
	}
	tx := &ledger.Tx{Ins: []ledger.In{{Prev: coin}}, Outs: []ledger.Out{{Amount: value, Script: call.Script()}}}
	s.chain.Sign(tx)
	entry, err := s.chain.AcceptRanked(tx, rank)
	if err != nil {
		return "", fmt.Errorf("calling %s: %w", call.Method, err)
	}
	return entry.ID, nil
}

// settle mines one block and checks that the calls succeeded in it.
func (s *Sandbox) settle(calls ...cirrus.TxID) error {
	if _, err := s.mine(1); err != nil {
		return err
	}
	for _, id := range calls {
		receipt, found := s.chain.Receipt(id)
		if !found {
			return wrong("the block had no gas left for it: mine a block and call again")
		}
		if !receipt.Success {
			return wrong("the contract refuses: %s", receipt.Error)
		}
	}
	return nil
}

// venue finds the contract at an address.
func (s *Sandbox) venue(address cirrus.Address) (cirrus.Hash, *contract.Contract, error) {
	at, err := s.hash(string(address))
	if err != nil {
		return at, nil, err
	}
	found, ok := s.chain.Contract(at)
	if !ok {
		return at, nil, wrong("no venue at %s: make one with /sandbox/venue", address)
	}
	return at, found, nil
}

// SeatPrice is what one seat costs.
type SeatPrice struct {
	Seat  cirrus.Seat `json:"seat"`
	Price uint64      `json:"price"` // strats
}

// ShowRequest asks for a sale.
type ShowRequest struct {
	Address   cirrus.Address `json:"address"`
	Name      string         `json:"name"`
	Organiser string         `json:"organiser"`
	Time      uint64         `json:"time"`      // Unix seconds
	EndOfSale uint64         `json:"endOfSale"` // height
	Prices    []SeatPrice    `json:"prices"`    // in any order, one for every seat
}

// Show begins a sale and mines the block that it needs. Errors: ErrRequest.
func (s *Sandbox) Show(request ShowRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beginShow(request)
}

func (s *Sandbox) beginShow(request ShowRequest) error {
	at, found, err := s.venue(request.Address)
	if err != nil {
		return err
	}
	if request.Name == "" || request.Organiser == "" {
		return wrong("name and organiser must not be empty")
	}
	if next := s.chain.Height() + 1; request.EndOfSale <= next {
		return wrong("endOfSale is %d, but the sale begins in block %d: name a later block", request.EndOfSale, next)
	}
	if found.State().EndOfSale != 0 {
		return wrong("a sale is in progress until block %d: end it with /sandbox/endsale first", found.State().EndOfSale)
	}
	tickets, err := priced(found.Tickets(), request.Prices)
	if err != nil {
		return err
	}
	id, err := s.organise(ledger.CallData{Contract: at, Method: "BeginSale"}, rankManage,
		contract.ParamBytes(contract.EncodeTickets(tickets)), contract.ParamString(request.Name), contract.ParamString(request.Organiser),
		contract.ParamUlong(request.Time), contract.ParamUlong(request.EndOfSale))
	if err != nil {
		return err
	}
	return s.settle(id)
}

// priced gives the tickets for BeginSale in the contract's order, which is the order in which it takes prices.
func priced(seats []contract.Ticket, prices []SeatPrice) ([]contract.Ticket, error) {
	left := append([]SeatPrice(nil), prices...)
	tickets := make([]contract.Ticket, 0, len(seats))
	for _, seat := range seats {
		found := -1
		for i := range left {
			if left[i].Seat == seat.Seat {
				found = i
				break
			}
		}
		if found < 0 {
			return nil, wrong("prices has none for seat %s: give one for each of the %d seats", seat.Seat, len(seats))
		}
		tickets = append(tickets, contract.Ticket{Seat: seat.Seat, Price: left[found].Price})
		left = append(left[:found], left[found+1:]...)
	}
	if len(left) > 0 {
		return nil, wrong("prices names seat %s once more than the venue has it", left[0].Seat)
	}
	return tickets, nil
}

// EndSale lets the organiser end a sale that is over, and mines the block that it needs. Errors: ErrRequest.
func (s *Sandbox) EndSale(address cirrus.Address) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, found, err := s.venue(address)
	if err != nil {
		return err
	}
	end, next := found.State().EndOfSale, s.chain.Height()+1
	if end == 0 {
		return wrong("no sale is in progress at %s", address)
	}
	if next < end {
		return wrong("the sale runs until block %d: mine %d more first", end, end-next)
	}
	id, err := s.organise(ledger.CallData{Contract: at, Method: "EndSale"}, rankManage)
	if err != nil {
		return err
	}
	return s.settle(id)
}

// ReserveRequest asks for another buyer.
type ReserveRequest struct {
	Address cirrus.Address `json:"address"`
	Seat    cirrus.Seat    `json:"seat"`
	Sender  cirrus.Address `json:"sender"` // empty: somebody new
	First   bool           `json:"first"`  // ahead of ours in the block, else behind
}

// Reserve lets another buyer, who gets the money for it from outside, reserve a seat: the call is in the mempool when
// it returns. Errors: ErrRequest.
func (s *Sandbox) Reserve(request ReserveRequest) (cirrus.TxID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, found, err := s.venue(request.Address)
	if err != nil {
		return "", err
	}
	state, next := found.State(), s.chain.Height()+1
	if state.EndOfSale == 0 || next >= state.EndOfSale {
		return "", wrong("no sale is open in block %d: begin one with /sandbox/show", next)
	}
	price, err := offered(found, request.Seat)
	if err != nil {
		return "", err
	}
	sender, err := s.buyer(request.Sender)
	if err != nil {
		return "", err
	}
	secret, err := s.newSecret()
	if err != nil {
		return "", err
	}
	params := []string{contract.ParamBytes(contract.EncodeSeat(request.Seat)), contract.ParamBytes(secret.onChain)}
	if state.RequireIdentityVerification {
		name, err := seal(s.options.Rand, "Another Buyer")
		if err != nil {
			return "", err
		}
		params = append(params, contract.ParamBytes(name.cipher))
	}
	rank := rankLast
	if request.First {
		rank = rankFirst
	}
	call := ledger.CallData{Contract: at, Method: "Reserve", GasPrice: ledger.MinGasPrice, GasLimit: s.GasLimit()}
	return s.callAs(sender, price, call, rank, params)
}

// offered finds what a seat costs that is for sale.
func offered(venue *contract.Contract, seat cirrus.Seat) (uint64, error) {
	for _, ticket := range venue.Tickets() {
		if ticket.Seat != seat {
			continue
		}
		if ticket.Owner != (cirrus.Hash{}) {
			return 0, wrong("seat %s is sold", seat)
		}
		return ticket.Price, nil
	}
	return 0, wrong("the venue has no seat %s", seat)
}

func (s *Sandbox) buyer(address cirrus.Address) (cirrus.Hash, error) {
	if address == "" {
		return s.chain.Stranger()
	}
	return s.hash(string(address))
}
