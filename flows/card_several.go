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
	if slices.ContainsFunc(c.lined(), func(t order.Ticket) bool { return asksArrived(c.o, t, c.now) }) {
		all.buttons = append(all.buttons, []Button{c.missingButton()})
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

// firstPayment says how to pay the first of several differences, where there is no room for all of them.
func (c card) firstPayment() Text {
	if t := c.asking(); t != nil {
		return c.say("line.top", c.pendingArgs(*t))
	}
	return nil
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
	places := map[order.PayoutState]string{}
	add := func(state order.PayoutState, sum cirrus.Strats, id string) {
		place := c.o.WentTo(id).Short()
		if before, known := places[state]; known && before != place {
			place = c.plain("total.places", nil)
		}
		sums[state], counts[state], places[state] = sums[state]+sum, counts[state]+1, place
	}
	for _, p := range c.o.Payouts {
		if p.State == order.Built {
			p.State = order.Sent
		}
		add(p.State, sumOf(p), p.ID)
	}
	if back := c.o.Move.Back; back > 0 && c.o.State == order.Filled {
		add(order.Done, back, "")
	}
	for _, t := range c.o.Tickets {
		if t.Swap.TxID != "" && t.Swap.Back > 0 {
			add(map[bool]order.PayoutState{true: order.Sent, false: order.Done}[t.Coin.IsZero()], t.Swap.Back, t.ID)
		}
	}
	var all Text
	for _, state := range []order.PayoutState{order.Done, order.Sent, order.PayoutDue, order.AddressNeeded, order.Dust} {
		if counts[state] > 0 {
			a := args{"Sum": c.f.crs(sums[state]), "Count": counts[state], "Address": places[state]}
			all = lines(all, c.say("total."+string(state), a))
		}
	}
	return all
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
		undoing := t.State == order.Releasing && c.now.Before(t.Undo)
		asked = asked || undoing || choosing(c.o, t) || c.asks(t)
		switch t.State {
		case order.Stray, order.Attention:
			person = person || t.State == order.Attention || !t.Stray
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
		return c.say("card.chat_needed_each", a), c.chatRow(c.around.Courier)
	case busy && !asked:
		return c.say("card.busy", nil), nil
	}
	return nil, nil
}

// orderMoney is what goes back from the order's own address.
func (c card) orderMoney() Text {
	all := c.splitBack()
	for _, t := range c.o.Tickets {
		all = lines(all, c.swapBack(t))
	}
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
	var can []string
	have := 0
	for _, t := range c.o.Tickets {
		if t.State != order.Owned && t.State != order.Ended {
			continue
		}
		have++
		until, err := order.CanGiveBack(c.o, t, c.around.Tip)
		if err != nil {
			continue
		}
		if sum := order.LeastRefund(c.o, t); can == nil || sum < least {
			least = sum
		}
		can, last = append(can, seatName(t.Seat)), until
	}
	switch {
	case can != nil:
		return c.say("card.refundable_each", args{
			"Sum": c.f.crs(least), "About": when(c.around.Tip, last), "Block": block(last), "Count": len(can), "Seats": enumerate(can),
		})
	case have > 0:
		return c.say("card.no_refund_each", nil)
	}
	return nil
}
