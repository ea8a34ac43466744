package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
)

// choose looks at a show and chooses seats by tapping buttons, up to the question for a refund address.
func (p *player) choose(show string, seats ...string) scene {
	return func(ctx context.Context) error {
		if err := p.looks(show, "seats are free")(ctx); err != nil {
			return err
		}
		if err := p.tap(ctx, "Choose a seat", "Tap a seat"); err != nil {
			return err
		}
		return p.pick(seats...)(ctx)
	}
}

// looks opens a show, and stops where its screen says something.
func (p *player) looks(show, finds string) scene {
	return func(ctx context.Context) error {
		if err := p.write(ctx, "/start", "secret chat"); err != nil {
			return err
		}
		return p.taps(ctx, "Shows", "on sale", show, finds)
	}
}

// pick chooses seats in a hall that is on the screen, up to the question for a refund address.
func (p *player) pick(seats ...string) scene {
	return func(ctx context.Context) error {
		for _, seat := range seats {
			if err := p.tap(ctx, seat, "Chosen"); err != nil {
				return err
			}
		}
		if err := p.tap(ctx, "Continue with", "Where should money go back to?"); err != nil {
			return err
		}
		return p.write(ctx, string(p.refund), "Start Secret Chat")
	}
}

// orderIt makes the order and reads the payment card.
func (p *player) orderIt(ctx context.Context) error {
	if err := p.tap(ctx, "Order and pay", "Send exactly"); err != nil {
		return err
	}
	card, err := p.until(ctx, "the payment card", func(m simulator.MessageView) bool { return copied(m, "Copy address") != "" })
	if err != nil {
		return err
	}
	p.order = cirrus.Address(copied(card, "Copy address"))
	if p.due, err = sumOf(card); err != nil {
		return failed("no sum to pay on the card: %v", err)
	}
	return nil
}

// send pays a sum to the order's address.
func (p *player) send(sum cirrus.Strats) error {
	return p.sendTo(p.order, sum)
}

func (p *player) sendTo(address cirrus.Address, sum cirrus.Strats) error {
	if _, err := p.chain.Fund(address, sum); err != nil {
		return err
	}
	p.paid += sum
	return p.say("%s pays %s to %s", p.name, sum, address)
}

// pay pays what the card asks for, and something on top.
func (p *player) pay(onTop cirrus.Strats) scene {
	return func(ctx context.Context) error {
		if err := p.send(p.due + onTop); err != nil {
			return err
		}
		_, err := p.until(ctx, "the payment being seen", says("is seen. It counts"))
		return err
	}
}

// payInParts pays too little first, and what is missing when the card asks for it.
func (p *player) payInParts(ctx context.Context) error {
	first := p.due / 3
	if err := p.send(first); err != nil {
		return err
	}
	if _, err := p.until(ctx, "the card to ask for the rest", says("Send the missing")); err != nil {
		return err
	}
	if err := p.mine(); err != nil {
		return err
	}
	return p.pay(-first)(ctx)
}

// bought makes blocks until so many pictures are in the secret chat.
func (p *player) bought(pictures int) scene {
	return func(ctx context.Context) error {
		_, err := p.mineUntil(ctx, "the tickets", func(m simulator.MessageView) bool {
			return says("yours, and the ticket")(m) && len(p.pictures()) == pictures
		})
		return err
	}
}

// enter shows every QR at the door: each must open, and read the guest's name where there is one.
func (p *player) enter(guests ...string) scene {
	return func(ctx context.Context) error {
		for n, picture := range p.pictures() {
			result, err := p.scan(ctx, picture)
			if err != nil {
				return err
			}
			if !result.Opens {
				return failed("the door does not open for a ticket that was bought: %+v", result.Results)
			}
			if name := result.Results[0].Name; len(guests) > 0 && name != guests[n] {
				return failed("the door reads the name %q, not %q", name, guests[n])
			}
		}
		return nil
	}
}

// pictures are the ticket pictures in the customer's decrypted secret chats.
func (p *player) pictures() (list [][]byte) {
	chats, err := p.telegram.SecretChats(p.user)
	if err != nil {
		return nil
	}
	for _, chat := range chats {
		for _, m := range chat.Messages {
			if picture, err := base64.StdEncoding.DecodeString(m.Picture); err == nil && len(picture) > 0 {
				list = append(list, picture)
			}
		}
	}
	return list
}

// scan has the scanner at the door look at a picture.
func (p *player) scan(ctx context.Context, picture []byte) (result sandbox.ScanResult, err error) {
	text, err := readQR(picture)
	if err != nil {
		return result, failed("the ticket's QR cannot be read: %v", err)
	}
	if p.door, err = p.venueOf(ctx); err != nil {
		return result, err
	}
	if result, err = p.chain.Scan(p.door, text); err != nil {
		return result, err
	}
	var words []string
	for _, answer := range result.Results {
		words = append(words, strings.TrimSpace(fmt.Sprintf("%s: %s %s", answer.Seat, answer.Verdict, answer.Name)))
	}
	return result, p.say("At the door: %s, opens: %t", strings.Join(words, ", "), result.Opens)
}

// giveBack gives the first ticket back with one tap; afterwards its QR, and only its, must not open the door.
func (p *player) giveBack(ctx context.Context) error {
	if err := p.write(ctx, "/refund", "Give a ticket back"); err != nil {
		return err
	}
	list, err := p.until(ctx, "the refund", says("/refund_"))
	if err != nil {
		return err
	}
	command := list.Text[strings.Index(list.Text, "/refund_"):]
	if err := p.write(ctx, strings.Fields(command)[0], "Giving back"); err != nil {
		return err
	}
	if _, err := p.mineUntil(ctx, "the money back", says("has arrived at")); err != nil {
		return err
	}
	pictures := p.pictures()
	shut := 0
	for _, picture := range pictures {
		result, err := p.scan(ctx, picture)
		if err != nil {
			return err
		}
		if !result.Opens {
			shut++
		}
	}
	if shut != 1 {
		return failed("of %d tickets one was given back, and the door stays shut for %d", len(pictures), shut)
	}
	return nil
}

// say prints a line of what happens outside of the screen.
func (p *player) say(format string, a ...any) error {
	_, err := fmt.Fprintf(p.out, format+"\n", a...)
	return err
}

// own lists the addresses of the customer's order: where it is paid to, and one for each seat.
func (p *player) own(ctx context.Context) ([]cirrus.Address, error) {
	o, err := p.record(ctx)
	return slices.Clone(o.Addresses()), err
}

// record is the customer's order as Usher has it.
func (p *player) record(ctx context.Context) (order.Order, error) {
	id, err := p.app.db.Owner(ctx, p.order)
	if err != nil {
		return order.Order{}, failed("no order has the address that was paid to: %v", err)
	}
	return p.app.db.Load(ctx, id)
}
