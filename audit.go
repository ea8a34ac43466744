package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	ledgerpkg "github.com/usherbot/usher/chain/sandbox/ledger"
	"github.com/usherbot/usher/flows/order"
)

// account holds what the customer paid against what the chain itself says became of it, strat by strat, and against
// Usher's own account of the order.
func (p *player) account(ctx context.Context) error {
	ledger := p.chain.Ledger()
	own, err := p.own(ctx)
	if err != nil {
		return err
	}
	s, err := statement(ledger, own, p.refund)
	if err != nil {
		return err
	}
	float := ""
	if s.Float > 0 {
		float = fmt.Sprintf(" + from the float %s", s.Float)
	}
	_, err = fmt.Fprintf(p.out, "%s paid %s%s = price %s + kept by the venue %s + gas %s + fees %s + dust %s + returned %s + still with Usher %s\n",
		p.name, s.Paid, float, s.Price, s.Release, s.Gas, s.Network, s.Dust, s.Returned, s.Held)
	if err != nil {
		return err
	}
	if sum := s.Price + s.Release + s.Gas + s.Network + s.Dust + s.Returned + s.Held - s.Float; s.Paid != sum || s.Paid != p.paid {
		return failed("%s paid %s, sent %s, and %s is accounted for", p.name, p.paid, s.Paid, sum)
	}
	o, err := p.record(ctx)
	if err != nil {
		return err
	}
	if account := order.Account(o, coinsAt(ledger, own...)); account != s {
		return failed("Usher's account of %s differs from the chain's: %+v and %+v", p.name, account, s)
	}
	return nil
}

// statement follows the money of one order's addresses through the ledger of the chain, without asking Usher.
func statement(ledger sandbox.LedgerView, own []cirrus.Address, refund cirrus.Address) (s order.Statement, err error) {
	prices := map[cirrus.Address]cirrus.Strats{}
	for _, tx := range ledger.Transactions {
		if tx.State != ledgerpkg.Mined && tx.State != ledgerpkg.InMempool {
			continue // it vanished, and nothing of it came about
		}
		in, out := through(tx, own)
		switch gave := fromFloat(ledger, tx); {
		case gave > 0:
			if out > 0 {
				s.Float += gave
				s.Network += strats(tx.Fee)
			}
		case tx.Call != nil && in > 0:
			if tx.Call.GasCost == nil || tx.Call.Success == nil {
				return s, failed("a call of %s is not mined yet", tx.Call.Sender.Short())
			}
			prices[tx.Call.Sender] += strats(tx.Call.Value) // of a failed call it comes back with a generated transaction
			s.Gas += strats(*tx.Call.GasCost)
			s.Dust += strats(tx.Fee) - strats(tx.Call.GasLimit*tx.Call.GasPrice)
		case in > 0: // a payout, or coins joined or split
			s.Returned += paidTo(tx, refund)
			s.Network += strats(tx.Fee)
			if rest := in - out - strats(tx.Fee) - paidTo(tx, refund); rest != 0 {
				return s, failed("%s went to somebody else", rest)
			}
		case tx.Cause != "": // the contract paid back
			for _, o := range tx.Outputs {
				if slices.Contains(own, o.Address) {
					prices[o.Address] -= strats(o.Amount)
				}
			}
		case tx.Kind != ledgerpkg.Coinbase:
			s.Paid += out
		}
	}
	for address, price := range prices {
		if releases(ledger, address) {
			s.Release += price
		} else {
			s.Price += price
		}
	}
	for _, coin := range coinsAt(ledger, own...) {
		s.Held += coin.Amount
	}
	return s, nil
}

// fromFloat is what a transaction takes from the float for good.
func fromFloat(ledger sandbox.LedgerView, tx sandbox.TransactionView) cirrus.Strats {
	var float []cirrus.Address
	for _, a := range ledger.Addresses {
		if strings.HasPrefix(a.Wallet, sandbox.WalletFloat+"/") {
			float = append(float, a.Address)
		}
	}
	in, out := through(tx, float)
	return in - out
}

