package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/bot/simulator/local"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage"
)

// demoFlags are the flags of `usher demo`.
type demoFlags struct {
	play             bool
	listen           string
	generation, node string
	redis, block     string
	reserve          string // how seats are bought; empty: by Ticketbooth
	verbose          bool
	sites            order.Sites // for tests; nil: calls just pass
	// venues builds the venues; nil: those that the sandbox begins with.
	venues func(chain *sandbox.Sandbox, now time.Time) error
}

// demoCommand is `usher demo`: everything in one process, with nothing installed or configured.
func demoCommand(io streams) *cobra.Command {
	var f demoFlags
	command := &cobra.Command{
		Use:   "demo",
		Short: "Runs everything on this machine alone: a local Telegram, a local chain, and a page to be a customer on",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.play {
				lists, err := stages(f, cmd.Flags().Changed)
				if err != nil {
					return err
				}
				return playAll(cmd.Context(), lists, io)
			}
			return runDemo(cmd.Context(), f, io)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&f.play, "play", false, "play the whole story without a person, print it, and check every strat")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address of the page and of both control APIs")
	flags.StringVar(&f.generation, "generation", "ciphered", "of Ticketbooth: ciphered or hashed")
	flags.StringVar(&f.node, "node", "today", "of the node: 2020 or today")
	flags.StringVar(&f.redis, "redis", "", "URL of a Redis to use instead of the one in memory")
	flags.StringVar(&f.reserve, "reserve", "ticketbooth", "how seats are bought: ticketbooth or direct")
	flags.StringVar(&f.block, "block", "16s", "time between blocks, or manual")
	flags.BoolVar(&f.verbose, "verbose", false, "print the log")
	return command
}

// runDemo serves the page until ctx ends.
func runDemo(ctx context.Context, f demoFlags, io streams) error {
	d, err := startDemo(ctx, f, io)
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s; choose another address with --listen: %w", f.listen, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	handler, err := d.handler()
	if err != nil {
		return err
	}
	group.Go(func() error { return serveHTTP(ctx, listener, handler) })
	group.Go(func() error { return d.serve(ctx) })
	group.Go(func() error {
		d.app.waitReady(ctx)
		_, err := fmt.Fprintf(io.out, "Usher's demo: open http://%s in a browser. Nothing leaves this machine; Ctrl-C ends it.\nready\n", listener.Addr())
		return err
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// demo is everything in one process. Bot and courier run their real code; only addresses differ.
type demo struct {
	dir      string
	chain    *sandbox.Sandbox
	telegram *local.Telegram
	redis    *miniredis.Miniredis // nil: a real one
	app      *app
	wallet   cirrus.Address // the customer's, outside of the node
	manual   bool
	botAPI   net.Listener // where the bot finds the local Bot API
	paid     atomic.Int64 // by the customer on the page, strats
	ahead    atomic.Int64 // how far the demo's clock is ahead of the machine's, nanoseconds
}

func startDemo(ctx context.Context, f demoFlags, io streams) (d *demo, err error) {
	d = &demo{manual: f.block == "manual"}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	log := slog.New(slog.DiscardHandler)
	if f.verbose {
		log = slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if d.dir, err = os.MkdirTemp("", "usher-demo-"); err != nil {
		return d, fmt.Errorf("making a folder: %w", err)
	}
	if err := d.startChain(ctx, f); err != nil {
		return d, err
	}
	if d.telegram, err = local.Start(ctx, local.Options{Log: log}); err != nil {
		return d, err
	}
	if d.botAPI, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return d, fmt.Errorf("listening for the bot: %w", err)
	}
	return d, d.startApp(ctx, f, log)
}

func (d *demo) startChain(ctx context.Context, f demoFlags) error {
	options, err := sandboxOptions(f.generation, f.node, "test", f.block)
	if err != nil {
		return err
	}
	options.Dir, options.Seed, options.Clock = d.dir, f.venues == nil, d.now
	if d.chain, err = sandbox.Start(ctx, options); err != nil {
		return err
	}
	if f.venues != nil {
		if err := f.venues(d.chain, d.now()); err != nil {
			return fmt.Errorf("building venues: %w", err)
		}
	}
	d.wallet = d.chain.Network().Address(cirrus.Hash{0xDE, 0x30})
	return nil
}

// startApp configures Usher as its operator would, from what the local servers print.
func (d *demo) startApp(ctx context.Context, f demoFlags, log *slog.Logger) error {
	env := environment{
		TelegramMode: "polling", Reserve: cmp.Or(f.reserve, "ticketbooth"), ResoldSeats: "refuse", GasPrice: "100", Confirmations: "1",
		Finality: "240", CourierDaily: "20", CourierTimer: "0s", Hold: "15m", Choice: "30m", Undo: "10s", Keep: "336h", ServiceFee: "0", MaxAtStake: "0",
		Listen: "127.0.0.1:0", LogLevel: "info", LogFormat: "text", Support: "@QuayCollective", RedisRisk: "none",
		KeysFile: filepath.Join(d.dir, "keys"),
	}
	if _, err := storage.CreateKeyring(env.KeysFile); err != nil {
		return err
	}
	lines := append(d.chain.Environment(), d.telegram.Environment("http://"+d.botAPI.Addr().String())...)
	if err := env.fill(lines); err != nil {
		return err
	}
	if env.RedisURL = f.redis; f.redis == "" {
		var err error
		if d.redis, err = miniredis.Run(); err != nil {
			return fmt.Errorf("starting the Redis in memory: %w", err)
		}
		env.RedisURL = "redis://" + d.redis.Addr() + "/0"
	}
	s, err := env.check()
	if err != nil {
		return err
	}
	s.poll, s.clock = 500*time.Millisecond, d.now
	if f.play {
		s.undo, s.poll = 2*time.Second, 100*time.Millisecond
	}
	go func() { _ = serveHTTP(ctx, d.botAPI, d.telegram.Handler()) }()
	d.app, err = newApp(ctx, s, f.sites, log)
	return err
}

// fill sets fields from lines USHER_NAME=value.
func (e *environment) fill(lines []string) error {
	for _, line := range lines {
		name, value, ok := strings.Cut(line, "=")
		if !ok || !e.set(name, value) {
			return fmt.Errorf("no setting %s", name)
		}
	}
	return nil
}

// handler serves the page, both control APIs, and the door.
func (d *demo) handler() (http.Handler, error) {
	page, err := d.telegram.Page(simulator.PageOptions{Chain: chainPane{d}})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/sandbox/", d.chain.ControlHandler())
	mux.Handle("/telegram/", d.telegram.Control())
	mux.Handle("/", page)
	return mux, nil
}

// serve runs Usher, and the clock of the Redis in memory, which does not go by itself.
func (d *demo) serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.app.serve(ctx) })
	if d.redis != nil {
		group.Go(func() error { return driveClock(ctx, d.redis) })
	}
	return group.Wait()
}

func driveClock(ctx context.Context, redis *miniredis.Miniredis) error {
	const step = 100 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			redis.FastForward(step)
		}
	}
}

func (d *demo) close() error {
	var problems []error
	if d.app != nil {
		problems = append(problems, d.app.close())
	}
	if d.telegram != nil {
		problems = append(problems, d.telegram.Close())
	}
	if d.chain != nil {
		problems = append(problems, d.chain.Close())
	}
	if d.redis != nil {
		d.redis.Close()
	}
	if d.dir != "" {
		problems = append(problems, os.RemoveAll(d.dir))
	}
	return errors.Join(problems...)
}
