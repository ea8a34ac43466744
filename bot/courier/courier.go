package courier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/telegram"
	"github.com/usherbot/usher/bot/secretchat"
)

// Errors that callers branch on.
var (
	// ErrNoCourier: no account is logged in, so nothing can be delivered.
	ErrNoCourier = errors.New("no courier is logged in")
	// ErrNoChat: the customer has no open secret chat.
	ErrNoChat = errors.New("no open secret chat with the customer")
	// ErrConfig: a setting cannot be used.
	ErrConfig = errors.New("courier configuration")
)

// Clock is the time as the courier sees it.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// Config is what a Courier needs. Secrets in it are never logged.
type Config struct {
	APIID   int
	APIHash string
	Phone   string
	// Code returns the login code that Telegram has just sent. Without it the
	// courier does not log in by itself.
	Code func(ctx context.Context) (string, error)
	// Password returns the account's two-step password; it is asked for only when
	// the account has one.
	Password func(ctx context.Context) (string, error)
	// Server is "<dc>@<host:port>" of another MTProto server; empty for Telegram's.
	Server string
	// ServerKeyPEM is that server's RSA public key.
	ServerKeyPEM []byte

	// Store is sealed and durable; all names in it belong to the courier. Where several
	// processes share it, it must refuse writes of all but the one whose courier runs.
	Store secretchat.Store
	// Shared is the same records, taking from any process what is left for the one
	// whose courier runs: invitations and the inbox. Store when nil.
	Shared secretchat.Store
	// Common holds what belongs to no account: who is invited, codes, and who is with
	// which account. Any process may write it. Shared when nil.
	Common secretchat.Store

	// Daily is how many chats the account asks for in any 24 hours, at the most; none
	// when 0. Chats that customers start are not counted.
	Daily int
	// Patience is how long a customer's phone has to answer such a request; 24 hours
	// when 0.
	Patience time.Duration

	// Look is how often an account's other sessions are looked at while it runs; never when 0.
	Look time.Duration

	// Timer is after what time a ticket vanishes from the phone once it was looked at, in
	// whole seconds; never when 0. Another time that the customer has set stays.
	Timer time.Duration

	Clock Clock     // the system's when nil
	Rand  io.Reader // crypto/rand when nil
	Log   *slog.Logger
	// Do, when set, is called around every call that has an effect, with the name of
	// its site: courier.login, courier.logout, courier.accept, courier.ask, courier.upload,
	// courier.send_text, courier.send_photo, courier.send_service, courier.discard;
	// and courier.parameters, which only reads.
	Do func(ctx context.Context, site string, call func(ctx context.Context) error) error
}

// LogValue keeps the account's secrets out of logs.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("api_id", c.APIID), slog.String("server", c.Server))
}

// String keeps the account's secrets out of prints.
func (c Config) String() string { return fmt.Sprintf("courier of API id %d at %q", c.APIID, c.Server) }

// Handler is told what happens. Calls may come again after a crash or an error,
// never out of order for one chat. AccountChanged is about the account.
type Handler interface {
	ChatChanged(ctx context.Context, customer int64, news ChatNews) error
	TextReceived(ctx context.Context, customer int64, text string) error
	ParcelState(ctx context.Context, customer int64, parcel string, state ParcelState) error
	AccountChanged(ctx context.Context, news AccountNews) error
}

// ParcelState is how far a delivery is.
type ParcelState string

// The states of a delivery. Sent means that Telegram has it, seen that the phone
// has acknowledged it, failed that it will not arrive under this id.
const (
	ParcelQueued ParcelState = "queued"
	ParcelSent   ParcelState = "sent"
	ParcelSeen   ParcelState = "seen"
	ParcelFailed ParcelState = "failed"
)

// ChatState is whether a customer has a secret chat with the courier.
type ChatState string

// The states of a customer's chat.
const (
	ChatNone    ChatState = "none"
	ChatPending ChatState = "pending"
	ChatOpen    ChatState = "open"
)

