package flows

import (
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// several is the card of an order for several seats: a line and a row of buttons for each, and below what holds for all.
func (c card) several() part {
	all := part{stage: stageEnded}
	for _, t := range c.lined() {
		all.buttons = append(all.buttons, c.lineRows(t)...)
		if s := c.lineStage(t); s.rank() < all.stage.rank() {
			all.stage = s
		}
	}
	help, row := c.needed()
	if row != nil {
		all.buttons = append(all.buttons, row)
	}
	if c.brief {
		all.text = paragraphs(c.grouped(), c.firstPayment(), help, c.moneyInAll(), c.refundsEach())
		return all
	}
	var tickets Text
	for _, t := range c.lined() {
		tickets = lines(tickets, c.line(t))
	}
	all.text = paragraphs(c.lateNote(), tickets, help, c.orderMoney(), c.refundsEach())
	return all
}

func (c card) lineArgs(t order.Ticket, seats string) args {
	a := args{"Seat": seats, "Why": c.reason(t), "Until": soon(t.Undo)}
	if t.State == order.Exchanged {
		a["Next"] = c.plain("line.another", nil)
		if next := instead(c.o, t.ID); next != nil {
			a["Next"] = seatName(next.Seat)
		}
	}
	switch {
	case choosing(c.o, t):
		a["Until"] = until(t.Choice)
	case pending(c.o, t):
		for name, value := range c.pendingArgs(t) {
			if name != "Seat" {
				a[name] = value
			}
		}
	}
	return a
}

// firstPayment says how to pay the first of several differences, where there is no room for all of them.
func (c card) firstPayment() Text {
	if t := c.asking(); t != nil {
		return c.say("line.top", c.pendingArgs(*t))
	}
	return nil
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

// grouped has a line for all tickets in the same state.
func (c card) grouped() Text {
	var all Text
	seats, first := map[string][]string{}, []order.Ticket(nil)
	for _, t := range c.lined() {
		state := c.group(t)
		if seats[state] == nil {
			first = append(first, t)
		}
		seats[state] = append(seats[state], seatName(t.Seat))
	}
	for _, t := range first {
		all = lines(all, c.say("line."+c.lineState(t), c.lineArgs(t, enumerate(seats[c.group(t)]))))
	}
	return all
}

// group tells tickets apart that can't share a line: their states, and until when they can be chosen for.
func (c card) group(t order.Ticket) string {
	state := c.lineState(t)
	if choosing(c.o, t) {
		state += t.Choice.String()
	}
	return state
}

// moneyInAll sums up what goes back, by how far it is.
func (c card) moneyInAll() Text {
	sums, counts := map[order.PayoutState]cirrus.Strats{}, map[order.PayoutState]int{}
	add := func(state order.PayoutState, sum cirrus.Strats) {
		sums[state], counts[state] = sums[state]+sum, counts[state]+1
	}
	for _, p := range c.o.Payouts {
		if p.State == order.Built {
			p.State = order.Sent
		}
		add(p.State, sumOf(p))
	}
	if back := c.o.Move.Back; back > 0 && c.o.State == order.Filled {
		add(order.Done, back)
	}
	var all Text
	for _, state := range []order.PayoutState{order.Done, order.Sent, order.PayoutDue, order.AddressNeeded, order.Dust} {
		if counts[state] > 0 {
			a := args{"Sum": c.f.crs(sums[state]), "Count": counts[state], "Address": c.o.Private.Refund.Short()}
			all = lines(all, c.say("total."+string(state), a))
		}
	}
	return all
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
	case pending(c.o, t) && c.brief:
		return "pending_short"
	case pending(c.o, t):
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
		if c.brief {
			return "lost_short"
		}
		return "lost"
	case order.Stray, order.Attention:
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
	}
	return "handing_over"
}

// noChat tells that there is nobody to hand a ticket over to now.
func (c card) noChat() bool {
	return c.around.Courier != "" && (c.around.Chat == ChatNone || c.around.Chat == ChatPending)
}

// lineRows are the rows of buttons of one ticket.
func (c card) lineRows(t order.Ticket) [][]Button {
	switch {
	case pending(c.o, t):
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
	if pending(c.o, t) {
		return pendingStage(t)
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

// rank orders stages: of several tickets the one that is least far along gives its picture to the card.
func (s stage) rank() int {
	for i, known := range []stage{stagePerson, stagePay, stageSeen, stagePaid, stageBought, stageSent, stageBack} {
		if s == known {
			return i
		}
	}
	return len(stageEnded) + 1
}

// needed says what somebody must do, and by when what goes on by itself does.
func (c card) needed() (Text, []Button) {
	var chat, person, busy, asked bool
	for _, t := range c.standing() {
		asked = asked || choosing(c.o, t) || c.asks(t)
		switch t.State {
		case order.Stray, order.Attention:
			person = true
		case order.Held, order.Reserving, order.Unknown, order.Reserved, order.Releasing:
			busy = true
		case order.Owned, order.Ended:
			chat = chat || c.lineDelivery(t) == "waits"
		}
	}
	switch {
	case person:
		a := args{"Order": string(c.o.ID), "Support": c.f.support(c.voice)}
		return c.say("card.person", a), c.f.supportButton(c.voice)
	case chat:
		a := args{"Courier": c.around.Courier}
		return c.say("card.chat_needed_each", a), []Button{c.link("button.open_courier", a, "https://t.me/"+c.around.Courier)}
	case busy && !asked:
		return c.say("card.busy", nil), nil
	}
	return nil, nil
}

// orderMoney is what goes back from the order's own address.
func (c card) orderMoney() Text {
	all := c.splitBack()
	lined := c.lined()
	for _, p := range c.o.Payouts {
		if !slices.ContainsFunc(lined, func(t order.Ticket) bool { return t.ID == p.Ticket }) {
			all = lines(all, c.payout(p))
		}
	}
	return all
}

// refundsEach says until when tickets can be given back, and what comes back for one at least.
func (c card) refundsEach() Text {
	var last uint64
	var least cirrus.Strats
	can, have := 0, 0
	for _, t := range c.o.Tickets {
		if t.State != order.Owned && t.State != order.Ended {
			continue
		}
		have++
		until, err := order.CanGiveBack(c.o, t, c.around.Tip)
		if err != nil {
			continue
		}
		if sum := order.LeastRefund(c.o, t); can == 0 || sum < least {
			least = sum
		}
		can, last = can+1, until
	}
	switch {
	case can > 0:
		return c.say("card.refundable_each", args{
			"Sum": c.f.crs(least), "About": when(c.around.Tip, last), "Block": block(last), "Count": can,
		})
	case have > 0:
		return c.say("card.no_refund_each", nil)
	}
	return nil
}
