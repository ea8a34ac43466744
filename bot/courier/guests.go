package courier

import (
	"context"

	"github.com/usherbot/usher/bot/secretchat"
)

// guests connects the secret chats with who waits for them.
type guests struct{ c *Courier }

// OnRequest accepts whom Invite has named; everybody else is discarded, and the handler hears of it soon.
func (g guests) OnRequest(ctx context.Context, user int64) (bool, error) {
	var invited struct{}
	found, err := get(ctx, g.c.cfg.Common, invitedName(user), &invited)
	if err == nil && !found {
		select {
		case g.c.turned <- user:
		default: // so many strangers at once are not told of
		}
	}
	return found, err
}

// maxTurned is how many users who were turned away may wait to be told of.
const maxTurned = 64

// tellTurned tells of users who were turned away, as long as ctx lives. It is a courtesy: what fails is not tried again.
func (c *Courier) tellTurned(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case user := <-c.turned:
			if err := c.tellChat(ctx, user, ChatNews{Kind: NewsTurned}); err != nil {
				c.cfg.Log.InfoContext(ctx, "an uninvited chat was not told of", "error", err)
			}
		}
	}
}

// Event passes on what the conversations need to know. Of what customers send only
// texts count: pictures, deletions and the like ask for nothing.
func (g guests) Event(ctx context.Context, chat secretchat.Chat, e secretchat.Event) error {
	switch e.Kind {
	case secretchat.EventOpened:
		if chat.Creator {
			return g.c.opened(ctx, chat)
		}
		return g.c.handler.ChatChanged(ctx, chat.User, ChatNews{Kind: NewsOpened})
	case secretchat.EventClosed:
		return g.closed(ctx, chat, e)
	case secretchat.EventText:
		return g.c.handler.TextReceived(ctx, chat.User, e.Text)
	case secretchat.EventProgress:
		return g.progress(ctx, chat, e)
	default:
		return nil
	}
}

// closed tells that the customer cannot be delivered to any more, unless another
// chat has taken the place of this one. The first event of a chat that never opened is
// that it is over.
func (g guests) closed(ctx context.Context, chat secretchat.Chat, e secretchat.Event) error {
	g.c.cfg.Log.InfoContext(ctx, "secret chat closed", "chat", chat.ID, "reason", string(chat.Reason))
	if chat.Creator {
		refused := e.Number == 0
		if err := g.c.overBefore(ctx, chat, refused); err != nil || refused {
			return err
		}
	}
	if chat.Reason == secretchat.ReasonOurs {
		return nil // whoever asked for it knows
	}
	state, err := g.c.Chat(ctx, chat.User)
	if err != nil || state != ChatNone {
		return err
	}
	return g.c.handler.ChatChanged(ctx, chat.User, ChatNews{Kind: NewsClosed, Why: whyOver(chat.Reason)})
}

// whyOver says why a chat is over that was open.
func whyOver(reason secretchat.Reason) Why {
	switch reason {
	case secretchat.ReasonPeer:
		return WhyPeer
	case secretchat.ReasonBlocked:
		return WhyBlocked
	case secretchat.ReasonSession:
		return WhyAccount
	default:
		return WhyFault
	}
}

// progress passes on how far a parcel is.
func (g guests) progress(ctx context.Context, chat secretchat.Chat, e secretchat.Event) error {
	parcel, ok := parcelOf(e.Key)
	if !ok {
		return nil
	}
	return g.c.handler.ParcelState(ctx, chat.User, parcel, ParcelState(e.State))
}
