package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/usherbot/usher/flows/audit"
)

// auditFlags are the flags of `usher audit`.
type auditFlags struct {
	json, everything bool

	rescue, to string // addresses
	force      bool   // rescue what belongs to an order
	rebuild    bool
	tickets    string // folder for the pictures of rebuilt tickets; empty: none
	yes        bool   // answers every question
	watch      bool
	listen     string
}

func auditCommand(io streams) *cobra.Command {
	var f auditFlags
	command := &cobra.Command{
		Use:   "audit",
		Short: "Holds Redis against wallets and contracts, and says what fits nowhere",
		Long: "Prints every address of ours with what it holds, whose order it is, what will happen to it and when, and lists\n" +
			"what fits nowhere; with such a finding it ends with 1. It changes nothing, and works beside a running Usher;\n" +
			"only --rescue moves money. docs/books.md tells more.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAuditor(cmd.Context(), io, func(a *auditor) error { return a.run(cmd.Context(), f, io) })
		},
	}
	flags := command.Flags()
	flags.BoolVar(&f.json, "json", false, "print JSON")
	flags.BoolVar(&f.everything, "all", false, "also list addresses that hold nothing, of orders that have ended")
	flags.StringVar(&f.rescue, "rescue", "", "pay out what lies at this address, after asking")
	flags.StringVar(&f.to, "to", "", "with --rescue: to this address")
	flags.BoolVar(&f.force, "from-living-order", false, "with --rescue: although an order in Redis has the address")
	flags.BoolVar(&f.rebuild, "rebuild", false, "make tickets again from chain and key ring alone (USHER_RESERVE=direct), and say which ones fit")
	flags.StringVar(&f.tickets, "tickets", "", "with --rebuild: write their QR pictures into this folder: they open doors, keep them secret")
	flags.BoolVar(&f.yes, "yes", false, "answer every question with yes")
	flags.BoolVar(&f.watch, "watch", false, "audit with each block, and serve what was found to Prometheus")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8082", "with --watch: address of /metrics; may end in :0")
	command.MarkFlagsRequiredTogether("rescue", "to")
	command.MarkFlagsMutuallyExclusive("rescue", "rebuild", "json", "watch")
	return command
}

// withAuditor opens node and Redis for a command.
func withAuditor(ctx context.Context, io streams, do func(*auditor) error) error {
	env, err := readEnvironment()
	s, wrong := env.checkBooks()
	if err := errors.Join(err, wrong); err != nil {
		return fmt.Errorf("the configuration is not right; usher help config lists the settings:\n%w", err)
	}
	a, err := openAuditor(ctx, s, slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: s.level})))
	if err != nil {
		return err
	}
	return errors.Join(do(a), a.close())
}

// checkBooks reads the settings that concern node, wallets and Redis alone.
func (e environment) checkBooks() (settings, error) {
	var c checker
	s := settings{
		redisURL: e.RedisURL, redisRisk: e.RedisRisk, nodeURL: e.NodeURL, boothURL: e.TicketboothURL, listen: e.Listen,
	}
	c.stores(e, &s)
	c.node(e, &s)
	c.people(e, &s)
	c.amounts(e, &s)
	c.rest(e, &s)
	return s, errors.Join(c.wrong...)
}

// run is `usher audit`.
func (a *auditor) run(ctx context.Context, f auditFlags, io streams) error {
	switch {
	case f.rescue != "":
		return a.runRescue(ctx, f, io)
	case f.watch:
		return a.watch(ctx, f.listen, io)
	case f.rebuild:
		return a.runRebuild(ctx, f, io)
	}
	report, err := a.audit(ctx, true)
	if err != nil {
		return err
	}
	if f.json {
		err = printJSON(io, report)
	} else {
		err = printReport(io.out, report, f.everything)
	}
	if err == nil && len(report.Findings) > 0 {
		return errSaid
	}
	return err
}

func printJSON(io streams, report audit.Report) error {
	out := json.NewEncoder(io.out)
	out.SetIndent("", "  ")
	return out.Encode(report)
}
