package memory

import (
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// paying are orders that wait for money, or have just seen it.
func (s *sampler) paying() {
	const some = 60 * cirrus.CRS
	over := func(o *order.Order) { o.Hold = s.now.Add(-20 * time.Second) }
	s.add("preparing", "just ordered, the address is made ready", 1, func(o *order.Order) { o.ShowFrom = s.now.Add(8 * time.Second) })
	s.add("awaiting", "waits for the payment", 1)
	s.add("awaiting-fee", "waits for the payment, a service fee among it", 1, withFee)
	s.add("awaiting-three", "three seats wait for one payment", 3)
	s.add("awaiting-each", "one of three seats that are paid one by one", 1, func(o *order.Order) { o.Batch = "b6kq1" })
	s.last().Nr, s.last().Of = 2, 3
	s.add("awaiting-sale-ends", "waits for the payment, and the sale ends before the time to pay does", 1,
		func(o *order.Order) { o.Show.EndOfSale = sampleHeight + 24 })
	s.add("awaiting-sale-over", "the sale ended before the payment was seen", 1,
		func(o *order.Order) { o.Show.EndOfSale = sampleHeight })
	s.add("awaiting-over", "the time to pay has just run out", 1, over)
	s.add("part-paid", "less came than was due", 1, in(order.PartPaid), came(some))
	s.add("part-paid-twice", "less came than was due, in two payments", 2, in(order.PartPaid), came(some, some))
	s.add("part-paid-late", "less came than was due, and the seat is free for others", 1, in(order.Expired), over, came(some))
	s.add("paying", "the payment is seen, not yet in a block", 1, in(order.Paying), allCame(0))
	s.add("paying-more", "the payment is seen, and more than was due", 1, in(order.Paying), allCame(5*cirrus.CRS))
	s.add("paying-little-more", "more than was due came, too little to send back", 1, in(order.Paying), allCame(900))
	s.add("paid", "paid", 1, in(order.Paid), allCame(0))
	s.add("joining", "paid in several parts, which are made one", 1, in(order.Joining), allCame(0))
	s.add("splitting", "one payment is divided among three seats", 3, in(order.Splitting), allCame(0))
	s.add("late", "paid after the time, and bought all the same", 1, filled(order.Reserved), late)
	s.add("late-some", "paid after the time; two of three seats were still there", 3, filled(order.Reserved), late,
		became(1, order.Lost, order.ReasonSeatTaken), s.choice(1))
}

func late(o *order.Order) { o.Late = true }

func withFee(o *order.Order) {
	o.Tickets[0].Fee = 2 * cirrus.CRS
	o.Due = sampleDue(*o)
}

// buying are orders whose seat is being bought.
func (s *sampler) buying() {
	s.add("buying", "the seat is being bought", 1, filled(order.Reserving))
	s.add("unsure", "the answer to the purchase got lost", 1, filled(order.Unknown))
	s.add("reserved", "the purchase waits for its block", 1, filled(order.Reserved))
}

// having are orders whose ticket is the customer's.
func (s *sampler) having() {
	gone := func(o *order.Order) { o.Terms.NoReleaseBlocks = 1 << 40 }
	s.add("handing-over", "bought, the ticket is on its way to the secret chat", 1, filled(order.Owned), delivered(0, order.DeliveryWaiting))
	s.add("no-chat", "bought, and no secret chat to hand the ticket over", 1, filled(order.Owned), delivered(0, order.DeliveryWaiting))
	s.last().Chat = flows.ChatNone
	s.add("sent", "the ticket was sent, the phone is offline", 1, filled(order.Owned), delivered(0, order.DeliverySent))
	s.add("arrived", "the ticket is on the phone", 1, filled(order.Owned))
	s.add("extra-back", "the ticket is on the phone, and what was paid on top came back", 1,
		filled(order.Owned), pays(0, order.Done, order.WhyExtra, 5*cirrus.CRS))
	s.add("no-refund", "the ticket is on the phone and can't be given back", 1, filled(order.Owned), gone)
	s.add("refund-too-late", "giving it back came too late", 1, filled(order.Owned), gone,
		ticket(0, func(_ *order.Order, t *order.Ticket) { t.Reason = order.ReasonWindowOver }))
	s.add("kept", "refunds are over, the deposit is on its way back", 1, filled(order.Ended), paysAll(0, order.Sent, order.WhyDeposit))
	s.add("past", "the show is over", 1, filled(order.Ended), paysAll(0, order.Done, order.WhyDeposit),
		func(o *order.Order) { o.Show.Time = s.now.Add(-16 * time.Hour) })
}

// givingBack are orders whose ticket goes back.
func (s *sampler) givingBack() {
	s.add("undo", "giving it back can still be undone", 1, filled(order.Releasing),
		ticket(0, func(_ *order.Order, t *order.Ticket) { t.Undo = s.now.Add(9 * time.Second) }))
	s.add("giving-back", "the ticket is being given back", 1, filled(order.Releasing))
	s.add("giving-back-sent", "giving it back waits for its block", 1, filled(order.Releasing),
		ticket(0, func(_ *order.Order, t *order.Ticket) { t.Release.TxID = sampleTx("release") }))
	s.add("released", "given back, the money comes with the next block", 1, filled(order.Released), paysAll(0, order.PayoutDue, order.WhyReleased))
	s.add("released-sent", "given back, the money is on its way", 1, filled(order.Released), paysAll(0, order.Sent, order.WhyReleased))
	s.add("released-arrived", "given back, the money has arrived", 1, filled(order.Released), paysAll(0, order.Done, order.WhyReleased))
}

// choice lets another seat be chosen in place of one ticket.
func (s *sampler) choice(i int) change {
	return ticket(i, func(_ *order.Order, t *order.Ticket) { t.Choice = s.now.Add(29*time.Minute + 30*time.Second) })
}

// losing are orders whose seat could not be had.
func (s *sampler) losing() {
	lost := func(why order.Reason) change { return became(0, order.Lost, why) }
	s.add("lost-choice", "somebody was faster; another seat, or the money", 1, filled(order.Lost), lost(order.ReasonSeatTaken), s.choice(0))
	s.add("lost-refused", "the contract refused; another seat, or the money", 1, filled(order.Lost), lost(order.ReasonCallFailed), s.choice(0))
	s.add("lost-late-choice", "paid after the time and the seat is gone; another seat, or the money", 1,
		filled(order.Lost), lost(order.ReasonSeatTaken), s.choice(0), late, untried)
	s.add("lost-due", "the sale had ended, the money goes back", 1, filled(order.Lost), lost(order.ReasonSaleClosed), untried,
		paysAll(0, order.PayoutDue, order.WhyLost))
	s.add("lost-sent", "somebody was faster, the money is on its way", 1, filled(order.Lost), lost(order.ReasonSeatTaken),
		paysAll(0, order.Sent, order.WhyLost))
	s.add("lost-back", "somebody was faster, the money has arrived", 1, filled(order.Lost), lost(order.ReasonSeatTaken),
		paysAll(0, order.Done, order.WhyLost))
}

// untried is a seat that nobody tried to buy.
func untried(o *order.Order) { o.Tickets[0].Reserve = order.Call{} }

// exchanging are orders in which another seat takes the place of a lost one.
func (s *sampler) exchanging() {
	const dearer = 45 * cirrus.CRS
	add := func(name, says string, more ...change) {
		s.add(name, says, 1, append([]change{filled(order.Lost), became(0, order.Lost, order.ReasonSeatTaken)}, more...)...)
	}
	gone := ticket(0, func(_ *order.Order, t *order.Ticket) { t.State = order.Exchanged })
	saw := func(sum cirrus.Strats) change {
		return ticket(1, func(_ *order.Order, t *order.Ticket) { t.Seen = sum })
	}
	add("exchange-soon", "the address for the difference is made ready", s.choice(0), s.other(order.Held, dearer),
		ticket(1, func(_ *order.Order, t *order.Ticket) { t.Since = s.now }))
	add("exchange-pay", "another, dearer seat waits for the difference", s.choice(0), s.other(order.Held, dearer))
	add("exchange-part", "less than the difference came", s.choice(0), s.other(order.Held, dearer), saw(20*cirrus.CRS))
	add("exchange-seen", "the difference is seen, not yet in a block", s.choice(0), s.other(order.Held, dearer), saw(dearer))
	add("exchange-unpaid", "the difference was not paid in time; the choice is open again", s.choice(0), s.other(order.Dropped, dearer))
	add("exchange-moving", "the money is brought over to another seat", s.choice(0), s.other(order.Held, 0))
	add("exchange-buying", "the other seat is being bought", gone, s.other(order.Reserving, 0))
	add("exchanged", "the other seat is the customer's", gone, s.other(order.Owned, 0))
	add("exchanged-cheaper", "the other seat is the customer's, and the difference came back", gone, s.other(order.Owned, -dearer))
}

// other is a ticket in the place of the first one, for so much more, or less.
func (s *sampler) other(state order.TicketState, more cirrus.Strats) change {
	return func(o *order.Order) {
		lost := o.Tickets[0]
		t := order.Ticket{
			ID: "t9", Seat: s.sale.Seats[8].Seat, Price: lost.Price + more, Since: s.now.Add(-time.Minute), Address: SampleAddress("other"),
			Was: lost.ID, Due: max(0, more), Until: s.now.Add(13*time.Minute + 30*time.Second),
		}
		if state != order.Dropped && t.Due == 0 {
			t.Swap = order.Transfer{TxID: sampleTx("swap"), Fee: order.NetworkFee(2, 2), Back: max(0, -more), Sent: true}
		}
		if state != order.Held && state != order.Dropped {
			fill(o, &t, state)
			t.Swap.Mined = sampleHeight - 4
		}
		t.State = state
		o.Tickets = append(o.Tickets, t)
	}
}

// moneyBack are orders whose money can't go where it should.
func (s *sampler) moneyBack() {
	s.add("address-needed", "the refund address can't be paid any more", 1, filled(order.Released), paysAll(0, order.AddressNeeded, order.WhyReleased))
	s.add("dust", "what is left is too little to send", 1, filled(order.Ended), pays(0, order.Dust, order.WhyDeposit, 12_400))
}

// ending are orders that ended without a ticket, or need somebody.
func (s *sampler) ending() {
	s.add("expired", "not paid in time", 1, in(order.Expired))
	s.add("expired-part-back", "not paid in full, and the part came back", 1, in(order.Expired),
		paysOrder(order.Done, order.WhyLate, 60*cirrus.CRS))
	s.add("expired-late-back", "a late payment goes back", 1, in(order.Expired), paysOrder(order.Sent, order.WhyLate, 13_520_000_000))
	s.add("cancelled", "cancelled by the customer", 1, in(order.Cancelled))
	s.add("cancelled-part", "cancelled, and what had come goes back", 1, in(order.Cancelled), came(60*cirrus.CRS))
	s.add("cancelled-back", "paid after cancelling, and the money came back", 1, in(order.Cancelled),
		paysOrder(order.Done, order.WhyCancelled, 13_520_000_000))
	s.add("void", "the payment was undone on the chain", 1, in(order.Void))
	s.add("attention", "a person must look after it", 1, filled(order.Attention), became(0, order.Attention, order.ReasonNoSecret))
	s.add("newer", "written by a newer version of the program", 1, in("of a newer version"))
}

// straying are orders whose answers with a ticket were lost.
func (s *sampler) straying() {
	s.add("stray", "the answer with the ticket was lost; the seat is given back at the operator's cost", 1, filled(order.Releasing),
		strayed(0, order.Releasing, order.AidSent))
	s.add("stray-choose", "the same; another seat, or all of the money", 1, filled(order.Lost), strayed(0, order.Lost, order.AidGiven), s.choice(0))
	s.add("stray-back", "the same; all of the money goes back", 1, filled(order.Lost), strayed(0, order.Lost, order.AidGiven),
		paysAll(0, order.Sent, order.WhyLost))
	s.add("three-stray", "the same with three seats", 3, filled(order.Releasing), strayed(0, order.Releasing, order.AidWanted),
		strayed(1, order.Releasing, order.AidClaimed), strayed(2, order.Stray, order.AidBuilt))
}

// strayed has a ticket without its secret, for which the float gives.
func strayed(i int, state order.TicketState, aid order.AidState) change {
	return func(o *order.Order) {
		became(i, state, order.ReasonNoSecret)(o)
		t := &o.Tickets[i]
		t.Stray = true
		o.Aids = append(o.Aids, order.Aid{
			ID: "a" + t.ID, Ticket: t.ID, State: aid, Since: t.Since, Why: order.AidStray, Amount: 5 * cirrus.CRS, Block: sampleHeight,
		})
	}
}

// several are orders of more than one seat.
func (s *sampler) several() {
	s.add("three-buying", "three seats are being bought", 3, filled(order.Reserving), became(0, order.Reserved, ""))
	s.add("three", "three tickets are on the phone", 3, filled(order.Owned))
	s.add("three-no-chat", "three tickets wait for a secret chat", 3, filled(order.Owned),
		delivered(0, order.DeliveryWaiting), delivered(1, order.DeliveryWaiting), delivered(2, order.DeliveryWaiting))
	s.last().Chat = flows.ChatNone
	s.add("three-one-back", "one of three was given back", 3, filled(order.Owned), became(1, order.Released, ""), paysAll(1, order.Done, order.WhyReleased))
	s.add("three-one-undo", "giving one of three back can still be undone", 3, filled(order.Owned), became(1, order.Releasing, ""),
		ticket(1, func(_ *order.Order, t *order.Ticket) { t.Undo = s.now.Add(9 * time.Second) }))
	s.add("three-one-lost", "one of three was lost; another seat, or the money", 3, filled(order.Owned), became(2, order.Lost, order.ReasonSeatTaken),
		s.choice(2))
	s.add("three-one-other", "in place of one of three another seat waits for the difference", 3, filled(order.Owned),
		became(0, order.Lost, order.ReasonSeatTaken), s.choice(0), s.other(order.Held, 45*cirrus.CRS))
	s.add("three-mixed", "three seats, each in another state", 3, filled(order.Owned), became(1, order.Unknown, ""),
		became(2, order.Lost, order.ReasonCallFailed), paysAll(2, order.Sent, order.WhyLost))
	s.add("three-person", "one of three needs a person", 3, filled(order.Owned), became(0, order.Attention, order.ReasonBadSecret))
	s.add("eight", "as many tickets as one order takes", order.MaxSeats, filled(order.Owned))
	s.add("eight-mixed", "eight seats in several states", order.MaxSeats, filled(order.Owned),
		became(1, order.Lost, order.ReasonSeatTaken), paysAll(1, order.Done, order.WhyLost), became(4, order.Released, ""),
		paysAll(4, order.Sent, order.WhyReleased), became(6, order.Attention, order.ReasonNoSecret), delivered(7, order.DeliverySent))
}

// extremes are orders with the longest words and sums that can be.
func (s *sampler) extremes() {
	long := func(o *order.Order) {
		o.Show.Name = strings.Repeat("Donaudampfschifffahrtsgesellschaftskapitänsball ", 4)
		o.Show.Venue = strings.Repeat("Großmarkthallen ", 8)
		for i := range o.Tickets {
			o.Tickets[i].Seat.Number += 1_200
			o.Tickets[i].Price = 98_765_43210987
		}
		o.Due = sampleDue(*o)
	}
	s.add("long-words", "the longest names and sums, waiting for the payment", 1, long)
	s.add("long-words-eight", "the longest names and sums, for eight seats in several states", order.MaxSeats, long, filled(order.Owned),
		became(2, order.Released, ""), paysAll(2, order.Done, order.WhyReleased), became(5, order.Lost, order.ReasonCallFailed),
		paysAll(5, order.Sent, order.WhyLost), became(7, order.Attention, order.ReasonNoSecret))
}
