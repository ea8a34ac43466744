package phone

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/gotd/td/tg"
)

// telegramPrime is the prime that Telegram's servers have always given. It is
// known to be safe, so that checking it does not cost half a second a phone.
const telegramPrime = "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f" +
	"48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37" +
	"20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64" +
	"2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4" +
	"a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754" +
	"fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4" +
	"e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f" +
	"0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b"

const (
	primeBits   = 2048
	primeRounds = 20
	// publicMargin: public values stay 2^(2048-64) away from 0 and p.
	publicMargin = primeBits - 64
	// exponentTries bounds the search for an exponent whose public value is
	// in range; one in 2^63 is not.
	exponentTries = 8
)

var (
	errPrime  = errors.New("the server's prime is not a safe 2048-bit one")
	errGen    = errors.New("the generator does not fit the prime")
	errPublic = errors.New("the other side's public value is out of range")
)

// group is a Diffie-Hellman group that was checked.
type group struct {
	version int
	g       *big.Int
	p       *big.Int
}

// newGroup checks the server's prime and generator.
func newGroup(version, g int, prime []byte) (*group, error) {
	p := new(big.Int).SetBytes(prime)
	if hex.EncodeToString(prime) != telegramPrime {
		half := new(big.Int).Rsh(p, 1)
		if p.BitLen() != primeBits || !p.ProbablyPrime(primeRounds) || !half.ProbablyPrime(primeRounds) {
			return nil, errPrime
		}
	}
	if !generates(g, p) {
		return nil, errGen
	}
	return &group{version: version, g: big.NewInt(int64(g)), p: p}, nil
}

// generates tells whether g generates the subgroup of prime order (p-1)/2,
// which quadratic reciprocity turns into a residue of p.
func generates(g int, p *big.Int) bool {
	mod := func(n int64) int64 { return new(big.Int).Mod(p, big.NewInt(n)).Int64() }
	switch g {
	case 2:
		return mod(8) == 7
	case 3:
		return mod(3) == 2
	case 4:
		return true
	case 5:
		return mod(5) == 1 || mod(5) == 4
	case 6:
		return mod(24) == 19 || mod(24) == 23
	case 7:
		return mod(7) == 3 || mod(7) == 5 || mod(7) == 6
	}
	return false
}

// public checks a public value and returns it as a number.
func (g *group) public(b []byte) (*big.Int, error) {
	v := new(big.Int).SetBytes(b)
	low := new(big.Int).Lsh(big.NewInt(1), publicMargin)
	high := new(big.Int).Sub(g.p, low)
	if len(b) > keySize || v.Cmp(low) <= 0 || v.Cmp(high) >= 0 {
		return nil, errPublic
	}
	return v, nil
}

// exponent draws a secret exponent and its public value. The server's
// randomness is mixed in and never trusted alone.
func (g *group) exponent(random io.Reader, server []byte) (secret *big.Int, public []byte, err error) {
	for range exponentTries {
		var buf [keySize]byte
		if _, err := io.ReadFull(random, buf[:]); err != nil {
			return nil, nil, fmt.Errorf("read an exponent: %w", err)
		}
		for i := range min(len(server), len(buf)) {
			buf[i] ^= server[i]
		}
		secret = new(big.Int).SetBytes(buf[:])
		public = new(big.Int).Exp(g.g, secret, g.p).FillBytes(make([]byte, keySize))
		if _, err = g.public(public); err == nil {
			return secret, public, nil
		}
	}
	return nil, nil, err
}

// agree computes the shared key.
func (g *group) agree(secret, other *big.Int) *key {
	var raw [keySize]byte
	new(big.Int).Exp(other, secret, g.p).FillBytes(raw[:])
	return newKey(raw)
}

// dhGroup asks the server for the group and randomness; an unchanged group
// that was checked before is not checked again.
func (p *Simulated) dhGroup(ctx context.Context) (*group, []byte, error) {
	req := &tg.MessagesGetDhConfigRequest{RandomLength: keySize}
	if p.group != nil {
		req.Version = p.group.version
	}
	res, err := p.api.MessagesGetDhConfig(ctx, req)
	if err != nil {
		return nil, nil, fmt.Errorf("get the Diffie-Hellman group: %w", err)
	}
	switch res := res.(type) {
	case *tg.MessagesDhConfig:
		g, err := newGroup(res.Version, res.G, res.P)
		if err != nil {
			return nil, nil, err
		}
		p.group = g
	case *tg.MessagesDhConfigNotModified:
		if p.group == nil {
			return nil, nil, errPrime
		}
	}
	if len(res.GetRandom()) < keySize {
		return nil, nil, errors.New("the server's randomness is too short")
	}
	return p.group, res.GetRandom(), nil
}
