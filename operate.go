package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// small keeps a few bytes under a name.
type small interface {
	Get(ctx context.Context, name string) ([]byte, error)
	Put(ctx context.Context, name string, value []byte) error
}

const (
	pausedKey = "operator:paused"
	venuesKey = "operator:venues"
)

// pause keeps whether the operator paused selling.
type pause struct{ store small }

func (p pause) set(ctx context.Context, paused bool) error {
	value := "no"
	if paused {
		value = "yes"
	}
	return p.store.Put(ctx, pausedKey, []byte(value))
}

// on tells whether selling is paused; where that cannot be read it is.
func (p pause) on(ctx context.Context) bool {
	value, err := p.store.Get(ctx, pausedKey)
	return err != nil || string(value) == "yes"
}

// venues are the contracts to sell from: those of the configuration, less what the operator removed in Telegram, and
// what they added there.
type venues struct {
	configured []cirrus.Address
	store      small
}

type venueChanges struct {
	Added   []cirrus.Address `json:"added"`
	Removed []cirrus.Address `json:"removed"`
}

func (v *venues) changes(ctx context.Context) (c venueChanges, err error) {
	raw, err := v.store.Get(ctx, venuesKey)
	if err != nil || len(raw) == 0 {
		return c, err
	}
	return c, json.Unmarshal(raw, &c)
}

func (v *venues) list(ctx context.Context) ([]cirrus.Address, error) {
	c, err := v.changes(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the venues: %w", err)
	}
	var all []cirrus.Address
	for _, address := range slices.Concat(v.configured, c.Added) {
		if !slices.Contains(all, address) && !slices.Contains(c.Removed, address) {
			all = append(all, address)
		}
	}
	return all, nil
}

// change adds or removes a contract.
func (v *venues) change(ctx context.Context, address cirrus.Address, add bool) error {
	c, err := v.changes(ctx)
	if err != nil {
		return fmt.Errorf("reading the venues: %w", err)
	}
	is := func(other cirrus.Address) bool { return other == address }
	c.Added, c.Removed = slices.DeleteFunc(c.Added, is), slices.DeleteFunc(c.Removed, is)
	if add {
		c.Added = append(c.Added, address)
	} else {
		c.Removed = append(c.Removed, address)
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return v.store.Put(ctx, venuesKey, raw)
}

// attention lists the orders that need a person, the oldest first. It reads every order: the operator asks seldom.
func (a *app) attention(ctx context.Context) ([]order.Order, error) {
	ids, err := a.db.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	var list []order.Order
	for _, id := range ids {
		o, err := a.db.Load(ctx, id)
		if errors.Is(err, order.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool { return t.State == order.Attention }) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(x, y order.Order) int { return x.Created.Compare(y.Created) })
	return list, nil
}

// status gives the operator what the conversations don't know.
func (a *app) status(ctx context.Context) ([]string, error) {
	var lines []string
	accounts, err := a.courierLines(ctx)
	if err != nil {
		return nil, err
	}
	lines = append(lines, accounts...)
	if ok, why := a.durable.selling(); !ok {
		lines = append(lines, "Redis: "+why)
	}
	wallets, err := a.refused.refused(ctx)
	if err != nil {
		return nil, err
	}
	for _, wallet := range wallets {
		lines = append(lines, fmt.Sprintf("Wallet %s: its password is refused.", wallet))
	}
	if a.floats != nil {
		float, err := a.floats.state(ctx)
		if err != nil {
			return nil, err
		}
		lines = append(lines, float.line())
	}
	contracts, err := a.venues.list(ctx)
	if err != nil {
		return nil, err
	}
	lines = append(lines, fmt.Sprintf("Venues followed: %d.", len(contracts)))
	tip, err := a.db.Tip(ctx)
	if err == nil {
		lines = append(lines, fmt.Sprintf("The chain was last looked at %s ago.", a.clock().Sub(tip.Seen).Round(time.Second)))
	}
	return lines, nil
}

// changeVenue adds or removes a contract in Telegram. Errors: order.ErrNoContract.
func (a *app) changeVenue(ctx context.Context, contract cirrus.Address, add bool) error {
	if add {
		there, err := a.node.IsContract(ctx, contract)
		if err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("adding %s: %w", contract, order.ErrNoContract)
		}
	}
	return a.venues.change(ctx, contract, add)
}

// operatorWrote has news that no operator could be told before be told soon. Where updates come by webhook to a process
// that does not work, the next try of the one that does tells them.
func (a *app) operatorWrote() {
	a.durable.pause.hurry()
	if a.courier != nil {
		a.courier.TellAgain()
	}
}
