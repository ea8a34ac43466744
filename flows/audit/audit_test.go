package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/audit"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

var (
	now     = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)
	purse   = cirrus.Account{Wallet: "usher1", Name: "account 0"}
	float   = cirrus.Account{Wallet: "float", Name: "account 0"}
	hall    = cirrus.TestNet.Address(cirrus.Hash{0x01})
	own     = cirrus.TestNet.Address(cirrus.Hash{0x02})
	foreign = cirrus.TestNet.Address(cirrus.Hash{0x03})
	other   = cirrus.TestNet.Address(cirrus.Hash{0x04})
	show    = cirrus.TxID(strings.Repeat("ab", 32))
	seat    = cirrus.Seat{Number: 3, Letter: 'C'}
)

const (
	paid   = 31 * cirrus.CRS
	price  = 30 * cirrus.CRS
	height = 1000
)

func coin(address cirrus.Address, amount cirrus.Strats, depth uint64) cirrus.Coin {
	return cirrus.Coin{Outpoint: cirrus.Outpoint{TxID: show, Index: uint32(address[5])}, Address: address, Amount: amount, Confirmations: depth}
}

// bought are books with one order: a ticket that its customer keeps, and the rest of its deposit.
func bought() *audit.Books {
	o := order.Order{
		ID: "o1", State: order.Filled, Show: cirrus.Show{Contract: hall, TxID: show, Block: 900, EndOfSale: 2000}, Account: purse,
		Address: own, Created: now.Add(-time.Hour), NextHeight: 1899, Terms: cirrus.Terms{NoReleaseBlocks: 100},
		Gas: order.Gas{Limit: 250_000, Price: 100}, Due: paid,
		Tickets: []order.Ticket{{ID: "t1", Seat: seat, Price: price, State: order.Owned, Account: purse, Address: own, Coin: coin(own, paid, 50), Owned: 950}},
	}
	return &audit.Books{
		Now: now, Tip: order.Tip{Height: height, Time: now, Network: cirrus.TestNet.Name},
		Purses: []audit.Purse{
			{Account: purse, Coins: []cirrus.Coin{coin(own, paid-price, 50)}},
			{Account: float, Float: true, Coins: []cirrus.Coin{coin(foreign, 100*cirrus.CRS, 500)}},
		},
		Halls: []audit.Hall{{Contract: hall, Show: show, Tickets: []cirrus.Ticket{
			{Seat: seat, Price: uint64(price), Address: own, Secret: []byte{1}},
			{Seat: cirrus.Seat{Number: 4}, Price: uint64(price), Address: cirrus.TestNet.Zero()},
		}}},
		Orders: []order.Order{o}, Claims: map[cirrus.Address]order.ID{own: "o1"}, Hold: 15 * time.Minute,
	}
}

func TestBooksThatAgreeAreWell(t *testing.T) {
	r := audit.Make(*bought())
	if len(r.Findings) > 0 {
		t.Errorf("found %+v", r.Findings)
	}
	if len(r.Lines) != 1 || r.Lines[0].Address != own || r.Lines[0].Holds != paid-price || r.Lines[0].Order != "o1" ||
		r.Lines[0].Next.Block != 1899 || r.Lines[0].Next.At.IsZero() || len(r.Lines[0].Tickets) != 1 {
		t.Errorf("lines %+v: the float is nobody's, the ticket's address has owner, sum and next step", r.Lines)
	}
}

