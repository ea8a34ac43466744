package courier

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/usherbot/usher/bot/secretchat"
)

// Contact returns how this customer finds the account that they are with. A customer who
// is with none, or with one that is gone, is given one. Errors: ErrNoCourier.
func (p *Pool) Contact(ctx context.Context, customer int64) (Contact, error) {
	m, err := p.theirs(ctx, customer)
	if err != nil {
		return Contact{}, err
	}
	return m.Contact(ctx)
}

// Link is Courier.Link for the account that the customer is with. Errors: ErrNoCourier,
// ErrLimited.
func (p *Pool) Link(ctx context.Context, customer int64) (Link, error) {
	m, err := p.theirs(ctx, customer)
	if err != nil {
		return Link{}, err
	}
	return m.Link(ctx, customer)
}

// Renew ends all chats of the customer's, as Courier.Renew does.
func (p *Pool) Renew(ctx context.Context, customer int64) error {
	members, err := p.members(ctx, customer)
	if err != nil {
		return err
	}
	var problems []error
	for _, m := range members {
		problems = append(problems, m.Renew(ctx, customer))
	}
	return errors.Join(problems...)
}

// Invite makes a chat that this customer starts accepted, by every account, from now on
// and for good.
func (p *Pool) Invite(ctx context.Context, customer int64) error {
	return invite(ctx, p.cfg, customer)
}

// Chat says whether the customer has a secret chat, with whatever account.
func (p *Pool) Chat(ctx context.Context, customer int64) (ChatState, error) {
	members, err := p.members(ctx, customer)
	if err != nil {
		return "", err
	}
	state := ChatNone
	for _, m := range members {
		here, err := m.Chat(ctx, customer)
		if err != nil || here == ChatOpen {
			return here, err
		}
		if here == ChatPending {
			state = here
		}
	}
	return state, nil
}

// Key is Courier.Key for the chat that a parcel would go into.
func (p *Pool) Key(ctx context.Context, customer int64) (secretchat.KeyPicture, error) {
	m, _, err := p.open(ctx, customer)
	if err != nil {
		return secretchat.KeyPicture{}, err
	}
	return m.Key(ctx, customer)
}

// Deliver is Courier.Deliver by the account with which the customer has an open chat. What
// other accounts have handed over counts too.
func (p *Pool) Deliver(ctx context.Context, customer int64, parcel Parcel) (ParcelState, error) {
	m, others, err := p.open(ctx, customer)
	if err != nil {
		return "", err
	}
	for _, other := range others {
		before, err := other.before(ctx, customer, parcel.ID)
		switch {
		case err != nil:
			return "", err
		case before == ParcelSeen:
			return ParcelSeen, nil
		case before != "" && parcel.Repeated == "":
			parcel.Repeated = parcel.Again
		}
	}
	return m.Deliver(ctx, customer, parcel)
}

// Say is Courier.Say by the account with which the customer has an open chat.
func (p *Pool) Say(ctx context.Context, customer int64, key, text string) error {
	m, _, err := p.open(ctx, customer)
	if err != nil {
		return err
	}
	return m.Say(ctx, customer, key, text)
}

// open finds the account with which the customer has an open chat, theirs first, and the
// others. Errors: ErrNoChat.
func (p *Pool) open(ctx context.Context, customer int64) (at member, others []member, err error) {
	members, err := p.members(ctx, customer)
	if err != nil {
		return at, nil, err
	}
	for i, m := range members {
		state, err := m.Chat(ctx, customer)
		if err != nil {
			return at, nil, err
		}
		if state == ChatOpen {
			return m, slices.Delete(members, i, i+1), nil
		}
	}
	return at, nil, ErrNoChat
}

// theirs is the account that the customer is with. One that cannot be reached for long is
// left for one that can, unless there is a chat with it.
func (p *Pool) theirs(ctx context.Context, customer int64) (member, error) {
	members, err := p.members(ctx, customer)
	if err != nil {
		return member{}, err
	}
	theirs, err := p.with(ctx, customer)
	if err != nil {
		return member{}, err
	}
	var living, best []member
	for _, m := range members {
		h, err := p.healthOf(ctx, m.slot)
		if err != nil {
			return member{}, err
		}
		if !h.lives() || m.Retired {
			continue
		}
		living = append(living, m)
		if h.serves(p.cfg.Clock.Now()) {
			best = append(best, m)
		}
	}
	if len(living) == 0 {
		return member{}, ErrNoCourier
	}
	if living[0].name == theirs {
		stays, err := p.stays(ctx, customer, living[0], best)
		if err != nil || stays {
			return living[0], err
		}
	}
	if len(best) == 0 {
		best = living
	}
	m := slices.MaxFunc(best, func(a, b member) int { return compareLots(customer, a.name, b.name) })
	if m.name == theirs {
		return m, nil
	}
	return m, p.keepWith(ctx, customer, m.name)
}

func (p *Pool) stays(ctx context.Context, customer int64, theirs member, best []member) (bool, error) {
	if len(best) == 0 || slices.ContainsFunc(best, func(m member) bool { return m.name == theirs.name }) {
		return true, nil
	}
	state, err := theirs.Chat(ctx, customer)
	return state != ChatNone, err
}

// compareLots orders two accounts for a customer: by rendezvous hashing, so that every
// process gives a customer the same one, and one that goes moves only its own.
func compareLots(customer int64, a, b string) int {
	x, y := lot(customer, a), lot(customer, b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func lot(customer int64, slot string) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", customer, slot))
	return binary.BigEndian.Uint64(sum[:8])
}
