package chain

import (
	"errors"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// recoverOutputs is how many outputs of a transaction are tried as the coin of a call: more than any transaction has that
// pays an address of ours, unless somebody pays hundreds at once.
const (
	recoverFirst   = 16
	recoverOutputs = 512
)

// ErrNotDerived says that no coin of an address gives the secret of its ticket: it was not bought directly, or with
// another key ring.
var ErrNotDerived = errors.New("not derived from this key ring")

// Recover finds the secret of a ticket on chain again, from what its owner received: the secret follows from the coin that
// the call named, and fits tells which one is the contract's. It makes no call. Errors: ErrNotDerived.
func (d *Direct) Recover(contract cirrus.Address, ticket cirrus.Ticket, received []cirrus.TxID, fits func(order.Secret) bool) (order.Secret, error) {
	call := order.BoothCall{Contract: contract, Sender: ticket.Address, Seat: ticket.Seat}
	if len(ticket.Identifier) > 0 {
		call.Name = "some name" // whose keys come with the secret
	}
	// Nearly all coins are among the first outputs of their transactions: these are tried first.
	for _, part := range [][2]uint32{{0, recoverFirst}, {recoverFirst, recoverOutputs}} {
		for _, tx := range received {
			for call.Coin = (cirrus.Outpoint{TxID: tx, Index: part[0]}); call.Coin.Index < part[1]; call.Coin.Index++ {
				if secret, ok, err := d.derivedFor(call, fits); ok || err != nil {
					return secret, err
				}
			}
		}
	}
	return order.Secret{}, fmt.Errorf("seat %s of %s: %w", ticket.Seat, contract, ErrNotDerived)
}

// derivedFor gives the secret of a call, in the form that fits.
func (d *Direct) derivedFor(call order.BoothCall, fits func(order.Secret) bool) (secret order.Secret, ok bool, err error) {
	forms, err := d.Derive(call)
	if err != nil {
		return order.Secret{}, false, err
	}
	for _, secret := range forms {
		if fits(secret) {
			return secret, true, nil
		}
	}
	return order.Secret{}, false, nil
}