// TestEachKindIsFound has one thing wrong at a time.
func TestEachKindIsFound(t *testing.T) {
	ended := func(b *audit.Books) *order.Order {
		o := &b.Orders[0]
		o.State, o.Tickets[0].State, o.Tickets[0].Coin, o.NextHeight = order.Expired, order.Dropped, cirrus.Coin{}, 0
		b.Halls[0].Tickets[0] = cirrus.Ticket{Seat: seat, Price: uint64(price), Address: cirrus.TestNet.Zero()}
		return o
	}
	for kind, spoil := range map[audit.Kind]func(*audit.Books){
		audit.CoinWithoutOrder: func(b *audit.Books) {
			b.Purses[0].Coins = append(b.Purses[0].Coins, coin(other, cirrus.CRS, 0))
		},
		audit.ClaimWithoutOrder: func(b *audit.Books) {
			b.Claims[other] = "gone"
			b.Purses[0].Coins = append(b.Purses[0].Coins, coin(other, cirrus.CRS, 3))
		},
		audit.AddressNotOfOrder: func(b *audit.Books) {
			b.Claims[other] = "o1"
			b.Purses[0].Coins = append(b.Purses[0].Coins, coin(other, cirrus.CRS, 3))
		},
		audit.AddressUnclaimed: func(b *audit.Books) { delete(b.Claims, own) },
		audit.AddressTwice: func(b *audit.Books) {
			twin := b.Orders[0]
			twin.ID, twin.State = "o2", order.Expired
			twin.Tickets = slices.Clone(twin.Tickets)
			twin.Tickets[0].State = order.Dropped
			b.Orders = append(b.Orders, twin)
		},
		audit.AccountUnknown: func(b *audit.Books) {
			b.Orders[0].Tickets[0].Account = cirrus.Account{Wallet: "old", Name: "account 0"}
		},
		audit.MoneyMissing:   func(b *audit.Books) { b.Purses[0].Coins[0].Amount-- },
		audit.MoneyKept:      func(b *audit.Books) { ended(b) },
		audit.FloatClaimIdle: func(b *audit.Books) { b.FloatClaims = map[cirrus.Address]order.ID{foreign: "o1"} },
		audit.TicketWithoutOrder: func(b *audit.Books) {
			b.Received = map[cirrus.Address]cirrus.Account{other: purse}
			b.Halls[0].Tickets[1].Address, b.Halls[0].Tickets[1].Secret = other, []byte{2}
		},
		audit.TicketUnexpected: func(b *audit.Books) {
			b.Halls[0].Tickets[1].Address, b.Halls[0].Tickets[1].Secret = own, []byte{2}
		},
		audit.TicketMissing: func(b *audit.Books) { b.Halls[0].Tickets[0].Address = cirrus.TestNet.Address(cirrus.Hash{0x05}) },
		audit.SeatTwice: func(b *audit.Books) {
			twin := b.Orders[0]
			twin.ID, twin.Address = "o2", other
			twin.Tickets = slices.Clone(twin.Tickets)
			twin.Tickets[0].State, twin.Tickets[0].Address = order.Reserved, other
			b.Orders, b.Claims[other] = append(b.Orders, twin), "o2"
		},
		audit.NoNextStep: func(b *audit.Books) { b.Orders[0].NextHeight = 0 },
		audit.Overdue:    func(b *audit.Books) { b.Orders[0].Next = now.Add(-2 * time.Hour) },
		audit.StateUnknown: func(b *audit.Books) {
			b.Orders[0].Payouts = []order.Payout{{ID: "p", Ticket: "none", State: "flown", Expect: 1}}
		},
		audit.OrderUnreadable: func(b *audit.Books) { b.Unread, b.Orders = []order.ID{"o1"}, nil },
	} {
		t.Run(string(kind), func(t *testing.T) {
			books := bought()
			spoil(books)
			found := audit.Make(*books).Findings
			if kind == audit.AddressTwice { // claim and money are the other's
				found = slices.DeleteFunc(found, func(f audit.Finding) bool { return f.Order == "o2" })
			}
			if len(found) != 1 || found[0].Kind != kind || found[0].Says == "" {
				t.Errorf("found %+v", found)
			}
		})
	}
	if n := len(audit.Kinds()); n != 17 {
		t.Errorf("%d kinds, and 17 are tried here", n)
	}
}

// TestWhatWaitsForAPersonIsNotForgotten: attention of which the operator was told is a place that money may be at; while
// they were not told, something must be done.
func TestWhatWaitsForAPersonIsNotForgotten(t *testing.T) {
	for _, told := range []bool{true, false} {
		books := bought()
		o := &books.Orders[0]
		o.NextHeight, o.Tickets[0].State, o.Tickets[0].Before, o.Tickets[0].Told = 0, order.Attention, order.Owned, told
		if found := audit.Make(*books).Findings; (len(found) == 0) != told {
			t.Errorf("told %t: found %+v", told, found)
		}
	}
}

// TestOnlyWhatBothLooksFoundIsFound: what is on its way is at another place in the second look.
func TestOnlyWhatBothLooksFoundIsFound(t *testing.T) {
	first, second := bought(), bought()
	first.Purses[0].Coins = append(first.Purses[0].Coins, coin(other, cirrus.CRS, 0))
	first.Purses[0].Coins[0].Amount -= 5
	second.Purses[0].Coins[0].Amount -= 9
	r := audit.Both(audit.Make(*first), audit.Make(*second))
	if len(r.Findings) != 1 || r.Findings[0].Kind != audit.MoneyMissing || r.Findings[0].Amount != 9 {
		t.Errorf("found %+v", r.Findings)
	}
}

// TestEverySampleHasANextStep: of an order in any state it is said what happens to it, and states are never shown bare.
func TestEverySampleHasANextStep(t *testing.T) {
	for _, sample := range memory.Samples(now) {
		books := audit.Books{Now: now, Tip: memory.SampleTip(now), Orders: []order.Order{sample.Order}, Hold: 15 * time.Minute}
		for _, line := range audit.Make(books).Lines {
			if line.Next.What == "" || line.State == "" || line.Order != sample.Order.ID {
				t.Errorf("%s: %+v", sample.Name, line)
			}
		}
	}
}
