package chain

import (
	"encoding/hex"
	"errors"
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

func TestAReceiptIsPlacedInTheChain(t *testing.T) {
	const block, hash = "/api/BlockStore/block", "/api/Consensus/getblockhash"
	node := newFakeNode(t)
	client := node.client(t)
	for _, test := range []struct {
		name, number, block, hash string
		want                      uint64
	}{
		{"height left out", "", blockBody(4711, string(txB), string(txA)), "", 4711},
		{"height left out, block undone", "", "", "", 0},
		{"height given", `"blockNumber":12,`, "", string(txB), 12},
		{"height given, block undone", `"blockNumber":12,`, "", string(txA), 0},
		{"height given, chain shorter", `"blockNumber":12,`, "", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			node.on(receiptPath, 200, showReceipt(showBody, test.number))
			node.on(block, 200, test.block)
			node.on(hash, 200, quoted(test.hash))
			if test.block == "" {
				node.on(block, 404, `"Block not found"`)
			}
			if test.hash == "" {
				node.on(hash, 400, refusal(400, "No block found at height 12"))
			}
			receipt, err := client.Receipt(t.Context(), txA)
			if receipt.Block != test.want || (test.want == 0) != errors.Is(err, order.ErrNotMined) {
				t.Fatalf("got %+v, %v", receipt, err)
			}
			if err != nil {
				wrapsOne(t, err)
			}
		})
	}
	query, _ := url.ParseQuery(node.query(block))
	if query.Get("hash") != string(txB) || query.Get("outputJson") != "true" {
		t.Fatalf("asked %v", query)
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
