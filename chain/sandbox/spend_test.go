package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

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

func (w *world) build(more ...any) answer {
	w.t.Helper()
	body := map[string]any{
		"walletName": WalletOne, "accountName": Account, "password": w.s.Password(WalletOne), "feeAmount": "0.0001",
		"allowUnconfirmed": false, "shuffleOutputs": false,
	}
	return w.post("/api/wallet/build-transaction", with(body, more...))
}

func pay(to cirrus.Address, amount uint64) map[string]any {
	return map[string]any{"destinationAddress": to, "amount": cirrus.Strats(amount).Decimal()}
}

func TestBuildTransactionRules(t *testing.T) {
	for _, node := range []NodeAge{Node2020, NodeToday} {
		w := newWorld(t, Options{Node: node})
		w.open(100, VenueRequest{})
		at, to := w.address(WalletOne), w.address(WalletTwo)
		coin := w.fund(at, 5*crs)
		fresh := cirrus.Outpoint{}
		found := "wallet."
		if node == Node2020 {
			found = "on the wallet."
		}
		w.want(w.build("outpoints", []cirrus.Outpoint{coin}, "recipients", []any{pay(to, crs)}), 400, "No spendable transactions found.")
		w.mine(1)
		fresh = w.fund(at, crs)
		one := []cirrus.Outpoint{coin}
		for _, row := range []struct {
			name    string
			fields  []any
			message string
		}{
			{"password, before a good one is cached", []any{"recipients", []any{pay(to, crs)}, "password", "no"}, "Invalid password"},
			{"no recipients", []any{}, "No recipients."},
			{"no amount", []any{"recipients", []any{map[string]any{"destinationAddress": to}}}, "An amount is required."},
			{"zero", []any{"recipients", []any{pay(to, 0)}}, "The amount is not in the correct format."},
			{"fee twice", []any{"recipients", []any{pay(to, crs)}, "feeType", "medium"}, "The query parameters 'FeeAmount' and 'FeeType'"},
			{"no fee", []any{"recipients", []any{pay(to, crs)}, "feeAmount", ""}, "One of parameters 'FeeAmount' and 'FeeType'"},
			{"fee too low", []any{"recipients", []any{pay(to, crs)}, "feeAmount", "0.00009999"}, "Not enough fees."},
			{"fee too high", []any{"recipients", []any{pay(to, crs)}, "feeAmount", "3"}, "Could not build the transaction. Details: Fee too high"},
			{"dust", []any{"recipients", []any{pay(to, ledger.Dust-1)}}, "Could not build the transaction. Details: Dust"},
			{"unknown coin", []any{"recipients", []any{pay(to, crs)}, "outpoints", []cirrus.Outpoint{{TxID: cirrus.TxID(strings.Repeat("ab", 32))}}}, "Not all the selected inputs were found"},
			{"unconfirmed coin", []any{"recipients", []any{pay(to, crs)}, "outpoints", []cirrus.Outpoint{fresh}}, "Not all the selected inputs were found"},
			{"whole account short", []any{"recipients", []any{pay(to, 50*crs)}}, "Not enough funds."},
			{"coin short", []any{"recipients", []any{pay(to, 5*crs)}, "outpoints", one}, "Not enough funds to cover the target with missing amount 0.00010000"},
			{"change address of somebody else", []any{"recipients", []any{pay(to, crs)}, "changeAddress", to}, "Change address not found."},
			{"other network", []any{"recipients", []any{pay(cirrus.MainNet.Zero(), crs)}}, "Invalid Base58"},
		} {
			got := w.build(row.fields...)
			if got.status != 400 || !strings.HasPrefix(got.text(), row.message) {
				t.Errorf("%s on %s: %d %q, want 400 %q", row.name, node, got.status, got.text(), row.message)
			}
		}
		if got := w.build("recipients", []any{pay(to, crs)}, "outpoints", []cirrus.Outpoint{fresh}); !strings.HasSuffix(got.text(), found) {
			t.Errorf("%s: %q", node, got.text())
		}
		sweep := w.build("outpoints", one, "recipients", []any{pay(to, 5*crs-ledger.MinFee)})
		again := w.build("outpoints", one, "recipients", []any{pay(to, 5*crs-ledger.MinFee)})
		if string(sweep.body) != string(again.body) {
			t.Errorf("the same build gives another transaction:\n%s\n%s", sweep.body, again.body)
		}
		built := readAs[builtBody](w, sweep)
		sent := readAs[sentBody](w, w.post("/api/wallet/send-transaction", map[string]string{"hex": built.Hex}))
		if sent.TransactionID != built.TransactionID || len(sent.Outputs) != 1 {
			t.Errorf("sent %+v, built %s", sent, built.TransactionID)
		}
	}
}

