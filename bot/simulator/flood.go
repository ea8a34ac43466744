package simulator

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Flood control as bots have seen it; Telegram does not publish exact numbers.
const (
	perSecond   = 30 // messages a second, over all chats
	chatBurst   = 3  // one a second in a chat, and so many at once
	perGroup    = 20 // a minute
	groupMinute = 59 * time.Second
)

// flood is Telegram's flood control. Messages and edits count; answers to
// callbacks do not.
type flood struct {
	on    bool
	clock func() time.Time

	mu     sync.Mutex
	all    *rate.Limiter
	chats  map[int64]*rate.Limiter
	groups map[int64][]time.Time // when the last perGroup messages went
	until  map[int64]time.Time   // a chat stays shut until then
}

func newFlood(on bool, clock func() time.Time) *flood {
	return &flood{
		on: on, clock: clock,
		all:    rate.NewLimiter(perSecond, perSecond),
		chats:  make(map[int64]*rate.Limiter),
		groups: make(map[int64][]time.Time),
		until:  make(map[int64]time.Time),
	}
}

// admit counts one message in a chat; the error is a 429.
func (f *flood) admit(c *chat) error {
	if !f.on {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock()
	if wait := f.until[c.id].Sub(now); wait > 0 {
		return tooMany(seconds(wait))
	}
	wait := max(f.groupWait(c, now), f.chatWait(c.id, now))
	if wait == 0 {
		wait = reserve(f.all, now)
	}
	if wait > 0 {
		f.until[c.id] = now.Add(time.Duration(seconds(wait)) * time.Second)
		return tooMany(seconds(wait))
	}
	if c.kind != "private" {
		f.groups[c.id] = append(f.groups[c.id], now)
	}
	return nil
}

func (f *flood) chatWait(id int64, now time.Time) time.Duration {
	l := f.chats[id]
	if l == nil {
		l = rate.NewLimiter(1, chatBurst)
		f.chats[id] = l
	}
	return reserve(l, now)
}

func (f *flood) groupWait(c *chat, now time.Time) time.Duration {
	sent := f.groups[c.id]
	for len(sent) > 0 && now.Sub(sent[0]) >= groupMinute {
		sent = sent[1:]
	}
	f.groups[c.id] = sent
	if len(sent) < perGroup {
		return 0
	}
	return groupMinute - now.Sub(sent[0])
}

// reserve takes a token, or says how long until there is one.
func reserve(l *rate.Limiter, now time.Time) time.Duration {
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
