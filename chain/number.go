package chain

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
)

var errNumber = errors.New("not a whole number")

// number is a whole number as either generation of a node prints it: 230000000, or 230000000.0 where the node's own
// type is a decimal. It covers all of uint64; null is 0.
type number uint64

func (n *number) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*n = 0
		return nil
	}
	whole, fraction, _ := strings.Cut(string(data), ".")
	if strings.Trim(fraction, "0") != "" {
		return fmt.Errorf("%w: %q", errNumber, data)
	}
	parsed, err := strconv.ParseUint(whole, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %q", errNumber, data)
	}
	*n = number(parsed)
	return nil
}

// strats is an amount that fits cirrus.Strats.
type strats cirrus.Strats

func (s *strats) UnmarshalJSON(data []byte) error {
	var n number
	if err := n.UnmarshalJSON(data); err != nil {
		return err
	}
	amount, fits := cirrus.StratsOf(uint64(n))
	if !fits {
		return fmt.Errorf("%w: %q is too large for an amount", errNumber, data)
	}
	*s = strats(amount)
	return nil
}

// crs reads an amount that the node gives in CRS, with up to eight decimals.
type crs cirrus.Strats

func (c *crs) UnmarshalJSON(data []byte) error {
	amount, err := cirrus.ParseCRS(string(data))
	if err != nil {
		return fmt.Errorf("%w: %q", errNumber, data)
	}
	*c = crs(amount)
	return nil
}
