package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/usherbot/usher/chain"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/ticketgen"
)

// rebuilt is a ticket of an address of ours, made again from chain and key ring; or not, where secret is empty.
type rebuilt struct {
	contract cirrus.Address
	onChain  cirrus.Ticket
	secret   order.Secret
}

// rebuild makes every ticket again that addresses of ours own, without Redis: the wallets say which addresses and coins
// there were, the contracts what they bought, and the key ring the secrets.
func (a *auditor) rebuild(ctx context.Context) ([]rebuilt, error) {
	direct, err := chain.NewDirect(a.node, a.network, chain.Ciphered, a.keys.Derive) // it tries both forms
	if err != nil {
		return nil, err
	}
	coins := map[cirrus.Address][]cirrus.TxID{} // of each address of ours, the transactions that its coins are from
	for _, account := range a.accounts() {
		traffic, err := a.node.Traffic(ctx, account)
		if err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", account, err)
		}
		for address, txs := range traffic.Received {
			coins[address] = append(coins[address], slices.Concat(txs, traffic.Paid[address])...)
		}
	}
	contracts, err := a.contracts(ctx)
	if err != nil {
		return nil, err
	}
	var list []rebuilt
	for _, contract := range contracts {
		tickets, err := a.node.Tickets(ctx, contract)
		if err != nil {
			return nil, fmt.Errorf("reading the tickets of %s: %w", contract, err)
		}
		for _, ticket := range tickets {
			if txs, ours := coins[ticket.Address]; ours && len(ticket.Secret) > 0 {
				secret, err := direct.Recover(contract, ticket, txs, fitting(ticket))
				if err != nil && !errors.Is(err, chain.ErrNotDerived) {
					return nil, err
				}
				list = append(list, rebuilt{contract, ticket, secret})
			}
		}
	}
	return list, nil
}

// fitting tells whether a secret is the one that the contract has, as the door will look at it.
func fitting(ticket cirrus.Ticket) func(order.Secret) bool {
	return func(secret order.Secret) bool {
		return ticketgen.Artist{}.Check(flows.Digital{Seat: ticket.Seat, Secret: secret}, ticket) == nil
	}
}

func (r rebuilt) made() bool { return r.secret.Plaintext != "" }

// runRebuild is `usher audit --rebuild`: it says which tickets can be made again, and writes them where asked to.
func (a *auditor) runRebuild(ctx context.Context, f auditFlags, io streams) error {
	list, err := a.rebuild(ctx)
	if err != nil {
		return err
	}
	made := 0
	for _, r := range list {
		says := "cannot be made again: " + chain.ErrNotDerived.Error()
		if r.made() {
			made++
			says = "can be made again, and fits what the contract has"
		}
		if _, err := fmt.Fprintf(io.out, "seat %s of %s, owned by %s: %s\n", r.onChain.Seat, r.contract, r.onChain.Address, says); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(io.out, "Tickets on chain: %d. Made again from chain and key ring: %d.\n", len(list), made); err != nil {
		return err
	}
	if f.tickets != "" && made > 0 {
		if err := writeTickets(f, io, slices.DeleteFunc(slices.Clone(list), func(r rebuilt) bool { return !r.made() })); err != nil {
			return err
		}
	}
	if made < len(list) {
		return errSaid
	}
	return nil
}

// writeTickets writes the pictures, which open doors.
func writeTickets(f auditFlags, io streams, list []rebuilt) error {
	question := fmt.Sprintf("WARNING: whoever has one of these pictures can go in with it. They lie open in %s, for you alone;\n"+
		"give each to the customer that it belongs to, and to nobody else, and delete them. Write %d pictures? y/N: ", f.tickets, len(list))
	if ok, err := confirmed(io, question, f.yes); !ok {
		return err
	}
	if err := os.MkdirAll(f.tickets, 0o700); err != nil {
		return fmt.Errorf("making %s: %w", f.tickets, err)
	}
	for _, r := range list {
		picture, err := ticketgen.Artist{}.Ticket(flows.Digital{Seat: r.onChain.Seat, Secret: r.secret}, flows.Frame{
			Show: "Ticket made again", Venue: string(r.contract), Seat: r.onChain.Seat.String(), Warning: "Show it to nobody but the door.",
		})
		if err != nil {
			return fmt.Errorf("drawing seat %s: %w", r.onChain.Seat, err)
		}
		if err := writeNew(filepath.Join(f.tickets, r.file()), picture); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(io.out, "Written to %s: %d pictures.\n", f.tickets, len(list))
	return err
}

// file is the name of the picture; a letter of a seat may be any character.
func (r rebuilt) file() string {
	return fmt.Sprintf("%s-%d-%04x.png", r.contract, r.onChain.Seat.Number, uint16(r.onChain.Seat.Letter))
}

// writeNew writes a file for its owner alone; one that is there is left alone.
func writeNew(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the operator names the folder
	if err != nil {
		return fmt.Errorf("writing a ticket: %w", err)
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("writing a ticket: %w", err)
	}
	return nil
}

// confirmed asks before something that matters; yes answers for scripts.
func confirmed(io streams, question string, yes bool) (bool, error) {
	if yes {
		return true, nil
	}
	if !asks(io) {
		return false, errors.New("nobody to ask: repeat it at a terminal, or with --yes")
	}
	answer, _ := ask(io, question, false)
	if isYes(answer) {
		return true, nil
	}
	_, err := fmt.Fprintln(io.out, "Nothing was done.")
	return false, errors.Join(err, errSaid)
}
