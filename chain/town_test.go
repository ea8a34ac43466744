package chain

import (
	"context"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
)

const (
	seatPrice = 3 * cirrus.CRS
	gasPrice  = 100
)

// town is a sandbox with one hall whose show is on sale, a client of it and a watcher.
type town struct {
	t       *testing.T
	sandbox *sandbox.Sandbox
	client  *Client
	watcher *Watcher
	board   *board
	hall    cirrus.Address
	budget  cirrus.Strats // of one call
	sites   *faultySites
}

func seatNumber(n int32) cirrus.Seat { return cirrus.Seat{Number: n, Letter: 'A'} }

func newTown(t *testing.T, options sandbox.Options) *town {
	t.Helper()
	options.Clock, options.Rand, options.Dir = time.Now, rand.NewChaCha8([32]byte{3}), t.TempDir()
	local, err := sandbox.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	c := &town{
		t: t, sandbox: local, board: newBoard(), budget: cirrus.Strats(local.GasLimit() * gasPrice),
		sites: &faultySites{calls: map[string]int{}},
	}
	c.client, err = New(Config{
		NodeURL: local.NodeURL(), TicketboothURL: local.TicketboothURL(), TicketboothCert: local.CertPEM(),
		Passwords: func(wallet string) (string, error) { return local.Password(wallet), nil },
		Timeout:   10 * time.Second, Patience: 10 * time.Second, Pause: time.Millisecond, Sites: c.sites,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.client.Close)
	c.openHall()
	c.watcher = NewWatcher(Watching{
		Client: c.client, Network: local.Network(), Board: c.board, Wake: c.board.wake, Clock: time.Now,
		Accounts: []cirrus.Account{{Wallet: sandbox.WalletOne, Name: sandbox.Account}, {Wallet: sandbox.WalletTwo, Name: sandbox.Account}},
		Venues:   func(context.Context) ([]cirrus.Address, error) { return []cirrus.Address{c.hall}, nil },
	})
	c.look()
	return c
}

func (c *town) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *town) openHall() {
	var err error
	request := sandbox.VenueRequest{Venue: "Odeon", ReleaseFee: uint64(cirrus.CRS), NoReleaseBlocks: 10, Identity: true}
	show := sandbox.ShowRequest{Name: "Dune", Organiser: "Ada", Time: 1895075621, EndOfSale: c.sandbox.Height() + 500}
	for n := range int32(4) {
		request.Seats = append(request.Seats, seatNumber(n+1))
		show.Prices = append(show.Prices, sandbox.SeatPrice{Seat: seatNumber(n + 1), Price: uint64(seatPrice)})
	}
	c.hall, err = c.sandbox.Venue(request)
	c.must(err)
	show.Address = c.hall
	c.must(c.sandbox.Show(show))
}

func (c *town) look() {
	c.t.Helper()
	c.must(c.watcher.Look(c.t.Context()))
}

func (c *town) mine(blocks int) {
	c.t.Helper()
	_, err := c.sandbox.Mine(blocks)
	c.must(err)
	c.look()
}

// woken demands that exactly these orders were woken since the last time.
func (c *town) woken(want ...order.ID) {
	c.t.Helper()
	if got := c.board.drain(); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		c.t.Fatalf("woke %v, want %v", got, want)
	}
}

// coinsAt lists what was posted of an address.
func (c *town) coinsAt(address cirrus.Address) []cirrus.Coin {
	var there []cirrus.Coin
	for _, coin := range c.board.coins {
		if coin.Address == address {
			there = append(there, coin)
		}
	}
	return there
}

// pay funds a new address of a wallet and gives the call that reserves a seat from it, once the coin is mined.
func (c *town) pay(wallet string, seat int32) order.BoothCall {
	c.t.Helper()
	account := cirrus.Account{Wallet: wallet, Name: sandbox.Account}
	addresses, err := c.client.Candidates(c.t.Context(), account, 1)
	c.must(err)
	_, err = c.sandbox.Fund(addresses[0], seatPrice+2*c.budget)
	c.must(err)
	c.mine(1)
	coins := c.coinsAt(addresses[0])
	if len(coins) != 1 || coins[0].Confirmations != 1 || coins[0].Amount != seatPrice+2*c.budget {
		c.t.Fatalf("coins %+v", coins)
	}
	return order.BoothCall{
		Contract: c.hall, Account: account, Sender: addresses[0], Coin: coins[0].Outpoint, Seat: seatNumber(seat),
		Price: seatPrice, GasPrice: gasPrice, GasLimit: c.sandbox.GasLimit(), Name: "Ada Lovelace",
	}
}

// eachNode runs a test against every kind of node.
func eachNode(t *testing.T, run func(t *testing.T, options sandbox.Options)) {
	for _, generation := range []sandbox.Generation{sandbox.Ciphered, sandbox.Hashed} {
		for _, age := range []sandbox.NodeAge{sandbox.Node2020, sandbox.NodeToday} {
			for _, network := range []cirrus.Network{cirrus.TestNet, cirrus.MainNet} {
				t.Run(string(generation)+" "+string(age)+" "+network.Name, func(t *testing.T) {
					run(t, sandbox.Options{Generation: generation, Node: age, Network: network})
				})
			}
		}
	}
}
