package flows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/bug"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/flows/words"
)

// Deps is what the conversations need. All fields but those that say otherwise are required.
type Deps struct {
	Sessions  Sessions
	Courier   Courier
	Desk      Desk
	View      order.View
	Holds     order.Holds
	Messenger Messenger
	Artist    Artist
	Clock     func() time.Time
	// Wait waits, or ends early with ctx; nil: a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Wake runs the customer's orders that wait for a secret chat. May be nil.
	Wake func(ctx context.Context, customer int64) error
	// Verify gives the key of the customer's open secret chat, to be compared with the phone's. Errors:
	// order.ErrNoCourier, order.ErrNoChat. May be nil: then there is nothing to compare.
	Verify func(ctx context.Context, customer int64) (Key, error)
	// Link lets the courier start this customer's secret chat, in place of an earlier link; nil: the customer starts
	// it. Errors: order.ErrNoCourier; order.ErrNotAllowed while the courier may start no more chats.
	Link func(ctx context.Context, customer int64) (Link, error)
	// Renew ends the customer's secret chats, so that a new one can be made; nil: that is not possible. Errors:
	// order.ErrNoCourier.
	Renew func(ctx context.Context, customer int64) error
	// CardShown notes which message is the living card of an order, where a reply showed it. May be nil: then the
	// card stays where it was, and what the reply showed is a picture of the moment.
	CardShown func(ctx context.Context, id order.ID, message int) error
	// Lookers remembers who looks at a hall, so that it follows by itself. May be nil: then halls stay as they were
	// until the next tap.
	Lookers Lookers
	// Attention lists the orders that need a person. May be nil.
	Attention func(ctx context.Context) ([]order.Order, error)
	// Operate asks something of any order, for the operator. May be nil, and then nothing can be asked.
	Operate func(ctx context.Context, id order.ID, ask order.Ask) (order.Order, error)
	// Pause turns selling off and on for everybody. May be nil.
	Pause func(ctx context.Context, paused bool) error
	// Venue adds or removes a contract to sell from. Errors: order.ErrNoContract. May be nil.
	Venue func(ctx context.Context, contract cirrus.Address, add bool) error
	// Venues lists the contracts that are sold from. May be nil.
	Venues func(ctx context.Context) ([]cirrus.Address, error)
	// OperatorWrote hears that an operator wrote to the bot, who may now be told what they could not be told before. It
	// must not wait. May be nil.
	OperatorWrote func()
	// Status gives lines for the operator. May be nil.
	Status func(ctx context.Context) ([]string, error)
	// WordsWrong hears of a message that could not be said. May be nil.
	WordsWrong func(error)
	Config     Config
}

// Config is what the operator decided.
type Config struct {
	Support     string  // whom customers ask: "@name", an address of a web page, or any text
	BotUsername string  // without @
	Admins      []int64 // Telegram ids
	Network     cirrus.Network
	Gas         order.Gas
	ServiceFee  cirrus.Strats // a seat
	Hold        time.Duration // how long a seat is held unpaid
	SellResold  bool          // RESOLD_SEATS=sell
	Timer       time.Duration // after which a ticket vanishes from the phone once it was looked at; 0: never
	AtOnce      int           // how many halls are shown anew at one time; 0: 8
	// OwnAddress tells whether an address is one of Usher's own.
	OwnAddress func(ctx context.Context, a cirrus.Address) (bool, error)
	// IsContract tells whether an address is a contract, which a plain payment cannot pay.
	IsContract func(ctx context.Context, a cirrus.Address) (bool, error)
	// WindingDown tells whether the operator winds the sales of a contract down; nil: never.
	WindingDown func(ctx context.Context, contract cirrus.Address) (bool, error)
	// SellingOff tells why nothing is sold, as one of the Off codes; any other text is for the operator.
	SellingOff func(ctx context.Context) (reason string, off bool)
}

