package flows

import "github.com/usherbot/usher/flows/order"

func (c card) lineArgs(t order.Ticket, seats string) args {
	a := args{"Seat": seats, "Why": c.reason(t), "Until": soon(t.Undo)}
	if t.State == order.Exchanged {
		a["Next"] = c.plain("line.another", nil)
		if next := c.o.Instead(t.ID); next != nil {
			a["Next"] = seatName(next.Seat)
		}
	}
	switch {
	case choosing(c.o, t):
		a["Until"] = until(t.Choice)
	case t.Arriving():
		for name, value := range c.pendingArgs(t) {
			if name != "Seat" {
				a[name] = value
			}
		}
	}
	return a
}

// line is what a ticket of several is now, with its money.
func (c card) line(t order.Ticket) Text {
	line := c.say("line."+c.lineState(t), c.lineArgs(t, seatName(t.Seat)))
	for _, p := range c.o.Payouts {
		if p.Ticket == t.ID {
			line = join(" ", line, c.lineMoney(p))
		}
	}
	return line
}

func (c card) lineMoney(p order.Payout) Text {
	a := args{"Sum": c.f.crs(sumOf(p)), "Tx": p.TxID.Short()}
	switch p.State {
	case order.PayoutDue:
		return c.say("line.money_due", a)
	case order.AddressNeeded:
		return c.say("line.money_waits", a)
	case order.Built, order.Sent:
		return c.say("line.money_sent", a)
	case order.Done:
		return c.say("line.money_done", a)
	case order.Dust:
		return c.say("line.money_dust", a)
	}
	return nil
}

// lineState names the words for a ticket's state.
func (c card) lineState(t order.Ticket) string {
	switch {
	case t.Arriving() && c.brief:
		return "pending_short"
	case t.Arriving():
		return c.pendingState(t)
	case choosing(c.o, t) && c.brief:
		return "choose_short"
	case choosing(c.o, t):
		return "choose"
	}
	switch t.State {
	case order.Held, order.Reserving:
		return "buying"
	case order.Unknown:
		return "unsure"
	case order.Reserved:
		return "reserved"
	case order.Owned, order.Ended:
		return c.lineDelivery(t)
	case order.Releasing:
		if c.now.Before(t.Undo) {
			return "undo"
		}
		return "releasing"
	case order.Released:
		return "released"
	case order.Exchanged:
		return "exchanged"
	case order.Lost, order.Dropped:
		if c.brief && dead(c.o, t) {
			return "dead_short"
		}
		if c.brief {
			return "lost_short"
		}
		return "lost"
	case order.Stray, order.Attention:
		if t.Stray && t.State == order.Stray {
			return "releasing"
		}
	}
	if c.brief {
		return "attention_short"
	}
	return "attention"
}

func (c card) lineDelivery(t order.Ticket) string {
	switch {
	case c.now.After(c.o.Show.Time.Add(afterShow)):
		return "past"
	case t.Delivery.State == order.DeliverySent:
		return "sent"
	case t.Delivery.State == order.DeliverySeen:
		return "arrived"
	case c.noChat():
		return "waits"
	case c.noCourier():
		return "waits_courier"
	}
	return "handing_over"
}

// noChat tells that there is nobody to hand a ticket over to now.
func (c card) noChat() bool {
	return c.around.Courier != "" && (c.around.Chat == ChatNone || c.around.Chat == ChatPending)
}

// noCourier tells that nobody can hand a ticket over now, chat or no chat.
func (c card) noCourier() bool { return c.around.Courier == "" && c.around.Chat == ChatNone }

// lineRows are the rows of buttons of one ticket.
func (c card) lineRows(t order.Ticket) [][]Button {
	switch {
	case t.Arriving():
		return c.pendingRows(t)
	case choosing(c.o, t):
		return [][]Button{c.chooseSeatRow(t)}
	}
	if row := c.lineButtons(t); row != nil {
		return [][]Button{row}
	}
	return nil
}

func (c card) lineButtons(t order.Ticket) []Button {
	id, seat := string(c.o.ID), args{"Seat": seatName(t.Seat)}
	var row []Button
	switch t.State {
	case order.Releasing:
		if c.now.Before(t.Undo) {
			row = append(row, c.button("button.undo_seat", seat, act(doUndo, id, t.ID)))
		}
	case order.Owned, order.Ended:
		if c.lineDelivery(t) == "sent" || c.lineDelivery(t) == "arrived" {
			row = append(row, c.button("button.send_seat", seat, act(doAgain, id, t.ID)))
		}
		if _, err := order.CanGiveBack(c.o, t, c.around.Tip); err == nil {
			row = append(row, c.button("button.refund_seat", seat, act(doRefund, t.ID)))
		}
	}
	return row
}

func (c card) lineStage(t order.Ticket) stage {
	if t.Arriving() {
		return c.pendingStage(t)
	}
	switch t.State {
	case order.Held, order.Reserving, order.Unknown, order.Reserved:
		return stagePaid
	case order.Owned, order.Ended:
		if t.Delivery.State == order.DeliverySent || t.Delivery.State == order.DeliverySeen {
			return stageSent
		}
		return stageBought
	case order.Releasing, order.Released, order.Lost, order.Exchanged, order.Dropped:
		return stageBack
	case order.Stray, order.Attention:
	}
	return stagePerson
}
