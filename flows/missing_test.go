package flows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// toTicket is the way to a ticket that is handed over with the last block.
func toTicket() []string {
	return []string{
		"write /shows", "tap Night Trains", "tap Choose a seat", "tap 3D", "tap Continue with 3D",
		"write " + string(addressNr(90)), "chat opens", "tap Order and pay 180.5 CRS", "wait 4s", "pay what is due", "block", "block", "wait 4s",
	}
}

// ticketed is a world in which Ann has a ticket on her phone.
func ticketed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.told(toTicket()...)
	w.seen()
	return w
}

// TestNothingCallsATicketSentOrArrivedTooEarly: sent is what Telegram has, arrived is what the phone acknowledged, on
// the card, on that of several, in the list, in the details and in what rings.
func TestNothingCallsATicketSentOrArrivedTooEarly(t *testing.T) {
	for state, want := range map[order.DeliveryState]struct{ sent, arrived bool }{
		order.DeliveryNone: {}, order.DeliveryWaiting: {}, order.DeliverySent: {sent: true}, order.DeliverySeen: {arrived: true},
	} {
		for _, many := range []bool{false, true} {
			w := newWorld(t)
			w.courier.open[ann] = flows.ChatOpen
			o := owned(w)
			o.Tickets[0].Delivery = order.Delivery{State: state, Sent: start}
			if many {
				o = several(o)
			}
			w.flows.Desk = shelf{desk{w}, []order.Order{o}}
			w.must(w.flows.Tell(t.Context(), &o))
			told := w.seen()
			places := map[string]string{"the card and what rings": told}
			w.happens("write /tickets")
			places["the list"] = w.seen()
			w.happens("tap " + w.chat(ann).messages[w.chat(ann).next].Buttons[0][0].Text)
			places["the details"] = w.seen()
			for place, text := range places {
				sent := strings.Contains(text, "was sent to") || strings.Contains(text, "were sent to") || strings.Contains(text, "ticket sent") ||
					strings.Contains(text, "yours, sent")
				if arrived := strings.Contains(text, "arrived"); sent != want.sent || arrived != want.arrived && !strings.Contains(place, "rings") {
					t.Errorf("%q, many %t: %s says sent %t, arrived %t:\n%s", state, many, place, sent, arrived, text)
				}
			}
			if strings.Contains(told, "has arrived on your phone") && !want.arrived || strings.Contains(told, "arrived in your secret chat") && !want.arrived {
				t.Errorf("%q: arrived too early:\n%s", state, told)
			}
		}
	}
}

func TestAPhoneThatIsOffIsRemindedOfOnce(t *testing.T) {
	w := newWorld(t)
	w.courier.phone.off = true
	w.told(toTicket()...)
	w.seen()
	w.wait(29 * time.Minute)
	if log := w.seen(); strings.Contains(log, "still waits at Telegram") {
		t.Fatalf("reminded too early:\n%s", log)
	}
	w.wait(2 * time.Minute)
	if log := w.seen(); strings.Count(log, "still waits at Telegram") != 1 {
		t.Fatalf("not reminded:\n%s", log)
	}
	w.newEngine(w.flows.Config.Gas) // the process starts anew, and runs everything
	w.post()
	w.wait(time.Hour)
	if log := w.seen(); strings.Contains(log, "message") {
		t.Errorf("said again:\n%s", log)
	}
}

func TestAPhoneThatFetchedTheTicketMeanwhileIsNotRemindedOf(t *testing.T) {
	w := newWorld(t)
	w.courier.phone.off = true
	w.told(toTicket()...)
	w.wait(29 * time.Minute)
	w.courier.phone.off = false // nobody tells: it is asked for before the reminder
	w.wait(time.Hour)
	if log := w.seen(); strings.Contains(log, "still waits") || !strings.Contains(log, "has arrived on your phone") {
		t.Errorf("said:\n%s", log)
	}
}

func TestATicketThatWaitsForAChatIsRemindedOfOnce(t *testing.T) {
	w := newWorld(t)
	w.told(toTicket()[:11]...)
	delete(w.courier.open, ann)
	w.told("block", "wait 4s")
	if log := w.seen(); strings.Count(log, "there is no secret chat to hand the ticket over") != 1 {
		t.Fatalf("said:\n%s", log)
	}
	w.wait(35 * time.Minute)
	if log := w.seen(); strings.Count(log, "still waits here") != 1 {
		t.Fatalf("said:\n%s", log)
	}
	w.wait(time.Hour)
	if log := w.seen(); strings.Contains(log, "still waits") {
		t.Errorf("said again:\n%s", log)
	}
}

func TestNobodyIsRemindedOfWhatIsNoUseAnyMore(t *testing.T) {
	for name, change := range map[string]func(*order.Order){
		"given back":    func(o *order.Order) { o.Tickets[0].State = order.Releasing },
		"show over":     func(o *order.Order) { o.Show.Time = start.Add(-order.AfterShow) },
		"undone":        func(o *order.Order) { o.State = order.Void },
		"sent long ago": func(o *order.Order) { o.Tickets[0].Delivery.Sent = time.Time{} },
	} {
		w := newWorld(t)
		o := owned(w)
		o.Tickets[0].Delivery = order.Delivery{State: order.DeliverySent, Sent: start.Add(-time.Hour)}
		change(&o)
		w.must(w.flows.Tell(t.Context(), &o))
		if log := w.seen(); strings.Contains(log, "still waits") {
			t.Errorf("%s:\n%s", name, log)
		}
	}
}

func TestATicketIsSentAgainNotMoreThanTenTimesAnHour(t *testing.T) {
	w := ticketed(t)
	for range 12 {
		w.told("tap Send the ticket again", "wait 10s")
	}
	if got := w.last(ann).Tickets[0].Delivery.Count; got != 11 {
		t.Errorf("sent %d times", got)
	}
	if log := w.seen(); !strings.Contains(log, "That was sent often enough for now. In 59 minutes it can be sent again.") {
		t.Errorf("said:\n%s", log)
	}
	w.told("wait 1h", "tap Send the ticket again")
	if got := w.last(ann).Tickets[0].Delivery.Count; got != 12 {
		t.Errorf("sent %d times", got)
	}
	s, err := w.db.Peek(t.Context(), ann)
	w.must(err)
	if len(s.Tries.Sends) != 1 {
		t.Errorf("remembers %d tries", len(s.Tries.Sends))
	}
}

// TestSendAgainSaysWhyNot: after the show, while a ticket goes back, after it went back, for somebody else.
func TestSendAgainSaysWhyNot(t *testing.T) {
	for want, change := range map[string]func(*order.Order){
		"That show is over":                func(o *order.Order) { o.Show.Time = start.Add(-order.AfterShow - 1) },
		"Undo that first":                  func(o *order.Order) { o.Tickets[0].State, o.Tickets[0].Undo = order.Releasing, start.Add(time.Hour) },
		"its QR opens no door any more":    func(o *order.Order) { o.Tickets[0].State = order.Released },
		"things have moved on since":       func(o *order.Order) { o.Tickets[0].State = order.Lost },
		"This button belongs to somebody ": func(o *order.Order) { o.Tickets[0].ID = "another" },
	} {
		w := newWorld(t)
		w.courier.open[ann] = flows.ChatOpen
		o := owned(w)
		change(&o)
		w.flows.Desk = shelf{desk{w}, []order.Order{o}}
		w.happens(fmt.Sprintf("raw 1:again:%s:t1", o.ID))
		if log := w.seen(); !strings.Contains(log, want) {
			t.Errorf("want %q:\n%s", want, log)
		}
	}
}
