package hub

import "fmt"

// Dialog is what an account and another have written to each other, in
// ordinary messages.
type Dialog struct {
	// With is the other account.
	With User
	// Blocked tells whether the account blocked the other.
	Blocked bool
	// Messages are oldest first.
	Messages []Message
}

// Message is an ordinary message as one account sees it.
type Message struct {
	// ID counts the account's messages from 1.
	ID int
	// Out tells whether the account wrote it, Read whether the other side
	// of what it wrote has read it.
	Out, Read bool
	Text      string
	// Date is in Unix seconds.
	Date int
}

// Write has one account write to another, as from a device that is none of
// the hub's: all devices of both are told. It returns the message's id for
// who wrote. Errors are ErrNoUser or what Telegram answers, a *tgerr.Error.
func (h *Hub) Write(from, to int64, text string) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, b := h.accounts[from], h.accounts[to]
	if a == nil || b == nil {
		return 0, ErrNoUser
	}
	if err := h.refusal(a, b, text); err != nil {
		return 0, fmt.Errorf("write to %d: %w", to, err)
	}
	return h.post(a, b, nil, text).id, nil
}

// Dialogs lists whom an account has exchanged ordinary messages with, the
// longest known first.
func (h *Hub) Dialogs(user int64) []Dialog {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.accounts[user]
	if a == nil {
		return nil
	}
	var out []Dialog
	place := map[*account]int{}
	for _, l := range a.mail.letters {
		i, ok := place[l.with]
		if !ok {
			i = len(out)
			place[l.with] = i
			out = append(out, Dialog{With: l.with.User, Blocked: a.blocked[l.with.ID]})
		}
		out[i].Messages = append(out[i].Messages, Message{
			ID: l.id, Out: l.out, Read: l.read, Text: l.text, Date: l.date,
		})
	}
	return out
}
