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
	Token           string // of the bot; a random one by default
	Listen          string // of MTProto; 127.0.0.1:0 by default
	NoLimits        bool   // leaves out the Bot API's flood control
	DailyChats      int    // secret chats that an account may ask for in a day; 30 by default

	Clock func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
}

// Telegram is a running local Telegram.
type Telegram struct {
	*simulator.Telegram
	mtproto *mtproto.Server
	token   string
}

const (
	courierID = 500_000_001
	botID     = 4_839_201
	apiID     = 94_575
)

// Start starts everything; it ends with ctx or Close.
func Start(ctx context.Context, o Options) (*Telegram, error) {
	o.setDefaults()
	account, token, err := o.secrets()
	if err != nil {
		return nil, err
	}
	server, err := mtproto.Start(ctx, mtproto.Options{
		Listen: o.Listen, Courier: account, Clock: o.Clock, Rand: o.Rand, DailyChats: o.DailyChats, Log: o.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("starting the local MTProto server: %w", err)
	}
	api, err := simulator.New(ctx, simulator.Options{
		Token: token, BotUsername: o.BotUsername, BotName: o.BotName,
		CourierUsername: o.CourierUsername, CourierID: courierID, CourierName: o.CourierName,
		Limits: !o.NoLimits, Phones: phones{server}, Mail: mail{server}, Clock: o.Clock, Log: o.Log,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the local Bot API: %w", err), server.Close())
	}
	return &Telegram{Telegram: api, mtproto: server, token: token}, nil
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

// secrets makes what a program needs to be the bot and the courier.
func (o *Options) secrets() (mtproto.Account, string, error) {
	random := make([]byte, 26+16)
	if _, err := io.ReadFull(o.Rand, random); err != nil {
		return mtproto.Account{}, "", fmt.Errorf("making a token: %w", err)
	}
	code, err := rand.Int(o.Rand, big.NewInt(90_000))
	if err != nil {
		return mtproto.Account{}, "", fmt.Errorf("making a login code: %w", err)
	}
	token := o.Token
	if token == "" {
		token = fmt.Sprintf("%d:%s", botID, base64.RawURLEncoding.EncodeToString(random[:26]))
	}
	return mtproto.Account{
		ID: courierID, Phone: "+88800000001", Code: fmt.Sprint(10_000 + code.Int64()),
		Username: o.CourierUsername, FirstName: o.CourierName, APIID: apiID, APIHash: hex.EncodeToString(random[26:]),
	}, token, nil
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
	return append([]string{
		"USHER_TELEGRAM_TOKEN=" + t.token,
		"USHER_TELEGRAM_URL=" + url,
	}, t.mtproto.Environment()...)
}

// Close ends everything and waits for it.
func (t *Telegram) Close() error {
	return errors.Join(t.Telegram.Close(), t.mtproto.Close())
}
