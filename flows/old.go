package flows

import (
	"context"
	"fmt"
)

// old answers a button of another time with a polite sentence and the screen of now.
func (f *Flows) old(ctx context.Context, t *turn) (Reply, error) {
	show := f.shows
	switch h := t.session.Hall; {
	case h.Lost != "":
		show = func(ctx context.Context, t *turn) (Reply, error) {
			return f.exchanging(ctx, t, action{verb: doOther, args: []string{h.Lost, "h"}})
		}
	case h.Show != "":
		show = f.hallAgain
	case len(t.session.Draft.Seats) > 0:
		show = f.resume
	}
	reply, err := show(ctx, t)
	reply.Answer = t.answer("tap.old")
	return reply, err
}

// hallAgain shows the hall that is on the screen.
func (f *Flows) hallAgain(ctx context.Context, t *turn) (Reply, error) {
	o, found, err := f.find(ctx, t.customer(), showKey(t.session.Hall.Show))
	if err != nil {
		return Reply{}, err
	}
	if !found {
		return f.shows(ctx, t)
	}
	return f.seats(t, o)
}

// unreadable answers a button whose meaning is not known: one of an older program. The living card of an order is not
// replaced by another screen.
func (f *Flows) unreadable(ctx context.Context, t *turn) (Reply, error) {
	all, err := f.Desk.List(ctx, t.customer())
	if err != nil {
		return Reply{}, fmt.Errorf("listing orders: %w", err)
	}
	for _, o := range all {
		if o.Card.Message == t.event.Message {
			return Reply{Answer: t.answer("tap.old_card")}, nil
		}
	}
	return f.old(ctx, t)
}
