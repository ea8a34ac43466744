package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
)

// crowdSize says how many customers the tests with a crowd have; `make hundred` has 100.
const crowdSize = "TEST_CROWD"

// rows is how many seats a hall of a crowd has.
const rows = 25

func crowdOf(t *testing.T) int {
	t.Helper()
	if os.Getenv(crowdSize) == "" {
		return 12
	}
	n, err := strconv.Atoi(os.Getenv(crowdSize))
	if err != nil || n < 2 {
		t.Fatalf("%s is %q: must be a number from 2 on", crowdSize, os.Getenv(crowdSize))
	}
	return n
}

// guest is one of a crowd, each with a seat that nobody else wants.
type guest struct {
	*remote
	show, seat string
	door       cirrus.Address
	address    string
	due        cirrus.Strats
	tickets    []string // pictures, decoded, in the order in which they came
}

// crowd is many customers who do the same, side by side.
type crowd struct {
	*world
	all []*guest
}

// newCrowd makes n customers, and as many halls as they need.
func newCrowd(w *world, n int) *crowd {
	w.t.Helper()
	c := &crowd{world: w}
	var doors []string
	for len(c.all) < n {
		show := fmt.Sprintf("Evening %d", len(doors)+1)
		var seats []string
		for i := range min(rows, n-len(c.all)) {
			seats = append(seats, fmt.Sprintf("%dA", i+1))
		}
		door := w.hall(show, seats...)
		doors = append(doors, string(door))
		for _, seat := range seats {
			c.all = append(c.all, &guest{remote: w.person(show + ", " + seat), show: show, seat: seat, door: door})
		}
	}
	w.env = append(w.env, "USHER_VENUES="+strings.Join(doors, ","))
	return c
}

// each has every customer do their step, one after another.
func (c *crowd) each(step func(*guest)) {
	c.t.Helper()
	for _, g := range c.all {
		step(g)
	}
}

// toTheHandover brings everybody to the screen that asks for a secret chat.
func (c *crowd) toTheHandover() {
	c.t.Helper()
	c.each(func(g *guest) { g.write("/start") })
	for n := range 5 {
		c.each(func(g *guest) {
			g.tap([]string{"Shows", g.show, "Choose a seat", g.seat, "Continue with " + g.seat}[n])
		})
	}
	c.each(func(g *guest) {
		g.sees("the question for an address", says("Where should money go back to?"), nil)
		g.write(string(cirrus.TestNet.Address(cirrus.Hash{0xAD, 0xB0, byte(g.id), byte(g.id >> 8)})))
	})
	c.each(func(g *guest) { g.sees("the way to the secret chat", says("Start Secret Chat"), nil) })
}

// startsChat opens the secret chat from the customer's phone.
func (g *guest) startsChat() {
	g.t.Helper()
	g.call(http.MethodPost, g.url("secretchat"), map[string]any{"with": "@courier"}, nil)
}

// toTheBill brings everybody from their open secret chat to the payment card.
func (c *crowd) toTheBill() {
	c.t.Helper()
	c.each(func(g *guest) { g.tap("Order and pay") })
	c.each(func(g *guest) { g.address, g.due = g.bill() })
}

// secrets are the customer's secret chats as their phone shows them.
func (g *guest) secrets() []simulator.ChatView { return g.secretsAs("secret") }

// secretsAs asks for them in one of the ways that there are.
func (g *guest) secretsAs(way string) (chats []simulator.ChatView) {
	g.t.Helper()
	g.call(http.MethodGet, g.url(way), nil, &chats)
	return chats
}

// delivered counts those who have a picture in a secret chat, and tells who.
func (c *crowd) delivered() (has map[*guest]bool) {
	c.t.Helper()
	has = map[*guest]bool{}
	c.each(func(g *guest) {
		for _, chat := range g.secretsAs("secret?pictures=brief") {
			for _, m := range chat.Messages {
				has[g] = has[g] || m.Picture != ""
			}
		}
	})
	return has
}

