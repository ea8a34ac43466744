package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/usherbot/usher/flows/audit"
)

// reportPrinter writes a report for a person.
type reportPrinter struct {
	out        io.Writer
	report     audit.Report
	everything bool // also addresses that hold nothing, of orders that have ended
}

func (p *reportPrinter) head() error {
	r := p.report
	_, err := fmt.Fprintf(p.out, "Block %d of %s, %s. Orders: %d, of these open: %d.\n", r.Height, r.Network, r.Made.UTC().Format("2006-01-02 15:04:05 MST"), r.Orders, r.Open)
	for _, b := range r.Purses {
		if err != nil {
			return err
		}
		name := "Wallet"
		if b.Float {
			name = "Float"
		}
		_, err = fmt.Fprintf(p.out, "%s %s holds %s CRS in %d coins.\n", name, b.Account, b.Holds, b.Coins)
	}
	return err
}

func (p *reportPrinter) lines() error {
	table := tabwriter.NewWriter(p.out, 0, 4, 2, ' ', 0)
	left, shown := 0, 0
	for _, line := range p.report.Lines {
		if !p.everything && line.Coins == 0 && !line.Live && len(line.Tickets) == 0 {
			left++
			continue
		}
		if shown++; shown == 1 {
			if _, err := fmt.Fprint(table, "\naddress\tCRS\torder\tseat\tstate\twhat happens next\n"); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", line.Address, line.Holds, orNone(string(line.Order)), orNone(seatsOf(line)), orNone(line.State), nextWords(line.Next)); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil || left == 0 {
		return err
	}
	_, err := fmt.Fprintf(p.out, "And addresses of ended orders that hold nothing: %d (--all lists them).\n", left)
	return err
}

// seatsOf names the seat of the ticket that buys from an address, or those that it owns on chain without an order.
func seatsOf(line audit.Line) string {
	if line.Seat != "" || line.Order != "" {
		return line.Seat
	}
	var seats []string
	for _, ticket := range line.Tickets {
		seats = append(seats, ticket.Seat)
	}
	return strings.Join(seats, " ")
}

func orNone(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func nextWords(n audit.Next) string {
	words := orNone(n.What)
	if n.Block > 0 {
		words += fmt.Sprintf(", block %d", n.Block)
	}
	if !n.At.IsZero() {
		about := "by "
		if n.Block > 0 {
			about = "about "
		}
		words += ", " + about + n.At.UTC().Format("2006-01-02 15:04 MST")
	}
	return words
}

func (p *reportPrinter) findings() error {
	if len(p.report.Findings) == 0 {
		_, err := fmt.Fprintln(p.out, "\nAll is well: each coin and each ticket has its order, each order its money, and each state its next step.")
		return err
	}
	if _, err := fmt.Fprintf(p.out, "\nFits nowhere: %d\n", len(p.report.Findings)); err != nil {
		return err
	}
	for _, f := range p.report.Findings {
		if _, err := fmt.Fprintf(p.out, "  %s: %s\n", f.Kind, f.Says); err != nil {
			return err
		}
	}
	return nil
}
