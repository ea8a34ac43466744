package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/flows/order"
)

// courierCommand is `usher courier`.
func courierCommand(io streams) *cobra.Command {
	group := &cobra.Command{Use: "courier", Short: "The Telegram account that hands over tickets"}
	var yes bool
	logout := courierSub(io, "logout", "Ends the courier's session and forgets its secret chats",
		func(ctx context.Context, desk *courierOffice) error { return desk.logout(ctx, yes) })
	logout.Flags().BoolVar(&yes, "yes", false, "do not ask")
	group.AddCommand(
		courierSub(io, "login", "Logs the courier in, asking for the code that Telegram sends",
			func(ctx context.Context, desk *courierOffice) error { return desk.login(ctx) }),
		courierSub(io, "status", "Tells who is logged in; asks Telegram nothing",
			func(ctx context.Context, desk *courierOffice) error { return desk.status(ctx) }),
		logout,
	)
	return group
}

func courierSub(io streams, use, short string, work func(context.Context, *courierOffice) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		s, log, err := configured(io)
		if err != nil {
			return err
		}
		if s.courier.id == 0 {
			return errors.New("USHER_COURIER_API_ID, _API_HASH and _PHONE must be set: see usher help config")
		}
		a := &app{settings: s, log: log, sites: order.Straight{}, clock: time.Now}
		defer func() { _ = a.close() }()
		if err := a.openNode(cmd.Context()); err != nil {
			return err
		}
		if err := a.openStore(cmd.Context()); err != nil {
			return err
		}
		return work(cmd.Context(), &courierOffice{app: a, io: io, log: log})
	}}
}

// courierOffice is where the operator looks after the courier, beside a running Usher or without one.
type courierOffice struct {
	app *app
	io  streams
	log *slog.Logger
}

func (d *courierOffice) open(cfg courier.Config) (*courier.Courier, error) {
	return courier.New(cfg, &courierEars{newID: newID, log: d.log})
}

func (d *courierOffice) login(ctx context.Context) error {
	cfg := d.app.courierConfig()
	cfg.Store = cfg.Shared // also while Usher runs, whose courier waits for this session
	if cfg.Code == nil {
		cfg.Code = func(context.Context) (string, error) { return ask(d.io, "Code that Telegram sent: ", false) }
	}
	if d.app.settings.courier.password == "" {
		cfg.Password = func(context.Context) (string, error) { return ask(d.io, "Two-step password: ", true) }
	}
	c, err := d.open(cfg)
	if err != nil {
		return err
	}
	if err := c.Login(ctx); err != nil {
		return fmt.Errorf("logging the courier in: %w", err)
	}
	contact, err := c.Contact(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.io.out, "Logged in as @%s. Use this account for nothing else, and let no other session of it accept secret chats.\n", contact.Username)
	return err
}

func (d *courierOffice) status(ctx context.Context) error {
	c, err := d.open(d.app.courierConfig())
	if err != nil {
		return err
	}
	s, err := c.Standing(ctx)
	if err != nil {
		return err
	}
	return describeCourier(d.io.out, s)
}

func describeCourier(out io.Writer, s courier.Standing) error {
	var lines []string
	if s.Account == 0 {
		lines = append(lines, "Account: none is logged in. Next: usher courier login")
	} else {
		who := "@" + s.Contact.Username
		if s.Contact.Username == "" {
			who = s.Contact.Name + ", without a username"
		}
		lines = append(lines, fmt.Sprintf("Account: %s, id %d", who, s.Account),
			"Logged in: "+s.Since.UTC().Format("2006-01-02 15:04")+" UTC")
	}
	session := "none"
	if s.Session {
		session = "stored, sealed"
	}
	lines = append(lines, "Session: "+session, fmt.Sprintf("Open secret chats: %d", s.Open))
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}

// logout needs every Usher on this Redis to stand still: a courier at work would go on with what is forgotten here.
func (d *courierOffice) logout(ctx context.Context, yes bool) error {
	c, err := d.open(d.app.courierConfig())
	if err != nil {
		return err
	}
	s, err := c.Standing(ctx)
	if err != nil {
		return err
	}
	if err := describeCourier(d.io.out, s); err != nil {
		return err
	}
	if s.Account == 0 && !s.Session && s.Open == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(d.io.out, "Logging out ends its secret chats. A customer whose ticket is still to come must start a new one.\nUntil a courier is logged in again, nothing is sold."); err != nil {
		return err
	}
	if !yes {
		// No answer at all is a no.
		answer, _ := ask(d.io, "Log out? y/N: ", false)
		if a := strings.ToLower(answer); a != "y" && a != "yes" {
			_, err := fmt.Fprintln(d.io.out, "Nothing was changed.")
			return errors.Join(errSaid, err)
		}
	}
	told := false
	err = d.app.chats.TryLead(ctx, func(ctx context.Context) (err error) {
		told, err = c.LogOut(ctx)
		return err
	})
	if errors.Is(err, order.ErrBusy) {
		return errors.New("an Usher runs on this Redis: stop it, and log out then; one that was killed counts as running for some seconds more")
	}
	if err != nil {
		return fmt.Errorf("logging the courier out: %w", err)
	}
	return d.loggedOut(told)
}

func (d *courierOffice) loggedOut(told bool) error {
	lines := []string{"Logged out. Session and secret chats are forgotten."}
	if !told {
		lines = append(lines, "Telegram did not answer: end the session \"Usher courier\" on the account's phone, under Devices.")
	}
	if d.app.settings.courier.code != "" {
		lines = append(lines, "USHER_COURIER_CODE is set: take it away, or Usher tries to log in with it when it starts.")
	}
	_, err := fmt.Fprintln(d.io.out, strings.Join(lines, "\n"))
	return err
}
