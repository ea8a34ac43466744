package order

import (
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
)

// Limits of the node's wallet (StratisFullNode, wallet and mempool policy).
const (
	// MinFee is the network fee of a transaction of up to 1 000 bytes.
	MinFee cirrus.Strats = 10_000
	// feePerByte is the network fee of larger ones.
	feePerByte cirrus.Strats = 10
	// MinOutput is the smallest output that the mempool takes; anything below is dust.
	MinOutput cirrus.Strats = 5_460
)

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
	// SaleMargin: nothing new is sold when fewer blocks of the sale are left, for a payment needs some.
	SaleMargin = 20
	// ReserveMargin: no Reserve is called when fewer blocks are left: it would fail, and its gas be lost.
	ReserveMargin = 3
)

// Price is what one seat costs a customer at first, line by line.
type Price struct {
	Seat    cirrus.Strats // the contract's price
	Deposit cirrus.Strats // two call budgets: to buy now, perhaps to give back later
	Back    cirrus.Strats // of the deposit, what typically comes back where the ticket is kept
	Fee     cirrus.Strats // service fee
}

// Due is the sum that is paid to the order's address.
func (p Price) Due() cirrus.Strats { return p.Seat + p.Deposit + p.Fee }

// Quote gives the price of one seat of a sale. Errors: ErrNotAllowed where it cannot be sold by Usher, with the reason.
func Quote(sale Sale, seat cirrus.Seat, gas Gas, fee cirrus.Strats) (Price, error) {
	on, found := sale.Seat(seat)
	if !found {
		return Price{}, fmt.Errorf("%w: %s", ErrSeatUnknown, seat)
	}
	price, fits := cirrus.StratsOf(on.Price)
	if !fits || price <= 0 || price > maxPrice {
		return Price{}, fmt.Errorf("%w: price of %s", ErrNotAllowed, seat)
	}
	used := TypicalGas(len(sale.Seats), sale.Sold())
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
// coin, less the price while the ticket is bought, less gas and swallowed change.
func (t Ticket) left() cirrus.Strats {
	return t.Coin.Amount - t.Reserve.Spent - t.Reserve.Lost - t.Release.Spent - t.Release.Lost
}

// LeastRefund is the least that arrives at the customer's address when the ticket is given back now: what the
// contract pays, and what lies at the ticket's address, less a whole call budget and the network fee.
func LeastRefund(o Order, t Ticket) cirrus.Strats {
	least := t.left() - t.Price + o.Terms.Refund(t.Price) - o.Gas.Budget() - NetworkFee(3, 1)
	return max(0, least)
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
