package mtproto

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"time"
)

// Options of Start.
type Options struct {
	// Listen is the TCP address to listen on; "127.0.0.1:0" when empty.
	Listen string
	// Courier is the account that logs in over the network, More are further
	// ones. The application that may log in is the first one's.
	Courier Account
	More    []Account
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
	// Rand is the source of randomness; crypto/rand when nil. It must allow
	// simultaneous use.
	Rand io.Reader
	// DailyChats is how many secret chats an account may ask for within 24
	// hours; 30 when zero.
	DailyChats int
	// Log receives what the server does, never message contents; none when
	// nil.
	Log *slog.Logger
}

// Account is a Telegram user account that can log in.
type Account struct {
	// ID is its Telegram user id.
	ID int64
	// Phone is its number in digits, with or without "+".
	Phone string
	// Code is the code that the login accepts.
	Code string
	// Password is its two-step password; none when empty.
	Password string
	// Username is its public name without "@".
	Username string
	// FirstName is the name that others see.
	FirstName string
	// APIID and APIHash identify the application that may log in; any
	// application when APIID is zero.
	APIID   int
	APIHash string
}

// LogValue keeps the code, the password and the application's hash out of logs.
func (a Account) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("id", a.ID), slog.String("username", a.Username))
}

// ErrOptions is wrapped by Start when the options make no sense.
var ErrOptions = errors.New("bad options of the local Telegram")

// couriers are all accounts that log in over the network.
func (o *Options) couriers() []Account { return append([]Account{o.Courier}, o.More...) }

func (o *Options) setDefaults() error {
	seen := map[string]bool{}
	for _, a := range o.couriers() {
		if a.ID <= 0 || digits(a.Phone) == "" || a.Code == "" {
			return errors.Join(ErrOptions, errors.New("a courier's account needs an id, a phone and a code"))
		}
		if id := strconv.FormatInt(a.ID, 10); seen[id] || seen["+"+digits(a.Phone)] {
			return errors.Join(ErrOptions, errors.New("two couriers have the same id or phone"))
		}
		seen[strconv.FormatInt(a.ID, 10)], seen["+"+digits(a.Phone)] = true, true
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.DailyChats == 0 {
		o.DailyChats = 30
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}
