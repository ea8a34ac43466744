package order

import (
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// Format is the version of the stored form of an Order that this program writes.
const Format = 1

// ID names an order: short, opaque, safe in callback data, file names and Redis keys.
type ID string

// Order is one purchase of one customer with everything that hangs on it. It is stored and saved as a whole, with
// compare-and-set on Version, so a step moves one machine of it and saves once.
type Order struct {
	Format   int            `json:"format"`
	ID       ID             `json:"id"`
	Version  uint64         `json:"version"`           // counted up by each save
	Customer int64          `json:"customer"`          // Telegram id, also that of the private chat
	Language string         `json:"language,omitzero"` // of the customer when the order was made, e.g. "en"
	State    State          `json:"state"`
	Since    time.Time      `json:"since,omitzero"` // of the state
	Show     cirrus.Show    `json:"show"`           // pinned: contract, Show transaction, end of sale
	Terms    cirrus.Terms   `json:"terms"`          // as they were when the order was made; fixed while the sale is open
	Account  cirrus.Account `json:"account,omitzero"`
	Address  cirrus.Address `json:"address"` // where the customer pays
	Created  time.Time      `json:"created,omitzero"`
	ShowFrom time.Time      `json:"showFrom,omitzero"` // the address may be shown from here on
	Hold     time.Time      `json:"hold,omitzero"`     // the seats are held until then
	Extended bool           `json:"extended,omitzero"` // the hold was extended already
	Late     bool           `json:"late,omitzero"`     // its payment came after the hold had ended
	Batch    string         `json:"batch,omitzero"`    // the same for orders made together, each seat paid on its own; may be empty
	Due      cirrus.Strats  `json:"due,omitzero"`      // price, two call budgets a seat, service fee, network fee of a split
	Gas      Gas            `json:"gas"`
	Coins    []cirrus.Coin  `json:"coins,omitzero"` // payments as last seen at Address, before they went to the tickets
	Move     Transfer       `json:"move,omitzero"`  // joins or splits them
	Tickets  []Ticket       `json:"tickets"`
	Payouts  []Payout       `json:"payouts,omitzero"`
	Aids     []Aid          `json:"aids,omitzero"` // what the operator's float gives
	Next     time.Time      `json:"next,omitzero"` // when the next step is due at the latest; zero: nothing to do
	// NextHeight is the block with which the next step is due; zero: none. A deadline in blocks is no time.
	NextHeight uint64 `json:"nextHeight,omitzero"`
	Forks      uint64 `json:"forks,omitzero"` // Tip.Forks when it was last looked through for what undone blocks concern
	// Older is Tip.Older when it was last held against the chain; OlderFrom the tip when that began, while it waits.
	Older     uint64 `json:"older,omitzero"`
	OlderFrom uint64 `json:"olderFrom,omitzero"`
	Card      Card   `json:"card,omitzero"`
	Attempts  int    `json:"attempts,omitzero"` // failed runs in a row, for the wait before the next
	// Private is stored sealed, never in plain text.
	Private Private `json:"-"`
}

// Gas is what a contract call may use and costs. Gas limit x price is the call budget.
type Gas struct {
	Limit uint64 `json:"limit"` // gas
	Price uint64 `json:"price"` // strats for one gas
}

// Budget is what must lie at the sender's address on top of the price of a call.
func (g Gas) Budget() cirrus.Strats { return cirrus.Strats(g.Limit * g.Price) }

// Cost is what so much used gas costs.
func (g Gas) Cost(used uint64) cirrus.Strats { return cirrus.Strats(used * g.Price) }

// Transfer is a plain transaction of ours between addresses of one order: several coins made one, or one payment
// split to the tickets. It is built once, saved, then sent; only it can spend its coins, so their fate is its own.
type Transfer struct {
	Hex   string        `json:"hex,omitzero"`
	TxID  cirrus.TxID   `json:"txId,omitzero"`
	Coins []cirrus.Coin `json:"coins,omitzero"` // the inputs
	Fee   cirrus.Strats `json:"fee,omitzero"`   // network fee
	Back  cirrus.Strats `json:"back,omitzero"`  // of a split: what came on top of what was due, sent to the refund address
	Tries int           `json:"tries,omitzero"`
	Again time.Time     `json:"again,omitzero"`
	Block uint64        `json:"block,omitzero"` // the tip when it was last begun or sent
	Sent  bool          `json:"sent,omitzero"`
	Mined uint64        `json:"mined,omitzero"` // the tip when its inputs were first seen spent in the chain
}

// Private is the part of an order that is stored sealed.
type Private struct {
	Refund cirrus.Address   `json:"refund,omitzero"` // where money goes back to
	Before []cirrus.Address `json:"before,omitzero"` // where it went before the customer gave another address, the oldest first
	// Went is where money that was built before that goes, by the ids of WentTo.
	Went    map[string]cirrus.Address `json:"went,omitzero"`
	Secrets map[string][]Secret       `json:"secrets,omitzero"` // by ticket id: of every answered Reserve, the oldest first
	Names   map[string]string         `json:"names,omitzero"`   // by ticket id, where the contract asks for a name
}

// Secret is what the answer to one Reserve call carried. It exists nowhere else.
type Secret struct {
	TxID      cirrus.TxID `json:"txId"`
	Plaintext string      `json:"plaintext"`
	Key       []byte      `json:"key,omitempty"` // 32 bytes; none in the hashed generation
	IV        []byte      `json:"iv,omitempty"`  // 16 bytes
	NameKey   []byte      `json:"nameKey,omitempty"`
	NameIV    []byte      `json:"nameIV,omitempty"`
}

// String keeps a secret out of logs and errors.
func (Secret) String() string { return "secret(hidden)" }

// GoString keeps it out of %#v too.
func (Secret) GoString() string { return "secret(hidden)" }

// String keeps the private part out of logs and errors.
func (Private) String() string { return "private(hidden)" }

// GoString keeps it out of %#v too.
func (Private) GoString() string { return "private(hidden)" }

// Ticket is one seat of an order, at an address of its own.
type Ticket struct {
	ID       string         `json:"id"` // short, opaque, unique among all tickets
	Seat     cirrus.Seat    `json:"seat"`
	Price    cirrus.Strats  `json:"price"`        // pinned
	Fee      cirrus.Strats  `json:"fee,omitzero"` // service fee, pinned
	State    TicketState    `json:"state"`
	Since    time.Time      `json:"since,omitzero"`
	Account  cirrus.Account `json:"account,omitzero"`
	Address  cirrus.Address `json:"address"`       // buys, owns and gives back the ticket
	Coin     cirrus.Coin    `json:"coin,omitzero"` // the one coin that came for this ticket
	Reserve  Call           `json:"reserve,omitzero"`
	Release  Call           `json:"release,omitzero"`
	Top      Transfer       `json:"top,omitzero"`    // joins what lies at its address, where no coin alone is enough to give back
	Fees     cirrus.Strats  `json:"fees,omitzero"`   // network fees of joining, so far
	Away     cirrus.Strats  `json:"away,omitzero"`   // what left its address other than by a call: excess paid back, network fees
	Undo     time.Time      `json:"undo,omitzero"`   // releasing: the customer may undo until then
	Choice   time.Time      `json:"choice,omitzero"` // lost: another seat may be chosen until then; zero: the money goes back by itself
	Was      string         `json:"was,omitzero"`    // the lost ticket that this one takes the place of; empty: none
	Due      cirrus.Strats  `json:"due,omitzero"`    // of one that takes another's place: what must be paid to its own address
	Seen     cirrus.Strats  `json:"seen,omitzero"`   // of Due: what has come so far, confirmed or not
	Until    time.Time      `json:"until,omitzero"`  // of one that takes another's place: its seat is held until then
	Swap     Transfer       `json:"swap,omitzero"`   // of one that takes another's place: brings the money of the lost one to it
	Stray    bool           `json:"stray,omitzero"`  // its secret is lost for good: all that was paid for it goes back, at the float's cost
	Kept     cirrus.Strats  `json:"kept,omitzero"`   // of a lost one that had been ours on chain: what the contract keeps of its price
	Given    cirrus.Strats  `json:"given,omitzero"`  // what the float gave to its address
	Owned    uint64         `json:"owned,omitzero"`  // height of the block with our good Reserve receipt
	Delivery Delivery       `json:"delivery,omitzero"`
	Reason   Reason         `json:"reason,omitzero"` // why it is lost, stray or in attention
	Before   TicketState    `json:"before,omitzero"` // attention: the state it came from
	Told     bool           `json:"told,omitzero"`   // attention: the operator was told
}

// Call is one contract call of ours, with every attempt counted. It names exactly one coin, so that a repeated call
// cannot pay twice.
type Call struct {
	Attempt int           `json:"attempt,omitzero"` // calls begun
	Refused int           `json:"refused,omitzero"` // of these, refused for a reason that passes
	Coin    cirrus.Coin   `json:"coin,omitzero"`    // the coin that it names
	Begun   time.Time     `json:"begun,omitzero"`   // when the intent was saved
	Height  uint64        `json:"height,omitzero"`  // the tip when the intent was saved
	Calling bool          `json:"calling,omitzero"` // the intent is saved and no answer is
	TxID    cirrus.TxID   `json:"txId,omitzero"`
	Raw     string        `json:"raw,omitzero"`    // hex of the transaction, read from the mempool; empty where not known
	Block   uint64        `json:"block,omitzero"`  // of its receipt; 0 while there is none
	Undone  uint64        `json:"undone,omitzero"` // the tip when the block of its receipt was last undone; 0: it never was
	Success bool          `json:"success,omitzero"`
	GasUsed uint64        `json:"gasUsed,omitzero"`
	Spent   cirrus.Strats `json:"spent,omitzero"` // gas of this call and of failed ones before it
	Lost    cirrus.Strats `json:"lost,omitzero"`  // change too small to be made, swallowed by the call
	Again   time.Time     `json:"again,omitzero"` // refused for a reason that passes: not before
	Past    []cirrus.TxID `json:"past,omitzero"`  // calls of this kind whose receipt was seen
}

// Delivery is where the QR of a ticket is. It is an attribute with retries of its own, not a state.
type Delivery struct {
	State    DeliveryState `json:"state,omitzero"`
	Parcel   string        `json:"parcel,omitzero"` // id of the parcel that the courier was given; a new one for each sending
	Count    int           `json:"count,omitzero"`  // parcels begun; from the second on the picture is marked as repeated
	Attempts int           `json:"attempts,omitzero"`
	Again    time.Time     `json:"again,omitzero"`
	Sent     time.Time     `json:"sent,omitzero"`
	Seen     time.Time     `json:"seen,omitzero"`  // when the phone's acknowledgement was heard of
	Since    time.Time     `json:"since,omitzero"` // since when it has been waiting, where it waits
	Via      string        `json:"via,omitzero"`   // the account that took the parcel, by its name; empty: none did
	Mark     string        `json:"mark,omitzero"`  // of what Ask it is sent again for: not twice for one
	Told     bool          `json:"told,omitzero"`  // the customer knows already that it waits for a secret chat
}

// Handed is what a courier says of a parcel.
type Handed struct {
	State DeliveryState
	Via   string // the account that has the parcel, by its name; empty: not known
}

// DeliveryState says how far a QR got.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryNone    DeliveryState = ""        // there is nothing to deliver yet
	DeliveryWaiting DeliveryState = "waiting" // must be sent
	DeliverySent    DeliveryState = "sent"    // Telegram has it
	DeliverySeen    DeliveryState = "seen"    // the phone acknowledged it
	DeliveryFailed  DeliveryState = "failed"  // it will not arrive as this parcel; a new one is made
)

