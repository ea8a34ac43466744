package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/storage"
	"github.com/usherbot/usher/storage/redistest"
)

// watched is a Redis that is followed, with operators who may hear nothing.
type watched struct {
	*durability
	t      *testing.T
	server *redistest.Server
	now    time.Time
	told   []string
	deaf   error
}

func newWatched(t *testing.T, risk string) *watched {
	t.Helper()
	w := &watched{t: t, server: redistest.Start(t), now: time.Unix(1_790_000_000, 0)}
	keys, err := storage.NewKeyring(io.Discard)
	must(t, err)
	db, err := storage.Open(t.Context(), storage.Config{URL: w.server.URL, Network: "CirrusTest", Keys: keys})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	w.durability = &durability{
		ask: db.Durability, risk: risk, store: db.Sealed(), log: slog.New(slog.DiscardHandler),
		pause: backOff{clock: func() time.Time { return w.now }},
		tell: func(_ context.Context, keeps bool, _ string) error {
			w.told = append(w.told, map[bool]string{true: "keeps", false: "forgets"}[keeps])
			return w.deaf
		},
	}
	must(t, w.look(t.Context()))
	return w
}

// sees looks and reports a few times, and compares.
func (w *watched) sees(what string, sells bool, told ...string) {
	w.t.Helper()
	for range 3 {
		must(w.t, w.look(w.t.Context()))
		if err := w.reportOnce(w.t.Context()); err != nil && w.deaf == nil {
			w.t.Fatal(err)
		}
	}
	if ok, why := w.selling(); ok != sells || !slices.Equal(w.told, told) {
		w.t.Errorf("%s: sells %t (%s) and told was %q, want %t and %q", what, ok, why, w.told, sells, told)
	}
}

func TestSellingStopsWhileRedisCouldForgetAndComesBackByItself(t *testing.T) {
	t.Parallel()
	for setting, wrong := range map[string]string{
		"appendonly": "no", "appendfsync": "no", "no-appendfsync-on-rewrite": "yes", "maxmemory-policy": "allkeys-lru",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			right := map[string]string{
				"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "maxmemory-policy": "noeviction",
			}[setting]
			w := newWatched(t, storage.RiskRefused)
			w.sees("at first", true)
			w.server.Configure(setting, wrong)
			w.sees("changed behind our back", false, "forgets")
			if _, why := w.selling(); !strings.Contains(why, setting) {
				t.Errorf("the operator reads %q", why)
			}
			w.server.Configure(setting, right)
			w.sees("put right", true, "forgets", "keeps")
		})
	}
}

func TestAnAcceptedRiskIsNoNews(t *testing.T) {
	t.Parallel()
	w := newWatched(t, storage.RiskEverySec)
	w.server.Configure("appendfsync", "everysec")
	w.sees("the risk that is accepted", true)
	w.server.Configure("appendfsync", "no")
	w.sees("a greater one", false, "forgets")
}

func TestWhatRedisSaidLastStandsWhileItIsAway(t *testing.T) {
	t.Parallel()
	w := newWatched(t, storage.RiskRefused)
	w.server.Configure("appendfsync", "no")
	w.sees("changed", false, "forgets")
	w.server.Kill()
	if err := w.look(t.Context()); err == nil {
		t.Error("nothing was wrong with a Redis that is away")
	}
	if ok, _ := w.selling(); ok {
		t.Error("selling goes on while nothing is known")
	}
	w.server.Restart() // with the settings of its start
	w.sees("back", true, "forgets", "keeps")
}

func TestOperatorsWhoCannotBeToldAreTriedSeldomerAndAtOnceWhenTheyWrite(t *testing.T) {
	t.Parallel()
	w := newWatched(t, storage.RiskRefused)
	w.deaf = errors.New("nobody has written to the bot")
	w.server.Configure("appendfsync", "no")
	w.sees("unheard", false, "forgets")
	for tries, pause := range []time.Duration{firstPause, 2 * firstPause, 4 * firstPause, 8 * firstPause, longestPause, longestPause} {
		w.now = w.now.Add(pause - time.Second)
		w.sees("too early", false, slices.Repeat([]string{"forgets"}, tries+1)...)
		w.now = w.now.Add(time.Second)
		w.sees("again", false, slices.Repeat([]string{"forgets"}, tries+2)...)
	}
	w.deaf, w.told = nil, nil
	w.sees("between two tries", false)
	w.pause.hurry()
	w.sees("an operator wrote", false, "forgets")
	w.server.Configure("appendfsync", "always")
	w.sees("put right", true, "forgets", "keeps")
}

func TestATroubleThatIsOverBeforeAnybodyHeardOfItIsNoNews(t *testing.T) {
	t.Parallel()
	w := newWatched(t, storage.RiskRefused)
	w.deaf = errors.New("nobody has written to the bot")
	w.server.Configure("appendfsync", "no")
	w.sees("unheard", false, "forgets")
	w.server.Configure("appendfsync", "always")
	w.deaf = nil
	w.sees("over", true, "forgets")
}
