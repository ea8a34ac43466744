package secretchat

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Client keeps one account's side of its secret chats.
type Client struct {
	cfg   Config
	chats locks         // a chat's record is changed by one at a time
	calls chan struct{} // bounds calls under way

	users locks // of one user's chats only one is begun at a time

	dh       dhCache
	unmarked atomic.Int32 // read marks in a row that failed

	writer int64 // names this client in the records that it saves

	mu         sync.Mutex
	owners     map[int]int64    // chat to user: the index, from the names in the store
	revisions  map[int]revision // what this client has seen of each record last
	turnedAway map[int]bool     // uninvited chats of which the server is still to be told
	refused    map[int]bool     // uninvited chats of which the server was told: it may tell of them again
	workers    map[int]*worker
	group      *errgroup.Group // nil unless Run runs
	runCtx     context.Context //nolint:containedctx // owned by Run, for the workers it starts
	runs       bool            // Run was called: this client is the one that writes

	halt     chan struct{}
	haltOnce sync.Once
	haltErr  error
}

const (
	maxCalls     = 16
	storeTimeout = 10 * time.Second
)

// New makes a client. It does nothing before Run, but keeps what it is given.
func New(cfg Config) *Client {
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = time.After
	}
	if cfg.Do == nil {
		cfg.Do = func(ctx context.Context, _ string, call func(context.Context) error) error { return call(ctx) }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		cfg: cfg, calls: make(chan struct{}, maxCalls),
		revisions: make(map[int]revision), turnedAway: make(map[int]bool), refused: make(map[int]bool),
		workers: make(map[int]*worker), halt: make(chan struct{}),
	}
	var err error
	if c.writer, err = c.env().randomID(); err != nil {
		_ = c.halted(err)
	}
	return c
}

// Run carries out what the records ask for until the context ends. It returns the
// context's error, or ErrHalted with its cause, or why the account cannot go on.
func (c *Client) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	c.mu.Lock()
	c.group, c.runCtx, c.runs = group, ctx, true
	c.mu.Unlock()
	group.Go(func() error {
		// This goroutine outlives all others' chance to be started: the group is
		// taken away before it ends.
		defer func() {
			c.mu.Lock()
			c.group = nil
			c.mu.Unlock()
		}()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.halt:
			return c.haltErr
		}
	})
	group.Go(func() error { return c.scan(ctx) })
	return group.Wait()
}

// scan wakes every chat that has something left to do, and forgets those that
// ended long ago.
func (c *Client) scan(ctx context.Context) error {
	ids, err := c.ids(ctx)
	if err != nil {
		return c.halted(fmt.Errorf("list secret chats: %w", err))
	}
	for _, id := range ids {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		ch, err := c.load(ctx, id)
		switch {
		case errors.Is(err, errDamaged):
			c.cfg.Log.ErrorContext(ctx, "secret chat record is damaged", "chat", id)
		case err != nil:
			return c.halted(err)
		case ch == nil:
		case ch.expired(c.cfg.Now()):
			if err := c.forget(ctx, ch); err != nil {
				return c.halted(err)
			}
		case !ch.atRest():
			if err := c.resume(ctx, ch); err != nil {
				return c.halted(err)
			}
		}
	}
	return nil
}

// resume takes up a chat that has something left to do.
func (c *Client) resume(ctx context.Context, ch *chat) error {
	if ch.Reason == ReasonUninvited {
		c.turnAway(ch.ID)
	}
	err := c.change(ctx, ch.ID, func(ch *chat, e env) error { return ch.notifyLayer(e) })
	if err != nil && !errors.Is(err, ErrNoChat) {
		return err
	}
	c.wake(ch.ID)
	return nil
}

// Ask asks a user for a chat. It is pending until the user's phone accepts, or until
// Config.Patience ends; once it is open, the chats with the same user that were there
// before are closed. A user who has just asked for one themselves is not asked: that
// chat is returned, its Creator false. After ErrHalted the chat may be there all the
// same: Chats of the next client tells.
func (c *Client) Ask(ctx context.Context, user, accessHash int64) (Chat, error) {
	lock := c.users.of(user)
	lock.Lock()
	defer lock.Unlock()
	earlier, err := c.chatsOf(ctx, user)
	if err != nil {
		return Chat{}, err
	}
	if ch := c.justAsked(earlier); ch != nil {
		return ch.public(), nil
	}
	e := c.env()
	raw, err := e.randomID()
	if err != nil {
		return Chat{}, err
	}
	ch := asking(e, int(int32(raw)|1), user, accessHash)
	ch.Replaces = alive(earlier)
	if err := c.create(ctx, ch); err != nil {
		return Chat{}, err
	}
	c.wake(ch.ID)
	return ch.public(), nil
}

func (c *Client) finish(ctx context.Context, id int, reason Reason) error {
	err := c.change(ctx, id, func(ch *chat, e env) error {
		ch.end(e, PhaseClosing, reason)
		return nil
	})
	if err != nil {
		return err
	}
	c.wake(id)
	return nil
}

// Chats returns the chats with a user that are not forgotten yet, in no order. A
// client that does not run asks the store anew each time: the process that serves
// the chats may be another one.
func (c *Client) Chats(ctx context.Context, user int64) ([]Chat, error) {
	all, err := c.chatsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	var chats []Chat
	for _, ch := range all {
		chats = append(chats, ch.public())
	}
	return chats, nil
}

// Count tells how many chats, of all users, are in a phase. Damaged records are in none.
func (c *Client) Count(ctx context.Context, phase Phase) (int, error) {
	ids, err := c.ids(ctx)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, id := range ids {
		ch, err := c.load(ctx, id)
		if err != nil && !errors.Is(err, errDamaged) {
			return 0, err
		}
		if err == nil && ch != nil && ch.Phase == phase {
			count++
		}
	}
	return count, nil
}

// KeyPicture returns what two people compare to know that nobody sits between.
func (c *Client) KeyPicture(ctx context.Context, id int) (KeyPicture, error) {
	ch, err := c.load(ctx, id)
	if err != nil {
		return KeyPicture{}, err
	}
	if ch == nil || len(ch.Picture) != pictureLen {
		return KeyPicture{}, fmt.Errorf("key picture: %w", ErrNoChat)
	}
	return KeyPicture(ch.Picture), nil
}

func (c *Client) env() env { return env{now: c.cfg.Now(), random: c.cfg.Random} }
