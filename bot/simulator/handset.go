package simulator

import (
	"context"
	"slices"
)

// onPhone says whether an action is about the phone as a whole.
func onPhone(a Action) bool {
	switch a.Action {
	case "phone-off", "phone-on", "decline", "new-phone":
		return true
	}
	return false
}

// phones are those of a person, the first one first: at least one.
func (t *Telegram) phones(user int64) ([]Phone, error) {
	t.mu.Lock()
	known := t.people[user] != nil
	t.mu.Unlock()
	if !known {
		return nil, ErrUnknownUser
	}
	if t.opts.Phones != nil {
		if all := t.opts.Phones.All(user); len(all) > 0 {
			return all, nil
		}
	}
	return nil, badInput("this person has no phone that can do secret chats")
}

// phoneWith finds the phone with a number, counted from 1. For 0 it is the one
// that has the chat, best one where it is open, or the first.
func (t *Telegram) phoneWith(user int64, chat string, number int) (Phone, error) {
	all, err := t.phones(user)
	switch {
	case err != nil:
		return nil, err
	case number < 0 || number > len(all):
		return nil, badInput("this person has no phone %d", number)
	case number > 0:
		return all[number-1], nil
	}
	found := all[0]
	for _, p := range slices.Backward(all) {
		for _, c := range p.SecretChats() {
			if c.ID == chat && c.State == "open" {
				return p, nil
			}
			if c.ID == chat {
				found = p
			}
		}
	}
	return found, nil
}

// addPhone hands one more phone to a person.
func (t *Telegram) addPhone(user int64) error {
	if _, err := t.phones(user); err != nil {
		return err
	}
	if err := t.opts.Phones.Add(user); err != nil {
		return badInput("second-phone: %v", err)
	}
	t.stir()
	return nil
}

// StartSecretChat asks a courier ("@courier" or a username) or another person
// (by id) for a secret chat from the person's phone, and answers what the chat
// is called, "secret:<id>".
func (t *Telegram) StartSecretChat(ctx context.Context, user int64, with string) (string, error) {
	return t.StartSecretChatOn(ctx, user, 1, with)
}

// StartSecretChatOn is StartSecretChat from the phone with a number, counted
// from 1.
func (t *Telegram) StartSecretChatOn(ctx context.Context, user int64, number int, with string) (string, error) {
	phone, err := t.phoneWith(user, "", number)
	if err != nil {
		return "", err
	}
	partner, err := t.partner(with)
	if err != nil {
		return "", err
	}
	id, err := phone.StartSecretChat(ctx, partner)
	if err != nil {
		return "", badInput("starting a secret chat: %v", err)
	}
	t.stir()
	return secretPrefix + id, nil
}