// Payout is money on its way back to the customer, from one address of ours.
type Payout struct {
	ID      string         `json:"id"`
	Ticket  string         `json:"ticket,omitzero"` // the ticket whose address it empties; none: the order's address
	State   PayoutState    `json:"state"`
	Since   time.Time      `json:"since,omitzero"`
	Why     Why            `json:"why,omitzero"`
	Account cirrus.Account `json:"account,omitzero"`
	From    cirrus.Address `json:"from,omitzero"`
	Expect  cirrus.Strats  `json:"expect,omitzero"` // it waits until so much is there, confirmed
	Block   uint64         `json:"block,omitzero"`  // height of what it waits for, to tell late from missing
	Coins   []cirrus.Coin  `json:"coins,omitzero"`  // the inputs, once built
	Amount  cirrus.Strats  `json:"amount,omitzero"` // what arrives
	Fee     cirrus.Strats  `json:"fee,omitzero"`    // network fee
	Keep    cirrus.Strats  `json:"keep,omitzero"`   // of an excess paid back while the ticket lives: what returns to its own address
	Dust    cirrus.Strats  `json:"dust,omitzero"`   // too small to send
	Hex     string         `json:"hex,omitzero"`
	TxID    cirrus.TxID    `json:"txId,omitzero"`
	Mined   uint64         `json:"mined,omitzero"`  // height of its block, or a little above
	Undone  uint64         `json:"undone,omitzero"` // the tip when a block that it rests on was last undone; 0: none was
	Took    cirrus.Strats  `json:"took,omitzero"`   // of an excess: what building it took off what must lie at the ticket's address
	Tries   int            `json:"tries,omitzero"`
	Again   time.Time      `json:"again,omitzero"`
	Service cirrus.Strats  `json:"service,omitzero"` // service fee that it takes to Config.FeeTo
	Told    bool           `json:"told,omitzero"`    // address_needed: the operator was told
	Rung    bool           `json:"rung,omitzero"`    // the customer was told that it arrived
}

// Why says what a payout is for; the customer reads it in words.
type Why string

// The reasons for a payout.
const (
	WhyReleased  Why = "released"  // the ticket was given back
	WhyLost      Why = "lost"      // the seat could not be bought
	WhyDeposit   Why = "deposit"   // what is left of the deposit
	WhyLate      Why = "late"      // paid after the hold
	WhyCancelled Why = "cancelled" // paid after cancelling
	WhyExtra     Why = "extra"     // came on top of what was due
)

// Card is the living message of an order in the bot chat.
type Card struct {
	Message int       `json:"message,omitzero"` // Telegram message id; 0: not shown yet
	Shown   string    `json:"shown,omitzero"`   // digest of what it shows
	Edited  time.Time `json:"edited,omitzero"`
	Rung    []string  `json:"rung,omitzero"` // what was already said in a new message, by key
	Again   time.Time `json:"again,omitzero"`
	Blocked bool      `json:"blocked,omitzero"` // the customer blocked the bot: nothing is shown until they come back
	// Left are the messages that were the card before, and do not say yet that it stands elsewhere.
	Left []int `json:"left,omitzero"`
}
