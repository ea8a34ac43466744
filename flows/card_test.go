package flows_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// longOrder has the longest texts that a card can have to show.
func longOrder(w *world) order.Order {
	show := *w.sale.Show
	show.Name, show.Venue = strings.Repeat("Ю", 500), strings.Repeat("W", 500)
	tx := cirrus.TxID(strings.Repeat("ab", 32))
	return order.Order{
		ID: "k3x9m7q2", Customer: ann, Show: show, Terms: w.sale.Terms, Address: addressNr(1), ShowFrom: start, Hold: start.Add(time.Hour),
		Due: 1_234_567_890_12345678, Gas: order.Gas{Limit: 250_000, Price: 100}, State: order.Filled,
		Private: order.Private{Refund: addressNr(9), Secrets: map[string][]order.Secret{"t1": {{Plaintext: "very secret"}}}},
		Coins:   []cirrus.Coin{{Amount: 1_000_000_000_12345678}},
		Tickets: []order.Ticket{{
			ID: "t1", Seat: cirrus.Seat{Number: -2147483648, Letter: 'W'}, Price: 1_000_000_000_12345678, State: order.Owned,
			Coin: cirrus.Coin{Amount: 1_234_567_890_12345678}, Reserve: order.Call{TxID: tx, Block: 1_198_000, Attempt: 2},
			Release: order.Call{TxID: tx, Block: 1_198_100, Attempt: 1}, Owned: 1_198_000,
		}},
		Payouts: []order.Payout{{
			ID: "p1", Ticket: "t1", State: order.Done, Why: order.WhyCancelled, Amount: 1_234_567_890_12345678,
			Expect: 1_234_567_890_12345678, Dust: 15_459, TxID: tx,
		}},
	}
}

// several makes an order one of eight seats, which all are as its first is.
func several(o order.Order) order.Order {
	ticket, payouts := o.Tickets[0], o.Payouts
	o.Tickets, o.Payouts = nil, nil
	for i := range order.MaxSeats {
		t := ticket
		t.ID, t.Seat.Letter = fmt.Sprintf("t%d", i+1), 'A'+cirrus.Char(i)
		o.Tickets = append(o.Tickets, t)
		for _, p := range payouts {
			p.ID, p.Ticket = fmt.Sprintf("p%d", i+1), t.ID
			o.Payouts = append(o.Payouts, p)
		}
	}
	o.Move = order.Transfer{TxID: ticket.Reserve.TxID, Back: 1_000_000_000_12345678}
	return o
}

// variants are the orders in every state that the three tables have, with every reason and every reason for a payout.
func variants(w *world) map[string]order.Order {
	all := map[string]order.Order{}
	for _, row := range order.Rows() {
		for _, reason := range append(flows.Reasons(), "", "of a newer version") {
			o := longOrder(w)
			switch row.Table {
			case "order":
				o.State = order.State(row.State)
			case "ticket":
				o.Tickets[0].State = order.TicketState(row.State)
			case "payout":
				o.Payouts[0].State = order.PayoutState(row.State)
			}
			o.Tickets[0].Reason, o.Tickets[0].Before = reason, order.Reserving
			all[row.Table+" "+row.State+" "+string(reason)] = o
		}
	}
	for _, state := range []order.TicketState{order.Lost, order.Exchanged} {
		o := longOrder(w)
		o.Tickets[0].State, o.Tickets[0].Reason, o.Tickets[0].Delivery.Count = state, order.ReasonSeatTaken, 1
		all["dead "+string(state)] = o
		o = several(o)
		all["eight dead "+string(state)] = o
		o.State = order.Void
		all["void after "+string(state)] = o
	}
	for _, delivery := range []order.DeliveryState{order.DeliveryNone, order.DeliveryWaiting, order.DeliverySent, order.DeliverySeen} {
		for _, state := range []order.TicketState{order.Owned, order.Ended} {
			o := longOrder(w)
			o.Tickets[0].State, o.Tickets[0].Delivery.State = state, delivery
			all["delivery "+string(delivery)+" "+string(state)] = o
		}
	}
	for _, why := range []order.Why{
		order.WhyReleased, order.WhyLost, order.WhyDeposit, order.WhyLate, order.WhyCancelled, order.WhyExtra, "newer",
	} {
		o := longOrder(w)
		o.Payouts[0].Why = why
		all["why "+string(why)] = o
	}
	undo := longOrder(w)
	undo.Tickets[0].State, undo.Tickets[0].Undo = order.Releasing, start.Add(10*time.Second)
	all["undo"] = undo
	maps.Copy(all, choices(w))
	newer := longOrder(w)
	newer.State = "of a newer version"
	all["newer"] = newer
	for name, o := range choices(w) {
		all["eight times "+name] = severalChoices(o)
	}
	for name, o := range maps.Clone(all) {
		if len(o.Tickets) > 1 {
			continue
		}
		if reason := o.Tickets[0].Reason; reason == "" || reason == order.ReasonNoSecret { // the longest words, and none
			all["several "+name] = several(o)
		}
	}
	return all
}

