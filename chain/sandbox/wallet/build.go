package wallet

import (
	"math"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// Recipient is one output that a caller asks for.
type Recipient struct {
	Script      []byte
	Amount      uint64 // strats
	SubtractFee bool   // today only: the fee comes out of this amount
}

// Plan is a transaction that a caller asks for.
type Plan struct {
	Account          *Account
	Password         string
	Recipients       []Recipient
	Outpoints        []cirrus.Outpoint // an allow-list; empty: any coin of the account
	Fee              uint64            // strats; 0: by size
	MinConfirmations uint64
	Change           *cirrus.Hash // nil: an unused change address of the account
	Shuffle          bool
}

// Built is a transaction that was built and signed.
type Built struct {
	Tx  *ledger.Tx
	Fee uint64 // strats, as asked for; change that was too small to keep is not counted
}

// The sizes of a transaction's parts, in bytes.
const (
	sizeBase = 10
	sizeIn   = 148
	sizeOut  = 9 // and the script
)

// maxFeeRate is the most that a wallet pays: 10 CRS for 1 000 bytes, in strats a byte.
const maxFeeRate = 1_000_000

// Build makes and signs a transaction. A success reserves the inputs on today's nodes, sent or not. Errors: *Refusal.
func (w *Wallet) Build(plan Plan) (Built, error) {
	coins := w.Spendable(plan.Account, plan.MinConfirmations)
	if len(coins) == 0 {
		return Built{}, refuse("No spendable transactions found.")
	}
	total, balance := sum(plan.Recipients), uint64(0)
	for _, coin := range coins {
		balance += coin.Amount
	}
	if balance < total {
		return Built{}, refuse("Not enough funds.")
	}
	coins, err := restrict(coins, plan.Outpoints, w.keeper.Today)
	if err != nil {
		return Built{}, err
	}
	draft, err := w.draft(plan, coins, total)
	if err != nil {
		return Built{}, err
	}
	if err := w.unlock(plan.Password); err != nil {
		return Built{}, err
	}
	return w.seal(draft)
}

func sum(recipients []Recipient) uint64 {
	var total uint64
	for _, recipient := range recipients {
		if recipient.Amount > math.MaxInt64-total {
			return math.MaxInt64
		}
		total += recipient.Amount
	}
	return total
}

// restrict keeps the coins that the caller names, all of which must be there.
func restrict(coins []Spendable, named []cirrus.Outpoint, today bool) ([]Spendable, error) {
	if len(named) == 0 {
		return coins, nil
	}
	var kept []Spendable
	for _, coin := range coins {
		if slices.Contains(named, coin.Outpoint) {
			kept = append(kept, coin)
		}
	}
	for _, point := range named {
		if slices.ContainsFunc(kept, func(coin Spendable) bool { return coin.Outpoint == point }) {
			continue
		}
		if today {
			return nil, refuse("Not all the selected inputs were found in the wallet.")
		}
		return nil, refuse("Not all the selected inputs were found on the wallet.")
	}
	return kept, nil
}

// draft chooses coins, fee and change.
func (w *Wallet) draft(plan Plan, coins []Spendable, total uint64) (Built, error) {
	fee := plan.Fee
	for {
		target, paid, err := w.target(plan, total, fee)
		if err != nil {
			return Built{}, err
		}
		chosen, have := choose(coins, target)
		if chosen == nil {
			missing := cirrus.Strats(target - min(have, target))
			return Built{}, refuse("Not enough funds to cover the target with missing amount %s", missing.Decimal())
		}
		tx := w.assemble(plan, chosen, paid, have-target)
		if needed := estimate(tx); plan.Fee == 0 && fee < needed {
			fee = needed
			continue
		}
		return Built{Tx: tx, Fee: fee}, nil
	}
}

// target gives what the inputs must cover, and the outputs after the fee was taken out of whoever carries it.
func (w *Wallet) target(plan Plan, total, fee uint64) (uint64, []Recipient, error) {
	paid := slices.Clone(plan.Recipients)
	carrier := slices.IndexFunc(paid, func(r Recipient) bool { return r.SubtractFee })
	if carrier < 0 || !w.keeper.Today {
		return total + fee, paid, nil
	}
	if paid[carrier].Amount <= fee {
		return 0, nil, refuse("Fee %d is higher than amount %d to send.", fee, paid[carrier].Amount)
	}
	paid[carrier].Amount -= fee
	return total, paid, nil
}

// choose picks coins for the target as the node's coin selector does: one that fits exactly; else the smaller ones
// together; else the smallest of the larger ones. nil where all are not enough; have is what the choice is worth.
func choose(coins []Spendable, target uint64) (chosen []Spendable, have uint64) {
	sorted := slices.Clone(coins)
	slices.SortStableFunc(sorted, func(a, b Spendable) int { return compare(a.Amount, b.Amount) })
	for _, coin := range sorted {
		switch {
		case coin.Amount == target:
			return []Spendable{coin}, target
		case coin.Amount < target && have < target:
			chosen, have = append(chosen, coin), have+coin.Amount
		case coin.Amount > target && have < target:
			return []Spendable{coin}, coin.Amount
		}
	}
	if have < target {
		return nil, have
	}
	for i := 0; i < len(chosen); {
		if have-chosen[i].Amount >= target {
			have -= chosen[i].Amount
			chosen = slices.Delete(chosen, i, i+1)
			continue
		}
		i++
	}
	return chosen, have
}

func (w *Wallet) assemble(plan Plan, chosen []Spendable, paid []Recipient, change uint64) *ledger.Tx {
	tx := &ledger.Tx{}
	for _, coin := range chosen {
		tx.Ins = append(tx.Ins, ledger.In{Prev: coin.Outpoint})
	}
	for _, recipient := range paid {
		tx.Outs = append(tx.Outs, ledger.Out{Amount: recipient.Amount, Script: recipient.Script})
	}
	if change > ledger.Dust { // what is less or equal stays with the fee, and is lost
		tx.Outs = append(tx.Outs, ledger.Out{Amount: change, Script: ledger.Pay(w.changeAddress(plan))})
	}
	if plan.Shuffle {
		w.keeper.dice.Shuffle(len(tx.Outs), func(i, j int) { tx.Outs[i], tx.Outs[j] = tx.Outs[j], tx.Outs[i] })
	}
	return tx
}

func (w *Wallet) changeAddress(plan Plan) cirrus.Hash {
	if plan.Change != nil {
		return *plan.Change
	}
	return w.keeper.unused(w, plan.Account, true, 1)[0]
}

// estimate gives the fee that the wallet takes for a transaction that is not signed yet, in strats.
func estimate(tx *ledger.Tx) uint64 { return ledger.Fee(signedSize(tx)) }

func signedSize(tx *ledger.Tx) int {
	size := sizeBase + sizeIn*len(tx.Ins)
	for _, out := range tx.Outs {
		size += sizeOut + len(out.Script)
	}
	return size
}

// seal signs the draft, checks it against the wallet's own policy, and reserves its inputs.
func (w *Wallet) seal(draft Built) (Built, error) {
	for _, out := range draft.Tx.Outs {
		if _, plain := ledger.Payee(out.Script); plain && out.Amount < ledger.Dust {
			return Built{}, refuse("Could not build the transaction. Details: Dust output: %d strats, at least %d", out.Amount, ledger.Dust)
		}
	}
	w.keeper.Chain.Sign(draft.Tx)
	if most := uint64(draft.Tx.Size()) * maxFeeRate; draft.Fee > most {
		return Built{}, refuse("Could not build the transaction. Details: Fee too high, actual is %s, policy maximum is %s",
			cirrus.Strats(draft.Fee).Decimal(), cirrus.Strats(most).Decimal())
	}
	if w.keeper.Today {
		for _, in := range draft.Tx.Ins {
			w.reserved[in.Prev] = true
		}
	}
	return draft, nil
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
