package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/usherbot/usher/chain/sandbox"
)

// crashBefore and crashAfter are the deaths of the process: before the call, and between the call and what comes next.
const (
	crashBefore = "crash-before"
	crashAfter  = "crash-after"
	lostBefore  = "lost-before"
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
	lostBefore: func(*tortureSites, context.Context, blow, func(context.Context) error) error { return errCut },
	"lost-after": func(_ *tortureSites, ctx context.Context, _ blow, call func(context.Context) error) error {
		_ = call(ctx) // its answer is lost
		return errCut
	},
	// It is away: the next calls too find nobody.
	"away": func(s *tortureSites, _ context.Context, b blow, _ func(context.Context) error) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.from, _, _ = strings.Cut(b.site, ".")
		s.away = 3
		return errCut
	},
	// The caller gives up, and the request arrives a block later.
	"late": func(s *tortureSites, ctx context.Context, _ blow, call func(context.Context) error) error {
		s.late = append(s.late, func() { _ = call(context.WithoutCancel(ctx)) })
		return errCut
	},
	// Redis dies, and comes back without the last second of what it was told; so does Usher.
	"rollback": func(s *tortureSites, _ context.Context, _ blow, _ func(context.Context) error) error {
		s.rollback()
		return s.die()
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

// faultsOf are the kinds of failure that a call at a site can have.
func faultsOf(site string) []string {
	host, _, _ := strings.Cut(site, ".")
	switch {
	case host == "order":
		return []string{lostBefore, "lost-after"}
	case strings.HasPrefix(site, "redis.order."):
		return []string{lostBefore, "lost-after"}
	case host == "redis":
		return []string{"lost-after"}
	case slices.Contains(changing, site):
		return []string{
			"drop-before", "drop-after", "garbage", "error-500", "late", "away", "no-peers", "password", "wallet", "outpoints", "reserved", "funds", "refused",
		}
	case host == "node" || host == "ticketbooth":
		return []string{"away", "garbage"}
	}
	return nil
}

// changing are the sites whose calls change something: none of them is made twice by itself.
var changing = []string{
	"node.call", "node.build", "node.send", "node.forget", "node.rescan", "ticketbooth.reserve", "ticketbooth.release",
}

// forgotten tells whether Redis is rolled back at a site: where money moves, and where it is written down.
func forgotten(site string) bool {
	return strings.HasPrefix(site, "order.") || strings.HasPrefix(site, "redis.order.") || site == "bot.reply"
}
