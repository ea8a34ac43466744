package courier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/usherbot/usher/bot/secretchat"
)

// beginning begins a chat, or says why it can't.
type beginning func(ctx context.Context, chats *secretchat.Client, a ask) error

// carryAsks carries out the asks until ctx ends.
func (c *Courier) carryAsks(ctx context.Context, chats *secretchat.Client, begin beginning) error {
	for {
		wait, err := c.lookAtAsks(ctx, chats, begin)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.asks.wakes:
		case <-c.cfg.Clock.After(wait):
		}
	}
}

// lookAtAsks takes every ask one step further, and says when to look again.
func (c *Courier) lookAtAsks(ctx context.Context, chats *secretchat.Client, begin beginning) (time.Duration, error) {
	names, err := c.askNames(ctx)
	if err != nil {
		return 0, err
	}
	c.tellLimit(ctx)
	wait := restDelay
	for _, name := range names {
		again, err := c.lookAt(ctx, chats, name, begin)
		switch {
		case errors.Is(err, secretchat.ErrHalted), ctx.Err() != nil:
			return 0, errors.Join(err, ctx.Err())
		case err != nil:
			c.cfg.Log.WarnContext(ctx, "ask for a secret chat not carried out yet", "ask", name, "error", err)
			wait = min(wait, askDelay)
		case again:
			wait = min(wait, askDelay)
		}
	}
	return wait, nil
}

func (c *Courier) askNames(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	names, err := c.cfg.Store.Keys(ctx, askingPrefix)
	if err != nil {
		return nil, fmt.Errorf("list the customers to be asked: %w", err)
	}
	return names, nil
}

// lookAt takes one ask a step further; again when something may come of it soon.
func (c *Courier) lookAt(ctx context.Context, chats *secretchat.Client, name string, begin beginning) (again bool, err error) {
	var a ask
	found, err := c.read(ctx, name, &a)
	var damaged *json.SyntaxError
	switch {
	case errors.As(err, &damaged):
		c.cfg.Log.ErrorContext(ctx, "damaged ask for a secret chat", "ask", name)
		return false, c.erase(ctx, name)
	case err != nil || !found:
		return false, err
	case a.Over:
		return false, c.forgetAsk(ctx, a)
	case a.Refused != "":
		return false, c.tellRefused(ctx, a)
	}
	all, err := chats.Chats(ctx, a.Customer)
	if err != nil {
		return false, fmt.Errorf("look for the customer's secret chats: %w", err)
	}
	chat, found := a.chat(all)
	switch {
	case a.theirs(all):
		return false, c.giveWay(ctx, chats, a, chat)
	case !found:
		return true, begin(ctx, chats, a)
	case chat.Phase == secretchat.PhaseOpen:
		return false, c.settle(ctx, chats, a, chat, all)
	case chat.Phase == secretchat.PhaseWaiting && !a.Told:
		return false, c.tellAsked(ctx, chats, a)
	}
	// What became of a chat that is over, its event tells.
	return chat.Phase == secretchat.PhaseAsking, nil
}

// noAccount is the beginning of chats while no account is logged in.
func (c *Courier) noAccount(ctx context.Context, _ *secretchat.Client, a ask) error {
	return c.turnDown(ctx, a, WhyAccount)
}

// begin asks for the chat. What it costs is saved first, under the ask's own name; so
// it is paid for once, however often this is tried.
func (c *Courier) begin(ctx context.Context, chats *secretchat.Client, a ask) error {
	if a.Chat != 0 {
		return c.turnDown(ctx, a, WhyFault) // what became of it is forgotten
	}
	if c.cfg.Clock.Now().Sub(time.Unix(a.At, 0)) >= c.cfg.Patience {
		return c.turnDown(ctx, a, WhySilence)
	}
	until, err := c.LimitedUntil(ctx)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		return c.turnDown(ctx, a, WhyFlood)
	}
	paid, err := c.spend(ctx, a.ID)
	if err != nil {
		return err
	}
	if !paid {
		return c.turnDown(ctx, a, WhyBudget)
	}
	chat, err := chats.Ask(ctx, a.Customer, a.Hash)
	if err != nil {
		return fmt.Errorf("ask for a secret chat: %w", err)
	}
	if !chat.Creator { // the customer has just started one, and is not asked
		if chat.Created.Unix() >= a.Made {
			return c.changeAsk(ctx, a, func(a *ask) { a.Over = true })
		}
		return c.turnDown(ctx, a, WhyFault) // it is from before the code: they want another one
	}
	return c.changeAsk(ctx, a, func(a *ask) { a.Chat = chat.ID })
}

// giveWay lets the chat live that the customer has started meanwhile.
func (c *Courier) giveWay(ctx context.Context, chats *secretchat.Client, a ask, ours secretchat.Chat) error {
	if ours.ID != 0 && ongoing(ours) {
		if err := chats.Close(ctx, ours.ID); err != nil && !errors.Is(err, secretchat.ErrNoChat) {
			return fmt.Errorf("close the chat beside the customer's own: %w", err)
		}
	}
	return c.changeAsk(ctx, a, func(a *ask) { a.Over = true })
}

