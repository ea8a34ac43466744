package secretchat

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gotd/td/tg"
)

const (
	// maxTurnedAway bounds the uninvited chats of which the server is still to be
	// told. Requests beyond it are not answered at all.
	maxTurnedAway = 256
	// maxRequests is how many chats one user may have accepted within requestWindow;
	// the ones after them are treated as uninvited.
	maxRequests   = 10
	requestWindow = time.Hour
	// maxKept is how many chats with one user are remembered: beyond it the oldest
	// that are over are forgotten early.
	maxKept = 30
	// maxRefused bounds the uninvited chats that are remembered. One that is not, because
	// of a restart or of many others, is turned away once more.
	maxRefused = 1024
	// clockSkew is how far the server's clock and ours may be apart.
	clockSkew = time.Minute
	// justNow is how long a user who asked for a chat is not asked for another one.
	justNow = time.Minute
)

// handleRequest looks the chat up first: the server tells requests again.
func (c *Client) handleRequest(ctx context.Context, u *tg.EncryptedChatRequested) error {
	if _, known, err := c.userOf(ctx, u.ID); err != nil || known || c.wasRefused(u.ID) {
		return err
	}
	accept, err := c.cfg.Handler.OnRequest(ctx, u.AdminID)
	if err != nil {
		return err
	}
	lock := c.users.of(u.AdminID)
	lock.Lock()
	defer lock.Unlock()
	var earlier []*chat
	if accept {
		if earlier, err = c.chatsOf(ctx, u.AdminID); err != nil {
			return err
		}
		accept = c.mayAsk(earlier) && !outdated(u, earlier)
	}
	ch := requested(c.env(), u.ID, u.AccessHash, u.AdminID, u.GA)
	if !accept {
		return c.refuse(ctx, ch)
	}
	ch.Replaces = alive(earlier)
	if err := c.create(ctx, ch); err != nil {
		return err
	}
	c.cfg.Log.InfoContext(ctx, "secret chat accepted", "chat", u.ID)
	c.wake(u.ID)
	if err := c.replace(ctx, ch); err != nil {
		return err
	}
	return c.thin(ctx, earlier)
}

// refuse discards a chat that nobody waits for.
func (c *Client) refuse(ctx context.Context, ch *chat) error {
	if !c.turnAway(ch.ID) {
		c.cfg.Log.WarnContext(ctx, "too many uninvited secret chats, one is not answered", "chat", ch.ID)
		return nil
	}
	c.cfg.Log.InfoContext(ctx, "secret chat turned away", "chat", ch.ID)
	ch.end(c.env(), PhaseClosing, ReasonUninvited)
	if err := c.create(ctx, ch); err != nil {
		return err
	}
	c.wake(ch.ID)
	return nil
}

// wasRefused says whether the server was told that a chat is turned away. It tells such
// requests again with the difference, and the user may be invited by then.
func (c *Client) wasRefused(id int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused[id]
}

// outdated says that a request is from before a chat that its user started later and that
// lives: it is an old one told again, and must not take the place of the newer one.
func outdated(u *tg.EncryptedChatRequested, earlier []*chat) bool {
	until := time.Unix(int64(u.Date), 0).Add(clockSkew).Unix()
	return u.Date != 0 && slices.ContainsFunc(earlier, func(ch *chat) bool {
		return ch.live() && !ch.Creator && ch.Created > until
	})
}

// turnAway takes note of an uninvited chat; false when there are too many.
func (c *Client) turnAway(id int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.turnedAway) >= maxTurnedAway && !c.turnedAway[id] {
		return false
	}
	c.turnedAway[id] = true
	return true
}

// mayAsk says whether a user with these chats may have another one.
func (c *Client) mayAsk(earlier []*chat) bool {
	since, recent := c.cfg.Now().Add(-requestWindow).Unix(), 0
	for _, ch := range earlier {
		if !ch.Creator && ch.Created > since {
			recent++
		}
	}
	return recent < maxRequests
}

// chatsOf reads the chats with a user, the oldest first; damaged ones are left out.
func (c *Client) chatsOf(ctx context.Context, user int64) ([]*chat, error) {
	ids, err := c.idsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	var chats []*chat
	for _, id := range ids {
		ch, err := c.load(ctx, id)
		if err != nil && !errors.Is(err, errDamaged) {
			return nil, err
		}
		if ch != nil && err == nil {
			chats = append(chats, ch)
		}
	}
	slices.SortStableFunc(chats, func(a, b *chat) int { return cmp.Compare(a.Created, b.Created) })
	return chats, nil
}

// alive are the ids of the chats that are not over.
func alive(chats []*chat) (ids []int) {
	for _, ch := range chats {
		if ch.live() {
			ids = append(ids, ch.ID)
		}
	}
	return ids
}

// justAsked finds a live chat that its user asked for so short a time ago that whoever
// asks the user now may not know of it; nil if there is none.
func (c *Client) justAsked(earlier []*chat) *chat {
	since := c.cfg.Now().Add(-justNow).Unix()
	for _, ch := range slices.Backward(earlier) {
		pending := ch.Phase == PhaseRequested || ch.Phase == PhaseAccepting
		if ch.live() && !ch.Creator && (pending || ch.Created >= since) {
			return ch
		}
	}
	return nil
}

// replace closes the chats whose place this one takes: they belong to a phone that is
// gone, or that this request comes after. One that the user asks for does so at once,
// one of ours when it is open.
func (c *Client) replace(ctx context.Context, ch *chat) error {
	if len(ch.Replaces) == 0 || ch.Creator && ch.Phase != PhaseOpen {
		return nil
	}
	for _, id := range ch.Replaces {
		if err := c.finish(ctx, id, ReasonReplaced); err != nil && !errors.Is(err, ErrNoChat) && !errors.Is(err, errDamaged) {
			return err
		}
	}
	return c.change(ctx, ch.ID, func(ch *chat, _ env) error { ch.Replaces = nil; return nil })
}

// thin forgets the oldest of a user's chats that are over.
func (c *Client) thin(ctx context.Context, earlier []*chat) error {
	over := len(earlier) - maxKept
	for _, other := range earlier {
		if over > 0 && other.atRest() {
			over--
			if err := c.forget(ctx, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// disown tells the server that a chat is over of which it sends messages and the
// store knows nothing: the store has lost it, and the phone would write in vain.
func (c *Client) disown(ctx context.Context, id int) error {
	ch := lost(c.env(), id)
	if !c.turnAway(id) {
		return nil
	}
	c.cfg.Log.WarnContext(ctx, "message in an unknown secret chat, which is discarded", "chat", id)
	if err := c.create(ctx, ch); err != nil {
		return err
	}
	c.wake(id)
	return nil
}
