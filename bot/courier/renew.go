package courier

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/usherbot/usher/bot/secretchat"
)

// Renew ends the customer's chats, at the server too, so that the next one is new. They
// count as over from now on, though the process that runs the courier may not have ended
// them yet. Nobody is told of it: whoever asked for it knows.
func (c *Courier) Renew(ctx context.Context, customer int64) error {
	chats, err := c.chatsOf(ctx, c.current(), customer)
	if err != nil {
		return err
	}
	l := letter{Customer: customer}
	for _, chat := range chats {
		if ongoing(chat) {
			l.Close = append(l.Close, chat.ID)
		}
	}
	if len(l.Close) == 0 {
		return nil
	}
	_, err = c.carry(ctx, l, func(ctx context.Context, l letter) (ParcelState, error) {
		l.Version = recordVersion
		return "", c.leave(ctx, l.name(), l)
	})
	return err
}

func closeAll(ctx context.Context, chats *secretchat.Client, ids []int) error {
	for _, id := range ids {
		if err := chats.Close(ctx, id); err != nil && !errors.Is(err, secretchat.ErrNoChat) {
			return fmt.Errorf("end a secret chat: %w", err)
		}
	}
	return nil
}

// chatsOf lists the chats with a customer. Those that a letter ends count as ended: the
// process that takes it may not have come to it.
func (c *Courier) chatsOf(ctx context.Context, chats *secretchat.Client, customer int64) ([]secretchat.Chat, error) {
	all, err := chats.Chats(ctx, customer)
	if err != nil {
		return nil, fmt.Errorf("look for the customer's secret chats: %w", err)
	}
	if !slices.ContainsFunc(all, ongoing) {
		return all, nil
	}
	var l letter
	found, err := c.read(ctx, letter{Customer: customer, Close: []int{}}.name(), &l)
	if err != nil || !found {
		return all, err
	}
	for i := range all {
		if ongoing(all[i]) && slices.Contains(l.Close, all[i].ID) {
			all[i].Phase = secretchat.PhaseClosing
		}
	}
	return all, nil
}
