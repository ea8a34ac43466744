package courier

import (
	"context"

	"github.com/usherbot/usher/bot/secretchat"
)

// guests connects the secret chats with who waits for them.
type guests struct{ c *Courier }

// OnRequest accepts whom Invite has named; everybody else is discarded.
func (g guests) OnRequest(ctx context.Context, user int64) (bool, error) {
	var invited struct{}
	return g.c.read(ctx, invitedName(user), &invited)
}

// Opened tells that the customer can be delivered to.
func (g guests) Opened(ctx context.Context, chat secretchat.Chat) error {
	return g.c.handler.ChatOpened(ctx, chat.User)
}

// Closed tells that the customer cannot be delivered to any more, unless another
// chat has taken the place of this one.
func (g guests) Closed(ctx context.Context, chat secretchat.Chat) error {
	g.c.cfg.Log.InfoContext(ctx, "secret chat closed", "chat", chat.ID, "reason", string(chat.Reason))
	state, err := g.c.Chat(ctx, chat.User)
	if err != nil || state != ChatNone {
		return err
	}
	return g.c.handler.ChatClosed(ctx, chat.User)
}

// Text passes on what the customer wrote.
func (g guests) Text(ctx context.Context, chat secretchat.Chat, text string) error {
	return g.c.handler.TextReceived(ctx, chat.User, text)
}

// Progress passes on how far a parcel is.
func (g guests) Progress(ctx context.Context, chat secretchat.Chat, key string, state secretchat.State) error {
	parcel, ok := parcelOf(key)
	if !ok {
		return nil
	}
	return g.c.handler.ParcelState(ctx, chat.User, parcel, ParcelState(state))
}
