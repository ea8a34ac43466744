package flows

import (
	"context"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// SessionFormat is the version of the stored form of a Session that this program writes.
const SessionFormat = 1

// Session is what Usher remembers of a customer between two events.
type Session struct {
	Format   int    `json:"format"`
	Version  uint64 `json:"version"`  // counted up by each save
	Language string `json:"language"` // chosen with /language; empty: the client's
	Screen   string `json:"screen"`   // the conversation that the next text belongs to, e.g. "wallet"
	Message  int    `json:"message"`  // buttons of messages before this one are stale
	Shown    int    `json:"shown"`    // the message that the current screen was edited into; 0: not known
	Draft    Draft  `json:"draft"`
	Chat     bool   `json:"chat"`  // a secret chat was open when we last heard
	Phone    string `json:"phone"` // which steps are shown: "android", "iphone", "mac"
	// Asked: the courier has asked the customer's phone for a secret chat, and there was no answer yet.
	Asked bool `json:"asked,omitempty"`
	// Way is the message beside what was begun that tells when a secret chat is open; 0: none, wayUnknown: not known yet.
	Way int `json:"way,omitempty"`
	// Turned is when the customer was last told that a secret chat was closed because it came too soon.
	Turned time.Time `json:"turned,omitzero"`
	Seen   time.Time `json:"seen"`
	Hall   Hall      `json:"hall"` // what the current screen shows, where that is a hall
	// Answers are those that the customer got in the secret chat.
	Answers Answers `json:"answers"`
	// Redirect is the order that the next text in the secret chat is another refund address for; empty: none was asked for.
	Redirect order.ID `json:"redirect,omitempty"`
	// Exchange is the seat in place of a lost one that a secret chat is opened for first; nil: none.
	Exchange *Exchange `json:"exchange,omitempty"`
	// Tries are what was done to get tickets that did not arrive.
	Tries Tries `json:"tries,omitzero"`
	// Refund is where money goes back to; stored sealed.
	Refund cirrus.Address `json:"-"`
	// Own is where money of the draft's order alone goes back to; empty: to Refund. Stored sealed, and forgotten with
	// the draft.
	Own cirrus.Address `json:"-"`
	// Names are those that a venue asks for, one a seat of the draft in its order, as far as they were given; stored
	// sealed, and shown nowhere but in the secret chat.
	Names []string `json:"-"`
}

// String keeps what is personal out of logs and errors.
func (Session) String() string { return "session(hidden)" }

// GoString keeps it out of %#v too.
func (Session) GoString() string { return "session(hidden)" }

// Exchange is a seat that a customer wants in place of a lost one.
type Exchange struct {
	Lost string `json:"lost"` // the lost ticket
	Seat string `json:"seat"` // as buttons name seats
}

// Draft is a purchase being made up, before there is an order.
type Draft struct {
	Contract cirrus.Address `json:"contract"`
	Show     cirrus.TxID    `json:"show"`
	Seats    []cirrus.Seat  `json:"seats"`
	List     bool           `json:"list,omitempty"` // the hall is read as a list, without a picture
}

// Hall is the hall of a show on a customer's screen.
type Hall struct {
	Show  cirrus.TxID   `json:"show,omitempty"` // empty: the current screen is no hall
	List  bool          `json:"list,omitempty"` // it is read as a list
	Seats string        `json:"seats"`          // digest of the seats as they were shown last
	At    time.Time     `json:"at"`             // when that was
	Lost  string        `json:"lost,omitempty"` // the lost ticket that a seat is chosen in place of; empty: none
	Gone  []cirrus.Seat `json:"gone,omitempty"` // chosen ones that went to others since the customer's last tap
}

// Lookers remembers who has a hall on the screen, so that it can follow what others take and give back. It is an
// index: whether a customer still looks, and at what, says the session.
type Lookers interface {
	// Look notes that the customer looks at a hall now. Of more than MaxLookers those who looked last are kept, and
	// nobody who looked LookFor ago or longer.
	Look(ctx context.Context, customer int64, now time.Time) error
	// Looking lists who looked after since, who looked last first; it may forget the others.
	Looking(ctx context.Context, since time.Time) ([]int64, error)
	// Leave forgets that the customer looks at a hall.
	Leave(ctx context.Context, customer int64) error
}

// LookFor is how long after the customer's last tap a hall is kept up to date.
const LookFor = 10 * time.Minute

// MaxLookers is how many customers' halls are kept up to date at one time.
const MaxLookers = 500

// Sessions keeps what is remembered of customers, and makes each update count once.
type Sessions interface {
	// Begin takes the customer's turn and reads the session, in one step. fresh is false where the update was handled
	// before. An update id of 0 is always fresh. Errors: order.ErrBusy while somebody else handles this customer.
	Begin(ctx context.Context, customer, update int64) (s Session, fresh bool, err error)
	// End writes the session, notes the update as handled and gives the turn back, in one step.
	// Errors: order.ErrConflict where the turn was lost.
	End(ctx context.Context, customer, update int64, s Session) error
	// Release gives the turn back without a trace: the update will be handled again.
	Release(ctx context.Context, customer int64) error
	// Peek reads the session without taking a turn.
	Peek(ctx context.Context, customer int64) (Session, error)
	// Erase deletes the session.
	Erase(ctx context.Context, customer int64) error
}

// Courier is the Telegram account that hands over tickets in secret chats.
type Courier interface {
	// Contact is how this customer finds their courier, of several accounts always the same one as long as it lives; the
	// customer 0 only asks whether there is any. Errors: order.ErrNoCourier.
	Contact(ctx context.Context, customer int64) (Contact, error)
	// Invite lets this customer start a secret chat from now on.
	Invite(ctx context.Context, customer int64) error
	// Chat tells whether a secret chat with this customer is open.
	Chat(ctx context.Context, customer int64) (ChatState, error)
	// Deliver hands over a parcel; calling it again with the same id only tells how far it got.
	// Errors: order.ErrNoCourier, order.ErrNoChat.
	Deliver(ctx context.Context, customer int64, p Parcel) (order.DeliveryState, error)
	// Say writes a text, once for each key. Errors: order.ErrNoCourier, order.ErrNoChat.
	Say(ctx context.Context, customer int64, key, text string) error
}

// Contact is how a customer finds the courier.
type Contact struct {
	Username string // without @
	Name     string
}

// Link lets the courier start a customer's secret chat: the customer writes Code to the courier, which is what URL does,
// and the courier then asks their phone.
type Link struct {
	URL   string    // https://t.me/<courier>?text=<code>
	Code  string    // works once, for this customer only
	Until time.Time // it expires
}

// Why is why a secret chat is over, or why the courier could not start one.
type Why string

// Why a secret chat is over: the first four; why the courier could not start one: all of them.
const (
	WhyPeer    Why = "peer"    // the customer closed, deleted or declined it, or logged that phone out
	WhyBlocked Why = "blocked" // the customer has blocked the courier's account
	WhyAccount Why = "account" // the courier's account is gone: another one takes its place, or none
	WhyFault   Why = "fault"   // it broke; a new one helps
	WhyBudget  Why = "budget"  // the account has started as many chats as it may today
	WhyFlood   Why = "flood"   // Telegram lets the account start no chats for now
	WhyPrivacy Why = "privacy" // the customer's privacy settings forbid it
	WhySilence Why = "silence" // the customer's phone has not answered in time
)

// CourierNews is how a courier's account stands, for the operator.
type CourierNews struct {
	Account Contact
	Health  string // one of the Courier constants
	Reason  string // in words; empty while all is well
	// Until is when a limit is over; zero where that is not known.
	Until time.Time
	// Customers is how many had a secret chat with it.
	Customers int
}

// ChatState says whether a ticket can be handed over.
type ChatState string

// The states of a secret chat.
const (
	ChatNone    ChatState = "none"
	ChatPending ChatState = "pending"
	ChatOpen    ChatState = "open"
)

// Parcel is a ticket for the secret chat: the warning first, then the picture.
type Parcel struct {
	ID       string
	Repeated string // a sentence put in front where the same ticket was sent before
	Again    string // put in front where the courier finds that this very parcel went into an earlier chat
	Warning  string
	Caption  string
	Picture  []byte // PNG
}

// String keeps a ticket out of logs and errors.
func (Parcel) String() string { return "parcel(hidden)" }

// Messenger shows screens in the bot chat outside of a reply.
type Messenger interface {
	// Show sends a screen, or edits out.Edit, and gives the message id. Errors: order.ErrBlocked; order.ErrGone where
	// the message to edit is not there any more.
	Show(ctx context.Context, out Outgoing) (message int, err error)
}

// Artist draws pictures.
type Artist interface {
	// Ticket draws the picture with the QR of a ticket that holds the secret.
	Ticket(t Digital, f Frame) (png []byte, err error)
	// Payment draws the QR of a payment request or an address.
	Payment(text string) (png []byte, err error)
	// Hall draws the seats of a hall.
	Hall(p HallPlan) (png []byte, err error)
	// Check holds a ticket against the contract. Errors say what differs, never a secret.
	Check(t Digital, onChain cirrus.Ticket) error
}

// Digital is what a QR holds.
type Digital struct {
	Seat   cirrus.Seat
	Secret order.Secret
}

// Frame is what is written around a QR.
type Frame struct {
	Show, Venue, Seat, Time, Warning string
}

// Desk is what the conversations ask of orders; order.Engine implements it.
type Desk interface {
	// Open holds the seats, claims an address and saves the order. Errors: order.ErrSeatHeld, order.ErrSeatTaken,
	// order.ErrSaleClosed, order.ErrNotAllowed.
	Open(ctx context.Context, n order.New) (order.Order, error)
	// OpenEach is Open with an order of its own for each seat: all or none.
	OpenEach(ctx context.Context, n order.New) ([]order.Order, error)
	// Load reads an order of this customer. Errors: order.ErrNotFound, for somebody else's order too.
	Load(ctx context.Context, customer int64, id order.ID) (order.Order, error)
	// List gives the customer's orders, the newest first.
	List(ctx context.Context, customer int64) ([]order.Order, error)
	// Do asks something of an order: cancel it, give a ticket back, undo, send again. Errors: order.ErrNotFound,
	// order.ErrNotAllowed where its state doesn't take that now, order.ErrReleaseOver.
	Do(ctx context.Context, customer int64, id order.ID, ask order.Ask) (order.Order, error)
}
