package bot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter keeps what goes out within Telegram's limits. One in process is Pacer; others may share limits between
// replicas.
type Limiter interface {
	// Wait returns when a message, or an edit, may go to the chat. What is urgent goes before what is not. Errors: ctx's,
	// at once where its deadline comes too early.
	Wait(ctx context.Context, chat int64, urgent bool) error
	// Pause lets nothing go to the chat for d, as Telegram asked.
	Pause(chat int64, d time.Duration)
}

// Rate allows Burst messages at once and one more Every so long.
type Rate struct {
	Every time.Duration
	Burst int
}

func (r Rate) limiter() *rate.Limiter { return rate.NewLimiter(rate.Every(r.Every), r.Burst) }

// Pace is how fast messages go. Zero values mean the defaults, which keep to the numbers that Telegram names in every
// second and every minute: 30 a second over all, 20 a minute in one group, about one a second in one chat, where a few
// at once are tolerated.
type Pace struct {
	All   Rate // 34 ms, 1
	Chat  Rate // 1 s, 3
	Group Rate // 4 s, 5: in groups and channels, on top of Chat
}

// Pacer is the limits of one process.
type Pacer struct {
	pace  Pace
	clock func() time.Time
	wait  func(ctx context.Context, d time.Duration) error

	mu    sync.Mutex
	all   *rate.Limiter
	chats map[int64]*paced
}

// paced is what a chat may still get.
type paced struct {
	chat, group *rate.Limiter // group is nil in a private chat
	until       time.Time     // nothing before that
}

// NewPacer makes limits that begin now.
func NewPacer(p Pace, clock func() time.Time, wait func(ctx context.Context, d time.Duration) error) *Pacer {
	usual(&p.All, Rate{34 * time.Millisecond, 1})
	usual(&p.Chat, Rate{time.Second, 3})
	usual(&p.Group, Rate{4 * time.Second, 5})
	return &Pacer{pace: p, clock: clock, wait: wait, all: p.All.limiter(), chats: make(map[int64]*paced)}
}

// Wait returns when a message may go to the chat.
func (p *Pacer) Wait(ctx context.Context, chat int64, urgent bool) error {
	for {
		d := p.chatDelay(chat)
		if d == 0 {
			break
		}
		if err := p.sleep(ctx, d); err != nil {
			return err
		}
	}
	if urgent {
		return p.queue(ctx)
	}
	return p.lookForGap(ctx)
}

// queue takes the next place over all.
func (p *Pacer) queue(ctx context.Context) error {
	now := p.clock()
	place := p.all.ReserveN(now, 1)
	d := place.DelayFrom(now)
	if d == 0 {
		return nil
	}
	if err := p.sleep(ctx, d); err != nil {
		place.CancelAt(p.clock())
		return err
	}
	return nil
}

// lookForGap waits until nothing urgent is queued.
func (p *Pacer) lookForGap(ctx context.Context) error {
	for !p.all.AllowN(p.clock(), 1) {
		if err := p.sleep(ctx, p.pace.All.Every); err != nil {
			return err
		}
	}
	return nil
}

// chatDelay takes the chat's next message, or tells how long there is none.
func (p *Pacer) chatDelay(chat int64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock()
	c := p.chat(chat, now)
	d := max(c.until.Sub(now), delay(c.chat, now))
	if c.group != nil {
		d = max(d, delay(c.group, now))
	}
	if d > 0 {
		return d
	}
	c.chat.AllowN(now, 1)
	if c.group != nil {
		c.group.AllowN(now, 1)
	}
	return 0
}

// delay is how long until the limiter allows one, which it does not take.
func delay(l *rate.Limiter, now time.Time) time.Duration {
	r := l.ReserveN(now, 1)
	d := r.DelayFrom(now)
	r.CancelAt(now)
	return d
}

// Pause lets nothing go to the chat for d.
func (p *Pacer) Pause(chat int64, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock()
	c := p.chat(chat, now)
	if until := now.Add(d); until.After(c.until) {
		c.until = until
	}
}

// chat finds a chat's limits. Those that are used up in no way are forgotten when there are many; as few messages a
// second leave, few others can be there.
func (p *Pacer) chat(id int64, now time.Time) *paced {
	if c := p.chats[id]; c != nil {
		return c
	}
	if len(p.chats) >= memorySize {
		for id, c := range p.chats {
			if c.unused(now) {
				delete(p.chats, id)
			}
		}
	}
	c := &paced{chat: p.pace.Chat.limiter()}
	if id < 0 {
		c.group = p.pace.Group.limiter()
	}
	p.chats[id] = c
	return c
}

func (c *paced) unused(now time.Time) bool {
	full := func(l *rate.Limiter) bool { return l == nil || l.TokensAt(now) >= float64(l.Burst()) }
	return !c.until.After(now) && full(c.chat) && full(c.group)
}

// sleep waits for d, or tells at once that ctx does not last so long.
func (p *Pacer) sleep(ctx context.Context, d time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return fmt.Errorf("no message for another %s: %w", d.Round(time.Millisecond), context.DeadlineExceeded)
	}
	return p.wait(ctx, d)
}
