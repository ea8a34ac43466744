package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/usherbot/usher/flows/order"
)

// runUsher is `usher`: it reads the configuration and serves until ctx ends.
func runUsher(ctx context.Context, io streams, sites order.Sites) error {
	s, log, err := configured(io)
	if err != nil {
		return err
	}
	a, err := newApp(ctx, s, sites, log)
	if err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return fmt.Errorf("USHER_LISTEN: cannot listen on %s: %w", s.listen, err)
	}
	if _, err := fmt.Fprintln(io.out, "listening", listener.Addr()); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveHTTP(ctx, listener, a.handler()) })
	group.Go(func() error { return a.serve(ctx) })
	group.Go(func() error {
		a.waitReady(ctx)
		_, err := fmt.Fprintln(io.out, "ready")
		return err
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// configured reads and checks the environment, and makes the log.
func configured(io streams) (settings, *slog.Logger, error) {
	env, err := readEnvironment()
	s, wrong := env.check()
	if err := errors.Join(err, wrong); err != nil {
		return s, nil, fmt.Errorf("the configuration is not right; usher help config lists the settings:\n%w", err)
	}
	options := &slog.HandlerOptions{Level: s.level, ReplaceAttr: plainError}
	if s.json {
		return s, slog.New(slog.NewJSONHandler(io.err, options)), nil
	}
	return s, slog.New(slog.NewTextHandler(io.err, options)), nil
}

// plainError writes errors as what they say: the text form would add where in the code some of them come from.
func plainError(_ []string, a slog.Attr) slog.Attr {
	if err, ok := a.Value.Any().(error); ok {
		a.Value = slog.StringValue(err.Error())
	}
	return a
}

// stopWithin is how long requests may take to end after a stop.
const stopWithin = 5 * time.Second

// serveHTTP serves until ctx ends.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		err := server.Shutdown(ending)
		if err != nil {
			err = server.Close()
		}
		stopped <- err
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return <-stopped
}

// handler serves /live, /ready, /metrics and, where updates come by webhook, that.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	if a.settings.webhook.URL != "" {
		for _, path := range a.settings.hookPaths() {
			mux.Handle("POST "+path, a.bot.Webhook())
		}
	}
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		if why := a.notReady(r.Context()); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("GET /metrics", promhttp.Handler())
	return mux
}

// staleTip is how old the last look at the chain may be.
const staleTip = time.Minute

// notReady tells in a few words why Usher cannot work now; "" where it can.
func (a *app) notReady(ctx context.Context) string {
	tip, err := a.db.Tip(ctx)
	switch {
	case errors.Is(err, order.ErrNotFound):
		return "the chain was not looked at yet"
	case err != nil:
		return "Redis does not answer"
	case a.clock().Sub(tip.Seen) > staleTip:
		return "the node does not answer"
	case !tip.Healthy:
		return tip.Why
	case !a.looked(ctx):
		return "the venues were not looked at yet"
	default:
		return a.courierMissing(ctx)
	}
}

// looked tells whether any venue was ever looked at, where some are configured: before, customers would read that
// nothing is on sale.
func (a *app) looked(ctx context.Context) bool {
	if len(a.settings.venues) == 0 {
		return true
	}
	sales, err := a.db.Sales(ctx)
	return err == nil && len(sales) > 0
}

// readyWithin is how long the start waits for node and courier before it says ready all the same: selling stays off
// until they are there.
const readyWithin = 30 * time.Second

func (a *app) waitReady(ctx context.Context) {
	deadline := time.NewTimer(readyWithin)
	defer deadline.Stop()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for a.notReady(ctx) != "" {
		select {
		case <-ctx.Done():
			return
		case <-deadline.C:
			a.log.Warn("not everything is there yet", "missing", a.notReady(ctx))
			return
		case <-ticker.C:
		}
	}
}

// ask asks a person at the terminal; hidden does not show what they type.
func ask(io streams, question string, hidden bool) (string, error) {
	if _, err := fmt.Fprint(io.out, question); err != nil {
		return "", err
	}
	if file, ok := io.in.(*os.File); hidden && ok && term.IsTerminal(int(file.Fd())) {
		text, err := term.ReadPassword(int(file.Fd()))
		return string(text), err
	}
	var text string
	_, err := fmt.Fscanln(io.in, &text)
	return text, err
}
