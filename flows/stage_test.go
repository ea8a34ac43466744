package flows_test

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// number reads how many; none is usual.
func (w *world) number(text string, usual uint64) uint64 {
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 64)
	w.must(err)
	return n
}

// anotherShow is an organiser who ends the sale and begins another one with the same contract and the same seats.
func (w *world) anotherShow() {
	show := *w.sale.Show
	show.Name, show.TxID = "Morning Ferries", cirrus.TxID(strings.Repeat("7a1d", 16))
	show.Block, show.EndOfSale, show.Time = w.chain.height, w.chain.height+900, w.clock.Now().Add(120*time.Hour)
	w.sale.Show = &show
	for i := range w.sale.Seats {
		w.sale.Seats[i].Owner, w.sale.Seats[i].Secret, w.sale.Seats[i].Resold = "", nil, false
	}
}

// rows makes the hall one of so many rows of five.
func (w *world) rows(n int) {
	w.sale.Seats = nil
	for number := range n {
		for letter := range cirrus.Char(5) {
			seat := cirrus.Seat{Number: int32(number) + 1, Letter: 'A' + letter}
			w.sale.Seats = append(w.sale.Seats, order.SeatOnSale{Seat: seat, Price: 120 * uint64(cirrus.CRS)})
		}
	}
}

// inGroup is what somebody does in a group.
func (w *world) inGroup(what, rest string) {
	e := flows.Event{Kind: flows.Group, Actor: flows.Actor{ID: ann}, Chat: -5, Message: 1}
	switch what {
	case "grouptap":
		e.Action, e.Callback = rest, "callback"
	case "groupwrite":
		e.Text = rest
	case "groupsend":
		e.Other = rest
	}
	w.handle(e)
}

// chatTurns is what becomes of somebody's secret chat, and the news of it.
func (w *world) chatTurns(who int64, how string) {
	ctx := context.Background()
	what, why, _ := strings.Cut(how, " because of ")
	switch what {
	case "opens":
		w.courier.open[who] = flows.ChatOpen
		w.courier.phone.chats++
		w.must(w.flows.ChatOpened(ctx, who))
	case "closes":
		delete(w.courier.open, who)
		if why == "" {
			why = string(flows.WhyPeer)
		}
		w.must(w.flows.ChatClosed(ctx, who, flows.Why(why)))
	case "is turned away":
		w.must(w.flows.ChatTurned(ctx, who))
	case "is asked for":
		w.courier.open[who] = flows.ChatPending
	case "is asked for by the courier":
		w.courier.open[who] = flows.ChatPending
		w.must(w.flows.ChatAsked(ctx, who))
	case "is refused":
		delete(w.courier.open, who)
		w.must(w.flows.ChatRefused(ctx, who, flows.Why(why)))
	default:
		w.t.Fatalf("chat %s?", how)
	}
	w.must(w.jobs.RunUntilIdle(ctx))
}

// courierTurns is what becomes of the courier's account: it has another name, is gone, may ask phones or not.
func (w *world) courierTurns(how string) {
	switch how {
	case "may ask":
		w.courier.asks = true
	case "may not ask":
		w.courier.asks = false
	default:
		w.courier.username = strings.TrimPrefix(how, "gone")
	}
}
