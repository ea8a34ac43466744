package order

import (
	"fmt"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
)

// Limits of the node's wallet (StratisFullNode, wallet and mempool policy).
const (
	// MinFee is the network fee of a transaction of up to 1 000 bytes.
	MinFee cirrus.Strats = 10_000
	// feePerByte is the network fee of larger ones.
	feePerByte cirrus.Strats = 10
	// Sendable is the least excess that is sent back by itself: what its own transaction and its output take.
	Sendable = MinFee + MinOutput
	// MinOutput is the smallest output that the mempool takes; anything below is dust.
	MinOutput cirrus.Strats = 5_460
)

// Payable is what a customer can be asked for where so much is missing: no wallet sends less than MinOutput. What is
// paid on top by that stays with the deposit. 0: nothing is missing.
func Payable(missing cirrus.Strats) cirrus.Strats {
	if missing <= 0 {
		return 0
	}
	return max(missing, MinOutput)
}

// Sizes of the parts of a plain transaction, in bytes, rounded up.
const (
	sizeFrame  = 12
	sizeInput  = 149
	sizeOutput = 34
)

// NetworkFee is the fee of a plain transaction with so many inputs and outputs.
func NetworkFee(inputs, outputs int) cirrus.Strats {
	size := cirrus.Strats(sizeFrame + sizeInput*inputs + sizeOutput*outputs)
	return max(MinFee, size*feePerByte)
}

// Safety margins, in blocks.
const (
	// RefundMargin: refunds are offered until so many blocks before the last one that the contract accepts.
	RefundMargin = 6
	// NoUndo: a refund is called at once, without the time to undo it, when so many blocks or fewer are left until the
	// last one that the contract accepts (RefundMargin included): the wait could cost the customer the refund.
	NoUndo = 10
	// SaleMargin: nothing new is sold when fewer blocks of the sale are left, for a payment needs some.
	SaleMargin = 20
	// ReserveMargin: no Reserve is called when fewer blocks are left: it would fail, and its gas be lost.
	ReserveMargin = 3
)

// LastToPay is the last tip with which a payment that comes then can still buy: its own block follows, and more than
// ReserveMargin must be left of the sale with that.
func (o Order) LastToPay() uint64 { return o.Show.EndOfSale - ReserveMargin - 2 }

// Price is what one seat costs a customer at first, line by line.
type Price struct {
	Seat    cirrus.Strats // the contract's price
	Deposit cirrus.Strats // two call budgets: to buy now, perhaps to give back later
	Back    cirrus.Strats // of the deposit, what typically comes back where the ticket is kept
	Fee     cirrus.Strats // service fee
}

// Due is the sum that is paid to the order's address.
func (p Price) Due() cirrus.Strats { return p.Seat + p.Deposit + p.Fee }

// MaxSeats is how many seats one order takes.
const MaxSeats = 8

// Total is what the seats of one order cost a customer at first.
type Total struct {
	Seats   []Price       // one a seat, in the order asked for
	Network cirrus.Strats // of splitting one payment to the seats; none for one seat
}

// Due is the sum that is paid to the order's address.
func (t Total) Due() cirrus.Strats {
	return t.add(Price.Due) + t.Network
}

// Price is what the contract takes for all seats.
func (t Total) Price() cirrus.Strats { return t.add(func(p Price) cirrus.Strats { return p.Seat }) }

// Deposit is all call budgets.
func (t Total) Deposit() cirrus.Strats {
	return t.add(func(p Price) cirrus.Strats { return p.Deposit })
}

// Back is what typically comes back of the deposit where all tickets are kept.
func (t Total) Back() cirrus.Strats { return t.add(func(p Price) cirrus.Strats { return p.Back }) }

// Fee is the service fee for all seats.
func (t Total) Fee() cirrus.Strats { return t.add(func(p Price) cirrus.Strats { return p.Fee }) }

func (t Total) add(part func(Price) cirrus.Strats) cirrus.Strats {
	var total cirrus.Strats
	for _, p := range t.Seats {
		total += part(p)
	}
	return total
}

// Quote gives the price of one seat of a sale. Errors: ErrNotAllowed where it cannot be sold by Usher, with the reason.
func Quote(sale Sale, seat cirrus.Seat, gas Gas, fee cirrus.Strats) (Price, error) {
	return quote(sale, seat, gas, fee, 0)
}

// QuoteAll gives the price of several seats in one order, each named once. Errors: ErrNotAllowed where they cannot be
// sold by Usher, with the reason; ErrSeatUnknown.
func QuoteAll(sale Sale, seats []cirrus.Seat, gas Gas, fee cirrus.Strats) (Total, error) {
	if len(seats) < 1 || len(seats) > MaxSeats {
		return Total{}, fmt.Errorf("%w: %d seats in one order", ErrNotAllowed, len(seats))
	}
	var total Total
	for i, seat := range seats {
		if slices.Contains(seats[:i], seat) {
			return Total{}, fmt.Errorf("%w: %s twice", ErrNotAllowed, seat)
		}
		price, err := quote(sale, seat, gas, fee, i)
		if err != nil {
			return Total{}, err
		}
		total.Seats = append(total.Seats, price)
	}
	if len(seats) > 1 {
		total.Network = NetworkFee(1, len(seats))
	}
	return total, nil
}

