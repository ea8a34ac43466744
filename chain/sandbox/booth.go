package sandbox

import (
	"errors"
	"net/http"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/wallet"
)

// boothPath is what every path of the Ticketbooth API begins with.
const boothPath = "/api/v1.0/ticketbooth"

// boothRoutes are the calls of the Ticketbooth API below a contract's address, by method and name in lower case.
func (s *Sandbox) boothRoutes() map[string]handler {
	return map[string]handler{
		"GET tickets":                     s.tickets,
		"GET ticketreleasefee":            s.releaseFee,
		"GET noreleaseblocks":             s.noReleaseBlocks,
		"GET identityverificationpolicy":  s.identityPolicy,
		"POST reserveticket":              s.reserveTicket,
		"POST releaseticket":              s.releaseTicket,
		"POST ticketreleasefee":           s.setReleaseFee,
		"POST noreleaseblocks":            s.setNoReleaseBlocks,
		"POST identityverificationpolicy": s.setIdentityPolicy,
		"POST beginsale":                  s.beginSale,
		"POST endsale":                    s.endSale,
	}
}

// TicketboothHandler serves the Ticketbooth API.
func (s *Sandbox) TicketboothHandler() http.Handler {
	routes := s.boothRoutes()
	return s.faults.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, rest := s.boothRoute(routes, r)
		if found == nil {
			write(w, reply{status: http.StatusNotFound})
			return
		}
		request, err := readAsk(r)
		if err != nil {
			write(w, tooMuch(err))
			return
		}
		request.rest = rest
		write(w, s.locked(found, request))
	}))
}

// boothRoute finds the call; its path does not mind letter case, the address in it does.
func (s *Sandbox) boothRoute(routes map[string]handler, r *http.Request) (handler, []string) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	if strings.EqualFold(path, boothPath) && r.Method == http.MethodPost {
		return s.createContract, nil
	}
	if len(path) <= len(boothPath) || !strings.EqualFold(path[:len(boothPath)+1], boothPath+"/") {
		return nil, nil
	}
	address, name, _ := strings.Cut(path[len(boothPath)+1:], "/")
	return routes[r.Method+" "+strings.ToLower(name)], []string{address}
}

// say is an answer of one sentence, which Ticketbooth gives as a JSON string.
func say(status int, message string) reply { return reply{status: status, body: message} }

// venueCall is what a call below a contract's address works on.
type venueCall struct {
	at      cirrus.Hash
	address string
	venue   *contract.Contract
	state   contract.State
	height  uint64 // of the tip
}

// open makes the first checks of every call: the address, and that there is a contract.
func (s *Sandbox) openVenue(a *ask) (venueCall, *reply) {
	address := a.rest[0]
	parsed, err := s.options.Network.ParseAddress(address)
	if err != nil {
		answer := say(http.StatusBadRequest, "Invalid address "+clip(address))
		return venueCall{}, &answer
	}
	at, err := parsed.Hash()
	found, isOne := s.chain.Contract(at)
	if err != nil || !isOne {
		answer := say(http.StatusNotFound, "No smart contract found at address "+address)
		return venueCall{}, &answer
	}
	return venueCall{at: at, address: address, venue: found, state: found.State(), height: s.chain.Height()}, nil
}

type ticketBody struct {
	Seat               cirrus.Seat    `json:"seat"`
	Price              uint64         `json:"price"`
	Address            cirrus.Address `json:"address"`
	Secret             *string        `json:"secret"`
	CustomerIdentifier *string        `json:"customerIdentifier"`
}

func (s *Sandbox) tickets(a *ask) reply {
	call, refusal := s.openVenue(a)
	if refusal != nil {
		return *refusal
	}
	list := []ticketBody{}
	for _, ticket := range call.venue.Tickets() {
		list = append(list, ticketBody{
			Seat: ticket.Seat, Price: ticket.Price, Address: s.address(ticket.Owner),
			Secret: upperOrNull(ticket.Secret), CustomerIdentifier: upperOrNull(ticket.Identifier),
		})
	}
	return ok(list)
}

func upperOrNull(data []byte) *string {
	if data == nil {
		return nil
	}
	text := upper(data)
	return &text
}

func (s *Sandbox) releaseFee(a *ask) reply {
	return s.read(a, func(state contract.State) any { return state.ReleaseFee })
}

func (s *Sandbox) noReleaseBlocks(a *ask) reply {
	return s.read(a, func(state contract.State) any { return state.NoRefundBlockCount })
}

func (s *Sandbox) identityPolicy(a *ask) reply {
	return s.read(a, func(state contract.State) any { return state.RequireIdentityVerification })
}

func (s *Sandbox) read(a *ask, what func(contract.State) any) reply {
	call, refusal := s.openVenue(a)
	if refusal != nil {
		return *refusal
	}
	return ok(what(call.state))
}

// findTicket finds the ticket of a seat. A seat that is the default one is not found even where a ticket has it.
func (c venueCall) findTicket(seat cirrus.Seat) (contract.Ticket, bool) {
	for _, ticket := range c.venue.Tickets() {
		if ticket.Seat != seat {
			continue
		}
		empty := ticket.Price == 0 && ticket.Owner == (cirrus.Hash{}) && ticket.Secret == nil && ticket.Identifier == nil
		return ticket, ticket.Seat != (cirrus.Seat{}) || !empty
	}
	return contract.Ticket{}, false
}

// saleOpen tells whether the sale is open as Ticketbooth sees it: at the tip, not at the block that a call comes into.
func (c venueCall) saleOpen() bool { return c.state.EndOfSale != 0 && c.height < c.state.EndOfSale }

// refundOpen tells whether a release is offered. The subtraction wraps around, as it does in the original.
func (c venueCall) refundOpen() bool {
	return c.state.EndOfSale != 0 && c.height < c.state.EndOfSale-c.state.NoRefundBlockCount
}

// boothRefusal gives an error of the wallet as Ticketbooth does.
func boothRefusal(err error) reply {
	var stranger wallet.ErrStranger
	if errors.As(err, &stranger) {
		return reply{status: http.StatusInternalServerError}
	}
	return say(http.StatusBadRequest, err.Error())
}
