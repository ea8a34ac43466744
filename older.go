package main

import (
	"context"
	"fmt"
	"time"

	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage"
)

// burnt is how many addresses of each account are not given to orders any more after a backup was put back: as many orders
// could have been shown one since the backup and not have paid. Those that were paid to the node does not offer again.
const burnt = 500

// followOlder sees to orders whose records may be older than what was done, because Redis was started anew or a backup was
// put back. Until that is done nothing is sold.
func (a *app) followOlder(ctx context.Context) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	failed := 0
	for {
		if err := a.seeToOlder(ctx); err == nil {
			failed = 0
		} else if failed++; ctx.Err() == nil && failed%60 == 1 {
			a.log.Warn("orders not held against the chain yet, nothing is sold before", "error", err, "failed", failed)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func (a *app) seeToOlder(ctx context.Context) error {
	if _, err := a.db.LookOlder(ctx); err != nil {
		return err
	}
	why, count, err := a.db.Older(ctx)
	if err != nil || why == "" {
		return err
	}
	a.log.Warn("Redis may have come back with older data: every order is held against the chain", "why", why)
	if why == storage.OlderRestored {
		if err := a.burn(ctx); err != nil {
			return err
		}
		if err := a.wakeAll(ctx); err != nil {
			return err
		}
	} else if err := a.sweeper().Start(ctx); err != nil { // what has no next step now had none a second before
		return err
	}
	return a.db.OlderSettled(ctx, count)
}

// burn keeps addresses from being given to orders that somebody may have been shown after the backup.
func (a *app) burn(ctx context.Context) error {
	for _, account := range a.settings.accounts {
		done := 0
		for n := burnt; done < burnt; n *= 2 {
			addresses, err := a.node.Candidates(ctx, account, n)
			if err != nil {
				return fmt.Errorf("asking for addresses of %s: %w", account, err)
			}
			now, err := a.db.Burn(ctx, addresses)
			if err != nil {
				return err
			}
			done += now
		}
	}
	return nil
}

func (a *app) wakeAll(ctx context.Context) error {
	ids, err := a.db.All(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := a.jobs.Wake(ctx, id, order.Woken, a.clock()); err != nil {
			return err
		}
	}
	return nil
}

// wakeOrder wakes an order that something happened to.
func (a *app) wakeOrder(ctx context.Context, id order.ID) error {
	if id == order.Nobody {
		a.log.Error("money at an address that was perhaps shown before a backup was put back: usher audit shows it")
		return nil
	}
	return a.jobs.Wake(ctx, id, order.Woken, a.clock())
}
