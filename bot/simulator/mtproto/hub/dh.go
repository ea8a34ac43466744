package hub

import (
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// The Diffie-Hellman group of all secret chats: Telegram's own 2048-bit safe
// prime, with a generator that fits it (p mod 3 = 2).
const (
	dhVersion   = 3
	dhGenerator = 3
	dhBytes     = 256
	dhPrime     = "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f" +
		"48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37" +
		"20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64" +
		"2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4" +
		"a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754" +
		"fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4" +
		"e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f" +
		"0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b"
	// dhRandomMax is the most server randomness a client may ask for.
	dhRandomMax = 1024
)

func primeBytes() ([]byte, error) {
	p, err := hex.DecodeString(dhPrime)
	if err != nil {
		return nil, fmt.Errorf("decode the prime: %w", err)
	}
	return p, nil
}

// Group is the prime and the generator of the server's Diffie-Hellman group,
// which Telegram uses for passwords as well.
func Group() (p *big.Int, g int) {
	p, _ = new(big.Int).SetString(dhPrime, 16)
	return p, dhGenerator
}

func getDhConfig(h *Hub, _ *Device, req *tg.MessagesGetDhConfigRequest) (bin.Encoder, error) {
	if req.RandomLength < 0 || req.RandomLength > dhRandomMax {
		return nil, tgerr.New(400, tg.ErrRandomLengthInvalid)
	}
	random, err := h.random(req.RandomLength)
	if err != nil {
		return nil, err
	}
	if req.Version == dhVersion {
		return &tg.MessagesDhConfigNotModified{Random: random}, nil
	}
	p, err := primeBytes()
	if err != nil {
		return nil, err
	}
	return &tg.MessagesDhConfig{G: dhGenerator, P: p, Version: dhVersion, Random: random}, nil
}

// badPublic tells whether a public value is no member of 2..p-2. The real
// server checks no more than this: the ends must check the rest.
func badPublic(v []byte) bool {
	if len(v) == 0 || len(v) > dhBytes {
		return true
	}
	p, err := primeBytes()
	if err != nil {
		return true
	}
	n, one := new(big.Int).SetBytes(v), big.NewInt(1)
	return n.Cmp(one) <= 0 || n.Cmp(new(big.Int).Sub(new(big.Int).SetBytes(p), one)) >= 0
}
