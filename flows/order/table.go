package order

import "slices"

// Row says of one state what is true in it, where it leads, and which call sites its step may use. Later marks edges
// that this version does not carry out: they end in attention with ReasonUnsupported.
type Row struct {
	Table string   // "order", "ticket", "payout" or "aid"
	State string   // stored name
	Means string   // what is true in this state
	Next  []string // states of the same table that it leads to
	Later []string // of these, the ones that a later version carries out
	Sites []string // call sites of its step, beside SiteSave
	Final bool     // nothing more happens by itself
}

// Rows are the tables.
func Rows() []Row { return slices.Concat(orderRows(), ticketRows(), payoutRows(), aidRows()) }

func orderRows() []Row {
	row := func(s State, means string, sites []string, next ...State) Row {
		return Row{Table: "order", State: string(s), Means: means, Sites: sites, Next: names(next)}
	}
	return []Row{
		row(AwaitingPayment, "Seats are held, the address is shown, the clock runs.", []string{SiteHold},
			Paying, PartPaid, Expired, Cancelled),
		row(PartPaid, "Some of the money has come, not all.", []string{SiteHold}, Paying, AwaitingPayment, Expired, Cancelled),
		row(Paying, "Enough has been seen, but it is not confirmed yet; the hold is extended, up to a cap.",
			[]string{SiteHold}, Paid, PartPaid, AwaitingPayment, Expired),
		row(Paid, "The payment is confirmed.", []string{SiteHold}, Joining, Splitting, Filled, Paying),
		row(Joining, "Several coins that paid for one seat are being made one; the transaction is saved, then sent.",
			[]string{SiteBuild, SiteSend, SiteUnspent}, Splitting, Filled, Paid).later(Splitting),
		row(Splitting, "The payment is being split, a coin for each seat, and what came on top goes back.",
			[]string{SiteIsContract, SiteBuild, SiteSend, SiteUnspent}, Filled, Paid),
		row(Filled, "Each ticket has its coin and goes its own way.", nil, Joining, Splitting, Void).final(),
		row(Void, "The payment was undone after tickets were bought.", nil).final(),
		row(Expired, "The hold ended before the payment. A part waits one more hold for its rest; what still comes is late.",
			[]string{SiteHold}, Paying, Cancelled).final(),
		row(Cancelled, "The customer ended it; what still comes goes back.", nil).final(),
	}
}

func ticketRows() []Row {
	row := func(s TicketState, means string, sites []string, next ...TicketState) Row {
		return Row{Table: "ticket", State: string(s), Means: means, Sites: sites, Next: names(next)}
	}
	resolving := []string{SiteCalls, SiteReceipt, SiteUnspent, SiteForget}
	return []Row{
		row(Held, "It waits for its coin. In place of a lost one: the difference is paid, then one transfer brings all money over.",
			[]string{SiteHold, SiteIsContract, SiteBuild, SiteSend, SiteUnspent}, Reserving, Lost, Dropped, Attention),
		row(Dropped, "Its order ended unpaid.", nil, Held).final(),
		row(Reserving, "The intent to buy is saved; the call is being made, or made again later.",
			[]string{SiteReserve, SiteRaw}, Reserved, Unknown, Lost, Attention),
		row(Unknown, "The call to buy may or may not have been broadcast; the chain tells.", resolving,
			Reserving, Reserved, Stray, Lost, Attention),
		row(Reserved, "The call to buy is broadcast; its receipt is awaited.",
			[]string{SiteReceipt, SiteTickets, SiteUnspent, SiteSend, SiteRaw, SiteForget}, Owned, Releasing, Lost, Unknown, Stray, Attention),
		row(Stray, "The seat is ours on chain, but the secret was lost with the answer. It is given back; where that is not possible any more, the float pays its price.",
			nil, Releasing, Lost, Attention),
		row(Owned, "The receipt is good, the contract shows our address, the secret fits. The QR is handed over.",
			[]string{SiteDeliver}, Releasing, Ended, Reserved),
		row(Releasing, "The intent to give back is saved; after the undo time the call is made and its receipt awaited.",
			append([]string{SiteBuild, SiteRelease, SiteRaw, SiteSend}, resolving...), Released, Owned, Reserved, Stray, Lost, Attention),
		row(Lost, "The seat could not be bought, or its secret is lost. The money is at its address: it waits while another seat may be chosen, else it goes back.",
			nil, Exchanged, Reserved, Releasing, Attention).final(),
		row(Exchanged, "Another seat took its place.", nil).final(),
		row(Released, "The ticket was given back; the money is at its address and goes back.", nil, Releasing, Attention).final(),
		row(Ended, "The refund deadline has passed; the rest of the deposit goes back, the QR can be sent again.",
			[]string{SiteDeliver}, Reserved, Attention).final(),
		row(Attention, "A person must look; the operator was told why.", []string{SiteAttend},
			Held, Reserving, Unknown, Reserved, Stray, Releasing, Lost, Released, Ended),
	}
}