// until looks every so often whether something is so, and makes blocks meanwhile.
func (c *crowd) until(what string, within time.Duration, is func() bool) {
	c.t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	block := time.NewTicker(time.Second)
	defer block.Stop()
	for !is() {
		select {
		case <-deadline.C:
			c.t.Fatalf("waited %s for %s; %d of %d have a ticket", within, what, len(c.delivered()), len(c.all))
		case <-block.C:
			c.mine()
		case <-look.C:
		}
	}
}

// settled waits until everybody has a ticket and is told so, and wants it to be the right one: it opens the door of its
// show, nobody else has it, it came into one secret chat alone, more than once only where that is said, and no phone
// noticed anything wrong.
func (c *crowd) settled() (repeated int) {
	c.t.Helper()
	c.until("everybody's ticket", 3*time.Minute, func() bool { return len(c.delivered()) == len(c.all) })
	owners := map[string]*guest{}
	c.each(func(g *guest) {
		g.sees("the ticket", toldOfArrival, c.mine)
		repeated += g.inOneChat()
		g.complains()
		if other := owners[g.tickets[0]]; other != nil {
			c.t.Errorf("%d and %d have the same ticket", g.id, other.id)
		}
		owners[g.tickets[0]] = g
		if !c.scan(g.door, g.tickets[0]).Opens {
			c.t.Errorf("the door does not open for %s, %s", g.show, g.seat)
		}
	})
	return repeated
}

// toldOfArrival: the card says it, or the bell did.
func toldOfArrival(m simulator.MessageView) bool {
	return says("has arrived on your phone, in the secret chat")(m) || says("has arrived in your secret chat")(m)
}

// inOneChat reads the customer's tickets, and wants all of them to be the same one in the same chat, each but the first
// marked as repeated.
func (g *guest) inOneChat() (repeated int) {
	g.t.Helper()
	where := map[string]bool{}
	for _, chat := range g.secrets() {
		for _, m := range chat.Messages {
			if m.Picture == "" {
				continue
			}
			where[chat.Chat] = true
			g.tickets = append(g.tickets, g.decode(m))
			if len(g.tickets) > 1 && !strings.Contains(m.Text, "again") {
				g.t.Errorf("%s, %s: a ticket came again and was not marked: %q", g.show, g.seat, m.Text)
			}
		}
	}
	for _, ticket := range g.tickets {
		if ticket != g.tickets[0] {
			g.t.Errorf("%s, %s: two different tickets for one seat", g.show, g.seat)
		}
	}
	if len(where) != 1 {
		g.t.Errorf("%s, %s: tickets in %d secret chats", g.show, g.seat, len(where))
	}
	return len(g.tickets) - 1
}

func (g *guest) decode(m simulator.MessageView) string {
	g.t.Helper()
	raw, err := base64.StdEncoding.DecodeString(m.Picture)
	if err != nil {
		g.t.Fatal(err)
	}
	text, err := readQR(raw)
	if err != nil {
		g.t.Fatal(err)
	}
	return text
}

// complains fails the test where the customer's phone noticed something wrong: a number used twice, a gap, a wrong key.
func (g *guest) complains() {
	g.t.Helper()
	var complaints []string
	g.call(http.MethodGet, g.url("complaints"), nil, &complaints)
	if len(complaints) > 0 {
		g.t.Errorf("the phone of %s, %s complains: %v", g.show, g.seat, complaints)
	}
}

// buttonLike finds a button by a part of its text.
func buttonLike(m simulator.MessageView, part string) (id string) {
	for _, b := range m.Buttons {
		if strings.Contains(strings.ToLower(b.Text), part) {
			return b.ID
		}
	}
	return ""
}

func (g *guest) press(message int64, id string) {
	g.t.Helper()
	g.try(http.MethodPost, g.url("tap"), map[string]any{"message": message, "button": id}, nil)
}
