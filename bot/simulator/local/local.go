// Package local starts a whole local Telegram: the Bot API with its control
// API and page, the MTProto server for the courier, and a simulated phone for
// each person.
package local

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/bot/simulator/mtproto"
)

// Options say what is local. All may be left out.
type Options struct {
	BotUsername     string // without @; QuayTicketsBot by default
	BotName         string
	CourierUsername string // without @; QuayTickets by default
	CourierName     string
	Couriers        int // how many there are, 1 by default; further ones have a number behind their names
	// CourierPasswordFile holds the two-step password of all couriers; none by default.
	CourierPasswordFile string
	Token               string // of the bot; a random one by default
	Listen              string // of MTProto; 127.0.0.1:0 by default
	NoLimits            bool   // leaves out the Bot API's flood control
	DailyChats          int    // secret chats that an account may ask for in a day; 30 by default

	Clock func() time.Time
	Rand  io.Reader
	Log   *slog.Logger

	password string
}

// Telegram is a running local Telegram.
type Telegram struct {
	*simulator.Telegram
	mtproto *mtproto.Server
	token   string
	// passwordFile is where the couriers' password is, empty without one.
	passwordFile string
}

const (
	courierID = 500_000_001
	botID     = 4_839_201
	apiID     = 94_575
	// maxCouriers keeps their ids apart from people's.
	maxCouriers = 100
)

// Start starts everything; it ends with ctx or Close.
func Start(ctx context.Context, o Options) (*Telegram, error) {
	o.setDefaults()
	if o.DailyChats < 0 {
		return nil, fmt.Errorf("starting a local Telegram: an account cannot ask for %d chats a day", o.DailyChats)
	}
	if o.Couriers < 1 || o.Couriers > maxCouriers {
		return nil, fmt.Errorf("starting a local Telegram: there can be 1 to %d couriers, not %d", maxCouriers, o.Couriers)
	}
	if err := o.readPassword(); err != nil {
		return nil, err
	}
	first, token, err := o.secrets()
	if err != nil {
		return nil, err
	}
	more, err := o.more()
	if err != nil {
		return nil, err
	}
	server, err := mtproto.Start(ctx, mtproto.Options{
		Listen: o.Listen, Courier: first, More: more, Clock: o.Clock, Rand: o.Rand, DailyChats: o.DailyChats, Log: o.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("starting the local MTProto server: %w", err)
	}
	api, err := simulator.New(ctx, simulator.Options{
		Token: token, BotUsername: o.BotUsername, BotName: o.BotName,
		CourierUsername: first.Username, CourierID: first.ID, CourierName: first.FirstName,
		CourierPhone: first.Phone, CourierCode: first.Code, MoreCouriers: known(more),
		Limits: !o.NoLimits, Phones: phones{server}, Accounts: accounts{server}, Spoil: spoil(server), Clock: o.Clock, Log: o.Log,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the local Bot API: %w", err), server.Close())
	}
	return &Telegram{Telegram: api, mtproto: server, token: token, passwordFile: o.CourierPasswordFile}, nil
}

func (o *Options) setDefaults() {
	for field, value := range map[*string]string{
		&o.BotUsername: "QuayTicketsBot", &o.BotName: "Quay Tickets",
		&o.CourierUsername: "QuayTickets", &o.CourierName: "Quay Tickets courier", &o.Listen: "127.0.0.1:0",
	} {
		if *field == "" {
			*field = value
		}
	}
	if o.Couriers == 0 {
		o.Couriers = 1
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// readPassword reads the couriers' two-step password, if there is to be one.
func (o *Options) readPassword() error {
	if o.CourierPasswordFile == "" {
		return nil
	}
	raw, err := os.ReadFile(o.CourierPasswordFile) // #nosec G304 -- the user names the file
	if err != nil {
		return fmt.Errorf("reading the couriers' password: %w", err)
	}
	if o.password = strings.TrimSpace(string(raw)); o.password == "" {
		return fmt.Errorf("reading the couriers' password: %s is empty", o.CourierPasswordFile)
	}
	return nil
}

// secrets makes what a program needs to be the bot and the courier.
func (o *Options) secrets() (mtproto.Account, string, error) {
	random := make([]byte, 26+16)
	if _, err := io.ReadFull(o.Rand, random); err != nil {
		return mtproto.Account{}, "", fmt.Errorf("making a token: %w", err)
	}
	first, err := o.courier(1)
	if err != nil {
		return mtproto.Account{}, "", err
	}
	first.APIID, first.APIHash = apiID, hex.EncodeToString(random[26:])
	token := o.Token
	if token == "" {
		token = fmt.Sprintf("%d:%s", botID, base64.RawURLEncoding.EncodeToString(random[:26]))
	}
	return first, token, nil
}

// courier makes the n-th courier's account, counted from 1.
func (o *Options) courier(n int) (mtproto.Account, error) {
	code, err := rand.Int(o.Rand, big.NewInt(90_000))
	if err != nil {
		return mtproto.Account{}, fmt.Errorf("making a login code: %w", err)
	}
	a := mtproto.Account{
		ID: courierID + int64(n) - 1, Phone: fmt.Sprintf("+888%08d", n), Code: fmt.Sprint(10_000 + code.Int64()),
		Username: o.CourierUsername, FirstName: o.CourierName, Password: o.password,
	}
	if n > 1 {
		a.Username, a.FirstName = fmt.Sprint(a.Username, n), fmt.Sprint(a.FirstName, " ", n)
	}
	return a, nil
}

// more makes the accounts after the first.
func (o *Options) more() ([]mtproto.Account, error) {
	var out []mtproto.Account
	for n := 2; n <= o.Couriers; n++ {
		a, err := o.courier(n)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// known is what people can know of accounts.
func known(accounts []mtproto.Account) []simulator.Courier {
	var out []simulator.Courier
	for _, a := range accounts {
		out = append(out, simulator.Courier{
			ID: a.ID, Username: a.Username, Name: a.FirstName, Phone: a.Phone, Code: a.Code,
		})
	}
	return out
}

// Handler serves the Bot API and the control API.
func (t *Telegram) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/telegram/", t.Control())
	mux.Handle("/", t.BotAPI())
	return mux
}

// Environment is what Usher needs to know, as NAME=value lines; url is where
// Handler is served.
func (t *Telegram) Environment(url string) []string {
	lines := append([]string{
		"USHER_TELEGRAM_TOKEN=" + t.token,
		"USHER_TELEGRAM_URL=" + url,
	}, t.mtproto.Environment()...)
	if t.passwordFile != "" {
		lines = append(lines, "USHER_COURIER_PASSWORD_FILE="+t.passwordFile)
	}
	return lines
}

// Close ends everything and waits for it.
func (t *Telegram) Close() error {
	return errors.Join(t.Telegram.Close(), t.mtproto.Close())
}
