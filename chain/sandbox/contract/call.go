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

// The kinds of Failure.
const (
	KindAssert       = "assert"
	KindNoMethod     = "MethodDoesNotExist"
	KindParameters   = "ParameterTypesDontMatch"
	KindOverflow     = "System.OverflowException"
	assertException  = "Stratis.SmartContracts.SmartContractAssertException"
	noMethodMessage  = "Method does not exist on contract."
	paramsMessage    = "Parameters sent don't match expected method parameters."
	overflowsMessage = "Arithmetic operation resulted in an overflow."
)

// Failure is why a call failed.
type Failure struct {
	Kind    string // assert, MethodDoesNotExist, ParameterTypesDontMatch, or an exception such as System.OverflowException
	Message string // the contract's own words where Kind is assert
}

// ReceiptError gives the first line of the "error" of a receipt; that of an exception goes on with a stack trace.
func (f Failure) ReceiptError() string {
	switch f.Kind {
	case KindAssert:
		return assertException + ": " + f.Message
	case KindNoMethod, KindParameters:
		return f.Message
	}
	return f.Kind + ": " + f.Message
}

func asserted(message string) *Failure { return &Failure{Kind: KindAssert, Message: message} }

// Transfer is a payment that the contract made.
type Transfer struct {
	To     cirrus.Hash
	Amount uint64 // strats
}

// Log is one event that the contract logged.
type Log struct {
	Event  string
	Topics [][]byte // the name of the event only: the contract has no indexed fields
	Data   []byte   // RLP list of the fields
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
	GasMetered uint64     // by the node's price list, instructions left out; of a failed call what was spent until then
}

// GasUsed is what a receipt shows for a call: the metered gas and 2 % for the instructions, rounded up.
func GasUsed(metered uint64) uint64 { return metered + (metered+49)/50 }
