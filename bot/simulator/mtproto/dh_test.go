package mtproto_test

import (
	"crypto/rand"
	"math/big"
	"net"
	"strconv"
	"testing"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/tg"
)

// agree makes the invitee's public value and the key's fingerprint.
func agree(dh *tg.MessagesDhConfig, gA []byte) (gB []byte, print int64, err error) {
	p, g := new(big.Int).SetBytes(dh.P), big.NewInt(int64(dh.G))
	if err := crypto.CheckGP(dh.G, p); err != nil {
		return nil, 0, err
	}
	b, err := rand.Int(rand.Reader, p)
	if err != nil {
		return nil, 0, err
	}
	var k crypto.Key
	new(big.Int).Exp(new(big.Int).SetBytes(gA), b, p).FillBytes(k[:])
	id := k.ID()
	return new(big.Int).Exp(g, b, p).FillBytes(make([]byte, 256)), int64(le(id[:])), nil
}

func le(b []byte) (n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n
}

func splitAddr(t *testing.T, addr string) (string, int) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return host, n
}
