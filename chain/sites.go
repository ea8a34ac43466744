package chain

import "context"

// The call sites: one name for each kind of call that leaves the process. A repeated attempt passes its site again.
const (
	SiteStatus      = "node.status"
	SiteBlockCount  = "node.blockcount"
	SiteBlockHash   = "node.blockhash"
	SiteBlock       = "node.block"
	SiteOutput      = "node.output"
	SiteRaw         = "node.raw"
	SiteMempool     = "node.mempool"
	SiteReceipt     = "node.receipt"
	SiteReceipts    = "node.receipts"
	SiteCode        = "node.code"
	SiteSpendable   = "node.spendable"
	SiteUnused      = "node.unused"
	SiteNew         = "node.new"
	SiteHistory     = "node.history"
	SiteCalls       = "node.calls"
	SiteBalance     = "node.balance"
	SiteWallet      = "node.wallet"
	SiteSign        = "node.sign"
	SiteBuild       = "node.build"
	SiteSend        = "node.send"
	SiteCall        = "node.call"
	SiteRehearse    = "node.rehearse"
	SiteForget      = "node.forget"
	SiteRescan      = "node.rescan"
	SiteTickets     = "ticketbooth.tickets"
	SiteReleaseFee  = "ticketbooth.releasefee"
	SiteNoRelease   = "ticketbooth.norelease"
	SiteIdentity    = "ticketbooth.identity"
	SiteReserve     = "ticketbooth.reserve"
	SiteReleaseSeat = "ticketbooth.release"
)

// passThrough is the Sites of a client that was given none.
type passThrough struct{}

func (passThrough) Do(ctx context.Context, _ string, call func(context.Context) error) error {
	return call(ctx)
}
