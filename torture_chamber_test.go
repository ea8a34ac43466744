package main

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// chamber plans runs, plays them side by side, and keeps what came of each.
type chamber struct {
	seed uint64

	mu     sync.Mutex
	calmly map[string][]string     // how the orders of a story end where nothing happens, by tale and way to reserve
	known  map[goal]occurrence     // where each was seen first
	hit    map[string]map[goal]int // by kind
	cells  map[[2]string]*cell     // of the table, by kind and state
	runs   int
	failed []string
	begun  time.Time
}

// goal is a pair to hit. With the two ways to reserve, calls of the node come to different ends.
type goal struct {
	pair
	reserve string // empty: in either way
}

func goalOf(p pair, reserve string) goal {
	if strings.HasPrefix(p.site, "redis.") || p.site == "bot.reply" {
		reserve = ""
	}
	return goal{p, reserve}
}

// occurrence is a run in which a pair is met, and how often.
type occurrence struct {
	base  plan
	times int
}

// cell counts what became of the runs of one kind in one state.
type cell struct{ asEver, otherwise, failed int }

func newChamber(seed uint64) *chamber {
	return &chamber{
		seed: seed, calmly: map[string][]string{}, known: map[goal]occurrence{}, hit: map[string]map[goal]int{},
		cells: map[[2]string]*cell{}, begun: time.Now(),
	}
}

func (p plan) calm() string { return p.tale + "," + p.reserve }

// play plays runs, as many side by side as there are processors, each with a Redis of its own.
func (c *chamber) play(t *testing.T, plans []plan, then func(plan, *bed)) {
	t.Helper()
	queue := make(chan plan, len(plans))
	for _, p := range plans {
		queue <- p
	}
	close(queue)
	t.Run("runs", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				server := startTortureRedis(t)
				for p := range queue {
					if c.needless(p) {
						continue
					}
					b := playTorture(t, server, p)
					c.mu.Lock()
					then(p, b)
					if c.runs%200 == 0 {
						fmt.Fprintf(os.Stderr, "torture: %d runs in %s, %d failed\n", c.runs, time.Since(c.begun).Round(time.Second), len(c.failed))
					}
					c.mu.Unlock()
				}
			})
		}
	})
}

// needless tells whether all that a run would show was shown by another one.
func (c *chamber) needless(p plan) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over() {
		return true
	}
	if len(p.blows) == 0 {
		return false
	}
	last := p.blows[len(p.blows)-1]
	return c.hit[last.kind][goalOf(last.pair, p.reserve)] > 0
}

// over tells whether one failure was asked for, and is there.
func (c *chamber) over() bool { return *tortureFirst && len(c.failed) > 0 }

// calm plays each story without anything happening, to learn which pairs there are.
func (c *chamber) calm(t *testing.T) {
	t.Helper()
	var plans []plan
	for i, tale := range tortureTales() {
		for j, reserve := range []string{"ticketbooth", "direct"} {
			generation := []string{"ciphered", "hashed"}[(i+j)%2]
			plans = append(plans, plan{tale: tale.name, reserve: reserve, generation: generation, seed: c.seed})
		}
	}
	c.play(t, plans, func(p plan, b *bed) {
		c.calmly[p.calm()] = b.ends
		c.learn(p, b)
		c.judge(p, b)
	})
}

// learn remembers the pairs that a run has met and no run before it.
func (c *chamber) learn(p plan, b *bed) {
	for pair, times := range b.sites.count {
		g := goalOf(pair, p.reserve)
		// Runs end in any order: of those with as few blows the first by name counts.
		old, known := c.known[g]
		if !known || len(old.base.blows) == len(p.blows) && p.String() < old.base.String() {
			c.known[g] = occurrence{p, times}
		}
	}
}

// faults has the calls of every pair fail in each way that there is at its site.
func (c *chamber) faults(t *testing.T) {
	t.Helper()
	kinds := map[string]bool{}
	for p := range c.known {
		for _, kind := range faultsOf(p.site) {
			kinds[kind] = true
		}
	}
	plans := c.planned(slices.Sorted(maps.Keys(kinds))...)
	t.Logf("%s: %d runs with faults to play", time.Since(c.begun).Round(time.Second), len(plans))
	c.play(t, plans, func(p plan, b *bed) {
		c.learn(p, b)
		c.judge(p, b)
	})
}

// rollbacks has Redis die at every pair and come back without the last second, and Usher with it.
func (c *chamber) rollbacks(t *testing.T) {
	t.Helper()
	plans := c.planned("rollback")
	t.Logf("%s: %d runs to play in which Redis is rolled back", time.Since(c.begun).Round(time.Second), len(plans))
	c.play(t, plans, c.judge)
}

// deaths has Usher die at every pair, before and after the call, until no run meets a new pair any more.
func (c *chamber) deaths(t *testing.T) {
	t.Helper()
	for round := 1; ; round++ {
		plans := c.planned(crashBefore, crashAfter)
		if len(plans) == 0 || c.over() {
			return
		}
		t.Logf("%s: round %d of deaths: %d pairs known, %d runs to play", time.Since(c.begun).Round(time.Second), round, len(c.known), len(plans))
		c.play(t, plans, func(p plan, b *bed) {
			c.learn(p, b)
			c.judge(p, b)
		})
	}
}

