package secretchat

import (
	"context"
	"errors"
)

// DiscardAll ends every chat for that reason, tells the server to discard each, and
// the handler that each is closed. It is for when the Store as a whole cannot be
// trusted any more: one that was put back to an older state (ReasonStale) does not know
// which numbers and keys were used since, so that going on in any chat would break it.
//
// It only writes records, and may be called before Run, which then carries them out.
// A kill in the middle leaves some chats ended and the others as they were: call it
// again until it returns nil. Chats that are over stay as they are. Chats that the Store
// has forgotten altogether are discarded when the server next sends something in them.
func (c *Client) DiscardAll(ctx context.Context, reason Reason) error {
	return c.endAll(ctx, func(id int) error {
		err := c.change(ctx, id, func(ch *chat, e env) error {
			ch.discard(e, reason)
			return nil
		})
		if errors.Is(err, errDamaged) {
			return c.bury(ctx, id, reason)
		}
		return err
	})
}

// Abandon notes that every chat is over without telling the server: the login that
// they belonged to is gone, and with it the server's side of them.
func (c *Client) Abandon(ctx context.Context) error {
	return c.endAll(ctx, func(id int) error {
		err := c.change(ctx, id, func(ch *chat, e env) error {
			ch.end(e, PhaseClosed, ReasonSession)
			return nil
		})
		if errors.Is(err, errDamaged) {
			return nil
		}
		return err
	})
}

// endAll ends all chats, one after the other, and wakes who carries out what is left.
func (c *Client) endAll(ctx context.Context, end func(id int) error) error {
	ids, err := c.ids(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := end(id); err != nil && !errors.Is(err, ErrNoChat) {
			return err
		}
		c.wake(id)
	}
	return nil
}

// bury puts a record that only asks for the end of a chat in the place of one that
// cannot be read.
func (c *Client) bury(ctx context.Context, id int, reason Reason) error {
	user, known, err := c.userOf(ctx, id)
	if err != nil || !known {
		return err
	}
	lock := c.lock(id)
	lock.Lock()
	defer lock.Unlock()
	c.mu.Lock()
	last := c.revisions[id]
	c.mu.Unlock()
	ch := lost(c.env(), id)
	ch.User, ch.Reason, ch.Rev = user, reason, last.rev
	ch.tell(Event{Kind: EventClosed})
	return c.save(ctx, ch)
}

// discard ends a chat of which more may have happened than its record says: its end is
// told even where the record knows nothing of its beginning.
func (c *chat) discard(e env, reason Reason) {
	if !c.live() {
		return
	}
	unknown := c.Phase == PhaseRequested
	c.end(e, PhaseClosing, reason)
	if unknown {
		c.tell(Event{Kind: EventClosed})
	}
}
