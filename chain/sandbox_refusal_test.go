package chain

import (
	"errors"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
)

func TestRefusalsOfEachKindOfNode(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		c := newTown(t, options)
		call := c.pay(sandbox.WalletOne, 1)
		_, err := c.sandbox.Reserve(sandbox.ReserveRequest{Address: c.hall, Seat: seatNumber(2)})
		c.must(err)
		c.mine(1)
		none := 0
		for _, test := range []struct {
			name   string
			change func(*order.BoothCall)
			want   error
		}{
			{"taken", func(b *order.BoothCall) { b.Seat = seatNumber(2) }, order.ErrSeatTaken},
			{"no such seat", func(b *order.BoothCall) { b.Seat = seatNumber(99) }, order.ErrSeatUnknown},
			{"no name", func(b *order.BoothCall) { b.Name = "" }, order.ErrNameNeeded},
			{"no contract", func(b *order.BoothCall) { b.Contract = b.Sender }, order.ErrNoContract},
			{"coin that is none", func(b *order.BoothCall) { b.Coin.Index += 7 }, order.ErrOutpoints},
			{"foreign sender", func(b *order.BoothCall) { b.Sender = c.sandbox.Network().Zero() }, order.ErrUnknownOutcome},
			{"no such wallet", func(b *order.BoothCall) { b.Account.Wallet = "nobody" }, order.ErrUnknownOutcome},
		} {
			wrong := call
			test.change(&wrong)
			if _, err := c.client.Reserve(t.Context(), wrong); !errors.Is(err, test.want) {
				t.Errorf("%s: got %v, want %v", test.name, err, test.want)
			}
		}
		if _, err := c.client.Release(t.Context(), call); !errors.Is(err, order.ErrNotOwner) {
			t.Errorf("a release of a seat that is not ours: %v", err)
		}
		if _, err := c.client.Spendable(t.Context(), cirrus.Account{Wallet: "nobody", Name: sandbox.Account}); !errors.Is(err, order.ErrWallet) {
			t.Errorf("an unknown wallet: %v", err)
		}
		c.must(c.sandbox.Node(sandbox.NodeRequest{Peers: &none}))
		if _, err := c.client.Reserve(t.Context(), call); !errors.Is(err, order.ErrNoPeers) {
			t.Errorf("no peers: %v", err)
		}
		c.look()
		if c.board.tip().Healthy {
			t.Error("selling goes on without peers")
		}
	})
}

func TestPasswordsAndContractsAreToldApart(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		c := newTown(t, options)
		call := c.pay(sandbox.WalletOne, 1)
		c.must(c.client.CheckPassword(t.Context(), sandbox.WalletOne, call.Sender))
		right := c.client.passwords
		c.client.passwords = func(string) (string, error) { return "wrong", nil }
		if err := c.client.CheckPassword(t.Context(), sandbox.WalletOne, call.Sender); !errors.Is(err, order.ErrPassword) {
			t.Errorf("a wrong password: %v", err)
		}
		if _, err := c.client.Reserve(t.Context(), call); !errors.Is(err, order.ErrPassword) {
			t.Errorf("a call with a wrong password: %v", err)
		}
		c.client.passwords = right
		for address, want := range map[cirrus.Address]bool{c.hall: true, call.Sender: false} {
			if is, err := c.client.IsContract(t.Context(), address); err != nil || is != want {
				t.Errorf("%s is a contract: %v, %v", address, is, err)
			}
		}
		if got, err := c.client.Balance(t.Context(), call.Sender); err != nil || got != seatPrice+2*c.budget {
			t.Errorf("balance %s, %v", got, err)
		}
		if height, err := c.client.BlockCount(t.Context()); err != nil || height != c.sandbox.Height() {
			t.Errorf("at %d, %v", height, err)
		}
		made, err := c.client.NewAddresses(t.Context(), call.Account, 2)
		if today := options.Node == sandbox.NodeToday; (err == nil) != today || (len(made) == 2) != today {
			t.Errorf("new addresses %v, %v", made, err)
		}
	})
}

func TestALostAnswerIsFoundInTheHistory(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		c := newTown(t, options)
		call := c.pay(sandbox.WalletTwo, 3)
		c.must(c.sandbox.Fault(sandbox.FaultRequest{Path: "ReserveTicket", Kind: "drop-after", Times: 1}))
		if _, err := c.client.Reserve(t.Context(), call); !errors.Is(err, order.ErrUnknownOutcome) {
			t.Fatalf("got %v", err)
		}
		if made := c.sites.calls[SiteReserve]; made != 1 {
			t.Fatalf("called %d times", made)
		}
		calls, err := c.client.Calls(t.Context(), call.Account, call.Sender)
		if err != nil || len(calls) != 1 || calls[0].To != c.hall {
			t.Fatalf("calls %+v, %v", calls, err)
		}
		c.must(c.sandbox.Drop(calls[0].TxID))
		c.must(c.client.Forget(t.Context(), call.Account, calls[0].TxID))
		c.mine(2)
		if coins := c.coinsAt(call.Sender); len(coins) != 1 || coins[0].Outpoint != call.Coin {
			t.Fatalf("the coin is not spendable again: %+v", coins)
		}
		if options.Node == sandbox.NodeToday {
			call.Coin = c.freeReserved(call)
		}
		if _, err := c.client.Reserve(t.Context(), call); err != nil {
			t.Fatalf("the second call: %v", err)
		}
	})
}

// freeReserved sends a coin that the node still counts as reserved to its own address: a build ignores reservations.
func (c *town) freeReserved(call order.BoothCall) cirrus.Outpoint {
	c.t.Helper()
	if _, err := c.client.Reserve(c.t.Context(), call); !errors.Is(err, order.ErrInputsReserved) {
		c.t.Fatalf("a call with a reserved coin: %v", err)
	}
	const fee = 10_000
	built, err := c.client.Build(c.t.Context(), order.Payment{
		Account: call.Account, Coins: []cirrus.Outpoint{call.Coin}, Fee: fee,
		Outputs: []order.Output{{Address: call.Sender, Amount: seatPrice + 2*c.budget - fee}},
	})
	c.must(err)
	c.must(c.client.Send(c.t.Context(), built.Hex))
	c.mine(1)
	coins := c.coinsAt(call.Sender)
	if len(coins) != 1 || coins[0].TxID != built.TxID {
		c.t.Fatalf("coins %+v", coins)
	}
	return coins[0].Outpoint
}

func TestAReorganisationOfTheSandboxIsFollowed(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		c := newTown(t, options)
		call := c.pay(sandbox.WalletOne, 1)
		c.board.owners[call.Sender] = "one"
		reserved, err := c.client.Reserve(t.Context(), call)
		c.must(err)
		c.board.all[reserved.TxID] = "one"
		c.mine(1)
		if c.board.sales[c.hall].Seats[0].Owner != call.Sender {
			t.Fatal("not bought")
		}
		c.board.drain()
		_, err = c.sandbox.Reorg(1)
		c.must(err)
		c.look()
		c.woken("one")
		if seat := c.board.sales[c.hall].Seats[0]; seat.Owner != "" || c.board.tip().Height != c.sandbox.Height() {
			t.Fatalf("seat %+v, tip %+v", seat, c.board.tip())
		}
		c.mine(1)
		if seat := c.board.sales[c.hall].Seats[0]; seat.Owner != call.Sender || seat.Resold {
			t.Fatalf("mined again: %+v", seat)
		}
	})
}
