package courier

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/usherbot/usher/bot/secretchat"
)

// Only the process whose courier runs writes into chats. What others are given lies
// in the inbox until that one takes it, under a name made of what it is, so that the
// same thing twice lies there once.
const (
	inboxPrefix = "inbox/"
	// inboxDelay is how often the inbox is looked into.
	inboxDelay = time.Second
)

// letter is a text or a parcel for a customer, or asks that their chats end.
type letter struct {
	Version  int     `json:"v"`
	Customer int64   `json:"customer"`
	Key      string  `json:"key"` // of the text
	Text     string  `json:"text"`
	Parcel   *Parcel `json:"parcel"`
	// Close are the chats to end: those that there were when it was posted. One that the
	// customer starts meanwhile is not meant.
	Close []int `json:"close,omitempty"`
}

func (l letter) name() string {
	id := "say/" + l.Key
	switch {
	case l.Parcel != nil:
		id = "parcel/" + l.Parcel.ID
	case l.Close != nil:
		id = "close"
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", l.Customer, id))
	return inboxPrefix + hex.EncodeToString(sum[:16])
}

// post leaves a letter for the process that runs the courier, unless its parcel is
// in a chat already. ErrNoChat when the customer has no open chat.
func (c *Courier) post(ctx context.Context, l letter) (ParcelState, error) {
	chats := c.current()
	chat, others, err := c.open(ctx, chats, l.Customer)
	if err != nil {
		return "", err
	}
	if l.Parcel != nil {
		state, _, err := c.far(ctx, chats, chat, others, l.Parcel.ID)
		if err != nil || state != "" {
			return state, err
		}
		if _, err := newPicture(l.Parcel.Picture); err != nil {
			return "", fmt.Errorf("prepare the picture of %s: %w", l.Parcel, err)
		}
	}
	l.Version = recordVersion
	return ParcelQueued, c.leave(ctx, l.name(), l)
}

// emptyInbox carries out what other processes were given, until ctx ends.
func (c *Courier) emptyInbox(ctx context.Context) error {
	for {
		names, err := c.names(ctx, inboxPrefix)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := c.handle(ctx, name); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.cfg.Clock.After(inboxDelay):
		}
	}
}

// handle carries out one letter, and removes it when it is in the chat or can't
// get there: who posted it will ask how far it is.
func (c *Courier) handle(ctx context.Context, name string) error {
	var l letter
	found, err := c.read(ctx, name, &l)
	var damaged *json.SyntaxError
	switch {
	case errors.As(err, &damaged):
		c.cfg.Log.ErrorContext(ctx, "damaged letter in the courier's inbox", "name", name)
		return c.erase(ctx, name)
	case err != nil || !found:
		return err
	}
	_, err = c.carry(ctx, l, func(context.Context, letter) (ParcelState, error) { return "", secretchat.ErrHalted })
	switch {
	case errors.Is(err, secretchat.ErrHalted), ctx.Err() != nil:
		return err
	case err != nil:
		c.cfg.Log.WarnContext(ctx, "letter could not be put into a chat", "error", err)
	}
	return c.erase(ctx, name)
}
