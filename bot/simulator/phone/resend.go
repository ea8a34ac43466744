package phone

import (
	"context"
	"errors"
	"fmt"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
	"github.com/gotd/td/tgerr"
)

var errResend = errors.New("asked to send again what cannot be")

// resendMax is how many messages one request may name.
const resendMax = 1000

// postpone keeps a message behind a hole, and asks for the hole once.
func (p *Simulated) postpone(ctx context.Context, c *chat, number int, in incoming) error {
	if a, ok := actionOf(in.layer.Message).(*e2e.DecryptedMessageActionResend); ok {
		if _, twice := c.waiting[number]; !twice {
			// Both sides may wait for each other: this one must not wait for
			// its turn.
			if err := p.resend(ctx, c, a); err != nil {
				return err
			}
			in.done = true
		}
	}
	if len(c.waiting) >= waitingMax {
		return errTooMuch
	}
	lowest := number
	for n := range c.waiting {
		lowest = min(lowest, n)
	}
	if _, twice := c.waiting[number]; !twice {
		c.waiting[number] = in
	}
	if c.asked > c.in {
		return nil
	}
	c.asked = lowest
	bit := outBit(!c.creator)
	p.service(ctx, c, &e2e.DecryptedMessageActionResend{
		StartSeqNo: 2*c.in + bit, EndSeqNo: 2*(lowest-1) + bit,
	})
	return nil
}

func actionOf(m e2e.DecryptedMessageClass) e2e.DecryptedMessageActionClass {
	switch m := m.(type) {
	case *e2e.DecryptedMessageService:
		return m.Action
	case *e2e.DecryptedMessageService8:
		return m.Action
	}
	return nil
}

// resend sends the named messages again, the same bytes.
func (p *Simulated) resend(ctx context.Context, c *chat, a *e2e.DecryptedMessageActionResend) error {
	bit := outBit(c.creator)
	from, to := a.StartSeqNo/2, a.EndSeqNo/2
	if a.StartSeqNo < 0 || a.EndSeqNo < a.StartSeqNo || a.StartSeqNo&1 != bit || a.EndSeqNo&1 != bit ||
		to >= c.out || to-from >= resendMax {
		return errResend
	}
	for n := from; n <= to; n++ {
		o, ok := c.sent[n]
		if !ok {
			return fmt.Errorf("%w: number %d was acknowledged", errResend, n)
		}
		_, _, err := p.transmit(ctx, c, o)
		if err != nil && !tgerr.Is(err, tg.ErrRandomIDDuplicate) {
			return err
		}
	}
	return nil
}