// settle ends an ask whose chat is open. The chats from before belong to a phone that
// the customer does not want any more.
func (c *Courier) settle(ctx context.Context, chats *secretchat.Client, a ask, ours secretchat.Chat, all []secretchat.Chat) error {
	for _, other := range all {
		if other.ID == ours.ID || !ongoing(other) {
			continue
		}
		if err := chats.Close(ctx, other.ID); err != nil && !errors.Is(err, secretchat.ErrNoChat) {
			return fmt.Errorf("close the chat before the new one: %w", err)
		}
	}
	return c.changeAsk(ctx, a, func(a *ask) { a.Over = true })
}

// tellAsked tells that the phone is asked, unless it has answered meanwhile.
func (c *Courier) tellAsked(ctx context.Context, chats *secretchat.Client, a ask) error {
	lock := c.asks.tellingOf(a.Customer)
	lock.Lock()
	defer lock.Unlock()
	all, err := chats.Chats(ctx, a.Customer)
	if err != nil {
		return fmt.Errorf("look for the customer's secret chats: %w", err)
	}
	if chat, found := a.chat(all); !found || chat.Phase != secretchat.PhaseWaiting {
		return nil
	}
	if err := c.tellChat(ctx, a.Customer, ChatNews{Kind: NewsAsked}); err != nil {
		return err
	}
	return c.changeAsk(ctx, a, func(a *ask) { a.Told = true })
}

// turnDown notes that there will be no chat, then tells so: it is not asked for after
// the customer was told.
func (c *Courier) turnDown(ctx context.Context, a ask, why Why) error {
	if err := c.changeAsk(ctx, a, func(a *ask) { a.Refused = why }); err != nil {
		return err
	}
	a.Refused = why
	return c.tellRefused(ctx, a)
}

// turnAllDown tells each customer who still waits to be asked that this account will not.
func (c *Courier) turnAllDown(ctx context.Context) error {
	names, err := c.askNames(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := c.lookAt(ctx, c.current(), name, c.noAccount); err != nil {
			return fmt.Errorf("turn down %s: %w", name, err)
		}
	}
	return nil
}

func (c *Courier) tellRefused(ctx context.Context, a ask) error {
	if err := c.tellChat(ctx, a.Customer, ChatNews{Kind: NewsRefused, Why: a.Refused}); err != nil {
		return err
	}
	return c.changeAsk(ctx, a, func(a *ask) { a.Over = true })
}

func (c *Courier) tellChat(ctx context.Context, customer int64, news ChatNews) error {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	if err := c.handler.ChatChanged(ctx, customer, news); err != nil {
		return fmt.Errorf("tell that a chat was %s: %w", news.Kind, err)
	}
	return nil
}

// changeAsk changes an ask's record, unless another code has begun a new one.
func (c *Courier) changeAsk(ctx context.Context, a ask, change func(*ask)) error {
	c.asks.taking.Lock()
	defer c.asks.taking.Unlock()
	var kept ask
	found, err := c.read(ctx, askingName(a.Customer), &kept)
	if err != nil || !found || kept.ID != a.ID {
		return err
	}
	change(&kept)
	return c.write(ctx, askingName(a.Customer), kept)
}

// forgetAsk removes what is over, once its code would not be taken any more.
func (c *Courier) forgetAsk(ctx context.Context, a ask) error {
	c.asks.taking.Lock()
	defer c.asks.taking.Unlock()
	var kept ask
	found, err := c.read(ctx, askingName(a.Customer), &kept)
	if err != nil || !found || !kept.Over || c.cfg.Clock.Now().Before(time.Unix(kept.Until, 0).Add(codeLate)) {
		return err
	}
	return c.erase(ctx, askingName(a.Customer))
}

// opened tells that a chat is open that the courier has asked for.
func (c *Courier) opened(ctx context.Context, chat secretchat.Chat) error {
	lock := c.asks.tellingOf(chat.User)
	lock.Lock()
	defer lock.Unlock()
	c.asks.wake()
	return c.handler.ChatChanged(ctx, chat.User, ChatNews{Kind: NewsOpened})
}

// overBefore notes that a chat is over that the courier has asked for; refused says that
// it never opened.
func (c *Courier) overBefore(ctx context.Context, chat secretchat.Chat, refused bool) error {
	var a ask
	found, err := c.read(ctx, askingName(chat.User), &a)
	if err != nil || !found || a.Over || !a.means(chat) {
		return err
	}
	// A look before the change would find nothing to do, and rest.
	defer c.asks.wake()
	why := whyRefused(chat.Reason)
	return c.changeAsk(ctx, a, func(a *ask) {
		a.Chat = chat.ID
		if refused && why != "" {
			a.Refused = why
			return
		}
		a.Over = true
	})
}

// whyRefused says why a chat is over that never opened; empty when that was our or the
// customer's own doing, and another chat takes its place.
func whyRefused(reason secretchat.Reason) Why {
	switch reason {
	case secretchat.ReasonReplaced, secretchat.ReasonOurs:
		return ""
	case secretchat.ReasonFlood:
		return WhyFlood
	case secretchat.ReasonPrivacy:
		return WhyPrivacy
	case secretchat.ReasonPatience:
		return WhySilence
	default:
		return whyOver(reason)
	}
}
