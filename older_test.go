package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// chatStates are how the customer's phone shows their secret chats, oldest first.
func (g *guest) chatStates() (states []string) {
	g.t.Helper()
	for _, chat := range g.secrets() {
		states = append(states, chat.State)
	}
	return states
}

// handedOver is a customer with a ticket in their secret chat.
func handedOver(w *world) (c *crowd, g *guest) {
	w.t.Helper()
	c = newCrowd(w, 1)
	g = c.all[0]
	w.run("")
	c.toTheHandover()
	g.startsChat()
	c.toTheBill()
	w.pay(g.address, g.due)
	c.until("the ticket", time.Minute, func() bool { return len(c.delivered()) == 1 })
	g.sees("the ticket", says("has arrived on your phone, in the secret chat"), w.mine)
	return c, g
}

// startsAnew wants the old chat to be closed on the phone, starts a new one, and wants the ticket in it, sent again.
func (c *crowd) startsAnew(g *guest) {
	c.t.Helper()
	c.until("the end of the old chat", time.Minute, func() bool { return g.chatStates()[0] == "closed" })
	g.startsChat()
	c.until("the ticket in the new chat", time.Minute, func() bool {
		chats := g.secrets()
		for _, m := range chats[len(chats)-1].Messages {
			if len(chats) > 1 && m.Picture != "" {
				return c.scan(g.door, g.decode(m)).Opens
			}
		}
		button := g.chats()[0].Messages
		for i := len(button) - 1; i >= 0 && len(chats) > 1 && chats[1].State == "open"; i-- {
			if id := buttonLike(button[i], "again"); id != "" {
				g.press(button[i].ID, id)
				break
			}
		}
		return false
	})
	g.complains()
}

// TestRedisWithOlderDataHasEveryChatMadeAnew puts the data of an earlier time back under a running usher, after its courier
// has written more: the chat is not gone on with, and the ticket comes again into a new one.
func TestRedisWithOlderDataHasEveryChatMadeAnew(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	operator := w.person("Olga")
	w.env = append(w.env, fmt.Sprintf("USHER_ADMINS=%d", operator.id))
	c, g := handedOver(w)
	operator.write("/start")
	operator.sees("the greeting", says("buys tickets"), nil)
	back := w.redis.Snapshot()
	g.asksInSecret("Is this a person?")
	g.answeredInSecret()
	back()
	operator.sees("that data are missing", says("Redis has come back with older data"), nil)
	c.startsAnew(g)
	log, err := os.ReadFile(w.usher.log)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "Redis has come back with older data") {
		t.Error("the operator's log says nothing of it")
	}
	if ended(w.usher) {
		t.Error("usher ended by itself")
	}
}

// TestTheOperatorHasEveryChatMadeAnewAfterABackup: usher was gone together with the newer data, so that only a person knows.
func TestTheOperatorHasEveryChatMadeAnewAfterABackup(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	c, g := handedOver(w)
	back := w.redis.Snapshot()
	g.asksInSecret("Is this a person?")
	g.answeredInSecret()
	if err := w.usher.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-w.usher.done
	back()
	discard := []string{"courier", "discard-chats"}
	w.expect(0, "\n", discard, "Nothing was changed.")
	w.expect(0, "", append(discard, "--yes"), "They are discarded by the Usher that runs, or by the next one that starts.")
	w.run("")
	c.startsAnew(g)
}