func TestFeeOutOfTheAmountIsIgnoredIn2020(t *testing.T) {
	for _, node := range []NodeAge{Node2020, NodeToday} {
		w := newWorld(t, Options{Node: node})
		at, to := w.address(WalletOne), w.address(WalletTwo)
		w.fund(at, 5*crs)
		w.mine(1)
		recipient := pay(to, 5*crs)
		recipient["subtractFeeFromAmount"] = true
		got := w.build("recipients", []any{recipient}, "feeAmount", nil, "feeType", "medium")
		if node == Node2020 {
			w.want(got, 400, "Not enough funds to cover the target")
			continue
		}
		built := readAs[builtBody](w, got)
		if tx, err := ledger.ParseTx(built.Hex); err != nil || tx.Outs[0].Amount != 5*crs-built.Fee || built.Fee != ledger.MinFee {
			t.Errorf("built %+v: %v %v", built, tx, err)
		}
	}
}

// A build reserves its inputs today, sent or not: calls leave them out, builds do not.
func TestReservationToday(t *testing.T) {
	for _, node := range []NodeAge{Node2020, NodeToday} {
		w := newWorld(t, Options{Node: node})
		w.open(100, VenueRequest{})
		at, coin := w.ready(0)
		readAs[builtBody](w, w.build("outpoints", []cirrus.Outpoint{coin}, "recipients", []any{pay(at, crs)}))
		readAs[builtBody](w, w.build("outpoints", []cirrus.Outpoint{coin}, "recipients", []any{pay(at, crs)}))
		got := w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA))
		if node == Node2020 {
			w.want(got, 201, "")
			continue
		}
		w.want(got, 400, "All of the selected inputs are currently reserved, ")
		readAs[struct{}](w, w.post("/sandbox/node", `{"restart":true}`))
		w.want(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), 201, "")
	}
}

func TestAnyPasswordWorksForAWhileIn2020(t *testing.T) {
	w := newWorld(t, Options{Node: Node2020})
	w.fund(w.address(WalletOne), 5*crs)
	w.mine(1)
	send := func(password string) answer {
		return w.build("password", password, "recipients", []any{pay(w.address(WalletTwo), crs)})
	}
	w.want(send("no"), 400, "Invalid password")
	w.want(send(w.s.Password(WalletOne)), 200, "")
	w.want(send("no"), 200, "")
	sign := map[string]any{"walletName": WalletOne, "password": "no", "externalAddress": w.address(WalletOne), "message": "hello"}
	w.want(w.post("/api/wallet/signmessage", sign), 400, "Invalid password")
	w.want(w.post("/api/wallet/signmessage", with(sign, "password", w.s.Password(WalletOne))), 200, "")
	w.clock.add(6 * time.Minute)
	w.want(send("no"), 400, "Invalid password")
}

