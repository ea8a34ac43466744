package replay

import (
	"encoding/binary"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

// paramValue writes a parameter as the recordings do after it came through the transaction.
func paramValue(param contract.Param) any {
	if param.Null {
		return nil
	}
	var whole [8]byte
	copy(whole[:], param.Value)
	unsigned := binary.LittleEndian.Uint64(whole[:])
	switch param.Type {
	case contract.TypeBool:
		return unsigned != 0
	case contract.TypeByte, contract.TypeUint, contract.TypeUlong:
		return number(unsigned)
	case contract.TypeInt:
		return signed(int64(int32(unsigned)))
	case contract.TypeLong:
		return signed(int64(unsigned))
	case contract.TypeChar:
		return cirrus.Char(unsigned).String()
	case contract.TypeString:
		return string(param.Value)
	case contract.TypeAddress:
		return addressText(cirrus.Hash(param.Value))
	}
	return upperHex(param.Value)
}
