package audit

import (
	"cmp"
	"slices"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Books is what was found at one moment. Coins and tickets are read before the orders, so that whatever is there has had
// its record saved.
type Books struct {
	Now    time.Time
	Tip    order.Tip // of the node
	Purses []Purse
	Halls  []Hall
	Orders []order.Order
	Unread []order.ID // records that could not be read
	Claims map[cirrus.Address]order.ID
	// FloatClaims are addresses of the float that orders have for themselves.
	FloatClaims map[cirrus.Address]order.ID
	// Received are addresses of the wallets that ever got something; empty where the wallets were not asked.
	Received map[cirrus.Address]cirrus.Account
	// Hold is order.Config.Hold: a part of a payment waits so long for its rest.
	Hold time.Duration
}

// Purse is an account of the node's wallet.
type Purse struct {
	Account cirrus.Account
	Float   bool // the operator's own money
	Coins   []cirrus.Coin
}

// Hall is what a contract holds.
type Hall struct {
	Contract cirrus.Address
	Show     cirrus.TxID // the newest show; empty where it was not asked for
	Tickets  []cirrus.Ticket
}

// over tells whether the organiser ended the sale: that takes every price and every owner away.
func (h Hall) over() bool {
	return !slices.ContainsFunc(h.Tickets, func(t cirrus.Ticket) bool { return t.Price != 0 })
}

// index is Books by address and by order.
type index struct {
	*Books
	coins  map[cirrus.Address][]cirrus.Coin
	homes  map[cirrus.Address]cirrus.Account // of addresses with coins, of orders, and of those that received
	float  map[cirrus.Address]bool
	orders map[order.ID]*order.Order
	lists  map[cirrus.Address][]*order.Order // which orders list an address as theirs
	unread map[order.ID]bool
}

func newIndex(b *Books) *index {
	x := &index{
		Books: b, coins: map[cirrus.Address][]cirrus.Coin{}, homes: map[cirrus.Address]cirrus.Account{},
		float: map[cirrus.Address]bool{}, orders: map[order.ID]*order.Order{}, unread: map[order.ID]bool{},
		lists: map[cirrus.Address][]*order.Order{},
	}
	for address, account := range b.Received {
		x.homes[address] = account
	}
	for _, id := range b.Unread {
		x.unread[id] = true
	}
	for i := range b.Orders {
		o := &b.Orders[i]
		x.orders[o.ID] = o
		for _, address := range o.Addresses() {
			x.lists[address] = append(x.lists[address], o)
			x.homes[address] = accountOf(*o, address)
		}
	}
	for _, purse := range b.Purses {
		for _, coin := range purse.Coins {
			x.coins[coin.Address] = append(x.coins[coin.Address], coin)
			x.homes[coin.Address] = purse.Account
			x.float[coin.Address] = x.float[coin.Address] || purse.Float
		}
	}
	return x
}

// ours tells whether an address is one of ours, as far as is known.
func (x *index) ours(address cirrus.Address) bool {
	_, claimed := x.Claims[address]
	_, known := x.homes[address]
	return claimed || known
}

// owner is the order that an address belongs to: by its claim, or, where a store that was put back forgot that, by its
// record.
func (x *index) owner(address cirrus.Address) (id order.ID, o *order.Order) {
	if id, ok := x.Claims[address]; ok {
		return id, x.orders[id]
	}
	if list := x.lists[address]; len(list) > 0 {
		return list[0].ID, list[0]
	}
	return "", nil
}

// addresses lists every address of ours, those of one order together, the oldest order first, those of none last.
func (x *index) addresses() []cirrus.Address {
	seen := map[cirrus.Address]bool{}
	var list []cirrus.Address
	add := func(address cirrus.Address) {
		if !seen[address] {
			seen[address] = true
			list = append(list, address)
		}
	}
	orders := slices.Collect(func(yield func(*order.Order) bool) {
		for i := range x.Orders {
			if !yield(&x.Orders[i]) {
				return
			}
		}
	})
	slices.SortFunc(orders, func(a, b *order.Order) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	for _, o := range orders {
		for _, address := range o.Addresses() {
			add(address)
		}
	}
	var others []cirrus.Address
	for address := range x.coins {
		others = append(others, address)
	}
	for address := range x.Claims {
		others = append(others, address)
	}
	slices.Sort(others)
	for _, address := range others {
		if !x.float[address] {
			add(address)
		}
	}
	for _, on := range x.onChain() {
		add(on.ticket.Address)
	}
	return list
}

// onChain lists the tickets that addresses of ours own.
func (x *index) onChain() (list []owned) {
	for _, hall := range x.Halls {
		for _, ticket := range hall.Tickets {
			if len(ticket.Secret) > 0 && x.ours(ticket.Address) {
				list = append(list, owned{hall, ticket})
			}
		}
	}
	return list
}

// owned is a ticket on chain of an address of ours.
type owned struct {
	hall   Hall
	ticket cirrus.Ticket
}

func accountOf(o order.Order, address cirrus.Address) cirrus.Account {
	for _, t := range o.Tickets {
		if t.Address == address && t.Account != (cirrus.Account{}) {
			return t.Account
		}
	}
	return o.Account
}

func total(coins []cirrus.Coin) (sum cirrus.Strats) {
	for _, coin := range coins {
		sum += coin.Amount
	}
	return sum
}