func TestSendTransactionAnswers(t *testing.T) {
	for _, node := range []NodeAge{Node2020, NodeToday} {
		w := newWorld(t, Options{Node: node})
		at, to := w.address(WalletOne), w.address(WalletTwo)
		coin := w.fund(at, 5*crs)
		w.mine(1)
		build := func(amount uint64) builtBody {
			return readAs[builtBody](w, w.build("outpoints", []cirrus.Outpoint{coin}, "recipients", []any{pay(to, amount)}))
		}
		send := func(hex string) answer { return w.post("/api/wallet/send-transaction", map[string]string{"hex": hex}) }
		node2020 := func(old, today string) string {
			if node == Node2020 {
				return old
			}
			return today
		}
		one, two := build(5*crs-ledger.MinFee), build(5*crs-2*ledger.MinFee)
		readAs[struct{}](w, w.post("/sandbox/node", `{"peers":0}`))
		w.want(send(one.Hex), 403, "Can't send transaction: sending transaction requires at least one connection"+node2020("!", "."))
		readAs[struct{}](w, w.post("/sandbox/node", `{"peers":1,"announce":false}`))
		w.want(send("zz"), 400, "not a transaction")
		w.want(send(strings.Replace(one.Hex, "00e1f505", "00e1f506", 1)+"00"), 400, "not a transaction")
		readAs[sentBody](w, send(one.Hex))
		if got := send(one.Hex); got.status != 400 || got.text() != "" {
			t.Errorf("not announced: %d %q", got.status, got.body)
		}
		readAs[struct{}](w, w.post("/sandbox/node", `{"announce":true}`))
		readAs[sentBody](w, send(one.Hex))
		w.want(send(two.Hex), 400, "txn-mempool-conflict")
		readAs[struct{}](w, w.post("/sandbox/node", `{"restart":true}`))
		w.want(send(one.Hex), 400, "txn-already-in-mempool")
		w.mine(1)
		w.want(send(one.Hex), 400, "txn-already-known")
		w.want(send(two.Hex), 400, node2020("bad-txns-inputs-spent", "bad-txns-inputs-missingorspent"))
		w.balanced()
	}
}

func TestOnlySignedBytesAreTaken(t *testing.T) {
	w := newWorld(t, Options{})
	at := w.address(WalletOne)
	coin := w.fund(at, 5*crs)
	w.mine(1)
	built := readAs[builtBody](w, w.build("outpoints", []cirrus.Outpoint{coin}, "recipients", []any{pay(at, 5*crs-ledger.MinFee)}))
	tx, err := ledger.ParseTx(built.Hex)
	if err != nil || tx.Hex() != built.Hex || tx.ID() != built.TransactionID {
		t.Fatalf("%v: %s", err, built.Hex)
	}
	tx.Outs[0].Amount -= ledger.MinFee
	w.want(w.post("/api/wallet/send-transaction", map[string]string{"hex": tx.Hex()}), 400, "mandatory-script-verify-flag-failed")
	readAs[sentBody](w, w.post("/api/wallet/send-transaction", map[string]string{"hex": built.Hex}))
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

// A dropped transaction is gone from the chain but not from the wallet, until it is sent again or removed.
func TestDroppedCallStillCountsInTheWallet(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{})
		at, coin := w.ready(0)
		id, qr := w.qr(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), seatA)
		hex := readAs[string](w, w.get("/api/Node/getrawtransaction", "trxid", string(id), "verbose", "false"))
		raw := readAs[struct {
			Hex string    `json:"hex"`
			Vin []vinBody `json:"vin"`
		}](w, w.get("/api/Node/getrawtransaction", "trxid", string(id), "verbose", "true"))
		if raw.Hex != hex || raw.Vin[0].TxID != coin.TxID || *raw.Vin[0].Vout != coin.Index {
			t.Fatalf("%+v", raw)
		}
		readAs[struct{}](w, w.post("/sandbox/drop", map[string]any{"transactionId": id}))
		if out := w.get("/api/Node/gettxout", "trxid", string(coin.TxID), "vout", "0", "includeMemPool", "true"); string(out.body) == "null" {
			t.Fatal("the coin is still spent on chain")
		}
		if coins := w.spendable(WalletOne, at); slices.ContainsFunc(coins, func(c spendableBody) bool { return c.ID == coin.TxID }) {
			t.Fatal("the wallet has the coin back")
		}
		calls := readAs[[]callItemBodyIn](w, w.get("/api/SmartContractWallet/history", "walletName", WalletOne, "address", string(at)))
		if len(calls) != 1 || calls[0].Hash != id || calls[0].BlockHeight != nil || calls[0].Type != itemCall {
			t.Fatalf("%+v", calls)
		}
		readAs[sentBody](w, w.post("/api/wallet/send-transaction", map[string]string{"hex": hex}))
		readAs[struct{}](w, w.post("/sandbox/drop", map[string]any{"transactionId": id}))
		removed := readAs[[]removedBody](w, w.do(http.MethodDelete, w.s.NodeURL()+"/api/wallet/remove-transactions?walletName=usher1&ids="+string(id)+"&reSync=false", nil))
		if len(removed) != 1 || removed[0].TransactionID != id {
			t.Fatalf("%+v", removed)
		}
		if coins := w.spendable(WalletOne, at); len(coins) != 1 || coins[0].ID != coin.TxID {
			t.Fatalf("%+v", coins)
		}
		readAs[sentBody](w, w.post("/api/wallet/send-transaction", map[string]string{"hex": hex}))
		w.mine(1)
		if !w.scan(qr).Opens {
			t.Fatal("the same bytes do not buy the seat")
		}
		w.balanced()
	})
}

