package contract

import "github.com/usherbot/usher/chain/cirrus"

// Call is one call as the block that contains it executes it.
type Call struct {
	Height uint64 // of the block that contains the call
	Sender cirrus.Hash
	Value  uint64 // strats sent along
	Method string // "" is a bare transfer; Create ignores it
	Params []Param
}

// Param is one parameter of a call. Value holds the bytes that the chain holds for it.
type Param struct {
	Type  byte // one of the Type constants
	Value []byte
	Null  bool // an empty byte[] or string, which arrives as null
}

// The types of parameters, as the node API numbers them.
const (
	TypeBool byte = iota + 1
	TypeByte
	TypeChar
	TypeString
	TypeUint
	TypeInt
	TypeUlong
	TypeLong
	TypeAddress
	TypeBytes
)

// Failure is why a call failed.
type Failure struct {
	Kind    string // assert, MethodDoesNotExist, ParameterTypesDontMatch, or an exception such as System.OverflowException
	Message string // the contract's own words where Kind is assert
}

// ReceiptError gives the first line of the "error" of a receipt.
func (f Failure) ReceiptError() string { return f.Kind + ": " + f.Message }

// Transfer is a payment that the contract made.
type Transfer struct {
	To     cirrus.Hash
	Amount uint64 // strats
}

// Log is one event that the contract logged.
type Log struct {
	Event  string
	Topics [][]byte
	Data   []byte // RLP list of the fields
	Fields []Field
}

// Field is a field of a Log. Value is a string, uint64, bool, []byte (nil for null), cirrus.Hash or cirrus.Seat.
type Field struct {
	Name  string
	Value any
}

// Result is what a call did.
type Result struct {
	OK         bool
	Failure    *Failure   // nil where OK
	Refund     uint64     // strats back to the sender because the call failed: the whole value
	Transfers  []Transfer // payments, none of a failed call
	Logs       []Log      // none of a failed call
	GasMetered uint64     // by the node's price list, instructions left out
}

// GasUsed is what a receipt shows for a call: the metered gas and 2 % for the instructions, rounded up.
func GasUsed(metered uint64) uint64 { return metered + (metered+49)/50 }

// ParseParams reads parameters as the node API takes them ("10#C884…", "7#12") and gives them as they arrive at the
// contract, after the way through the transaction.
func ParseParams(network cirrus.Network, texts []string) ([]Param, error) { return nil, nil }
