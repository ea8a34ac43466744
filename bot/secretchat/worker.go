package secretchat

import (
	"context"
	"time"
)

// worker carries out what one chat's record asks for: at most one per chat, so
// that one message is under way at a time and order is kept. It ends when there is
// nothing left to do.
type worker struct {
	id       int
	poke     chan struct{}
	failures int
	read     int // messages until then (Unix seconds) are still to be marked as read
}

const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// step is what came of one attempt: whether to go on, and not before when.
type step struct {
	more bool
	wait time.Duration
	// news ends the wait: it is for something that others may do before.
	news bool
}

// wake makes sure that a worker looks at the chat after now.
func (c *Client) wake(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.group == nil {
		return
	}
	if w, ok := c.workers[id]; ok {
		select {
		case w.poke <- struct{}{}:
		default:
		}
		return
	}
	w := &worker{id: id, poke: make(chan struct{}, 1)}
	c.workers[id] = w
	ctx := c.runCtx
	c.group.Go(func() error { return c.work(ctx, w) })
}

// rest ends a worker that has nothing to do, unless it was poked meanwhile.
func (c *Client) rest(w *worker) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-w.poke:
		return false
	default:
		delete(c.workers, w.id)
		return true
	}
}

func (c *Client) leave(w *worker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.workers, w.id)
}

// work alternates between the network and the handler; each waits on its own, so
// that a handler that fails does not hold up the answers the peer needs.
func (c *Client) work(ctx context.Context, w *worker) error {
	var net, events schedule
	for ctx.Err() == nil {
		if err := net.try(c.cfg.Now(), func() (step, error) { return c.network(ctx, w) }); err != nil {
			c.leave(w)
			return err
		}
		if err := events.try(c.cfg.Now(), func() (step, error) { return c.deliver(ctx, w) }); err != nil {
			c.leave(w)
			return err
		}
		switch wait, busy := soonest(c.cfg.Now(), net, events); {
		case !busy:
			if c.rest(w) {
				return nil
			}
		case wait > 0:
			if c.pause(ctx, w, wait) {
				net.poked()
			}
		}
	}
	c.leave(w)
	return ctx.Err()
}

// schedule is when one half of a worker's work is to be tried again. An idle half
// is looked at with every turn of the other, which may have given it something.
type schedule struct {
	idle bool
	at   time.Time
	news bool // a poke is reason to try before that
}

func (s *schedule) try(now time.Time, attempt func() (step, error)) error {
	if now.Before(s.at) {
		return nil
	}
	result, err := attempt()
	if err != nil {
		return err
	}
	s.idle = !result.more
	s.at, s.news = now.Add(result.wait), result.news
	return nil
}

func (s *schedule) poked() {
	if s.news {
		s.at = time.Time{}
	}
}

// soonest says how long nothing can be done; busy is false when nothing is left.
func soonest(now time.Time, halves ...schedule) (wait time.Duration, busy bool) {
	for _, s := range halves {
		if s.idle {
			continue
		}
		if d := max(0, s.at.Sub(now)); !busy || d < wait {
			wait = d
		}
		busy = true
	}
	return wait, busy
}

// pause waits; poked says that something has happened meanwhile.
func (c *Client) pause(ctx context.Context, w *worker, d time.Duration) (poked bool) {
	select {
	case <-ctx.Done():
	case <-w.poke:
		return true
	case <-c.cfg.After(d):
	}
	return false
}

// retry is a growing pause after a failure that may pass.
func (w *worker) retry() step {
	wait := min(firstRetry<<min(w.failures, 10), lastRetry)
	w.failures++
	return step{more: true, wait: wait}
}

// deliver tells the handler one event and forgets it when it was taken.
func (c *Client) deliver(ctx context.Context, w *worker) (step, error) {
	id := w.id
	ch, err := c.load(ctx, id)
	if err != nil {
		return step{}, c.halted(err)
	}
	if ch == nil || len(ch.Events) == 0 {
		return step{}, nil
	}
	ev := ch.Events[0]
	if err := c.hand(ctx, ch.public(), ev); err != nil {
		if ctx.Err() != nil {
			return step{}, ctx.Err()
		}
		c.cfg.Log.WarnContext(ctx, "secret chat event not taken", "chat", id, "event", string(ev.Kind), "error", err)
		return step{more: true, wait: firstRetry}, nil
	}
	err = c.change(ctx, id, func(ch *chat, _ env) error {
		ch.told(ev.Number)
		return nil
	})
	w.taken(ev)
	return step{more: true}, err
}

// handTimeout bounds what a handler may take for one event.
const handTimeout = time.Minute

func (c *Client) hand(ctx context.Context, ch Chat, ev Event) error {
	ctx, cancel := context.WithTimeout(ctx, handTimeout)
	defer cancel()
	return c.cfg.Handler.Event(ctx, ch, ev)
}
