package wallet

import (
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// CallPlan is a contract call that a caller asks for.
type CallPlan struct {
	Wallet, Account string
	Password        string
	Sender          cirrus.Hash
	SenderText      string            // the sender as the caller wrote it
	Outpoints       []cirrus.Outpoint // an allow-list; empty: any coin of the sender
	Amount          uint64            // strats that go along
	ExtraFee        uint64            // strats on top of the gas budget
	Call            ledger.CallData
}

// BuildCall makes and signs the transaction of a call, with change to the sender. Errors: *Refusal, and ErrStranger
// where no wallet has the sender.
func (k *Keeper) BuildCall(plan CallPlan) (Built, error) {
	confirmed, unconfirmed, ok := k.Balance(plan.Sender)
	if !ok {
		return Built{}, ErrStranger{Address: plan.SenderText}
	}
	if confirmed+unconfirmed == 0 {
		return Built{}, refuse(msgNoBalance)
	}
	wallet, ok := k.wallets[plan.Wallet]
	if !ok {
		return Built{}, ErrStranger{Address: plan.SenderText}
	}
	inputs, err := wallet.inputs(plan)
	if err != nil {
		return Built{}, err
	}
	account, err := wallet.callAccount(plan.Account)
	if err != nil {
		return Built{}, err
	}
	sender := plan.Sender
	return wallet.Build(Plan{
		Account: account, Password: plan.Password, Outpoints: inputs, Change: &sender, Shuffle: true,
		Recipients: []Recipient{{Script: plan.Call.Script(), Amount: plan.Amount}},
		Fee:        plan.Call.Budget() + plan.ExtraFee,
	})
}

// callAccount finds the account of a call, whose message differs from that of other places.
func (w *Wallet) callAccount(name string) (*Account, error) {
	for _, account := range w.Accounts {
		if name == "" || account.named(name) {
			return account, nil
		}
	}
	return nil, refuse("No account with the name '%s' could be found.", name)
}

// inputs narrows the sender's coins down to those that the call may spend.
func (w *Wallet) inputs(plan CallPlan) ([]cirrus.Outpoint, error) {
	var points []cirrus.Outpoint
	if home := w.keeper.homes[plan.Sender]; home.Wallet == w {
		for _, coin := range w.coins([]cirrus.Hash{plan.Sender}, 0, true) {
			points = append(points, coin.Outpoint)
		}
	}
	if len(points) == 0 {
		return nil, refuse(msgNoInputs)
	}
	if len(plan.Outpoints) > 0 {
		points = slices.DeleteFunc(points, func(p cirrus.Outpoint) bool { return !slices.Contains(plan.Outpoints, p) })
	}
	if len(points) == 0 && w.keeper.Today {
		return nil, refuse(msgOutpoints)
	}
	if len(points) == 0 {
		return nil, refuse(msgOutpoints2020)
	}
	points = slices.DeleteFunc(points, func(p cirrus.Outpoint) bool { return w.reserved[p] })
	if len(points) == 0 {
		return nil, refuse(msgReserved)
	}
	return points, nil
}
