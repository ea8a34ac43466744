package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// rescue pays out what lies at one address.
type rescue struct {
	account  cirrus.Account
	from, to cirrus.Address
	coins    []cirrus.Coin
	fee      cirrus.Strats
}

// rescueTx is a rescue that was built, kept so that a repeated one sends the same transaction.
type rescueTx struct {
	To    cirrus.Address    `json:"to"`
	Hex   string            `json:"hex"`
	TxID  cirrus.TxID       `json:"txId"`
	Coins []cirrus.Outpoint `json:"coins"`
}

func rescueKey(from cirrus.Address) string { return "rescue:" + string(from) }

// runRescue is `usher audit --rescue`: it pays out what lies at an address, after asking.
func (a *auditor) runRescue(ctx context.Context, f auditFlags, io streams) error {
	r, err := a.planRescue(ctx, cirrus.Address(f.rescue), cirrus.Address(f.to))
	if errors.Is(err, errNothingThere) {
		return a.rescuedBefore(ctx, r, io, err)
	}
	if err != nil {
		return err
	}
	whose, err := a.whose(ctx, r.from, f.force)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("%s in %d coins of %s lies at %s.\n%s\nIt goes to %s, less a network fee of %s: %s arrives. Send it? y/N: ",
		sumOfCoins(r.coins), len(r.coins), r.account, r.from, whose, r.to, r.fee, sumOfCoins(r.coins)-r.fee)
	if ok, err := confirmed(io, question, f.yes); !ok {
		return err
	}
	tx, err := a.sendRescue(ctx, r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(io.out, "%s was sent to %s with transaction %s.\n", sumOfCoins(r.coins)-r.fee, r.to, tx)
	return err
}

var errNothingThere = errors.New("nothing lies at the address")

// rescuedBefore says of an address without coins that it was emptied, where an earlier rescue did that.
func (a *auditor) rescuedBefore(ctx context.Context, r rescue, io streams, nothing error) error {
	raw, err := a.db.Sealed().Get(ctx, rescueKey(r.from))
	var tx rescueTx
	if err != nil || raw == nil || json.Unmarshal(raw, &tx) != nil {
		return nothing
	}
	_, err = fmt.Fprintf(io.out, "Nothing lies at %s any more: it was sent to %s with transaction %s.\n", r.from, tx.To, tx.TxID)
	return err
}

// planRescue finds the coins and checks where they are to go.
func (a *auditor) planRescue(ctx context.Context, from, to cirrus.Address) (rescue, error) {
	r := rescue{from: from, to: to}
	for _, address := range []cirrus.Address{from, to} {
		if _, err := a.network.ParseAddress(string(address)); err != nil {
			return r, fmt.Errorf("%q is no address of %s: --rescue and --to must both be one", address, a.network.Name)
		}
	}
	if from == to || to == a.network.Zero() {
		return r, errors.New("--to must be another address than --rescue, and not the zero address")
	}
	contract, err := a.node.IsContract(ctx, to)
	if err != nil {
		return r, fmt.Errorf("asking whether %s is a contract: %w", to, err)
	}
	if contract {
		return r, fmt.Errorf("%s is a contract, which no payment can pay", to)
	}
	return r, a.findCoins(ctx, &r)
}

func (a *auditor) findCoins(ctx context.Context, r *rescue) error {
	waiting := 0
	for _, account := range a.accounts() {
		coins, err := a.node.Spendable(ctx, account)
		if err != nil {
			return fmt.Errorf("listing the coins of %s: %w", account, err)
		}
		for _, coin := range coins {
			switch {
			case coin.Address != r.from:
			case coin.Confirmations == 0:
				waiting++
			default:
				r.account, r.coins = account, append(r.coins, coin)
			}
		}
	}
	// In one order always, so that a repeated rescue is the same transaction.
	slices.SortFunc(r.coins, func(x, y cirrus.Coin) int {
		return cmp.Or(cmp.Compare(x.TxID, y.TxID), cmp.Compare(x.Index, y.Index))
	})
	r.fee = order.NetworkFee(len(r.coins), 1)
	switch {
	case waiting > 0:
		return fmt.Errorf("%d coins at %s wait for their block: try again when they have it", waiting, r.from)
	case len(r.coins) == 0:
		return fmt.Errorf("%w: %s, as far as the wallets of USHER_WALLETS and USHER_FLOAT_WALLET know", errNothingThere, r.from)
	case sumOfCoins(r.coins)-r.fee < order.MinOutput:
		return fmt.Errorf("%s lies at %s: too little to be sent", sumOfCoins(r.coins), r.from)
	}
	return nil
}

// errAlive refuses to take money that an order still knows of.
var errAlive = errors.New("its money is Usher's to send back, and it is counted on: with --from-living-order it is taken all the same")

// whose says whose money it is, as far as Redis knows. What belongs to an order that Redis has is refused.
func (a *auditor) whose(ctx context.Context, from cirrus.Address, force bool) (string, error) {
	id, err := a.db.Owner(ctx, from)
	if errors.Is(err, order.ErrNotFound) {
		if id, err = a.listedBy(ctx, from); id == "" {
			return "No order in this Redis has that address.", err
		}
	}
	if err != nil {
		return "", err
	}
	o, err := a.db.Load(ctx, id)
	if errors.Is(err, order.ErrNotFound) {
		return fmt.Sprintf("It was for order %s, which is not in this Redis.", id), nil
	}
	if err != nil && !force {
		return "", fmt.Errorf("the address belongs to order %s, which cannot be read: %w", id, err)
	}
	if !force {
		return "", fmt.Errorf("the address belongs to order %s, which is %s: %w", id, o.State, errAlive)
	}
	return fmt.Sprintf("WARNING: it belongs to order %s (%s). Usher will miss this money: pause it first, and see to the customer yourself.", id, orNone(string(o.State))), nil
}

// listedBy finds an order whose record has the address although it is not noted as its own.
func (a *auditor) listedBy(ctx context.Context, address cirrus.Address) (order.ID, error) {
	ids, err := a.db.All(ctx)
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		o, err := a.db.Load(ctx, id)
		if err == nil && slices.Contains(o.Addresses(), address) {
			return id, nil
		}
	}
	return "", nil
}

