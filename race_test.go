package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
)

// hall makes a venue with a show, and has usher sell from nothing else.
func (w *world) hall(show string, seats ...string) (door cirrus.Address) {
	w.t.Helper()
	venue := sandbox.VenueRequest{Venue: "The Loft", ReleaseFee: uint64(cirrus.CRS), NoReleaseBlocks: 20}
	sale := sandbox.ShowRequest{
		Name: show, Organiser: "Loft Nights", Time: uint64(time.Now().AddDate(0, 0, 5).Unix()), EndOfSale: w.ledger().Height + 500,
	}
	for _, name := range seats {
		var letter rune
		var seat cirrus.Seat
		if _, err := fmt.Sscanf(name, "%d%c", &seat.Number, &letter); err != nil {
			w.t.Fatal(err)
		}
		seat.Letter = cirrus.Char(letter)
		venue.Seats = append(venue.Seats, seat)
		sale.Prices = append(sale.Prices, sandbox.SeatPrice{Seat: seat, Price: 30 * uint64(cirrus.CRS)})
	}
	var made struct{ Address cirrus.Address }
	w.call(http.MethodPost, w.chain+"/sandbox/venue", venue, &made)
	sale.Address = made.Address
	w.call(http.MethodPost, w.chain+"/sandbox/show", sale, nil)
	w.env = append(w.env, "USHER_VENUES="+string(made.Address))
	return made.Address
}

// racer is a customer in a race for a seat, and how it ended.
type racer struct {
	*remote
	name, seat string
	refund     cirrus.Address
	address    string // where the seat was paid to; "" for who got none
	due        cirrus.Strats
	outcome    string
}

// racers are n customers at the last screen before payment, each with a seat that others want too. They get there
// side by side.
func (w *world) racers(n int, show string, seats ...string) (all []*racer) {
	w.t.Helper()
	var ways [][]func()
	for i := range n {
		r := &racer{
			name: fmt.Sprintf("Customer %d", i+1), seat: seats[i%len(seats)], refund: cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xB0, byte(i)}),
		}
		r.remote = w.person(r.name)
		all = append(all, r)
		ways = append(ways, r.choosing(show, r.seat, r.refund))
	}
	for step := range ways[0] {
		for _, way := range ways {
			way[step]()
		}
	}
	return all
}

// race has everybody tap at the same moment.
func race(t *testing.T, all []*racer) {
	t.Helper()
	start := make(chan struct{})
	problems := make(chan error, len(all))
	var group sync.WaitGroup
	for _, r := range all {
		m := r.sees("the last screen", func(m simulator.MessageView) bool { return button(m, "Order and pay") != "" }, nil)
		tap, err := json.Marshal(map[string]any{"message": m.ID, "button": button(m, "Order and pay")})
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url("tap"), bytes.NewReader(tap))
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			<-start
			problems <- send(request)
		})
	}
	close(start)
	group.Wait()
	close(problems)
	for err := range problems {
		if err != nil {
			t.Error(err)
		}
	}
}

func send(request *http.Request) error {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("%s: %s", response.Status, answer))
	}
	return errors.Join(err, response.Body.Close())
}

// answered waits for what the race brought: a payment card, or a sentence that says why there is none.
func (r *racer) answered() (won bool) {
	r.t.Helper()
	refused := says("Seat " + r.seat + " is held for somebody who is about to pay")
	r.sees("an answer", func(m simulator.MessageView) bool { return copied(m, "Copy address") != "" || refused(m) }, nil)
	for _, m := range r.glance() {
		if refused(m) {
			r.outcome = "told: " + strings.SplitN(m.Text, "\n", 2)[0]
			if !strings.Contains(m.Text, "Nothing was ordered, and nothing has to be paid") || button(m, "Another seat") == "" {
				r.t.Errorf("%s is not told how to go on: %q", r.name, m.Text)
			}
			return false
		}
	}
	return true
}

