package courier

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/updates"
	"github.com/gotd/td/tg"
	"github.com/usherbot/usher/bot/secretchat"
	"golang.org/x/sync/errgroup"
)

// life is what belongs to one client from its connecting to its end.
type life struct {
	c       *Courier
	chats   *secretchat.Client
	manager *updates.Manager
	kept    *progress
	started atomic.Bool
	begun   chan struct{}
	known   *acquaintances
	broken  chan error // why an update could not be handled
	// accepted is poked when a phone has accepted a chat.
	accepted chan struct{}
	states   chan telegram.ConnectionState
}

func newLife(c *Courier) *life {
	l := &life{
		c: c, kept: &progress{c: c},
		known: &acquaintances{}, broken: make(chan error, 1), accepted: make(chan struct{}, 1),
		begun: make(chan struct{}), states: make(chan telegram.ConnectionState, 1),
	}
	l.manager = updates.New(updates.Config{
		Handler: telegram.UpdateHandlerFunc(l.dispatch), Storage: l.kept, UserAccessHasher: l.known,
	})
	return l
}

// run serves the logged-in account until something breaks.
func (l *life) run(ctx context.Context, client *telegram.Client, self int64) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.chats.Run(ctx) })
	group.Go(func() error {
		return l.manager.Run(ctx, client.API(), self, updates.AuthOptions{OnStart: func(context.Context) {
			l.started.Store(true)
			close(l.begun)
		}})
	})
	group.Go(func() error { return l.watch(ctx) })
	group.Go(func() error { return l.probe(ctx, client) })
	group.Go(func() error { return l.c.lookOut(ctx, client.API()) })
	group.Go(func() error { return l.c.emptyInbox(ctx) })
	group.Go(func() error { return l.carryAsks(ctx) })
	group.Go(func() error { return l.c.tellTurned(ctx) })
	group.Go(func() error {
		// Whoever comes after must find the chats as they will stay.
		defer l.chats.Retire()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-l.broken:
			return err
		}
	})
	return group.Wait()
}

// Handle takes updates from the connection. Before the manager knows how far the
// account is they are let go: it will ask for them.
func (l *life) Handle(ctx context.Context, u tg.UpdatesClass) error {
	if !l.started.Load() {
		return nil
	}
	if err := l.answers(ctx, u); err != nil {
		return l.fail(err)
	}
	return l.manager.Handle(ctx, u)
}

// dispatch takes updates in order from the manager. Once one could not be handled,
// none after it counts as handled either: the manager itself would go on.
func (l *life) dispatch(ctx context.Context, batch tg.UpdatesClass) error {
	all, ok := batch.(*tg.Updates)
	if !ok {
		return nil
	}
	for _, update := range all.Updates {
		var err error
		switch u := update.(type) {
		case *tg.UpdateEncryption:
			err = l.chats.HandleChat(ctx, u.Chat)
		case *tg.UpdateNewEncryptedMessage:
			err = l.encrypted(ctx, u)
		case *tg.UpdateEncryptedMessagesRead:
			err = l.chats.HandleRead(ctx, u.ChatID, u.MaxDate)
		case *tg.UpdateNewMessage:
			err = l.message(ctx, u.Message, all.Users)
		}
		if err != nil {
			return l.fail(err)
		}
	}
	return nil
}

// fail makes the life end: what could not be handled is told again in the next one.
func (l *life) fail(err error) error {
	l.kept.stop()
	select {
	case l.broken <- err:
	default:
	}
	return err
}

// carryAsks asks for chats once it is known how far the account is, so that those which
// customers have started meanwhile come first.
func (l *life) carryAsks(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-l.begun:
		return l.c.carryAsks(ctx, l.chats, l.c.begin)
	}
}

// connection notes the newest state of the connection; older ones do not matter.
func (l *life) connection(state telegram.ConnectionState) {
	for {
		select {
		case l.states <- state:
			return
		default:
		}
		select {
		case <-l.states:
		default:
		}
	}
}

// watch tells whether the courier is ready, and asks for missed updates whenever
// the connection is new and now and then besides.
func (l *life) watch(ctx context.Context) error {
	clock := l.c.cfg.Clock
	begun, tick := l.begun, clock.After(catchUp)
	var lost <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-begun:
			begun = nil
			l.c.tellServing(ctx)
		case state := <-l.states:
			lost = l.connected(ctx, state, lost)
		case <-lost:
			lost = make(chan time.Time) // until it is back
			l.c.tell(ctx, HealthAway, "its connection to Telegram is lost")
		case <-tick:
			tick = clock.After(catchUp)
			l.ask(ctx)
			if lost == nil && l.started.Load() {
				l.c.tellServing(ctx) // in case it was not taken, or a limit is over
			}
		}
	}
}

// connected returns when the connection counts as lost, if it does not come back.
func (l *life) connected(ctx context.Context, state telegram.ConnectionState, lost <-chan time.Time) <-chan time.Time {
	switch state {
	case telegram.ConnectionStateReady:
		if l.started.Load() {
			l.c.tellServing(ctx)
			l.ask(ctx)
		}
		return nil
	default:
		if lost == nil {
			return l.c.cfg.Clock.After(lostGrace)
		}
		return lost
	}
}

// probe asks now and then who the account is, and ends the life where it is nobody any
// more: of an account that has nothing to send nothing else would tell.
func (l *life) probe(ctx context.Context, client *telegram.Client) error {
	for {
		if err := l.c.wait(ctx, probeEvery); err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, probeTimeout)
		_, err := client.Self(limited)
		cancel()
		if sessionGone(err) {
			return fmt.Errorf("ask whether the courier is still logged in: %w", err)
		}
	}
}

// ask makes the manager fetch the difference, as if the server had said that there
// is more than it can push.
func (l *life) ask(ctx context.Context) {
	if err := l.manager.Handle(ctx, &tg.UpdatesTooLong{}); err != nil && ctx.Err() == nil {
		l.c.cfg.Log.WarnContext(ctx, "courier could not ask for missed updates", "error", err)
	}
}
