package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/ledger"
)

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
