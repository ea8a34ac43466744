package memory

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// Sample is an order of a customer, as it may be found one day, for people and tests that look at its card.
type Sample struct {
	Name   string // short, in lower case, fit for the name of a file
	Says   string // what is the matter with the order, in one line
	Order  order.Order
	Around flows.Around
}

// Samples are orders of one customer, at least one for each card that there is. Names are unique. All are looked at in
// the moment now.
func Samples(now time.Time) []Sample {
	s := &sampler{now: now, sale: SampleSale(now, sampleRows, sampleColumns)}
	s.paying()
	s.buying()
	s.having()
	s.givingBack()
	s.losing()
	s.exchanging()
	s.moneyBack()
	s.ending()
	s.several()
	s.straying()
	s.extremes()
	return s.all
}

const (
	sampleRows, sampleColumns = 5, 6
	sampleHeight              = 4_812_330
	sampleSeat                = 90 * cirrus.CRS
	sampleFee                 = 4 * cirrus.CRS
)

// SampleTip is the newest block in the moment now.
func SampleTip(now time.Time) order.Tip {
	return order.Tip{
		Height: sampleHeight, Hash: string(sampleTx("tip")), Time: now, Seen: now, Healthy: true, Network: cirrus.MainNet.Name,
	}
}

// SampleSale is a hall of so many rows and columns three days before its show. Prices rise to the front in three steps.
func SampleSale(now time.Time, rows, columns int) order.Sale {
	show := &cirrus.Show{
		Contract: SampleAddress("hall"), Venue: "Tidewater Rooms", Name: "Songs for a Late Ferry", Organiser: "Lantern Lane Players",
		Time: now.Add(75 * time.Hour).Truncate(time.Hour), EndOfSale: sampleHeight + 16_000, Block: sampleHeight - 20_000,
		TxID: sampleTx(fmt.Sprint("show", rows, columns)),
	}
	sale := order.Sale{
		Contract: show.Contract, Venue: show.Venue, Show: show, Height: sampleHeight,
		Terms: cirrus.Terms{ReleaseFee: uint64(sampleFee), NoReleaseBlocks: 900},
	}
	for row := range rows {
		const step = 45 * cirrus.CRS
		price := sampleSeat + step*cirrus.Strats((rows-1-row)*3/rows)
		for column := range columns {
			seat := cirrus.Seat{Number: int32(row + 1), Letter: 'A' + cirrus.Char(column)} // #nosec G115 -- halls are small
			sale.Seats = append(sale.Seats, order.SeatOnSale{Seat: seat, Price: uint64(price)})
		}
	}
	return sale
}

// sampleTx is a transaction id that is the same for the same text.
func sampleTx(text string) cirrus.TxID {
	sum := sha256.Sum256([]byte("transaction " + text))
	return cirrus.TxID(hex.EncodeToString(sum[:]))
}

// SampleAddress is an address that is the same for the same text.
func SampleAddress(text string) cirrus.Address {
	sum := sha256.Sum256([]byte("address " + text))
	return cirrus.MainNet.Address(cirrus.Hash(sum[:20]))
}

// sampler makes samples, one after another.
type sampler struct {
	now  time.Time
	sale order.Sale
	all  []Sample
}

// change makes an order another one.
type change func(*order.Order)

// add makes a sample of an order for so many seats that was just made, and changes it.
func (s *sampler) add(name, says string, seats int, changes ...change) {
	o := s.order(name, seats)
	for _, do := range changes {
		do(&o)
	}
	around := flows.Around{Tip: SampleTip(s.now), Chat: flows.ChatOpen, Courier: "QuayTickets"}
	s.all = append(s.all, Sample{Name: name, Says: says, Order: o, Around: around})
}

// last is the around of the newest sample.
func (s *sampler) last() *flows.Around { return &s.all[len(s.all)-1].Around }

// order is one that waits for its payment, a minute old.
func (s *sampler) order(name string, seats int) order.Order {
	o := order.Order{
		Format: order.Format, ID: "m4tz7q", Version: 3, Customer: 1, Language: "en", State: order.AwaitingPayment,
		Since: s.now.Add(-time.Minute), Created: s.now.Add(-time.Minute), ShowFrom: s.now.Add(-50 * time.Second),
		Show: *s.sale.Show, Terms: s.sale.Terms, Address: SampleAddress(name), Hold: s.now.Add(14*time.Minute + 30*time.Second),
		Gas: order.Gas{Limit: 100_000, Price: 100}, Private: order.Private{Refund: SampleAddress("refund")},
	}
	for i := range seats {
		on := s.sale.Seats[13+i]
		price, _ := cirrus.StratsOf(on.Price)
		o.Tickets = append(o.Tickets, order.Ticket{
			ID: fmt.Sprintf("t%d", i+1), Seat: on.Seat, Price: price, State: order.Held, Since: o.Since,
			Address: SampleAddress(name + fmt.Sprint(i)),
		})
	}
	if seats == 1 {
		o.Tickets[0].Address = o.Address
	}
	o.Due = sampleDue(o)
	return o
}

// sampleDue is what an order costs: its seats, two call budgets and the service fee each, and of several the network
// fee of the split.
func sampleDue(o order.Order) cirrus.Strats {
	var due cirrus.Strats
	for _, t := range o.Tickets {
		due += t.Price + t.Fee + 2*o.Gas.Budget()
	}
	if n := len(o.Tickets); n > 1 {
		due += order.NetworkFee(1, n)
	}
	return due
}

