package order_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// courierOf answers as a courier would, and notes which parcels it was given, as marked as repeated or not.
type courierOf struct {
	*world
	via    string
	state  order.DeliveryState
	err    error
	given  []string // the parcels, each once
	counts []int    // how often each ticket had been sent, with its parcel
	asked  int
}

func (c *courierOf) Deliver(_ context.Context, o order.Order, ticket string) (order.Handed, error) {
	c.asked++
	if c.err != nil {
		return order.Handed{}, c.err
	}
	d := o.Ticket(ticket).Delivery
	if !slices.Contains(c.given, d.Parcel) {
		c.given, c.counts = append(c.given, d.Parcel), append(c.counts, d.Count)
	}
	return order.Handed{State: c.state, Via: c.via}, nil
}

// handedOver is a ticket that a courier has, and as far as it says.
func handedOver(t *testing.T, state order.DeliveryState) (*world, *courierOf) {
	t.Helper()
	w := newWorld(t)
	c := &courierOf{world: w, via: "QuayTickets", state: state}
	w.engine.Deliverer = c
	w.buy()
	return w, c
}

func (w *world) askFor(ask order.Ask) {
	w.t.Helper()
	ask.Ticket = w.ticket().ID
	_, err := w.engine.Do(w.t.Context(), customer, w.o.ID, ask)
	w.must(err)
	w.run()
}

func TestATicketIsSentOnlyWhenTelegramHasItAndSeenOnlyWhenThePhoneSaysSo(t *testing.T) {
	w, c := handedOver(t, order.DeliveryWaiting)
	if d := w.ticket().Delivery; d.State != order.DeliveryWaiting || !d.Sent.IsZero() || d.Since.IsZero() {
		t.Fatalf("queued: %+v", d)
	}
	c.state = order.DeliverySent
	w.must(w.ask(order.Unblocked))
	sent := w.ticket().Delivery
	if sent.State != order.DeliverySent || sent.Sent.IsZero() || !sent.Seen.IsZero() {
		t.Fatalf("sent: %+v", sent)
	}
	w.clock.Advance(time.Minute)
	c.state = order.DeliverySeen
	w.must(w.ask(order.Unblocked))
	if d := w.ticket().Delivery; d.State != order.DeliverySeen || !d.Sent.Equal(sent.Sent) || !d.Seen.Equal(w.clock.Now()) {
		t.Errorf("seen: %+v", d)
	}
	if len(c.given) != 1 {
		t.Errorf("parcels %v", c.given)
	}
}

func TestAParcelThatWaitsIsAskedForEverMoreSeldom(t *testing.T) {
	w, c := handedOver(t, order.DeliveryWaiting)
	before := c.asked
	for range 600 {
		w.pass(time.Second)
	}
	if asked := c.asked - before; asked < 5 || asked > 15 || len(c.given) != 1 {
		t.Errorf("asked %d times in ten minutes, parcels %v", asked, c.given)
	}
}

func TestAParcelThatFailsIsMadeAnewAfterAGrowingWait(t *testing.T) {
	w, c := handedOver(t, order.DeliveryFailed)
	for range 60 {
		w.pass(time.Second)
	}
	if n := len(c.given); n < 3 || n > 8 {
		t.Errorf("%d parcels in a minute: each is an upload", n)
	}
	c.state = order.DeliverySent
	w.pass(3 * time.Minute)
	if d := w.ticket().Delivery; d.State != order.DeliverySent || d.Count != len(c.given) {
		t.Errorf("delivery %+v, parcels %v", d, c.given)
	}
}

func TestSendAgainTwiceSendsOnce(t *testing.T) {
	w, c := handedOver(t, order.DeliverySeen)
	c.state = order.DeliveryWaiting
	w.must(w.ask(order.SendAgain))
	w.must(w.ask(order.SendAgain))
	c.state = order.DeliverySent
	w.must(w.ask(order.Unblocked))
	if d := w.ticket().Delivery; len(c.given) != 2 || d.Count != 2 || d.State != order.DeliverySent {
		t.Errorf("parcels %v, delivery %+v", c.given, d)
	}
}

func TestAChatThatEndsBeforeThePhoneHasTheTicketLeavesItWaiting(t *testing.T) {
	w, c := handedOver(t, order.DeliverySent)
	c.err = order.ErrNoChat
	w.must(w.ask(order.Unblocked))
	if d := w.ticket().Delivery; d.State != order.DeliveryWaiting || !d.Told || !d.Since.Equal(w.clock.Now()) {
		t.Fatalf("delivery %+v", d)
	}
	c.err = nil
	w.must(w.ask(order.Unblocked))
	if d := w.ticket().Delivery; d.State != order.DeliverySent || len(c.given) != 1 {
		t.Errorf("the courier must know the parcel again: %v, %+v", c.given, d)
	}
}

