package chain

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/usherbot/usher/chain/cirrus"
)

func FuzzReceipts(f *testing.F) {
	f.Add([]byte(showReceipt(showBody, "")))
	f.Add([]byte(showReceipt(`{"event":"Show","data":`+showBody+`}`, `"blockNumber":77,`)))
	f.Add([]byte(`{"transactionHash":"` + string(txA) + `","error":{"value":"x"},"logs":[{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		one, err := parseReceipt(body)
		if err == nil && len(one.TxID) != 64 {
			t.Fatalf("receipt of %q", one.TxID)
		}
		many, errMany := parseReceipts([]byte("[" + string(body) + "]"))
		if err == nil && (errMany != nil || len(many) != 1) {
			t.Fatalf("one receipt is not a list of one: %v", errMany)
		}
		if strings.ContainsAny(one.Error, "\n\r\x00") || len(one.Error) > maxMessage+len("…") {
			t.Fatalf("error %q", one.Error)
		}
		for _, log := range one.Logs {
			if show, err := showOf(log, one); err == nil {
				if _, err := show.Time.MarshalJSON(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte(`{"network":"CirrusMain","consensusHeight":1,"inboundPeers":[{}],"featuresData":[{"namespace":"a.b","state":"c"}]}`))
	f.Add([]byte(`{"network":"CirrusTest","consensusHeight":-1,"bestPeerHeight":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		status, err := parseStatus(body)
		if healthy, why := status.Health(); err == nil && healthy != (why == "") {
			t.Fatalf("%v, %q", healthy, why)
		}
	})
}

func FuzzTickets(f *testing.F) {
	f.Add([]byte(`[{"seat":{"number":1,"letter":"A"},"price":230000000.0,"address":"t6vc3","secret":"AB","customerIdentifier":null}]`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		if tickets, err := parseTickets(body); err == nil {
			_ = firstOfEach(tickets)
		}
	})
}

func FuzzReservation(f *testing.F) {
	f.Add([]byte(`{"transactionHash":"` + string(txA) + `","secret":"h8pqqc2_r90je7v","customerName":null}`))
	f.Add([]byte(`{"transactionHash":"` + string(txA) + `","secret":{"plaintext":"h8pq","key":"` + keyHex + `","iv":"` + ivHex + `"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseReservation(body)
		if err != nil {
			if err != errGarbage {
				t.Fatalf("the error may quote the answer: %v", err)
			}
			return
		}
		if got.Secret.Plaintext == "" || got.Secret.TxID != got.TxID || len(got.TxID) != 64 {
			t.Fatal("a reservation without its secret")
		}
		if (len(got.Secret.Key) == 0) != (len(got.Secret.IV) == 0) {
			t.Fatal("half a key")
		}
	})
}

func FuzzRelease(f *testing.F) {
	f.Add([]byte(quoted(string(txA))))
	f.Fuzz(func(t *testing.T, body []byte) {
		if id, err := parseRelease(body); err == nil && len(id) != 64 {
			t.Fatalf("took %q", id)
		}
	})
}

func FuzzDirect(f *testing.F) {
	f.Add([]byte(wentWell))
	f.Add([]byte(`{"revert":true,"errorMessage":{"value":"Stratis.SmartContracts.SmartContractAssertException: Sale not open\r\n at"}}`))
	f.Add([]byte(`{"success":false,"message":"Not enough funds.","transactionId":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ended, err := parseRehearsal(body)
		if strings.ContainsAny(ended.words, "\n\r\x00") || len(ended.words) > maxMessage+len("…") || err != nil && ended.reverted {
			t.Fatalf("%+v, %v", ended, err)
		}
		if means := assertion(ended.words); !hasOutcome(means) {
			t.Fatalf("%q means %v", ended.words, means)
		}
		var answer called
		if into(&answer)(body) != nil {
			return
		}
		if id, err := answer.read(testPassword); (err == nil) != (len(id) == 64) || err != nil && !hasOutcome(err) {
			t.Fatalf("took %q, %v", id, err)
		}
	})
}

func FuzzWallet(f *testing.F) {
	f.Add([]byte(`{"transactions":[{"id":"` + string(txA) + `","index":2,"address":"tOne","amount":230000000.0,"confirmations":0}]}`))
	f.Add([]byte(`[{"blockHeight":null,"type":3,"hash":"` + string(txA) + `","to":"t"}]`))
	f.Add([]byte(`{"history":[{"transactionsHistory":[{"type":"send","id":"` + string(txA) + `"}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		coins, err := parseSpendable(body)
		for _, coin := range coins {
			if err != nil || coin.Amount < 0 {
				t.Fatalf("coin %+v, %v", coin, err)
			}
		}
		_, _ = parseCalls(body)
		_, _ = parseHistory(body)
		_, _ = Traffic{map[cirrus.Address][]cirrus.TxID{}, map[cirrus.Address][]cirrus.TxID{}}.add(body)
	})
}

func FuzzBlock(f *testing.F) {
	f.Add([]byte(blockBody(4711, string(txA), string(txB), txA)))
	f.Add([]byte(`{"hex":"00"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if block, err := parseBlock(body); err == nil && (len(block.Hash) != 64 || len(block.Parent) != 64) {
			t.Fatalf("took %+v", block)
		}
		if raw, err := parseRaw(body); err == nil && len(raw)%2 != 0 {
			t.Fatalf("took %q", raw)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(refusal(400, "Not enough funds.")), "secret")
	f.Add([]byte(`{"errors":{"Sender":["a","b"]}}`), "a")
	f.Add([]byte(`"x\ny"`), "")
	f.Fuzz(func(t *testing.T, body []byte, secret string) {
		text := clean(messageOf(body), []string{secret})
		if strings.ContainsAny(text, "\n\r\x00\x1b") || len(text) > maxMessage+len("…") || !utf8.ValidString(text) {
			t.Fatalf("%q", text)
		}
		if secret != "" && !strings.Contains("… ", secret) && len(secret) > 3 && strings.Contains(text, secret) {
			t.Fatalf("%q tells %q", text, secret)
		}
		_ = meaning(400, text, true)
	})
}

func FuzzNumber(f *testing.F) {
	f.Add("230000000.0")
	f.Add("-1")
	f.Fuzz(func(t *testing.T, text string) {
		var n number
		if n.UnmarshalJSON([]byte(text)) == nil && text != "null" && strings.ContainsAny(text, "-eE \"") {
			t.Fatalf("took %q as %d", text, n)
		}
		_, _ = cirrus.StratsOf(uint64(n))
	})
}
