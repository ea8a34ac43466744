package courier

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/usherbot/usher/bot/secretchat"
)

// Parcel is one ticket to hand over: a warning, then a picture with the QR.
type Parcel struct {
	// ID makes a delivery happen once: the same id again only tells how far it is.
	ID      string
	Warning string
	Caption string
	Picture []byte // PNG or JPEG
	// Repeated, when not empty, is put in front of the warning: the caller knows that
	// the same ticket was sent before.
	Repeated string
	// Again is put in front when the courier finds that this very parcel went into an
	// earlier chat of the customer's, which the caller may not know after a crash.
	Again string
}

// String names the parcel and nothing of what is in it.
func (p Parcel) String() string { return "parcel " + p.ID }

// GoString keeps %#v from printing the ticket.
func (p Parcel) GoString() string { return p.String() }

// Keys of messages in a chat.
const (
	parcelPrefix  = "parcel/"
	warningSuffix = "/warning"
	pictureSuffix = "/picture"
	sayPrefix     = "say/"
)

func pictureKey(parcel string) string { return parcelPrefix + parcel + pictureSuffix }

// parcelOf is the parcel whose picture has that key.
func parcelOf(key string) (string, bool) {
	rest, isParcel := strings.CutPrefix(key, parcelPrefix)
	id, isPicture := strings.CutSuffix(rest, pictureSuffix)
	return id, isParcel && isPicture
}

// Invite makes a chat that this customer starts accepted, from now on and for good.
func (c *Courier) Invite(ctx context.Context, customer int64) error {
	return invite(ctx, c.cfg, customer)
}

func invite(ctx context.Context, cfg Config, customer int64) error {
	var known struct{}
	if found, err := get(ctx, cfg.Common, invitedName(customer), &known); err != nil || found {
		return err
	}
	return put(ctx, cfg.Common, invitedName(customer), struct {
		Version int   `json:"v"`
		Since   int64 `json:"since"` // Unix seconds
	}{recordVersion, cfg.Clock.Now().Unix()})
}

// Chat says whether the customer has a secret chat.
func (c *Courier) Chat(ctx context.Context, customer int64) (ChatState, error) {
	chats, err := c.chatsOf(ctx, c.current(), customer)
	if err != nil {
		return "", err
	}
	state := ChatNone
	for _, chat := range chats {
		switch chat.Phase {
		case secretchat.PhaseOpen:
			return ChatOpen, nil
		case secretchat.PhaseClosing, secretchat.PhaseClosed:
		default:
			state = ChatPending
		}
	}
	return state, nil
}

// Key returns what the customer compares with the "Encryption Key" screen of their
// phone, for the chat that a parcel would go into. It only reads, so every process
// may be asked. ErrNoChat when no chat is open.
func (c *Courier) Key(ctx context.Context, customer int64) (secretchat.KeyPicture, error) {
	chats := c.current()
	chat, _, err := c.open(ctx, chats, customer)
	if err != nil {
		return secretchat.KeyPicture{}, err
	}
	key, err := chats.KeyPicture(ctx, chat.ID)
	if errors.Is(err, secretchat.ErrNoChat) { // it ended meanwhile and is forgotten
		err = fmt.Errorf("%w: %w", ErrNoChat, err)
	}
	return key, err
}

// open finds the customer's open chat, the newest if there are several, and the
// others.
func (c *Courier) open(ctx context.Context, chats *secretchat.Client, customer int64) (chat secretchat.Chat, others []secretchat.Chat, err error) {
	all, err := c.chatsOf(ctx, chats, customer)
	if err != nil {
		return chat, nil, err
	}
	found := false
	for _, candidate := range all {
		if candidate.Phase != secretchat.PhaseOpen || found && candidate.Created.Before(chat.Created) {
			others = append(others, candidate)
			continue
		}
		if found {
			others = append(others, chat)
		}
		chat, found = candidate, true
	}
	if !found {
		return chat, others, ErrNoChat
	}
	return chat, others, nil
}

// Deliver queues a parcel for the customer's open chat, durably, and says how far
// it is. A parcel of which the phone has acknowledged the picture, in whatever
// chat, is not sent again. ErrNoChat when no chat is open.
func (c *Courier) Deliver(ctx context.Context, customer int64, p Parcel) (ParcelState, error) {
	return c.carry(ctx, letter{Customer: customer, Parcel: &p}, c.post)
}

// Say queues a text for the customer's open chat; the same key again sends nothing.
func (c *Courier) Say(ctx context.Context, customer int64, key, text string) error {
	_, err := c.carry(ctx, letter{Customer: customer, Key: key, Text: text}, c.post)
	return err
}

