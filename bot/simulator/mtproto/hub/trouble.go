package hub

import (
	"fmt"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// Why a device may not call any more.
const (
	// loggedOut: it ended its own authorization.
	loggedOut = "AUTH_KEY_UNREGISTERED"
	// revoked: the account's owner ended it from elsewhere.
	revoked = "SESSION_REVOKED"
	// deactivated: Telegram has banned the account.
	deactivated = "USER_DEACTIVATED_BAN"
)

// limit is what Telegram does to an account that writes to too many strangers.
type limit struct {
	// until is when it ends; zero means PEER_FLOOD until Calm, which names no
	// time.
	until time.Time
}

// limited is how the account may not address strangers now, nil if it may.
func (h *Hub) limited(a *account) error {
	switch l := a.limit; {
	case l == nil:
		return nil
	case l.until.IsZero():
		return tgerr.New(400, "PEER_FLOOD")
	default:
		left := l.until.Sub(h.clock())
		if left <= 0 {
			a.limit = nil
			return nil
		}
		return tgerr.New(420, fmt.Sprintf("FLOOD_WAIT_%d", int((left+time.Second-1)/time.Second)))
	}
}

// with does something to an account.
func (h *Hub) with(user int64, do func(*account)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.accounts[user]
	if a == nil {
		return ErrNoUser
	}
	do(a)
	return nil
}

// Block has one account block another, or lift that: who is blocked can
// neither write nor ask for a secret chat.
func (h *Hub) Block(user, other int64, block bool) error {
	return h.with(user, func(a *account) { a.blocked[other] = block })
}

// Hide sets the privacy of an account: while it is hidden, nobody can ask it
// for a secret chat, since nobody is among its contacts.
func (h *Hub) Hide(user int64, hide bool) error {
	return h.with(user, func(a *account) { a.hidden = hide })
}

// Flood has Telegram find that an account addresses too many strangers. Asking
// for a secret chat is answered FLOOD_WAIT until the time is over or, when it
// is 0, PEER_FLOOD until Calm; PEER_FLOOD is also the answer to a message to
// somebody who has not written first.
func (h *Hub) Flood(user int64, d time.Duration) error {
	return h.with(user, func(a *account) {
		a.limit = &limit{}
		if d > 0 {
			a.limit.until = h.clock().Add(d)
		}
	})
}

// Calm ends what Flood began.
func (h *Hub) Calm(user int64) error {
	return h.with(user, func(a *account) { a.limit = nil })
}

// Ban has Telegram ban an account: each call of its devices is answered
// USER_DEACTIVATED_BAN, its secret chats are over, and it cannot log in.
func (h *Hub) Ban(user int64) error {
	return h.with(user, func(a *account) {
		a.banned = true
		h.dismiss(a, deactivated)
		for _, c := range h.chats {
			if c.state == waiting && c.asked == a {
				h.discard(c, a, nil, false)
			}
		}
	})
}

// Unban lets the account log in again.
func (h *Hub) Unban(user int64) error {
	return h.with(user, func(a *account) { a.banned = false })
}

// Banned tells whether an account is banned.
func (h *Hub) Banned(user int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.accounts[user]
	return a != nil && a.banned
}

// EndSessions ends all logins of an account, as its owner can from another
// device, and with them its secret chats.
func (h *Hub) EndSessions(user int64) error {
	return h.with(user, func(a *account) { h.dismiss(a, revoked) })
}

// dismiss ends all authorizations of an account.
func (h *Hub) dismiss(a *account, why string) {
	for len(a.devices) > 0 {
		h.logOut(a.devices[0], why)
	}
}

// unreachable is why nobody may ask to for a secret chat, nil if from may.
func unreachable(from, to *account) error {
	switch {
	case to.banned:
		return tgerr.New(400, tg.ErrInputUserDeactivated)
	case to.blocked[from.ID]:
		return tgerr.New(403, tg.ErrUserIsBlocked)
	case to.hidden:
		return tgerr.New(403, tg.ErrUserPrivacyRestricted)
	}
	return nil
}
