package contract

import (
	"math"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// signature is one overload of a public method.
type signature struct {
	name   string
	params []byte
	body   method
}

// signatures lists what the contract offers. The getter of Tickets is public too and does nothing but cost gas.
func signatures() []signature {
	return []signature{
		{"BeginSale", []byte{TypeBytes, TypeString, TypeString, TypeUlong, TypeUlong}, beginSale},
		{"EndSale", nil, endSale},
		{"Reserve", []byte{TypeBytes, TypeBytes}, reserve},
		{"Reserve", []byte{TypeBytes, TypeBytes, TypeBytes}, reserve},
		{"ReleaseTicket", []byte{TypeBytes}, releaseTicket},
		{"SetTicketReleaseFee", []byte{TypeUlong}, setTicketReleaseFee},
		{"SetNoReleaseBlocks", []byte{TypeUlong}, setNoReleaseBlocks},
		{"SetIdentityVerificationPolicy", []byte{TypeBool}, setIdentityVerificationPolicy},
		{"get_Tickets", nil, func(x *execution) *Failure { x.tickets(); return nil }},
	}
}

// findMethod picks the method by name (its case matters) and types. A null parameter is refused before anything is
// looked up, whatever the method.
func findMethod(call Call) (method, *Failure) {
	if hasNull(call.Params) {
		return nil, &Failure{Kind: KindParameters, Message: paramsMessage}
	}
	for _, offered := range signatures() {
		if offered.name == call.Method && takes(offered.params, call.Params) {
			return offered.body, nil
		}
	}
	return nil, &Failure{Kind: KindNoMethod, Message: noMethodMessage}
}

func hasNull(params []Param) bool {
	return slices.ContainsFunc(params, func(param Param) bool { return param.Null })
}

func takes(wanted []byte, given []Param) bool {
	return slices.EqualFunc(wanted, given, func(want byte, param Param) bool {
		return want == param.Type || want == TypeUlong && widens(param.Type)
	})
}

// widens tells which types .NET's binder turns into a ulong by itself. An int is none of them: it may be negative.
func widens(kind byte) bool { return kind == TypeByte || kind == TypeChar || kind == TypeUint }

func constructor(call Call) (method, *Failure) {
	if hasNull(call.Params) {
		return nil, &Failure{Kind: KindParameters, Message: paramsMessage}
	}
	if !takes([]byte{TypeBytes, TypeString}, call.Params) {
		return nil, &Failure{Kind: KindNoMethod, Message: noMethodMessage}
	}
	return construct, nil
}

func construct(x *execution) *Failure {
	seats := DecodeSeats(x.call.Params[0].Value)
	if len(seats) > MaxSeats {
		return asserted("Cannot handle more than 65 seats")
	}
	tickets := make([]Ticket, len(seats))
	for i, seat := range seats {
		tickets[i].Seat = seat
	}
	x.log("Venue", Field{"Name", x.text(1)})
	x.write(keyOwner, x.call.Sender[:])
	x.setTickets(tickets)
	return nil
}

func beginSale(x *execution) *Failure {
	if !x.byOwner() {
		return asserted("Only contract owner can begin a sale")
	}
	if x.endOfSale() != 0 {
		return asserted("Sale currently in progress")
	}
	end := x.ulong(4)
	if x.call.Height >= end {
		return asserted("Sale must finish in the future")
	}
	priced := DecodeTickets(x.call.Params[0].Value)
	tickets := x.tickets()
	if len(tickets) != len(priced) {
		return asserted("Seat elements must be equal")
	}
	for i := range tickets {
		seat := tickets[i].Seat
		named := slices.ContainsFunc(priced, func(ticket Ticket) bool { return ticket.Seat == seat })
		// A seat that lacks its number or its letter counts as not named at all: such a contract cannot sell.
		if !named || seat.Number == 0 || seat.Letter == 0 {
			return asserted("Invalid seat provided")
		}
		tickets[i].Price = priced[i].Price // by position, whatever seat stands there
	}
	x.setTickets(tickets)
	x.write(keyEndOfSale, ulongBytes(end))
	x.log("Show",
		Field{"Name", x.text(1)},
		Field{"Organiser", x.text(2)},
		Field{"Time", x.ulong(3)},
		Field{"EndOfSale", end},
	)
	return nil
}

func endSale(x *execution) *Failure {
	if !x.byOwner() {
		return asserted("Only contract owner can end sale")
	}
	if x.endOfSale() == 0 {
		return asserted("Sale not currently in progress")
	}
	if x.call.Height < x.endOfSale() {
		return asserted("Sale contract not fulfilled")
	}
	tickets := x.tickets()
	for i, ticket := range tickets {
		tickets[i] = Ticket{Seat: ticket.Seat}
	}
	x.setTickets(tickets)
	x.write(keyEndOfSale, ulongBytes(0))
	return nil
}

func reserve(x *execution) *Failure {
	var identifier []byte
	if len(x.call.Params) == 3 {
		identifier = x.call.Params[2].Value
	}
	if readBool(x.read(keyIdentity)) && identifier == nil {
		return asserted("Invalid customer identifier")
	}
	if !x.saleOpen() {
		return asserted("Sale not open")
	}
	tickets, at := x.find(DecodeSeat(x.call.Params[0].Value))
	if at < 0 {
		return asserted("Seat not found")
	}
	ticket := &tickets[at]
	if ticket.Owner != (cirrus.Hash{}) {
		return asserted("Ticket not available")
	}
	if x.call.Value < ticket.Price {
		return asserted("Not enough funds")
	}
	if x.call.Value > ticket.Price {
		x.transfer(x.call.Value - ticket.Price)
	}
	ticket.Owner, ticket.Secret, ticket.Identifier = x.call.Sender, x.call.Params[1].Value, identifier
	x.setTickets(tickets)
	x.logTicket(*ticket)
	return nil
}

func releaseTicket(x *execution) *Failure {
	if !x.saleOpen() {
		return asserted("Sale not open")
	}
	window := readUlong(x.read(keyNoRefund))
	if window > math.MaxUint64-x.call.Height {
		return &Failure{Kind: KindOverflow, Message: overflowsMessage}
	}
	if x.call.Height+window >= x.endOfSale() {
		return asserted("Surpassed no refund block limit")
	}
	tickets, at := x.find(DecodeSeat(x.call.Params[0].Value))
	if at < 0 {
		return asserted("Seat not found")
	}
	ticket := &tickets[at]
	if x.call.Sender != ticket.Owner {
		return asserted("You do not own this ticket")
	}
	if ticket.Price > readUlong(x.read(keyReleaseFee)) {
		x.transfer(ticket.Price - readUlong(x.read(keyReleaseFee)))
	}
	ticket.Owner, ticket.Secret, ticket.Identifier = cirrus.Hash{}, nil, nil
	x.setTickets(tickets)
	x.logTicket(*ticket)
	return nil
}

func setTicketReleaseFee(x *execution) *Failure {
	return x.set("Only contract owner can set release fee",
		keyReleaseFee, "TicketReleaseFee", Field{"Amount", x.ulong(0)})
}

func setNoReleaseBlocks(x *execution) *Failure {
	return x.set("Only contract owner can set no release blocks limit",
		keyNoRefund, "NoRefundBlocks", Field{"Count", x.ulong(0)})
}

func setIdentityVerificationPolicy(x *execution) *Failure {
	return x.set("Only contract owner can set identity verification policy",
		keyIdentity, "IdentityVerificationPolicy",
		Field{"RequireIdentityVerification", readBool(x.call.Params[0].Value)})
}

// set is what the three setters share.
func (x *execution) set(notOwner, key, event string, field Field) *Failure {
	if !x.byOwner() {
		return asserted(notOwner)
	}
	if x.saleOpen() {
		return asserted("Sale is open")
	}
	x.write(key, fieldBytes(field.Value))
	x.log(event, field)
	return nil
}

// find gives the tickets and the index of the first with this seat, or -1.
func (x *execution) find(seat cirrus.Seat) ([]Ticket, int) {
	tickets := x.tickets()
	return tickets, slices.IndexFunc(tickets, func(ticket Ticket) bool { return ticket.Seat == seat })
}

func (x *execution) text(param int) string { return string(x.call.Params[param].Value) }

// ulong gives a parameter as a number; the shorter types that stand for it are little endian as well.
func (x *execution) ulong(param int) uint64 {
	var whole [8]byte
	copy(whole[:], x.call.Params[param].Value)
	return readUlong(whole[:])
}
