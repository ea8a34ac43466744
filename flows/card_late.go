package flows

import (
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// waitsUntil is until when the part that came to an order, whose hold ended, waits for the rest; zero: there is none.
func (c card) waitsUntil() time.Time {
	end := c.o.PartUntil(c.f.Config.Hold)
	if !c.o.PartWaiting() || c.missing() <= 0 || !c.now.Before(end) {
		return time.Time{}
	}
	return end
}

// partLate is an order whose hold ended before all of the money was there: the part waits for the rest.
func (c card) partLate(end time.Time) part {
	text := c.say("card.part_late", args{
		"Seen": c.f.crs(c.seen()), "Due": c.f.crs(c.o.Due), "Missing": c.missing(), "Ticker": c.f.Config.Network.Ticker,
		"Address": string(c.o.Address), "Until": until(end), "Count": len(c.o.Tickets),
	})
	return part{text: paragraphs(text, c.least(c.o.Due, c.seen())), buttons: c.payButtons("button.copy_missing", "button.money_back"), stage: stagePay}
}

// lateNote says that the payment came after the hold, as long as that explains what is seen.
func (c card) lateNote() Text {
	if !c.o.Late {
		return nil
	}
	bought, lost := 0, 0
	for _, t := range c.standing() {
		switch t.State {
		case order.Held, order.Reserving, order.Unknown, order.Reserved:
			bought++
		case order.Owned:
			if t.Delivery.State != order.DeliverySeen {
				bought++
			}
		case order.Lost:
			lost++
		}
	}
	id := "card.late"
	switch {
	case bought == 0:
		return nil
	case lost > 0:
		id = "card.late_some"
	}
	return c.say(id, args{"Count": bought})
}

// expired names what an order that ended without its tickets says: nothing came, a part came, or all of it too late. Parts
// that went back one by one were never a whole payment.
func (c card) expired() string {
	if len(c.o.Payouts) == 0 {
		return "card.expired"
	}
	var came cirrus.Strats
	for _, p := range c.o.Payouts {
		came = max(came, sumOf(p)+p.Fee)
	}
	if came < c.o.Due {
		return "card.part_gone"
	}
	return "card.late_gone"
}

// cancelled is an order that the customer ended. What came before that is not confirmed yet goes back too.
func (c card) cancelled() part {
	p := c.ended("card.cancelled")
	if len(c.o.Payouts) == 0 && c.seen() > 0 {
		p.text = paragraphs(p.text, c.say("card.cancelled_seen", args{"Sum": c.f.crs(c.seen())}))
	}
	return p
}

// excess says what becomes of more than was due for one seat, until it is on its way.
func (c card) excess(t order.Ticket) Text {
	bought := t.State == order.Held || t.State == order.Reserving || t.State == order.Unknown || t.State == order.Reserved
	if t.Was != "" || !bought && t.State != order.Owned || c.seen()-c.o.Due < leastExcess {
		return nil
	}
	for _, p := range c.o.Payouts {
		if p.Why == order.WhyExtra {
			return nil
		}
	}
	return c.extra()
}
