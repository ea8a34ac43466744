package phone

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/gotd/td/tg/e2e"
)

// A key serves this many messages in both directions together, or this long
// ("Perfect Forward Secrecy", core.telegram.org/api/end-to-end/pfs).
const (
	keyUses = 100
	keyAge  = 7 * 24 * time.Hour
)

var errExchange = errors.New("a step of a key exchange that is not due")

// exchange is a change of keys under way.
type exchange struct {
	id int64
	// secret is the exponent while this side's request is unanswered.
	secret *big.Int
	// key is the next key when this side has accepted and awaits the commit.
	key *key
}

func (e *exchange) mine() bool { return e.secret != nil }

// maybeRekey starts an exchange when the key has served long enough.
func (p *Simulated) maybeRekey(ctx context.Context, c *chat) {
	due := c.uses > keyUses || p.opts.Clock().Sub(c.keyed) > keyAge
	if c.state != StateOpen || c.exchange != nil || c.old != nil || !due {
		return
	}
	id, err := p.random64()
	if err != nil {
		return
	}
	secret, public, err := p.exponent(ctx, c)
	if err != nil {
		p.opts.Log.Warn("a simulated phone could not start a key exchange", "chat", c.id, "error", err)
		return
	}
	c.exchange = &exchange{id: id, secret: secret}
	p.service(ctx, c, &e2e.DecryptedMessageActionRequestKey{ExchangeID: id, GA: public})
}

// exponent draws an exponent in the chat's own group.
func (p *Simulated) exponent(ctx context.Context, c *chat) (*big.Int, []byte, error) {
	_, random, err := p.dhGroup(ctx)
	if err != nil {
		return nil, nil, err
	}
	return c.group.exponent(p.opts.Rand, random)
}

func (p *Simulated) onRequestKey(ctx context.Context, c *chat, a *e2e.DecryptedMessageActionRequestKey) error {
	if c.old != nil {
		return fmt.Errorf("%w: asked for a new key while the old one is in use", errExchange)
	}
	if e := c.exchange; e != nil {
		switch {
		case !e.mine():
			return fmt.Errorf("%w: asked for a second new key", errExchange)
		case e.id > a.ExchangeID:
			return nil
		case e.id == a.ExchangeID:
			c.exchange = nil
			return nil
		}
		c.exchange = nil
	}
	other, err := c.group.public(a.GA)
	if err != nil {
		return err
	}
	secret, public, err := p.exponent(ctx, c)
	if err != nil {
		return err
	}
	k := c.group.agree(secret, other)
	p.service(ctx, c, &e2e.DecryptedMessageActionAcceptKey{
		ExchangeID: a.ExchangeID, GB: public, KeyFingerprint: k.print,
	})
	c.exchange = &exchange{id: a.ExchangeID, key: k}
	return nil
}

func (p *Simulated) onAcceptKey(ctx context.Context, c *chat, a *e2e.DecryptedMessageActionAcceptKey) error {
	e := c.exchange
	if e == nil || !e.mine() || e.id != a.ExchangeID {
		return fmt.Errorf("%w: AcceptKey", errExchange)
	}
	other, err := c.group.public(a.GB)
	if err != nil {
		return err
	}
	k := c.group.agree(e.secret, other)
	if k.print != a.KeyFingerprint {
		return errFingerprint
	}
	p.service(ctx, c, &e2e.DecryptedMessageActionCommitKey{ExchangeID: e.id, KeyFingerprint: k.print})
	if c.state != StateOpen {
		return nil
	}
	e.secret, e.key = nil, k
	p.switchKey(c)
	return nil
}

func (p *Simulated) onCommitKey(ctx context.Context, c *chat, a *e2e.DecryptedMessageActionCommitKey) error {
	if e := c.exchange; e != nil && e.key != nil && e.id == a.ExchangeID {
		if e.key.print != a.KeyFingerprint {
			return errFingerprint
		}
		p.switchKey(c)
	} else if a.KeyFingerprint != c.current.print {
		return fmt.Errorf("%w: CommitKey", errExchange)
	}
	if len(c.waiting) == 0 {
		c.old = nil
	}
	p.service(ctx, c, &e2e.DecryptedMessageActionNoop{})
	return nil
}

func (p *Simulated) onAbortKey(c *chat, a *e2e.DecryptedMessageActionAbortKey) error {
	if e := c.exchange; e == nil || !e.mine() || e.id != a.ExchangeID {
		return fmt.Errorf("%w: AbortKey", errExchange)
	}
	c.exchange = nil
	return nil
}

// switchKey makes the exchange's key the current one. The one before stays
// for messages that are still under way.
func (p *Simulated) switchKey(c *chat) {
	c.old, c.current, c.exchange = c.current, c.exchange.key, nil
	c.uses, c.keyed = 0, p.opts.Clock()
	c.rekeyed++
}