// in sets the state of an order.
func in(state order.State) change { return func(o *order.Order) { o.State = state } }

// came is payments that were seen, each a coin of its own.
func came(sums ...cirrus.Strats) change {
	return func(o *order.Order) {
		o.Coins = nil
		for i, sum := range sums {
			o.Coins = append(o.Coins, cirrus.Coin{
				Outpoint: cirrus.Outpoint{TxID: sampleTx(fmt.Sprint("payment", i))}, Address: o.Address, Amount: sum, Confirmations: 1,
			})
		}
	}
}

// allCame is the whole payment, with so much on top.
func allCame(more cirrus.Strats) change {
	return func(o *order.Order) { came(o.Due + more)(o) }
}

// filled is an order whose money went to its tickets, which all are in a state.
func filled(state order.TicketState) change {
	return func(o *order.Order) {
		o.State = order.Filled
		if len(o.Tickets) > 1 {
			o.Move = order.Transfer{TxID: sampleTx("split"), Fee: order.NetworkFee(1, len(o.Tickets)), Sent: true, Mined: sampleHeight - 5}
		}
		for i := range o.Tickets {
			fill(o, &o.Tickets[i], state)
		}
	}
}

// fill puts a ticket into a state, with what must have happened before.
func fill(o *order.Order, t *order.Ticket, state order.TicketState) {
	const used, block = 41_306, sampleHeight - 3
	t.State, t.Reason = state, ""
	t.Coin = cirrus.Coin{
		Outpoint: cirrus.Outpoint{TxID: sampleTx("coin" + t.ID)}, Address: t.Address, Amount: t.Price + t.Fee + 2*o.Gas.Budget(), Confirmations: 4,
	}
	t.Reserve, t.Release, t.Delivery, t.Owned = order.Call{}, order.Call{}, order.Delivery{}, 0
	switch state {
	case order.Held, order.Dropped:
		return
	case order.Reserving, order.Unknown:
		t.Reserve = order.Call{Attempt: 1, Coin: t.Coin}
		return
	}
	t.Reserve = order.Call{Attempt: 1, Coin: t.Coin, TxID: sampleTx("reserve" + t.ID), Block: block, GasUsed: used, Spent: o.Gas.Cost(used)}
	switch state {
	case order.Owned, order.Ended, order.Releasing, order.Released:
		t.Reserve.Success, t.Owned = true, block
		t.Delivery = order.Delivery{State: order.DeliverySeen, Count: 1}
	}
	if state == order.Released {
		t.Release = order.Call{
			Attempt: 1, TxID: sampleTx("release" + t.ID), Block: block + 2, Success: true, GasUsed: used, Spent: o.Gas.Cost(used),
		}
	}
}

// ticket changes one ticket, counted from 0.
func ticket(i int, do func(o *order.Order, t *order.Ticket)) change {
	return func(o *order.Order) { do(o, &o.Tickets[i]) }
}

// became puts one ticket into a state of its own, for a reason.
func became(i int, state order.TicketState, why order.Reason) change {
	return ticket(i, func(o *order.Order, t *order.Ticket) {
		fill(o, t, state)
		t.Reason = why
	})
}

// delivered says how far the picture of a ticket got.
func delivered(i int, state order.DeliveryState) change {
	return ticket(i, func(_ *order.Order, t *order.Ticket) { t.Delivery.State = state })
}

// paysOrder is money that goes back from the order's own address.
func paysOrder(state order.PayoutState, why order.Why, sum cirrus.Strats) change {
	return func(o *order.Order) { addPayout(o, order.Payout{State: state, Why: why, Expect: sum, From: o.Address}) }
}

// pays is money that goes back from a ticket's address.
func pays(i int, state order.PayoutState, why order.Why, sum cirrus.Strats) change {
	return ticket(i, func(o *order.Order, t *order.Ticket) {
		addPayout(o, order.Payout{Ticket: t.ID, State: state, Why: why, Expect: sum, From: t.Address})
	})
}

// paysAll gives back what lies at a ticket's address: everything but gas, or what the contract pays and the deposit.
func paysAll(i int, state order.PayoutState, why order.Why) change {
	return ticket(i, func(o *order.Order, t *order.Ticket) {
		sum := t.Coin.Amount - t.Reserve.Spent - t.Release.Spent
		switch t.State {
		case order.Released:
			sum += o.Terms.Refund(t.Price) - t.Price
		case order.Owned, order.Ended:
			sum -= t.Price
		}
		addPayout(o, order.Payout{Ticket: t.ID, State: state, Why: why, Expect: sum, From: t.Address})
	})
}

func addPayout(o *order.Order, p order.Payout) {
	p.ID = fmt.Sprintf("p%d", len(o.Payouts)+1)
	switch p.State {
	case order.Built, order.Sent, order.Done:
		p.Fee, p.TxID = order.MinFee, sampleTx("payout"+p.ID)
		p.Amount = p.Expect - p.Fee
	case order.Dust:
		p.Dust = p.Expect
	case order.AddressNeeded:
		p.Amount = p.Expect
	}
	o.Payouts = append(o.Payouts, p)
}