// sampled plays a few runs of a short story.
func (c *chamber) sampled(t *testing.T) {
	t.Helper()
	var plans []plan
	for _, text := range []string{
		"crash-after@order.reserve/ticket reserving#1", "crash-before@order.send/payout built#1",
	} {
		p, err := parsePlan(fmt.Sprintf("brief,direct,hashed,%d,%s", c.seed, text))
		if err != nil {
			t.Fatal(err)
		}
		c.mark(p.blows[0].kind, goalOf(p.blows[0].pair, p.reserve), -1)
		plans = append(plans, p)
	}
	c.play(t, plans, c.judge)
}

// planned are the runs that hit pairs which nothing of a kind has hit or tried to.
func (c *chamber) planned(kinds ...string) (plans []plan) {
	chance := rand.New(rand.NewPCG(c.seed, uint64(len(c.known)))) // #nosec G404 -- a test that must play the same again
	goals := slices.SortedFunc(maps.Keys(c.known), func(a, b goal) int {
		return cmp.Or(cmp.Compare(a.String(), b.String()), cmp.Compare(a.reserve, b.reserve))
	})
	only := regexp.MustCompile(*tortureOnly)
	for _, g := range goals {
		if !only.MatchString(g.String()) {
			continue
		}
		met := c.known[g]
		for _, kind := range kinds {
			possible := kind == crashBefore || kind == crashAfter || kind == "rollback" && forgotten(g.site) || slices.Contains(faultsOf(g.site), kind)
			if len(met.base.blows) > 1 || c.hit[kind][g] != 0 || !possible {
				continue
			}
			p := met.base
			p.blows = append(slices.Clone(p.blows), blow{g.pair, 1 + chance.IntN(met.times), kind})
			plans = append(plans, p)
			c.mark(kind, g, -1)
		}
	}
	chance.Shuffle(len(plans), func(i, j int) { plans[i], plans[j] = plans[j], plans[i] })
	return plans
}

// mark notes that a pair was hit, or (-1) that this was tried.
func (c *chamber) mark(kind string, p goal, n int) {
	if c.hit[kind] == nil {
		c.hit[kind] = map[goal]int{}
	}
	if n < 0 && c.hit[kind][p] > 0 {
		return
	}
	c.hit[kind][p] = n
}

// judge notes what a run showed.
func (c *chamber) judge(p plan, b *bed) {
	c.runs++
	for _, s := range b.sites.struck {
		for _, state := range s.states {
			c.mark(s.kind, goalOf(pair{s.site, state}, p.reserve), 1)
		}
	}
	if len(b.failures) > 0 {
		failure := fmt.Sprintf("%s\n    -torture.run %q", strings.Join(b.failures, "\n    "), p)
		c.failed = append(c.failed, failure)
		fmt.Fprintln(os.Stderr, failure) // at once: the rest may take long
	}
	if len(b.sites.struck) == 0 {
		return
	}
	last := b.sites.struck[len(b.sites.struck)-1]
	for _, state := range last.states {
		key := [2]string{last.kind, state}
		if c.cells[key] == nil {
			c.cells[key] = &cell{}
		}
		switch {
		case len(b.failures) > 0:
			c.cells[key].failed++
		case slices.Equal(b.ends, c.calmly[p.calm()]):
			c.cells[key].asEver++
		default:
			c.cells[key].otherwise++
		}
	}
}

// report prints the table, and fails for each run that failed and each pair that was never hit.
func (c *chamber) report(t *testing.T) {
	t.Helper()
	keys := slices.SortedFunc(maps.Keys(c.cells), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	t.Logf("seed %d: %d runs in %s; as ever / another end, all money accounted for / failed", c.seed, c.runs, time.Since(c.begun).Round(time.Second))
	for _, key := range keys {
		n := c.cells[key]
		t.Logf("%-14s %-26s %5d %5d %5d", key[0], key[1], n.asEver, n.otherwise, n.failed)
	}
	for _, failure := range c.failed {
		t.Error(failure)
	}
	if *tortureFull && !*tortureFirst {
		c.reached(t)
	}
	for kind, pairs := range c.hit {
		for p, n := range pairs {
			if n < 0 && !c.over() {
				t.Errorf("%s at %s was never hit", kind, p)
			}
		}
	}
}

// reached wants every call site of every row of the state tables to have seen deaths.
func (c *chamber) reached(t *testing.T) {
	t.Helper()
	for _, row := range order.Rows() {
		for _, site := range append(slices.Clone(row.Sites), order.SiteSave) {
			p := pair{site, row.Table + " " + row.State}
			died := func(kind string) bool {
				return c.hit[kind][goalOf(p, "direct")] > 0 || c.hit[kind][goalOf(p, "ticketbooth")] > 0
			}
			if !died(crashBefore) || !died(crashAfter) {
				t.Errorf("no run has died at %s", p)
			}
		}
	}
}
