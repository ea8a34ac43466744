package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
)

// line finds the button that writes a line to the courier, and gives whom to write to and what.
func (g *guest) line() (to, text string, found bool) {
	g.t.Helper()
	messages := g.chats()[0].Messages
	for _, b := range messages[len(messages)-1].Buttons {
		link, err := url.Parse(b.URL)
		if err == nil && link.Host == "t.me" && link.Query().Get("text") != "" {
			return "@" + strings.Trim(link.Path, "/"), link.Query().Get("text"), true
		}
	}
	return "", "", false
}

// asks has the courier ask the customer's phone, if it is offered.
func (g *guest) asks() (offered bool) {
	g.t.Helper()
	to, text, offered := g.line()
	if offered {
		g.call(http.MethodPost, g.url("text"), map[string]any{"text": text, "chat": to}, nil)
	}
	return offered
}

// opened waits until the customer's screen has gone on, or says that the phone is not asked.
func (g *guest) opened() (asked bool) {
	g.t.Helper()
	on := func(m simulator.MessageView) bool { return button(m, "Order and pay") != "" }
	refused := says("can't ask any more phones")
	g.sees("the courier to ask, or to say that it may not", func(m simulator.MessageView) bool { return on(m) || refused(m) }, nil)
	for _, m := range g.chats()[0].Messages {
		if on(m) {
			return true
		}
	}
	return false
}

// TestCrowdOfWhomMoreAskThanTelegramAllowsGetsItsTickets has six in ten customers let the one courier account ask their
// phones, while Telegram holds the account to half of that a day. Those beyond it are told so, start the chat themselves,
// and all get their tickets.
func TestCrowdOfWhomMoreAskThanTelegramAllowsGetsItsTickets(t *testing.T) {
	t.Parallel()
	n := crowdOf(t)
	askers, allowed := n*6/10, n*3/10
	w, _ := newWorld(t, "--daily-chats", fmt.Sprint(allowed))
	c := newCrowd(w, n)
	w.env = append(w.env, fmt.Sprintf("USHER_COURIER_DAILY=%d", askers)) // so that it is Telegram that stops it
	w.run("")
	began := time.Now()
	c.toTheHandover()
	var asked []*guest
	notOffered := 0
	for i, g := range c.all {
		switch {
		case i >= askers:
			g.startsChat()
		case g.asks():
			asked = append(asked, g)
		default:
			notOffered++
			g.startsChat()
		}
	}
	byCourier, refused := 0, 0
	for _, g := range asked {
		if g.opened() {
			byCourier++
			continue
		}
		refused++
		g.startsChat()
	}
	c.toTheBill()
	c.each(func(g *guest) { c.pay(g.address, g.due) })
	repeated := c.settled()
	if byCourier != allowed {
		t.Errorf("Telegram allows %d, and %d phones were asked", allowed, byCourier)
	}
	if byCourier+refused+notOffered != askers || repeated != 0 {
		t.Errorf("of %d: %d were asked, %d refused, %d not offered it; %d tickets came again", askers, byCourier, refused, notOffered, repeated)
	}
	t.Logf("%d customers, %d let the courier ask, Telegram allows %d: %d phones were asked, %d were told that no more are and %d not offered it, and started the chat themselves; all had their tickets after %s",
		n, askers, allowed, byCourier, refused, notOffered, time.Since(began).Round(time.Second))
}
