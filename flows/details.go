package flows

import (
	"context"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// details shows where a ticket and its money are on the chain, for anybody to check there: nothing of it is secret.
func (f *Flows) details(ctx context.Context, t *turn, o order.Order, id string) (Reply, error) {
	ticket := o.Ticket(id)
	if ticket == nil {
		return Reply{Answer: t.answer("tap.not_yours"), Alert: true}, nil
	}
	tip, err := f.tip(ctx)
	if err != nil {
		return Reply{}, err
	}
	list := []entry{{o: o, t: *ticket}}
	if err := f.noteChat(ctx, t.customer(), list); err != nil {
		return Reply{}, err
	}
	e := list[0]
	text := paragraphs(
		t.say("details.head", args{
			"Show": showName(o.Show), "Seat": seatName(e.t.Seat), "Time": moment(o.Show.Time), "Venue": venueName(o.Show),
		}),
		lines(t.say("details.now", args{"State": f.stateOf(t, e).String()}), f.cameFor(t, e)),
		lines(called(t, e.t.Reserve, "details.bought", "details.refused", "details.asked"),
			called(t, e.t.Release, "details.released", "details.refused", "details.releasing")),
		f.cameBack(t, e),
		lines(address(t, e), t.say("details.contract", args{"Contract": string(o.Show.Contract)})),
		t.say("details.order", args{"Order": string(o.ID), "Time": moment(o.Created)}),
	)
	return f.inPlace(t, Screen{Text: text, Buttons: f.detailButtons(t, e, tip)}), nil
}

// cameFor says what was paid for the seat.
func (f *Flows) cameFor(t *turn, e entry) Text {
	a := args{"Sum": f.crs(e.t.Coin.Amount), "Price": f.crs(e.t.Price), "Fee": f.crs(e.t.Fee)}
	id := "details.came"
	if e.t.Coin.Amount == 0 {
		id = "details.price"
	}
	money := t.say(id, a)
	if e.t.Fee > 0 {
		money = join(" ", money, t.say("details.fee", a))
	}
	if was := e.o.Ticket(e.t.Was); was != nil {
		money = lines(t.say("details.instead", args{"Seat": seatName(was.Seat)}), money)
	}
	return money
}

// called says what became of a contract call.
func called(t *turn, c order.Call, good, refused, waits string) Text {
	a := args{"Tx": string(c.TxID), "Block": block(c.Block)}
	switch {
	case c.TxID == "":
		return nil
	case c.Block == 0:
		return t.say(waits, a)
	case c.Success:
		return t.say(good, a)
	}
	return t.say(refused, a)
}

// cameBack lists what came back, or is on its way: for the seat, and for the order as a whole.
func (f *Flows) cameBack(t *turn, e entry) Text {
	c := card{voice: t.voice, f: f, o: e.o, now: t.now}
	all := lines(
		f.movedBack(t, e.o.WentTo(""), c.why(order.WhyExtra), e.o.Move, e.o.State == order.Filled),
		f.movedBack(t, e.o.WentTo(e.t.ID), t.plain("why.cheaper", nil), e.t.Swap, !e.t.Coin.IsZero()),
	)
	for _, p := range e.o.Payouts {
		if p.Ticket != "" && p.Ticket != e.t.ID {
			continue
		}
		all = lines(all, t.say("back."+backID(p), args{
			"Why": c.why(p.Why), "Sum": f.crs(sumOf(p)), "Address": e.o.WentTo(p.ID).Short(), "Block": block(p.Mined), "Tx": string(p.TxID),
		}))
	}
	return all
}

// movedBack is what a transfer between our addresses sent back on its way.
func (f *Flows) movedBack(t *turn, to cirrus.Address, why string, m order.Transfer, arrived bool) Text {
	if m.Back <= 0 || m.TxID == "" {
		return nil
	}
	id := "back.sent"
	if arrived && m.Mined > 0 {
		id = "back.done"
	}
	return t.say(id, args{
		"Why": why, "Sum": f.crs(m.Back), "Address": to.Short(), "Block": block(m.Mined), "Tx": string(m.TxID),
	})
}

func backID(p order.Payout) string {
	switch p.State {
	case order.Done:
		return "done"
	case order.Built, order.Sent:
		return "sent"
	case order.Dust:
		return "dust"
	case order.AddressNeeded:
		return "address_needed"
	case order.PayoutDue:
	}
	return "due"
}

// known tells whether the seat's own address may be named: before money came there, nobody should take it for the one
// to pay to.
func (e entry) known() bool { return e.t.Coin.Amount > 0 }

func address(t *turn, e entry) Text {
	if !e.known() {
		return nil
	}
	return t.say(addressID(e), args{"Address": string(e.t.Address)})
}

// addressID is how the seat's own address is called.
func addressID(e entry) string {
	switch e.t.State {
	case order.Owned, order.Ended, order.Stray, order.Releasing:
		return "details.owner"
	case order.Held, order.Reserving, order.Unknown, order.Reserved:
		return "details.address"
	case order.Lost, order.Released, order.Exchanged, order.Dropped, order.Attention:
	}
	return "details.was"
}

// detailButtons copy what can be looked up elsewhere, and lead on.
func (f *Flows) detailButtons(t *turn, e entry, tip order.Tip) [][]Button {
	const most = 4 // transactions
	var copies []Button
	for _, tx := range transactions(e) {
		if len(copies) < most {
			copies = append(copies, t.copies("button.copy_tx", args{"Tx": tx.Short()}, string(tx)))
		}
	}
	var buttons [][]Button
	for i := 0; i < len(copies); i += 2 {
		buttons = append(buttons, copies[i:min(i+2, len(copies))])
	}
	if e.known() {
		buttons = append(buttons, []Button{t.copies("button.copy_address", nil, string(e.t.Address))})
	}
	if row := f.ownedButtons(t, e, tip); row != nil {
		buttons = append(buttons, row)
	}
	return append(buttons, []Button{
		t.button("button.back_tickets", nil, act(doTickets)), t.button("button.order_card", nil, act(doCard, string(e.o.ID))),
	})
}

// transactions lists those that the details name, in their order.
func transactions(e entry) (all []cirrus.TxID) {
	add := func(tx cirrus.TxID, named bool) {
		if named && tx != "" {
			all = append(all, tx)
		}
	}
	add(e.t.Reserve.TxID, true)
	add(e.t.Release.TxID, true)
	add(e.o.Move.TxID, e.o.Move.Back > 0)
	add(e.t.Swap.TxID, e.t.Swap.Back > 0)
	for _, p := range e.o.Payouts {
		add(p.TxID, p.Ticket == "" || p.Ticket == e.t.ID)
	}
	return all
}
