package main

import (
	"context"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
)

// lose pays for a seat, and somebody else is faster by a moment: their call comes first in the same block.
func (p *player) lose(ctx context.Context) error {
	if err := p.pay(0)(ctx); err != nil {
		return err
	}
	if err := p.mine(); err != nil {
		return err
	}
	if _, err := p.until(ctx, "the call on its way", says("is as good as bought")); err != nil {
		return err
	}
	o, err := p.record(ctx)
	if err != nil {
		return err
	}
	rival := sandbox.ReserveRequest{Address: o.Show.Contract, Seat: o.Tickets[0].Seat, First: true}
	if _, err := p.chain.Reserve(rival); err != nil {
		return err
	}
	if err := p.say("Somebody else buys %s from the venue itself, and comes first", rival.Seat); err != nil {
		return err
	}
	if err := p.mine(); err != nil {
		return err
	}
	_, err = p.until(ctx, "the choice", func(m simulator.MessageView) bool {
		return says("could not be bought")(m) && button(m, "Another seat") != "" && button(m, "Money back") != ""
	})
	return err
}

// instead takes another seat in place of the lost one; means is what the screen says of the difference in price.
func (p *player) instead(seat, means string) scene {
	return func(ctx context.Context) error {
		return p.taps(ctx, "Another seat", "a seat instead of", seat, means, "Take "+seat, "You have taken seat "+seat+" instead of")
	}
}

// addTheRest pays what the other seat costs more, where the card says.
func (p *player) addTheRest(ctx context.Context) error {
	card, err := p.until(ctx, "the address for the difference", func(m simulator.MessageView) bool {
		to := cirrus.Address(copied(m, "Copy address"))
		return to != "" && to != p.order
	})
	if err != nil {
		return err
	}
	difference, err := sumOf(card)
	if err != nil {
		return failed("no sum to pay on the card: %v", err)
	}
	if err := p.sendTo(cirrus.Address(copied(card, "Copy address")), difference); err != nil {
		return err
	}
	_, err = p.until(ctx, "the payment being seen", says("on top is seen"))
	return err
}

// moneyBack takes the money instead of another seat.
func (p *player) moneyBack(ctx context.Context) error {
	if err := p.tap(ctx, "Money back", "Your money goes back"); err != nil {
		return err
	}
	return p.comesBack(ctx)
}