// quote is Quote for a seat that is bought after so many others: each sold seat makes the next one dearer in gas.
func quote(sale Sale, seat cirrus.Seat, gas Gas, fee cirrus.Strats, ahead int) (Price, error) {
	on, found := sale.Seat(seat)
	if !found {
		return Price{}, fmt.Errorf("%w: %s", ErrSeatUnknown, seat)
	}
	price, fits := cirrus.StratsOf(on.Price)
	if !fits || price <= 0 || price > maxPrice {
		return Price{}, fmt.Errorf("%w: price of %s", ErrNotAllowed, seat)
	}
	used := TypicalGas(len(sale.Seats), sale.Sold()+ahead)
	if used > gas.Limit {
		return Price{}, fmt.Errorf("%w: gas of %s: %d of %d", ErrNotAllowed, seat, used, gas.Limit)
	}
	budget := gas.Budget()
	p := Price{Seat: price, Deposit: 2 * budget, Fee: fee}
	p.Back = max(0, 2*budget-gas.Cost(used)-MinFee)
	return p, nil
}

// maxPrice keeps every sum within an int64: no honest seat costs a tenth of all CRS there can be.
const maxPrice = 10_000_000 * cirrus.CRS

// TypicalGas is about the gas that a Reserve or ReleaseTicket uses in a hall of so many seats: the whole array is
// stored again with each change (measured with the node's price list, see the contract vectors).
func TypicalGas(seats, sold int) uint64 {
	const base, perSeat, perSold = 11_000, 924, 630
	used := uint64(base + perSeat*seats + perSold*(sold+1))
	return used + used/50 + 1
}

// Seat finds a seat of the sale; of duplicate seats only the first can be bought.
func (s Sale) Seat(seat cirrus.Seat) (SeatOnSale, bool) {
	for _, on := range s.Seats {
		if on.Seat == seat {
			return on, true
		}
	}
	return SeatOnSale{}, false
}

// Sold counts the seats that have an owner.
func (s Sale) Sold() int {
	sold := 0
	for _, on := range s.Seats {
		if on.Owner != "" {
			sold++
		}
	}
	return sold
}

// left is what must lie at the ticket's address when all calls so far are settled and their returns are there: the
// coin and what the float gave, less gas, swallowed change and what else left; while the ticket is bought its price must be
// taken off. What a contract keeps of a lost one is off already.
func (t Ticket) left() cirrus.Strats {
	return t.Coin.Amount + t.Given - t.called() - t.Away - t.Kept
}

// called is what calls cost so far, the price aside.
func (t Ticket) called() cirrus.Strats {
	return t.Reserve.Spent + t.Reserve.Lost + t.Release.Spent + t.Release.Lost
}

// share is what a ticket needs of the payment: its price, two call budgets, the service fee.
func (o Order) share(t Ticket) cirrus.Strats { return t.Price + 2*o.Gas.Budget() + t.Fee }

// remains is what is left of a bought ticket's deposit; what lies at its address beyond that is excess.
func (o Order) remains(t Ticket) cirrus.Strats {
	return min(t.Coin.Amount, o.share(t)) + t.Given - t.Price - t.called() - t.Fees
}

// LeastRefund is the least that arrives at the customer's address when the ticket is given back now: what the
// contract pays, and what lies at the ticket's address, less a whole call budget and the network fee.
func LeastRefund(o Order, t Ticket) cirrus.Strats {
	least := min(t.left()-t.Price, o.remains(t)) + o.Terms.Refund(t.Price) - o.Gas.Budget() - NetworkFee(3, 1)
	if o.needsJoin(t) {
		least -= NetworkFee(3, 1)
	}
	return max(0, least)
}

// needsJoin tells whether giving the ticket back takes a joining of coins first: the change of its purchase is not
// enough for the call, and nothing was joined yet.
func (o Order) needsJoin(t Ticket) bool {
	change := cirrus.Coin{Amount: t.Coin.Amount - t.Price - o.Gas.Budget(), Confirmations: 1}
	return t.Away == 0 && !usable(change, o.Gas.Budget())
}

// RefundUntil is the last block in which a refund is offered; ok is false where none is.
func RefundUntil(o Order) (height uint64, ok bool) {
	last, ok := o.Terms.LastRelease(o.Show.EndOfSale)
	if !ok || last < RefundMargin {
		return 0, false
	}
	return last - RefundMargin, true
}

// CanGiveBack gives the last block in which the ticket can be given back. Errors: ErrNotAllowed where its state
// doesn't take that, ErrReleaseOver where it is too late.
func CanGiveBack(o Order, t Ticket, tip Tip) (until uint64, err error) {
	until, ok := RefundUntil(o)
	if !ok || tip.Height > until {
		return until, fmt.Errorf("refund of %s: %w", t.Seat, ErrReleaseOver)
	}
	if t.State != Owned {
		return until, fmt.Errorf("refund of %s while %s: %w", t.Seat, t.State, ErrNotAllowed)
	}
	return until, nil
}

// When estimates the time of a block from the tip: blocks come about every 16 s.
func (t Tip) When(height uint64) (about int64) {
	return t.Time.Unix() + (int64(height)-int64(t.Height))*int64(cirrus.BlockTime.Seconds()) // #nosec G115 -- heights are small
}
