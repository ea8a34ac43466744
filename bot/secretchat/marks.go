package secretchat

import (
	"context"
	"time"

	"github.com/gotd/td/tg"
)

// markTimeout is short: nothing waits for a read mark, but it keeps a message that is
// queued meanwhile from leaving.
const markTimeout = 5 * time.Second

// maxUnmarked read marks in a row that fail mean that the server does not know them.
const maxUnmarked = 3

// taken notes that the handler has taken an event: what the other side wrote until then
// counts as read.
func (w *worker) taken(ev Event) {
	if ev.incoming() {
		w.read = max(w.read, ev.Date)
	}
}

// markRead shows the other side that its messages were read. It is a courtesy: it is
// not kept for a restart, not repeated, and given up by a client whose server never takes
// it.
func (c *Client) markRead(ctx context.Context, w *worker, ch *chat) {
	until := w.read
	w.read = 0
	api, able := c.cfg.API.(ReadMarker)
	if !able || until == 0 || c.unmarked.Load() >= maxUnmarked {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, markTimeout)
	defer cancel()
	err := c.cfg.Do(ctx, "read", func(ctx context.Context) error {
		_, err := api.MessagesReadEncryptedHistory(ctx, &tg.MessagesReadEncryptedHistoryRequest{
			Peer: ch.peer(), MaxDate: until,
		})
		return err
	})
	if err != nil {
		c.cfg.Log.DebugContext(ctx, "read mark not set", "chat", ch.ID, "error", judge(err).name)
		c.unmarked.Add(1)
		return
	}
	c.unmarked.Store(0)
}
