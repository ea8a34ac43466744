package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/audit"
	"github.com/usherbot/usher/flows/order"
)

func exportCommand(io streams) *cobra.Command {
	return &cobra.Command{
		Use:   "export",
		Short: "Prints bookkeeping as CSV: for each order what came, what went, fees and gas",
		Long: "Prints bookkeeping as CSV, a line for each order: what came, what went, fees and gas. Sums are CRS; paid + from_float =\n" +
			"price + kept_by_venue + gas + service_fee + network_fees + dust + returned + held. There are no names in it, no\n" +
			"addresses and no secrets. docs/books.md describes the columns.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAuditor(cmd.Context(), io, func(a *auditor) error { return a.export(cmd.Context(), io) })
		},
	}
}

// exportColumns are stable: new ones come at the end.
var exportColumns = []string{
	"order", "created", "network", "contract", "show", "seats", "state", "open", "paid", "from_float", "price", "kept_by_venue", "gas",
	"service_fee", "network_fees", "dust", "returned", "held", "gas_used", "calls",
}

// export is `usher export`.
func (a *auditor) export(ctx context.Context, io streams) error {
	books := audit.Books{Now: a.clock()}
	status, err := a.node.Status(ctx)
	if err != nil {
		return fmt.Errorf("asking the node how it is: %w", err)
	}
	books.Tip.Height = status.Height
	if err := a.lookAtWallets(ctx, &books, false); err != nil {
		return err
	}
	if err := a.lookAtOrders(ctx, &books); err != nil {
		return err
	}
	if len(books.Unread) > 0 {
		return fmt.Errorf("%d orders cannot be read, %s among them: is this the key ring that they were sealed with?", len(books.Unread), books.Unread[0])
	}
	slices.SortFunc(books.Orders, func(x, y order.Order) int {
		return cmp.Or(x.Created.Compare(y.Created), cmp.Compare(x.ID, y.ID))
	})
	out := csv.NewWriter(io.out)
	if err := out.Write(exportColumns); err != nil {
		return err
	}
	for _, o := range books.Orders {
		row, err := a.exportRow(ctx, o, books.Purses)
		if err != nil {
			return err
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (a *auditor) exportRow(ctx context.Context, o order.Order, purses []audit.Purse) ([]string, error) {
	var coins []cirrus.Coin
	for _, purse := range purses {
		for _, coin := range purse.Coins {
			if slices.Contains(o.Addresses(), coin.Address) {
				coins = append(coins, coin)
			}
		}
	}
	used, calls, err := a.gasUsed(ctx, o)
	if err != nil {
		return nil, err
	}
	s := order.Account(o, coins)
	row := []string{
		string(o.ID), o.Created.UTC().Format(time.RFC3339), a.network.Name, string(o.Show.Contract), string(o.Show.TxID),
		exportSeats(o), string(o.State), strconv.FormatBool(o.Open()),
	}
	for _, sum := range []cirrus.Strats{
		s.Paid, s.Float, s.Price, s.Release, s.Gas, s.Service, s.Network, s.Dust, s.Returned, s.Held,
	} {
		row = append(row, sum.Decimal())
	}
	return append(row, strconv.FormatUint(used, 10), strconv.Itoa(calls)), nil
}

// gasUsed asks the chain what the calls of an order used.
func (a *auditor) gasUsed(ctx context.Context, o order.Order) (used uint64, calls int, err error) {
	seen := map[cirrus.TxID]bool{}
	for _, t := range o.Tickets {
		for _, call := range []order.Call{t.Reserve, t.Release} {
			for _, tx := range append(slices.Clone(call.Past), call.TxID) {
				if tx == "" || seen[tx] {
					continue
				}
				seen[tx] = true
				receipt, err := a.node.Receipt(ctx, tx)
				if errors.Is(err, order.ErrNotMined) {
					continue
				}
				if err != nil {
					return 0, 0, fmt.Errorf("order %s: asking for the receipt of %s: %w", o.ID, tx.Short(), err)
				}
				used += receipt.GasUsed
				calls++
			}
		}
	}
	return used, calls, nil
}

// exportSeats names the seats with what became of each. A letter may be any character: none of them makes a formula in a
// table, or a line of its own.
func exportSeats(o order.Order) string {
	var seats []string
	for _, t := range o.Tickets {
		seats = append(seats, "seat "+cellText(t.Seat.String())+" "+string(t.State))
	}
	return strings.Join(seats, "; ")
}

func cellText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == ';' {
			return '?'
		}
		return r
	}, text)
}
