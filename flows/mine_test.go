package flows_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// shelf is a desk with these orders, of whoever asks.
type shelf struct {
	desk
	orders []order.Order
}

func (s shelf) List(context.Context, int64) ([]order.Order, error) { return s.orders, nil }

func (s shelf) Load(_ context.Context, _ int64, id order.ID) (order.Order, error) {
	for _, o := range s.orders {
		if o.ID == id {
			return o, nil
		}
	}
	return order.Order{}, order.ErrNotFound
}

func (s shelf) Do(context.Context, int64, order.ID, order.Ask) (order.Order, error) {
	return order.Order{}, order.ErrNotAllowed
}

// aTicket is an order with one ticket, for a show so long from now.
func aTicket(n int, from time.Duration) order.Order {
	show := cirrus.Show{
		Name: fmt.Sprintf("%d %s", n, strings.Repeat("Long Name ", 8)), Venue: strings.Repeat("Hall ", 10), Time: start.Add(from),
		EndOfSale: 1_300_000, Contract: addressNr(200),
	}
	return order.Order{
		ID: order.ID(fmt.Sprintf("o%d", n)), State: order.Filled, Show: show, Created: start,
		Terms: cirrus.Terms{NoReleaseBlocks: 10},
		Tickets: []order.Ticket{{
			ID: fmt.Sprintf("t%d", n), Seat: cirrus.Seat{Number: int32(n), Letter: 'A'}, State: order.Owned, Price: cirrus.CRS,
			Delivery: order.Delivery{State: order.DeliverySeen},
		}},
	}
}

// listed gives the message that /tickets shows.
func (w *world) listed() flows.Screen {
	w.happens("write /tickets")
	c := w.chat(ann)
	return c.messages[c.next]
}

func TestTicketsOfShowsToComeStandFirst(t *testing.T) {
	w := newWorld(t)
	var orders []order.Order
	for n, from := range []time.Duration{-72 * time.Hour, 48 * time.Hour, -240 * time.Hour, 24 * time.Hour} {
		orders = append(orders, aTicket(n, from))
	}
	w.flows.Desk = shelf{desk{w}, orders}
	s := w.listed()
	at := 0
	for _, want := range []string{"Your tickets", "3 Long", "1 Long", "Past shows", "0 Long", "2 Long"} {
		next := strings.Index(s.Text.String()[at:], want)
		if next < 0 {
			t.Fatalf("%q does not come next in %s", want, s.Text)
		}
		at += next
	}
	if len(s.Buttons) != 5 || len(s.Buttons[0]) != 3 || len(s.Buttons[3]) != 1 || s.Buttons[4][0].Text != "It did not arrive" {
		t.Errorf("buttons: %v", s.Buttons)
	}
}

// A message holds 4096 characters and 100 buttons.
func TestManyTicketsFitIntoOneMessage(t *testing.T) {
	w := newWorld(t)
	var orders []order.Order
	for n := range 17 {
		orders = append(orders, aTicket(n, time.Duration(n+1)*time.Hour))
	}
	w.flows.Desk = shelf{desk{w}, orders}
	s := w.listed()
	buttons := 0
	for _, row := range s.Buttons {
		buttons += len(row)
	}
	if size := len([]rune(s.Text.String())); size > 4096 || buttons > 100 {
		t.Errorf("%d characters, %d buttons", size, buttons)
	}
	if !strings.Contains(s.Text.String(), "2 older tickets are not listed") {
		t.Errorf("it does not say that there are more: %s", s.Text)
	}
	w.happens("write /refund")
	c := w.chat(ann)
	if list := c.messages[c.next].Text.String(); len([]rune(list)) > 4096 || !strings.Contains(list, "/refund_t14") {
		t.Errorf("to give back: %s", list)
	}
	w.happens("write /refund_t16")
	if said := c.messages[c.next].Text.String(); strings.Contains(said, "no such ticket") {
		t.Error("a ticket that is on no list can't be given back")
	}
}

func TestDetailsNameNoAddressBeforeMoneyCame(t *testing.T) {
	w := newWorld(t)
	o := aTicket(1, 24*time.Hour)
	o.State, o.Hold = order.AwaitingPayment, start.Add(time.Hour)
	o.Tickets[0].State, o.Tickets[0].Address = order.Held, addressNr(99)
	w.flows.Desk = shelf{desk{w}, []order.Order{o}}
	w.happens("raw 1:details:o1:t1")
	c := w.chat(ann)
	for _, s := range c.messages {
		if strings.Contains(fmt.Sprint(s), string(addressNr(99))) {
			t.Error("somebody might pay there")
		}
	}
}

func TestEveryPartOfTheDetailsHasWords(t *testing.T) {
	w := newWorld(t) // fails the test where words are missing
	for _, state := range statesOf("payout") {
		for _, ticket := range statesOf("ticket") {
			o := aTicket(1, 24*time.Hour)
			o.Tickets[0].State, o.Tickets[0].Coin.Amount = order.TicketState(ticket), cirrus.CRS
			o.Tickets[0].Reserve = order.Call{TxID: "aa", Block: 7}
			o.Tickets[0].Release = order.Call{TxID: "bb"}
			o.Move, o.Tickets[0].Swap = order.Transfer{TxID: "cc", Back: cirrus.CRS}, order.Transfer{TxID: "ee", Back: cirrus.CRS, Mined: 9}
			o.Tickets[0].Fee, o.Tickets[0].Was = cirrus.CRS, "t1"
			o.Payouts = []order.Payout{{ID: "p", Ticket: "t1", State: order.PayoutState(state), Why: order.WhyReleased, TxID: "dd"}}
			w.flows.Desk = shelf{desk{w}, []order.Order{o}}
			w.happens("raw 1:details:o1:t1")
			w.listed()
		}
	}
}

// statesOf lists the states of one of the tables.
func statesOf(table string) (all []string) {
	for _, row := range order.Rows() {
		if row.Table == table {
			all = append(all, row.State)
		}
	}
	return all
}
