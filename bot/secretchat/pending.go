package secretchat

import (
	"context"
	"errors"
)

// Pending says whether a chat of ours still waits for the other side's part of the key.
// A message for such a chat came before the update that it follows; it is kept until the
// chat opens, but who counts it as handled may never be told that update again.
func (c *Client) Pending(ctx context.Context, id int) (bool, error) {
	ch, err := c.load(ctx, id)
	if errors.Is(err, errDamaged) {
		return false, nil
	}
	if err != nil || ch == nil {
		return false, err
	}
	return ch.Phase == PhaseAsking || ch.Phase == PhaseWaiting, nil
}
