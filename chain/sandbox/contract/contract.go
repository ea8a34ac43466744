package contract

import (
	"maps"

	"github.com/usherbot/usher/chain/cirrus"
)

// MaxSeats is how many seats a contract takes.
const MaxSeats = 65

// Contract is one contract on the chain. It is not safe for use by several goroutines at once.
type Contract struct {
	balance uint64            // strats
	storage map[string][]byte // values are replaced, never written into
}

// State is what the contract remembers beside its tickets.
type State struct {
	EndOfSale                   uint64 // block height; 0: no sale
	ReleaseFee                  uint64 // strats
	NoRefundBlockCount          uint64 // blocks
	RequireIdentityVerification bool
}

// Ticket is one element of the contract's array of tickets.
type Ticket struct {
	Seat       cirrus.Seat
	Price      uint64      // strats
	Owner      cirrus.Hash // zero while it is for sale
	Secret     []byte      // nil while it is for sale
	Identifier []byte      // nil where none was given
}

// Create runs the constructor: call.Params are the seats (byte[]) and the name of the venue (string). The contract is
// nil where that failed.
func Create(owner cirrus.Hash, call Call) (*Contract, Result) {
	call.Sender = owner
	created := &Contract{storage: map[string][]byte{}}
	result := created.run(call, gasCreate, constructor)
	if !result.OK {
		return nil, result
	}
	return created, result
}

// Execute runs one call. A failed call leaves everything as it was.
func (c *Contract) Execute(call Call) Result { return c.run(call, gasBase, findMethod) }

// Clone gives an independent copy.
func (c *Contract) Clone() *Contract {
	return &Contract{balance: c.balance, storage: maps.Clone(c.storage)}
}

// State gives the numbers that the contract stores.
func (c *Contract) State() State {
	return State{
		EndOfSale:                   readUlong(c.storage[keyEndOfSale]),
		ReleaseFee:                  readUlong(c.storage[keyReleaseFee]),
		NoRefundBlockCount:          readUlong(c.storage[keyNoRefund]),
		RequireIdentityVerification: readBool(c.storage[keyIdentity]),
	}
}

// Tickets gives the tickets in the contract's order.
func (c *Contract) Tickets() []Ticket { return DecodeTickets(c.storage[keyTickets]) }

// Storage gives a copy of what is stored, by key. Keys that were never written are absent.
func (c *Contract) Storage() map[string][]byte {
	storage := make(map[string][]byte, len(c.storage))
	for key, value := range c.storage {
		storage[key] = append([]byte{}, value...)
	}
	return storage
}

// Balance gives the strats that the contract holds.
func (c *Contract) Balance() uint64 { return c.balance }

// Owner gives who created the contract.
func (c *Contract) Owner() cirrus.Hash { return readHash(c.storage[keyOwner]) }