// sendRescue builds the transaction, keeps it, and sends it. Where that was done before and the coins are still there,
// the same bytes are sent again.
func (a *auditor) sendRescue(ctx context.Context, r rescue) (cirrus.TxID, error) {
	tx, err := a.builtRescue(ctx, r)
	if err != nil {
		return "", err
	}
	sendErr := a.node.Send(ctx, tx.Hex)
	if sendErr == nil {
		return tx.TxID, nil
	}
	// A refusal says nothing: whether it is out is seen from what it pays. Its coins may have been spent by another.
	there, err := a.node.Unspent(ctx, cirrus.Outpoint{TxID: tx.TxID}, true)
	if err == nil && there {
		return tx.TxID, nil
	}
	return "", fmt.Errorf("transaction %s is built and may not have been sent; run the same command again: %w", tx.TxID, errors.Join(sendErr, err))
}

func (a *auditor) builtRescue(ctx context.Context, r rescue) (tx rescueTx, err error) {
	raw, err := a.db.Sealed().Get(ctx, rescueKey(r.from))
	if err != nil {
		return tx, fmt.Errorf("looking for an earlier rescue: %w", err)
	}
	var coins []cirrus.Outpoint
	for _, coin := range r.coins {
		coins = append(coins, coin.Outpoint)
	}
	if raw != nil && json.Unmarshal(raw, &tx) == nil && slices.Equal(tx.Coins, coins) {
		if tx.To != r.to {
			return tx, fmt.Errorf("a rescue of these coins to %s was built before, and may be out: name the same --to", tx.To)
		}
		return tx, nil
	}
	built, err := a.node.Build(ctx, order.Payment{
		Account: r.account, Coins: coins, Fee: r.fee, Outputs: []order.Output{{Address: r.to, Amount: sumOfCoins(r.coins) - r.fee}},
	})
	if err != nil {
		return tx, fmt.Errorf("building the payment: %w", err)
	}
	tx = rescueTx{To: r.to, Hex: built.Hex, TxID: built.TxID, Coins: coins}
	if raw, err = json.Marshal(tx); err != nil {
		return tx, err
	}
	return tx, a.db.Sealed().Put(ctx, rescueKey(r.from), raw)
}

func sumOfCoins(coins []cirrus.Coin) (sum cirrus.Strats) {
	for _, coin := range coins {
		sum += coin.Amount
	}
	return sum
}
