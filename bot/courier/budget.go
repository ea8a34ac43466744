package courier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gotd/td/tgerr"
)

const (
	budgetName = "asked"   // the chats that the account asked for in the last day
	limitName  = "limited" // until when Telegram lets it ask for none

	budgetWindow = 24 * time.Hour
	// shortFlood is a pause that the secret chats sit out by themselves.
	shortFlood = time.Minute
	// floodPause is how long the account keeps still after PEER_FLOOD, which comes
	// without a time. Accounts that go on are banned.
	floodPause = 24 * time.Hour
	// longestFlood bounds what a server may ask for.
	longestFlood = 30 * 24 * time.Hour
	peerFlood    = "PEER_FLOOD"
)

// spending is one chat that was paid for out of the budget.
type spending struct {
	Ask string `json:"ask"` // which one: what was spent on it is not spent again
	At  int64  `json:"at"`  // Unix seconds
}

type budget struct {
	Version int        `json:"v"`
	Spent   []spending `json:"spent"`
}

// limit is a pause that Telegram has ordered.
type limit struct {
	Version int    `json:"v"`
	Until   int64  `json:"until"` // Unix seconds
	Name    string `json:"name"`  // of the server's error
}

// Asked tells how many chats the account has asked for in the last 24 hours.
func (c *Courier) Asked(ctx context.Context) (int, error) {
	b, err := c.budget(ctx)
	return len(b.Spent), err
}

// LimitedUntil tells until when Telegram lets the account start no chats; the zero time
// when it may. Any process may ask.
func (c *Courier) LimitedUntil(ctx context.Context) (time.Time, error) {
	var l limit
	found, err := c.read(ctx, limitName, &l)
	if err != nil || !found {
		return time.Time{}, err
	}
	until := time.Unix(l.Until, 0)
	if !until.After(c.cfg.Clock.Now()) {
		return time.Time{}, nil
	}
	return until, nil
}

// mayStart says whether the account can ask for one more chat. Errors: ErrLimited.
func (c *Courier) mayStart(ctx context.Context) error {
	until, err := c.LimitedUntil(ctx)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		return fmt.Errorf("%w: Telegram refuses it until %s", ErrLimited, until.UTC().Format(time.RFC3339))
	}
	b, err := c.budget(ctx)
	if err != nil {
		return err
	}
	if len(b.Spent) >= c.cfg.Daily {
		return fmt.Errorf("%w: %d of %d in a day are spent", ErrLimited, len(b.Spent), c.cfg.Daily)
	}
	return nil
}

// budget reads what was spent within the window.
func (c *Courier) budget(ctx context.Context) (budget, error) {
	var b budget
	if _, err := c.read(ctx, budgetName, &b); err != nil {
		return b, err
	}
	since := c.cfg.Clock.Now().Add(-budgetWindow).Unix()
	b.Spent = slices.DeleteFunc(b.Spent, func(s spending) bool { return s.At <= since })
	return b, nil
}

// spend takes a chat out of the budget, durably, once for each ask; false when nothing
// is left.
func (c *Courier) spend(ctx context.Context, ask string) (bool, error) {
	b, err := c.budget(ctx)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(b.Spent, func(s spending) bool { return s.Ask == ask }) {
		return true, nil
	}
	if len(b.Spent) >= c.cfg.Daily {
		return false, nil
	}
	b.Version, b.Spent = recordVersion, append(b.Spent, spending{Ask: ask, At: c.cfg.Clock.Now().Unix()})
	return true, c.write(ctx, budgetName, b)
}

// request carries out a request for a chat: one at a time, and none while Telegram
// refuses them. A refusal of the account is saved before the chat hears of it: an error
// of that save takes its place, so that the request counts as not answered.
func (c *Courier) request(ctx context.Context, call func(context.Context) error) error {
	select {
	case c.asks.calling <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.asks.calling }()
	defer c.asks.wake()
	until, err := c.LimitedUntil(ctx)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		return tgerr.New(400, peerFlood)
	}
	refusal := c.cfg.Do(ctx, "courier.ask", call)
	pause, name := floodOf(refusal)
	if pause <= shortFlood {
		return refusal
	}
	if err := c.limit(ctx, min(pause, longestFlood), name); err != nil {
		return err
	}
	return refusal
}

func (c *Courier) limit(ctx context.Context, pause time.Duration, name string) error {
	until := c.cfg.Clock.Now().Add(pause)
	c.cfg.Log.WarnContext(ctx, "Telegram lets the courier start no secret chats", "error", name, "until", until)
	if err := c.write(ctx, limitName, limit{Version: recordVersion, Until: until.Unix(), Name: name}); err != nil {
		return err
	}
	c.tellServing(ctx)
	return nil
}

// floodOf is the pause that an error orders, if it orders one.
func floodOf(err error) (time.Duration, string) {
	if wait, ok := tgerr.AsFloodWait(err); ok {
		return wait, "FLOOD_WAIT"
	}
	if tgerr.Is(err, peerFlood) {
		return floodPause, peerFlood
	}
	return 0, ""
}