// TestEveryStateHasACard: whatever state an order is in, its card says something whole, says what happens next, and
// fits under a picture.
func TestEveryStateHasACard(t *testing.T) {
	w := newWorld(t)
	tip, err := w.db.Tip(t.Context())
	w.must(err)
	for name, o := range variants(w) {
		for _, chat := range []flows.ChatState{"", flows.ChatNone, flows.ChatOpen} {
			screen, err := w.flows.Card(o, start, flows.Around{Tip: tip, Chat: chat, Courier: "QuayTickets", Nr: 7, Of: 8})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			checkScreen(t, name, screen)
			if screen.Picture == nil || screen.PictureName == "" {
				t.Errorf("%s: a card without a picture", name)
			}
			if len(screen.Text.String()) < 120 {
				t.Errorf("%s: says too little: %q", name, screen.Text)
			}
		}
	}
}

// checkScreen holds a screen against what Telegram takes, and against what must never be in one.
func checkScreen(t *testing.T, name string, s flows.Screen) {
	t.Helper()
	text, room := s.Text.String(), 4096
	if s.Picture != nil {
		room = 1024
	}
	if n := len(utf16.Encode([]rune(text))); n == 0 || n > room {
		t.Errorf("%s: %d of %d characters", name, n, room)
	}
	for _, bad := range []string{"<no value>", "{{", "}}", "very secret", "hidden", "%!", "<t:", "<u:"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s: %q in %q", name, bad, text)
		}
	}
	count := 0
	for _, row := range s.Buttons {
		count += len(row)
		if len(row) == 0 || len(row) > 8 {
			t.Errorf("%s: %d buttons in a row", name, len(row))
		}
		for _, b := range row {
			if b.Text == "" || len(b.Action) > 64 || len(b.Copy) > 256 {
				t.Errorf("%s: button %+v", name, b)
			}
		}
	}
	if count > 100 {
		t.Errorf("%s: %d buttons", name, count)
	}
}

func TestPaymentIsShownOnlyOnceItsRecordIsOldEnough(t *testing.T) {
	w := newWorld(t)
	o := longOrder(w)
	o.State, o.ShowFrom = order.AwaitingPayment, start.Add(time.Minute)
	screen, err := w.flows.Card(o, start.Add(time.Minute-1), flows.Around{})
	w.must(err)
	if strings.Contains(screen.Text.String(), string(o.Address)) || screen.Picture != nil || screen.Buttons != nil {
		t.Errorf("shown too early: %v", screen)
	}
	w.clock.Set(start.Add(time.Minute - 1))
	w.must(w.flows.Tell(t.Context(), &o))
	if o.Card.Message != 0 || !o.Card.Again.Equal(o.ShowFrom) {
		t.Errorf("told too early: %+v", o.Card)
	}
}

func TestNoSeatGridIsTooLarge(t *testing.T) {
	for _, seats := range []int{1, 65, 96, 300} {
		for _, number := range []func(i int) int32{
			func(int) int32 { return 0 }, func(int) int32 { return 1 }, func(i int) int32 { return int32(i/10 + 1) },
		} {
			w := newWorld(t)
			w.sale.Seats = nil
			for i := range seats {
				w.sale.Seats = append(w.sale.Seats, order.SeatOnSale{
					Seat: cirrus.Seat{Number: number(i), Letter: cirrus.Char('A' + i)}, Price: uint64(i%30+1) * 1_234_567_891,
				})
			}
			w.post()
			for _, line := range []string{"write /shows", "tap Night Trains", "tap Choose a seat"} {
				w.happens(line)
			}
			for id, screen := range w.chat(ann).messages {
				checkScreen(t, "seats "+w.seen(), screen)
				_ = id
			}
		}
	}
}

func TestAHostileShowIsHarmless(t *testing.T) {
	w := newWorld(t)
	w.sale.Show.Name = "*x* `y` <t:1|z> https://evil.com/@me\u202e\n\n/refund_all {{.Sum}} \x00"
	w.sale.Show.Organiser = strings.Repeat("\U0001F1E9", 400)
	w.sale.Show.Venue = "\u200b\u200b"
	w.post()
	w.happens("write /shows")
	for _, screen := range w.chat(ann).messages {
		text := screen.Text.String()
		if !strings.Contains(text, "*x* `y` <t:1|z> https: / / evil. com/@ me / refund") || strings.Contains(text, "\u202e") {
			t.Errorf("got %q", text)
		}
		if slices.ContainsFunc(screen.Text, func(s flows.Span) bool { return s.Style == flows.Code }) {
			t.Errorf("a stranger's markup counts: %v", screen.Text)
		}
	}
}

// TestEveryReasonHasWords reads the closed list of reasons from its source, so that a new one is not forgotten here.
func TestEveryReasonHasWords(t *testing.T) {
	code, err := os.ReadFile("order/states.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`Reason\w+ +Reason = "(\w+)"`).FindAllSubmatch(code, -1)
	if len(declared) == 0 {
		t.Fatal("no reasons found")
	}
	for _, found := range declared {
		if !slices.Contains(flows.Reasons(), order.Reason(found[1])) {
			t.Errorf("no words for %s", found[1])
		}
	}
}
