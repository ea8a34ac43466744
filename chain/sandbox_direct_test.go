package chain

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
)

// direct is a booth that buys from the town's hall with the node's generic call.
func (c *town) direct(options sandbox.Options) *Direct {
	return newDirect(c.t, c.client, options.Network, Secrets(options.Generation))
}

// qr is what the QR of a ticket holds, written from the customer document alone.
func qr(t *testing.T, seat cirrus.Seat, secret order.Secret) string {
	t.Helper()
	ticket := map[string]any{"seat": seat, "secret": secret.Plaintext}
	for name, part := range map[string][]byte{
		"secretKey": secret.Key, "secretIV": secret.IV, "nameKey": secret.NameKey, "nameIV": secret.NameIV,
	} {
		if len(part) > 0 {
			ticket[name] = hex.EncodeToString(part)
		}
	}
	text, err := json.Marshal([]any{ticket})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// scanned demands that the door opens for a ticket, and shows the name.
func (c *town) scanned(seat cirrus.Seat, secret order.Secret, name string) {
	c.t.Helper()
	result, err := c.sandbox.Scan(c.hall, qr(c.t, seat, secret))
	c.must(err)
	if !result.Opens || len(result.Results) != 1 || result.Results[0].Name != name {
		c.t.Fatalf("the door says %+v", result)
	}
}

func TestATicketBoughtDirectlyOpensTheDoorAndIsGivenBack(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		c := newTown(t, options)
		call := c.pay(sandbox.WalletOne, 1)
		c.board.owners[call.Sender] = "one"
		reserved, err := c.direct(options).Reserve(t.Context(), call)
		c.must(err)
		c.board.waiting[reserved.TxID], c.board.all[reserved.TxID] = "one", "one"
		c.bought(call, reserved)
		c.scanned(call.Seat, reserved.Secret, call.Name)
		c.release(call)
		c.payOut(call)
	})
}

// TestBothWaysOfBuyingComeToTheSame: the chain tells them apart by nothing but the secret.
func TestBothWaysOfBuyingComeToTheSame(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		type end struct {
			gas, height uint64
			amounts     cirrus.Strats
			secret      int
			name        int
			resold      bool
		}
		var ends []end
		for _, directly := range []bool{false, true} {
			c := newTown(t, options)
			var booth order.Booth = c.client
			if directly {
				booth = c.direct(options)
			}
			call := c.pay(sandbox.WalletTwo, 2)
			reserved, err := booth.Reserve(t.Context(), call)
			c.must(err)
			c.mine(2)
			receipt, err := c.client.Receipt(t.Context(), reserved.TxID)
			if err != nil || !receipt.Success {
				t.Fatalf("receipt %+v, %v", receipt, err)
			}
			seat := c.board.sales[c.hall].Seats[1]
			last := end{gas: receipt.GasUsed, height: receipt.Block, secret: len(seat.Secret), name: len(seat.Name), resold: seat.Resold}
			for _, coin := range c.coinsAt(call.Sender) {
				last.amounts += coin.Amount
			}
			ends = append(ends, last)
			c.scanned(call.Seat, reserved.Secret, call.Name)
		}
		if ends[0] != ends[1] {
			t.Errorf("by Ticketbooth %+v, directly %+v", ends[0], ends[1])
		}
	})
}

func TestALostAnswerOfADirectCallLosesNothing(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		c := newTown(t, options)
		call := c.pay(sandbox.WalletTwo, 3)
		c.must(c.sandbox.Fault(sandbox.FaultRequest{Path: "SmartContractWallet/call", Kind: "drop-after", Times: 1}))
		if _, err := c.direct(options).Reserve(t.Context(), call); !errors.Is(err, order.ErrUnknownOutcome) {
			t.Fatalf("got %v", err)
		}
		if made := c.sites.calls[SiteCall]; made != 1 {
			t.Fatalf("called %d times", made)
		}
		c.mine(1)
		calls, err := c.client.Calls(t.Context(), call.Account, call.Sender)
		if err != nil || len(calls) != 1 || calls[0].To != c.hall {
			t.Fatalf("calls %+v, %v", calls, err)
		}
		secrets, err := c.direct(options).Derive(call) // as another process would, which knows the call alone
		c.must(err)
		c.scanned(call.Seat, secrets[0], call.Name)
	})
}

func TestRefusalsOfDirectCallsOnEachKindOfNode(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		c := newTown(t, options)
		direct := c.direct(options)
		call := c.pay(sandbox.WalletOne, 1)
		_, err := c.sandbox.Reserve(sandbox.ReserveRequest{Address: c.hall, Seat: seatNumber(2)})
		c.must(err)
		c.mine(1)
		none, loading := 0, true
		for _, test := range []struct {
			name   string
			change func(*order.BoothCall)
			want   error
		}{
			{"taken", func(b *order.BoothCall) { b.Seat = seatNumber(2) }, order.ErrSeatTaken},
			{"no such seat", func(b *order.BoothCall) { b.Seat = seatNumber(99) }, order.ErrSeatUnknown},
			{"no name", func(b *order.BoothCall) { b.Name = "" }, order.ErrNameNeeded},
			{"no contract", func(b *order.BoothCall) { b.Contract = b.Sender }, order.ErrNoContract},
			{"a price of another sale", func(b *order.BoothCall) { b.Price-- }, order.ErrSaleClosed},
			{"coin that is none", func(b *order.BoothCall) { b.Coin.Index += 7 }, order.ErrOutpoints},
			{"more gas than the node allows", func(b *order.BoothCall) { b.GasLimit++ }, order.ErrRefused},
			{"foreign sender", func(b *order.BoothCall) { b.Sender = c.sandbox.Network().Zero() }, order.ErrUnknownOutcome},
			{"no such account", func(b *order.BoothCall) { b.Account.Name = "account 7" }, order.ErrWallet},
		} {
			wrong := call
			test.change(&wrong)
			if _, err := direct.Reserve(t.Context(), wrong); !errors.Is(err, test.want) {
				t.Errorf("%s: got %v, want %v", test.name, err, test.want)
			}
		}
		c.must(c.sandbox.Node(sandbox.NodeRequest{Peers: &none}))
		if _, err := direct.Reserve(t.Context(), call); !errors.Is(err, order.ErrNoPeers) {
			t.Errorf("no peers: %v", err)
		}
		some := 3
		c.must(c.sandbox.Node(sandbox.NodeRequest{Peers: &some, InIbd: &loading}))
		if _, err := direct.Reserve(t.Context(), call); !errors.Is(err, order.ErrSyncing) {
			t.Errorf("still loading: %v", err)
		}
		if calls, err := c.client.Calls(t.Context(), call.Account, call.Sender); err != nil || len(calls) != 0 {
			t.Errorf("made all the same: %+v, %v", calls, err)
		}
	})
}

func TestADirectCallWithASpentCoinIsInDoubt(t *testing.T) {
	eachNode(t, func(t *testing.T, options sandbox.Options) {
		c := newTown(t, options)
		call := c.pay(sandbox.WalletOne, 1)
		direct := c.direct(options)
		_, err := direct.Reserve(t.Context(), call)
		c.must(err)
		if _, err := direct.Reserve(t.Context(), call); !errors.Is(err, order.ErrOutpoints) {
			t.Fatalf("a second call with the same coin: %v", err)
		}
		if calls, err := c.client.Calls(t.Context(), call.Account, call.Sender); err != nil || len(calls) != 1 {
			t.Fatalf("calls %+v, %v", calls, err)
		}
	})
}
