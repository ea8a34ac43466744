package secretchat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
		Timer: time.Duration(c.TTL) * time.Second,
	}
}

// index reads the names of the chats once; after it c.owners is there.
func (c *Client) index(ctx context.Context) error {
	c.mu.Lock()
	known := c.owners != nil
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
	if c.owners != nil {
		return nil
	}
	c.owners = make(map[int]int64, len(names))
	for _, name := range names {
		if user, id, ok := parseChatName(name); ok {
			c.owners[id] = user
		}
	}
	return nil
}

// look renews what is known of a user's chats while this client does not run:
// another one may have made some.
func (c *Client) look(ctx context.Context, user int64) error {
	if err := c.index(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	runs := c.runs
	c.mu.Unlock()
	if runs {
		return nil
	}
	ctx, cancel := storeContext(ctx)
	defer cancel()
	names, err := c.cfg.Store.Keys(ctx, userPrefix(user))
	if err != nil {
		return fmt.Errorf("list a user's secret chats: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		if user, id, ok := parseChatName(name); ok {
			c.owners[id] = user
		}
	}
	return nil
}

func (c *Client) ids(ctx context.Context) ([]int, error) {
	return c.idsWhere(ctx, func(int64) bool { return true })
}

func (c *Client) idsOf(ctx context.Context, user int64) ([]int, error) {
	if err := c.look(ctx, user); err != nil {
		return nil, err
	}
	return c.idsWhere(ctx, func(u int64) bool { return u == user })
}

func (c *Client) idsWhere(ctx context.Context, wanted func(user int64) bool) ([]int, error) {
	if err := c.index(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []int
	for id, user := range c.owners {
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
	user, ok := c.owners[id]
	return user, ok, nil
}
