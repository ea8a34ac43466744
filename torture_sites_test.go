package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
)

// pair is a call site, and a state that an order is in when it is passed. A call for no order, as that of the watcher,
// counts for the states of all orders there are.
type pair struct{ site, state string }

func (p pair) String() string { return p.site + "/" + p.state }

// blow is what happens at the nth call of a pair after the blow before it.
type blow struct {
	pair
	nth  int
	kind string
}

// String gives the form that parseBlow reads.
func (b blow) String() string { return fmt.Sprintf("%s@%s#%d", b.kind, b.pair, b.nth) }

var errBlow = errors.New("a blow has the form kind@site/state#n")

func parseBlow(text string) (b blow, err error) {
	kind, rest, ok := strings.Cut(text, "@")
	where, nth, ok2 := strings.Cut(rest, "#")
	site, state, ok3 := strings.Cut(where, "/")
	if b.nth, err = strconv.Atoi(nth); err != nil || !ok || !ok2 || !ok3 || kinds[kind] == nil {
		return b, fmt.Errorf("%w: %q", errBlow, text)
	}
	b.kind, b.site, b.state = kind, site, state
	return b, nil
}

// tortureSites are the call sites of one life after another of the same Usher. Calls come one at a time.
type tortureSites struct {
	chain *sandbox.Sandbox

	mu       sync.Mutex
	blows    []blow // still to come, in order
	count    map[pair]int
	total    map[pair]int
	struck   []strike
	last     map[order.ID][]string // states of each order, as they were last seen
	away     int                   // so many calls more whose site begins with from find nobody
	from     string
	late     []func() // requests that are still on their way
	dead     bool
	trace    func(string)
	rollback func()
}

// strike is a blow that fell, and all states that it fell in.
type strike struct {
	blow
	states []string
}

// death is what the process dies of: a panic that takes everything in memory with it.
type death struct{}

var errDead = errors.New("the process is dead")

func (s *tortureSites) die() error {
	s.mu.Lock()
	s.dead = true
	s.mu.Unlock()
	panic(death{})
}

// Do implements order.Sites. A dead process makes no call, whatever is unwound.
func (s *tortureSites) Do(ctx context.Context, site string, call func(context.Context) error) error {
	b, alive := s.pass(ctx, site)
	switch {
	case !alive:
		return errDead
	case b == nil:
		return call(ctx)
	}
	return kinds[b.kind](s, ctx, *b, call)
}

// pass counts a call, and gives the blow that it meets.
func (s *tortureSites) pass(ctx context.Context, site string) (met *blow, alive bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return nil, false
	}
	states := s.states(ctx)
	if s.away > 0 && strings.HasPrefix(site, s.from) {
		s.away--
		return &blow{kind: lostBefore}, true
	}
	for _, state := range states {
		p := pair{site, state}
		s.count[p]++
		s.total[p]++
	}
	if s.trace != nil {
		s.trace(fmt.Sprintf("%s %v", site, states))
	}
	if len(s.blows) == 0 {
		return nil, true
	}
	b := s.blows[0]
	if b.site != site || !slices.Contains(states, b.state) || s.count[b.pair] < b.nth {
		return nil, true
	}
	s.blows, s.struck, s.count = s.blows[1:], append(s.struck, strike{b, states}), map[pair]int{}
	return &b, true
}

func (s *tortureSites) states(ctx context.Context) []string {
	hand, ok := order.InHand(ctx)
	if ok {
		s.last[hand.ID] = hand.States
		if hand.Row != "" {
			return []string{hand.Row}
		}
		return hand.States
	}
	all := []string{}
	for _, states := range s.last {
		all = append(all, states...)
	}
	if len(all) == 0 {
		return []string{"no order"}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
