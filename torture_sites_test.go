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

// crashBefore and crashAfter are the deaths of the process: before the call, and between the call and what comes next.
const (
	crashBefore = "crash-before"
	crashAfter  = "crash-after"
)

// kinds are the blows: each makes the call, or not, and gives what comes of it.
var kinds = map[string]func(s *tortureSites, ctx context.Context, b blow, call func(context.Context) error) error{
	crashBefore: func(s *tortureSites, _ context.Context, _ blow, _ func(context.Context) error) error {
		return s.die()
	},
	crashAfter: func(s *tortureSites, ctx context.Context, _ blow, call func(context.Context) error) error {
		_ = call(ctx) // nobody is left to hear it
		return s.die()
	},
	// The connection is lost before the other side got the request, and after it did the work.
	"lost-before": func(*tortureSites, context.Context, blow, func(context.Context) error) error { return errCut },
	"lost-after": func(_ *tortureSites, ctx context.Context, _ blow, call func(context.Context) error) error {
		_ = call(ctx) // its answer is lost
		return errCut
	},
	// Faults of the node and of Ticketbooth as they are on the wire.
	"drop-before": onWire("drop-before", ""), "drop-after": onWire("drop-after", ""), "garbage": onWire("garbage", ""),
	"error-500": onWire("status:500", `{"errors":[{"status":500,"message":"Object reference not set"}]}`),
	"no-peers":  refuses("Can't send transaction as the node requires at least one connection."),
	"password":  refuses("Invalid password (or invalid Network)"), "wallet": refuses("No wallet with name 'usher1' could be found."),
	"outpoints": refuses("An invalid list of request outpoints have been passed"), "reserved": refuses("All of the selected inputs are currently reserved."),
	"funds": refuses("Not enough funds to cover the target"), "refused": refuses("Something nobody has thought of"),
}

// errCut is what a call gives whose connection was cut.
var errCut = errors.New("connection cut")

func refuses(words string) func(*tortureSites, context.Context, blow, func(context.Context) error) error {
	return onWire("status:400", fmt.Sprintf(`{"errors":[{"status":400,"message":%q}]}`, words))
}

// onWire has the sandbox fail the one request that the call makes.
func onWire(kind, body string) func(*tortureSites, context.Context, blow, func(context.Context) error) error {
	return func(s *tortureSites, ctx context.Context, _ blow, call func(context.Context) error) error {
		if err := s.chain.Fault(sandbox.FaultRequest{Kind: kind, Times: 1, Body: body}); err != nil {
			return err
		}
		defer s.chain.ClearFaults()
		return call(ctx)
	}
}

// tortureSites are the call sites of one life after another of the same Usher. Calls come one at a time.
type tortureSites struct {
	chain *sandbox.Sandbox

	mu     sync.Mutex
	blows  []blow // still to come, in order
	count  map[pair]int
	total  map[pair]int
	struck []strike
	last   map[order.ID][]string // states of each order, as they were last seen
	dead   bool
	trace  func(string)
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
