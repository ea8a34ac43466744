package chain

import (
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func TestWalletCalls(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	node.on("/api/wallet/spendable-transactions", 200, `{"transactions":[{"id":"`+string(txA)+`","index":2,"address":"tOne",
		"isChange":false,"amount":230000000,"creationTime":"1606207200","confirmations":0}]}`)
	coins, err := client.Spendable(t.Context(), testAccount)
	want := []cirrus.Coin{{Outpoint: cirrus.Outpoint{TxID: txA, Index: 2}, Address: "tOne", Amount: 230_000_000}}
	if err != nil || !reflect.DeepEqual(coins, want) {
		t.Fatalf("got %+v, %v", coins, err)
	}
	node.on("/api/wallet/unusedaddresses", 200, `["tOne","tTwo"]`)
	if got, err := client.Candidates(t.Context(), testAccount, 2); err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	query, _ := url.ParseQuery(node.query("/api/wallet/unusedaddresses"))
	if query.Get("count") != "2" || query.Get("walletName") != "usher1" || query.Get("accountName") != "account 0" {
		t.Fatalf("asked %v", query)
	}
	node.on("/api/SmartContractWallet/address-balance", 200, `230000000.0`)
	if got, err := client.Balance(t.Context(), "tOne"); err != nil || got != 230_000_000 {
		t.Fatalf("got %d, %v", got, err)
	}
	node.on("/api/wallet/general-info", 200, `{"walletName":"usher1","network":"CirrusTest","lastBlockSyncedHeight":99,"chainTip":100}`)
	if got, err := client.WalletInfo(t.Context(), "usher1"); err != nil || got.Synced != 99 || got.Tip != 100 {
		t.Fatalf("got %+v, %v", got, err)
	}
	node.on("/api/wallet/signmessage", 200, `"H0mFh…"`)
	if err := client.CheckPassword(t.Context(), "usher1", "tOne"); err != nil {
		t.Fatal(err)
	}
	node.on("/api/SmartContracts/code", 200, `{"type":null,"bytecode":null,"csharp":null,"message":"No contract execution code exists at tOne"}`)
	if is, err := client.IsContract(t.Context(), "tOne"); err != nil || is {
		t.Fatalf("got %v, %v", is, err)
	}
	node.on("/api/SmartContracts/code", 200, `{"type":"TicketContract","bytecode":"4D5A","csharp":"…","message":"…"}`)
	if is, err := client.IsContract(t.Context(), "tOne"); err != nil || !is {
		t.Fatalf("got %v, %v", is, err)
	}
}

func TestBuildSpendsWhatIsNamedAndNothingElse(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	payment := order.Payment{
		Account: testAccount, Coins: []cirrus.Outpoint{{TxID: txA, Index: 1}}, Fee: 10_000,
		Outputs: []order.Output{{Address: "tRefund", Amount: 125_000_000}},
	}
	node.on(buildPath, 200, `{"fee":10000,"hex":"0100ff","transactionId":"`+string(txB)+`"}`)
	built, err := client.Build(t.Context(), payment)
	if err != nil || built != (order.BuiltTx{TxID: txB, Hex: "0100ff"}) {
		t.Fatalf("got %+v, %v", built, err)
	}
	want := map[string]any{
		"walletName": "usher1", "accountName": "account 0", "password": testPassword, "feeAmount": "0.00010000",
		"outpoints":        []any{map[string]any{"transactionId": string(txA), "index": 1.0}},
		"recipients":       []any{map[string]any{"destinationAddress": "tRefund", "amount": "1.25000000", "subtractFeeFromAmount": false}},
		"allowUnconfirmed": false, "shuffleOutputs": false,
	}
	if sent := node.body(buildPath); !reflect.DeepEqual(sent, want) {
		t.Fatalf("sent %v", sent)
	}
	node.on(buildPath, 200, `{"fee":20000,"hex":"0100ff","transactionId":"`+string(txB)+`"}`)
	if _, err := client.Build(t.Context(), payment); err == nil {
		t.Fatal("another fee than the one asked for was taken")
	}
	node.on(sendPath, 200, `{"transactionId":"`+string(txB)+`","outputs":[]}`)
	if err := client.Send(t.Context(), built.Hex); err != nil {
		t.Fatal(err)
	}
}

func TestWhatBecameOfACoin(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	const output = "/api/Node/gettxout"
	for body, want := range map[string]bool{
		`null`: false,
		`{"bestblock":"` + string(txB) + `","confirmations":1,"value":100,"scriptPubKey":{"asm":""},"coinbase":true}`: true,
	} {
		node.on(output, 200, body)
		if got, err := client.Unspent(t.Context(), cirrus.Outpoint{TxID: txA, Index: 5}, true); err != nil || got != want {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	query, _ := url.ParseQuery(node.query(output))
	if query.Get("trxid") != string(txA) || query.Get("vout") != "5" || query.Get("includeMemPool") != "true" {
		t.Fatalf("asked %v", query)
	}
	for body, want := range map[string]string{`{"hex":"00FF"}`: "00FF", `"00ff"`: "00ff"} {
		node.on("/api/Node/getrawtransaction", 200, body)
		if got, err := client.Raw(t.Context(), txA); err != nil || got != want {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	node.on("/api/Node/getrawtransaction", 200, `null`)
	_, err := client.Raw(t.Context(), txA)
	wrapsOne(t, err)
	node.on("/api/Mempool/getrawmempool", 200, `["`+string(txA)+`"]`)
	if got, err := client.Mempool(t.Context()); err != nil || !got[txA] || got[txB] {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestCallsOfAnAddress(t *testing.T) {
	calls, err := parseCalls([]byte(`[
		{"blockHeight":null,"type":3,"hash":"` + string(txA) + `","to":"` + string(testContract) + `","amount":230000000.0,"transactionFee":25000000.0,"gasFee":25000000.0},
		{"blockHeight":12,"type":3,"hash":"` + string(txB) + `","to":"tOther","amount":0.0,"transactionFee":0.0,"gasFee":0.0},
		{"blockHeight":12,"type":0,"hash":"` + string(txB) + `","to":"tOther"},
		{"blockHeight":13,"type":4,"hash":"` + string(txB) + `","to":""}]`))
	if err != nil || len(calls) != 2 || calls[0].Block != nil || calls[0].To != testContract || *calls[1].Block != 12 {
		t.Fatalf("got %+v, %v", calls, err)
	}
	moves, err := parseHistory([]byte(`{"history":[{"accountName":"account 0","accountHdPath":"m/44'/400'/0'","coinType":400,"transactionsHistory":[
		{"type":"received","toAddress":"tOne","id":"` + string(txA) + `","amount":100,"confirmedInBlock":9,"timestamp":"1"},
		{"type":"createOrCall","id":"` + string(txB) + `","amount":0}]}]}`))
	if err != nil || len(moves) != 2 || moves[0].Block != 9 || moves[1].Block != 0 || moves[1].Kind != "createOrCall" {
		t.Fatalf("got %+v, %v", moves, err)
	}
}

func TestForgettingFreesTheCoinsOnBothGenerations(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	const forget = "/api/wallet/remove-transactions"
	for version, rescan := range map[string]string{"3.0.5.0": "true", "1.4.0.7": "false"} {
		node.on("/api/Node/status", 200, `{"version":"`+version+`","network":"CirrusTest"}`)
		node.on(forget, 200, `[]`)
		if err := client.Forget(t.Context(), testAccount, txA, txB); err != nil {
			t.Fatal(err)
		}
		query, _ := url.ParseQuery(node.query(forget))
		if query.Get("reSync") != rescan || len(query["ids"]) != 2 {
			t.Fatalf("%s: asked %v", version, query)
		}
	}
	node.on("/api/wallet/sync-from-date", 200, ``)
	if err := client.Rescan(t.Context(), "usher1", time.Unix(1_600_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	if sent := node.body("/api/wallet/sync-from-date"); sent["date"] != "2020-09-13T12:26:40Z" {
		t.Fatalf("sent %v", sent)
	}
}

// TestTrafficOfAnAccount reads a history of several pages: who received is named once with all that came; whom the
// account paid is kept apart, for most of these are no addresses of ours.
func TestTrafficOfAnAccount(t *testing.T) {
	pages := []string{
		`{"history":[{"transactionsHistory":[
			{"type":"received","toAddress":"tA","id":"` + string(txA) + `","amount":5},
			{"type":"send","toAddress":"tX","id":"` + string(txB) + `","amount":5,"payments":[{"destinationAddress":"tY"}]}]}]}`,
		`{"history":[{"transactionsHistory":[{"type":"received","toAddress":"tA","id":"` + string(txB) + `","amount":7,"confirmedInBlock":3}]}]}`,
	}
	traffic := Traffic{map[cirrus.Address][]cirrus.TxID{}, map[cirrus.Address][]cirrus.TxID{}}
	for i, want := range []int{2, 1} {
		if n, err := traffic.add([]byte(pages[i])); err != nil || n != want {
			t.Errorf("page %d: %d entries, %v", i, n, err)
		}
	}
	if len(traffic.Received) != 1 || !slices.Equal(traffic.Received["tA"], []cirrus.TxID{txA, txB}) ||
		len(traffic.Paid) != 1 || !slices.Equal(traffic.Paid["tY"], []cirrus.TxID{txB}) {
		t.Errorf("%+v", traffic)
	}
	for _, garbage := range []string{``, `{}`, `{"history":[{"transactionsHistory":[{"type":"received","toAddress":"tA","id":"no"}]}]}`} {
		if _, err := traffic.add([]byte(garbage)); err == nil {
			t.Errorf("%q is taken", garbage)
		}
	}
}
