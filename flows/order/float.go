package order

import "github.com/usherbot/usher/chain/cirrus"

// worstBlocks is how long it may take from the call to buy until a seat without its secret is given back: a call without
// an answer is looked for so long, and its giving back waits for its own.
const worstBlocks = 2 * maxUnknown

// WorstLoss is the most that an order may still cost the float. derived tells that secrets follow from the calls, so that
// none can be lost with an answer.
func WorstLoss(o Order, tip Tip, derived bool) cirrus.Strats {
	var worst cirrus.Strats
	for _, t := range o.Tickets {
		state := t.State
		if state == Attention {
			state = t.Before
		}
		switch {
		case o.State == Void, o.State == Cancelled, o.State == Expired && len(o.Payouts) > 0:
		case state == Owned, state == Releasing && !t.Stray:
			worst += o.Gas.Budget() + MinFee // what giving back lacks, or its gas where it comes too late
		case state == Stray, state == Releasing:
			worst += seatLoss(o, t, tip)
		case !state.Final() && derived:
			worst += o.Gas.Budget() + MinFee
		case !state.Final():
			worst += seatLoss(o, t, tip)
		}
	}
	return worst
}

// seatLoss is what a seat costs that is ours without its secret: what the contract keeps, the gas of two calls, and
// network fees.
func seatLoss(o Order, t Ticket, tip Tip) cirrus.Strats {
	kept := t.Price
	if last, ok := o.Terms.LastRelease(o.Show.EndOfSale); ok && tip.Height+worstBlocks <= last {
		kept -= o.Terms.Refund(t.Price)
	}
	return kept + 2*o.Gas.Budget() + 3*MinFee
}

// SeatLoss is the most that one more seat of a sale may cost the float.
func SeatLoss(sale Sale, gas Gas, tip Tip, derived bool) cirrus.Strats {
	var most cirrus.Strats
	if sale.Show == nil {
		return 0
	}
	o := Order{State: AwaitingPayment, Show: *sale.Show, Terms: sale.Terms, Gas: gas}
	for _, on := range sale.Seats {
		price, fits := cirrus.StratsOf(on.Price)
		if !fits || on.Owner != "" {
			continue
		}
		o.Tickets = []Ticket{{Price: price, State: Held}}
		most = max(most, WorstLoss(o, tip, derived))
	}
	return most
}

// How the float is kept: so many coins, each of at least so much, so that one order's share of it is small.
const (
	floatCoins                   = 20
	floatPart      cirrus.Strats = 10 * cirrus.CRS
	maxFloatParts                = 24 // unconfirmed transactions of one origin that a mempool takes
	floatRemainder               = 2 * floatPart
)

// FanOut says which coin of the float should be divided into how many, and what each gets; parts is 0 where none should.
// coins are those that no order has claimed; used tells of addresses that were divided before: what comes there once
// more goes to fresh ones, for an address serves one order only. The first part gets what does not divide.
func FanOut(coins []cirrus.Coin, used func(cirrus.Address) bool) (coin cirrus.Coin, parts []cirrus.Strats, fee cirrus.Strats) {
	ready := 0
	for _, c := range coins {
		if !used(c.Address) {
			ready++
		}
	}
	for _, c := range coins {
		deep, again := c.Confirmations > 0, used(c.Address)
		if deep && (again && c.Amount >= MinFee+MinOutput || !again && ready < floatCoins && c.Amount >= floatRemainder) && c.Amount > coin.Amount {
			coin = c
		}
	}
	if coin.IsZero() {
		return cirrus.Coin{}, nil, 0
	}
	n := max(1, min(int(coin.Amount/floatPart), maxFloatParts, floatCoins-ready+1))
	fee = NetworkFee(1, n)
	each := (coin.Amount - fee) / cirrus.Strats(n)
	for range n {
		parts = append(parts, each)
	}
	parts[0] += coin.Amount - fee - each*cirrus.Strats(n)
	return coin, parts, fee
}
