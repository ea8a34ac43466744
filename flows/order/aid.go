package order

import (
	"cmp"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// Aid is money on its way from the operator's float to the address of a ticket.
type Aid struct {
	ID     string           `json:"id"`
	Ticket string           `json:"ticket"`
	State  AidState         `json:"state"`
	Since  time.Time        `json:"since,omitzero"`
	Why    AidWhy           `json:"why"`
	Amount cirrus.Strats    `json:"amount"`          // what the ticket's address gets
	From   []cirrus.Address `json:"from,omitzero"`   // of the float: claimed for the order, or about to be
	Coins  []cirrus.Coin    `json:"coins,omitzero"`  // the inputs, once built
	Change cirrus.Strats    `json:"change,omitzero"` // goes back to From[0], which serves no other order
	Fee    cirrus.Strats    `json:"fee,omitzero"`    // network fee, paid by the float too
	Hex    string           `json:"hex,omitzero"`
	TxID   cirrus.TxID      `json:"txId,omitzero"`
	Coin   cirrus.Outpoint  `json:"coin,omitzero"`  // where it came to lie at the ticket's address
	Block  uint64           `json:"block,omitzero"` // the tip when it was wanted or last sent
	Mined  uint64           `json:"mined,omitzero"` // the tip when it was seen to have come
	Tries  int              `json:"tries,omitzero"`
	Again  time.Time        `json:"again,omitzero"`
	Short  bool             `json:"short,omitzero"` // the float had too little when it was last looked at
	Told   bool             `json:"told,omitzero"`  // short: the operator was told, where no ticket in attention tells it
}

// AidWhy says what an aid is for.
type AidWhy string

// The reasons for an aid.
const (
	AidStray AidWhy = "stray" // what giving back a seat without its secret cost, or its price where it cannot be given back
	AidTopUp AidWhy = "topup" // what giving a ticket back takes, where too little is left at its address
	AidLate  AidWhy = "late"  // the gas of a giving back that came too late
)

// Final tells whether nothing happens any more by itself with this aid.
func (s AidState) Final() bool { return s == AidGiven }

// begun tells whether its transaction was built: it may be out.
func (a Aid) begun() bool { return a.TxID != "" }

func (a *Aid) move(to AidState, now time.Time) { a.State, a.Since = to, now }

// aiding finds the aid of a ticket that is on its way, nil where there is none.
func (o *Order) aiding(ticket string) *Aid {
	for i := range o.Aids {
		if a := &o.Aids[i]; a.Ticket == ticket && !a.State.Final() {
			return a
		}
	}
	return nil
}

// want has the float give so much to a ticket's address; what is less than an output may be is rounded up to that.
func (r *run) want(t *Ticket, why AidWhy, amount cirrus.Strats) {
	r.o.Aids = append(r.o.Aids, Aid{
		ID: r.NewID(), Ticket: t.ID, State: AidWanted, Since: r.k.now, Why: why,
		Amount: max(amount, MinOutput), Block: r.k.tip.Height,
	})
}

// gift is how coins of the float make up an aid.
type gift struct {
	coins       []cirrus.Coin
	change, fee cirrus.Strats
}

// pickGift chooses coins of the float: the smallest that is enough alone, or the largest ones together. ok is false
// where all of them are too little.
func pickGift(coins []cirrus.Coin, amount cirrus.Strats) (g gift, ok bool) {
	deep := slices.DeleteFunc(slices.Clone(coins), func(c cirrus.Coin) bool { return c.Confirmations == 0 })
	slices.SortStableFunc(deep, func(a, b cirrus.Coin) int { return cmp.Compare(a.Amount, b.Amount) })
	for _, coin := range deep {
		if g, ok := makeGift([]cirrus.Coin{coin}, amount); ok {
			return g, true
		}
	}
	slices.Reverse(deep)
	for n := 2; n <= min(len(deep), maxInputs); n++ {
		if g, ok := makeGift(deep[:n], amount); ok {
			return g, true
		}
	}
	return gift{}, false
}

// makeGift divides coins; what is too little for an output of its own is left as fee.
func makeGift(coins []cirrus.Coin, amount cirrus.Strats) (g gift, ok bool) {
	over := sum(coins, 0) - amount
	g = gift{coins: coins, fee: NetworkFee(len(coins), 2)}
	if g.change = over - g.fee; g.change < MinOutput {
		g.change, g.fee = 0, over
	}
	return g, g.fee >= NetworkFee(len(coins), 1)
}
