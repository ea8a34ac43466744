package courier

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"
)

const (
	firstRetry = time.Second
	lastRetry  = time.Minute
	// loginRetry is the pause after a refused login: codes that are asked for too
	// often lock the number.
	loginRetry = 10 * time.Minute
	// notLoggedIn is how often a courier without an account looks for one that
	// `usher courier login` has stored.
	notLoggedIn = 10 * time.Second
	// lostGrace is how long a broken connection may be away before selling stops.
	lostGrace = 30 * time.Second
	// catchUp is how often the server is asked for what it may have told in vain.
	// The question also acknowledges what was handled.
	catchUp = 2 * time.Minute
	// tellTimeout bounds what the handler may take to hear of readiness.
	tellTimeout = 10 * time.Second
)

// errSecondRun is a mistake of the caller's.
var errSecondRun = errors.New("the courier runs already")

// Run logs in if needed and serves until the context ends, whose error it returns.
// It reconnects by itself. When a save fails it forgets everything in memory and
// starts again from the store.
func (c *Courier) Run(ctx context.Context) error {
	if !c.running.CompareAndSwap(false, true) {
		return errSecondRun
	}
	defer c.running.Store(false)
	c.leads.Store(true)
	defer context.AfterFunc(ctx, func() { c.leads.Store(false) })()
	defer c.tell(context.WithoutCancel(ctx), false, "stopped")
	for failures := 0; ; failures++ {
		started := c.cfg.Clock.Now()
		err := c.serve(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.cfg.Clock.Now().Sub(started) > lastRetry {
			failures = 0
		}
		reason, pause := c.afterFailure(ctx, err, failures)
		c.cfg.Log.WarnContext(ctx, "courier stopped serving", "reason", reason, "again_in", pause, "error", err)
		c.tell(ctx, false, reason)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.cfg.Clock.After(pause):
		}
	}
}

// afterFailure says why the courier stopped, in words for the operator, and how
// long to wait. A login that Telegram has ended is forgotten with all its chats.
func (c *Courier) afterFailure(ctx context.Context, err error, failures int) (reason string, pause time.Duration) {
	switch {
	case errors.Is(err, ErrNoCourier):
		return "no courier is logged in", notLoggedIn
	case errors.Is(err, errLogin):
		return "the courier's login was refused", loginRetry
	case sessionGone(err):
		if err := c.logOut(ctx); err != nil {
			c.cfg.Log.ErrorContext(ctx, "courier's ended session not forgotten", "error", err)
		}
		return "Telegram has ended the courier's session", firstRetry
	default:
		return "the courier is not connected", min(firstRetry<<min(failures, 10), lastRetry)
	}
}

func (c *Courier) logOut(ctx context.Context) error {
	if err := c.current().Abandon(ctx); err != nil {
		return err
	}
	return c.erase(ctx, accountName, updatesName, sessionName)
}

// client makes a Telegram client for one connection's life. gotd's own logs are
// off: they hold more than ours may.
func (c *Courier) client(handler telegram.UpdateHandler, state func(telegram.ConnectionState)) *telegram.Client {
	options := telegram.Options{
		SessionStorage:    sessions{c.cfg.Store},
		UpdateHandler:     handler,
		OnConnectionState: state,
		Random:            c.cfg.Rand,
		PublicKeys:        c.keys,
		Device:            telegram.DeviceConfig{DeviceModel: "Usher courier"},
	}
	if c.server.dc != 0 {
		options.DC = c.server.dc
		options.DCList = dcs.List{Options: []tg.DCOption{
			{ID: c.server.dc, IPAddress: c.server.host, Port: c.server.port},
		}}
		// Whatever the server says about addresses, there is one way to it.
		options.Resolver = dcs.Plain(dcs.PlainOptions{Rand: c.cfg.Rand, Dial: c.dial})
	}
	return telegram.NewClient(c.cfg.APIID, c.cfg.APIHash, options)
}

func (c *Courier) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	addr := net.JoinHostPort(c.server.host, strconv.Itoa(c.server.port))
	return (&net.Dialer{Timeout: 15 * time.Second}).DialContext(ctx, network, addr)
}

// serve is one life: connect, log in, handle updates, carry out what is kept.
func (c *Courier) serve(ctx context.Context) error {
	if a, err := c.account(ctx); err != nil {
		return err
	} else if a == nil && c.cfg.Code == nil {
		return ErrNoCourier
	}
	life := newLife(c)
	client := c.client(life, life.connection)
	life.chats = c.renewChats(client.API())
	// A client that has halted takes nothing more: what callers give the courier
	// between two lives goes to a fresh one.
	defer c.renewChats(nil)
	return client.Run(ctx, func(ctx context.Context) error {
		a, err := c.authorize(ctx, client)
		if err != nil {
			return err
		}
		return life.run(ctx, client, a.ID)
	})
}
