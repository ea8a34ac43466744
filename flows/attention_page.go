package flows

import (
	"fmt"
	"strings"

	"github.com/usherbot/usher/flows/order"
)

// AttentionPage is docs/attention.md: why a ticket may need a person, and what the operator can do then. It is made from the
// list of causes and from the words that the operator reads.
func (f *Flows) AttentionPage() string {
	v := f.voice("en")
	var page strings.Builder
	page.WriteString("# What needs a person\n\n")
	page.WriteString("Made from `order.Causes` and the words of the bot by `go test ./flows -run TestAttentionPage -update`; a test keeps them alike.\n\n")
	page.WriteString("The list is closed. A ticket that needs a person is told of once, to everybody in `USHER_ADMINS`, with its order, seat, address and wallet, ")
	page.WriteString("what was called how often, and the transactions; `/attention` lists them all again. The others of its order go on meanwhile, and so does every other order.\n\n")
	page.WriteString("| state | reason | when | what the operator reads | buttons |\n|---|---|---|---|---|\n")
	for _, cause := range order.Causes() {
		fmt.Fprintf(&page, "| `%s` | `%s` | %s | %s | %s |\n", cause.From, cause.Reason, cause.When,
			v.plain("operator.reason."+string(cause.Reason), nil), buttonNames(v, cause.Verbs))
	}
	page.WriteString("\nWhere the ticket keeps its state, and goes on by itself:\n\n| reason | what the operator reads | buttons |\n|---|---|---|\n")
	for _, reason := range order.StandingCauses() {
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", reason, v.plain("operator.reason."+string(reason), nil), buttonNames(v, order.Ticket{Reason: reason}.Asks()))
	}
	fmt.Fprintf(&page, "\n- *%s*: from the state that the ticket came from, with its tries counted anew. Where money is missing, what is there counts as all there will be.\n",
		v.plain(operatorButton(order.Resolve), nil))
	fmt.Fprintf(&page, "- *%s*: the ticket is given back to the contract. With a float the customer has everything again, without one what the contract pays and what lies at the address.\n",
		v.plain(operatorButton(order.LetGo), nil))
	fmt.Fprintf(&page, "- *%s*: the seat is not bought, and what lies at its address goes to the customer.\n", v.plain(operatorButton(order.PayBack), nil))
	return page.String()
}

func buttonNames(v voice, asks []order.Verb) string {
	var names []string
	for _, ask := range asks {
		names = append(names, "*"+v.plain(operatorButton(ask), nil)+"*")
	}
	return strings.Join(names, ", ")
}
