package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// takeover is how long it may take, on a busy machine, from the death of the process that works until another one hands
// over tickets. What it took is printed.
const takeover = 30 * time.Second

// pair starts two ushers on one Redis. The first works, and meets its moment; the second stands by.
func (c *crowd) pair(moment string) (first, second *process) {
	c.t.Helper()
	first = start(c.t, append(c.env, moment))
	second = start(c.t, c.env)
	return first, second
}

// paid has everybody pay at once.
func (c *crowd) paid() {
	c.t.Helper()
	c.toTheHandover()
	c.each((*guest).startsChat)
	c.toTheBill()
	c.each(func(g *guest) { c.pay(g.address, g.due) })
}

// takenOver waits for the first ticket that came after the moment, and tells how long that took.
func (c *crowd) takenOver(since time.Time) time.Duration {
	c.t.Helper()
	before := len(c.delivered())
	c.until("another usher to hand over", takeover, func() bool { return len(c.delivered()) > before })
	return time.Since(since)
}

// TestCrowdWhoseUsherIsKilledGetsItsTicketsOnce has many tickets be on their way when the usher that hands them over dies
// (kill -9), right after one of them went out and before that was saved: the other one takes over in seconds, and
// everybody gets their ticket, nobody in two chats.
func TestCrowdWhoseUsherIsKilledGetsItsTicketsOnce(t *testing.T) {
	t.Parallel()
	n := crowdOf(t)
	w, _ := newWorld(t)
	c := newCrowd(w, n)
	first, _ := c.pair(fmt.Sprintf("%s=courier.send_photo:%d:after", killAt, n/2))
	began := time.Now()
	c.paid()
	paid := time.Now()
	c.until("the death", 3*time.Minute, func() bool { return ended(first) })
	took := c.takenOver(time.Now())
	repeated := c.settled()
	t.Logf("%d customers: paid after %s, killed in the middle of delivery %d, the other handed over after %s; all had their tickets after %s, %d came again and said so",
		n, paid.Sub(began).Round(time.Second), n/2, took.Round(10*time.Millisecond), time.Since(began).Round(time.Second), repeated)
}

func ended(p *process) bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// TestCrowdWhoseUsherStoodStillGetsItsTicketsOnce freezes (SIGSTOP) the usher that hands over, with a message saved and about to go out,
// for longer than its lease. The other one takes over, and answers what customers wrote meanwhile. Thawed (SIGCONT) the
// first stands by: no ticket comes twice unmarked, no number is used twice, no chat breaks.
func TestCrowdWhoseUsherStoodStillGetsItsTicketsOnce(t *testing.T) {
	t.Parallel()
	n := crowdOf(t)
	w, _ := newWorld(t)
	c := newCrowd(w, n)
	first, second := c.pair(fmt.Sprintf("%s=courier.send_photo:%d:before", stopAt, n/4))
	c.paid()
	c.until("the freeze", 3*time.Minute, func() bool { return frozen(first) })
	at := time.Now()
	c.all[0].asksInSecret("Hello? Is this a person?")
	took := c.takenOver(at)
	c.until("half of the tickets by the other", 3*time.Minute, func() bool { return len(c.delivered()) >= n/2 })
	if err := first.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	repeated := c.settled()
	c.all[0].answeredInSecret()
	if ended(first) || ended(second) {
		t.Error("an usher ended by itself")
	}
	t.Logf("%d customers: frozen in the middle of delivery %d, the other handed over after %s; %d came again and said so",
		n, n/4, took.Round(10*time.Millisecond), repeated)
	c.stillWhole()
}

// frozen tells whether a process stands still.
func frozen(p *process) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	_, after, found := strings.Cut(string(raw), ") ")
	return err == nil && found && strings.HasPrefix(after, "T")
}

func (g *guest) asksInSecret(text string) {
	g.t.Helper()
	for _, chat := range g.secrets() {
		if chat.State == "open" {
			g.call(http.MethodPost, g.url("text"), map[string]any{"text": text, "chat": chat.Chat}, nil)
			return
		}
	}
	g.t.Fatal("no open secret chat to write into")
}

// answeredInSecret waits for the courier's answer to what the customer wrote.
func (g *guest) answeredInSecret() {
	g.t.Helper()
	c := &crowd{world: g.world, all: []*guest{g}}
	c.until("an answer in the secret chat", time.Minute, func() bool {
		asked := false
		for _, chat := range g.secrets() {
			for _, m := range chat.Messages {
				if asked && m.From == "courier" && m.Picture == "" {
					return true
				}
				asked = asked || m.From == "me"
			}
		}
		return false
	})
}

// stillWhole wants every chat to be open, and no phone to have noticed anything.
func (c *crowd) stillWhole() {
	c.t.Helper()
	c.each(func(g *guest) {
		for _, chat := range g.secrets() {
			if chat.State != "open" {
				c.t.Errorf("the chat of %s, %s is %s", g.show, g.seat, chat.State)
			}
		}
		g.complains()
	})
}