// Contact is how customers find the courier.
type Contact struct {
	Username string // without @; may be empty
	Name     string
}

// Courier is one account. Its methods may be called whether or not Run runs: what
// they are given is kept and carried out by the process in which it does.
type Courier struct {
	cfg     Config
	handler Handler
	server  server
	keys    []telegram.PublicKey
	running atomic.Bool
	// leads is true while Run runs and its context has not ended: this process, and
	// no other one, writes into chats.
	leads atomic.Bool
	asks  *asks
	// turned are users whose chats were turned away, for whom nobody waits.
	turned chan int64

	mu     sync.Mutex
	chats  *secretchat.Client
	health Health // as the handler was told; empty: not at all
}

// server is where to connect; the zero value is Telegram.
type server struct {
	dc   int
	host string
	port int
}

// New checks the configuration. It connects to nothing.
func New(cfg Config, handler Handler) (*Courier, error) {
	if cfg.Store == nil || handler == nil {
		return nil, fmt.Errorf("%w: a store and a handler are needed", ErrConfig)
	}
	if cfg.Shared == nil {
		cfg.Shared = cfg.Store
	}
	if cfg.Common == nil {
		cfg.Common = cfg.Shared
	}
	if cfg.Patience == 0 {
		cfg.Patience = defaultPatience
	}
	if cfg.Clock == nil {
		cfg.Clock = systemClock{}
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Do == nil {
		cfg.Do = func(ctx context.Context, _ string, call func(context.Context) error) error { return call(ctx) }
	}
	c := &Courier{cfg: cfg, handler: handler, asks: newAsks(), turned: make(chan int64, maxTurned)}
	var err error
	if c.server, err = parseServer(cfg.Server); err != nil {
		return nil, err
	}
	if c.keys, err = parseKeys(cfg.ServerKeyPEM); err != nil {
		return nil, err
	}
	c.chats = c.newChats(nil)
	return c, nil
}

// newChats makes the secret chats' client; without an API it only reads and keeps.
func (c *Courier) newChats(api secretchat.API) *secretchat.Client {
	return secretchat.New(secretchat.Config{
		API: api, Store: within(c.cfg.Store, chatsPrefix), Handler: guests{c}, Random: c.cfg.Rand,
		Now: c.cfg.Clock.Now, After: c.cfg.Clock.After, Log: c.cfg.Log, Patience: c.cfg.Patience,
		Do: func(ctx context.Context, site string, call func(context.Context) error) error {
			if site == "ask" {
				return c.request(ctx, call)
			}
			return c.cfg.Do(ctx, "courier."+site, call)
		},
	})
}

func (c *Courier) current() *secretchat.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.chats
}

// renewChats puts a new client in the place of the present one, which has written
// its last when the new one comes: two at once would use sequence numbers twice.
func (c *Courier) renewChats(api secretchat.API) *secretchat.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chats.Retire()
	c.chats = c.newChats(api)
	return c.chats
}

func parseServer(text string) (server, error) {
	if text == "" {
		return server{}, nil
	}
	dc, addr, _ := strings.Cut(text, "@")
	id, errID := strconv.Atoi(dc)
	host, port, errAddr := net.SplitHostPort(addr)
	number, errPort := strconv.ParseUint(port, 10, 16)
	if id == 0 || errors.Join(errID, errAddr, errPort) != nil {
		return server{}, fmt.Errorf("%w: server %q is not <dc>@<host:port>", ErrConfig, text)
	}
	return server{dc: id, host: host, port: int(number)}, nil
}

func parseKeys(pem []byte) ([]telegram.PublicKey, error) {
	if len(pem) == 0 {
		return nil, nil
	}
	parsed, err := crypto.ParseRSAPublicKeys(pem)
	if err != nil || len(parsed) == 0 {
		return nil, fmt.Errorf("%w: the server key is no RSA public key in PEM", ErrConfig)
	}
	keys := make([]telegram.PublicKey, len(parsed))
	for i, key := range parsed {
		keys[i] = telegram.PublicKey{RSA: key}
	}
	return keys, nil
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
