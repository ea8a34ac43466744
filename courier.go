package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/flows/order"
)

// courierCommand is `usher courier`.
func courierCommand(io streams) *cobra.Command {
	group := &cobra.Command{Use: "courier", Short: "The Telegram accounts that hand over tickets", Args: cobra.NoArgs, RunE: helps}
	var yes bool
	var phone string
	login := courierSub(io, "login", "Logs an account in, or anew, asking for what is not configured",
		func(ctx context.Context, desk *courierOffice, _ string) error { return desk.login(ctx, phone) })
	login.Flags().StringVar(&phone, "phone", "", "the account's number, in place of USHER_COURIER_PHONE")
	logout := courierSub(io, "logout [@USERNAME | ID]", "Ends an account's session and forgets its secret chats",
		func(ctx context.Context, desk *courierOffice, name string) error { return desk.logout(ctx, name, yes) })
	logout.Flags().BoolVar(&yes, "yes", false, "do not ask")
	logout.Args = cobra.MaximumNArgs(1)
	discard := courierSub(io, "discard-chats", "Discards every secret chat: for when Redis was put back to an older state",
		func(ctx context.Context, desk *courierOffice, _ string) error { return desk.discardChats(ctx, yes) })
	discard.Flags().BoolVar(&yes, "yes", false, "do not ask")
	group.AddCommand(
		login, discard,
		courierSub(io, "status", "Tells how each account stands; asks Telegram nothing",
			func(ctx context.Context, desk *courierOffice, _ string) error { return desk.status(ctx) }),
		logout,
	)
	return group
}

// helps is for a command that does nothing by itself: it says what there is. A name that is none of these is refused.
func helps(cmd *cobra.Command, _ []string) error { return cmd.Help() }

func courierSub(io streams, use, short string, work func(context.Context, *courierOffice, string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, args []string) error {
		s, log, err := configured(io)
		if err != nil {
			return err
		}
		if s.courier.id == 0 {
			return errors.New("USHER_COURIER_API_ID and _API_HASH must be set: see usher help config")
		}
		a := &app{settings: s, log: log, sites: order.Straight{}, clock: time.Now}
		defer func() { _ = a.close() }()
		if err := a.openNode(cmd.Context()); err != nil {
			return err
		}
		if err := a.openStore(cmd.Context()); err != nil {
			return err
		}
		return work(cmd.Context(), &courierOffice{app: a, io: io, log: log}, strings.Join(args, ""))
	}}
}

// courierOffice is where the operator looks after the courier, beside a running Usher or without one.
type courierOffice struct {
	app *app
	io  streams
	log *slog.Logger
}

func (d *courierOffice) open(cfg courier.Config) (*courier.Pool, error) {
	return courier.NewPool(cfg, &courierEars{newID: newID, log: d.log})
}

// say writes lines; empty ones are left out.
func (d *courierOffice) say(lines ...string) error {
	for _, line := range lines {
		if line == "" {
			continue
		}
		if _, err := fmt.Fprintln(d.io.out, line); err != nil {
			return err
		}
	}
	return nil
}

func (d *courierOffice) status(ctx context.Context) error {
	pool, err := d.open(d.app.courierConfig())
	if err != nil {
		return err
	}
	accounts, err := pool.Accounts(ctx)
	if err != nil {
		return err
	}
	if len(accounts) == 0 {
		refused, err := pool.LoginRefused(ctx)
		if err != nil {
			return err
		}
		if refused != "" {
			refused = "Last try by itself: " + refused
		}
		return d.say("Account: none is logged in. Next: usher courier login", refused, "Session: none", "Open secret chats: 0")
	}
	for i, s := range accounts {
		if i > 0 {
			_, _ = fmt.Fprintln(d.io.out)
		}
		if err := d.describe(s); err != nil {
			return err
		}
	}
	return nil
}

func (d *courierOffice) describe(s courier.Standing) error {
	session := "none"
	if s.Session {
		session = "stored, sealed"
	}
	return d.say(
		fmt.Sprintf("Account: %s, id %d", courierName(s), s.Account),
		"Logged in: "+s.Since.UTC().Format("2006-01-02 15:04")+" UTC",
		"Health: "+courierHealth(s, d.app.clock()),
		"Session: "+session, fmt.Sprintf("Open secret chats: %d", s.Open),
		othersLine(s),
	)
}

// logoutWithin is how long a running Usher may take to log an account out.
const logoutWithin = 40 * time.Second

// logout has an account logged out: by the Usher that runs, or here where none does.
func (d *courierOffice) logout(ctx context.Context, name string, yes bool) error {
	pool, err := d.open(d.app.courierConfig())
	if err != nil {
		return err
	}
	accounts, err := pool.Accounts(ctx)
	if err != nil {
		return err
	}
	if len(accounts) == 0 {
		return errors.New("no courier account is logged in, so there is none to log out")
	}
	s, err := courier.Named(accounts, name)
	if err != nil {
		return fmt.Errorf("%w: name one of the %d accounts, as in: usher courier logout %s", err, len(accounts), courierName(accounts[0]))
	}
	if err := d.describe(s); err != nil {
		return err
	}
	if err := d.say("Logging out ends its secret chats. A customer whose ticket is still to come must start a new one.", alone(accounts)); err != nil {
		return err
	}
	if !yes {
		// No answer at all is a no.
		if answer, _ := ask(d.io, "Log out? y/N: ", false); !isYes(answer) {
			return errors.Join(errSaid, d.say("Nothing was changed."))
		}
	}
	if err := pool.Retire(ctx, s); err != nil {
		return fmt.Errorf("logging the courier out: %w", err)
	}
	return d.logOut(ctx, pool)
}

// alone warns before the last account goes.
func alone(accounts []courier.Standing) string {
	if len(accounts) > 1 {
		return ""
	}
	return "Until a courier is logged in again, nothing is sold."
}

// logOut carries out what was marked: here, or by waiting for the Usher that runs.
func (d *courierOffice) logOut(ctx context.Context, pool *courier.Pool) error {
	ctx, done := context.WithTimeout(ctx, logoutWithin)
	defer done()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		told := true
		err := d.app.chats.TryLead(ctx, func(ctx context.Context) (err error) {
			told, err = pool.LogOut(ctx)
			return err
		})
		if err == nil {
			return d.loggedOut(told)
		}
		if !errors.Is(err, order.ErrBusy) {
			return fmt.Errorf("logging the courier out: %w", err)
		}
		if waits, err := pool.Waiting(ctx); err != nil || !waits {
			return errors.Join(err, d.loggedOut(err == nil))
		}
		select {
		case <-ctx.Done():
			return d.say("The running Usher has not logged it out yet. It will, or the next one that runs.")
		case <-ticker.C:
		}
	}
}

func (d *courierOffice) loggedOut(told bool) error {
	lines := []string{"Logged out. Session and secret chats are forgotten."}
	if !told {
		lines = append(lines, "Telegram did not answer: end the session \"Usher courier\" on the account's phone, under Devices.")
	}
	if d.app.settings.courier.code != "" {
		lines = append(lines, "USHER_COURIER_CODE is set: take it away, or Usher tries to log in with it when no courier is logged in.")
	}
	return d.say(lines...)
}
