package flows_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usherbot/usher/flows/order"
)

func TestAttentionPageAndCausesAgree(t *testing.T) {
	path := filepath.Join("..", "docs", "attention.md")
	page := newWorld(t).flows.AttentionPage()
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil { // #nosec G306 -- a page for everybody
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != page {
		t.Error("docs/attention.md differs from the causes; run with -update and read the difference")
	}
}

// TestTheOperatorReadsAllThatIsKnownAndHasTheButtonsOfTheCause: the message says which order and seat, where the money is,
// what was called, and offers just what is taken then.
func TestTheOperatorReadsAllThatIsKnownAndHasTheButtonsOfTheCause(t *testing.T) {
	for _, cause := range order.Causes() {
		w := newWorld(t)
		seat := order.Ticket{ID: "t1", Seat: w.sale.Seats[0].Seat, State: order.Attention, Before: cause.From, Reason: cause.Reason, Address: "tAddressOfTheSeat"}
		seat.Reserve = order.Call{Attempt: 3, TxID: "feed01"}
		seat.Release = order.Call{Attempt: 1, TxID: "feed02"}
		o := order.Order{ID: "o-1", Show: *w.sale.Show, State: order.Filled, Tickets: []order.Ticket{seat}}
		if err := w.flows.Attend(t.Context(), o, seat.ID); err != nil {
			t.Fatal(err)
		}
		var text string
		var buttons []string
		for _, screen := range w.chat(operator).messages {
			text = screen.Text.String()
			for _, row := range screen.Buttons {
				for _, button := range row {
					buttons = append(buttons, button.Text)
				}
			}
		}
		for _, part := range []string{"o-1", "tAddressOfTheSeat", "feed01", "feed02", string(cause.From)} {
			if !strings.Contains(text, part) {
				t.Errorf("%s in %s: the operator does not read %q: %s", cause.Reason, cause.From, part, text)
			}
		}
		names := map[order.Verb]string{order.Resolve: "Go on", order.LetGo: "Give it back", order.PayBack: "Pay it back"}
		var want []string
		for _, verb := range cause.Verbs {
			want = append(want, names[verb])
		}
		if !slices.Equal(buttons, want) {
			t.Errorf("%s in %s: buttons %v, wanted %v", cause.Reason, cause.From, buttons, want)
		}
	}
}
