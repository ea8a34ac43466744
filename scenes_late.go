package main

import (
	"context"
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
)

// lets time go by, until the screen says what that led to.
func (p *player) lets(stretch time.Duration, then string) scene {
	return func(ctx context.Context) error {
		if err := p.say("-- %d minutes pass", int(stretch.Minutes())); err != nil {
			return err
		}
		if err := p.wait(stretch); err != nil {
			return err
		}
		_, err := p.until(ctx, "what the time brought", says(then))
		return err
	}
}

// others buy seats from the venue itself, past Usher.
func (p *player) others(seats ...cirrus.Seat) scene {
	return func(ctx context.Context) error {
		venue, err := p.venueOf(ctx)
		if err != nil {
			return err
		}
		for _, seat := range seats {
			if _, err := p.chain.Reserve(sandbox.ReserveRequest{Address: venue, Seat: seat}); err != nil {
				return err
			}
			if err := p.say("Somebody else buys %s from the venue itself", seat); err != nil {
				return err
			}
		}
		return p.mine()
	}
}

// paysLate pays after the time to pay; nothing says so before a block has the payment.
func (p *player) paysLate(context.Context) error { return p.send(p.due) }

// paysInVain pays what can buy nothing any more, and waits until all of it has come back.
func (p *player) paysInVain(ctx context.Context) error {
	if err := p.send(p.due); err != nil {
		return err
	}
	return p.comesBack(ctx)
}

// comesBack waits until the money has come back; whose money that is has no ticket.
func (p *player) comesBack(ctx context.Context) error {
	_, err := p.mineUntil(ctx, "the money back", says("has arrived at"))
	if tickets := len(p.pictures()); err == nil && tickets > 0 {
		return failed("%s has %d tickets for a payment that came back", p.name, tickets)
	}
	return err
}

// offeredNothing makes sure that the customer was never asked for money.
func (p *player) offeredNothing(context.Context) error {
	messages, err := p.read()
	if err != nil {
		return err
	}
	for _, m := range messages {
		if button(m, "Order and pay") != "" || copied(m, "Copy address") != "" {
			return failed("%s is asked for money although nothing can be sold", p.name)
		}
	}
	return nil
}

// tooMany chooses seats that cannot be had together, and stops in the hall to choose fewer.
func (p *player) tooMany(show, seats string) scene {
	return func(ctx context.Context) error {
		if err := p.looks(show, "seats are free")(ctx); err != nil {
			return err
		}
		return p.taps(ctx, "Choose a seat", "Tap a seat", seats, "Chosen", "Continue with", "Fewer seats may do",
			"Other seats", "Chosen", "Clear", "Tap a seat")
	}
}

// notOffered opens a hall in which a seat must not be for sale: it is no button, and the list says why.
func (p *player) notOffered(show, seat string) scene {
	return func(ctx context.Context) error {
		if err := p.looks(show, "seats are free")(ctx); err != nil {
			return err
		}
		const why = "Given back before, and not sold here"
		if err := p.taps(ctx, "Choose a seat", "Tap a seat", "As a list", why); err != nil {
			return err
		}
		m, err := p.until(ctx, "the list", says(why))
		if err != nil {
			return err
		}
		_, named, _ := strings.Cut(m.Text, why)
		named, _, _ = strings.Cut(named, "\n")
		if button(m, seat) != "" || !strings.Contains(named, seat) {
			return failed("seat %s was given back, no scanner could read a second ticket for it, and it is not named as such", seat)
		}
		return nil
	}
}
