package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// showHallWithin bounds one edit of a hall: the customer's turn is taken meanwhile.
const showHallWithin = 5 * time.Second

const hallPrefix = "hall:"

// hallCard names a customer's hall for whoever sends it.
func hallCard(customer int64) string { return hallPrefix + strconv.FormatInt(customer, 10) }

// hallOf reads what hallCard wrote.
func hallOf(card string) (customer int64, ok bool) {
	id, ok := strings.CutPrefix(card, hallPrefix)
	if !ok {
		return 0, false
	}
	customer, err := strconv.ParseInt(id, 10, 64)
	return customer, err == nil
}

// following shows a hall that follows by itself what others take and give back.
func (f *Flows) following(t *turn, s Screen, h Hall) Reply {
	before, shown := t.session.Hall, t.session.Shown
	reply := f.inPlace(t, s)
	h.List, h.At = t.session.Draft.List, t.now
	t.session.Hall, t.looks = h, true
	if f.Lookers == nil || before.Show != "" && before.List == h.List && shown == t.session.Shown {
		return reply
	}
	// A text does not become a picture in place: whoever sends the screen says which message it is then.
	t.session.Shown = 0
	reply.Screens[0].Card = hallCard(t.customer())
	return reply
}

// hallShown notes which message a hall is in.
func (f *Flows) hallShown(ctx context.Context, customer int64, message int) error {
	t, err := f.turnSoon(ctx, customer)
	if err != nil {
		return err
	}
	if t.session.Hall.Show == "" || t.session.Shown != 0 {
		return f.release(ctx, customer) // something else is on the screen by now
	}
	t.session.Shown = message
	return f.end(ctx, t)
}

// RefreshHalls brings the halls that customers look at up to date, each in place: who takes, holds or gives back a seat
// is seen by the others. A hall that was shown less than three seconds ago, and one whose customer is being answered,
// waits for the next pass. Errors: what did not answer; the halls that it was not about are brought up to date all the
// same.
func (f *Flows) RefreshHalls(ctx context.Context) error {
	if f.Lookers == nil {
		return nil
	}
	lookers, err := f.Lookers.Looking(ctx, f.Clock().Add(-LookFor))
	if err != nil || len(lookers) == 0 {
		return wrapped("listing who looks at a hall", err)
	}
	sales, tip, err := f.onSale(ctx)
	if err != nil {
		return err
	}
	pass := pass{f: f, sales: sales, tip: tip, offers: map[cirrus.TxID]offer{}}
	var errs []error
	var stale []looker
	for _, customer := range lookers {
		if ctx.Err() != nil {
			break
		}
		l, err := pass.look(ctx, customer)
		errs = append(errs, err)
		if err == nil && l.stale {
			stale = append(stale, l)
		}
	}
	return errors.Join(append(errs, ctx.Err(), f.refreshAll(ctx, stale))...)
}

