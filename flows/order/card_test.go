package order_test

import (
	"context"
	"errors"
	"testing"

	"github.com/usherbot/usher/flows/order"
)

// late is a process that stands still while it shows a card, until another one has worked on the order.
type late struct{ meanwhile func() }

func (l *late) Tell(_ context.Context, o *order.Order) error {
	l.meanwhile()
	o.Card.Message, o.Card.Shown = 7, "what was true before"
	return nil
}

func (*late) Attend(context.Context, order.Order, string) error { return nil }

// free are locks that have run out for whoever holds them.
type free struct{}

func (free) Lock(ctx context.Context, _ string) (context.Context, func(), error) {
	return ctx, func() {}, nil
}

func TestCardThatAThawedProcessMayHaveOverwrittenIsShownAnew(t *testing.T) {
	w := newWorld(t)
	w.open(seat3C)
	o := w.o
	ctx, stop := context.WithCancel(t.Context())
	deps := w.engine.Deps
	deps.Locks = free{}
	deps.Teller = &late{meanwhile: func() {
		other, err := w.db.Load(t.Context(), o.ID)
		w.must(err)
		other.Card.Message, other.Card.Shown = 7, "what is true now"
		w.must(w.db.Save(t.Context(), &other))
		stop() // the thawed process has lost its lock
	}}
	thawed := order.NewEngine(w.cfg, deps)
	if err := thawed.Run(ctx, o.ID); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want that it could not save", err)
	}
	got, err := w.db.Load(t.Context(), o.ID)
	w.must(err)
	if got.Card.Shown != "" || got.Next.After(w.clock.Now()) {
		t.Errorf("the card counts as shown: %+v, next %v", got.Card, got.Next)
	}
}