func TestASeenTicketStaysSeenWhenItsChatEnds(t *testing.T) {
	w, c := handedOver(t, order.DeliverySeen)
	c.err = order.ErrNoChat
	w.must(w.ask(order.Unblocked))
	if d := w.ticket().Delivery; d.State != order.DeliverySeen {
		t.Errorf("delivery %+v", d)
	}
}

// TestWhatAnotherAccountHadIsSentOnceMore: and once only, however often that is asked for.
func TestWhatAnotherAccountHadIsSentOnceMore(t *testing.T) {
	for _, state := range []order.DeliveryState{order.DeliveryWaiting, order.DeliverySent, order.DeliverySeen} {
		w, c := handedOver(t, state)
		moved := order.Ask{Verb: order.SendAnew, Via: "QuayTwo"}
		c.via, c.err = "QuayTwo", order.ErrNoChat
		w.askFor(moved)
		w.askFor(moved)
		if d := w.ticket().Delivery; d.State != order.DeliveryWaiting || d.Via != "" {
			t.Fatalf("%s: %+v", state, d)
		}
		c.err, c.state = nil, order.DeliverySeen
		w.askFor(moved)
		w.askFor(moved)
		if d := w.ticket().Delivery; len(c.given) != 2 || c.counts[1] != 2 || d.State != order.DeliverySeen || d.Via != "QuayTwo" {
			t.Errorf("%s: parcels %v %v, %+v", state, c.given, c.counts, d)
		}
	}
}

// TestWhatNoCourierEverHadIsNotCalledRepeated: it waited for a chat, and the account changed meanwhile.
func TestWhatNoCourierEverHadIsNotCalledRepeated(t *testing.T) {
	w := newWorld(t)
	c := &courierOf{world: w, via: "QuayTickets", err: order.ErrNoChat}
	w.engine.Deliverer = c
	w.buy()
	w.askFor(order.Ask{Verb: order.SendAnew, Told: true})
	c.err, c.state = nil, order.DeliverySent
	w.must(w.ask(order.Unblocked))
	if d := w.ticket().Delivery; len(c.given) != 1 || d.Count != 1 {
		t.Errorf("parcels %v, %+v", c.given, d)
	}
}

func TestOneWishForEverythingAnewIsGrantedOnce(t *testing.T) {
	w, c := handedOver(t, order.DeliverySeen)
	for range 3 {
		w.askFor(order.Ask{Verb: order.SendAnew, Mark: "renew-1"})
	}
	w.askFor(order.Ask{Verb: order.SendAnew, Mark: "renew-2"})
	if d := w.ticket().Delivery; len(c.given) != 3 || d.Count != 3 {
		t.Errorf("parcels %v, %+v", c.given, d)
	}
}

// TestAWishForEverythingAnewSurvivesDeath: the process dies before or after any save or handing over of it.
func TestAWishForEverythingAnewSurvivesDeath(t *testing.T) {
	for _, site := range []string{order.SiteSave, order.SiteDeliver} {
		for nth := range 3 {
			for _, before := range []bool{true, false} {
				w, c := handedOver(t, order.DeliverySeen)
				w.next(site, append(slices.Repeat([]fault{fine()}, nth), fault{before: before, crash: true})...)
				w.askFor(order.Ask{Verb: order.SendAnew, Mark: "renew-1"})
				w.pass(5 * time.Minute)
				w.pass(5 * time.Minute)
				if d := w.ticket().Delivery; len(c.given) != 2 || d.State != order.DeliverySeen || d.Mark != "renew-1" {
					t.Errorf("%s %d before=%t: parcels %v, %+v", site, nth, before, c.given, d)
				}
			}
		}
	}
}

func TestNothingIsHandedOverAfterTheShow(t *testing.T) {
	w := newWorld(t)
	c := &courierOf{world: w, err: order.ErrNoChat}
	w.engine.Deliverer = c
	w.node.sale.Show.Time = w.clock.Now().Add(time.Hour)
	w.post()
	w.buy()
	w.pass(time.Hour + order.AfterShow)
	asked := c.asked
	w.pass(time.Hour)
	if c.asked != asked {
		t.Errorf("asked %d times more", c.asked-asked)
	}
	_, err := w.engine.Do(t.Context(), customer, w.o.ID, order.Ask{Verb: order.SendAgain, Ticket: w.ticket().ID})
	if err == nil {
		t.Error("sent again")
	}
}
