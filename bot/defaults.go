package bot

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/usherbot/usher/flows/order"
)

const telegramURL = "https://api.telegram.org"

func (c Config) withDefaults() Config {
	usual(&c.URL, telegramURL)
	if c.Client == nil {
		c.Client = &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 32,
			IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
		}}
	}
	if c.Sites == nil {
		c.Sites = order.Straight{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Wait == nil {
		c.Wait = wait
	}
	if c.Limiter == nil {
		c.Limiter = NewPacer(Pace{}, c.Clock, c.Wait)
	}
	if c.Sorry == nil {
		c.Sorry = func(string) string { return "Something went wrong. Please try again." }
	}
	c.Rules = c.Rules.withDefaults()
	return c
}

func (r Rules) withDefaults() Rules {
	usual(&r.Workers, 64)
	usual(&r.Tries, 5)
	usual(&r.BusyTries, 60)
	usual(&r.Pause, 200*time.Millisecond)
	usual(&r.Most, 10*time.Second)
	usual(&r.HandleWithin, 30*time.Second)
	usual(&r.CallWithin, 20*time.Second)
	usual(&r.ReplyWithin, 2*time.Minute)
	usual(&r.ShowWithin, time.Minute)
	usual(&r.Poll, 50*time.Second)
	usual(&r.Look, 100*time.Millisecond)
	usual(&r.Grace, 5*time.Second)
	usual(&r.DeliverWithin, 25*time.Second)
	usual(&r.ReadWithin, 10*time.Second)
	usual(&r.TakeWithin, time.Second)
	usual(&r.Deliveries, 30)
	usual(&r.Check, time.Minute)
	return r
}

func usual[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// pause is how long to wait after so many failures.
func (r Rules) pause(failures int) time.Duration {
	d := r.Pause
	for range failures - 1 {
		if d *= 2; d >= r.Most {
			return r.Most
		}
	}
	return min(d, r.Most)
}
