package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

const windingKey = "operator:winddown"

// winding is the operator's mark that sales are wound down. It lies in Redis, and every Usher there obeys it: each step
// of an order reads it.
type winding struct {
	store small
	seen  int // Number of the mark when all orders were woken last
}

// windingMark says which sales are wound down. A change of it has another number.
type windingMark struct {
	Number int              `json:"number"`
	All    bool             `json:"all,omitempty"`
	Venues []cirrus.Address `json:"venues,omitempty"`
}

func (m windingMark) covers(contract cirrus.Address) bool {
	return m.All || slices.Contains(m.Venues, contract)
}

// with is the mark after a change: contract wound down, or not any more; every one where it is empty.
func (m windingMark) with(contract cirrus.Address, wound bool) windingMark {
	next := windingMark{Number: m.Number + 1, All: m.All}
	next.Venues = slices.DeleteFunc(slices.Clone(m.Venues), func(a cirrus.Address) bool { return a == contract })
	switch {
	case contract == "" && wound:
		next.All = true
	case contract == "":
		next.All, next.Venues = false, nil
	case wound:
		next.Venues = append(next.Venues, contract)
	}
	return next
}

// read asks Redis.
func (w *winding) read(ctx context.Context) (m windingMark, err error) {
	raw, err := w.store.Get(ctx, windingKey)
	if err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		return m, fmt.Errorf("reading what is wound down: %w", err)
	}
	return m, nil
}

// onChange wakes all orders where the mark is not the one that they were woken for last. One goroutine calls it.
func (w *winding) onChange(ctx context.Context, wake func(context.Context) error) error {
	m, err := w.read(ctx)
	if err != nil || m.Number == w.seen {
		return err
	}
	if err := wake(ctx); err != nil {
		return err
	}
	w.seen = m.Number
	return nil
}

// down tells whether the sales of a contract are wound down; it is order.Deps.WindingDown.
func (w *winding) down(ctx context.Context, contract cirrus.Address) (bool, error) {
	m, err := w.read(ctx)
	return m.covers(contract), err
}

// change writes another mark.
func (w *winding) change(ctx context.Context, contract cirrus.Address, wound bool) error {
	m, err := w.read(ctx)
	if err != nil {
		return err
	}
	if wound == m.covers(contract) && contract != "" || contract == "" && wound && m.All {
		return nil
	}
	raw, err := json.Marshal(m.with(contract, wound))
	if err != nil {
		return err
	}
	return w.store.Put(ctx, windingKey, raw)
}