func strats(amount uint64) cirrus.Strats {
	s, _ := cirrus.StratsOf(amount)
	return s
}

// through is what a transaction takes from addresses and gives to them.
func through(tx sandbox.TransactionView, own []cirrus.Address) (in, out cirrus.Strats) {
	for _, i := range tx.Inputs {
		if slices.Contains(own, i.Address) {
			in += strats(i.Amount)
		}
	}
	for _, address := range own {
		out += paidTo(tx, address)
	}
	return in, out
}

func paidTo(tx sandbox.TransactionView, address cirrus.Address) (sum cirrus.Strats) {
	for _, o := range tx.Outputs {
		if o.Address == address {
			sum += strats(o.Amount)
		}
	}
	return sum
}

// releases tells whether the address gave its ticket back.
func releases(ledger sandbox.LedgerView, own cirrus.Address) bool {
	for _, tx := range ledger.Transactions {
		if tx.Call != nil && tx.Call.Sender == own && tx.Call.Method == "ReleaseTicket" && tx.Call.Success != nil && *tx.Call.Success {
			return true
		}
	}
	return false
}

func coinsAt(ledger sandbox.LedgerView, own ...cirrus.Address) (coins []cirrus.Coin) {
	for _, a := range ledger.Addresses {
		if !slices.Contains(own, a.Address) {
			continue
		}
		for _, out := range a.Outputs {
			there := out.State == ledgerpkg.Mined || out.State == ledgerpkg.InMempool
			if there && out.SpentBy == "" {
				coins = append(coins, cirrus.Coin{
					Outpoint: cirrus.Outpoint{TxID: out.TransactionID, Index: out.Index}, Address: a.Address,
					Amount: strats(out.Amount), Confirmations: out.Confirmations,
				})
			}
		}
	}
	return coins
}

func sumAt(ledger sandbox.LedgerView, address cirrus.Address) (sum cirrus.Strats) {
	for _, coin := range coinsAt(ledger, address) {
		sum += coin.Amount
	}
	return sum
}

// audit wants every coin in the wallets that Usher sells with to belong to an order, and every order's money to be
// where its record says.
func (d *demo) audit(ctx context.Context, out io.Writer) error {
	ledger := d.chain.Ledger()
	coins := 0
	for _, address := range ledger.Addresses {
		if address.Balance == 0 || address.Wallet == "" || strings.HasPrefix(address.Wallet, sandbox.WalletFloat+"/") {
			continue
		}
		coins++
		id, err := d.app.db.Owner(ctx, address.Address)
		if errors.Is(err, order.ErrNotFound) {
			return failed("%s lies at %s of %s, and no order owns it", strats(address.Balance), address.Address, address.Wallet)
		}
		if err != nil {
			return err
		}
		if o, err := d.app.db.Load(ctx, id); err != nil || !o.Open() {
			return failed("%s lies at %s although order %s has ended", strats(address.Balance), address.Address, id)
		}
	}
	if totals := ledger.Totals; totals.Issued != totals.Unspent+totals.FeesPending {
		return failed("the chain itself lost money: %+v", totals)
	}
	if _, err := fmt.Fprintf(out, "No coin is without an owner. Addresses of open orders with money at them: %d.\n", coins); err != nil {
		return err
	}
	return d.operatorAudits(ctx, out)
}

// operatorAudits does what `usher audit` does: it knows of the chain only what the node's APIs tell.
func (d *demo) operatorAudits(ctx context.Context, out io.Writer) error {
	report, err := auditorOf(d.app).audit(ctx, true)
	if err != nil {
		return failed("usher audit: %v", err)
	}
	for _, f := range report.Findings {
		return failed("usher audit: %s: %s", f.Kind, f.Says)
	}
	_, err = fmt.Fprintf(out, "usher audit: all is well, in %d orders at %d addresses.\n", report.Orders, len(report.Lines))
	return err
}
