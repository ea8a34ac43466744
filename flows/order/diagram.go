package order

import (
	"fmt"
	"slices"
	"strings"
)

// Diagram is the page docs/states.md: the tables as text and as diagrams, made from Rows.
func Diagram() string {
	var page strings.Builder
	page.WriteString("# The states of orders, tickets, payouts and aids\n\n")
	page.WriteString("Made from the tables in `flows/order/table.go` by `go test ./flows/order -run TestDiagram -update`; a test keeps both alike.\n")
	page.WriteString("Dashed notes: an edge that a later version carries out; until then it ends in `attention`, with the reason.\n")
	for _, table := range []string{"order", "ticket", "payout", "aid"} {
		fmt.Fprintf(&page, "\n## %s\n\n```mermaid\nstateDiagram-v2\n", table)
		for _, row := range Rows() {
			if row.Table == table {
				page.WriteString(row.edges())
			}
		}
		page.WriteString("```\n\n| state | means | next | calls |\n|---|---|---|---|\n")
		for _, row := range Rows() {
			if row.Table == table {
				page.WriteString(row.line())
			}
		}
	}
	return page.String()
}

func (r Row) edges() string {
	var lines strings.Builder
	for _, to := range r.Next {
		later := ""
		if slices.Contains(r.Later, to) {
			later = ": later"
		}
		fmt.Fprintf(&lines, "    %s --> %s%s\n", r.State, to, later)
	}
	if r.Final {
		fmt.Fprintf(&lines, "    %s --> [*]\n", r.State)
	}
	return lines.String()
}

func (r Row) line() string {
	next := strings.Join(r.Next, ", ")
	if r.Final {
		next = strings.TrimPrefix(next+", final", ", ")
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |\n", r.State, r.Means, next, strings.Join(r.Sites, ", "))
}
