package cirrus

import "time"

// Ticket is one seat of a contract as the Tickets call shows it.
type Ticket struct {
	Seat       Seat
	Price      uint64  // strats; 0 outside of a sale; may not fit Strats
	Address    Address // the owner; the network's Zero while it is for sale
	Secret     []byte  // ciphered or hashed; nil while it is for sale
	Identifier []byte  // the enciphered name, nil where none was given
}

// Show is one sale of a contract, from its Show log to its EndSale. A contract sells many shows, one after another;
// TxID tells them apart.
type Show struct {
	Contract  Address   `json:"contract"`
	Venue     string    `json:"venue"`     // a stranger's text
	Name      string    `json:"name"`      // a stranger's text
	Organiser string    `json:"organiser"` // a stranger's text
	Time      time.Time `json:"time"`      // when it starts; the chain has Unix seconds
	EndOfSale uint64    `json:"endOfSale"` // block height; Reserve and ReleaseTicket fail from this block on
	TxID      TxID      `json:"txId"`      // of the BeginSale call
	Block     uint64    `json:"block"`     // height of that call; a purchase in this very block is refused at the door
}

// Terms are what a contract says of refunds and names. They cannot change while a sale is open.
type Terms struct {
	ReleaseFee      uint64 `json:"releaseFee"`      // strats taken from a refund; nothing is paid where it is the price or more
	NoReleaseBlocks uint64 `json:"noReleaseBlocks"` // refunds end so many blocks before EndOfSale
	Identity        bool   `json:"identity"`        // a name is asked for
}

// LastRelease is the last block in which a ReleaseTicket call succeeds (contract: block + NoRefundBlockCount <
// EndOfSale). ok is false where no block does, an overflow of the sum included.
func (t Terms) LastRelease(endOfSale uint64) (height uint64, ok bool) {
	if t.NoReleaseBlocks >= endOfSale {
		return 0, false
	}
	return endOfSale - t.NoReleaseBlocks - 1, true
}

// Refund is what the contract pays for a release at this price: price less fee, or nothing where that is not positive.
func (t Terms) Refund(price Strats) Strats {
	fee, fits := StratsOf(t.ReleaseFee)
	if !fits || fee >= price {
		return 0
	}
	return price - fee
}

// BlockTime is the time between two blocks of the chain.
const BlockTime = 16 * time.Second
