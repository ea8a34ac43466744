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
	"golang.org/x/sync/errgroup"
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
	// probeEvery is how often the account is asked whether it is still logged in.
	probeEvery   = 30 * time.Second
	probeTimeout = 15 * time.Second
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
	defer c.tell(context.WithoutCancel(ctx), HealthAway, "stopped")
	for failures := 0; ; failures++ {
		started := c.cfg.Clock.Now()
		err := c.serve(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.cfg.Clock.Now().Sub(started) > lastRetry {
			failures = 0
		}
		if errors.Is(err, errLoggedIn) {
			continue
		}
		pause := c.afterFailure(ctx, err, failures)
		c.cfg.Log.WarnContext(ctx, "courier stopped serving", "again_in", pause, "error", err)
		if err := c.wait(ctx, pause); err != nil {
			return err
		}
	}
}

func (c *Courier) wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.cfg.Clock.After(pause):
		return nil
	}
}

// afterFailure tells why the courier stopped and says how long to wait. A login that
// Telegram has ended is forgotten with all its chats; that it is gone is told first,
// so that a death in between only has it found out once more.
func (c *Courier) afterFailure(ctx context.Context, err error, failures int) time.Duration {
	switch {
	case errors.Is(err, errLogin):
		if banned(err) {
			c.tell(ctx, HealthBanned, "Telegram has banned the courier's phone number")
		} else {
			c.tell(ctx, HealthAway, "the courier's login was refused")
		}
		return loginRetry
	case sessionGone(err):
		health, reason := goneHealth(err)
		c.tell(ctx, health, reason)
		if err := c.logOut(ctx); err != nil {
			c.cfg.Log.ErrorContext(ctx, "courier's ended session not forgotten", "error", err)
		}
		return firstRetry
	default:
		c.tell(ctx, HealthAway, "the courier is not connected")
		return min(firstRetry<<min(failures, 10), lastRetry)
	}
}

func (c *Courier) logOut(ctx context.Context) error {
	if err := c.current().Abandon(ctx); err != nil {
		return err
	}
	return c.erase(ctx, accountName, updatesName, sessionName)
}

// errLoggedIn: there is an account now.
var errLoggedIn = errors.New("an account is logged in")

// mourn stands in for a life while no account is logged in: that the chats of an
// earlier one are over is told, and what was left for them is cleared away. It
// returns errLoggedIn once there is an account.
func (c *Courier) mourn(ctx context.Context) error {
	c.tell(ctx, HealthEnded, "no courier is logged in")
	chats := c.renewChats(nil)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return chats.Run(ctx) })
	group.Go(func() error { return c.emptyInbox(ctx) })
	group.Go(func() error { return c.carryAsks(ctx, chats, c.noAccount) })
	group.Go(func() error {
		for {
			if err := c.wait(ctx, notLoggedIn); err != nil {
				return err
			}
			a, err := c.account(ctx)
			if err != nil {
				return err
			}
			if a != nil {
				return errLoggedIn
			}
		}
	})
	return group.Wait()
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
		return c.mourn(ctx)
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
