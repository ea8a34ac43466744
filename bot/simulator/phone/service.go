package phone

import (
	"context"
	"slices"

	"github.com/gotd/td/tg/e2e"
)

// act carries out a service message.
func (p *Simulated) act(ctx context.Context, c *chat, in incoming, a e2e.DecryptedMessageActionClass) error {
	switch a := a.(type) {
	case *e2e.DecryptedMessageActionNotifyLayer:
		c.notified = true
		c.layer = max(c.layer, a.Layer)
	case *e2e.DecryptedMessageActionSetMessageTTL:
		c.ttl = max(0, a.TTLSeconds)
	case *e2e.DecryptedMessageActionDeleteMessages:
		c.shown = slices.DeleteFunc(c.shown, func(m shown) bool {
			return slices.Contains(a.RandomIDs, m.random)
		})
	case *e2e.DecryptedMessageActionFlushHistory:
		c.shown = nil
	case *e2e.DecryptedMessageActionResend:
		if !in.done {
			return p.resend(ctx, c, a)
		}
	case *e2e.DecryptedMessageActionRequestKey:
		return p.onRequestKey(ctx, c, a)
	case *e2e.DecryptedMessageActionAcceptKey:
		return p.onAcceptKey(ctx, c, a)
	case *e2e.DecryptedMessageActionCommitKey:
		return p.onCommitKey(ctx, c, a)
	case *e2e.DecryptedMessageActionAbortKey:
		return p.onAbortKey(c, a)
	}
	// Read marks, typing, screenshots and Noop change nothing on this screen.
	return nil
}
