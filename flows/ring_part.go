package flows

import (
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Of payments in parts not more than maxParts ring: who pays in many small ones knows what is missing.
const (
	maxParts = 3
	partKey  = "part:" // and what is missing
)

// short is a payment of which a part has come.
type short struct {
	seen, due cirrus.Strats
	end       time.Time // until when the rest may come
}

// partBells ring where less than was due has come: whoever paid, perhaps from an exchange that kept its fee, does not
// look at the card again, and the time for the rest is short.
func (f *Flows) partBells(v voice, o order.Order, around Around) []bell {
	rung := 0
	for _, key := range o.Card.Rung {
		if strings.HasPrefix(key, partKey) {
			rung++
		}
	}
	if rung >= maxParts {
		return nil
	}
	c := f.card(o, f.Clock(), around)
	var all []bell
	if end := c.partEnd(); !end.IsZero() {
		all = append(all, f.partBell(v, o, short{c.seen(), o.Due, end}, o.Tickets...))
	}
	for _, t := range o.Tickets {
		if c.asks(t) && t.Seen > 0 && t.Seen < t.Due {
			all = append(all, f.partBell(v, o, short{t.Seen, t.Due, t.Until}, t))
		}
	}
	return all
}

func (f *Flows) partBell(v voice, o order.Order, s short, tickets ...order.Ticket) bell {
	missing := order.Payable(s.due - s.seen)
	id, key := "ring.part", partKey+missing.String()
	if tickets[0].Arriving() {
		id, key = "ring.part_top", partKey+tickets[0].ID+":"+missing.String()
	}
	a := f.bellArgs(v, o, tickets...)
	a["Seen"], a["Due"], a["Missing"], a["Until"] = f.crs(s.seen), f.crs(s.due), f.crs(missing), until(s.end)
	row := []Button{v.button("button.show_order", nil, act(doCard, string(o.ID))), v.button("button.tickets", nil, act(doMine))}
	return bell{keys: []string{key}, screen: Screen{Text: v.say(id, a), Buttons: [][]Button{row}}, payout: -1}
}

// partEnd is until when the rest of a payment may come of which a part is there; zero: there is none, or none counts.
func (c card) partEnd() time.Time {
	switch {
	case c.seen() <= 0 || c.missing() <= 0 || c.saleOver():
		return time.Time{}
	case c.o.State == order.PartPaid && c.now.Before(c.o.Hold):
		return c.o.Hold
	}
	return c.waitsUntil()
}
