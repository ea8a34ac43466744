package wallet

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// Config is what the wallets need.
type Config struct {
	Chain   *ledger.Chain
	Network cirrus.Network
	Today   bool // rules of today's node; else of 2020's
	Clock   func() time.Time
	Rand    io.Reader
}

// Keeper holds all wallets of a node.
type Keeper struct {
	Config
	wallets map[string]*Wallet
	names   []string
	homes   map[cirrus.Hash]Home
	dice    *rand.Rand
}

// Home says where an address belongs.
type Home struct {
	Wallet  *Wallet
	Account *Account
	Change  bool
	Index   int
}

// Wallet is one wallet of the node.
type Wallet struct {
	Name     string
	Created  time.Time
	Accounts []*Account

	keeper    *Keeper
	password  string
	forgotten map[cirrus.TxID]uint64 // transaction -> its Seq when it was removed
	reserved  map[cirrus.Outpoint]bool
	openUntil time.Time // 2020: the key is cached and any password works
}

// Account is one account of a wallet.
type Account struct {
	Name    string
	Index   int
	receive []cirrus.Hash
	change  []cirrus.Hash
}

// gap is how many addresses a new account has stored.
const gap = 20

// New makes a keeper without wallets.
func New(config Config) (*Keeper, error) {
	seed := make([]byte, 32)
	if _, err := io.ReadFull(config.Rand, seed); err != nil {
		return nil, err
	}
	return &Keeper{
		Config: config, wallets: map[string]*Wallet{}, homes: map[cirrus.Hash]Home{},
		dice: rand.New(rand.NewChaCha8([32]byte(seed))),
	}, nil
}

// Add makes a wallet with accounts called "account 0" and so on. Its addresses follow from its name.
func (k *Keeper) Add(name, password string, accounts int) *Wallet {
	wallet := &Wallet{
		Name: name, Created: k.Clock(), keeper: k, password: password,
		forgotten: map[cirrus.TxID]uint64{}, reserved: map[cirrus.Outpoint]bool{},
	}
	for i := range accounts {
		account := &Account{Name: "account " + string(rune('0'+i)), Index: i}
		wallet.Accounts = append(wallet.Accounts, account)
		for range gap {
			k.grow(wallet, account, false)
			k.grow(wallet, account, true)
		}
	}
	k.wallets[name] = wallet
	k.names = append(k.names, name)
	return wallet
}

// grow stores one more address.
func (k *Keeper) grow(wallet *Wallet, account *Account, change bool) cirrus.Hash {
	branch, list := byte(0), &account.receive
	if change {
		branch, list = 1, &account.change
	}
	seed := append([]byte("sandbox wallet "+wallet.Name), byte(account.Index), branch)
	sum := sha256.Sum256(binary.BigEndian.AppendUint32(seed, uint32(len(*list))))
	hash := cirrus.Hash(sum[:20])
	k.homes[hash] = Home{Wallet: wallet, Account: account, Change: change, Index: len(*list)}
	*list = append(*list, hash)
	return hash
}

// Names gives the names of all wallets in the order in which they were made.
func (k *Keeper) Names() []string { return slices.Clone(k.names) }

// Home finds the wallet that an address belongs to.
func (k *Keeper) Home(address cirrus.Hash) (Home, bool) {
	home, ok := k.homes[address]
	return home, ok
}

// Restart forgets what a node keeps in memory only: reservations and cached keys.
func (k *Keeper) Restart() {
	for _, wallet := range k.wallets {
		wallet.reserved, wallet.openUntil = map[cirrus.Outpoint]bool{}, time.Time{}
	}
}

// Wallet finds a wallet.
func (k *Keeper) Wallet(name string) (*Wallet, error) {
	wallet, ok := k.wallets[name]
	if !ok {
		return nil, refuse("No wallet with name '%s' could be found.", name)
	}
	return wallet, nil
}

// named tells whether this is the account's name. The name without its space counts as well, so that a list of
// accounts can be a line that a shell sources.
func (a *Account) named(name string) bool {
	return name == a.Name || name == strings.ReplaceAll(a.Name, " ", "")
}

// Account finds an account; an empty name is the first.
func (k *Keeper) Account(walletName, name string) (*Wallet, *Account, error) {
	wallet, err := k.Wallet(walletName)
	if err != nil {
		return nil, nil, err
	}
	if name == "" {
		return wallet, wallet.Accounts[0], nil
	}
	for _, account := range wallet.Accounts {
		if account.named(name) {
			return wallet, account, nil
		}
	}
	if k.Today {
		return nil, nil, refuse("Account '%s' in wallet '%s' not found.", name, walletName)
	}
	return nil, nil, refuse("No account with the name '%s' could be found.", name)
}

