package wallet

import (
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// Item is one line of the history of an account or of one of its addresses.
type Item struct {
	Type     string // received, send, createOrCall
	ID       cirrus.TxID
	To       *cirrus.Hash
	Amount   uint64 // strats
	Fee      uint64 // strats; of what was sent
	Payments []Payment
	Block    *uint64 // nil: unconfirmed
	Time     time.Time
	Index    uint32
}

// Payment is one output of what was sent.
type Payment struct {
	To     *cirrus.Hash // nil for a call
	Amount uint64       // strats
	Change bool
}

// History lists what the account, or one address of it, received and sent, newest first.
func (w *Wallet) History(account *Account, address *cirrus.Hash) []Item {
	watched := account.addresses()
	if address != nil {
		watched = []cirrus.Hash{*address}
	}
	ours := func(hash cirrus.Hash) bool { return slices.Contains(watched, hash) }
	var items []Item
	for _, entry := range w.keeper.Chain.Entries() {
		if !w.knows(entry) || !w.concerns(entry) {
			continue
		}
		if w.sentFrom(entry, ours) {
			items = append(items, w.sent(entry))
			continue
		}
		items = append(items, w.received(entry, ours)...)
	}
	slices.Reverse(items)
	return items
}

func (w *Wallet) sentFrom(entry *ledger.Entry, ours func(cirrus.Hash) bool) bool {
	return slices.ContainsFunc(entry.Tx.Ins, func(in ledger.In) bool {
		coin, ok := w.keeper.Chain.Coin(in.Prev)
		return ok && !coin.Contract && ours(coin.Owner)
	})
}

func (w *Wallet) received(entry *ledger.Entry, ours func(cirrus.Hash) bool) []Item {
	var items []Item
	for i := range entry.Tx.Outs {
		coin, ok := w.keeper.Chain.Coin(cirrus.Outpoint{TxID: entry.ID, Index: uint32(i)})
		if !ok || coin.Contract || !ours(coin.Owner) {
			continue
		}
		to := coin.Owner
		items = append(items, Item{
			Type: "received", ID: entry.ID, To: &to, Amount: coin.Amount, Block: confirmedIn(entry), Time: entry.Arrived, Index: uint32(i),
		})
	}
	return items
}

func (w *Wallet) sent(entry *ledger.Entry) Item {
	item := Item{Type: "send", ID: entry.ID, Fee: entry.Fee, Block: confirmedIn(entry), Time: entry.Arrived}
	if entry.Call != nil && w.keeper.Today {
		item.Type = "createOrCall"
	}
	for i := range entry.Tx.Outs {
		coin, ok := w.keeper.Chain.Coin(cirrus.Outpoint{TxID: entry.ID, Index: uint32(i)})
		if !ok {
			continue
		}
		payment := Payment{Amount: coin.Amount}
		if !coin.Contract {
			to := coin.Owner
			payment.To, payment.Change = &to, w.keeper.homes[to].Wallet == w && (w.keeper.homes[to].Change || entry.Call != nil)
		}
		item.Payments = append(item.Payments, payment)
		if !payment.Change {
			item.Amount += payment.Amount
			if item.To == nil {
				item.To = payment.To
			}
		}
	}
	return item
}

func confirmedIn(entry *ledger.Entry) *uint64 {
	if entry.State != ledger.Mined {
		return nil
	}
	height := entry.Height
	return &height
}

// Calls lists the contract calls and creations that an address of the first account paid for, newest first; those of
// other accounts are not found.
func (w *Wallet) Calls(address cirrus.Hash) []*ledger.Entry {
	home, ok := w.keeper.homes[address]
	if !ok || home.Wallet != w || home.Account != w.Accounts[0] {
		return nil
	}
	ours := func(hash cirrus.Hash) bool { return hash == address }
	var calls []*ledger.Entry
	for _, entry := range w.keeper.Chain.Entries() {
		if entry.Call != nil && w.knows(entry) && w.sentFrom(entry, ours) {
			calls = append(calls, entry)
		}
	}
	slices.Reverse(calls)
	return calls
}
