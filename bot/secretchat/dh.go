package secretchat

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/gotd/td/crypto"
)

// errWeak says that a Diffie-Hellman value of the other side is outside of what the
// protocol allows.
var errWeak = errors.New("weak Diffie-Hellman value")

// errGroup says that the server's prime or generator are.
var errGroup = errors.New("weak Diffie-Hellman group")

// group is the server's generator and prime, checked.
type group struct {
	G int
	P []byte
}

// telegramPrime is what Telegram's servers give. That it is a safe prime was checked
// once for all (by a test, and by Telegram's own clients, which know it too).
const telegramPrime = "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F" +
	"48198A0AA7C14058229493D22530F4DBFA336F6E0AC925139543AED44CCE7C37" +
	"20FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64" +
	"2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4" +
	"A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754" +
	"FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4" +
	"E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F" +
	"0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B"

// checkGroup verifies a 2048-bit safe prime and its generator. With a prime that is not
// telegramPrime it takes the better part of a second: callers keep the answer per prime.
func checkGroup(g int, p []byte) error {
	check := crypto.CheckDH
	if strings.EqualFold(hex.EncodeToString(p), telegramPrime) {
		check = crypto.CheckGP
	}
	if err := check(g, new(big.Int).SetBytes(p)); err != nil {
		return fmt.Errorf("%w: %w", errGroup, err)
	}
	return nil
}

// exponent draws a secret exponent: our own randomness mixed with the server's, so
// that neither alone decides it. The server's part may be empty (re-keying has
// none).
func (g group) exponent(random io.Reader, fromServer []byte) (secret, error) {
	exponent := make(secret, keyLen)
	if _, err := io.ReadFull(random, exponent); err != nil {
		return nil, fmt.Errorf("read randomness for a key exchange: %w", err)
	}
	for i := range min(len(fromServer), keyLen) {
		exponent[i] ^= fromServer[i]
	}
	return exponent, nil
}

// public is g^exponent mod p, 256 bytes.
func (g group) public(exponent secret) []byte {
	return g.power(big.NewInt(int64(g.G)), exponent)
}

// key is peer^exponent mod p, padded on the left to 256 bytes.
func (g group) key(peer []byte, exponent secret) secret {
	return g.power(new(big.Int).SetBytes(peer), exponent)
}

func (g group) power(base *big.Int, exponent secret) []byte {
	p := new(big.Int).SetBytes(g.P)
	return new(big.Int).Exp(base, new(big.Int).SetBytes(exponent), p).FillBytes(make([]byte, keyLen))
}

// check verifies that both public values lie in the range that leaks nothing:
// 2^1984 from either end.
func (g group) check(ours, theirs []byte) error {
	if len(theirs) > keyLen {
		return fmt.Errorf("%w: longer than the prime", errWeak)
	}
	err := crypto.CheckDHParams(new(big.Int).SetBytes(g.P), big.NewInt(int64(g.G)),
		new(big.Int).SetBytes(ours), new(big.Int).SetBytes(theirs))
	if err != nil {
		return fmt.Errorf("%w: %w", errWeak, err)
	}
	return nil
}

// fresh draws an exponent whose public value is in range. One in 2^64 draws is
// not, so a second failure means broken randomness.
func (g group) fresh(random io.Reader, fromServer []byte) (exponent secret, public []byte, err error) {
	for range 2 {
		exponent, err = g.exponent(random, fromServer)
		if err != nil {
			return nil, nil, err
		}
		public = g.public(exponent)
		if g.check(public, public) == nil {
			return exponent, public, nil
		}
	}
	return nil, nil, fmt.Errorf("%w: own value out of range", errWeak)
}
