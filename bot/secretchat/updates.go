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

// handleRequest looks the chat up first: the server tells requests again.
func (c *Client) handleRequest(ctx context.Context, u *tg.EncryptedChatRequested) error {
	if _, known, err := c.userOf(ctx, u.ID); err != nil || known {
		return err
	}
	accept, err := c.cfg.Handler.OnRequest(ctx, u.AdminID)
	if err != nil {
		return err
	}
	e := c.env()
	ch := requested(e, u.ID, u.AccessHash, u.AdminID, u.GA)
	if !accept {
		ch.end(e, PhaseClosing, ReasonUninvited)
	}
	if err := c.create(ctx, ch); err != nil {
		return err
	}
	c.cfg.Log.InfoContext(ctx, "secret chat requested", "chat", u.ID, "accept", accept)
	c.wake(u.ID)
	if !accept {
		return nil
	}
	return c.replace(ctx, ch)
}

// replace closes the other chats with the same user: they belong to a phone that
// is gone, or that this request comes after.
func (c *Client) replace(ctx context.Context, ch *chat) error {
	ids, err := c.idsOf(ctx, ch.User)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id == ch.ID {
			continue
		}
		other, err := c.load(ctx, id)
		if err != nil && !errors.Is(err, errDamaged) {
			return err
		}
		if other == nil || !other.live() || newer(other, ch) {
			continue
		}
		if err := c.finish(ctx, id, ReasonReplaced); err != nil {
			return err
		}
	}
	return nil
}

// newer says that a chat the same user started was asked for after another one.
func newer(other, ch *chat) bool {
	return !other.Creator && other.Created > ch.Created
}

func (c *Client) handleReady(ctx context.Context, u *tg.EncryptedChat) error {
	return c.known(ctx, u.ID, func(ch *chat, e env) (Fault, error) {
		return ch.answered(e, u.AccessHash, u.GAOrB, u.KeyFingerprint)
	})
}

func (c *Client) handleDiscarded(ctx context.Context, u *tg.EncryptedChatDiscarded) error {
	return c.known(ctx, u.ID, func(ch *chat, e env) (Fault, error) {
		ch.end(e, PhaseClosed, ReasonPeer)
		return "", nil
	})
}

// HandleMessage takes an updateNewEncryptedMessage, under the same rules as
// HandleChat. Messages told twice are recognised by their numbers.
func (c *Client) HandleMessage(ctx context.Context, update tg.EncryptedMessageClass) error {
	if err := c.isHalted(); err != nil {
		return err
	}
	err := c.known(ctx, update.GetChatID(), func(ch *chat, e env) (Fault, error) {
		return ch.receive(e, update.GetBytes())
	})
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
