package flows

import (
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// afterShow is how long after its beginning a show's ticket can still be sent again.
const afterShow = order.AfterShow

// owned is a ticket that is the customer's.
func (c card) owned(t order.Ticket) part {
	p := c.handed(t)
	p.text = lines(c.say("card.owned", args{"Seat": seatName(t.Seat), "Block": block(t.Owned)}), p.text)
	last, err := order.CanGiveBack(c.o, t, c.around.Tip)
	if err != nil {
		id := "card.no_refund"
		if t.Reason == order.ReasonWindowOver {
			id = "card.refund_too_late"
		}
		p.text = paragraphs(p.text, c.say(id, nil))
		return p
	}
	p.text = paragraphs(p.text, c.say("card.refundable", args{
		"Sum": c.f.crs(order.LeastRefund(c.o, t)), "About": when(c.around.Tip, last), "Block": block(last),
	}))
	p.buttons = append(p.buttons, []Button{c.button("button.refund", nil, act(doRefund, t.ID))})
	return p
}

// handed says where the picture with the QR is.
func (c card) handed(t order.Ticket) part {
	again := [][]Button{{c.button("button.send_again", nil, act(doAgain, string(c.o.ID), t.ID))}}
	if asksArrived(c.o, t, c.now) {
		again[0] = append(again[0], c.missingButton())
	}
	switch t.Delivery.State {
	case order.DeliverySent:
		return part{text: c.say("card.sent", nil), buttons: again, stage: stageSent}
	case order.DeliverySeen:
		return part{text: c.say("card.arrived", nil), buttons: again, stage: stageSent}
	case order.DeliveryNone, order.DeliveryWaiting:
	}
	if c.around.Courier != "" && (c.around.Chat == ChatNone || c.around.Chat == ChatPending) {
		a := args{"Courier": c.around.Courier}
		return part{text: c.say("card.chat_needed", a), buttons: [][]Button{c.chatRow(c.around.Courier)}, stage: stageBought}
	}
	if c.noCourier() {
		return part{text: c.say("card.no_courier", nil), stage: stageBought}
	}
	return part{text: c.say("card.handing_over", nil), stage: stageBought}
}

// missingButton is for a ticket that was sent and that the customer can't find.
func (c card) missingButton() Button {
	return c.button("button.missing", nil, act(doMissing, string(c.o.ID)))
}

// kept is a ticket that can't be given back any more.
func (c card) kept(t order.Ticket) part {
	p := c.handed(t)
	if c.now.After(c.o.Show.Time.Add(afterShow)) {
		return c.simple("card.past", args{"Seat": seatName(t.Seat)}, stageSent)
	}
	p.text = lines(c.say("card.kept", args{"Seat": seatName(t.Seat)}), p.text)
	return p
}

// releasing is a ticket on its way back; until the undo time nothing has happened yet.
func (c card) releasing(t order.Ticket) part {
	a := args{"Seat": seatName(t.Seat)}
	switch {
	case c.now.Before(t.Undo):
		a["Until"] = soon(t.Undo)
		row := []Button{c.button("button.undo", nil, act(doUndo, string(c.o.ID), t.ID))}
		return part{text: c.say("card.undo", a), buttons: [][]Button{row}, stage: stageBack}
	case t.Release.TxID == "":
		return c.simple("card.giving_back", a, stageBack)
	}
	a["Tx"] = t.Release.TxID.Short()
	return c.simple("card.giving_back_sent", a, stageBack)
}

// woundDown adds to a ticket that goes back without the customer having asked for it why it does.
func (c card) woundDown(t order.Ticket, p part) part {
	if t.Reason == order.ReasonWindingDown {
		p.text = paragraphs(c.say("card.winding_down", nil), p.text)
	}
	return p
}

// payouts says where money of the order went or goes.
func (c card) payouts() Text {
	if c.brief {
		return c.moneyInAll()
	}
	var all Text
	for _, p := range c.o.Payouts {
		all = lines(all, c.payout(p))
	}
	return lines(c.splitBack(), all)
}

// backTo says where money of the order goes back to, and offers another address.
func (c card) backTo(p part) part {
	if !c.brief && len(c.o.Payouts) == 0 {
		p.text = paragraphs(p.text, c.say("card.back_to", args{"Address": c.o.Private.Refund.Short()}))
	}
	p.buttons = append(p.buttons, []Button{c.button("button.back_to", nil, act(doBackTo, string(c.o.ID)))})
	return p
}

// sumOf is what a payout brings, or will bring before its network fee.
func sumOf(p order.Payout) cirrus.Strats {
	switch p.State {
	case order.PayoutDue, order.AddressNeeded:
		return p.Expect
	case order.Dust:
		return p.Dust
	case order.Built, order.Sent, order.Done:
	}
	return p.Amount
}

// splitBack is what a split sent back because more than due was paid.
func (c card) splitBack() Text {
	move := c.o.Move
	if move.Back <= 0 || c.o.State != order.Filled {
		return nil
	}
	return c.say("money.done", args{
		"Why": c.why(order.WhyExtra), "Sum": c.f.crs(move.Back), "Address": c.o.WentTo("").Short(), "Tx": move.TxID.Short(),
	})
}

func (c card) payout(p order.Payout) Text {
	a := args{"Why": c.why(p.Why), "Address": c.o.WentTo(p.ID).Short(), "Sum": c.f.crs(sumOf(p)), "Tx": p.TxID.Short()}
	switch p.State {
	case order.PayoutDue:
		return c.say("money.due", a)
	case order.AddressNeeded:
		return c.say("money.address_needed", a)
	case order.Built, order.Sent:
		return c.say("money.sent", a)
	case order.Done:
		return c.say("money.done", a)
	case order.Dust:
		return c.say("money.dust", a)
	}
	return nil
}

func (c card) why(why order.Why) string {
	switch why {
	case order.WhyReleased, order.WhyLost, order.WhyDeposit, order.WhyLate, order.WhyCancelled, order.WhyExtra:
		return c.plain("why."+string(why), nil)
	}
	return c.plain("why.other", nil)
}
