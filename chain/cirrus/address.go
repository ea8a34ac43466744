package cirrus

import (
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcutil/base58"
)

// Network is a Cirrus network as a node names it.
type Network struct {
	Name    string // as Node/status gives it in "network"
	Ticker  string // as Node/status gives it in "coinTicker"
	Version byte   // first byte of a base58check address
}

// The two networks that Ticketbooth runs on.
var (
	MainNet = Network{Name: "CirrusMain", Ticker: "CRS", Version: 28}
	TestNet = Network{Name: "CirrusTest", Ticker: "TCRS", Version: 127}
)

// ErrNetwork says that a network name is neither CirrusMain nor CirrusTest.
var ErrNetwork = errors.New("unknown network")

// NetworkNamed finds a network by the name that a node gives.
func NetworkNamed(name string) (Network, error) {
	for _, network := range []Network{MainNet, TestNet} {
		if network.Name == name {
			return network, nil
		}
	}
	return Network{}, fmt.Errorf("%w: %q, want %s or %s", ErrNetwork, name, MainNet.Name, TestNet.Name)
}

// Hash is the 20 bytes that an address stands for.
type Hash [20]byte

// Address is the base58check text of a Hash on some network. The empty Address is no address at all, which is not
// the same as a network's Zero.
type Address string

// What ParseAddress finds wrong.
var (
	ErrAddress        = errors.New("not an address")
	ErrAddressNetwork = errors.New("address of another network")
)

// Address gives the base58check text of hash on this network.
func (n Network) Address(hash Hash) Address {
	return Address(base58.CheckEncode(hash[:], n.Version))
}

// Zero is Address.Zero of this network: the owner of a ticket that is for sale.
func (n Network) Zero() Address { return n.Address(Hash{}) }

// ParseAddress checks text and gives it as an address. Errors: ErrAddress for text that is no base58check of
// 20 bytes, ErrAddressNetwork for an address of a different network.
func (n Network) ParseAddress(text string) (Address, error) {
	hash, version, err := decodeAddress(text)
	if err != nil {
		return "", err
	}
	if version != n.Version {
		return "", fmt.Errorf("%w: %q is not of %s", ErrAddressNetwork, text, n.Name)
	}
	return n.Address(hash), nil
}

// Hash gives the 20 bytes behind the address, whatever its network, or ErrAddress.
func (a Address) Hash() (Hash, error) {
	hash, _, err := decodeAddress(string(a))
	return hash, err
}

// Short gives the address as people recognise it: "CUtN…5i54".
func (a Address) Short() string {
	if len(a) <= 9 {
		return string(a)
	}
	return string(a[:4]) + "…" + string(a[len(a)-4:])
}

// maxAddress bounds what the base58 decoder, which is quadratic, gets to see.
const maxAddress = 64

func decodeAddress(text string) (Hash, byte, error) {
	if len(text) > maxAddress {
		return Hash{}, 0, fmt.Errorf("%w: %d characters", ErrAddress, len(text))
	}
	raw, version, err := base58.CheckDecode(text)
	if err != nil || len(raw) != len(Hash{}) {
		return Hash{}, 0, fmt.Errorf("%w: %q", ErrAddress, text)
	}
	return Hash(raw), version, nil
}
