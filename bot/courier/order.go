package courier

import (
	"context"
	"errors"
	"time"

	"github.com/gotd/td/tg"
)

// That a phone has accepted a chat has no number among the updates, and gotd may hand the
// first message in that chat over before it. If the message counted as handled then, a
// death in between would lose the acceptance for good: Telegram tells again only what
// comes after the last message that counts.

// answerDelay is how long such a message waits for the acceptance that came with it.
const answerDelay = 2 * time.Second

// errNoAnswer has everything since the last message told again, in order.
var errNoAnswer = errors.New("a message in a chat that is not known to be accepted")

// answers takes the acceptances of chats as they come from the connection, ahead of what
// has an order. That they are told once more in it does no harm.
func (l *life) answers(ctx context.Context, batch tg.UpdatesClass) error {
	var all []tg.UpdateClass
	switch batch := batch.(type) {
	case *tg.Updates:
		all = batch.Updates
	case *tg.UpdatesCombined:
		all = batch.Updates
	case *tg.UpdateShort:
		all = []tg.UpdateClass{batch.Update}
	}
	for _, update := range all {
		u, ok := update.(*tg.UpdateEncryption)
		if !ok {
			continue
		}
		if _, accepted := u.Chat.(*tg.EncryptedChat); !accepted {
			continue
		}
		if err := l.chats.HandleChat(ctx, u.Chat); err != nil {
			return err
		}
		select {
		case l.accepted <- struct{}{}:
		default:
		}
	}
	return nil
}

// encrypted takes a message in a chat, once the chat's acceptance is saved.
func (l *life) encrypted(ctx context.Context, u *tg.UpdateNewEncryptedMessage) error {
	// What is told in the difference comes after the acceptances in it, without a number.
	for waited := l.c.cfg.Clock.After(answerDelay); u.Qts > 0; {
		pending, err := l.chats.Pending(ctx, u.Message.GetChatID())
		if err != nil {
			return err
		}
		if !pending {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.accepted:
		case <-waited:
			return errNoAnswer
		}
	}
	return l.chats.HandleMessage(ctx, u.Message)
}