func wrapped(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// pass is one look at all halls: what many customers look at is read once.
type pass struct {
	f      *Flows
	sales  []order.Sale
	tip    order.Tip
	offers map[cirrus.TxID]offer
}

// looker is a customer with a hall on the screen.
type looker struct {
	customer int64
	seen     time.Time // the last event of the customer
	show     cirrus.TxID
	offer    offer
	over     bool // the sale is over
	stale    bool // the screen is not what is true now
}

// look compares what a customer sees with what is true. Who looks elsewhere is forgotten.
func (p *pass) look(ctx context.Context, customer int64) (looker, error) {
	f := p.f
	session, err := f.Sessions.Peek(ctx, customer)
	if err != nil {
		return looker{}, fmt.Errorf("reading a session: %w", err)
	}
	l := looker{customer: customer, seen: session.Seen, show: session.Hall.Show}
	if l.show == "" {
		return l, wrapped("forgetting who looked at a hall", f.Lookers.Leave(ctx, customer))
	}
	if l.offer, l.over, err = p.offer(ctx, l.show); err != nil {
		return l, err
	}
	l.offer.customer = customer
	l.stale = f.hallStale(&turn{session: session, now: f.Clock(), voice: f.voice(session.Language)}, l)
	return l, nil
}

// offer finds a show, and what is held of it, once a pass.
func (p *pass) offer(ctx context.Context, show cirrus.TxID) (o offer, over bool, err error) {
	if o, known := p.offers[show]; known {
		return o, false, nil
	}
	i := slices.IndexFunc(p.sales, func(s order.Sale) bool { return s.Show.TxID == show })
	if i < 0 {
		return offer{}, true, nil
	}
	if o, err = p.f.offered(ctx, p.sales[i], p.tip); err == nil {
		p.offers[show] = o
	}
	return o, false, err
}

// hallStale tells whether the hall on the screen must be shown anew. One whose message is not known yet can't be.
func (f *Flows) hallStale(t *turn, l looker) bool {
	h := t.session.Hall
	if h.Show != l.show || t.session.Shown == 0 || t.now.Before(h.At.Add(editGap)) {
		return false
	}
	return l.over || f.plan(t, l.offer, t.chosen(l.offer)).name() != h.Seats
}

// chosen are the seats that the hall on the screen marks.
func (t *turn) chosen(o offer) []cirrus.Seat {
	if t.session.Hall.Lost != "" {
		return nil
	}
	return t.picked(o)
}

// refreshAll shows halls anew, some at a time: Telegram takes its time for each.
func (f *Flows) refreshAll(ctx context.Context, stale []looker) error {
	const usual = 8
	atOnce := f.Config.AtOnce
	if atOnce < 1 {
		atOnce = usual
	}
	errs := make([]error, len(stale))
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, l := range stale {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			errs[i] = f.refresh(ctx, l)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// refresh shows a customer's hall anew while nothing else can be shown to this customer, so that it overwrites no newer
// screen.
func (f *Flows) refresh(ctx context.Context, l looker) error {
	ctx, done := context.WithTimeout(ctx, showHallWithin)
	defer done()
	t, _, err := f.begin(ctx, Event{Kind: Private, Actor: Actor{ID: l.customer}, Chat: l.customer})
	if errors.Is(err, order.ErrBusy) {
		return nil // the next pass is soon
	}
	if err != nil {
		return err
	}
	t.session.Seen = l.seen // it is not the customer who acts
	if !f.hallStale(t, l) {
		return f.release(ctx, l.customer)
	}
	if err := f.redraw(ctx, t, l); err != nil {
		return errors.Join(err, f.release(ctx, l.customer))
	}
	return f.end(ctx, t)
}

// redraw shows the hall as it is now, or that its sale is over.
func (f *Flows) redraw(ctx context.Context, t *turn, l looker) error {
	hall, screen, err := f.hallThen(ctx, t, l)
	if err != nil {
		return err
	}
	message := t.session.Shown
	if screen != nil {
		screen.Silent = true // where it can't be edited in place
		message, err = f.Messenger.Show(ctx, Outgoing{Chat: l.customer, Edit: message, Screen: *screen})
	}
	if errors.Is(err, order.ErrBlocked) || errors.Is(err, order.ErrGone) {
		message, hall = 0, Hall{} // nobody looks at it any more
	} else if err != nil {
		return fmt.Errorf("showing a hall anew: %w", err)
	}
	t.session.Shown, t.session.Hall = message, hall
	if hall.Show == "" {
		return wrapped("forgetting who looked at a hall", f.Lookers.Leave(ctx, l.customer))
	}
	return nil
}

// hallThen is what a hall turns into, and how the session remembers that. screen is nil where it stays as it is.
func (f *Flows) hallThen(ctx context.Context, t *turn, l looker) (h Hall, screen *Screen, err error) {
	h = t.session.Hall
	switch {
	case h.Lost != "":
		return f.otherThen(ctx, t, l)
	case l.over:
		t.session.Draft = Draft{}
		return Hall{}, &Screen{Text: t.say("hall.over", nil), Buttons: t.menu()}, nil
	}
	o := l.offer
	gone := f.dropGone(t, o)
	for _, seat := range h.Gone {
		if f.seatState(o, seat, t.now) != seatFree && !slices.Contains(gone, seat) {
			gone = append(gone, seat)
		}
	}
	s, err := f.hall(t, o, gone)
	h.Seats, h.At, h.Gone = f.plan(t, o, t.picked(o)).name(), t.now, gone
	return h, &s, err
}

// otherThen is the same of a hall in which a seat is chosen in place of a lost one. Where that is not possible any
// more, the card of the order says so.
func (f *Flows) otherThen(ctx context.Context, t *turn, l looker) (h Hall, screen *Screen, err error) {
	h = t.session.Hall
	o, lost, err := f.ofTicket(ctx, l.customer, h.Lost)
	switch {
	case err != nil:
		return Hall{}, nil, err
	case lost == nil || !choosing(o, *lost):
		return Hall{}, nil, nil
	case l.over:
		return Hall{}, &Screen{Text: t.say("hall.over_other", nil), Buttons: t.menu()}, nil
	}
	s, err := f.otherScreen(t, swap{o: o, lost: *lost, sale: l.offer})
	h.Seats, h.At = f.plan(t, l.offer, nil).name(), t.now
	return h, &s, err
}
