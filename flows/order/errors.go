package order

import "errors"

// What a call to the node or to Ticketbooth can come to. chain maps the messages of both APIs to these; a call's
// error wraps exactly one of them.
var (
	// ErrUnreachable: the request certainly did not reach the server. Nothing happened; try later.
	ErrUnreachable = errors.New("node not reachable")
	// ErrUnknownOutcome: no answer, a 5xx, or an answer that cannot be understood. It may or may not have happened.
	ErrUnknownOutcome = errors.New("outcome unknown")
	// ErrNoPeers: the node has no connection (403). Nothing was broadcast; try later.
	ErrNoPeers = errors.New("node has no peers")
	// ErrSyncing: the node is behind. Nothing was done; try later.
	ErrSyncing = errors.New("node is syncing")
	// ErrPassword: the wallet password is wrong. An operator must mend it; try later.
	ErrPassword = errors.New("wrong wallet password")
	// ErrWallet: wallet or account unknown to the node. An operator must mend it; try later.
	ErrWallet = errors.New("wallet not known to the node")
	// ErrCoins: not enough spendable coins, in the wallet's words.
	ErrCoins = errors.New("not enough spendable coins")
	// ErrOutpoints: none of the named coins is spendable at that address.
	ErrOutpoints = errors.New("coin not spendable")
	// ErrInputsReserved: an earlier build reserved the coin in the node's memory.
	ErrInputsReserved = errors.New("coin reserved by an earlier build")
	// ErrSaleClosed: no sale is open (409).
	ErrSaleClosed = errors.New("sale closed")
	// ErrSeatTaken: the seat is not for sale (400).
	ErrSeatTaken = errors.New("seat taken")
	// ErrSeatUnknown: the contract has no such seat (400).
	ErrSeatUnknown = errors.New("seat unknown")
	// ErrNameNeeded: the contract asks for a name (400).
	ErrNameNeeded = errors.New("name needed")
	// ErrReleaseOver: the refund window is over (409).
	ErrReleaseOver = errors.New("refund window over")
	// ErrNotOwner: the sender does not own the ticket (400).
	ErrNotOwner = errors.New("ticket not owned by sender")
	// ErrNoContract: no contract at that address (404).
	ErrNoContract = errors.New("no contract")
	// ErrRefused: any other 4xx; the request itself is wrong, or send-transaction said no, which says nothing.
	ErrRefused = errors.New("refused by the node")
	// ErrNotMined: there is no receipt (yet).
	ErrNotMined = errors.New("not mined")
)

// What stores and locks can come to.
var (
	ErrNotFound   = errors.New("not found")
	ErrConflict   = errors.New("changed by somebody else")
	ErrNewFormat  = errors.New("stored by a newer version")
	ErrSeatHeld   = errors.New("seat held by another customer")
	ErrClaimed    = errors.New("address belongs to another order")
	ErrBusy       = errors.New("being worked on")
	ErrTooMany    = errors.New("too many at once")
	ErrNotAllowed = errors.New("not possible now")
)

// What handing over a ticket can come to.
var (
	ErrNoCourier = errors.New("no courier logged in")
	ErrNoChat    = errors.New("no secret chat")
)

// What showing something in the bot chat can come to.
var (
	ErrBlocked = errors.New("bot blocked by the customer")
	ErrGone    = errors.New("message gone")
)
