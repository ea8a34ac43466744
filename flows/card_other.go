package flows

import (
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// standing tickets are those that stand for a seat of the order now: not ones that another took the place of, or is
// about to, and not ones that were never paid for.
func (c card) standing() []order.Ticket {
	var all []order.Ticket
	for _, t := range c.o.Tickets {
		gone := t.State == order.Exchanged || t.State == order.Dropped && t.Was != ""
		if !gone && !(t.State == order.Lost && c.o.Instead(t.ID) != nil) {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return c.o.Tickets
	}
	return all
}

// lined tickets have a line of their own on a card with several: the standing ones, and exchanged ones, whose place
// another took.
func (c card) lined() []order.Ticket {
	var all []order.Ticket
	for _, t := range c.o.Tickets {
		gone := t.State == order.Dropped && t.Was != "" || t.State == order.Lost && c.o.Instead(t.ID) != nil
		if !gone && !(c.brief && t.State == order.Exchanged) {
			all = append(all, t)
		}
	}
	return all
}

// waits is the money of a lost ticket that waits for a choice; none where it is not at the ticket's own address yet.
func waits(t order.Ticket) cirrus.Strats {
	if t.Stray { // the float made it whole
		return t.Coin.Amount
	}
	return t.Coin.Amount - spentOn(t) - t.Away
}

// spentOn is what trying to buy a ticket took.
func spentOn(t order.Ticket) cirrus.Strats { return t.Reserve.Spent + t.Reserve.Lost }

// choose is a seat that could not be bought, while the customer may take another one.
func (c card) choose(t order.Ticket) part {
	a := args{"Seat": seatName(t.Seat), "Why": c.reason(t), "Until": until(t.Choice), "Sum": c.f.crs(waits(t)), "Gas": c.f.crs(spentOn(t))}
	id := "card.choose"
	switch {
	case t.Stray:
		id = "card.choose_stray"
	case spentOn(t) > 0:
		id = "card.choose_less"
	}
	return part{text: c.say(id, a), buttons: [][]Button{c.chooseRow(t)}, stage: stageBack}
}

// chooseRow are the two ways to go on from a lost seat.
func (v voice) chooseRow(t order.Ticket) []Button {
	return []Button{
		v.button("button.other_seat", nil, act(doOther, t.ID)),
		v.button("button.money_back", nil, act(doMoney, t.ID)),
	}
}

func (c card) chooseSeatRow(t order.Ticket) []Button {
	a := args{"Seat": seatName(t.Seat)}
	return []Button{
		c.button("button.other_for", a, act(doOther, t.ID)),
		c.button("button.money_for", a, act(doMoney, t.ID)),
	}
}

// pendingState names what a ticket that takes another's place waits for.
func (c card) pendingState(t order.Ticket) string {
	switch {
	case t.Swap.TxID != "" || t.Due == 0:
		return "swapping"
	case t.Seen >= t.Due:
		return "top_seen"
	case c.now.Before(t.ShowFrom()):
		return "top_soon"
	case !c.now.Before(t.Until):
		return "top_over"
	case t.Seen > 0:
		return "top_part"
	}
	return "top"
}

// asks tells whether a ticket that takes another's place waits for a payment, whose address may be shown.
func (c card) asks(t order.Ticket) bool {
	if c.o.State != order.Filled || !t.Arriving() {
		return false
	}
	state := c.pendingState(t)
	return state == "top" || state == "top_part"
}

// asking is the first ticket that waits for a payment of its own; nil: none does. Its QR is the picture of the card.
func (c card) asking() *order.Ticket {
	for _, t := range c.o.Tickets {
		if c.asks(t) {
			return &t
		}
	}
	return nil
}

func (c card) pendingArgs(t order.Ticket) args {
	a := args{
		"Seat": seatName(t.Seat), "Sum": t.Missing(), "Seen": c.f.crs(t.Seen), "Due": c.f.crs(t.Due),
		"Ticker": c.f.Config.Network.Ticker, "Address": string(t.Address), "Until": until(t.Until), "Was": "",
	}
	if old := c.o.Ticket(t.Was); old != nil {
		a["Was"] = seatName(old.Seat)
	}
	return a
}

// pending is a ticket that takes another's place, until it has its money.
func (c card) pending(t order.Ticket) part {
	p := part{text: c.say("card."+c.pendingState(t), c.pendingArgs(t)), buttons: c.pendingRows(t), stage: c.pendingStage(t)}
	if c.asks(t) {
		p.text = paragraphs(p.text, c.least(t.Due, t.Seen), c.saleEnds(t.Until))
	}
	return p
}

func (c card) pendingStage(t order.Ticket) stage {
	switch c.pendingState(t) {
	case "swapping":
		return stagePaid
	case "top_seen":
		return stageSeen
	}
	return stagePay
}

// swapBack is what came back as the money was brought over: another seat cost less than the lost one, or more was paid.
func (c card) swapBack(t order.Ticket) Text {
	if t.Swap.TxID == "" || t.Swap.Back <= 0 {
		return nil
	}
	id := "money.done"
	if t.Coin.IsZero() {
		id = "money.sent"
	}
	why := "why.cheaper"
	if old := c.o.Ticket(t.Was); old == nil || t.Price+t.Fee >= old.Price+old.Fee {
		why = "why.extra"
	}
	return c.say(id, args{
		"Why": c.plain(why, nil), "Sum": c.f.crs(t.Swap.Back), "Address": c.o.WentTo(t.ID).Short(), "Tx": t.Swap.TxID.Short(),
	})
}

// pendingRows are the buttons to pay a difference, and to choose otherwise while nothing was begun.
func (c card) pendingRows(t order.Ticket) [][]Button {
	var rows [][]Button
	if c.asks(t) {
		sum := t.Missing().String()
		if len(c.standing()) == 1 {
			rows = append(rows, []Button{
				c.copies("button.copy_address", nil, string(t.Address)), c.copies("button.copy_sum", args{"Sum": sum}, sum),
			})
		} else {
			a := args{"Seat": seatName(t.Seat), "Sum": sum}
			rows = append(rows, []Button{
				c.copies("button.copy_address_for", a, string(t.Address)), c.copies("button.copy_sum_for", a, sum),
			})
		}
		if first := c.asking(); first != nil && first.ID == t.ID {
			rows = append(rows, []Button{c.qrToggle(t.ID)})
		}
	}
	old := c.o.Ticket(t.Was)
	switch {
	case old == nil || !choosing(c.o, *old) || c.pendingState(t) == "top_seen":
	case len(c.standing()) == 1:
		rows = append(rows, c.chooseRow(*old))
	default:
		rows = append(rows, c.chooseSeatRow(*old))
	}
	return rows
}

// qrToggle shows the other QR of a payment: of the order, or of one ticket.
func (c card) qrToggle(ticket ...string) Button {
	id, other := "button.qr_address", "a"
	if c.bare {
		id, other = "button.qr_request", "u"
	}
	return c.button(id, nil, act(doPlainQR, append([]string{string(c.o.ID), other}, ticket...)...))
}

// topPicture is the QR of a difference to be paid.
func (c card) topPicture(t order.Ticket) (name string, draw func() ([]byte, error)) {
	missing := t.Missing()
	if c.bare {
		return "address:" + string(c.o.ID) + ":" + t.ID, func() ([]byte, error) { return c.payment(string(t.Address)) }
	}
	uri := "cirrus:" + string(t.Address) + "?amount=" + missing.String()
	return "request:" + string(c.o.ID) + ":" + t.ID + ":" + missing.String(), func() ([]byte, error) { return c.payment(uri) }
}
