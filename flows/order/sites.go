package order

import "context"

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
