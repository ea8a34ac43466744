package flows

import (
	"context"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// paymentURI is what a wallet reads from the payment's QR.
func paymentURI(o order.Order) string {
	return "cirrus:" + string(o.Address) + "?amount=" + order.Payable(o.Due-seen(o)).String()
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

// missing is what must still come, or the least that can; 0: nothing.
func (c card) missing() cirrus.Strats { return order.Payable(c.o.Due - c.seen()) }

// least says that less is missing than any wallet sends, where it is so: the sum that is asked for is larger then.
func (c card) least(due, seen cirrus.Strats) Text {
	if missing := due - seen; seen == 0 || missing == order.Payable(missing) {
		return nil
	}
	return c.say("card.least", nil)
}

func (c card) awaiting() part {
	if preparing(c.o, c.now) {
		return c.simple("card.preparing", nil, stagePay)
	}
	if c.saleOver() {
		return c.tooLate()
	}
	if c.holdOver() {
		p := c.simple("card.pay_over", nil, stageEnded)
		p.buttons = [][]Button{{c.button("button.cancel_order", nil, act(doCancel, string(c.o.ID)))}}
		return p
	}
	text := paragraphs(
		c.say("card.pay", args{"Sum": c.o.Due, "Ticker": c.f.Config.Network.Ticker, "Address": string(c.o.Address)}),
		c.costs(),
		c.say("card.pay_until", args{"Until": until(c.o.Hold), "Count": len(c.o.Tickets)}),
		c.saleEnds(c.o.Hold),
		c.oneOf(),
	)
	return c.chatGone(part{text: text, buttons: c.payButtons("button.copy_sum", "button.cancel_order"), stage: stagePay})
}

// chatGone says, where somebody is about to pay, that there is no secret chat to hand the ticket over.
func (c card) chatGone(p part) part {
	switch {
	case c.around.Courier == "" && c.around.Chat == ChatNone:
		p.text = paragraphs(c.say("card.pay_no_courier", nil), p.text)
		return p
	case !c.noChat():
		return p
	}
	p.text = paragraphs(c.say("card.no_chat", nil), p.text)
	p.buttons = append([][]Button{c.chatRow(c.around.Courier)}, p.buttons...)
	return p
}

// holdOver tells that the time to pay has run out, and the order has not ended yet. Nothing on the card may lead to a
// payment then.
func (c card) holdOver() bool { return c.o.State == order.AwaitingPayment && !c.now.Before(c.o.Hold) }

// saleEnds says that the sale ends too soon for a payment at the end of a hold, where it is so: with which block the money
// must have come.
func (c card) saleEnds(hold time.Time) Text {
	last := c.o.LastToPay() + 1
	if end := when(c.around.Tip, last); c.around.Tip.Height > 0 && end.At.Before(hold) {
		return c.say("card.sale_ends", args{"About": end, "Block": block(last)})
	}
	return nil
}

// saleOver tells that the sale ended before the payment was there, or is about to: no payment could buy any more.
func (c card) saleOver() bool {
	waits := c.o.State == order.AwaitingPayment || c.o.State == order.PartPaid || !c.waitsUntil().IsZero()
	return waits && c.around.Tip.Height > c.o.LastToPay()
}

// tooLate is an order whose sale ended before all of the money was there.
func (c card) tooLate() part {
	id, cancel := "card.sale_over", "button.cancel_order"
	if c.seen() > 0 {
		id, cancel = "card.sale_over_part", "button.money_back"
	}
	p := c.simple(id, args{"Seen": c.f.crs(c.seen()), "Due": c.f.crs(c.o.Due)}, stageEnded)
	p.buttons = [][]Button{{c.button(cancel, nil, act(doCancel, string(c.o.ID)))}}
	return p
}

// oneOf says which of several orders this is that were made together, each seat paid on its own.
func (c card) oneOf() Text {
	if c.around.Of < 2 {
		return nil
	}
	return c.say("card.one_of", args{"Number": c.around.Nr, "All": c.around.Of})
}

// partPaid says what is missing.
func (c card) partPaid() part {
	if c.saleOver() {
		return c.tooLate()
	}
	text := c.say("card.part_paid", args{
		"Seen": c.f.crs(c.seen()), "Due": c.f.crs(c.o.Due), "Missing": c.missing(), "Ticker": c.f.Config.Network.Ticker,
		"Address": string(c.o.Address), "Until": until(c.o.Hold), "Back": until(c.o.PartUntil(c.f.Config.Hold)), "Count": len(c.o.Tickets),
	})
	text = paragraphs(text, c.least(c.o.Due, c.seen()), c.saleEnds(c.o.Hold), c.oneOf())
	return c.chatGone(part{text: text, buttons: c.payButtons("button.copy_missing", "button.money_back"), stage: stagePay})
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

// payButtons are the ways to pay, and the way out: cancel says what that is.
func (c card) payButtons(copySum, cancel string) [][]Button {
	sum := c.missing().String()
	return [][]Button{
		{c.copies("button.copy_address", nil, string(c.o.Address)), c.copies(copySum, args{"Sum": sum}, sum)},
		{c.qrToggle()},
		{c.button(cancel, nil, act(doCancel, string(c.o.ID)))},
	}
}

// swapQR shows a payment's other QR in the card. The next change of the order shows the usual one again.
func (f *Flows) swapQR(ctx context.Context, t *turn, o order.Order, a action) (Reply, error) {
	around, err := f.around(ctx, o)
	if err != nil {
		return Reply{}, err
	}
	o.Language = t.lang
	c := f.card(o, t.now, around)
	c.bare = a.args[1] == "a"
	asking := c.asking()
	ticket := len(a.args) == 3 && asking != nil && asking.ID == a.args[2]
	waits := o.State == order.AwaitingPayment || o.State == order.PartPaid || !c.waitsUntil().IsZero()
	unpaid := len(a.args) == 2 && waits && !preparing(o, t.now) && !c.saleOver() && !c.holdOver()
	if !ticket && !unpaid {
		reply, err := f.snapshot(ctx, t, o)
		reply.Answer = t.answer("tap.old_card")
		return reply, err
	}
	screen, err := c.screen()
	if err != nil {
		return Reply{}, err
	}
	return Reply{Screens: []Outgoing{{Chat: t.event.Chat, Edit: t.event.Message, Screen: screen}}}, nil
}

// cancelOne ends an order that waits for money. What came of it goes back.
func (f *Flows) cancelOne(ctx context.Context, t *turn, o order.Order) (Reply, error) {
	done := "tap.cancelled"
	if seen(o) > 0 {
		done = "tap.money_back"
	}
	if o.State == order.Cancelled {
		return Reply{Answer: t.answer(done)}, nil // tapped before
	}
	return f.do(ctx, t, o, order.Ask{Verb: order.Cancel}, done)
}
