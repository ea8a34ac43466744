package main

import (
	"path/filepath"
	"strconv"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

// hallSample is a hall, and the seats that a customer chooses in it.
type hallSample struct {
	name, says    string
	rows, columns int
	choose        []string
}

func halls() []hallSample {
	return []hallSample{
		{"hall-5", "five seats in one row, one of them chosen", 1, 5, []string{"1D"}},
		{"hall-30", "thirty seats, two chosen side by side", 5, 6, []string{"3C", "3D"}},
		{"hall-65", "sixty-five seats, three chosen", 5, 13, []string{"3F", "3G", "3H"}},
	}
}

// hall has a customer choose seats in a hall, with the picture and with the list.
func (g *gallery) hall(h hallSample) {
	g.t.Helper()
	sale := memory.SampleSale(g.now, h.rows, h.columns)
	g.occupy(sale, h.choose)
	must(g.t, g.db.PostSale(g.ctx, sale))
	g.do("see what is on", chromedp.SendKeys(element("composer-input"), "/shows\r"), lastReads("on sale"), tap("Songs"),
		lastReads("free"), tap("Choose a seat"), lastReads("Tap a seat"))
	for _, seat := range h.choose {
		g.do("choose "+seat, tap(seat), holds(`[...document.querySelectorAll('[data-testid=button]')].some(b => b.dataset.text === '`+seat+` ✓')`))
	}
	g.look(g.last())
	g.shootMessage(filepath.Join("halls", h.name), g.last())
	g.do("have it as a list", tap("As a list"), holds(lastMessage+`.querySelector('img') === null`))
	g.look(g.last())
	g.shootMessage(filepath.Join("halls", h.name+"-list"), g.last())
	g.do("have the picture again", tap("As a picture"), holds(lastMessage+`.querySelector('img') !== null`))
}

// occupy sells some seats and holds others, but none of those that are left.
func (g *gallery) occupy(sale order.Sale, left []string) {
	g.t.Helper()
	for i := range sale.Seats {
		on := &sale.Seats[i]
		name := on.Seat.String()
		for _, free := range left {
			if name == free {
				name = ""
			}
		}
		switch {
		case name == "":
		case i%5 == 1 || i%7 == 4:
			on.Owner = memory.SampleAddress("somebody")
		case i%11 == 2:
			hold := order.Hold{Order: "other", Customer: 2, Until: g.now.Add(9 * time.Minute)}
			must(g.t, g.db.Hold(g.ctx, sale.Show.TxID, on.Seat, hold, g.now))
		}
	}
}

const lastMessage = `[...document.querySelectorAll('[data-testid=chat-log] article')].at(-1)`

// last is the newest message.
func (g *gallery) last() int {
	g.t.Helper()
	id, err := chromedp.Run(g.ctx, chromedp.Evaluate[string](lastMessage+`.dataset.id`))
	must(g.t, err)
	message, err := strconv.Atoi(id)
	must(g.t, err)
	return message
}

func lastReads(text string) step {
	return holds(lastMessage + `.textContent.includes(` + strconv.Quote(text) + `)`)
}
