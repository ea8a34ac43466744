package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// With two coins named, the node takes what it needs; with one named, a repeated call cannot pay twice.
func TestNamedOutpointsAreAnAllowList(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{})
		at := w.address(WalletOne)
		one, two := w.fund(at, price+w.budget()), w.fund(at, price+w.budget())
		w.mine(1)
		first, _ := w.qr(w.reserve(with(w.payer(WalletOne, at, one, two), "seat", seatA)), seatA)
		entry, _ := w.s.chain.Entry(first)
		if len(entry.Tx.Ins) != 1 {
			t.Fatalf("spends %d coins", len(entry.Tx.Ins))
		}
		// the same call again, both coins named: pays twice
		w.want(w.reserve(with(w.payer(WalletOne, at, one, two), "seat", seatA)), 201, "")
		spent := entry.Tx.Ins[0].Prev
		left := w.fund(at, price+w.budget())
		want := "An invalid list of request outpoints"
		if w.s.options.Node == Node2020 {
			want = "Invalid list of request outpoints"
		}
		w.want(w.reserve(with(w.payer(WalletOne, at, spent), "seat", seatA)), 400, want)
		w.want(w.reserve(with(w.payer(WalletOne, at, left), "seat", seatB)), 201, "") // 0 confirmations are enough
		w.want(w.reserve(with(w.payer(WalletOne, at, spent), "seat", seatA)), 400, "The 'Sender' address")
		w.mine(1)
		w.balanced()
	})
}

func TestReserveRefusals(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{})
		at, coin := w.ready(0)
		body := func(more ...any) map[string]any {
			return with(with(w.payer(WalletOne, at, coin), "seat", seatA), more...)
		}
		missing := string(cirrus.TestNet.Address(cirrus.Hash{1, 2, 3}))
		for _, row := range []struct {
			name, venue string
			body        any
			status      int
			message     string
		}{
			{"malformed body first", "nowhere", "{", 400, "{\"errors\":"},
			{"malformed field first", "nowhere", body("sender", "xyz"), 400, "{\"errors\":{\"Sender\""},
			{"gas price out of range", string(w.venue), body("gasPrice", 99), 400, "{\"errors\":{\"GasPrice\""},
			{"address", "nowhere", body(), 400, "Invalid address nowhere"},
			{"mainnet address", string(cirrus.MainNet.Zero()), body(), 400, "Invalid address " + string(cirrus.MainNet.Zero())},
			{"no contract", missing, body(), 404, "No smart contract found at address " + missing},
			{"no seat", string(w.venue), body("seat", cirrus.Seat{Number: 9}), 400, "Invalid seat 9"},
			{"default seat", string(w.venue), body("seat", cirrus.Seat{}), 400, "Invalid seat UNDEFINED"},
			{"wrong password", string(w.venue), body("password", "no"), 400, "Invalid password (or invalid Network)"},
			{"unknown account", string(w.venue), body("accountName", "savings"), 400, "No account with the name 'savings' could be found."},
			{"unknown wallet", string(w.venue), body("walletName", "nobody"), 500, ""},
			{"foreign sender", string(w.venue), body("sender", missing), 500, ""},
			{"wallet of somebody else", string(w.venue), body("walletName", WalletTwo), 400, "The wallet does not contain any spendable inputs."},
			{"empty address", string(w.venue), body("sender", w.address(WalletTwo)), 400, "The 'Sender' address you're trying to spend from"},
			{"coin too small for the gas", string(w.venue), body("gasPrice", 1500), 400, "Not enough funds to cover the target with missing amount "},
		} {
			got := w.booth(http.MethodPost, "/"+row.venue+"/ReserveTicket", row.body)
			if got.status != row.status || !strings.HasPrefix(got.text(), row.message) {
				t.Errorf("%s: %d %q, want %d %q", row.name, got.status, got.text(), row.status, row.message)
			}
			if row.status == 500 && len(got.body) > 0 {
				t.Errorf("%s: a 500 with a body: %s", row.name, got.body)
			}
		}
		readAs[struct{}](w, w.post("/sandbox/node", `{"peers":0}`))
		w.want(w.reserve(body("password", "no")), 403, msgNoPeers)
		w.want(w.reserve(body("seat", cirrus.Seat{Number: 9})), 400, "Invalid seat 9")
	})
}

func TestReleaseRefusals(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(12, VenueRequest{NoReleaseBlocks: 5})
		at, coin := w.ready(0)
		_, _ = w.qr(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), seatA)
		w.mine(1)
		release := func(seat cirrus.Seat, sender cirrus.Address) answer {
			return w.booth(http.MethodPost, "/"+string(w.venue)+"/ReleaseTicket", with(w.payer(WalletOne, sender), "seat", seat))
		}
		other := w.address(WalletTwo)
		w.want(release(cirrus.Seat{Number: 9}, at), 400, "Invalid seat 9")
		w.want(release(seatB, at), 400, "Ticket for seat 2A not owned by "+string(at))
		w.want(release(seatA, other), 400, "Ticket for seat 1A not owned by "+string(other))
		end := w.s.Height() + 12 - 4 // the sale began two blocks and the refund window ends five blocks before
		for w.s.Height() < end-5 {
			w.mine(1)
		}
		for range 3 {
			w.mine(1)
		}
		w.want(release(seatA, at), 409, "Ticket release is no longer available")
		for range 6 {
			w.mine(1)
		}
		w.want(release(seatA, at), 409, "Sale is not currently open")
	})
}