// Why nothing is sold, as SellingOff gives it; each has words.
const (
	OffPaused  = "paused"  // the operator paused it
	OffCourier = "courier" // nobody could hand over a ticket
	OffNode    = "node"    // the node is not synced or has no peers
	OffStore   = "store"   // what is saved might be lost
	OffFull    = "full"    // MAX_AT_STAKE, or the float is too low
)

// Flows are the conversations. It implements order.Teller and order.Deliverer.
type Flows struct {
	Deps
	words   *words.Words
	banners map[stage]func() ([]byte, error)
	halls   pictures
}

var (
	_ order.Teller    = (*Flows)(nil)
	_ order.Deliverer = (*Flows)(nil)
)

// New makes the conversations. Errors: a word file that cannot be read.
func New(d Deps) (*Flows, error) {
	w, err := words.New()
	if err != nil {
		return nil, fmt.Errorf("flows: %w", err)
	}
	if d.Wait == nil {
		d.Wait = wait
	}
	return &Flows{Deps: d, words: w, banners: banners()}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// turn is one event of one customer, while nobody else handles this customer.
type turn struct {
	voice
	event   Event
	session Session
	now     time.Time
	erase   bool // delete the session once the event counts as handled
	below   bool // the tapped message stays as it is, the answer comes below it
	looks   bool // the event leads to a hall

	// Of news of the customer's secret chat:
	stands ChatState // how it stands, as the news say; empty: the courier is asked
	hint   string    // id of what the screen says first
	ownWay bool      // only the customer can start it, so no link is shown
}

func (t *turn) customer() int64 { return t.event.Actor.ID }

// Handle answers an event. What it does to orders is done before the event counts as handled, so an event that comes
// again after a crash finds its effect and repeats none. Errors: order.ErrBusy while somebody else handles this
// customer; others where something did not answer. After an error the same event may be given again.
func (f *Flows) Handle(ctx context.Context, e Event) (Reply, error) {
	switch e.Kind {
	case Private:
		return f.private(ctx, e)
	case Group, Channel:
		return f.public(e), nil
	case Membership:
		return f.membership(ctx, e)
	}
	return Reply{}, nil
}

func (f *Flows) private(ctx context.Context, e Event) (Reply, error) {
	t, fresh, err := f.begin(ctx, e)
	if errors.Is(err, order.ErrBusy) && bug.Is(bug.DropUpdate) {
		return Reply{}, nil
	}
	if err != nil {
		return Reply{}, err
	}
	if !fresh {
		return Reply{Answer: t.answer("tap.repeated")}, nil
	}
	if bug.Is(bug.AckEarly) {
		if t, err = f.endedEarly(ctx, t); err != nil {
			return Reply{}, err
		}
	}
	reply, err := f.converse(ctx, t)
	if err != nil {
		return Reply{}, errors.Join(err, f.release(ctx, t.customer()))
	}
	if f.OperatorWrote != nil && f.admin(t.customer()) {
		f.OperatorWrote()
	}
	return reply, f.end(ctx, t)
}

func (f *Flows) begin(ctx context.Context, e Event) (*turn, bool, error) {
	session, fresh, err := f.Sessions.Begin(ctx, e.Actor.ID, e.ID)
	if err != nil {
		return nil, false, fmt.Errorf("beginning update %d: %w", e.ID, err)
	}
	t := &turn{event: e, session: session, now: f.Clock(), voice: f.voice(language(session, e))}
	if !fresh {
		return t, false, nil // no turn was taken
	}
	t.session.Format = SessionFormat
	t.session.Seen = t.now
	return t, true, nil
}

// endedEarly is bug.AckEarly.
func (f *Flows) endedEarly(ctx context.Context, t *turn) (*turn, error) {
	if err := f.end(ctx, t); err != nil {
		return nil, err
	}
	again := t.event
	again.ID = 0
	t, _, err := f.begin(ctx, again)
	return t, err
}

func (f *Flows) end(ctx context.Context, t *turn) error {
	if len(t.session.Draft.Seats) == 0 {
		t.session.Names, t.session.Own = nil, "" // these are kept no longer than what they were given for
	}
	if t.looks && f.Lookers != nil {
		if err := f.Lookers.Look(ctx, t.customer(), t.now); err != nil {
			return fmt.Errorf("noting who looks at a hall: %w", err)
		}
	}
	if err := f.Sessions.End(ctx, t.customer(), t.event.ID, t.session); err != nil {
		return fmt.Errorf("ending update %d: %w", t.event.ID, err)
	}
	if !t.erase {
		return nil
	}
	errs := []error{f.Sessions.Erase(ctx, t.customer())}
	if f.Lookers != nil {
		errs = append(errs, f.Lookers.Leave(ctx, t.customer()))
	}
	return wrapped("forgetting a customer", errors.Join(errs...))
}

// release gives the turn back even when ctx has just ended.
func (f *Flows) release(ctx context.Context, customer int64) error {
	const patience = 5 * time.Second
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer done()
	if err := f.Sessions.Release(ctx, customer); err != nil {
		return fmt.Errorf("giving a turn back: %w", err)
	}
	return nil
}

func language(s Session, e Event) string {
	if s.Language != "" {
		return s.Language
	}
	return e.Actor.Language
}

// answer is a message short enough to answer a tap with.
func (t *turn) answer(id string) string { return cut(t.plain(id, nil), answerRoom) }

// answerRoom is how long the answer to a tap may be, in characters.
const answerRoom = 200

func (f *Flows) converse(ctx context.Context, t *turn) (Reply, error) {
	switch e := t.event; {
	case e.Command != "":
		return f.command(ctx, t)
	case e.Action != "":
		return f.tapped(ctx, t)
	case e.Text != "":
		return f.wrote(ctx, t)
	case e.Other != "":
		return f.useless(t), nil
	}
	return Reply{Answer: t.answer("tap.old")}, nil
}

// fresh shows a screen in a new message.
func (f *Flows) fresh(t *turn, s Screen) Reply {
	t.session.Message = max(t.session.Message, t.event.Message)
	t.session.Shown, t.session.Hall = 0, Hall{}
	return Reply{Screens: []Outgoing{{Chat: t.event.Chat, Screen: s}}}
}

// aside says something in a new message, and leaves what was begun as it is: the screen above stays the current one,
// and the next text still belongs to it.
func (f *Flows) aside(t *turn, s Screen) Reply {
	return Reply{Screens: []Outgoing{{Chat: t.event.Chat, Screen: s}}}
}

// inPlace shows a screen in the message that was tapped, or in a new one where nothing was tapped.
func (f *Flows) inPlace(t *turn, s Screen) Reply {
	if t.event.Action == "" || t.below {
		return f.fresh(t, s)
	}
	// This message is the current one now, even where a later one exists: its buttons must not count as old.
	t.session.Message, t.session.Shown, t.session.Hall = t.event.Message, t.event.Message, Hall{}
	return Reply{Screens: []Outgoing{{Chat: t.event.Chat, Edit: t.event.Message, Screen: s}}}
}

// menu is the row that ends a screen without a next step of its own.
func (v voice) menu() [][]Button {
	return [][]Button{{
		v.button("button.shows", nil, act(doShows)),
		v.button("button.tickets", nil, act(doTickets)),
		v.button("button.help", nil, act(doHelp)),
	}}
}

func (f *Flows) admin(customer int64) bool {
	for _, id := range f.Config.Admins {
		if id == customer {
			return true
		}
	}
	return false
}

// supportButton leads to whom customers ask, where that can be tapped.
func (f *Flows) supportButton(v voice) []Button {
	support := f.Config.Support
	switch {
	case strings.HasPrefix(support, "@"):
		return []Button{v.link("button.support", nil, "https://t.me/"+support[1:])}
	case strings.HasPrefix(support, "https://"):
		return []Button{v.link("button.support", nil, support)}
	}
	return nil
}

// support is how a sentence names whom customers ask.
func (f *Flows) support(v voice) string {
	if f.Config.Support == "" {
		return v.plain("support.nobody", nil)
	}
	return f.Config.Support
}
