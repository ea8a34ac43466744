package secretchat

import (
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/gotd/td/crypto"
)

// otherPrime is a safe prime that Telegram does not use (RFC 3526, group 14); 2 generates half of its group.
const otherPrime = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74" +
	"020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437" +
	"4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05" +
	"98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB" +
	"9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
	"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718" +
	"3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF"

func otherGroup(t interface{ Fatal(...any) }) group {
	p, err := hex.DecodeString(otherPrime)
	if err != nil {
		t.Fatal(err)
	}
	return group{G: 2, P: p}
}

// TestTheKnownPrimeIsASafeOne: it passes the whole check, which is spared it where a server gives it.
func TestTheKnownPrimeIsASafeOne(t *testing.T) {
	g := testGroup(t)
	if err := crypto.CheckDH(g.G, new(big.Int).SetBytes(g.P)); err != nil {
		t.Error(err)
	}
}

// TestAnyOtherPrimeIsCheckedWhole: a server may change to another safe prime, and not to a number that only looks like
// the known one.
func TestAnyOtherPrimeIsCheckedWhole(t *testing.T) {
	other := otherGroup(t)
	if err := checkGroup(other.G, other.P); err != nil {
		t.Errorf("another safe prime: %v", err)
	}
	known := testGroup(t)
	for _, at := range []int{1, 100, len(known.P) - 2} {
		meddled := slices.Clone(known.P)
		meddled[at] ^= 6
		for _, generator := range []int{3, 4, 7} {
			if checkGroup(generator, meddled) == nil {
				t.Errorf("byte %d of the prime is another: taken with generator %d", at, generator)
			}
		}
	}
}
