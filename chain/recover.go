package chain

import (
	"errors"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// recoverOutputs is how many outputs of a transaction are tried as the coin of a call: more than any transaction has that
// pays an address of ours, unless somebody pays hundreds at once.
const recoverOutputs = 512

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
	for _, tx := range received {
		for index := range uint32(recoverOutputs) {
			call.Coin = cirrus.Outpoint{TxID: tx, Index: index}
			forms, err := d.Derive(call)
			if err != nil {
				return order.Secret{}, err
			}
			for _, secret := range forms {
				if fits(secret) {
					return secret, nil
				}
			}
		}
	}
	return order.Secret{}, fmt.Errorf("seat %s of %s: %w", ticket.Seat, contract, ErrNotDerived)
}
