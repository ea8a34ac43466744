package order

// State is the state of an order. The names are stored, so they don't change.
type State string

// The states of an order; table.go says what each means.
const (
	AwaitingPayment State = "awaiting_payment"
	PartPaid        State = "part_paid"
	Paying          State = "paying"
	Paid            State = "paid"
	Joining         State = "joining"
	Splitting       State = "splitting"
	Filled          State = "filled"
	Void            State = "void"
	Expired         State = "expired"
	Cancelled       State = "cancelled"
)

// TicketState is the state of a ticket. The names are stored, so they don't change.
type TicketState string

// The states of a ticket; table.go says what each means.
const (
	Held      TicketState = "held"
	Dropped   TicketState = "dropped"
	Reserving TicketState = "reserving"
	Unknown   TicketState = "unknown"
	Reserved  TicketState = "reserved"
	Stray     TicketState = "stray"
	Owned     TicketState = "owned"
	Releasing TicketState = "releasing"
	Lost      TicketState = "lost"
	Exchanged TicketState = "exchanged"
	Released  TicketState = "released"
	Ended     TicketState = "ended"
	Attention TicketState = "attention"
)

// PayoutState is the state of a payout. The names are stored, so they don't change.
type PayoutState string

// The states of a payout; table.go says what each means.
const (
	PayoutDue     PayoutState = "due"
	AddressNeeded PayoutState = "address_needed"
	Built         PayoutState = "built"
	Sent          PayoutState = "sent"
	Done          PayoutState = "done"
	Dust          PayoutState = "dust"
)

// AidState is the state of an aid. The names are stored, so they don't change.
type AidState string

// The states of an aid; table.go says what each means.
const (
	AidWanted  AidState = "wanted"
	AidClaimed AidState = "claimed"
	AidBuilt   AidState = "built"
	AidSent    AidState = "sent"
	AidGiven   AidState = "given"
)

// Reason says why a ticket is lost, stray or in attention. The list is closed: each has words for the customer and
// for the operator.
type Reason string

// The reasons.
const (
	ReasonSeatTaken   Reason = "seat_taken"     // somebody outside of Usher was faster
	ReasonSaleClosed  Reason = "sale_closed"    // the sale ended first
	ReasonShowChanged Reason = "show_changed"   // the contract sells another show now, or at another price
	ReasonCallFailed  Reason = "call_failed"    // the receipt says that the contract refused
	ReasonNoSecret    Reason = "no_secret"      // ours on chain, but the answer with its secret was lost
	ReasonBadSecret   Reason = "bad_secret"     // ours on chain, but no secret of ours fits
	ReasonTooMany     Reason = "too_many_tries" // kept being refused
	ReasonWindowOver  Reason = "window_over"    // the refund window closed before the release was mined
	ReasonMissing     Reason = "money_missing"  // less at the address than must be there
	ReasonUnresolved  Reason = "unresolved"     // the outcome of a call could not be found out
	ReasonAddress     Reason = "address_needed" // the refund address cannot be paid, and no other was given for days
	ReasonWindingDown Reason = "winding_down"   // the operator ended the sale here: nothing is bought any more, what is owned is given back
	ReasonFloat       Reason = "float_empty"    // the operator's float has too little for what is owed
	ReasonUnsupported Reason = "unsupported"    // an edge that an earlier version did not carry out by itself
)
