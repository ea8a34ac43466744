package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/usherbot/usher/storage"
)

// renewPause is the time between two tries to make good what an older Redis has left.
const renewPause = time.Second

// renewed returns once the courier's records may be built on. Where Redis has come back with older ones, every secret chat
// is discarded first: it would use numbers and keys again that the phone has seen.
func (a *app) renewed(ctx context.Context) error {
	for {
		err := a.chats.Renew(ctx, a.startOver)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		a.log.Warn("secret chats not discarded yet, nothing is done before", "error", err)
		timer := time.NewTimer(renewPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

func (a *app) startOver(ctx context.Context) error {
	a.log.Error("Redis has come back with older data, or somebody said so: every secret chat is discarded and made anew")
	if a.courier != nil {
		if err := a.courier.StartOver(ctx); err != nil {
			return err
		}
	}
	a.tellOlder(ctx)
	return nil
}

// tellOlder tells the operators, as well as it can: nothing waits for that, and the log says it, too.
func (a *app) tellOlder(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, tellWithin)
	defer done()
	if err := a.flows.StoreOlderTold(ctx); err != nil {
		a.log.Warn("no operator could be told that Redis has older data", "error", err)
	}
}

// discardChats is for after a restored backup, where no process can know that data are missing.
func (d *courierOffice) discardChats(ctx context.Context, yes bool) error {
	if _, err := fmt.Fprintln(d.io.out, "After Redis was put back to an older state, its secret chats cannot go on. This discards all of them.\nEach customer is told, and starts a new one."); err != nil {
		return err
	}
	if !yes {
		// No answer at all is a no.
		answer, _ := ask(d.io, "Discard them? y/N: ", false)
		if a := strings.ToLower(answer); a != "y" && a != "yes" {
			_, err := fmt.Fprintln(d.io.out, "Nothing was changed.")
			return err
		}
	}
	if err := d.app.chats.Doubt(ctx); err != nil {
		return fmt.Errorf("discarding the secret chats: %w", err)
	}
	if err := d.app.db.NoteOlder(ctx, storage.OlderRestored); err != nil { // the orders are as old
		return err
	}
	_, err := fmt.Fprintln(d.io.out, "They are discarded by the Usher that runs, or by the next one that starts.")
	return err
}