// TestTenRaceForThreeSeatsInThreeUshers has ten customers order the same three seats at the same moment, through three
// processes on one Redis: three get a ticket that opens the door, seven a clear answer, and nobody's money is lost.
func TestTenRaceForThreeSeatsInThreeUshers(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	door := w.hall("Three Chairs", "1A", "2A", "3A")
	f := w.byWebhook()
	var ushers []*process
	for range 3 {
		w.run("")
		ushers = append(ushers, w.usher)
	}
	f.lead(ushers...)
	all := w.racers(10, "Three Chairs", "1A", "2A", "3A")
	race(t, all)

	winners := map[string]*racer{}
	for _, r := range all {
		if !r.answered() {
			continue
		}
		if other := winners[r.seat]; other != nil {
			t.Fatalf("%s and %s both got %s", other.name, r.name, r.seat)
		}
		winners[r.seat] = r
		r.address, r.due = r.bill()
		w.pay(r.address, r.due)
	}
	if len(winners) != 3 {
		t.Errorf("%d of the three seats were taken", len(winners))
	}
	tickets := map[string]bool{}
	for _, r := range winners {
		r.sees("the ticket", says("is yours, and the ticket"), w.mine)
		for _, ticket := range r.pictures() {
			tickets[ticket] = true
			if !w.scan(door, ticket).Opens {
				t.Errorf("the door does not open for %s", r.name)
			}
		}
		r.outcome = "has a ticket that opens the door, paid " + r.due.String()
	}
	if len(tickets) != 3 {
		t.Errorf("%d tickets for three seats", len(tickets))
	}
	w.settled(all)
	report(t, all)
}

// settled wants every strat of the racers to be where it belongs, and no coin in usher's wallets that nobody paid.
func (w *world) settled(all []*racer) {
	w.t.Helper()
	ledger := w.ledger()
	owned := map[cirrus.Address]cirrus.Strats{}
	for _, r := range all {
		if r.address == "" {
			if r.outcome == "" || len(r.pictures()) > 0 {
				w.t.Errorf("%s: %q, %d tickets", r.name, r.outcome, len(r.pictures()))
			}
			continue
		}
		s, err := statement(ledger, []cirrus.Address{cirrus.Address(r.address)}, r.refund)
		if err != nil {
			w.t.Fatal(err)
		}
		if sum := s.Price + s.Release + s.Gas + s.Network + s.Dust + s.Returned + s.Held; s.Paid != r.due || s.Paid != sum {
			w.t.Errorf("%s paid %s, and %s is accounted for: %+v", r.name, r.due, sum, s)
		}
		owned[cirrus.Address(r.address)] = s.Held
	}
	for _, at := range ledger.Addresses {
		ours := at.Wallet != "" && !strings.HasPrefix(at.Wallet, sandbox.WalletFloat+"/")
		if ours && strats(at.Balance) != owned[at.Address] {
			w.t.Errorf("%s lies at %s, which is %s's share", strats(at.Balance), at.Address, owned[at.Address])
		}
	}
}

// report prints how it ended for everybody.
func report(t *testing.T, all []*racer) {
	t.Helper()
	for _, r := range all {
		t.Logf("%-12s %s  %s", r.name, r.seat, r.outcome)
	}
}

// TestOfThreeWhoPayLateForOneSeatOneGetsIt: each held the only seat and let the time to pay pass, and then all of them
// pay. The seat is bought for one, and the others get everything back but the network fee.
func TestOfThreeWhoPayLateForOneSeatOneGetsIt(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	door := w.hall("One Chair", "1A")
	w.env = append(w.env, "USHER_HOLD=4s")
	w.run("")
	all := w.racers(3, "One Chair", "1A")
	for _, r := range all {
		r.tap("Order and pay")
		r.address, r.due = r.bill()
		r.sees("the end of the hold", says("ended unpaid"), nil)
	}
	for _, r := range all {
		w.pay(r.address, r.due)
	}
	bought := 0
	for _, r := range all {
		has := says("is yours, and the ticket")
		r.sees("a ticket or the money", func(m simulator.MessageView) bool { return has(m) || says("has arrived at")(m) }, w.mine)
		r.outcome = "paid late, and has the money back"
		for _, ticket := range r.pictures() {
			bought++
			r.outcome = "paid late, and has a ticket that opens the door"
			if !w.scan(door, ticket).Opens {
				t.Errorf("the door does not open for %s", r.name)
			}
		}
	}
	if bought != 1 {
		t.Errorf("%d tickets for one seat", bought)
	}
	w.settled(all)
	report(t, all)
}
