package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

func (w *world) fault(fields string) {
	w.t.Helper()
	readAs[struct{}](w, w.post("/sandbox/fault", fields))
}

// The answer is lost but the work is done: the seat is bought, and nobody has its secret.
func TestDropAfterDoesTheWork(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{})
		at, coin := w.ready(0)
		w.fault(`{"path":"reserveticket","kind":"drop-after"}`)
		if got := w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)); got.err == nil {
			t.Fatalf("an answer came: %d", got.status)
		}
		w.mine(1)
		tickets := readAs[[]ticketBody](w, w.booth(http.MethodGet, "/"+string(w.venue)+"/Tickets", nil))
		if tickets[0].Address != at || tickets[0].Secret == nil {
			t.Fatalf("%+v", tickets[0])
		}
		calls := readAs[[]callItemBodyIn](w, w.get("/api/SmartContractWallet/history", "walletName", WalletOne, "address", string(at)))
		if len(calls) != 1 || calls[0].To != w.venue || uint64(calls[0].Amount) != price || *calls[0].BlockHeight != w.s.Height() {
			t.Fatalf("%+v", calls)
		}
	})
}

func TestDropBeforeDoesNothing(t *testing.T) {
	w := newWorld(t, Options{})
	w.open(100, VenueRequest{})
	at, coin := w.ready(0)
	w.fault(`{"path":"ReserveTicket$","kind":"drop-before","times":2}`)
	for range 2 {
		if got := w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)); got.err == nil {
			t.Fatalf("an answer came: %d", got.status)
		}
	}
	if pool := readAs[[]cirrus.TxID](w, w.get("/api/Mempool/getrawmempool")); len(pool) != 0 {
		t.Fatalf("mempool %v", pool)
	}
	w.want(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), 201, "")
}

func TestFaultKinds(t *testing.T) {
	w := newWorld(t, Options{})
	w.fault(`{"path":"/api/Node/status","kind":"status:503","body":"later","times":2}`)
	w.fault(`{"path":"status","kind":"garbage"}`)
	for range 2 {
		if got := w.get("/api/node/STATUS"); got.status != 503 || string(got.body) != "later" {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	if got := w.get("/api/Node/status"); got.status != 200 || contains(got, "consensusHeight") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	readAs[statusBody](w, w.get("/api/Node/status"))
	w.fault(`{"path":"","kind":"slow:20ms"}`)
	began := time.Now()
	readAs[statusBody](w, w.get("/api/Node/status"))
	if took := time.Since(began); took < 20*time.Millisecond {
		t.Fatalf("took %s", took)
	}
	w.fault(`{"path":"","kind":"drop-before"}`)
	w.mine(1) // the control API does not fail
	readAs[struct{}](w, w.do(http.MethodDelete, w.s.NodeURL()+"/sandbox/faults", nil))
	readAs[statusBody](w, w.get("/api/Node/status"))
}

func TestTimeoutHangsUntilTheCallerGivesUp(t *testing.T) {
	w := newWorld(t, Options{})
	w.fault(`{"path":"getblockcount","kind":"timeout"}`)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.s.NodeURL()+"/api/BlockStore/getblockcount", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.http.Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
}

func TestControlSaysWhatToDo(t *testing.T) {
	w := newWorld(t, Options{})
	w.open(100, VenueRequest{})
	venue := string(w.venue)
	for _, row := range []struct{ path, body, want string }{
		{"fund", `{"address":"nobody","amount":1000000}`, "is none of CirrusTest"},
		{"fund", `{"address":"` + string(w.address(WalletOne)) + `","amount":1}`, "want 5460"},
		{"fund", `{"address":"` + venue + `","amount":1000000}`, "is a contract"},
		{"fund", `{"address":5}`, "address must be a"},
		{"fund", `[`, "JSON object"},
		{"mine", `{"blocks":0}`, "want 1 to"},
		{"venue", `{"venue":"x"}`, "at least one seat"},
		{"show", `{"address":"` + venue + `","name":"a","organiser":"b","endOfSale":500}`, "/sandbox/endsale"},
		{"reserve", `{"address":"` + venue + `","seat":{"number":7,"letter":"Q"}}`, "no seat 7Q"},
		{"endsale", `{"address":"` + venue + `"}`, "mine "},
		{"scan", `{"address":"` + string(w.address(WalletOne)) + `"}`, "/sandbox/venue"},
		{"node", `{"peers":-1}`, "want 0 to"},
		{"fault", `{"kind":"explode"}`, "want {"},
		{"fault", `{"kind":"timeout","path":"("}`, "regular expression"},
		{"fault", `{"kind":"status:9"}`, "want 200 to 599"},
		{"fault", `{"kind":"slow:fast"}`, "want a duration"},
		{"reorg", `{"depth":0}`, "want 1 or more"},
		{"drop", `{"transactionId":"ff"}`, "not in the mempool"},
		{"doublespend", `{"transactionId":"ff"}`, "not in the mempool"},
		{"code", `{"address":""}`, "is none of"},
	} {
		got := w.post("/sandbox/"+row.path, row.body)
		var body errorBody
		if got.status == http.StatusBadRequest {
			body = readAs[errorBody](w, answer{status: 200, body: got.body})
		}
		if !strings.Contains(body.Error, row.want) {
			t.Errorf("%s %s: %d %s, want %q", row.path, row.body, got.status, got.body, row.want)
		}
	}
	before := w.s.Height()
	if after := readAs[heightBody](w, w.post("/sandbox/mine", "")); after.Height != before+1 {
		t.Errorf("mine without a body: %d after %d", after.Height, before)
	}
	if got := w.get("/sandbox/mine"); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET mine: %d", got.status)
	}
	if got := w.post("/sandbox/nothing", "{}"); got.status != http.StatusNotFound {
		t.Errorf("nothing: %d", got.status)
	}
}

func TestCertificateIsForLocalhostAndMustBeKnown(t *testing.T) {
	w := newWorld(t, Options{})
	get := func(host string, roots *x509.CertPool) error {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: host}}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
		response, err := client.Get(w.s.TicketboothURL())
		if err == nil {
			return response.Body.Close()
		}
		return err
	}
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(w.s.CertPEM())
	if err := errors.Join(get("localhost", known), get("127.0.0.1", known)); err != nil {
		t.Error(err)
	}
	if get("localhost", x509.NewCertPool()) == nil || get("example.org", known) == nil {
		t.Error("a certificate that should not do does")
	}
}

