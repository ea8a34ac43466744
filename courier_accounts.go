package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/usherbot/usher/bot/courier"
)

// courierLines tell the operator how each courier account stands, in /status.
func (a *app) courierLines(ctx context.Context) ([]string, error) {
	if a.courier == nil {
		return []string{"Courier: none is configured."}, nil
	}
	accounts, err := a.courier.Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading how the couriers stand: %w", err)
	}
	if len(accounts) == 0 {
		refused, err := a.courier.LoginRefused(ctx)
		if refused != "" {
			refused += " "
		}
		return []string{"Courier: not logged in. " + refused + "Next: usher courier login"}, err
	}
	var lines []string
	for _, s := range accounts {
		lines = append(lines, fmt.Sprintf("Courier %s: %s, %s.", courierName(s), courierHealth(s, a.clock()), counted(s.Open, "open secret chat")))
		if n := len(s.Others); n > 0 {
			lines = append(lines, fmt.Sprintf("Courier %s: %s of its account may take its secret chats: usher courier status.", courierName(s), counted(n, "other session")))
		}
	}
	return lines, nil
}

// courierMissing tells in a few words why no courier hands over; "" where one does.
func (a *app) courierMissing(ctx context.Context) string {
	if a.courier == nil {
		return ""
	}
	serves, err := a.courier.Serves(ctx)
	if serves {
		return ""
	}
	accounts, listErr := a.courier.Accounts(ctx)
	switch {
	case errors.Join(err, listErr) != nil:
		return "Redis does not answer"
	case len(accounts) == 0:
		return "the courier is not logged in"
	}
	var why []string
	for _, s := range accounts {
		why = append(why, "courier "+courierName(s)+": "+courierHealth(s, a.clock()))
	}
	return strings.Join(why, "; ")
}

func courierName(s courier.Standing) string {
	switch {
	case s.Contact.Username != "":
		return "@" + s.Contact.Username
	case s.Contact.Name != "":
		return s.Contact.Name + ", without a username"
	}
	return fmt.Sprint("with id ", s.Account)
}

// courierHealth says how an account stands, and for how long.
func courierHealth(s courier.Standing, now time.Time) string {
	said := string(s.Health)
	if s.Reason != "" {
		said += " (" + s.Reason + ")"
	}
	if !s.Until.IsZero() {
		return said + " until " + s.Until.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	return said + " for " + max(0, now.Sub(s.HealthSince)).Round(time.Second).String()
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
