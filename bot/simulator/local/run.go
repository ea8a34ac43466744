package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	headerTimeout   = 10 * time.Second
	shutdownTimeout = 5 * time.Second
)

// Run serves a local Telegram on an address until ctx ends. Once it can be
// used, it prints what Usher needs as NAME=value lines, then "ready".
func Run(ctx context.Context, o Options, listen string, stdout io.Writer) (err error) {
	t, err := Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listening for the Bot API: %w", err)
	}
	for _, line := range t.Environment("http://" + listener.Addr().String()) {
		if _, err := fmt.Fprintln(stdout, line); err != nil {
			return errors.Join(fmt.Errorf("printing the environment: %w", err), listener.Close())
		}
	}
	if _, err := fmt.Fprintln(stdout, "ready"); err != nil {
		return errors.Join(fmt.Errorf("printing: %w", err), listener.Close())
	}
	return serve(ctx, t, listener)
}

// serve serves until ctx ends; calls under way have a moment to finish.
func serve(ctx context.Context, t *Telegram, listener net.Listener) error {
	server := &http.Server{Handler: t.Handler(), ReadHeaderTimeout: headerTimeout}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving the Bot API: %w", err)
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(late)
	<-failed
	if err != nil {
		return errors.Join(fmt.Errorf("ending the Bot API: %w", err), server.Close())
	}
	return nil
}
