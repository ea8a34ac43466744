package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/audit"
	"github.com/usherbot/usher/flows/order"
)

// winddownFlags are the flags of `usher winddown`.
type winddownFlags struct {
	venue             string
	dryRun, undo, yes bool
	wait              time.Duration
}

func winddownCommand(io streams) *cobra.Command {
	var f winddownFlags
	command := &cobra.Command{
		Use:   "winddown",
		Short: "Stops selling, gives back what can be given back, and pays everybody back",
		Long: "For a show that was cancelled (--venue), or an operator who stops. It prints who gets what, asks, and leaves a mark in\n" +
			"Redis that every Usher there obeys: nothing is sold or bought any more, tickets are given back, money goes back. Then it\n" +
			"says what was done. It may be repeated at any time; --undo takes the mark away.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAuditor(cmd.Context(), io, func(a *auditor) error { return a.winddown(cmd.Context(), f, io) })
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.venue, "venue", "", "only sales of this contract")
	flags.BoolVar(&f.dryRun, "dry-run", false, "only print who would get what")
	flags.BoolVar(&f.undo, "undo", false, "sell again; what is on its way back already stays so")
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	flags.DurationVar(&f.wait, "wait", 2*time.Minute, "how long to wait for what is done")
	command.MarkFlagsMutuallyExclusive("dry-run", "undo")
	return command
}

// winddown is `usher winddown`.
func (a *auditor) winddown(ctx context.Context, f winddownFlags, io streams) error {
	venue := cirrus.Address(f.venue)
	if _, err := a.network.ParseAddress(f.venue); venue != "" && err != nil {
		return fmt.Errorf("--venue is %q: must be the address of a contract: %w", f.venue, err)
	}
	mark := &winding{store: a.db.Sealed()}
	if f.undo {
		return a.undoWinddown(ctx, mark, venue, io)
	}
	before, err := a.owed(ctx, venue)
	if err != nil {
		return err
	}
	if err := printOwed(io.out, before); err != nil || f.dryRun {
		return err
	}
	question := "Nothing is sold any more, and all this is carried out by the Ushers that run. Go on? y/N: "
	if ok, err := confirmed(io, question, f.yes); !ok {
		return err
	}
	if err := mark.change(ctx, venue, true); err != nil {
		return err
	}
	return a.woundDown(ctx, f, venue, before, io)
}

func (a *auditor) undoWinddown(ctx context.Context, mark *winding, venue cirrus.Address, io streams) error {
	m, err := mark.read(ctx)
	if err != nil {
		return err
	}
	if venue != "" && m.All {
		return errors.New("everything is wound down: --undo without --venue")
	}
	if err := mark.change(ctx, venue, false); err != nil {
		return err
	}
	_, err = fmt.Fprintln(io.out, "Sales go on within seconds. What is on its way back already stays so.")
	return err
}

// owed reads what is not settled.
func (a *auditor) owed(ctx context.Context, venue cirrus.Address) ([]audit.Owed, error) {
	books := audit.Books{Now: a.clock(), Hold: a.settings.hold}
	status, err := a.node.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the node how it is: %w", err)
	}
	books.Tip = order.Tip{Height: status.Height, Time: books.Now, Network: status.Network}
	if err := a.lookAtWallets(ctx, &books, false); err != nil {
		return nil, err
	}
	if err := a.lookAtOrders(ctx, &books); err != nil {
		return nil, err
	}
	if len(books.Unread) > 0 {
		return nil, fmt.Errorf("%d orders cannot be read, %s among them: is this the key ring that they were sealed with?", len(books.Unread), books.Unread[0])
	}
	return audit.WindDown(books, venue), nil
}

// windLook is how often it is looked how far the Ushers have come.
const windLook = time.Second

// woundDown waits until all is settled but for what waits for persons, and says what was done.
func (a *auditor) woundDown(ctx context.Context, f winddownFlags, venue cirrus.Address, before []audit.Owed, io streams) error {
	until := time.Now().Add(f.wait)
	left, err := a.owed(ctx, venue)
	for err == nil && hasWork(left) && time.Now().Before(until) {
		if err := sleep(ctx, windLook); err != nil {
			return err
		}
		left, err = a.owed(ctx, venue)
	}
	if err != nil {
		return err
	}
	if err := a.printDone(ctx, before, io.out); err != nil {
		return err
	}
	if len(left) == 0 {
		_, err := fmt.Fprintln(io.out, "Everybody has their money back, as far as it can be given back.")
		return err
	}
	if _, err := fmt.Fprintln(io.out, "\nStill to come:"); err != nil {
		return err
	}
	if err := printOwed(io.out, left); err != nil {
		return err
	}
	_, err = fmt.Fprintln(io.out, "It goes on by itself while an Usher runs and blocks come. Repeat the command to see how far it is.")
	return err
}

// hasWork tells whether something moves that waits for no person and no deadline.
func hasWork(list []audit.Owed) bool {
	for _, owed := range list {
		if !owed.Person && !owed.Stays {
			return true
		}
	}
	return false
}

// printOwed says who gets what.
func printOwed(out io.Writer, list []audit.Owed) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "Nothing is left to wind down: no order is open.")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	if _, err := fmt.Fprint(table, "order\tseat\tstate\tat least CRS\tto\twhat happens\n"); err != nil {
		return err
	}
	var sum cirrus.Strats
	for _, owed := range list {
		sum += owed.Sum
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", owed.Order, orNone(owed.Seat), owed.State, owed.Sum, owed.To.Short(), owed.Does); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "In all at least %s CRS.\n", sum)
	return err
}

// printDone says what went back of each order that was named before.
func (a *auditor) printDone(ctx context.Context, before []audit.Owed, out io.Writer) error {
	said := map[order.ID]bool{}
	for _, owed := range before {
		if said[owed.Order] {
			continue
		}
		said[owed.Order] = true
		o, err := a.db.Load(ctx, owed.Order)
		if err != nil {
			return err
		}
		s := order.Account(o, nil)
		if _, err := fmt.Fprintf(out, "order %s: %s CRS went back\n", o.ID, s.Returned); err != nil {
			return err
		}
	}
	return nil
}
