package flows

import (
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// paymentURI is what a wallet reads from the payment's QR.
func paymentURI(o order.Order) string {
	return "cirrus:" + string(o.Address) + "?amount=" + (o.Due - seen(o)).String()
}

// seen sums up what has come to the order's address so far, confirmed or not.
func seen(o order.Order) cirrus.Strats {
	var sum cirrus.Strats
	for _, coin := range o.Coins {
		sum += coin.Amount
	}
	return sum
}

func (c card) seen() cirrus.Strats { return seen(c.o) }

// missing is what must still come.
func (c card) missing() cirrus.Strats { return c.o.Due - c.seen() }

func (c card) awaiting() part {
	if preparing(c.o, c.now) {
		return c.simple("card.preparing", nil, stagePay)
	}
	text := paragraphs(
		c.say("card.pay", args{"Sum": c.o.Due, "Ticker": c.f.Config.Network.Ticker, "Address": string(c.o.Address)}),
		c.costs(),
		c.say("card.pay_until", args{"Until": until(c.o.Hold), "Count": len(c.o.Tickets)}),
	)
	if !c.now.Before(c.o.Hold) {
		text = c.say("card.pay_over", args{"Count": len(c.o.Tickets)})
	}
	return part{text: text, buttons: c.payButtons("button.copy_sum"), stage: stagePay}
}

// partPaid says what is missing.
func (c card) partPaid() part {
	text := c.say("card.part_paid", args{
		"Seen": c.f.crs(c.seen()), "Due": c.f.crs(c.o.Due), "Missing": c.missing(), "Ticker": c.f.Config.Network.Ticker,
		"Address": string(c.o.Address), "Until": until(c.o.Hold),
	})
	return part{text: text, buttons: c.payButtons("button.copy_missing"), stage: stagePay}
}

// costs says what is paid for. For several seats there is the network fee of splitting the payment.
func (c card) costs() Text {
	n := cirrus.Strats(len(c.o.Tickets))
	deposit := 2 * c.o.Gas.Budget() * n
	var seats, fee cirrus.Strats
	for _, t := range c.o.Tickets {
		seats += t.Price
		fee += t.Fee
	}
	network := c.o.Due - seats - deposit - fee
	if n == 1 {
		fee, network = fee+network, 0
	}
	all := c.say("cost.seats_short", args{"Sum": c.f.crs(seats), "Count": len(c.o.Tickets)})
	all = lines(all, c.say("cost.deposit_short", args{"Sum": c.f.crs(deposit)}))
	if network > 0 {
		all = lines(all, c.say("cost.network", args{"Sum": c.f.crs(network)}))
	}
	if fee > 0 {
		all = lines(all, c.say("cost.fee", args{"Sum": c.f.crs(fee)}))
	}
	return all
}

// leastExcess is the least sum that is sent back on its own; less stays with the deposit.
const leastExcess = 15_460

// extra says what becomes of more money than was due.
func (c card) extra() Text {
	over := c.seen() - c.o.Due
	switch {
	case over <= 0:
		return nil
	case over < leastExcess:
		return c.say("card.extra_small", args{"Sum": c.f.crs(over)})
	}
	return c.say("card.extra", args{"Sum": c.f.crs(over)})
}

func (c card) payButtons(copySum string) [][]Button {
	id := string(c.o.ID)
	toggle := c.button("button.qr_address", nil, act(doPlainQR, id, "a"))
	if c.bare {
		toggle = c.button("button.qr_request", nil, act(doPlainQR, id, "u"))
	}
	sum := c.missing().String()
	return [][]Button{
		{c.copies("button.copy_address", nil, string(c.o.Address)), c.copies(copySum, args{"Sum": sum}, sum)},
		{toggle},
		{c.button("button.cancel_order", nil, act(doCancel, id))},
	}
}