// carry puts a letter into the customer's chat if this process writes into chats,
// once more where the client was replaced meanwhile; otherwise it goes to post.
func (c *Courier) carry(
	ctx context.Context, l letter, post func(context.Context, letter) (ParcelState, error),
) (ParcelState, error) {
	for c.leads.Load() {
		chats := c.current()
		state, err := c.put(ctx, chats, l)
		if !errors.Is(err, secretchat.ErrHalted) || c.leads.Load() && c.current() == chats {
			return state, err
		}
	}
	return post(ctx, l)
}

func (c *Courier) put(ctx context.Context, chats *secretchat.Client, l letter) (ParcelState, error) {
	switch {
	case l.Parcel != nil:
		return c.deliver(ctx, chats, l.Customer, *l.Parcel)
	case l.Close != nil:
		return "", closeAll(ctx, chats, l.Close)
	default:
		return "", c.say(ctx, chats, l)
	}
}

func (c *Courier) deliver(ctx context.Context, chats *secretchat.Client, customer int64, p Parcel) (ParcelState, error) {
	chat, others, err := c.open(ctx, chats, customer)
	if err != nil {
		return "", err
	}
	state, again, err := c.far(ctx, chats, chat, others, p.ID)
	if err != nil || state != "" {
		return state, err
	}
	picture, err := newPicture(p.Picture)
	if err != nil {
		return "", fmt.Errorf("prepare the picture of %s: %w", p, err)
	}
	picture.Caption = p.Caption
	if c.cfg.Timer != 0 && chat.Timer == 0 {
		if err := chats.SetTimer(ctx, chat.ID, c.cfg.Timer); err != nil {
			return "", deliveryError("timer", err)
		}
	}
	if _, err := chats.SendText(ctx, chat.ID, parcelPrefix+p.ID+warningSuffix, p.warning(again)); err != nil {
		return "", deliveryError(p.String(), err)
	}
	sent, err := chats.SendPhoto(ctx, chat.ID, pictureKey(p.ID), picture)
	return ParcelState(sent), deliveryError(p.String(), err)
}

// far says how far a parcel is; empty when it must go into the open chat, and then
// again tells whether it may have come through an earlier one.
func (c *Courier) far(
	ctx context.Context, chats *secretchat.Client, chat secretchat.Chat, others []secretchat.Chat, parcel string,
) (state ParcelState, again bool, err error) {
	if sent, known, err := chats.State(ctx, chat.ID, pictureKey(parcel)); err != nil || known {
		return ParcelState(sent), false, err
	}
	before, err := c.sentBefore(ctx, chats, others, parcel)
	if err != nil || before == ParcelSeen {
		return before, false, err
	}
	return "", before != "", nil
}

// warning is the text that goes before the picture.
func (p Parcel) warning(again bool) string {
	first := p.Repeated
	if first == "" && again {
		first = p.Again
	}
	if first == "" {
		return p.Warning
	}
	return first + "\n\n" + p.Warning
}

// sentBefore looks the parcel up in chats that are over; empty when it never left.
func (c *Courier) sentBefore(ctx context.Context, chats *secretchat.Client, others []secretchat.Chat, parcel string) (ParcelState, error) {
	var before ParcelState
	for _, chat := range others {
		state, _, err := chats.State(ctx, chat.ID, pictureKey(parcel))
		if err != nil {
			return "", fmt.Errorf("look for an earlier delivery: %w", err)
		}
		switch state {
		case secretchat.Seen:
			return ParcelSeen, nil
		case secretchat.Sent, secretchat.Queued:
			// Queued may mean that the chat ended while it was on its way.
			before = ParcelSent
		}
	}
	return before, nil
}

// before says how far a parcel got in the customer's chats with this account; empty when
// it is in none of them.
func (c *Courier) before(ctx context.Context, customer int64, parcel string) (ParcelState, error) {
	chats := c.current()
	all, err := c.chatsOf(ctx, chats, customer)
	if err != nil {
		return "", err
	}
	return c.sentBefore(ctx, chats, all, parcel)
}

func (c *Courier) say(ctx context.Context, chats *secretchat.Client, l letter) error {
	chat, _, err := c.open(ctx, chats, l.Customer)
	if err != nil {
		return err
	}
	_, err = chats.SendText(ctx, chat.ID, sayPrefix+l.Key, l.Text)
	return deliveryError("text "+l.Key, err)
}

func deliveryError(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, secretchat.ErrNoChat):
		return fmt.Errorf("send %s: %w: %w", what, ErrNoChat, err)
	default:
		return fmt.Errorf("send %s: %w", what, err)
	}
}