// The API looks at the tip, the contract at the block: at the boundary a 201 ends in a failed receipt.
func TestReleaseAtTheBoundaryFailsInTheBlock(t *testing.T) {
	w := newWorld(t, Options{})
	w.open(12, VenueRequest{NoReleaseBlocks: 5})
	end := w.s.Height() - 1 + 12
	at, coin := w.ready(0)
	_, _ = w.qr(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), seatA)
	for w.s.Height() < end-5-1 {
		w.mine(1)
	}
	got := w.booth(http.MethodPost, "/"+string(w.venue)+"/ReleaseTicket", with(w.payer(WalletOne, at), "seat", seatA))
	id := readAs[cirrus.TxID](w, got)
	w.mine(1)
	receipt := w.receipt(id, false)
	if !strings.Contains(*receipt.Error, "Surpassed no refund block limit") {
		t.Fatalf("error %s", *receipt.Error)
	}
}

func TestContractAddressCannotBePaid(t *testing.T) {
	w := newWorld(t, Options{})
	w.open(100, VenueRequest{})
	at := w.address(WalletOne)
	w.fund(at, 5*crs)
	w.mine(1)
	to := cirrus.TestNet.Address(cirrus.Hash{9})
	built := readAs[builtBody](w, w.build("recipients", []any{pay(to, crs)}))
	if code := readAs[codeBody](w, w.get("/api/SmartContracts/code", "address", string(to))); code.Bytecode != nil {
		t.Fatalf("%+v", code)
	}
	readAs[struct{}](w, w.post("/sandbox/code", map[string]any{"address": to}))
	if code := readAs[codeBody](w, w.get("/api/SmartContracts/code", "address", string(to))); code.Bytecode == nil {
		t.Fatalf("%+v", code)
	}
	w.want(w.post("/api/wallet/send-transaction", map[string]string{"hex": built.Hex}), 400, "p2pkh-to-contract")
}

// A call that needs more gas than its limit loses all of it, and gets its value back.
func TestOutOfGas(t *testing.T) {
	w := newWorld(t, Options{})
	w.open(100, VenueRequest{})
	at, coin := w.ready(0)
	const limit = 10_000
	called := readAs[calledBody](w, w.post("/api/SmartContractWallet/call", with(w.payer(WalletOne, at, coin),
		"contractAddress", w.venue, "methodName", "Reserve", "amount", "10", "feeAmount", "0", "gasLimit", limit,
		"parameters", []string{"10#C8840100000082410000", "10#AA"})))
	w.mine(2)
	receipt := w.receipt(called.TransactionID, false)
	if receipt.GasUsed != limit || *receipt.Error != ledger.OutOfGas {
		t.Fatalf("%+v", receipt)
	}
	want := price + 2*w.budget() - limit*100
	if coins := w.spendable(WalletOne, at); sumOf(coins) != want {
		t.Fatalf("%+v, want %d", coins, want)
	}
	w.balanced()
}

func TestChangeTooSmallIsLost(t *testing.T) {
	w := newWorld(t, Options{})
	w.open(100, VenueRequest{})
	at := w.address(WalletOne)
	coin := w.fund(at, price+w.budget()+ledger.Dust)
	w.mine(1)
	id, _ := w.qr(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), seatA)
	w.mine(2)
	used := w.receipt(id, true).GasUsed
	if coins := w.spendable(WalletOne, at); sumOf(coins) != w.budget()-100*used {
		t.Fatalf("%+v", coins)
	}
	w.balanced()
}

func TestHistoryOfAnAddress(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{})
		at, coin := w.ready(0)
		id, _ := w.qr(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), seatA)
		w.mine(1)
		body := readAs[struct {
			History []struct {
				Transactions []struct {
					Type  string      `json:"type"`
					ID    cirrus.TxID `json:"id"`
					Block *uint64     `json:"confirmedInBlock"`
				} `json:"transactionsHistory"`
			} `json:"history"`
		}](w, w.get("/api/wallet/history", "walletName", WalletOne, "accountName", Account, "address", string(at)))
		var types []string
		for _, item := range body.History[0].Transactions {
			types = append(types, item.Type)
			if item.Type != "received" && (item.ID != id || item.Block == nil) {
				t.Fatalf("%+v", item)
			}
		}
		sent := "createOrCall"
		if w.s.options.Node == Node2020 {
			sent = "send"
		}
		if !slices.Contains(types, sent) || !slices.Contains(types, "received") {
			t.Fatalf("%v", types)
		}
		if balance := w.get("/api/SmartContractWallet/address-balance", "address", string(at)); !strings.HasSuffix(string(balance.body), ".0") {
			t.Fatalf("%s", balance.body)
		}
	})
}