func payoutRows() []Row {
	row := func(s PayoutState, means string, sites []string, next ...PayoutState) Row {
		return Row{Table: "payout", State: string(s), Means: means, Sites: sites, Next: names(next)}
	}
	return []Row{
		row(PayoutDue, "Money of the customer lies, or will lie, at an address of ours; it waits until all of it is there.",
			[]string{SiteIsContract, SiteBuild}, Built, Dust, AddressNeeded),
		row(AddressNeeded, "The refund address cannot be paid; the customer must give another one. After a week the operator is told.",
			[]string{SiteIsContract, SiteAttend}, PayoutDue),
		row(Built, "The transaction is signed and saved; it is about to be sent.",
			[]string{SiteSend, SiteUnspent}, Sent),
		row(Sent, "The transaction is broadcast. Where an input vanished with an undone block, the money is owed anew.",
			[]string{SiteUnspent, SiteForget}, Done, Built, PayoutDue),
		row(Done, "The money is with the customer.", nil, Sent).final(),
		row(Dust, "Too little to be sent; the ledger shows it.", nil).final(),
	}
}

func aidRows() []Row {
	row := func(s AidState, means string, sites []string, next ...AidState) Row {
		return Row{Table: "aid", State: string(s), Means: means, Sites: sites, Next: names(next)}
	}
	return []Row{
		row(AidWanted, "The float must give money to a ticket's address; coins of it that no other order has are looked for. It waits here for an empty float.",
			[]string{SiteFloat, SiteUnclaim, SiteAttend}, AidClaimed),
		row(AidClaimed, "Addresses of the float are noted and claimed for this order alone; then the transaction is built.",
			[]string{SiteFloat, SiteClaim, SiteBuild}, AidBuilt, AidWanted),
		row(AidBuilt, "The transaction is signed and saved; it is about to be sent.", []string{SiteSend, SiteUnspent}, AidSent),
		row(AidSent, "The transaction is broadcast. Where its coins were spent by something else, others are looked for.",
			[]string{SiteUnspent}, AidGiven, AidBuilt, AidWanted),
		row(AidGiven, "The money is at the ticket's address.", nil, AidSent).final(),
	}
}

func (r Row) final() Row {
	r.Final = true
	return r
}

func (r Row) later(states ...any) Row {
	for _, state := range states {
		r.Later = append(r.Later, name(state))
	}
	return r
}

// RowOf finds the row of a state in a table; ok is false for a state that no table has.
func RowOf(table, state string) (row Row, ok bool) {
	for _, row := range Rows() {
		if row.Table == table && row.State == state {
			return row, true
		}
	}
	return Row{}, false
}

// Leads tells whether the row has an edge to a state.
func (r Row) Leads(to string) bool { return slices.Contains(r.Next, to) }

func names[S ~string](states []S) []string {
	list := make([]string, len(states))
	for i, state := range states {
		list[i] = string(state)
	}
	return list
}

func name(state any) string {
	switch s := state.(type) {
	case State:
		return string(s)
	case TicketState:
		return string(s)
	case PayoutState:
		return string(s)
	case AidState:
		return string(s)
	}
	return ""
}
