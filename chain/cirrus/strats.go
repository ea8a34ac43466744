package cirrus

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Strats is an amount of money in the chain's smallest unit, 10^-8 CRS. Amounts are never floats.
type Strats int64

// CRS is the number of strats in one CRS.
const CRS Strats = 100_000_000

// ErrAmount says that a text is not an amount of CRS.
var ErrAmount = errors.New("not an amount of CRS")

const maxDecimals = 8

// ParseCRS reads a decimal amount of CRS such as "361.0001". It takes digits with at most one point and at most
// eight decimals; signs, exponents, and amounts that do not fit are refused with ErrAmount.
func ParseCRS(text string) (Strats, error) {
	whole, frac, point := strings.Cut(text, ".")
	if whole == "" || len(frac) > maxDecimals || (point && frac == "") {
		return 0, fmt.Errorf("%w: %q", ErrAmount, text)
	}
	var sum uint64
	for _, digit := range whole + frac + strings.Repeat("0", maxDecimals-len(frac)) {
		if digit < '0' || digit > '9' || sum > (math.MaxInt64-9)/10 {
			return 0, fmt.Errorf("%w: %q", ErrAmount, text)
		}
		sum = sum*10 + uint64(digit-'0')
	}
	return Strats(sum), nil
}

// StratsOf converts a number of the chain, which counts in uint64. ok is false where it does not fit: such a price
// is not sellable.
func StratsOf(amount uint64) (strats Strats, ok bool) {
	if amount > math.MaxInt64 {
		return 0, false
	}
	return Strats(amount), true
}

// String gives the amount in CRS with as many decimals as it needs and at least none: "361.0001", "5", "-0.3".
func (s Strats) String() string {
	text := strings.TrimRight(s.Decimal(), "0")
	return strings.TrimSuffix(text, ".")
}

// Decimal gives the amount in CRS with all eight decimals, the form that a node's wallet calls take.
func (s Strats) Decimal() string {
	sign, abs := "", uint64(s)
	if s < 0 {
		sign, abs = "-", -abs
	}
	return fmt.Sprintf("%s%d.%08d", sign, abs/uint64(CRS), abs%uint64(CRS))
}
