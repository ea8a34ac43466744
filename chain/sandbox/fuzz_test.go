package sandbox

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
)

// still makes a sandbox without servers or files.
func still(t testing.TB) *Sandbox {
	s, err := build(Options{Seed: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func call(handler http.Handler, method, target string, body []byte) int {
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(method, target, bytes.NewReader(body))
	handler.ServeHTTP(recorder, request)
	return recorder.Code
}

// Whatever a caller sends, every call of the node API answers.
func FuzzNodeBodies(f *testing.F) {
	f.Add([]byte(`{"walletName":"usher1","password":"x","recipients":[{"amount":"1","destinationAddress":"t6vc3nrbAurGs3i17HJUavZuw4ioKTiFCE"}],"feeType":"low"}`))
	f.Add([]byte(`{"hex":"0100000001"}`))
	f.Add([]byte(`{"parameters":["10#","4#",null],"outpoints":[{"index":-1}]}`))
	f.Add([]byte(`{"walletName":["a"],"date":"x","gasPrice":1e99}`))
	s := still(f)
	handler, routes := s.Handler(), s.nodeRoutes()
	f.Fuzz(func(t *testing.T, body []byte) {
		for path, route := range routes {
			if code := call(handler, route.method, path, body); code < 200 || code > 599 {
				t.Fatalf("%s: %d", path, code)
			}
		}
	})
}

func FuzzNodeQueries(f *testing.F) {
	f.Add("usher1", "account 0", "1")
	f.Add("float", "account0", "-1")
	f.Add("", "\x00", "99999999999999999999")
	s := still(f)
	handler, routes := s.Handler(), s.nodeRoutes()
	f.Fuzz(func(t *testing.T, wallet, text, number string) {
		query := url.Values{}
		for _, name := range []string{"walletName", "name"} {
			query.Set(name, wallet)
		}
		for _, name := range []string{"accountName", "address", "contractAddress", "txHash", "hash", "trxid", "ids", "fromDate", "q", "eventName"} {
			query.Set(name, text)
		}
		for _, name := range []string{"count", "vout", "height", "fromBlock", "toBlock", "skip", "take", "minConfirmations"} {
			query.Set(name, number)
		}
		for path, route := range routes {
			if code := call(handler, route.method, path+"?"+query.Encode(), nil); code < 200 || code > 599 {
				t.Fatalf("%s: %d", path, code)
			}
		}
	})
}

func FuzzTicketboothBodies(f *testing.F) {
	f.Add([]byte(`{"walletName":"usher1","accountName":"account 0","password":"x","gasPrice":100,"sender":"t6vc3nrbAurGs3i17HJUavZuw4ioKTiFCE","seat":{"number":1,"letter":"A"}}`))
	f.Add([]byte(`{"seat":{"letter":"\ud800"},"seats":[{}],"seatPrices":[{"price":"7"}],"details":{}}`))
	f.Add([]byte(`null`))
	s := still(f)
	handler := s.TicketboothHandler()
	paths := []string{boothPath, boothPath + "/x/Tickets"}
	for _, name := range []string{"ReserveTicket", "ReleaseTicket", "BeginSale", "EndSale", "TicketReleaseFee", "NoReleaseBlocks", "IdentityVerificationPolicy"} {
		paths = append(paths, boothPath+"/"+string(s.venues[0])+"/"+name)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range paths {
			if code := call(handler, http.MethodPost, path, body); code < 200 || code > 599 {
				t.Fatalf("%s: %d", path, code)
			}
		}
	})
}

func FuzzControlBodies(f *testing.F) {
	f.Add([]byte(`{"address":"t6vc3nrbAurGs3i17HJUavZuw4ioKTiFCE","amount":1000000,"ticket":"[{}]"}`))
	f.Add([]byte(`{"venue":"x","seats":[{"number":0,"letter":"\u0000"}],"releaseFee":18446744073709551615}`))
	f.Add([]byte(`{"peers":1e9,"depth":-1,"kind":"slow:1h"}`))
	s := still(f)
	handler := s.ControlHandler()
	var paths []string
	for path := range s.controlRoutes() {
		if !slices.Contains([]string{"/sandbox/mine", "/sandbox/reorg", "/sandbox/fault"}, path) {
			paths = append(paths, path)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range paths {
			if code := call(handler, http.MethodPost, path, body); code < 200 || code > 499 {
				t.Fatalf("%s: %d", path, code)
			}
		}
	})
}

func TestBodiesAreBounded(t *testing.T) {
	s := still(t)
	large := bytes.Repeat([]byte(" "), maxBody+1)
	for path, handler := range map[string]http.Handler{
		"/api/wallet/send-transaction": s.Handler(), "/sandbox/mine": s.Handler(), boothPath: s.TicketboothHandler(),
	} {
		if code := call(handler, http.MethodPost, path, large); code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d", path, code)
		}
	}
}