type callItemBodyIn struct {
	BlockHeight *uint64        `json:"blockHeight"`
	Type        int            `json:"type"`
	Hash        cirrus.TxID    `json:"hash"`
	To          cirrus.Address `json:"to"`
	Amount      float64        `json:"amount"`
	GasFee      float64        `json:"gasFee"`
}

func TestDoubleSpentPaymentVanishes(t *testing.T) {
	w := newWorld(t, Options{})
	at := w.address(WalletOne)
	coin := w.fund(at, 5*crs)
	w.mine(1)
	readAs[struct{}](w, w.post("/sandbox/reorg", `{"depth":1}`))
	thief := readAs[transactionBody](w, w.post("/sandbox/doublespend", map[string]any{"transactionId": coin.TxID}))
	w.mine(1)
	if coins := w.spendable(WalletOne, at); len(coins) != 0 {
		t.Fatalf("%+v", coins)
	}
	if got := w.address(WalletOne); got != at {
		t.Fatalf("the address is used: the next one is %s", got)
	}
	if pool := readAs[[]cirrus.TxID](w, w.get("/api/Mempool/getrawmempool")); len(pool) != 0 || thief.TransactionID == coin.TxID {
		t.Fatalf("%v", pool)
	}
	w.balanced()
}

func TestUnusedAddressesStayTheSameUntilUsed(t *testing.T) {
	w := newWorld(t, Options{})
	ask := func(what, n string) []cirrus.Address {
		return readAs[[]cirrus.Address](w, w.get("/api/wallet/"+what, "walletName", WalletOne, "accountName", Account, "count", n))
	}
	before := ask("unusedaddresses", "30")
	if again := ask("unusedaddresses", "3"); !slices.Equal(again, before[:3]) {
		t.Fatalf("%v, then %v", before[:3], again)
	}
	w.fund(before[0], crs)
	if again := ask("unusedaddresses", "2"); !slices.Equal(again, before[1:3]) {
		t.Fatalf("after a payment: %v", again)
	}
	if fresh := ask("newaddresses", "2"); slices.Contains(before, fresh[0]) || slices.Contains(before, fresh[1]) {
		t.Fatalf("not new: %v", fresh)
	}
	old := newWorld(t, Options{Node: Node2020})
	if got := old.get("/api/wallet/newaddresses", "walletName", WalletOne, "count", "1"); got.status != 404 {
		t.Fatalf("2020: %d", got.status)
	}
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
