package memory_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

// TestEveryStateHasASample: whoever looks at all samples has seen every state that lasts.
func TestEveryStateHasASample(t *testing.T) {
	there := map[string]bool{"payout built": true} // it lasts for one step, and has no words of its own
	for _, s := range memory.Samples(time.Unix(1_800_000_000, 0)) {
		there["order "+string(s.Order.State)] = true
		for _, ticket := range s.Order.Tickets {
			there["ticket "+string(ticket.State)] = true
		}
		for _, aid := range s.Order.Aids {
			there["aid "+string(aid.State)] = true
		}
		for _, payout := range s.Order.Payouts {
			there["payout "+string(payout.State)] = true
		}
	}
	for _, row := range order.Rows() {
		if state := row.Table + " " + row.State; !there[state] {
			t.Errorf("no sample is in state %s", state)
		}
	}
}

func TestSamplesHaveNamesOfTheirOwn(t *testing.T) {
	shape, seen := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`), map[string]bool{}
	for _, s := range memory.Samples(time.Unix(1_800_000_000, 0)) {
		if !shape.MatchString(s.Name) || seen[s.Name] || s.Says == "" || s.Order.Due <= 0 {
			t.Errorf("sample %q: %q", s.Name, s.Says)
		}
		seen[s.Name] = true
	}
}
