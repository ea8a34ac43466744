package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
)

var tortureKills = flag.Int("torture.kills", 0, "kill usher, as a process of its own, so often at moments drawn from the seed")

// TestTortureKills kills usher (kill -9) again and again through purchases and refunds, with chain and Telegram as
// processes of their own. Each story ends as if nothing had happened.
func TestTortureKills(t *testing.T) {
	const together = 4
	var killed atomic.Int64
	for round := uint64(0); int(killed.Load()) < *tortureKills && !t.Failed(); round += together {
		if round > uint64(*tortureKills) {
			t.Fatalf("only %d kills in %d stories", killed.Load(), round)
		}
		t.Run(fmt.Sprintf("seed %d", *tortureSeed), func(t *testing.T) {
			for r := round; r < round+together; r++ {
				t.Run(fmt.Sprintf("round %d", r), func(t *testing.T) {
					t.Parallel()
					killed.Add(int64(manyKills(t, *tortureSeed, r)))
				})
			}
		})
		t.Logf("%d kills in all", killed.Load())
	}
}

// killSites are where usher dies; how often each is passed before is drawn too.
var killSites = []string{
	"order.save", "order.reserve", "order.release", "order.raw", "order.receipt", "order.tickets", "order.build", "order.send",
	"order.deliver", "order.tell", "order.hold", "redis.order.widen", "redis.order.save", "redis.order.settle", "redis.job.enqueue",
	"redis.session.begin", "redis.session.end", "redis.hold.take", "redis.address.claim", "redis.board.post_coins", "redis.board.post_tip",
	"node.block", "node.spendable", "node.call", "node.build", "node.send", "courier.send_photo",
}

// mostKills bounds the kills of one story, so that it ends.
const mostKills = 8

// moments draws when usher dies, one life after another.
func killMoments(seed, round uint64) func() string {
	chance := rand.New(rand.NewPCG(seed, round)) // #nosec G404 -- a test that must play the same again
	left := mostKills
	return func() string {
		if left--; left < 0 {
			return ""
		}
		when := []string{"before", "after"}[chance.IntN(2)]
		return fmt.Sprintf("%s:%d:%s", killSites[chance.IntN(len(killSites))], 1+chance.IntN(4), when)
	}
}

// manyKills plays one story and tells how often usher was killed in it.
func manyKills(t *testing.T, seed, round uint64) (killed int) {
	w, _ := newWorld(t)
	w.env = append(w.env, "USHER_RESERVE=direct")
	next := killMoments(seed, round)
	moment := next()
	w.run(moment)
	again := func() {
		select {
		case <-w.usher.done:
			if !strings.Contains(w.usher.cmd.ProcessState.String(), "killed") {
				t.Errorf("usher ended by itself: %s", w.usher.cmd.ProcessState)
			}
			killed++
			moment = next()
			w.run(moment)
		default:
			w.mine()
		}
	}
	ada := w.person("Ada")
	refund := cirrus.TestNet.Address(cirrus.Hash{0xAD, byte(round)})
	address, due := ada.orderStubbornly("2B", refund, again)
	w.pay(address, due)
	ada.sees("the ticket", says("is yours"), again)
	ada.refundStubbornly(again)
	s, err := statement(w.ledger(), []cirrus.Address{cirrus.Address(address)}, refund)
	if err != nil {
		t.Fatal(err)
	}
	if s.Paid != due || s.Held != 0 || s.Paid != s.Release+s.Gas+s.Network+s.Dust+s.Returned {
		t.Errorf("paid %s: %+v", due, s)
	}
	return killed
}

// waits looks for a message until it is there or patience is over, and steps meanwhile.
func (r *remote) waits(patience time.Duration, step func(), shows func(simulator.MessageView) bool) (m simulator.MessageView, ok bool) {
	r.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for n := 1; ; n++ {
		messages := r.glance()
		for i := len(messages) - 1; i >= 0; i-- {
			if shows(messages[i]) {
				return messages[i], true
			}
		}
		if n%20 == 0 {
			step()
		}
		select {
		case <-deadline.C:
			return m, false
		case <-look.C:
		}
	}
}

// wait is how long somebody waits for an answer before they begin anew: usher may have to be started again meanwhile.
const wait = 10 * time.Second

// tapsSoon taps a button of a message that came after another one.
func (r *remote) tapsSoon(text string, after int64, step func()) bool {
	m, ok := r.waits(wait, step, func(m simulator.MessageView) bool { return m.ID >= after && button(m, text) != "" })
	if ok {
		r.try(http.MethodPost, r.url("tap"), map[string]any{"message": m.ID, "button": button(m, text)}, nil)
	}
	return ok
}

// orderStubbornly is order for somebody whose screens get lost: they begin anew until there is a bill.
func (r *remote) orderStubbornly(seat string, refund cirrus.Address, step func()) (address string, due cirrus.Strats) {
	r.t.Helper()
	billed := func(m simulator.MessageView) bool { return copied(m, "Copy address") != "" }
	for range 12 {
		r.chooseSoon(seat, refund, step)
		if _, ok := r.waits(wait, step, billed); ok {
			return r.bill()
		}
	}
	r.t.Fatalf("no bill: %v", texts(r.glance()))
	return "", 0
}

// chooseSoon goes towards an order as far as it gets.
func (r *remote) chooseSoon(seat string, refund cirrus.Address, step func()) {
	var sent struct{ Message int64 }
	r.call(http.MethodPost, r.url("text"), map[string]any{"text": "/start", "chat": "bot"}, &sent)
	for _, text := range []string{"Shows", "An Evening", "Choose a seat", seat, "Continue with " + seat} {
		if !r.tapsSoon(text, sent.Message, step) {
			return
		}
	}
	m, ok := r.waits(wait, step, func(m simulator.MessageView) bool {
		return m.ID > sent.Message && (says("Where should money go back to?")(m) || says("Start Secret Chat")(m) || button(m, "Order and pay") != "")
	})
	if ok && says("Where should money go back to?")(m) {
		r.write(string(refund))
		m, ok = r.waits(wait, step, func(m simulator.MessageView) bool {
			return m.ID > sent.Message && (says("Start Secret Chat")(m) || button(m, "Order and pay") != "")
		})
	}
	if ok && says("Start Secret Chat")(m) {
		r.try(http.MethodPost, r.url("secretchat"), map[string]any{"with": "@courier"}, nil)
	}
	r.tapsSoon("Order and pay", sent.Message, step)
}

// refundStubbornly gives the ticket back and waits for the money.
func (r *remote) refundStubbornly(step func()) {
	r.t.Helper()
	arrived := says("has arrived at")
	for range 8 {
		var sent struct{ Message int64 }
		r.call(http.MethodPost, r.url("text"), map[string]any{"text": "/refund", "chat": "bot"}, &sent)
		list, ok := r.waits(wait, step, func(m simulator.MessageView) bool { return m.ID > sent.Message && says("/refund_")(m) })
		if ok {
			r.write(strings.Fields(list.Text[strings.Index(list.Text, "/refund_"):])[0])
		}
		if _, ok := r.waits(2*wait, step, arrived); ok {
			return
		}
	}
	r.t.Fatalf("no money back: %v", texts(r.glance()))
}
