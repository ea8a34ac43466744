package order

import (
	"context"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// Store keeps orders. Save also keeps the indexes that others use to find an order: its addresses, its unmined
// transactions (Watching) and when it is next due (Next).
type Store interface {
	// Load reads an order, private part opened. Errors: ErrNotFound, ErrNewFormat.
	Load(ctx context.Context, id ID) (Order, error)
	// Save writes o if nobody else wrote since it was loaded, and counts o.Version up; a new order has Version 0.
	// It is durable when it returns. Errors: ErrConflict.
	Save(ctx context.Context, o *Order) error
	// Of lists the orders of a customer, the newest first.
	Of(ctx context.Context, customer int64) ([]ID, error)
	// Due lists at most limit orders whose Next is not after now.
	Due(ctx context.Context, now time.Time, limit int) ([]ID, error)
}

// Heights finds orders by the block that they wait for. Like Due it may name an order too often, never too seldom.
type Heights interface {
	// DueAt lists at most limit orders whose NextHeight is set and not above height, the lowest first.
	DueAt(ctx context.Context, height uint64, limit int) ([]ID, error)
}

// Locks keeps two workers from running the same order. It saves work; correctness rests on Save and on the rule that
// each call names one coin.
type Locks interface {
	// Lock waits shortly for name; release must be called. The context returned ends when the lock is lost.
	// Errors: ErrBusy.
	Lock(ctx context.Context, name string) (held context.Context, release func(), err error)
}

// Holds keeps one seat for one order. No expiry of the store decides: until is compared with the now that is given.
type Holds interface {
	// Hold takes the seat, or takes it again, where it is free, already this order's, or held until before now.
	// Errors: ErrSeatHeld.
	Hold(ctx context.Context, show cirrus.TxID, seat cirrus.Seat, h Hold, now time.Time) error
	// Free gives the seat up if this order holds it.
	Free(ctx context.Context, show cirrus.TxID, seat cirrus.Seat, id ID) error
	// Held lists what is held of a show, lapsed holds included.
	Held(ctx context.Context, show cirrus.TxID) (map[cirrus.Seat]Hold, error)
}

// Hold says who holds a seat until when.
type Hold struct {
	Order    ID        `json:"order"`
	Customer int64     `json:"customer"`
	Until    time.Time `json:"until"`
}

// Addresses remembers for ever which address belongs to which order.
type Addresses interface {
	// Claim gives the address to the order, once and for ever. Claiming it again for the same order is no error.
	// Errors: ErrClaimed.
	Claim(ctx context.Context, address cirrus.Address, id ID) error
	// Owner finds the order that an address belongs to. Errors: ErrNotFound.
	Owner(ctx context.Context, address cirrus.Address) (ID, error)
}

// Nobody is the order of addresses that must never be given to one: whether somebody was shown them is not known any more.
const Nobody ID = "nobody"

// View is what the watcher wrote down of the chain; reading it makes no node call.
type View interface {
	// Tip is the newest block seen. Errors: ErrNotFound before the first.
	Tip(ctx context.Context) (Tip, error)
	// Coins lists the spendable coins at these addresses, mempool ones included, as of the last look.
	Coins(ctx context.Context, addresses ...cirrus.Address) ([]cirrus.Coin, error)
	// Sale is what a contract sells now. Errors: ErrNotFound.
	Sale(ctx context.Context, contract cirrus.Address) (Sale, error)
	// Sales lists all contracts that the watcher follows.
	Sales(ctx context.Context) ([]Sale, error)
}

// Tip is the newest block and what the node said of itself then.
type Tip struct {
	Height  uint64    `json:"height"`
	Hash    string    `json:"hash"`
	Time    time.Time `json:"time"`    // of the block
	Seen    time.Time `json:"seen"`    // when we saw it
	Healthy bool      `json:"healthy"` // synced and with peers: selling is possible
	Why     string    `json:"why"`     // where not healthy: for the operator
	Network string    `json:"network"`
	Forks   uint64    `json:"forks"` // how often blocks were undone, so far
	Fork    uint64    `json:"fork"`  // blocks above this height were undone at least once, of late; the deepest such
	// Older is how often the store came back with older records, or may have, so far. The store knows it, not the watcher.
	Older uint64 `json:"-"`
	// Stale tells that the coins were not looked at since Older was last counted.
	Stale bool `json:"-"`
}

// Sale is a venue and what it sells now.
type Sale struct {
	Contract cirrus.Address `json:"contract"`
	Venue    string         `json:"venue"` // a stranger's text
	Show     *cirrus.Show   `json:"show"`  // nil: nothing on sale, and nothing after the end of a sale either
	Terms    cirrus.Terms   `json:"terms"`
	Seats    []SeatOnSale   `json:"seats"` // in the contract's order
	Height   uint64         `json:"height"`
}

// Open tells whether a call mined in the block after height can still buy.
func (s Sale) Open(height uint64) bool { return s.Show != nil && height+1 < s.Show.EndOfSale }

// SeatOnSale is a seat as the contract shows it.
type SeatOnSale struct {
	Seat   cirrus.Seat    `json:"seat"`
	Price  uint64         `json:"price"` // strats; may not fit Strats: not sellable
	Owner  cirrus.Address `json:"owner"` // empty: free
	Secret []byte         `json:"secret,omitempty"`
	Name   []byte         `json:"name,omitempty"`
	Resold bool           `json:"resold"` // sold before in this sale: the known door scanner gives no answer for it
}

// Board is what the watcher writes on. Each method gives the orders that something happened to.
type Board interface {
	PostTip(ctx context.Context, tip Tip) error
	// PostCoins replaces what is known of all our coins.
	PostCoins(ctx context.Context, coins []cirrus.Coin) ([]ID, error)
	PostSale(ctx context.Context, sale Sale) error
	// Watched finds the orders that wait for these transactions.
	Watched(ctx context.Context, txs []cirrus.TxID) (map[cirrus.TxID]ID, error)
	// Unmined lists the transactions that orders wait for.
	Unmined(ctx context.Context) (map[cirrus.TxID]ID, error)
}

// Booth is Ticketbooth's side of a contract: the two calls that move tickets.
type Booth interface {
	// Reserve broadcasts a purchase. The secret exists only in its answer, unless the Booth is a Deriver.
	Reserve(ctx context.Context, call BoothCall) (Reservation, error)
	// Release broadcasts a giving back.
	Release(ctx context.Context, call BoothCall) (cirrus.TxID, error)
	// Tickets reads the contract.
	Tickets(ctx context.Context, contract cirrus.Address) ([]cirrus.Ticket, error)
}

// Deriver is a Booth whose secrets can be had without an answer, because they follow from the call itself.
type Deriver interface {
	// Derive gives the secret that Reserve stores for this call, in each form that it may have on chain, the likeliest
	// first. It makes no call.
	Derive(call BoothCall) ([]Secret, error)
}

// BoothCall is a contract call from one address, with exactly one coin.
type BoothCall struct {
	Contract cirrus.Address
	Account  cirrus.Account
	Sender   cirrus.Address
	Coin     cirrus.Outpoint
	Seat     cirrus.Seat
	Price    cirrus.Strats // Reserve: the price as pinned, on top of which the coin has the gas
	GasPrice uint64        // strats for one gas
	GasLimit uint64        // gas; Ticketbooth itself always asks for the node's limit
	Name     string        // Reserve with an identity policy only; secret
}

// Reservation is the answer to Reserve.
type Reservation struct {
	TxID   cirrus.TxID
	Secret Secret // TxID set
}

// Ledger answers what became of calls and coins.
type Ledger interface {
	// Receipt of a contract call. Errors: ErrNotMined.
	Receipt(ctx context.Context, tx cirrus.TxID) (Receipt, error)
	// Unspent tells whether an output exists and is unspent, as the mempool sees it or as the chain alone does.
	Unspent(ctx context.Context, coin cirrus.Outpoint, mempool bool) (bool, error)
	// Raw reads a transaction's hex from the mempool. Errors: ErrNotFound.
	Raw(ctx context.Context, tx cirrus.TxID) (string, error)
	// Calls lists the contract calls of an address, unmined ones included.
	Calls(ctx context.Context, account cirrus.Account, sender cirrus.Address) ([]PastCall, error)
	// Forget removes unmined transactions from the wallet, so that their coins are spendable again.
	Forget(ctx context.Context, account cirrus.Account, txs ...cirrus.TxID) error
}

// Past tells what came to and went from an address, however long ago.
type Past interface {
	// Movements lists what an address of ours received and sent, unmined ones included.
	Movements(ctx context.Context, account cirrus.Account, address cirrus.Address) ([]Movement, error)
}

// The kinds of Movement. A node of 2020 calls a contract call MovedOut too.
const (
	MovedIn  = "received"
	MovedOut = "send"
)

// Movement is one entry of the history of an address.
type Movement struct {
	Kind    string // MovedIn, MovedOut, or another for a contract call
	TxID    cirrus.TxID
	Index   uint32        // of the output, where it came in
	Amount  cirrus.Strats // what came in, or all that was sent, the network fee with it, change aside
	Fee     cirrus.Strats // network fee of what was sent
	Block   uint64        // 0: not mined
	Outputs []Output      // of what was sent
}

// Receipt is the outcome of a mined contract call.
type Receipt struct {
	TxID    cirrus.TxID
	Block   uint64 // height; looked up by block hash where the node leaves it out
	Success bool
	GasUsed uint64
	Error   string // first line
}

// PastCall is a contract call found in the history of an address.
type PastCall struct {
	TxID cirrus.TxID
	To   cirrus.Address
	// Block is nil while it is not mined.
	Block *uint64
}

// Purse is the wallet: addresses and plain payments.
type Purse interface {
	// Candidates gives at least n addresses of the account that saw no payment; repeated calls may give the same.
	Candidates(ctx context.Context, account cirrus.Account, n int) ([]cirrus.Address, error)
	// Build makes and signs a transaction that spends exactly these coins; nothing is broadcast.
	Build(ctx context.Context, p Payment) (BuiltTx, error)
	// Send broadcasts. A refusal says nothing about what happened: look at the outputs.
	Send(ctx context.Context, hex string) error
	// IsContract tells whether an address is a contract, which a plain payment cannot pay.
	IsContract(ctx context.Context, address cirrus.Address) (bool, error)
}

// Float is the operator's own money, which makes good what Usher lost. What it gives to an order is never given to
// another: an address of it belongs to the first order that claims it, with all that ever lies there.
type Float interface {
	// Coins lists the float's coins that lie at no address which another order has claimed.
	Coins(ctx context.Context, id ID) ([]cirrus.Coin, error)
	// Claim gives an address of the float to the order. Claiming it again for the same order is no error.
	// Errors: ErrClaimed.
	Claim(ctx context.Context, address cirrus.Address, id ID) error
	// Free gives up an address that the order claimed and never used.
	Free(ctx context.Context, address cirrus.Address, id ID) error
}

// FloatClaims remembers which address of the float which order has.
type FloatClaims interface {
	// ClaimFloat gives an address of the float to the order. Claiming it again for the same order is no error.
	// Errors: ErrClaimed.
	ClaimFloat(ctx context.Context, address cirrus.Address, id ID) error
	// FreeFloat gives up an address that the order claimed; one of another order stays that order's.
	FreeFloat(ctx context.Context, address cirrus.Address, id ID) error
	// FloatClaims lists all that is claimed.
	FloatClaims(ctx context.Context) (map[cirrus.Address]ID, error)
}

// Payment is a transaction without change: the outputs and the fee sum up to the coins.
type Payment struct {
	Account cirrus.Account
	Coins   []cirrus.Outpoint
	Outputs []Output
	Fee     cirrus.Strats
}

// Output is one recipient of a payment.
type Output struct {
	Address cirrus.Address
	Amount  cirrus.Strats
}

// BuiltTx is a signed transaction, not yet broadcast.
type BuiltTx struct {
	TxID cirrus.TxID
	Hex  string
}

// Jobs runs orders soon. Correctness never depends on it: Due finds what was forgotten.
type Jobs interface {
	// Wake runs the order now, or at the given time where that is later. Waking twice for one version runs once.
	Wake(ctx context.Context, id ID, version uint64, at time.Time) error
}

// Teller shows an order's card to its customer and rings where something must ring.
type Teller interface {
	// Tell brings the card up to date and notes in o.Card and in Rung fields what it did; it does not save.
	// It asks to be called again through o.Card.Again.
	Tell(ctx context.Context, o *Order) error
	// Attend tells the operator of a ticket that needs a person.
	Attend(ctx context.Context, o Order, ticket string) error
}

// Deliverer hands a ticket over in the secret chat.
type Deliverer interface {
	// Check holds the secret against what the contract stored. It is called before a ticket counts as owned.
	Check(o Order, ticket string, secret Secret, onChain cirrus.Ticket) error
	// Deliver sends the QR; it may be called again with the same Delivery.Parcel and then only tells how far it got.
	// Errors: ErrNoCourier, ErrNoChat.
	Deliver(ctx context.Context, o Order, ticket string) (Handed, error)
}

// Sites lets faults and crashes in at named call sites, and counts calls there. The usual one just calls.
type Sites interface {
	Do(ctx context.Context, site string, call func(context.Context) error) error
}
