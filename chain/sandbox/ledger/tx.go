package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// In is an input of a transaction: the coin that it spends and the script that proves the right to.
type In struct {
	Prev   cirrus.Outpoint
	Script []byte
}

// Out is an output of a transaction. Amount is in strats.
type Out struct {
	Amount uint64
	Script []byte
}

// Tx is a transaction in the form that the wire has it.
type Tx struct {
	Ins  []In
	Outs []Out
}

// ErrTx says that bytes are no transaction.
var ErrTx = errors.New("not a transaction")

const (
	txVersion = 1
	noMore    = math.MaxUint32 // sequence: final, so nothing can replace the transaction
	maxTx     = 100_000        // bytes; the node relays nothing larger
	nullIndex = math.MaxUint32 // of the input of a coinbase
)

// nullTxID is what the input of a coinbase names.
const nullTxID = cirrus.TxID("0000000000000000000000000000000000000000000000000000000000000000")

// Bytes gives the serialized transaction.
func (t *Tx) Bytes() []byte {
	raw := binary.LittleEndian.AppendUint32(nil, txVersion)
	raw = appendCount(raw, len(t.Ins))
	for _, in := range t.Ins {
		raw = append(raw, reversed(in.Prev.TxID)...)
		raw = binary.LittleEndian.AppendUint32(raw, in.Prev.Index)
		raw = appendCount(raw, len(in.Script))
		raw = append(raw, in.Script...)
		raw = binary.LittleEndian.AppendUint32(raw, noMore)
	}
	raw = appendCount(raw, len(t.Outs))
	for _, out := range t.Outs {
		raw = binary.LittleEndian.AppendUint64(raw, out.Amount)
		raw = appendCount(raw, len(out.Script))
		raw = append(raw, out.Script...)
	}
	return binary.LittleEndian.AppendUint32(raw, 0)
}

// Hex gives the serialized transaction as the node API has it.
func (t *Tx) Hex() string { return hex.EncodeToString(t.Bytes()) }

// ID gives the transaction id: the double SHA-256 of the bytes, shown backwards.
func (t *Tx) ID() cirrus.TxID { return doubleHash(t.Bytes()) }

// Size is the number of bytes.
func (t *Tx) Size() int { return len(t.Bytes()) }

// Total sums the outputs, in strats. ok is false where the sum does not fit.
func (t *Tx) Total() (sum uint64, ok bool) {
	for _, out := range t.Outs {
		if out.Amount > math.MaxInt64-sum {
			return 0, false
		}
		sum += out.Amount
	}
	return sum, true
}

// unsigned gives the bytes that a signature covers: the transaction without its input scripts.
func (t *Tx) unsigned() []byte {
	bare := Tx{Ins: slices.Clone(t.Ins), Outs: t.Outs}
	for i := range bare.Ins {
		bare.Ins[i].Script = nil
	}
	return bare.Bytes()
}

// ParseTx reads the hex of a transaction. Errors: ErrTx.
func ParseTx(text string) (*Tx, error) {
	if len(text) > 2*maxTx {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrTx, maxTx)
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: not hex", ErrTx)
	}
	in := reader{left: raw}
	if version := in.uint32(); version != txVersion && !in.short {
		return nil, fmt.Errorf("%w: version %d", ErrTx, version)
	}
	tx := new(Tx)
	for range in.count(41) {
		tx.Ins = append(tx.Ins, in.in())
	}
	for range in.count(9) {
		tx.Outs = append(tx.Outs, Out{Amount: in.uint64(), Script: in.script()})
	}
	lock := in.uint32()
	if in.short || len(in.left) > 0 || lock != 0 || in.odd {
		return nil, fmt.Errorf("%w: cut short, too long, or of a form that no wallet here makes", ErrTx)
	}
	return tx, nil
}

// reader takes a transaction apart. After the bytes ran out everything it gives is zero and short is set.
type reader struct {
	left  []byte
	short bool
	odd   bool // something that decodes but would not be encoded like this
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.left) {
		r.short, r.left = true, nil
		return make([]byte, min(max(n, 0), 32))
	}
	taken := r.left[:n]
	r.left = r.left[n:]
	return taken
}

func (r *reader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) uint64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

// count reads a number of items of at least size bytes each, never more than can follow.
func (r *reader) count(size int) int {
	n := uint64(r.take(1)[0])
	if n == 0xfd {
		if n = uint64(binary.LittleEndian.Uint16(r.take(2))); n < 0xfd {
			r.odd = true
		}
	} else if n > 0xfd {
		n = uint64(r.uint32())
		r.odd = r.odd || n <= math.MaxUint16
	}
	if n > uint64(len(r.left)/size) {
		r.short = true
		return 0
	}
	return int(n)
}

func (r *reader) script() []byte { return slices.Clone(r.take(r.count(1))) }

func (r *reader) in() In {
	id := slices.Clone(r.take(32))
	slices.Reverse(id)
	in := In{Prev: cirrus.Outpoint{TxID: cirrus.TxID(hex.EncodeToString(id)), Index: r.uint32()}, Script: r.script()}
	if r.uint32() != noMore {
		r.odd = true
	}
	return in
}

func appendCount(raw []byte, n int) []byte {
	switch {
	case n < 0xfd:
		return append(raw, byte(n))
	case n <= math.MaxUint16:
		return binary.LittleEndian.AppendUint16(append(raw, 0xfd), uint16(n))
	}
	return binary.LittleEndian.AppendUint32(append(raw, 0xfe), uint32(n))
}

// reversed gives the bytes of an id in the order that the wire has them.
func reversed(id cirrus.TxID) []byte {
	raw, err := hex.DecodeString(string(id))
	if err != nil || len(raw) != sha256.Size {
		raw = make([]byte, sha256.Size)
	}
	slices.Reverse(raw)
	return raw
}

func doubleHash(data []byte) cirrus.TxID {
	once := sha256.Sum256(data)
	twice := sha256.Sum256(once[:])
	slices.Reverse(twice[:])
	return cirrus.TxID(hex.EncodeToString(twice[:]))
}
