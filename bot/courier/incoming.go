package courier

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/gotd/td/tg"
)

const (
	// maxGuesses is how many wrong codes of one sender are looked at within
	// guessWindow; what comes after them is not looked at at all.
	maxGuesses  = 5
	guessWindow = time.Hour
	// maxSenders bounds how many senders are remembered.
	maxSenders = 4096
)

// message takes an ordinary message to the account. Only one that holds the sender's
// own code means anything; all others are left unanswered, since an account that
// writes to strangers is soon one that may not.
func (l *life) message(ctx context.Context, m tg.MessageClass, users []tg.UserClass) error {
	sender, msg, ok := private(m)
	if !ok {
		return nil
	}
	codes := findCodes(msg.Message)
	if len(codes) == 0 {
		return nil
	}
	hash, ok := l.accessHash(ctx, sender, users)
	if !ok {
		l.c.cfg.Log.InfoContext(ctx, "message of a sender who cannot be addressed")
		return nil
	}
	return l.c.takeCode(ctx, sender, hash, codes, time.Unix(int64(msg.Date), 0))
}

// private is a message that a person has written to the account itself, not in a group
// and not from another session of the account.
func private(m tg.MessageClass) (sender int64, msg *tg.Message, ok bool) {
	msg, isMessage := m.(*tg.Message)
	if !isMessage || msg.Out {
		return 0, nil, false
	}
	peer, isUser := msg.PeerID.(*tg.PeerUser)
	if !isUser {
		return 0, nil, false
	}
	if from, known := msg.GetFromID(); known {
		if author, isUser := from.(*tg.PeerUser); !isUser || author.UserID != peer.UserID {
			return 0, nil, false
		}
	}
	return peer.UserID, msg, true
}

// accessHash is what a sender can be addressed with. Of a user who is told of in part
// only ("min") the hash is of no use; where it was told in full before, it is known.
func (l *life) accessHash(ctx context.Context, sender int64, users []tg.UserClass) (int64, bool) {
	for _, u := range users {
		user, ok := u.(*tg.User)
		if !ok || user.ID != sender || user.Min {
			continue
		}
		hash, ok := user.GetAccessHash()
		return hash, ok && !user.Bot && !user.Self
	}
	hash, ok, _ := l.known.GetUserAccessHash(ctx, 0, sender)
	return hash, ok
}

// acquaintances remembers with what users can be addressed. It forgets: a sender who is
// not in it is fetched anew by gotd, with all the difference.
type acquaintances struct {
	mu     sync.Mutex
	hashes map[int64]int64
}

// SetUserAccessHash implements gotd's updates.UserAccessHasher.
func (a *acquaintances) SetUserAccessHash(_ context.Context, _, user, hash int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hashes == nil || len(a.hashes) >= maxSenders {
		a.hashes = make(map[int64]int64)
	}
	a.hashes[user] = hash
	return nil
}

// GetUserAccessHash implements gotd's updates.UserAccessHasher.
func (a *acquaintances) GetUserAccessHash(_ context.Context, _, user int64) (int64, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	hash, ok := a.hashes[user]
	return hash, ok, nil
}

// guesses counts wrong codes by sender. It is kept in memory: what protects a code is
// its length.
type guesses struct {
	mu     sync.Mutex
	wrongs map[int64][]time.Time
}

// may says whether a code of this sender is looked at.
func (g *guesses) may(sender int64, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(recent(g.wrongs[sender], now)) < maxGuesses
}

// wrong counts a wrong code.
func (g *guesses) wrong(sender int64, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wrongs == nil {
		g.wrongs = make(map[int64][]time.Time)
	}
	if len(g.wrongs) >= maxSenders {
		maps.DeleteFunc(g.wrongs, func(_ int64, at []time.Time) bool { return len(recent(at, now)) < maxGuesses })
	}
	if len(g.wrongs) < maxSenders {
		g.wrongs[sender] = append(recent(g.wrongs[sender], now), now)
	}
}

func recent(all []time.Time, now time.Time) []time.Time {
	for i, at := range all {
		if now.Sub(at) < guessWindow {
			return all[i:]
		}
	}
	return nil
}
