package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/usherbot/usher/flows/order"
)

// serve runs Usher until ctx ends. Of several processes on one Redis one watches the chain, and one works: it asks
// Telegram for updates, runs the orders and is the courier; the others stand by. By webhook each takes updates, and one
// tells Telegram where.
func (a *app) serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.db.Leader(ctx, "watcher", a.watch) })
	group.Go(func() error { return a.chats.Lead(ctx, a.work) })
	group.Go(func() error { return a.durable.watch(ctx) })
	if a.settings.webhook.URL != "" {
		group.Go(func() error { return a.bot.Receive(ctx) })
		group.Go(func() error { return a.db.Leader(ctx, "updates", a.bot.KeepWebhook) })
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// work takes updates, runs orders and is the courier that hands their tickets over, in one process: the state of a
// secret chat has one writer, or sequence numbers would be used twice.
func (a *app) work(ctx context.Context) error {
	if err := a.renewed(ctx); err != nil {
		return err
	}
	if err := a.refused.forget(ctx); err != nil {
		a.log.Warn("nothing is sold until a wallet has opened again", "error", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.jobs.Run(ctx) })
	group.Go(func() error {
		a.refused.try(ctx, a.node)
		return nil
	})
	group.Go(func() error { return a.durable.report(ctx) })
	group.Go(func() error { return a.followHalls(ctx) })
	group.Go(func() error { return a.followOlder(ctx) })
	if a.floats != nil {
		group.Go(func() error { return a.floats.run(ctx) })
	}
	if a.courier != nil {
		group.Go(func() error { return a.courier.Run(ctx) })
	}
	if a.settings.webhook.URL == "" {
		group.Go(func() error { return a.bot.Run(ctx) })
	}
	return group.Wait()
}

// followHalls keeps the halls that customers look at up to date: with the least time between two edits it takes about
// three seconds until others see that a seat went.
func (a *app) followHalls(ctx context.Context) error {
	const every, within = 2 * time.Second, 20 * time.Second
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		if err := a.refreshHalls(ctx, within); err != nil && ctx.Err() == nil {
			a.log.Warn("halls not brought up to date", "error", err)
		}
	}
}

func (a *app) refreshHalls(ctx context.Context, within time.Duration) error {
	ctx, done := context.WithTimeout(ctx, within)
	defer done()
	return a.flows.RefreshHalls(ctx)
}

// watch follows the chain and sweeps up what no job took up.
func (a *app) watch(ctx context.Context) error {
	sweeper := a.sweeper()
	a.takeUp(ctx, sweeper)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		a.watcher.Run(ctx)
		return ctx.Err()
	})
	group.Go(func() error { return a.sweep(ctx, sweeper) })
	return group.Wait()
}

// takeUp goes on where another process stopped.
func (a *app) takeUp(ctx context.Context, sweeper order.Sweeper) {
	if err := errors.Join(a.db.Repair(ctx), sweeper.Start(ctx)); err != nil {
		a.log.Warn("taking up where the last one stopped", "error", err)
	}
}

func (a *app) sweeper() order.Sweeper {
	return order.Sweeper{Store: a.db, Heights: a.db, Jobs: a.jobs, Clock: a.clock, Finality: a.settings.finality}
}

func (a *app) sweep(ctx context.Context, sweeper order.Sweeper) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		if err := a.sweepOnce(ctx, sweeper); err != nil && ctx.Err() == nil {
			a.log.Warn("sweeping", "error", err)
		}
	}
}

func (a *app) sweepOnce(ctx context.Context, sweeper order.Sweeper) error {
	tip, err := a.db.Tip(ctx)
	if errors.Is(err, order.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(a.wound.onChange(ctx, sweeper.Start), sweeper.Sweep(ctx, tip.Height))
}

// run1 runs one order for a job. What happened while another worker had it may be news to that one: it runs again.
func (a *app) run1(ctx context.Context, id order.ID) error {
	err := a.engine.Run(ctx, id)
	if errors.Is(err, order.ErrBusy) || errors.Is(err, order.ErrConflict) {
		return a.jobs.Wake(ctx, id, order.Woken, a.clock().Add(time.Second))
	}
	return err
}
