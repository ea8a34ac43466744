package secretchat

import (
	"context"
	"errors"
	"log/slog"

	"github.com/gotd/td/tg"
)

// HandleChat takes an updateEncryption. It only changes and saves records; an
// error means that the update has had no effect, and that the client has halted:
// the update must be told again.
func (c *Client) HandleChat(ctx context.Context, update tg.EncryptedChatClass) error {
	if err := c.isHalted(); err != nil {
		return err
	}
	var err error
	switch u := update.(type) {
	case *tg.EncryptedChatRequested:
		err = c.handleRequest(ctx, u)
	case *tg.EncryptedChat:
		err = c.handleReady(ctx, u)
	case *tg.EncryptedChatDiscarded:
		err = c.handleDiscarded(ctx, u)
	}
	if err != nil {
		return c.halted(err)
	}
	return nil
}

func (c *Client) handleReady(ctx context.Context, u *tg.EncryptedChat) error {
	return c.known(ctx, u.ID, func(ch *chat, e env) (Fault, error) {
		return ch.answered(e, u.AccessHash, u.GAOrB, u.KeyFingerprint)
	})
}

func (c *Client) handleDiscarded(ctx context.Context, u *tg.EncryptedChatDiscarded) error {
	return c.known(ctx, u.ID, func(ch *chat, e env) (Fault, error) {
		ch.discarded(e, u.HistoryDeleted)
		return "", nil
	})
}

// HandleMessage takes an updateNewEncryptedMessage, under the same rules as
// HandleChat. Messages told twice are recognised by their numbers.
func (c *Client) HandleMessage(ctx context.Context, update tg.EncryptedMessageClass) error {
	if err := c.isHalted(); err != nil {
		return err
	}
	id := update.GetChatID()
	_, known, err := c.userOf(ctx, id)
	if err == nil && !known {
		err = c.disown(ctx, id)
	}
	if err == nil {
		err = c.known(ctx, id, func(ch *chat, e env) (Fault, error) {
			return ch.take(e, arrival{Wire: update.GetBytes(), File: remote(update), Date: update.GetDate()})
		})
	}
	if err != nil {
		return c.halted(err)
	}
	return nil
}

// HandleRead takes an updateEncryptedMessagesRead: the other phone has shown what
// it got until maxDate (Unix seconds).
func (c *Client) HandleRead(ctx context.Context, id, maxDate int) error {
	if err := c.isHalted(); err != nil {
		return err
	}
	err := c.known(ctx, id, func(ch *chat, _ env) (Fault, error) {
		ch.readUntil(maxDate)
		return "", nil
	})
	if err != nil {
		return c.halted(err)
	}
	return nil
}

// known changes a chat that there is; what is said of others is ignored. A record
// that cannot be read is a chat that is lost, not a reason to stop all others.
func (c *Client) known(ctx context.Context, id int, step func(*chat, env) (Fault, error)) error {
	if _, ok, err := c.userOf(ctx, id); err != nil || !ok {
		return err
	}
	var fault Fault
	err := c.change(ctx, id, func(ch *chat, e env) (err error) {
		fault, err = step(ch, e)
		return err
	})
	if errors.Is(err, errDamaged) {
		c.cfg.Log.ErrorContext(ctx, "secret chat record is damaged", "chat", id)
		return nil
	}
	if errors.Is(err, ErrNoChat) {
		return nil
	}
	if err != nil {
		return err
	}
	if fault != "" && fault != FaultRepeat {
		c.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "secret chat fault",
			slog.Int("chat", id), slog.String("fault", string(fault)))
	}
	c.wake(id)
	return nil
}
