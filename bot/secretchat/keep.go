package secretchat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
)

// errOtherWriter: somebody else changes the chats of this store. Going on would use
// sequence numbers twice.
var errOtherWriter = errors.New("another client writes to this store")

// revision tells one save of a record from every other one.
type revision struct {
	rev    int
	writer int64
}

func (c *chat) revision() revision { return revision{c.Rev, c.Writer} }

// storeContext lets a save finish although its caller has gone away: half a save
// is what must not be.
func storeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

// locks are enough locks that two that work at different things seldom meet.
type locks [64]sync.Mutex

func (l *locks) of(id int64) *sync.Mutex { return &l[uint64(id)%uint64(len(l))] }

func (c *Client) lock(id int) *sync.Mutex { return c.chats.of(int64(id)) }

// load reads a chat's record; nil when there is none.
func (c *Client) load(ctx context.Context, id int) (*chat, error) {
	lock := c.lock(id)
	lock.Lock()
	defer lock.Unlock()
	ch, _, err := c.fetch(ctx, id)
	return ch, err
}

// fetch reads a chat's record, whose lock is held. raw is what the store holds; nil
// where that is out of date, and ch the end of the chat for it.
func (c *Client) fetch(ctx context.Context, id int) (ch *chat, raw []byte, err error) {
	user, ok, err := c.userOf(ctx, id)
	if err != nil || !ok {
		return nil, nil, err
	}
	if raw, err = c.get(ctx, chatName(user, id)); err != nil {
		return nil, nil, err
	}
	if raw == nil {
		return c.vanished(user, id), nil, nil
	}
	if ch, err = decodeChat(raw); err != nil {
		return nil, nil, err
	}
	older, err := c.compare(ch)
	if older {
		raw = nil
	}
	return ch, raw, err
}

// compare holds a record against what this client saw of it last, once it runs. An
// older one belongs to a chat that is over: the peer has seen numbers of which it
// knows nothing. A newer one was saved by somebody else, which halts the client. One
// that does not run may look on while another one works.
func (c *Client) compare(ch *chat) (older bool, err error) {
	c.mu.Lock()
	last, known := c.revisions[ch.ID]
	if !known && c.runs {
		c.revisions[ch.ID] = ch.revision()
	}
	c.mu.Unlock()
	switch {
	case !known || ch.revision() == last:
		return false, nil
	case ch.Rev < last.rev:
		ch.end(c.env(), PhaseClosing, ReasonStale)
		ch.Rev = last.rev
		return true, nil
	default:
		return false, c.halted(errOtherWriter)
	}
}

// vanished is the record of a chat that the store had and has no more; nil if it
// never had it.
func (c *Client) vanished(user int64, id int) *chat {
	c.mu.Lock()
	last, known := c.revisions[id]
	c.mu.Unlock()
	if !known {
		return nil
	}
	ch := lost(c.env(), id)
	ch.User, ch.Rev = user, last.rev
	ch.tell(Event{Kind: EventClosed})
	return ch
}

// save writes a record, whose lock is held.
func (c *Client) save(ctx context.Context, ch *chat) error {
	ch.Rev++
	ch.Writer = c.writer
	raw, err := ch.encode()
	if err != nil {
		return err
	}
	if err := c.put(ctx, chatName(ch.User, ch.ID), raw); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs {
		c.revisions[ch.ID] = ch.revision()
	}
	return nil
}

// create saves the first record of a chat.
func (c *Client) create(ctx context.Context, ch *chat) error {
	if err := c.index(ctx); err != nil {
		return err
	}
	lock := c.lock(ch.ID)
	lock.Lock()
	defer lock.Unlock()
	if err := c.save(ctx, ch); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owners[ch.ID] = ch.User
	return nil
}

// change lets the state machine work on a record and saves what came of it, if
// anything did. Nothing may leave for the network before it has returned.
func (c *Client) change(ctx context.Context, id int, step func(*chat, env) error) error {
	lock := c.lock(id)
	lock.Lock()
	defer lock.Unlock()
	if err := c.isHalted(); err != nil {
		return err
	}
	ch, before, err := c.fetch(ctx, id)
	if err != nil {
		return err
	}
	if ch == nil {
		return fmt.Errorf("secret chat %d: %w", id, ErrNoChat)
	}
	if before == nil {
		c.cfg.Log.ErrorContext(ctx, "the store has lost a part of a secret chat, which is closed", "chat", id)
		if err := c.save(ctx, ch); err != nil {
			return err
		}
		c.wake(id)
	}
	if err := step(ch, c.env()); err != nil {
		return err
	}
	after, err := ch.encode()
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	return c.save(ctx, ch)
}

// forget removes a chat that is over.
func (c *Client) forget(ctx context.Context, ch *chat) error {
	if err := c.dropBlobs(ctx, ch.ID); err != nil {
		return err
	}
	lock := c.lock(ch.ID)
	lock.Lock()
	defer lock.Unlock()
	if err := c.remove(ctx, chatName(ch.User, ch.ID)); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.owners, ch.ID)
	delete(c.revisions, ch.ID)
	if c.turnedAway[ch.ID] {
		if len(c.refused) >= maxRefused {
			clear(c.refused)
		}
		c.refused[ch.ID] = true
	}
	delete(c.turnedAway, ch.ID)
	return nil
}

func (c *Client) dropBlobs(ctx context.Context, id int) error {
	keysCtx, cancel := storeContext(ctx)
	names, err := c.cfg.Store.Keys(keysCtx, blobPrefix(id))
	cancel()
	if err != nil {
		return fmt.Errorf("list unsent files: %w", err)
	}
	for _, name := range names {
		if err := c.remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := storeContext(ctx)
	defer cancel()
	raw, err := c.cfg.Store.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read a secret chat's state: %w", err)
	}
	return raw, nil
}

func (c *Client) put(ctx context.Context, name string, value []byte) error {
	if err := c.isHalted(); err != nil {
		return err
	}
	ctx, cancel := storeContext(ctx)
	defer cancel()
	if err := c.cfg.Store.Put(ctx, name, value); err != nil {
		return c.halted(fmt.Errorf("save a secret chat's state: %w", err))
	}
	return nil
}

func (c *Client) remove(ctx context.Context, name string) error {
	if err := c.isHalted(); err != nil {
		return err
	}
	ctx, cancel := storeContext(ctx)
	defer cancel()
	if err := c.cfg.Store.Delete(ctx, name); err != nil {
		return c.halted(fmt.Errorf("remove a secret chat's state: %w", err))
	}
	return nil
}
