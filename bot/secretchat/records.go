package secretchat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Names in the store: chat/<user>/<id> for a record, photo/<id>/<hash> for the
// bytes of a picture that is still to be sent.
const (
	chatPrefix  = "chat/"
	photoPrefix = "photo/"
	// keepEnded is how long a chat that is over is remembered, so that a request
	// told again by the server is not taken for a new one. The server keeps updates
	// for a week.
	keepEnded = 14 * 24 * time.Hour
)

func chatName(user int64, id int) string {
	return userPrefix(user) + strconv.Itoa(id)
}

func userPrefix(user int64) string { return chatPrefix + strconv.FormatInt(user, 10) + "/" }

func parseChatName(name string) (user int64, id int, ok bool) {
	first, second, found := strings.Cut(strings.TrimPrefix(name, chatPrefix), "/")
	user, errUser := strconv.ParseInt(first, 10, 64)
	id, errID := strconv.Atoi(second)
	return user, id, found && errUser == nil && errID == nil
}

func blobName(id int, key string) string {
	sum := sha256.Sum256([]byte(key))
	return blobPrefix(id) + hex.EncodeToString(sum[:16])
}

func blobPrefix(id int) string { return photoPrefix + strconv.Itoa(id) + "/" }

// expired says that nobody can ask about the chat any more.
func (c *chat) expired(now time.Time) bool {
	return c.atRest() && now.Sub(time.Unix(c.Ended, 0)) > keepEnded
}

func (c *chat) public() Chat {
	return Chat{
		ID: c.ID, User: c.User, Creator: c.Creator,
		Phase: c.Phase, Reason: c.Reason, Created: time.Unix(c.Created, 0),
	}
}

// index reads the names of the chats once; after it c.users is there.
func (c *Client) index(ctx context.Context) error {
	c.mu.Lock()
	known := c.users != nil
	c.mu.Unlock()
	if known {
		return nil
	}
	ctx, cancel := storeContext(ctx)
	defer cancel()
	names, err := c.cfg.Store.Keys(ctx, chatPrefix)
	if err != nil {
		return fmt.Errorf("list secret chats: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users != nil {
		return nil
	}
	c.users = make(map[int]int64, len(names))
	for _, name := range names {
		if user, id, ok := parseChatName(name); ok {
			c.users[id] = user
		}
	}
	return nil
}

func (c *Client) ids(ctx context.Context) ([]int, error) {
	return c.idsWhere(ctx, func(int64) bool { return true })
}

func (c *Client) idsOf(ctx context.Context, user int64) ([]int, error) {
	return c.idsWhere(ctx, func(u int64) bool { return u == user })
}

func (c *Client) idsWhere(ctx context.Context, wanted func(user int64) bool) ([]int, error) {
	if err := c.index(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []int
	for id, user := range c.users {
		if wanted(user) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (c *Client) userOf(ctx context.Context, id int) (int64, bool, error) {
	if err := c.index(ctx); err != nil {
		return 0, false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	user, ok := c.users[id]
	return user, ok, nil
}

// storeContext lets a save finish although its caller has gone away: half a save
// is what must not be.
func storeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

// load reads a chat's record; nil when there is none.
func (c *Client) load(ctx context.Context, id int) (*chat, error) {
	user, ok, err := c.userOf(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	raw, err := c.get(ctx, chatName(user, id))
	if err != nil || raw == nil {
		return nil, err
	}
	return decodeChat(raw)
}

// create saves the first record of a chat.
func (c *Client) create(ctx context.Context, ch *chat) error {
	if err := c.index(ctx); err != nil {
		return err
	}
	raw, err := ch.encode()
	if err != nil {
		return err
	}
	lock := c.lock(ch.ID)
	lock.Lock()
	defer lock.Unlock()
	if err := c.put(ctx, chatName(ch.User, ch.ID), raw); err != nil {
		return err
	}
	c.mu.Lock()
	c.users[ch.ID] = ch.User
	c.mu.Unlock()
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
	user, ok, err := c.userOf(ctx, id)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("secret chat %d: %w", id, ErrNoChat)
	}
	raw, err := c.get(ctx, chatName(user, id))
	if err != nil {
		return err
	}
	if raw == nil {
		return fmt.Errorf("secret chat %d: %w", id, ErrNoChat)
	}
	ch, err := decodeChat(raw)
	if err != nil {
		return err
	}
	if err := step(ch, c.env()); err != nil {
		return err
	}
	after, err := ch.encode()
	if err != nil || bytes.Equal(raw, after) {
		return err
	}
	return c.put(ctx, chatName(user, id), after)
}

// forget removes a chat that is over.
func (c *Client) forget(ctx context.Context, ch *chat) error {
	if err := c.dropBlobs(ctx, ch.ID); err != nil {
		return err
	}
	if err := c.remove(ctx, chatName(ch.User, ch.ID)); err != nil {
		return err
	}
	c.mu.Lock()
	delete(c.users, ch.ID)
	c.mu.Unlock()
	return nil
}

func (c *Client) dropBlobs(ctx context.Context, id int) error {
	keysCtx, cancel := storeContext(ctx)
	names, err := c.cfg.Store.Keys(keysCtx, blobPrefix(id))
	cancel()
	if err != nil {
		return fmt.Errorf("list unsent pictures: %w", err)
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
	ctx, cancel := storeContext(ctx)
	defer cancel()
	if err := c.cfg.Store.Delete(ctx, name); err != nil {
		return c.halted(fmt.Errorf("remove a secret chat's state: %w", err))
	}
	return nil
}

func (c *Client) lock(id int) *sync.Mutex { return &c.locks[uint(id)%uint(len(c.locks))] }

// halted stops everything, once, and returns why.
func (c *Client) halted(cause error) error {
	c.haltOnce.Do(func() {
		c.haltErr = fmt.Errorf("%w: %w", ErrHalted, cause)
		close(c.halt)
	})
	return c.haltErr
}

func (c *Client) isHalted() error {
	select {
	case <-c.halt:
		return c.haltErr
	default:
		return nil
	}
}
