package contract

import (
	"encoding/binary"
	"maps"

	"github.com/usherbot/usher/chain/cirrus"
)

// The node's price list.
const (
	gasBase       = 10_000 // of a call
	gasCreate     = 12_000 // of a creation
	gasTransfer   = 1_000
	gasStoredByte = 20 // of key and value
	gasReadByte   = 1  // of key and value
	gasTopicByte  = 2
	gasLogByte    = 1
)

// The keys of the contract's storage.
const (
	keyTickets    = "Tickets"
	keyEndOfSale  = "EndOfSale"
	keyReleaseFee = "ReleaseFee"
	keyNoRefund   = "NoRefundBlockCount"
	keyIdentity   = "RequireIdentityVerification"
	keyOwner      = "Owner"
)

// method is the body of one method of the contract.
type method func(*execution) *Failure

// execution is one call while it runs, on a copy of the contract.
type execution struct {
	call      Call
	balance   uint64
	storage   map[string][]byte
	transfers []Transfer
	logs      []Log
	gas       uint64
}

// run finds the method, runs it and keeps what it did if it succeeded.
func (c *Contract) run(call Call, gas uint64, find func(Call) (method, *Failure)) Result {
	x := &execution{call: call, balance: c.balance + call.Value, storage: maps.Clone(c.storage), gas: gas}
	body, failure := find(call)
	if failure == nil {
		failure = body(x)
	}
	if failure != nil {
		return Result{Failure: failure, Refund: call.Value, GasMetered: x.gas}
	}
	c.balance, c.storage = x.balance, x.storage
	return Result{OK: true, Transfers: x.transfers, Logs: x.logs, GasMetered: x.gas}
}

// read gives a stored value; each reading costs, also of what was never written.
func (x *execution) read(key string) []byte {
	value := x.storage[key]
	x.gas += gasReadByte * uint64(len(key)+len(value))
	return value
}

func (x *execution) write(key string, value []byte) {
	x.gas += gasStoredByte * uint64(len(key)+len(value))
	x.storage[key] = value
}

func (x *execution) endOfSale() uint64 { return readUlong(x.read(keyEndOfSale)) }

func (x *execution) tickets() []Ticket { return DecodeTickets(x.read(keyTickets)) }

func (x *execution) setTickets(tickets []Ticket) { x.write(keyTickets, EncodeTickets(tickets)) }

func (x *execution) byOwner() bool { return x.call.Sender == readHash(x.read(keyOwner)) }

func (x *execution) saleOpen() bool {
	end := x.endOfSale()
	return end != 0 && x.call.Height < end
}

// transfer pays the sender. A contract that holds less pays nothing and goes on, as the node has it.
func (x *execution) transfer(amount uint64) {
	if x.balance < amount {
		return
	}
	x.gas += gasTransfer
	x.balance -= amount
	x.transfers = append(x.transfers, Transfer{To: x.call.Sender, Amount: amount})
}

func (x *execution) log(event string, fields ...Field) {
	encoded := make([][]byte, len(fields))
	for i, field := range fields {
		encoded[i] = rlpString(fieldBytes(field.Value))
	}
	data := rlpList(encoded...)
	x.gas += gasTopicByte*uint64(len(event)) + gasLogByte*uint64(len(data))
	x.logs = append(x.logs, Log{Event: event, Topics: [][]byte{[]byte(event)}, Data: data, Fields: fields})
}

func (x *execution) logTicket(ticket Ticket) {
	x.log("Ticket",
		Field{"Seat", ticket.Seat},
		Field{"Price", ticket.Price},
		Field{"Address", ticket.Owner},
		Field{"Secret", ticket.Secret},
		Field{"CustomerIdentifier", ticket.Identifier},
	)
}

func fieldBytes(value any) []byte {
	switch value := value.(type) {
	case string:
		return []byte(value)
	case uint64:
		return ulongBytes(value)
	case bool:
		return boolBytes(value)
	case []byte:
		return value
	case cirrus.Hash:
		return value[:]
	case cirrus.Seat:
		return EncodeSeat(value)
	}
	return nil
}

func readUlong(value []byte) uint64 {
	if len(value) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(value)
}

func readBool(value []byte) bool { return len(value) > 0 && value[0] != 0 }

func readHash(value []byte) cirrus.Hash {
	if len(value) != len(cirrus.Hash{}) {
		return cirrus.Hash{}
	}
	return cirrus.Hash(value)
}
