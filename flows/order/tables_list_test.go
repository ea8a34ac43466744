package order_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/usherbot/usher/flows/order"
)

var printCases = flag.Bool("cases", false, "print the cases of the tables")

// wanted names everything that must have a case: each outcome of each call of each row, each edge, and for each state
// in which nothing more happens, that nothing does.
func wanted() []string {
	var list []string
	for _, row := range order.Rows() {
		if !reachable(row) {
			continue
		}
		for _, site := range row.Sites {
			for _, o := range order.Outcomes(site) {
				list = append(list, called(row.Table, row.State, site, o.Name))
			}
		}
		for _, to := range row.Next {
			if !slices.Contains(row.Later, to) {
				list = append(list, edge(row.Table, row.State, to))
			}
		}
		if row.Final {
			list = append(list, edge(row.Table, row.State, ""))
		}
	}
	return list
}

// reachable tells whether this version leads to a state at all.
func reachable(row order.Row) bool {
	first := row.State == string(order.AwaitingPayment) || row.State == string(order.Held) || row.State == string(order.PayoutDue) || row.State == string(order.AidWanted)
	return first || slices.ContainsFunc(order.Rows(), func(from order.Row) bool {
		return from.Table == row.Table && from.Leads(row.State) && !slices.Contains(from.Later, row.State)
	})
}

func called(table, state, site, outcome string) string {
	return fmt.Sprintf("%s %s: %s: %s", table, state, site, outcome)
}

func edge(table, state, to string) string {
	if to == "" {
		return fmt.Sprintf("%s %s stays", table, state)
	}
	return fmt.Sprintf("%s %s -> %s", table, state, to)
}

// shown names what a case shows.
func (s stage) shown(e ending) []string {
	list := []string{edge(s.table, s.state, e.leads)}
	if s.site != "" {
		list = append(list, called(s.table, s.state, s.site, e.outcome))
	}
	return list
}

func TestEveryRowAndOutcomeHasACase(t *testing.T) {
	shown := map[string]bool{}
	names := map[string]bool{}
	for _, s := range stages() {
		for _, e := range s.cases {
			if names[s.name(e)] {
				t.Errorf("two cases are named %s", s.name(e))
			}
			names[s.name(e)] = true
			for _, what := range s.shown(e) {
				shown[what] = true
			}
		}
	}
	for _, what := range wanted() {
		if !shown[what] {
			t.Errorf("no case shows: %s", what)
		}
	}
	if *printCases {
		if err := printAll(); err != nil {
			t.Error(err)
		}
	}
}

func TestNoCaseIsStale(t *testing.T) {
	needed := wanted()
	for _, s := range stages() {
		row, ok := order.RowOf(s.table, s.state)
		if !ok {
			t.Errorf("no table has %s %s", s.table, s.state)
		}
		for _, e := range s.cases {
			if s.site != "" && !slices.Contains(needed, called(s.table, s.state, s.site, e.outcome)) {
				t.Errorf("the tables have nothing of %s", s.name(e))
			}
			if to := s.leadsTo(e); e.leads != "" && to != givenUp && to != s.state && s.saved == "" && !row.Leads(to) {
				t.Errorf("no edge for %s to %s", s.name(e), to)
			}
		}
	}
}

// TestEveryErrorOfACallIsAnOutcome holds the lists of outcomes against the errors that calls wrap.
func TestEveryErrorOfACallIsAnOutcome(t *testing.T) {
	listed := map[error]bool{}
	for _, row := range order.Rows() {
		for _, site := range row.Sites {
			if len(order.Outcomes(site)) == 0 {
				t.Errorf("%s %s: %s has no outcomes", row.Table, row.State, site)
			}
			for _, o := range order.Outcomes(site) {
				listed[o.Err] = true
			}
		}
	}
	for _, err := range []error{
		order.ErrUnreachable, order.ErrUnknownOutcome, order.ErrNoPeers, order.ErrSyncing, order.ErrPassword, order.ErrWallet,
		order.ErrCoins, order.ErrOutpoints, order.ErrInputsReserved, order.ErrSaleClosed, order.ErrSeatTaken, order.ErrSeatUnknown,
		order.ErrNameNeeded, order.ErrReleaseOver, order.ErrNotOwner, order.ErrNoContract, order.ErrRefused, order.ErrNotMined,
		order.ErrNotFound, order.ErrSeatHeld, order.ErrNoCourier, order.ErrNoChat,
	} {
		if !listed[err] {
			t.Errorf("no call comes to %q", err)
		}
	}
}

// printAll prints the cases in columns, row by row as the tables have them.
func printAll() error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ROW\tCALL\tOUTCOME\tLEADS TO\tTEST")
	lines := map[string][]string{}
	count := 0
	for _, s := range stages() {
		for _, e := range s.cases {
			row := s.table + " " + s.state
			lines[row] = append(lines[row], strings.Join([]string{
				row, or(s.site, "-"), joined(e.outcome, e.when), or(e.leads, "stays"), "TestRows/" + strings.ReplaceAll(s.name(e), " ", "_"),
			}, "\t"))
			count++
		}
	}
	for _, row := range order.Rows() {
		for _, line := range lines[row.Table+" "+row.State] {
			fmt.Fprintln(out, line)
		}
		delete(lines, row.Table+" "+row.State)
	}
	if len(lines) > 0 {
		return fmt.Errorf("no rows: %v", slices.Collect(maps.Keys(lines)))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	_, err := fmt.Printf("%d cases\n", count)
	return err
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func joined(outcome, when string) string {
	if when == "" {
		return outcome
	}
	return outcome + "; " + when
}
