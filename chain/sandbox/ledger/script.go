package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

// First bytes of the scripts that only a chain with contracts has.
const (
	opCreate = 0xc0
	opCall   = 0xc1
	opSpend  = 0xc2
	opHeld   = 0xc3
)

// Pay gives the script that pays an address (P2PKH).
func Pay(to cirrus.Hash) []byte {
	script := append([]byte{0x76, 0xa9, byte(len(to))}, to[:]...)
	return append(script, 0x88, 0xac)
}

// held gives the script of a coin that a contract holds.
func held(by cirrus.Hash) []byte { return append([]byte{opHeld}, by[:]...) }

// Payee reads a script that Pay made.
func Payee(script []byte) (cirrus.Hash, bool) {
	if len(script) != 25 || !bytes.HasPrefix(script, []byte{0x76, 0xa9, 20}) || script[23] != 0x88 || script[24] != 0xac {
		return cirrus.Hash{}, false
	}
	return cirrus.Hash(script[3:23]), true
}

// holder reads a script that held made.
func holder(script []byte) (cirrus.Hash, bool) {
	if len(script) != 21 || script[0] != opHeld {
		return cirrus.Hash{}, false
	}
	return cirrus.Hash(script[1:]), true
}

// CallData is what a transaction asks of a contract, or of the chain where Create is set.
type CallData struct {
	Create             bool
	Contract           cirrus.Hash // unused where Create is set
	Method             string      // unused where Create is set
	Params             []contract.Param
	GasPrice, GasLimit uint64 // strats for a unit of gas; units of gas
}

// Budget is the gas limit times the gas price, in strats.
func (c CallData) Budget() uint64 { return c.GasPrice * c.GasLimit }

const callVersion = 1

// Script gives the output script that carries the call.
func (c CallData) Script() []byte {
	script := []byte{opCall}
	if c.Create {
		script[0] = opCreate
	}
	script = binary.LittleEndian.AppendUint32(script, callVersion)
	script = binary.LittleEndian.AppendUint64(script, c.GasPrice)
	script = binary.LittleEndian.AppendUint64(script, c.GasLimit)
	script = append(script, c.Contract[:]...)
	script = appendBytes(script, []byte(c.Method))
	for _, param := range c.Params {
		script = appendBytes(append(script, param.Type), param.Value)
	}
	return script
}

// ParseCall reads a script that Script made.
func ParseCall(script []byte) (CallData, bool) {
	in := reader{left: script}
	op := in.take(1)[0]
	version := in.uint32()
	call := CallData{Create: op == opCreate, GasPrice: in.uint64(), GasLimit: in.uint64()}
	if in.short || version != callVersion || (op != opCreate && op != opCall) {
		return CallData{}, false
	}
	call.Contract = cirrus.Hash(in.take(len(call.Contract)))
	call.Method = string(in.script())
	for len(in.left) > 0 && !in.short {
		param := contract.Param{Type: in.take(1)[0], Value: in.script()}
		param.Null = len(param.Value) == 0 && (param.Type == contract.TypeBytes || param.Type == contract.TypeString)
		call.Params = append(call.Params, param)
	}
	return call, !in.short && !in.odd
}

func appendBytes(script, value []byte) []byte {
	return append(appendCount(script, len(value)), value...)
}

// pushSig and pushKey are the lengths of what a P2PKH input pushes.
const (
	pushSig = 72
	pushKey = 33
)

// Sign fills in the input scripts. They have the size of real ones and prove that this chain's wallets made them; the
// same inputs, outputs and order give the same bytes. Inputs that the chain does not know stay unsigned.
func (c *Chain) Sign(tx *Tx) {
	covered := tx.unsigned()
	for i := range tx.Ins {
		if coin, ok := c.coins[tx.Ins[i].Prev]; ok {
			tx.Ins[i].Script = c.signature(covered, i, coin.Owner)
		}
	}
}

func (c *Chain) signature(covered []byte, input int, owner cirrus.Hash) []byte {
	mac := hmac.New(sha256.New, c.key)
	mac.Write(covered)
	mac.Write(binary.LittleEndian.AppendUint32(nil, uint32(input)))
	mac.Write(owner[:])
	sum := mac.Sum(nil)
	script := append([]byte{pushSig}, bytes.Repeat(sum, 3)[:pushSig]...)
	key := sha256.Sum256(owner[:])
	return append(append(script, pushKey, 2), key[:]...)
}

// signed tells whether every input carries the script that Sign gives it.
func (c *Chain) signed(tx *Tx) bool {
	covered := tx.unsigned()
	for i, in := range tx.Ins {
		coin, ok := c.coins[in.Prev]
		if !ok || !hmac.Equal(in.Script, c.signature(covered, i, coin.Owner)) {
			return false
		}
	}
	return true
}
