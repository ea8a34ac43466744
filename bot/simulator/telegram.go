package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// Options say what the local Telegram is made of. Only Token, BotUsername and
// CourierUsername must be given.
type Options struct {
	Token           string // <bot id>:<secret>, as BotFather hands it out
	BotUsername     string // without @
	BotName         string
	CourierUsername string // without @
	CourierID       int64  // the courier's Telegram id, which Phones knows
	CourierName     string
	CourierPhone    string // with the code, what logs in as the courier
	CourierCode     string
	MoreCouriers    []Courier
	FirstUser       int64 // id of the first person; the next ones count up

	Limits bool // flood control as Telegram has it
	Phones Phones
	// Spoil makes the next times calls over MTProto fail; nil without any.
	Spoil    func(method, kind string, times int) error
	Accounts Accounts
	Client   *http.Client     // delivers webhooks
	Clock    func() time.Time // dates and flood control
	Log      *slog.Logger

	AnswerWithin time.Duration // how long a tap waits for its answer; 30 s by default
	RetryAfter   time.Duration // pause before a failed webhook delivery is tried again; 1 s by default, doubling
}

// Telegram is a local Telegram. Its handlers may be used by any number of
// goroutines.
type Telegram struct {
	opts    Options
	bot     wireUser
	began   string // when it began, as the name of this run
	traffic traffic
	faults  faults
	flood   *flood
	hooks   hooks
	closing <-chan struct{} // closed when everybody who waits must go

	mu       sync.Mutex
	wake     chan struct{} // closed and replaced whenever anything changed
	people   map[int64]*person
	chats    map[int64]*chat
	moved    map[int64]int64 // groups that became supergroups
	files    map[string]*file
	queue    queue
	queries  map[string]*query
	settings map[string]string
	last     struct{ user, group, channel, file, query, disturber int64 }
}

var tokenShape = regexp.MustCompile(`^([0-9]{1,15}):[A-Za-z0-9_-]{20,}$`)

// New makes a local Telegram. Webhooks are delivered until ctx ends or Close.
func New(ctx context.Context, o Options) (*Telegram, error) {
	parts := tokenShape.FindStringSubmatch(o.Token)
	if parts == nil {
		return nil, errors.New("simulator: the token must look like <bot id>:<at least 20 letters, digits, _ or ->")
	}
	if o.BotUsername == "" || o.CourierUsername == "" {
		return nil, errors.New("simulator: the bot and the courier need usernames")
	}
	id, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("simulator: reading the bot id of the token: %w", err)
	}
	o = o.withDefaults()
	yes, no := true, false
	t := &Telegram{
		opts: o,
		bot: wireUser{
			ID: id, IsBot: true, FirstName: o.BotName, Username: o.BotUsername,
			CanJoinGroups: &yes, CanReadAll: &no, SupportsInline: &no, HasMainWebApp: &no, CanConnectToBiz: &no,
		},
		began:    strconv.FormatInt(o.Clock().UnixNano(), 36),
		flood:    newFlood(o.Limits, o.Clock),
		wake:     make(chan struct{}),
		people:   make(map[int64]*person),
		chats:    make(map[int64]*chat),
		moved:    make(map[int64]int64),
		files:    make(map[string]*file),
		queries:  make(map[string]*query),
		settings: make(map[string]string),
		queue:    queue{next: 100_000_001},
	}
	t.last.user = o.FirstUser - 1
	t.closing = t.hooks.start(ctx, t)
	if o.Phones != nil {
		o.Phones.OnChange(func(int64) { t.stir() })
	}
	return t, nil
}

func (o Options) withDefaults() Options {
	setDefault(&o.BotName, "Usher")
	setDefault(&o.CourierName, "Usher tickets")
	setDefault(&o.CourierID, 500_000_001)
	setDefault(&o.FirstUser, 700_000_001)
	setDefault(&o.AnswerWithin, 30*time.Second)
	setDefault(&o.RetryAfter, time.Second)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 30 * time.Second}
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Close ends polls, live pages and the delivery of webhooks.
func (t *Telegram) Close() error {
	t.hooks.stop()
	return nil
}

// CourierID is the Telegram id of the courier's account.
func (t *Telegram) CourierID() int64 { return t.opts.CourierID }

// stir wakes everybody who waits for a change.
func (t *Telegram) stir() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stirLocked()
}

func (t *Telegram) stirLocked() {
	close(t.wake)
	t.wake = make(chan struct{})
}

// now is the present in Unix seconds, the unit of every date in the Bot API.
func (t *Telegram) now() int64 { return t.opts.Clock().Unix() }
