package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
)

// TestKilledAndStartedAgainTheStoryEndsTheSame kills usher (kill -9) at chosen moments of a purchase and a refund,
// with chain and Telegram as processes of their own, and starts it again.
func TestKilledAndStartedAgainTheStoryEndsTheSame(t *testing.T) {
	for name, moment := range map[string]string{
		"before the Reserve call":        "order.reserve:1:before",
		"after its answer was saved":     "order.raw:1:before",
		"before the QR was sent":         "courier.send_photo:1:before",
		"after the QR was sent":          "courier.send_photo:1:after",
		"before the payout was sent":     "order.send:1:before",
		"after the payout was sent":      "order.send:1:after",
		"between two saves of the order": "order.save:4:after",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killedStory(t, moment)
		})
	}
}

// TestKilledBetweenADirectCallAndItsSavedAnswerIsATicket: its secret is derived, so nothing died with the process.
func TestKilledBetweenADirectCallAndItsSavedAnswerIsATicket(t *testing.T) {
	t.Parallel()
	killedStory(t, "order.reserve:1:after", "USHER_RESERVE=direct")
}

func killedStory(t *testing.T, moment string, settings ...string) {
	w, _ := newWorld(t)
	w.env = append(w.env, settings...)
	w.run(moment)
	ada := w.person("Ada")
	refund := cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA0})
	address, due := ada.order("2B", refund)
	w.pay(address, due)
	again := restarter(w)
	ada.sees("the ticket", says("is yours"), again)
	checkTickets(t, ada, moment)

	ada.write("/refund")
	list := ada.sees("the refund", says("/refund_"), again)
	ada.write(strings.Fields(list.Text[strings.Index(list.Text, "/refund_"):])[0])
	ada.sees("the money back", says("has arrived at"), again)
	if w.usher.cmd.ProcessState != nil && !strings.Contains(w.usher.cmd.ProcessState.String(), "killed") {
		t.Errorf("usher ended by itself: %s", w.usher.cmd.ProcessState)
	}
	s, err := statement(w.ledger(), []cirrus.Address{cirrus.Address(address)}, refund)
	if err != nil {
		t.Fatal(err)
	}
	if s.Paid != due || s.Held != 0 || s.Paid != s.Release+s.Gas+s.Network+s.Dust+s.Returned {
		t.Errorf("paid %s: %+v", due, s)
	}
	for _, ticket := range ada.pictures() {
		if w.scan(cirrus.Address(setting(w.env, "USHER_VENUES")[:34]), ticket).Opens {
			t.Error("the door opens for a ticket that was given back")
		}
	}
}

// checkTickets wants one ticket, or the same one twice where it may come twice, marked.
func checkTickets(t *testing.T, ada *remote, moment string) {
	t.Helper()
	var tickets []string
	ada.sees("the picture", func(simulator.MessageView) bool {
		tickets = ada.pictures()
		return len(tickets) > 0
	}, restarter(ada.world))
	for _, ticket := range tickets {
		if ticket != tickets[0] {
			t.Error("two different tickets for one seat")
		}
		if !ada.scan(cirrus.Address(setting(ada.env, "USHER_VENUES")[:34]), ticket).Opens {
			t.Error("the door does not open")
		}
	}
	if len(tickets) > 1 && (len(tickets) > 2 || !strings.HasPrefix(moment, "courier.")) {
		t.Errorf("%d pictures", len(tickets))
	}
}

// restarter starts usher again when it has died, and makes a block. The next ones to die do so at these moments.
func restarter(w *world, moments ...string) func() {
	return func() {
		w.t.Helper()
		select {
		case <-w.usher.done:
			moment := ""
			if len(moments) > 0 {
				moment, moments = moments[0], moments[1:]
			}
			w.run(moment)
		default:
			w.mine()
		}
	}
}

// TestKilledBetweenTheCallAndItsSavedAnswerTheFloatPays: the secret died with the process. The seat is given back by itself,
// and the customer has every strat again.
func TestKilledBetweenTheCallAndItsSavedAnswerTheFloatPays(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	w.run("order.reserve:1:after")
	ada := w.person("Ada")
	refund := cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA0})
	address, due := ada.order("2B", refund)
	w.pay(address, due)
	again := restarter(w, "order.claim:1:after") // and dies again with a coin claimed
	ada.sees("the choice", says("not yours after all"), again)
	if tickets := ada.pictures(); len(tickets) > 0 {
		t.Error("a ticket without its secret was handed over")
	}
	ada.tap("Money back")
	ada.sees("the money back", says("has arrived at"), again)
	s, err := statement(w.ledger(), []cirrus.Address{cirrus.Address(address)}, refund)
	if err != nil {
		t.Fatal(err)
	}
	if s.Paid != due || s.Returned != due || s.Held != 0 || s.Float != s.Release+s.Gas+s.Network+s.Dust {
		t.Errorf("paid %s: %+v", due, s)
	}
}

// TestKilledBetweenTheCallAndItsSavedAnswerIsStray: without a float the operator is told, the customer too, and on the
// operator's word everything that the contract gives back goes to the customer.
func TestKilledBetweenTheCallAndItsSavedAnswerIsStray(t *testing.T) {
	t.Parallel()
	w, operator := newWorld(t)
	w.env = append(w.env, "USHER_FLOAT_WALLET=")
	w.run("order.reserve:1:after")
	operator.write("/start")
	ada := w.person("Ada")
	refund := cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xA0})
	address, due := ada.order("2B", refund)
	w.pay(address, due)
	again := restarter(w)
	operator.sees("the operator's news", says("Needs a person"), again)
	ada.sees("the customer's news", says("operator"), again)
	if tickets := ada.pictures(); len(tickets) > 0 {
		t.Error("a ticket without its secret was handed over")
	}
	operator.tap("Give it back")
	ada.sees("the money back", says("has arrived at"), again)
	s, err := statement(w.ledger(), []cirrus.Address{cirrus.Address(address)}, refund)
	if err != nil {
		t.Fatal(err)
	}
	if s.Paid != due || s.Held != 0 || s.Paid != s.Release+s.Gas+s.Network+s.Dust+s.Returned {
		t.Errorf("paid %s: %+v", due, s)
	}
}

// TestHealthPages: they answer, and the one for readiness says what is missing, for as long as it is.
func TestHealthPages(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	w.run("")
	for _, page := range []string{"/live", "/ready", "/metrics"} {
		if status, text := w.try(http.MethodGet, "http://"+w.usher.addr+page, nil, nil); status != http.StatusOK {
			t.Errorf("%s: %d %s", page, status, text)
		}
	}
	w.call(http.MethodPost, w.chain+"/sandbox/node", map[string]any{"peers": 0, "inIbd": false}, nil)
	w.ready(http.StatusServiceUnavailable, "no peers")
	w.call(http.MethodPost, w.chain+"/sandbox/node", map[string]any{"peers": 3, "inIbd": false}, nil)
	w.ready(http.StatusOK, "ok")
}

// ready waits until the page for readiness has this status and says that.
func (w *world) ready(want int, says string) {
	w.t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		status, text := w.try(http.MethodGet, "http://"+w.usher.addr+"/ready", nil, nil)
		if status == want && strings.Contains(text, says) {
			return
		}
		select {
		case <-deadline.C:
			w.t.Fatalf("ready says %d %s, wanted %d %s", status, text, want, says)
		case <-look.C:
		}
	}
}
