package chain

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// testKey derives as a key ring does whose key for derivations is 0, 1, 2 … 31.
func testKey(purpose string, n int) ([]byte, error) {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	return hkdf.Key(sha256.New, key, nil, "usher/"+purpose, n)
}

func newDirect(t *testing.T, client *Client, network cirrus.Network, form Secrets) *Direct {
	t.Helper()
	direct, err := NewDirect(client, network, form, testKey)
	if err != nil {
		t.Fatal(err)
	}
	return direct
}

// TestDerivedSecretsNeverChange: tickets that were sold are opened with these. A failure here means that a ticket can't
// be made again from chain and key ring. The values were made by other programs than this one (HMAC of Python's
// library, openssl).
func TestDerivedSecretsNeverChange(t *testing.T) {
	call := testCall
	if got, want := purpose(cirrus.TestNet, call), "ticket/1/CirrusTest/"+string(testContract)+"/"+string(txA)+":3/3.0044"; got != want {
		t.Errorf("purpose %s, want %s", got, want)
	}
	for form, want := range map[Secrets]string{
		Ciphered: "WiQ7m0kihT0vUBL ad12db08c825965116a4f9017ff297e01e55f1bf009e0edf891ad3664d84106c 8206c5bca1c64fbf4b34b291acb47ab9 " +
			"dd5f1ace0b6d806eaec914b59dda910589b696854c881517e05daba53a9900a5 4e5a0f9296763f42d14ffc57e53184bd " +
			"10#C88403000000824400 10#457CA8781A9FDA09F10CD2A7FD714776 10#764043389243E8AEFA3097138FA2A34C",
		Hashed: "WiQ7m0kihT0vUBL   dd5f1ace0b6d806eaec914b59dda910589b696854c881517e05daba53a9900a5 4e5a0f9296763f42d14ffc57e53184bd " +
			"10#C88403000000824400 10#4816EDE56E0C214BA092E5EC2DC2D9118E81FAA4B049778401CA16E0 10#764043389243E8AEFA3097138FA2A34C",
	} {
		direct := newDirect(t, nil, cirrus.TestNet, form)
		what, err := direct.derive(call)
		if err != nil {
			t.Fatal(err)
		}
		parameters, err := direct.parameters(call, what)
		if err != nil {
			t.Fatal(err)
		}
		secret := what.form(form)
		got := fmt.Sprintf("%s %x %x %x %x %s", secret.Plaintext, secret.Key, secret.IV, secret.NameKey, secret.NameIV, strings.Join(parameters, " "))
		if got != want {
			t.Errorf("%s: %s", form, got)
		}
	}
}

func TestEachCallHasASecretOfItsOwn(t *testing.T) {
	seen := map[string]string{}
	for name, change := range map[string]func(*order.BoothCall) cirrus.Network{
		"the call itself":    func(*order.BoothCall) cirrus.Network { return cirrus.TestNet },
		"another network":    func(*order.BoothCall) cirrus.Network { return cirrus.MainNet },
		"another contract":   func(c *order.BoothCall) cirrus.Network { c.Contract = "tOther"; return cirrus.TestNet },
		"another coin":       func(c *order.BoothCall) cirrus.Network { c.Coin.TxID = txB; return cirrus.TestNet },
		"another output":     func(c *order.BoothCall) cirrus.Network { c.Coin.Index = 33; return cirrus.TestNet },
		"another seat":       func(c *order.BoothCall) cirrus.Network { c.Seat.Number = 33; return cirrus.TestNet },
		"a letter not shown": func(c *order.BoothCall) cirrus.Network { c.Seat.Letter = 0xD800; return cirrus.TestNet },
		"another of these":   func(c *order.BoothCall) cirrus.Network { c.Seat.Letter = 0xD801; return cirrus.TestNet },
	} {
		call := testCall
		network := change(&call)
		secrets, err := newDirect(t, nil, network, Hashed).Derive(call)
		if err != nil {
			t.Fatal(err)
		}
		text := secrets[0].Plaintext
		if twin, twice := seen[text]; twice || len(text) != secretLength || strings.Trim(text, alphabet) != "" {
			t.Errorf("%s: a secret like that of %q, or none", name, twin)
		}
		seen[text] = name
	}
}

func TestASecretIsHadInBothFormsTheUsedOneFirst(t *testing.T) {
	for _, form := range []Secrets{Ciphered, Hashed} {
		secrets, err := newDirect(t, nil, cirrus.MainNet, form).Derive(testCall)
		if err != nil || len(secrets) != 2 || (len(secrets[0].Key) == keyLength) != (form == Ciphered) ||
			len(secrets[0].Key)+len(secrets[1].Key) != keyLength || secrets[0].Plaintext != secrets[1].Plaintext {
			t.Errorf("%s: %d secrets, %v", form, len(secrets), err)
		}
	}
	nameless := testCall
	nameless.Name = ""
	secrets, err := newDirect(t, nil, cirrus.MainNet, Hashed).Derive(nameless)
	if err != nil || len(secrets[0].NameKey)+len(secrets[0].NameIV) != 0 {
		t.Errorf("keys for a name that is none: %v", err)
	}
}

func TestWhatIsDerivedPrintsWithoutIt(t *testing.T) {
	what, err := newDirect(t, nil, cirrus.TestNet, Ciphered).derive(testCall)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, what); strings.Contains(text, what.secret) || strings.Contains(text, hex.EncodeToString(what.key)) {
			t.Errorf("%s tells it", verb)
		}
	}
}

func TestAKeyRingThatGivesTooLittleStopsTheCall(t *testing.T) {
	node := newFakeNode(t)
	broken := errors.New("broken")
	for name, key := range map[string]Derive{
		"an error": func(string, int) ([]byte, error) { return nil, broken },
		"too few":  func(string, int) ([]byte, error) { return make([]byte, 15), nil },
	} {
		direct, err := NewDirect(node.client(t), cirrus.TestNet, Hashed, key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := direct.Reserve(t.Context(), testCall); !errors.Is(err, order.ErrRefused) || len(node.total()) != 0 {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := direct.Derive(testCall); err == nil {
			t.Errorf("%s: derived all the same", name)
		}
	}
	if _, err := NewDirect(node.client(t), cirrus.TestNet, "sealed", testKey); !errors.Is(err, ErrConfig) {
		t.Errorf("an unknown form: %v", err)
	}
}
