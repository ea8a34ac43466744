package secretchat

import (
	"context"
	"fmt"
	"time"

	"github.com/gotd/td/tg/e2e"
)

// SetTimer makes what either side sends from now on vanish so long after it was
// looked at; 0 takes that back. Seconds count, fractions do not.
func (c *Client) SetTimer(ctx context.Context, id int, timer time.Duration) error {
	seconds := max(0, int(timer/time.Second))
	return c.tellPeer(ctx, id, &e2e.DecryptedMessageActionSetMessageTTL{TTLSeconds: seconds}, func(ch *chat) {
		ch.TTL = seconds
	})
}

// Delete asks the other side to delete messages that were sent under these keys.
func (c *Client) Delete(ctx context.Context, id int, keys ...string) error {
	return c.onChat(ctx, id, func(ch *chat, e env) error {
		var messages []int64
		for _, key := range keys {
			if m := ch.mark(key); m != nil && m.RandomID != 0 {
				messages = append(messages, m.RandomID)
			}
		}
		if len(messages) == 0 {
			return nil
		}
		return ch.act(e, &e2e.DecryptedMessageActionDeleteMessages{RandomIDs: messages})
	})
}

// Flush asks the other side to delete everything in the chat.
func (c *Client) Flush(ctx context.Context, id int) error {
	return c.tellPeer(ctx, id, &e2e.DecryptedMessageActionFlushHistory{}, nil)
}

// Viewed tells the other side that messages of its, by their Event.Message, were
// looked at: their timers begin to run.
func (c *Client) Viewed(ctx context.Context, id int, messages ...int64) error {
	return c.tellPeer(ctx, id, &e2e.DecryptedMessageActionReadMessages{RandomIDs: messages}, nil)
}

// Close ends a chat; the other side sees it as closed.
func (c *Client) Close(ctx context.Context, id int) error {
	return c.finish(ctx, id, ReasonOurs)
}

// Erase ends a chat and asks that its history go on the other side as well.
func (c *Client) Erase(ctx context.Context, id int) error {
	err := c.change(ctx, id, func(ch *chat, _ env) error {
		ch.Erase = ch.live()
		return nil
	})
	if err != nil {
		return err
	}
	return c.Close(ctx, id)
}

// tellPeer writes an action; done, when given, is what it means for the record.
func (c *Client) tellPeer(ctx context.Context, id int, action e2e.DecryptedMessageActionClass, done func(*chat)) error {
	return c.onChat(ctx, id, func(ch *chat, e env) error {
		if done != nil {
			done(ch)
		}
		return ch.act(e, action)
	})
}

// onChat changes an open chat and sends what came of it.
func (c *Client) onChat(ctx context.Context, id int, step func(*chat, env) error) error {
	err := c.change(ctx, id, func(ch *chat, e env) error {
		if ch.Phase != PhaseOpen {
			return fmt.Errorf("secret chat %d: %w", id, ErrNoChat)
		}
		if len(ch.Outbox)+len(ch.Pending) >= maxUnread {
			return fmt.Errorf("secret chat %d: %w", id, ErrBacklog)
		}
		return step(ch, e)
	})
	if err != nil {
		return err
	}
	c.wake(id)
	return nil
}
