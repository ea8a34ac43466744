package sandbox

import (
	"fmt"
	"net/http"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

type createBody struct {
	payer
	Seats []cirrus.Seat `json:"seats"`
	Venue string        `json:"venue"`
}

// maxSeats is how many seats a contract can handle.
const maxSeats = 65

func (s *Sandbox) createContract(a *ask) reply {
	body, refusal := fields(s, a, func(b *createBody) *payer { return &b.payer }, checkCreate)
	if refusal != nil {
		return *refusal
	}
	if s.self.Peers == 0 {
		return say(http.StatusForbidden, msgNoPeers)
	}
	id, refusal := s.transact(body.payer, 0, ledger.CallData{Create: true},
		contract.ParamBytes(contract.EncodeSeats(body.Seats)), contract.ParamString(body.Venue))
	if refusal != nil {
		return *refusal
	}
	return created(id, id)
}

func checkCreate(body *createBody, found problems) {
	if body.Venue == "" {
		found.add("Venue", "'Venue' must not be empty.")
	}
	if len(body.Seats) == 0 {
		found.add("Seats", "'Seats' must not be empty.")
		return
	}
	seen := map[cirrus.Seat]bool{}
	for _, seat := range body.Seats {
		seen[seat] = true
	}
	if len(body.Seats) > maxSeats || len(seen) != len(body.Seats) {
		found.add("Seats", "Must specify a maximum of %d unique seats", maxSeats)
	}
}

type feeBody struct {
	payer
	Fee count `json:"fee"`
}

func (s *Sandbox) setReleaseFee(a *ask) reply {
	body, refusal := fields(s, a, func(b *feeBody) *payer { return &b.payer }, nil)
	return s.setting(a, refusal, body.payer, "SetTicketReleaseFee", contract.ParamUlong(uint64(body.Fee)))
}

type blocksBody struct {
	payer
	Count count `json:"count"`
}

func (s *Sandbox) setNoReleaseBlocks(a *ask) reply {
	body, refusal := fields(s, a, func(b *blocksBody) *payer { return &b.payer }, nil)
	return s.setting(a, refusal, body.payer, "SetNoReleaseBlocks", contract.ParamUlong(uint64(body.Count)))
}

type policyBody struct {
	payer
	Require bool `json:"requireIdentityVerification"`
}

func (s *Sandbox) setIdentityPolicy(a *ask) reply {
	body, refusal := fields(s, a, func(b *policyBody) *payer { return &b.payer }, nil)
	return s.setting(a, refusal, body.payer, "SetIdentityVerificationPolicy", contract.ParamBool(body.Require))
}

// setting sends one of the calls that a sale forbids.
func (s *Sandbox) setting(a *ask, refusal *reply, who payer, method, param string) reply {
	if refusal != nil {
		return *refusal
	}
	call, refusal := s.openVenue(a)
	if refusal != nil {
		return *refusal
	}
	if call.state.EndOfSale != 0 {
		return say(http.StatusConflict, "Sale is currently active")
	}
	return s.manage(who, call, method, param)
}

type saleBody struct {
	payer
	SeatPrices []struct {
		Seat  cirrus.Seat `json:"seat"`
		Price count       `json:"price"`
	} `json:"seatPrices"`
	Details struct {
		Name      string `json:"name"`
		Organiser string `json:"organiser"`
		Time      count  `json:"time"`
		EndOfSale count  `json:"endOfSale"`
	} `json:"details"`
}

func (s *Sandbox) checkSale(body *saleBody, found problems) {
	if len(body.SeatPrices) == 0 {
		found.add("SeatPrices", "'Seat Prices' must not be empty.")
	}
	seen := map[cirrus.Seat]bool{}
	for _, price := range body.SeatPrices {
		seen[price.Seat] = true
	}
	if len(seen) != len(body.SeatPrices) {
		found.add("SeatPrices", "Cannot price the same seat more than once")
	}
	if body.Details.Name == "" {
		found.add("Details.Name", "'Name' must not be empty.")
	}
	if body.Details.Organiser == "" {
		found.add("Details.Organiser", "'Organiser' must not be empty.")
	}
	if int64(body.Details.Time) <= s.options.Clock().Unix() {
		found.add("Details.Time", "Time must be in the future")
	}
}

func (s *Sandbox) beginSale(a *ask) reply {
	body, refusal := fields(s, a, func(b *saleBody) *payer { return &b.payer }, s.checkSale)
	if refusal != nil {
		return *refusal
	}
	if _, err := s.options.Network.ParseAddress(a.rest[0]); err == nil && uint64(body.Details.EndOfSale) <= s.chain.Height() {
		return say(http.StatusBadRequest, fmt.Sprintf("End of sale must be in the future. Consensus height is at %d", s.chain.Height()))
	}
	call, refusal := s.openVenue(a)
	if refusal != nil {
		return *refusal
	}
	if call.state.EndOfSale != 0 {
		return say(http.StatusConflict, "Sale is currently active")
	}
	if s.self.Peers == 0 {
		return say(http.StatusForbidden, msgNoPeers)
	}
	var prices []SeatPrice
	for _, price := range body.SeatPrices {
		prices = append(prices, SeatPrice{Seat: price.Seat, Price: uint64(price.Price)})
	}
	tickets, err := priced(call.venue.Tickets(), prices)
	if err != nil {
		return say(http.StatusBadRequest, "Must supply prices for all seats")
	}
	return s.manage(body.payer, call, "BeginSale", contract.ParamBytes(contract.EncodeTickets(tickets)),
		contract.ParamString(body.Details.Name), contract.ParamString(body.Details.Organiser),
		contract.ParamUlong(uint64(body.Details.Time)), contract.ParamUlong(uint64(body.Details.EndOfSale)))
}

type endBody struct{ payer }

func (s *Sandbox) endSale(a *ask) reply {
	body, refusal := fields(s, a, func(b *endBody) *payer { return &b.payer }, nil)
	if refusal != nil {
		return *refusal
	}
	call, refusal := s.openVenue(a)
	if refusal != nil {
		return *refusal
	}
	if call.state.EndOfSale == 0 || call.saleOpen() {
		return say(http.StatusConflict, "Sale is not currently active or has not ended")
	}
	return s.manage(body.payer, call, "EndSale")
}
