package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
)

// openChat starts the secret chat on the phone; the screen that waited for it goes on by itself.
func (p *player) openChat(ctx context.Context) error {
	if err := p.say("%s starts a secret chat with the courier on the phone", p.name); err != nil {
		return err
	}
	if _, err := p.telegram.StartSecretChat(ctx, p.user, "@courier"); err != nil {
		return failed("the secret chat could not be started: %v", err)
	}
	_, err := p.until(ctx, "the screen to go on", func(m simulator.MessageView) bool {
		return button(m, "Order and pay") != "" || strings.Contains(m.Text, "secret chat and never here")
	})
	return err
}

// nameGuests gives the names for the door where they belong: in the secret chat, one for each ticket.
func (p *player) nameGuests(names ...string) scene {
	return func(ctx context.Context) error {
		chats, err := p.telegram.SecretChats(p.user)
		if err != nil || len(chats) == 0 {
			return failed("there is no secret chat to give a name in: %v", err)
		}
		for n, name := range names {
			asked := fmt.Sprintf("Ticket %d of %d", n+1, len(names))
			_, err = p.until(ctx, "the question for a name", func(simulator.MessageView) bool { return p.secretSays(asked) })
			if err != nil {
				return err
			}
			if err := p.answer(ctx, chats[0].Chat, name); err != nil {
				return err
			}
		}
		_, err = p.until(ctx, "the price", func(m simulator.MessageView) bool { return button(m, "Order and pay") != "" })
		return err
	}
}

// answer writes in a secret chat.
func (p *player) answer(ctx context.Context, chat, text string) error {
	if err := p.say("%s writes in the secret chat: %s", p.name, text); err != nil {
		return err
	}
	if _, err := p.telegram.Text(ctx, p.user, chat, text); err != nil {
		return failed("%q could not be sent in the secret chat: %v", text, err)
	}
	return nil
}

// redirect has the order's money go to another address from now on: asked for, and given, in the secret chat alone.
func (p *player) redirect(ctx context.Context) error {
	if err := p.tap(ctx, "Another address", "You have just been asked for it in the secret chat"); err != nil {
		return err
	}
	chats, err := p.telegram.SecretChats(p.user)
	if err != nil || len(chats) == 0 {
		return failed("there is no secret chat to give an address in: %v", err)
	}
	_, err = p.until(ctx, "the question", func(simulator.MessageView) bool { return p.secretSays("Where should it go instead?") })
	if err != nil {
		return err
	}
	p.refund = elsewhere(p.chain.Network())
	if err := p.answer(ctx, chats[0].Chat, string(p.refund)); err != nil {
		return err
	}
	_, err = p.until(ctx, "that it is noted", says("from now on"))
	return err
}

// elsewhere is the address that money is redirected to; only the secret chat ever sees it whole.
func elsewhere(network cirrus.Network) cirrus.Address {
	return network.Address(cirrus.Hash{0xE1, 0x5E})
}

func (p *player) secretSays(words string) bool {
	chats, err := p.telegram.SecretChats(p.user)
	if err != nil {
		return false
	}
	for _, chat := range chats {
		for _, m := range chat.Messages {
			if strings.Contains(m.Text, words) {
				return true
			}
		}
	}
	return false
}
