package order

import (
	"context"
	"slices"
)

// The call sites of the steps. Faults, crashes and counts hook in here; a table row lists the ones its step may use.
const (
	SiteSave       = "order.save"        // Store.Save
	SiteReserve    = "order.reserve"     // Booth.Reserve
	SiteRelease    = "order.release"     // Booth.Release
	SiteTickets    = "order.tickets"     // Booth.Tickets
	SiteReceipt    = "order.receipt"     // Ledger.Receipt
	SiteUnspent    = "order.unspent"     // Ledger.Unspent
	SiteRaw        = "order.raw"         // Ledger.Raw
	SiteCalls      = "order.calls"       // Ledger.Calls
	SiteForget     = "order.forget"      // Ledger.Forget
	SiteBuild      = "order.build"       // Purse.Build
	SiteSend       = "order.send"        // Purse.Send
	SiteIsContract = "order.is_contract" // Purse.IsContract
	SiteDeliver    = "order.deliver"     // Deliverer.Deliver
	SiteTell       = "order.tell"        // Teller.Tell
	SiteAttend     = "order.attend"      // Teller.Attend
	SiteHold       = "order.hold"        // Holds.Hold
	SiteFloat      = "order.float"       // Float.Coins
	SiteClaim      = "order.claim"       // Float.Claim
	SiteUnclaim    = "order.unclaim"     // Float.Free
)

// Straight is the Sites that just calls.
type Straight struct{}

// Do calls.
func (Straight) Do(ctx context.Context, _ string, call func(context.Context) error) error {
	return call(ctx)
}

// Hand is the order that is worked on where a call site is passed.
type Hand struct {
	ID ID
	// Row is the state whose row makes the call, as "ticket reserving"; empty: no row does.
	Row string
	// States are those of the order, its tickets and its payouts, in the form of Row, each once.
	States []string
}

// inHand is what the context of a call carries: States are read only where somebody asks.
type inHand struct {
	o   *Order
	row string
}

type handKey struct{}

func withOrder(ctx context.Context, o *Order) context.Context {
	return context.WithValue(ctx, handKey{}, inHand{o: o})
}

// atRow notes which row makes the call.
func atRow(ctx context.Context, table, state string) context.Context {
	hand, _ := ctx.Value(handKey{}).(inHand)
	hand.row = table + " " + state
	return context.WithValue(ctx, handKey{}, hand)
}

// InHand tells a Sites for which order a call is made. It must be asked before the call is: afterwards the order may
// have changed. ok is false where the call is made for none.
func InHand(ctx context.Context) (hand Hand, ok bool) {
	at, ok := ctx.Value(handKey{}).(inHand)
	if !ok || at.o == nil {
		return Hand{}, false
	}
	hand = Hand{ID: at.o.ID, Row: at.row}
	add := func(table, state string) {
		if name := table + " " + state; !slices.Contains(hand.States, name) {
			hand.States = append(hand.States, name)
		}
	}
	add("order", string(at.o.State))
	for _, t := range at.o.Tickets {
		add("ticket", string(t.State))
	}
	for _, p := range at.o.Payouts {
		add("payout", string(p.State))
	}
	return hand, true
}
