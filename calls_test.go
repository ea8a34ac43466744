package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

// counter counts the calls at each site of the node's client.
type counter struct {
	mu    sync.Mutex
	calls map[string]int
}

func (c *counter) Do(ctx context.Context, site string, call func(context.Context) error) error {
	if strings.HasPrefix(site, "node.") || strings.HasPrefix(site, "ticketbooth.") {
		c.mu.Lock()
		c.calls[site]++
		c.mu.Unlock()
	}
	return call(ctx)
}

func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.calls
	c.calls = map[string]int{}
	return taken
}

// quietOrder is an order in one of the states, with nothing happening to it.
func quietOrder(n int, show cirrus.Show, now time.Time) order.Order {
	address := cirrus.TestNet.Address(cirrus.Hash{0x51, byte(n >> 8), byte(n)})
	seat := order.Ticket{ID: fmt.Sprintf("t%d", n), Seat: cirrus.Seat{Number: int32(n + 1)}, Price: cirrus.CRS, Address: address, Since: now}
	o := order.Order{
		ID: order.ID(fmt.Sprintf("o%d", n)), Customer: int64(1000 + n), Created: now, Since: now, Show: show, Address: address,
		Due: 2 * cirrus.CRS, Hold: now.Add(time.Hour), ShowFrom: now, Card: order.Card{Blocked: true}, State: order.Filled,
		Terms: cirrus.Terms{NoReleaseBlocks: 10}, Gas: order.Gas{Limit: 250_000, Price: 100},
	}
	switch n % 6 {
	case 0:
		o.State, seat.State, o.Next = order.AwaitingPayment, order.Held, o.Hold
	case 1:
		seat.State, seat.Delivery.State, o.NextHeight = order.Owned, order.DeliverySeen, show.EndOfSale-11
	case 2:
		seat.State, seat.Told, seat.Before = order.Attention, true, order.Stray
	case 3:
		seat.State = order.Ended
	case 4:
		o.State, seat.State = order.Expired, order.Dropped
	case 5:
		seat.State = order.Released
		o.Payouts = []order.Payout{{ID: "p", Ticket: seat.ID, State: order.Done, From: address}}
	}
	o.Tickets = []order.Ticket{seat}
	return o
}

// perBlock counts the node calls of five blocks with so many orders.
func perBlock(t *testing.T, orders int) (calls, browsing map[string]int) {
	t.Helper()
	sites := &counter{calls: map[string]int{}}
	f := demoFlags{generation: "hashed", node: "today", block: "manual", redis: redistest.Start(t).URL, sites: sites}
	d, err := startDemo(t.Context(), f, streams{strings.NewReader(""), io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close() //nolint:errcheck // the end of the test
	if err := d.app.watcher.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	sales, err := d.app.db.Sales(t.Context())
	if err != nil || len(sales) == 0 || sales[0].Show == nil {
		t.Fatalf("no show: %v", err)
	}
	for n := range orders {
		o := quietOrder(n, *sales[0].Show, time.Now())
		if err := d.app.db.Claim(t.Context(), o.Address, o.ID); err != nil {
			t.Fatal(err)
		}
		if err := d.app.db.Save(t.Context(), &o); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	group, serving := errgroup.WithContext(ctx)
	group.Go(func() error { return d.app.jobs.Run(serving) })
	defer func() { stop(); _ = group.Wait() }()
	sweeper := order.Sweeper{Store: d.app.db, Heights: d.app.db, Jobs: d.app.jobs, Clock: time.Now}
	sites.take()
	for range 5 {
		if _, err := d.chain.Mine(1); err != nil {
			t.Fatal(err)
		}
		if err := d.app.watcher.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := sweeper.Sweep(t.Context(), d.chain.Height()); err != nil {
			t.Fatal(err)
		}
	}
	calls = sites.take()
	browse1000(t, d.app.flows)
	return calls, sites.take()
}

// browse1000 has people look at shows and seats.
func browse1000(t *testing.T, f *flows.Flows) {
	t.Helper()
	for n := range 20 {
		actor := flows.Actor{ID: int64(n + 1), Name: "Ada", Language: "en"}
		reply, err := f.Handle(t.Context(), flows.Event{ID: int64(n*10 + 1), Kind: flows.Private, Actor: actor, Chat: actor.ID, Command: "shows"})
		if err != nil {
			t.Fatal(err)
		}
		for step := range 2 { // the first show, then its seats
			screen := reply.Screens[0]
			reply, err = f.Handle(t.Context(), flows.Event{
				ID: int64(n*10 + 2 + step), Kind: flows.Private, Actor: actor, Chat: actor.ID, Message: 7, Callback: "c",
				Action: screen.Buttons[0][0].Action,
			})
			if err != nil || len(reply.Screens) == 0 {
				t.Fatalf("step %d: %v, %+v", step, err, reply)
			}
		}
	}
}

// TestNodeCallsDoNotGrowWithOrders: with nothing happening to them, ten and a thousand open orders cost the same.
func TestNodeCallsDoNotGrowWithOrders(t *testing.T) {
	few, browsing := perBlock(t, 10)
	many, _ := perBlock(t, 1000)
	t.Logf("five blocks: %v", few)
	if !maps.Equal(few, many) {
		t.Errorf("with 10 orders %v, with 1000 %v", few, many)
	}
	if len(few) == 0 {
		t.Error("no call was counted")
	}
	if len(browsing) > 0 {
		t.Errorf("browsing called the node: %v", slices.Sorted(maps.Keys(browsing)))
	}
}