// Holds tells whether an address belongs to the account.
func (k *Keeper) Holds(wallet *Wallet, account *Account, address cirrus.Hash) bool {
	home, ok := k.homes[address]
	return ok && home.Wallet == wallet && home.Account == account
}

// addresses gives everything that the account watches.
func (a *Account) addresses() []cirrus.Hash { return slices.Concat(a.receive, a.change) }

// knows tells whether the wallet counts a transaction, confirmed or not.
func (w *Wallet) knows(entry *ledger.Entry) bool {
	if entry.State == ledger.Vanished {
		return false
	}
	seq, removed := w.forgotten[entry.ID]
	return !removed || seq != entry.Seq
}

// spent tells whether a transaction that the wallet knows spends the coin.
func (w *Wallet) spent(point cirrus.Outpoint) bool {
	return slices.ContainsFunc(w.keeper.Chain.Spenders(point), w.knows)
}

// used tells whether the wallet knows of any output to the address.
func (w *Wallet) used(address cirrus.Hash) bool {
	for _, coin := range w.keeper.Chain.Owned(address) {
		if entry, ok := w.keeper.Chain.Entry(coin.TxID); ok && !coin.Contract && w.knows(entry) {
			return true
		}
	}
	return false
}

// UnusedAddresses gives the first count receiving addresses that never had an output, and the same ones again until
// they have.
func (k *Keeper) UnusedAddresses(wallet *Wallet, account *Account, count int) []cirrus.Hash {
	return k.unused(wallet, account, false, count)
}

func (k *Keeper) unused(wallet *Wallet, account *Account, change bool, count int) []cirrus.Hash {
	list := account.receive
	if change {
		list = account.change
	}
	var found []cirrus.Hash
	for _, address := range list {
		if len(found) < count && !wallet.used(address) {
			found = append(found, address)
		}
	}
	for len(found) < count {
		found = append(found, k.grow(wallet, account, change))
	}
	return found
}

// NewAddresses makes receiving addresses that were never given to anybody.
func (k *Keeper) NewAddresses(wallet *Wallet, account *Account, count int) []cirrus.Hash {
	found := make([]cirrus.Hash, 0, count)
	for range count {
		found = append(found, k.grow(wallet, account, false))
	}
	return found
}

// Spendable is a coin that the wallet believes it can spend.
type Spendable struct {
	*ledger.Coin
	Change        bool
	Confirmations uint64
	Created       time.Time
}

// Spendable lists the coins of an account by height, unconfirmed ones first.
func (w *Wallet) Spendable(account *Account, minConfirmations uint64) []Spendable {
	found := w.coins(account.addresses(), minConfirmations, true)
	slices.SortStableFunc(found, func(a, b Spendable) int {
		switch {
		case (a.Confirmations == 0) != (b.Confirmations == 0):
			if a.Confirmations == 0 {
				return -1
			}
			return 1
		case a.Confirmations > b.Confirmations:
			return -1
		case a.Confirmations < b.Confirmations:
			return 1
		}
		return 0
	})
	return found
}

// coins lists unspent coins at addresses. With mature set, coinbase outputs that cannot be spent yet are left out.
func (w *Wallet) coins(addresses []cirrus.Hash, minConfirmations uint64, mature bool) []Spendable {
	chain := w.keeper.Chain
	var found []Spendable
	for _, address := range addresses {
		for _, coin := range chain.Owned(address) {
			entry, ok := chain.Entry(coin.TxID)
			if !ok || coin.Contract || !w.knows(entry) || w.spent(coin.Outpoint) {
				continue
			}
			deep := chain.Confirmations(coin.TxID)
			if deep < minConfirmations || (mature && entry.Kind == ledger.Coinbase && deep < ledger.Maturity) {
				continue
			}
			found = append(found, Spendable{
				Coin: coin, Change: w.keeper.homes[address].Change, Confirmations: deep, Created: entry.Arrived,
			})
		}
	}
	return found
}

// Balance sums what lies at an address of any wallet, in strats. ok is false where no wallet holds the address.
func (k *Keeper) Balance(address cirrus.Hash) (confirmed, unconfirmed uint64, ok bool) {
	home, ok := k.homes[address]
	if !ok {
		return 0, 0, false
	}
	for _, coin := range home.Wallet.coins([]cirrus.Hash{address}, 0, false) {
		if coin.Confirmations > 0 {
			confirmed += coin.Amount
		} else {
			unconfirmed += coin.Amount
		}
	}
	return confirmed, unconfirmed, true
}
