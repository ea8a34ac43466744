// Package bot connects Usher to the Telegram Bot API: it takes updates in, turns each into a flows.Event, and renders
// what the conversations answer. It decides nothing.
//
// An update is confirmed to Telegram only after its effect was saved, so one that was under way when the program died
// comes again, with the same id. Updates of one customer are handled one after another, those of different customers
// at the same time. What goes out keeps to Telegram's limits.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// Handler is the conversations.
type Handler interface {
	// Handle answers an event. When it returns nil, what the event leads to is saved. After an error the same event is
	// given again. Errors: order.ErrBusy while somebody else handles this customer.
	Handle(ctx context.Context, e flows.Event) (flows.Reply, error)
	// CardShown notes which message is the living card of an order now.
	CardShown(ctx context.Context, card string, message int) error
}

// Client makes HTTP requests; an http.Client is one.
type Client interface {
	Do(*http.Request) (*http.Response, error)
}

// Config is what a Bot needs. Token and Handler must be given.
type Config struct {
	Token    string // secret
	URL      string // of the Bot API server; empty: Telegram's own
	Client   Client // nil: an http.Client of its own
	Handler  Handler
	Limiter  Limiter // nil: a Pacer of its own
	Sites    order.Sites
	Log      *slog.Logger
	Clock    func() time.Time
	Wait     func(ctx context.Context, d time.Duration) error // waits, or ends early with ctx; nil: a timer
	Webhook  Webhook
	Commands []Menu // what Telegram offers when a customer types a slash
	// Sorry is what a customer hears, in the language of their client, when an event was given up. nil: English.
	Sorry func(language string) string
	Rules Rules
}

// Menu is the commands in one language; an empty Language is for all languages that have no menu of their own.
type Menu struct {
	Language string // ISO 639-1
	Commands []Command
}

// Command is one line of a Menu.
type Command struct {
	Name        string // without slash
	Description string
}

// Rules bound the work. Zero values mean the defaults.
type Rules struct {
	Workers      int           // events handled at the same time; 64
	Tries        int           // how often a failing event is given to the handler; 5
	BusyTries    int           // the same while the customer is busy; 60
	Pause        time.Duration // before the second try, doubled for each further one; 200 ms
	Most         time.Duration // the longest pause between tries, or between polls that fail; 10 s
	HandleWithin time.Duration // one try of the handler; 30 s
	CallWithin   time.Duration // one call of the Bot API; 20 s
	ReplyWithin  time.Duration // a message of a reply, waiting for limits included; 2 min
	ShowWithin   time.Duration // a call of Show; 1 min
	Poll         time.Duration // how long Telegram holds a poll with nothing to tell, whole seconds; 50 s
	Look         time.Duration // pause between polls while updates are under way; 100 ms

	DeliverWithin time.Duration // Telegram waits so long for the end of a delivery by webhook; 25 s
	ReadWithin    time.Duration // a delivery must be read, and its answer be written, in this time; 10 s
	TakeWithin    time.Duration // Receive must take up a delivery in this time; 1 s
	Deliveries    int           // an update that fails is given up after so many deliveries; 30
	Check         time.Duration // how often KeepWebhook looks whether the webhook is still there; 1 min

	Grace time.Duration // what is under way may take so long after Run was told to end; 5 s
}

// Bot is a Telegram bot. It implements flows.Messenger.
type Bot struct {
	cfg      Config
	rules    Rules
	log      *slog.Logger
	client   *wire
	api      *bot.Bot
	username string
	limiter  Limiter
	turns    turns
	shown    memory[place, string]  // names of the pictures that messages show
	files    memory[string, string] // Telegram's file ids of pictures, by name
	window   *window
	flights  flights
	inbox    chan update   // from deliveries to Receive
	working  chan struct{} // one token for each event that is being handled
	updates  *lanes[update]
	replies  *lanes[parcel]
}

var _ flows.Messenger = (*Bot)(nil)

// New makes a bot and asks Telegram who it is. Nothing runs before Run; Show works at once. No error holds the token.
func New(ctx context.Context, cfg Config) (*Bot, error) {
	if strings.TrimSpace(cfg.Token) == "" || cfg.Handler == nil {
		return nil, errors.New("a bot needs a token and a handler")
	}
	b := newBot(cfg.withDefaults())
	if err := b.connect(); err != nil {
		return nil, err
	}
	var me *models.User
	err := b.call(ctx, "getMe", func(ctx context.Context) (err error) {
		me, err = b.api.GetMe(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("asking Telegram who the bot is: %w", err)
	}
	b.username = me.Username
	return b, nil
}

func newBot(cfg Config) *Bot {
	b := &Bot{
		cfg: cfg, rules: cfg.Rules, log: cfg.Log, limiter: cfg.Limiter, window: newWindow(),
		client:  &wire{client: cfg.Client, url: cfg.URL, token: cfg.Token},
		working: make(chan struct{}, cfg.Rules.Workers), inbox: make(chan update),
	}
	b.updates = &lanes[update]{do: b.process, before: update.before, perLane: batch, total: batch}
	b.replies = &lanes[parcel]{do: b.reply, replaces: parcel.replaces, perLane: 32, total: 1024}
	return b
}

// connect makes the library's client; it asks Telegram nothing.
func (b *Bot) connect() (err error) {
	b.api, err = bot.New(b.cfg.Token, bot.WithSkipGetMe(), bot.WithServerURL(b.cfg.URL),
		bot.WithHTTPClient(b.rules.CallWithin, b.client), bot.WithErrorsHandler(b.libraryError))
	return b.client.hide("making the client", err)
}

// Username is the bot's name without @.
func (b *Bot) Username() string { return b.username }

// libraryError hears what the client library has no caller to tell.
func (b *Bot) libraryError(err error) {
	b.log.Debug("telegram client", "error", b.client.hide("", err))
}

// Run takes updates by long polling until ctx ends, then lets what is under way come to its end for a moment, and
// confirms what was handled. It returns ctx's error.
func (b *Bot) Run(ctx context.Context) error {
	b.window = newWindow() // what an earlier Run left is given again
	b.leaveWebhook(ctx)
	b.setCommands(ctx)
	err := b.work(ctx, func(work context.Context) { b.poll(ctx, work) })
	b.confirm(context.WithoutCancel(ctx))
	b.client.closeIdle()
	return err
}

// work takes updates until ctx ends; what they lead to lives in a context that lasts a moment longer. It returns when
// all of that came to its end, with ctx's error.
func (b *Bot) work(ctx context.Context, take func(work context.Context)) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	take(work)
	grace := time.AfterFunc(b.rules.Grace, stop)
	defer grace.Stop()
	b.updates.wait()
	b.replies.wait()
	return ctx.Err()
}

// leaveWebhook lets updates come by polling. What fails is logged: a poll tells too.
func (b *Bot) leaveWebhook(ctx context.Context) {
	err := b.call(ctx, "deleteWebhook", func(ctx context.Context) error {
		_, err := b.api.DeleteWebhook(ctx, &bot.DeleteWebhookParams{})
		return err
	})
	if err != nil && ctx.Err() == nil {
		b.log.Warn("leaving the webhook for polling", "error", err)
	}
}
