package flows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// turnedEvery is how often a customer is told at most that a secret chat came too soon.
const turnedEvery = 10 * time.Minute

// ChatTurned hears that somebody started a secret chat whom the courier does not expect, and that it was discarded. A
// customer who was too quick learns when to start one; of strangers nothing is known here, and they hear nothing. Errors
// as of ChatOpened.
func (f *Flows) ChatTurned(ctx context.Context, user int64) error {
	session, err := f.Sessions.Peek(ctx, user)
	if err != nil {
		return fmt.Errorf("reading a session: %w", err)
	}
	if session.Version == 0 || f.Clock().Sub(session.Turned) < turnedEvery {
		return nil
	}
	return f.hear(ctx, user, f.turnedNow)
}

func (f *Flows) turnedNow(ctx context.Context, t *turn) ([]showing, error) {
	if t.now.Sub(t.session.Turned) < turnedEvery {
		return nil, nil
	}
	contact, err := f.Courier.Contact(ctx, t.customer())
	if errors.Is(err, order.ErrNoCourier) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the courier: %w", err)
	}
	t.session.Turned = t.now
	text := t.say("way.too_soon", args{"Courier": contact.Username})
	return []showing{{Screen: Screen{Text: text, Buttons: t.menuBelow()}, shown: func(int) {}}}, nil
}
