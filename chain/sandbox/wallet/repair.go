package wallet

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// keyCached is how long a node of 2020 keeps a wallet's key after each use.
const keyCached = 5 * time.Minute

// unlock checks the password for spending.
func (w *Wallet) unlock(password string) error {
	now := w.keeper.Clock()
	if w.keeper.Today || now.After(w.openUntil) {
		if !hmac.Equal([]byte(password), []byte(w.password)) {
			return refuse(msgPassword)
		}
	}
	if !w.keeper.Today {
		w.openUntil = now.Add(keyCached)
	}
	return nil
}

// Password gives the password that the wallet was made with.
func (w *Wallet) Password() string { return w.password }

// SignMessage signs with the key of an address. It never uses a cached key. The signature has the form of a real one.
func (w *Wallet) SignMessage(password string, address cirrus.Hash, message string) (string, error) {
	if !hmac.Equal([]byte(password), []byte(w.password)) {
		return "", refuse(msgPassword)
	}
	if home, ok := w.keeper.homes[address]; !ok || home.Wallet != w {
		return "", refuse("Address not found on wallet.")
	}
	mac := hmac.New(sha256.New, address[:])
	mac.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(append([]byte{0x20}, bytes.Repeat(mac.Sum(nil), 2)...)), nil
}

// Removed is a transaction that a wallet forgot.
type Removed struct {
	ID      cirrus.TxID
	Created time.Time
}

// Remove forgets transactions by id. Today's nodes forget unconfirmed ones only.
func (w *Wallet) Remove(ids []cirrus.TxID) []Removed {
	return w.forget(func(entry *ledger.Entry) bool {
		return slices.Contains(ids, entry.ID) && (!w.keeper.Today || entry.State != ledger.Mined)
	})
}

// RemoveSince forgets the transactions that came after a moment.
func (w *Wallet) RemoveSince(from time.Time) []Removed {
	return w.forget(func(entry *ledger.Entry) bool { return entry.Arrived.After(from) })
}

// RemoveAll forgets everything.
func (w *Wallet) RemoveAll() []Removed {
	return w.forget(func(*ledger.Entry) bool { return true })
}

func (w *Wallet) forget(which func(*ledger.Entry) bool) []Removed {
	removed := []Removed{}
	for _, entry := range w.keeper.Chain.Entries() {
		if w.knows(entry) && w.concerns(entry) && which(entry) {
			w.forgotten[entry.ID] = entry.Seq
			removed = append(removed, Removed{ID: entry.ID, Created: entry.Arrived})
		}
	}
	return removed
}

// concerns tells whether a transaction pays the wallet or spends its coins.
func (w *Wallet) concerns(entry *ledger.Entry) bool {
	chain := w.keeper.Chain
	ours := func(point cirrus.Outpoint) bool {
		coin, ok := chain.Coin(point)
		return ok && w.keeper.homes[coin.Owner].Wallet == w
	}
	for i := range entry.Tx.Outs {
		if ours(cirrus.Outpoint{TxID: entry.ID, Index: uint32(i)}) {
			return true
		}
	}
	return slices.ContainsFunc(entry.Tx.Ins, func(in ledger.In) bool { return ours(in.Prev) })
}

// Rescan reads the blocks since a moment again: what they hold is known again. A transaction that is in no block is
// not found; on a node of 2020, whose wallet is rewound for it, unconfirmed transactions of that time are forgotten.
func (w *Wallet) Rescan(from time.Time) {
	for _, entry := range w.keeper.Chain.Entries() {
		if entry.Arrived.Before(from) {
			continue
		}
		if entry.State == ledger.Mined {
			delete(w.forgotten, entry.ID)
		} else if !w.keeper.Today && entry.State == ledger.Dropped {
			w.forgotten[entry.ID] = entry.Seq
		}
	}
}
