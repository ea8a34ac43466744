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
		c.say("card.pay_until", args{"Until": until(c.o.Hold)}),
	)
	if !c.now.Before(c.o.Hold) {
		text = paragraphs(c.say("card.pay_over", nil))
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

func (c card) costs() Text {
	price := order.Price{Deposit: 2 * c.o.Gas.Budget() * cirrus.Strats(len(c.o.Tickets))}
	for _, t := range c.o.Tickets {
		price.Seat += t.Price
	}
	if rest := c.o.Due - price.Seat - price.Deposit; rest > 0 {
		price.Fee = rest
	}
	var fee Text
	if price.Fee > 0 {
		fee = c.say("cost.fee", args{"Sum": c.f.crs(price.Fee)})
	}
	return lines(
		c.say("cost.seat", args{"Sum": c.f.crs(price.Seat)}),
		c.say("cost.deposit_short", args{"Sum": c.f.crs(price.Deposit)}),
		fee,
	)
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
