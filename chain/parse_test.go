package chain

import (
	"encoding/hex"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func TestNumbersOfBothKinds(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "230000000": 230_000_000, "230000000.0": 230_000_000, "7.": 7, "null": 0,
		"18446744073709551615": math.MaxUint64, "18446744073709551615.00": math.MaxUint64,
	} {
		var got number
		if err := got.UnmarshalJSON([]byte(text)); err != nil || uint64(got) != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"-1", "1.5", "1e3", `"1"`, "", "{}", "true", "18446744073709551616"} {
		var got number
		if err := got.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s was taken as %d", text, got)
		}
	}
	var amount strats
	if err := amount.UnmarshalJSON([]byte("9223372036854775808")); err == nil {
		t.Error("an amount that does not fit was taken")
	}
}

const (
	keyHex = "62B6A1F0C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E"
	ivHex  = "524A0102030405060708090A0B0C0D0E"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestReservationOfEachGeneration(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	cipher := `{"plaintext":"h8pqqc2_r90je7v","key":"` + keyHex + `","iv":"` + ivHex + `"}`
	name := `{"key":"` + strings.ToLower(keyHex) + `","iv":"` + ivHex + `"}`
	hashed := order.Secret{TxID: txA, Plaintext: "h8pqqc2_r90je7v"}
	ciphered := hashed
	ciphered.Key, ciphered.IV = unhex(t, keyHex), unhex(t, ivHex)
	named := ciphered
	named.NameKey, named.NameIV = ciphered.Key, ciphered.IV
	for body, want := range map[string]order.Secret{
		`{"transactionHash":"` + string(txA) + `","secret":"h8pqqc2_r90je7v","customerName":null}`:            hashed,
		`{"transactionHash":"` + string(txA) + `","secret":"h8pqqc2_r90je7v"}`:                                hashed,
		`{"transactionHash":"` + strings.ToUpper(string(txA)) + `","secret":` + cipher + `}`:                  ciphered,
		`{"transactionHash":"` + string(txA) + `","secret":` + cipher + `,"customerName":` + name + `,"x":1}`: named,
	} {
		node.on(reservePath, 201, body)
		got, err := client.Reserve(t.Context(), testCall)
		if err != nil || got.TxID != txA || !reflect.DeepEqual(got.Secret, want) {
			t.Errorf("%s: got %#v, %v", body, got.Secret.TxID, err)
		}
	}
	sent := node.body(reservePath)
	want := map[string]any{
		"walletName": "usher1", "accountName": "account 0", "password": testPassword, "gasPrice": 100.0, "sender": "tSender",
		"outpoints": []any{map[string]any{"transactionId": string(txA), "index": 3.0}},
		"seat":      map[string]any{"number": 3.0, "letter": "D"}, "customerName": "Ada Lovelace",
	}
	if !reflect.DeepEqual(sent, want) {
		t.Errorf("sent %v", sent)
	}
	node.on(releasePath, 201, quoted(string(txB)))
	if id, err := client.Release(t.Context(), testCall); err != nil || id != txB {
		t.Errorf("release: got %s, %v", id, err)
	}
	if _, named := node.body(releasePath)["customerName"]; named {
		t.Error("a release tells the name")
	}
}

func TestAnAnswerWithoutAUsableSecretIsNotTaken(t *testing.T) {
	id := `"transactionHash":"` + string(txA) + `"`
	for _, body := range []string{
		`{}`, `null`, `[]`, `{` + id + `}`, `{` + id + `,"secret":null}`, `{` + id + `,"secret":""}`, `{` + id + `,"secret":7}`,
		`{` + id + `,"secret":{}}`, `{` + id + `,"secret":{"plaintext":"h8pq"}}`, `{"transactionHash":"12","secret":"h8pq"}`,
		`{` + id + `,"secret":{"plaintext":"","key":"` + keyHex + `","iv":"` + ivHex + `"}}`,
		`{` + id + `,"secret":{"plaintext":"h8pq","key":"XX","iv":"` + ivHex + `"}}`,
	} {
		if got, err := parseReservation([]byte(body)); err == nil {
			t.Errorf("%s was taken as %v", body, got.TxID)
		}
	}
}

func TestTicketsAsTheAPIWritesThem(t *testing.T) {
	tickets, err := parseTickets([]byte(`[
		{"seat":{"number":1,"letter":"A"},"price":230000000,"address":"t6vc3nrbAurGs3i17HJUavZuw4ioKTiFCE","secret":null,"customerIdentifier":null},
		{"seat":{"number":2,"letter":"\u0000"},"price":18446744073709551615,"address":"tOwner","secret":"83041BA1","customerIdentifier":"2320"}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []cirrus.Ticket{
		{Seat: cirrus.Seat{Number: 1, Letter: 'A'}, Price: 230_000_000, Address: cirrus.TestNet.Zero()},
		{Seat: cirrus.Seat{Number: 2}, Price: math.MaxUint64, Address: "tOwner", Secret: []byte{0x83, 0x04, 0x1b, 0xa1}, Identifier: []byte{0x23, 0x20}},
	}
	if !reflect.DeepEqual(tickets, want) {
		t.Fatalf("got %+v", tickets)
	}
	for _, body := range []string{`{}`, `[{}]`, `[{"seat":{"number":1,"letter":"AB"}}]`, `[{"seat":{"number":1},"price":-1}]`, `"x"`, ``} {
		if _, err := parseTickets([]byte(body)); err == nil {
			t.Errorf("%s was taken", body)
		}
	}
}

const (
	showTopic = "53686F77"
	showBody  = `{"Name":"Dune","Organiser":"Odeon","Time":1895075621,"EndOfSale":100000}`
)

func showReceipt(log, number string) string {
	return `{"transactionHash":"` + string(txA) + `","blockHash":"` + string(txB) + `",` + number + `"postState":"00","gasUsed":42000,
		"from":"tOwner","to":"` + string(testContract) + `","newContractAddress":null,"success":true,"returnValue":null,"bloom":"00","error":null,
		"logs":[{"address":"` + string(testContract) + `","topics":["` + showTopic + `"],"data":"C0","log":` + log + `}]}`
}

func TestShowLogOfEachGeneration(t *testing.T) {
	for name, body := range map[string]string{
		"2020":              showReceipt(showBody, ""),
		"today":             showReceipt(`{"event":"Show","data":`+showBody+`}`, `"blockNumber":77,`),
		"today, camel case": showReceipt(`{"event":"Show","data":{"name":"Dune","organiser":"Odeon","time":1895075621,"endOfSale":100000.0}}`, `"blockNumber":77,`),
	} {
		receipt, err := parseReceipt([]byte(body))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		log, from, found := lastLog([]Receipt{receipt}, testContract, "Show")
		if !found || from.GasUsed != 42000 || from.TxID != txA {
			t.Fatalf("%s: got %+v", name, receipt)
		}
		show, err := showOf(log, receipt)
		want := cirrus.Show{
			Name: "Dune", Organiser: "Odeon", Time: time.Unix(1895075621, 0).UTC(), EndOfSale: 100000, TxID: txA, Block: receipt.Block,
		}
		if err != nil || show != want {
			t.Fatalf("%s: got %+v, %v", name, show, err)
		}
	}
}

func TestAnyTimeOfAShowCanBeWritten(t *testing.T) {
	receipt, err := parseReceipt([]byte(showReceipt(`{"Name":"","Organiser":"","Time":18446744073709551615,"EndOfSale":18446744073709551615}`, "")))
	if err != nil {
		t.Fatal(err)
	}
	show, err := showOf(receipt.Logs[0], receipt)
	if err != nil || show.EndOfSale != math.MaxUint64 {
		t.Fatalf("got %+v, %v", show, err)
	}
	if _, err := show.Time.MarshalJSON(); err != nil {
		t.Fatal(err)
	}
}

func TestReceiptErrorIsItsFirstLine(t *testing.T) {
	const first = "Stratis.SmartContracts.SmartContractAssertException: Sale not open"
	for _, body := range []string{
		quoted(first + "\r\n   at TicketContract.Reserve()\r\n"), quoted(first), `{"value":` + quoted(first+"\nat") + `}`,
	} {
		receipt, err := parseReceipt([]byte(`{"transactionHash":"` + string(txA) + `","success":false,"gasUsed":10.0,"logs":[],"error":` + body + `}`))
		if err != nil || receipt.Error != first || receipt.Success || receipt.GasUsed != 10 {
			t.Errorf("%s: got %+v, %v", body, receipt, err)
		}
	}
}

func TestAReceiptWithoutAHeightIsPlacedByItsBlock(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	node.on(receiptPath, 200, showReceipt(showBody, ""))
	node.on("/api/BlockStore/block", 200, blockBody(4711, string(txB), string(txA)))
	receipt, err := client.Receipt(t.Context(), txA)
	if err != nil || receipt.Block != 4711 {
		t.Fatalf("got %+v, %v", receipt, err)
	}
	query, _ := url.ParseQuery(node.query("/api/BlockStore/block"))
	if query.Get("hash") != string(txB) || query.Get("outputJson") != "true" {
		t.Fatalf("asked %v", query)
	}
	node.on(receiptPath, 200, showReceipt(showBody, `"blockNumber":12,`))
	if receipt, err := client.Receipt(t.Context(), txA); err != nil || receipt.Block != 12 || node.count("/api/BlockStore/block") != 1 {
		t.Fatalf("got %+v, %v", receipt, err)
	}
}

func TestStatusSaysWhetherTheNodeIsFit(t *testing.T) {
	fit := `{"version":"1.4.0.7","network":"CirrusTest","coinTicker":"TCRS","consensusHeight":100,"headerHeight":100,"blockStoreHeight":100,
		"bestPeerHeight":101,"inIbd":false,"state":"Started","inboundPeers":[],"outboundPeers":[{}],
		"featuresData":[{"namespace":"Stratis.Bitcoin.Features.SmartContracts.SmartContractFeature","state":"Initialized"}]}`
	for _, test := range []struct {
		from, to string
		healthy  bool
	}{
		{"", "", true},
		{`"bestPeerHeight":101`, `"bestPeerHeight":null`, true},
		{`"bestPeerHeight":101`, `"bestPeerHeight":103`, false},
		{`"inIbd":false`, `"inIbd":true`, false},
		{`[{}]`, `[]`, false},
		{`"state":"Started","inb`, `"state":"Starting","inb`, false},
		{`"state":"Initialized"`, `"state":"FailedToInitialize"`, false},
		{`"blockStoreHeight":100`, `"blockStoreHeight":-1`, true},
		{`"headerHeight":100`, `"headerHeight":null`, true},
	} {
		status, err := parseStatus([]byte(strings.Replace(fit, test.from, test.to, 1)))
		if err != nil {
			t.Fatalf("%s: %v", test.to, err)
		}
		if healthy, why := status.Health(); healthy != test.healthy || (why == "") != healthy {
			t.Errorf("%s: got %v, %q", test.to, healthy, why)
		}
	}
	for _, body := range []string{`{}`, `null`, `[]`, `"x"`, ``} {
		if _, err := parseStatus([]byte(body)); err == nil {
			t.Errorf("%s was taken", body)
		}
	}
}

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
	if err != nil || len(moves) != 2 || moves[0].Block != 9 || moves[1].Block != 0 || moves[1].Type != "createOrCall" {
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
