package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/usherbot/usher/bot/courier"
)

// codeWithin is how long a code may take to get into its file: somebody has to read it off a phone. Telegram's own codes
// live about as long.
const (
	codeWithin = 5 * time.Minute
	codePoll   = 500 * time.Millisecond
)

// errNoTerminal: a login needs somebody to ask, or settings.
var errNoTerminal = errors.New("no terminal to ask at: set USHER_COURIER_PHONE, and USHER_COURIER_CODE_FILE to a file that the code is written into once Telegram has sent it")

// login logs an account in, or anew, beside a running Usher or without one.
func (d *courierOffice) login(ctx context.Context, phone string) error {
	l, err := d.how(phone)
	if err != nil {
		return err
	}
	cfg := d.app.courierConfig()
	cfg.Store = cfg.Shared // also while Usher runs, which takes the account up
	pool, err := d.open(cfg)
	if err != nil {
		return err
	}
	s, err := pool.Login(ctx, l)
	if why := courier.Refusal(err); why != "" {
		d.log.Debug("login refused", "error", err)
		return errors.New("the courier is not logged in: " + why)
	}
	if err != nil {
		return fmt.Errorf("logging the courier in: %w", err)
	}
	return d.say(
		"Logged in as "+courierName(s)+". A running Usher takes it up within seconds.",
		"Use this account for nothing else: its owner's other devices could take its secret chats away.",
		othersLine(s),
	)
}

// how says where phone, code and password come from: the settings first, then whoever sits at the terminal.
func (d *courierOffice) how(phone string) (courier.Login, error) {
	s := d.app.settings.courier
	l := courier.Login{Phone: phone, Code: s.codes(d.app.log), Silence: d.silence}
	if l.Phone == "" {
		l.Phone = s.phone
	}
	if phone != "" && phone != s.phone && s.code != "" {
		l.Code = nil // the configured one is for the configured account
	}
	if !asks(d.io) && (l.Phone == "" || l.Code == nil) {
		return l, errNoTerminal
	}
	if l.Phone == "" {
		var err error
		if l.Phone, err = ask(d.io, "The account's phone number, with + and country code: ", false); err != nil {
			return l, fmt.Errorf("asking for the phone number: %w", err)
		}
	}
	if !strings.HasPrefix(l.Phone, "+") {
		return l, errors.New("the phone number must begin with + and the country code")
	}
	if l.Code == nil {
		l.Code = func(context.Context) (string, error) { return ask(d.io, "Code that Telegram sent: ", false) }
	}
	l.Password = func(context.Context) (string, error) {
		switch {
		case s.password != "":
			return s.password, nil
		case !asks(d.io):
			return "", errors.New("the account has a two-step password: set USHER_COURIER_PASSWORD_FILE")
		}
		return ask(d.io, "Two-step password: ", true)
	}
	return l, nil
}

// asks tells whether somebody can be asked: at a terminal, or in a test.
func asks(io streams) bool {
	file, ok := io.in.(*os.File)
	return !ok || term.IsTerminal(int(file.Fd()))
}

// codes gives login codes from the settings: the one that is set, or what is in the code's file, which may get there
// only after Telegram was asked for it. Each call waits for one that was not given before. It is nil where none is set.
func (s courierSettings) codes(log interface{ Info(string, ...any) }) func(context.Context) (string, error) {
	switch {
	case s.code != "":
		return func(context.Context) (string, error) { return s.code, nil }
	case s.codeFile == "":
		return nil
	}
	last := ""
	return func(ctx context.Context) (string, error) {
		log.Info("waiting for the courier's login code", "file", s.codeFile, "at_most", codeWithin)
		code, err := codeFrom(ctx, s.codeFile, last)
		last = code
		return code, err
	}
}

// codeFrom waits until a file holds a code other than the last one.
func codeFrom(ctx context.Context, file, last string) (string, error) {
	ctx, done := context.WithTimeout(ctx, codeWithin)
	defer done()
	ticker := time.NewTicker(codePoll)
	defer ticker.Stop()
	for {
		text, err := readSmallFile(file)
		if code := strings.TrimSpace(text); err == nil && code != "" && code != last {
			return code, nil
		}
		select {
		case <-ctx.Done():
			return "", &courier.NoCodeError{Why: fmt.Sprintf("there was no new code in %s within %s", file, codeWithin)}
		case <-ticker.C:
		}
	}
}

// silence asks whether other sessions of the account shall accept no secret chats. Where nobody can be asked, they shall:
// the account is for nothing else.
func (d *courierOffice) silence(_ context.Context, others []courier.Session) bool {
	lines := []string{"Other sessions of this account accept secret chats. A chat that a customer starts may end up there:"}
	for _, s := range others {
		lines = append(lines, "  "+sessionLine(s))
	}
	if !asks(d.io) {
		_ = d.say(append(lines, "They are set to accept none.")...)
		return true
	}
	_ = d.say(lines...)
	answer, _ := ask(d.io, "Have them accept none? y/N: ", false)
	return isYes(answer)
}

func sessionLine(s courier.Session) string {
	return fmt.Sprintf("%s, %s, since %s", s.Device, s.App, s.Since.UTC().Format("2006-01-02 15:04"))
}

// othersLine warns of sessions that still accept secret chats; "" where there is none.
func othersLine(s courier.Standing) string {
	if len(s.Others) == 0 {
		return ""
	}
	lines := []string{"WARNING: these sessions of the account accept secret chats, which are lost for Usher. End them on the account's phone, under Devices, or log in again and answer y:"}
	for _, o := range s.Others {
		lines = append(lines, "  "+sessionLine(o))
	}
	return strings.Join(lines, "\n")
}

func isYes(answer string) bool {
	a := strings.ToLower(strings.TrimSpace(answer))
	return a == "y" || a == "yes"
}
