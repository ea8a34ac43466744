package main

import (
	"context"
	"io"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/storage/redistest"
)

// TestHallOnOneScreenFollowsWhatAnotherOrders: over the Bot API, in place, without a new message.
func TestHallOnOneScreenFollowsWhatAnotherOrders(t *testing.T) {
	t.Parallel()
	f := demoFlags{play: true, generation: "ciphered", node: "today", block: "manual", redis: redistest.Start(t).URL}
	d, err := startDemo(t.Context(), f, streams{strings.NewReader(""), io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	group, serving := errgroup.WithContext(ctx)
	group.Go(func() error { return d.serve(serving) })
	d.app.waitReady(serving)
	t.Cleanup(func() {
		stop()
		_ = group.Wait()
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	looks, orders := d.newPlayer(io.Discard, "Lena", 7), d.newPlayer(io.Discard, "Otto", 8)
	for _, scene := range []scene{
		looks.looks("An Evening", "seats are free"),
		func(ctx context.Context) error {
			return looks.taps(ctx, "Choose a seat", "Tap a seat", "2B", "Chosen: seat 2B", "3C", "Chosen: 2 seats")
		},
		orders.choose("An Evening", "2B"), orders.openChat,
	} {
		if err := scene(ctx); err != nil {
			t.Fatal(err)
		}
	}
	before, err := looks.read()
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.orderIt(ctx); err != nil {
		t.Fatal(err)
	}
	seen, err := looks.until(ctx, "the hall to follow", func(m simulator.MessageView) bool {
		return strings.Contains(m.Text, "2B was taken a moment ago") && strings.Contains(m.Text, "Chosen: seat 3C") && button(m, "2B") == ""
	})
	if err != nil {
		t.Fatal(err)
	}
	after, err := looks.read()
	if err != nil {
		t.Fatal(err)
	}
	if len(after) != len(before) || seen.ID != before[len(before)-1].ID || seen.Picture == "" {
		t.Errorf("%d messages, the hall in %d; before %d, the last %d", len(after), seen.ID, len(before), before[len(before)-1].ID)
	}
}
