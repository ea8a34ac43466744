package contract

import "github.com/usherbot/usher/chain/cirrus"

// Contract is one contract on the chain. It is not safe for use by several goroutines at once.
type Contract struct {
	owner   cirrus.Hash
	balance uint64
	storage map[string][]byte
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

// Create runs the constructor: call.Params are the seats (10#) and the name of the venue (4#). The contract is nil
// where that failed.
func Create(owner cirrus.Hash, call Call) (*Contract, Result) { return nil, Result{} }

// Execute runs one call. A failed call leaves everything as it was.
func (c *Contract) Execute(call Call) Result { return Result{} }

// Clone gives an independent copy.
func (c *Contract) Clone() *Contract { return c }

// State gives the numbers that the contract stores.
func (c *Contract) State() State { return State{} }

// Tickets gives the tickets in the contract's order.
func (c *Contract) Tickets() []Ticket { return nil }

// Storage gives a copy of what is stored, by key.
func (c *Contract) Storage() map[string][]byte { return nil }

// Balance gives the strats that the contract holds.
func (c *Contract) Balance() uint64 { return c.balance }

// Owner gives who created the contract.
func (c *Contract) Owner() cirrus.Hash { return c.owner }