func TestRunPrintsWhatUsherNeeds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, Options{Seed: true, Block: time.Hour}, in) }()
	var lines []string
	buffer := new(bytes.Buffer)
	chunk := make([]byte, 4096)
	for !strings.HasSuffix(buffer.String(), "\nready\n") {
		n, err := out.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		buffer.Write(chunk[:n])
	}
	lines = strings.Split(strings.TrimSpace(buffer.String()), "\n")
	values := map[string]string{}
	for _, line := range lines[:len(lines)-1] {
		name, value, ok := strings.Cut(line, "=")
		if !ok || !strings.HasPrefix(name, "USHER_") || strings.ContainsAny(value, " '\"") {
			t.Errorf("line %q", line)
		}
		values[name] = value
	}
	passwords, err := os.ReadFile(values["USHER_WALLET_PASSWORD_FILE"])
	if err != nil || !strings.HasPrefix(string(passwords), "usher1:") || len(strings.Split(values["USHER_VENUES"], ",")) != 3 {
		t.Errorf("%q %v %v", passwords, err, values)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(values["USHER_TICKETBOOTH_CERT"]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

func TestBlocksComeByThemselves(t *testing.T) {
	w := newWorld(t, Options{Block: 5 * time.Millisecond})
	began := w.s.Height()
	deadline := time.Now().Add(10 * time.Second)
	for w.s.Height() < began+3 {
		if time.Now().After(deadline) {
			t.Fatal("no blocks")
		}
		w.get("/api/Node/status")
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, options := range []Options{{Generation: "x"}, {Node: "2019"}, {Block: -1}} {
		if _, err := Start(context.Background(), options); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", options, err)
		}
	}
	if _, err := Start(context.Background(), Options{Listen: "256.0.0.1:1"}); err == nil {
		t.Error("listens on nothing")
	}
}

func TestMainNet(t *testing.T) {
	w := newWorld(t, Options{Network: cirrus.MainNet, Seed: true})
	status := readAs[statusBody](w, w.get("/api/Node/status"))
	if status.Network != "CirrusMain" || status.CoinTicker != "CRS" || status.Testnet || !strings.HasPrefix(string(w.address(WalletOne)), "C") {
		t.Fatalf("%+v", status)
	}
	readAs[struct{}](w, w.post("/sandbox/node", `{"network":"CirrusTest","inIbd":true,"peers":0}`))
	status = readAs[statusBody](w, w.get("/api/Node/status"))
	if status.Network != "CirrusTest" || !*status.InIbd || status.BestPeerHeight != nil {
		t.Fatalf("%+v", status)
	}
}
