package courier

import (
	"context"
	"log/slog"
	"time"
)

const (
	// tellPause is how long a handler that has failed is left alone at first; longestTell is
	// the most that comes of doubling it each time. Whoever is to be told may never be there.
	tellPause   = time.Minute
	longestTell = 15 * time.Minute
)

// unsaid is news that the handler did not take.
type unsaid struct {
	failures int
	again    time.Time // not before then
}

// sayable says that it is time to tell the handler. The caller holds health.
func (p *Pool) sayable(what string, now time.Time) bool {
	u := p.unsaid[what]
	return u == nil || !now.Before(u.again)
}

// say tells the handler, and says whether it took the news. That it did not is a warning
// once. The caller holds health.
func (p *Pool) say(ctx context.Context, what string, news AccountNews) bool {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	err := p.handler.AccountChanged(ctx, news)
	if err == nil {
		delete(p.unsaid, what)
		return true
	}
	u, level := p.unsaid[what], slog.LevelDebug
	if u == nil {
		u, level = &unsaid{}, slog.LevelWarn
		p.unsaid[what] = u
	}
	pause := min(tellPause<<min(u.failures, 10), longestTell)
	u.failures++
	u.again = p.cfg.Clock.Now().Add(pause)
	p.cfg.Log.Log(ctx, level, "courier account's news not taken, they are told again",
		"slot", what, "health", string(news.Health), "error", err)
	return false
}

// TellAgain has news that the handler did not take told within seconds: whoever they are
// for is there now. It does not wait.
func (p *Pool) TellAgain() { p.hurry.Store(true) }

// hurried carries TellAgain out. The caller holds health.
func (p *Pool) hurried() {
	if !p.hurry.Swap(false) {
		return
	}
	for _, u := range p.unsaid {
		u.again = time.Time{}
	}
}
