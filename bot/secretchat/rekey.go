package secretchat

import (
	"time"

	"github.com/gotd/td/tg/e2e"
)

const (
	// keyMessages and keyAge are after how much use a key is to be changed. The age
	// counts only for a key that was used.
	keyMessages = 100
	keyAge      = 7 * 24 * time.Hour
	// maxGone is of how many keys that were given up the fingerprint is kept.
	maxGone = 4
)

// exchange is a change of keys that is under way. The side that asked holds an
// exponent, the side that answered the negotiated key. The one that answered
// cannot go back: the other may be writing under the new key already.
type exchange struct {
	ID       int64    `json:"id"`
	Exponent secret   `json:"exponent,omitempty"`
	Public   []byte   `json:"public,omitempty"`
	Key      *chatKey `json:"key,omitempty"`
	// Overruled is what the peer asked for at the same time with a smaller id.
	Overruled *overruled `json:"overruled,omitempty"`
}

// overruled is a request of the peer's that is not answered, since ours stands.
type overruled struct {
	ID     int64  `json:"id"`
	Public []byte `json:"public"`
}

// negotiated is the key that we answered with, which the peer may use any time.
func (x *exchange) negotiated() *chatKey {
	if x == nil {
		return nil
	}
	return x.Key
}

// asked says that we wait for the peer's answer.
func (x *exchange) asked() bool { return x != nil && x.Exponent != nil }

// renewKey starts a change of keys when one is due. Never while one is open or an
// old key is still held: the peer would have to close the chat.
func (c *chat) renewKey(e env) error {
	if c.Phase != PhaseOpen || c.Exchange != nil || c.Old != nil {
		return nil
	}
	age := e.now.Sub(time.Unix(c.Key.Since, 0))
	if c.Key.Used <= keyMessages && (age < keyAge || c.Key.Used == 0) {
		return nil
	}
	exponent, public, err := c.group().fresh(e.random, nil)
	if err != nil {
		return err
	}
	id, err := e.randomID()
	if err != nil {
		return err
	}
	c.Exchange = &exchange{ID: id, Exponent: exponent, Public: public}
	return c.actFor(e, id, &e2e.DecryptedMessageActionRequestKey{ExchangeID: id, GA: public})
}

// keyRequested answers the peer's wish for a new key. When both asked at once the
// larger exchange id stands.
func (c *chat) keyRequested(e env, w waiting, action *e2e.DecryptedMessageActionRequestKey) (Fault, error) {
	underOld := c.Old != nil && c.Old.Fingerprint == w.Fingerprint
	if c.Exchange.negotiated() != nil || underOld {
		return c.fault(e, FaultExchange), nil
	}
	if c.Exchange.asked() {
		ours := c.Exchange.ID
		if ours > action.ExchangeID {
			c.Exchange.Overruled = &overruled{ID: action.ExchangeID, Public: action.GA}
			return "", nil
		}
		c.forgetExchange()
		if ours == action.ExchangeID {
			return "", nil
		}
	}
	g := c.group()
	exponent, public, err := g.fresh(e.random, nil)
	if err != nil {
		return "", err
	}
	if err := g.check(public, action.GA); err != nil {
		return c.fault(e, FaultWeak), nil //nolint:nilerr // the violation is in the record
	}
	key := newChatKey(e, g.key(action.GA, exponent))
	clear(exponent)
	answer := &e2e.DecryptedMessageActionAcceptKey{
		ExchangeID: action.ExchangeID, GB: public, KeyFingerprint: key.Fingerprint,
	}
	if err := c.actFor(e, action.ExchangeID, answer); err != nil || !c.live() {
		return "", err
	}
	c.Exchange = &exchange{ID: action.ExchangeID, Key: key}
	return "", nil
}

// keyAccepted completes a change that we asked for: the commitment goes under the
// old key, everything after it under the new one.
func (c *chat) keyAccepted(e env, action *e2e.DecryptedMessageActionAcceptKey) (Fault, error) {
	if !c.Exchange.asked() || c.Exchange.ID != action.ExchangeID {
		return c.fault(e, FaultExchange), nil
	}
	g := c.group()
	if err := g.check(c.Exchange.Public, action.GB); err != nil {
		return c.fault(e, FaultWeak), nil //nolint:nilerr // the violation is in the record
	}
	key := newChatKey(e, g.key(action.GB, c.Exchange.Exponent))
	if key.Fingerprint != action.KeyFingerprint {
		return c.fault(e, FaultNewKey), nil
	}
	commit := &e2e.DecryptedMessageActionCommitKey{ExchangeID: action.ExchangeID, KeyFingerprint: key.Fingerprint}
	if err := c.act(e, commit); err != nil || !c.live() {
		return "", err
	}
	c.forgetExchange()
	c.Old, c.Key = c.Key, key
	return "", nil
}

// keyCommitted is the peer's last word on a change that it asked for. It may come
// late, when a message under the new key has made us switch already.
func (c *chat) keyCommitted(e env, action *e2e.DecryptedMessageActionCommitKey) (Fault, error) {
	if key := c.Exchange.negotiated(); key != nil {
		switch {
		case c.Exchange.ID != action.ExchangeID:
			return c.fault(e, FaultExchange), nil
		case key.Fingerprint != action.KeyFingerprint:
			return c.fault(e, FaultNewKey), nil
		}
		if err := c.switchKey(e); err != nil {
			return "", err
		}
		c.dropOld()
		return "", nil
	}
	if c.Key.Fingerprint != action.KeyFingerprint {
		return c.fault(e, FaultExchange), nil
	}
	c.dropOld()
	return "", nil
}

// keyAborted forgets a change of keys that the peer does not want to go on with,
// whoever asked for it. Messages are processed in order, so none before it was
// under the new key, and none after it will be. One that is completed stands.
func (c *chat) keyAborted(e env, action *e2e.DecryptedMessageActionAbortKey) Fault {
	if c.Exchange != nil && c.Exchange.ID == action.ExchangeID {
		c.postponeKey(e)
	}
	return ""
}

// postponeKey forgets the change of keys that is under way. Counting starts anew, or the
// next message would ask again at once.
func (c *chat) postponeKey(e env) {
	c.forgetExchange()
	c.Key.Used, c.Key.Since = 0, e.now.Unix()
}

// turnKeys looks at the key that a processed message was under. Messages are
// processed in order, so the first one under the new key shows that none under
// the old one is still to come.
func (c *chat) turnKeys(e env, fingerprint int64) error {
	if key := c.Exchange.negotiated(); key != nil && key.Fingerprint == fingerprint {
		return c.switchKey(e)
	}
	if c.Old != nil && c.Key.Fingerprint == fingerprint {
		c.dropOld()
	}
	return nil
}

// switchKey makes the negotiated key the current one, and writes something under
// it, so that the peer can let the old one go.
func (c *chat) switchKey(e env) error {
	c.Old, c.Key = c.Key, c.Exchange.Key
	c.Exchange = nil
	return c.act(e, &e2e.DecryptedMessageActionNoop{})
}

func (c *chat) dropOld() {
	if c.Old == nil {
		return
	}
	c.Gone = append(c.Gone, c.Old.Fingerprint)
	c.Gone = c.Gone[max(0, len(c.Gone)-maxGone):]
	clear(c.Old.Bytes)
	c.Old = nil
}

func (c *chat) forgetExchange() {
	if c.Exchange != nil {
		clear(c.Exchange.Exponent)
		clear(c.keyBytes(c.Exchange.Key))
	}
	c.Exchange = nil
}
