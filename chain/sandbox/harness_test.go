package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usherbot/usher/chain/cirrus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a test's time: it moves only when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// world is a sandbox and a client for it.
type world struct {
	t     *testing.T
	s     *Sandbox
	clock *clock
	http  *http.Client
	venue cirrus.Address
}

func newWorld(t *testing.T, options Options) *world {
	t.Helper()
	c := &clock{now: time.Now()}
	options.Clock, options.Rand, options.Dir = c.Now, rand.NewChaCha8([32]byte{7}), t.TempDir()
	s, err := Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CertPEM())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{t: t, s: s, clock: c, http: &http.Client{Transport: transport, Timeout: 20 * time.Second}}
}

// answer is what a call gave.
type answer struct {
	status int
	body   []byte
	header http.Header
	err    error
}

func (w *world) do(method, url string, body any) answer {
	w.t.Helper()
	data, isText := body.(string)
	if !isText && body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		data = string(raw)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(data))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := w.http.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, body: raw, header: response.Header, err: err}
}

func (w *world) get(path string, query ...string) answer {
	w.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		values.Add(query[i], query[i+1])
	}
	return w.do(http.MethodGet, w.s.NodeURL()+path+"?"+values.Encode(), nil)
}

func (w *world) post(path string, body any) answer {
	w.t.Helper()
	return w.do(http.MethodPost, w.s.NodeURL()+path, body)
}

func (w *world) booth(method, path string, body any) answer {
	w.t.Helper()
	return w.do(method, w.s.TicketboothURL()+"/api/v1.0/ticketbooth"+path, body)
}

// text gives the message of an answer in either server's form.
func (a answer) text() string {
	var list nodeErrors
	if json.Unmarshal(a.body, &list) == nil && len(list.Errors) > 0 {
		return list.Errors[0].Message
	}
	var text string
	if json.Unmarshal(a.body, &text) == nil {
		return text
	}
	return string(a.body)
}

func (w *world) want(a answer, status int, message string) {
	w.t.Helper()
	if a.err != nil || a.status != status || !strings.HasPrefix(a.text(), message) {
		w.t.Fatalf("got %d %q (%v), want %d %q", a.status, a.text(), a.err, status, message)
	}
}

// read decodes a good answer.
func readAs[T any](w *world, a answer) T {
	w.t.Helper()
	var into T
	if a.err != nil || a.status < 200 || a.status > 299 {
		w.t.Fatalf("got %d %s (%v)", a.status, a.body, a.err)
	}
	if err := json.Unmarshal(a.body, &into); err != nil {
		w.t.Fatalf("%v in %s", err, a.body)
	}
	return into
}

func (w *world) address(wallet string) cirrus.Address {
	w.t.Helper()
	return readAs[[]cirrus.Address](w, w.get("/api/wallet/unusedaddresses", "walletName", wallet, "accountName", Account, "count", "1"))[0]
}

func (w *world) spendable(wallet string, at cirrus.Address) []spendableBody {
	w.t.Helper()
	list := readAs[spendablesBody](w, w.get("/api/wallet/spendable-transactions", "walletName", wallet, "accountName", Account, "minConfirmations", "0"))
	var found []spendableBody
	for _, coin := range list.Transactions {
		if at == "" || coin.Address == at {
			found = append(found, coin)
		}
	}
	return found
}

func (w *world) fund(to cirrus.Address, amount uint64) cirrus.Outpoint {
	w.t.Helper()
	id := readAs[transactionBody](w, w.post("/sandbox/fund", map[string]any{"address": to, "amount": amount})).TransactionID
	return cirrus.Outpoint{TxID: id}
}

func (w *world) mine(blocks int) uint64 {
	w.t.Helper()
	return readAs[heightBody](w, w.post("/sandbox/mine", map[string]any{"blocks": blocks})).Height
}

const (
	crs   = uint64(cirrus.CRS)
	price = 10 * crs
)

var (
	seatA = cirrus.Seat{Number: 1, Letter: 'A'}
	seatB = cirrus.Seat{Number: 2, Letter: 'A'}
)

// open makes a venue of two seats whose sale lasts so many blocks.
func (w *world) open(blocks uint64, request VenueRequest) {
	w.t.Helper()
	request.Venue, request.Seats = "Hall", []cirrus.Seat{seatA, seatB}
	w.venue = readAs[addressBody](w, w.post("/sandbox/venue", request)).Address
	end := w.s.Height() + blocks
	readAs[struct{}](w, w.post("/sandbox/show", map[string]any{
		"address": w.venue, "name": "Show", "organiser": "Club", "time": w.clock.Now().Add(240 * time.Hour).Unix(), "endOfSale": end,
		"prices": []map[string]any{{"seat": seatB, "price": price}, {"seat": seatA, "price": price}},
	}))
}

func (w *world) payer(wallet string, sender cirrus.Address, coins ...cirrus.Outpoint) map[string]any {
	body := map[string]any{
		"walletName": wallet, "accountName": Account, "password": w.s.Password(wallet), "gasPrice": 100, "sender": sender,
	}
	if len(coins) > 0 {
		body["outpoints"] = coins
	}
	return body
}

func with(body map[string]any, more ...any) map[string]any {
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return body
}

func (w *world) reserve(body map[string]any) answer {
	w.t.Helper()
	return w.booth(http.MethodPost, "/"+string(w.venue)+"/ReserveTicket", body)
}

// budget is what a call of this node ties up for gas.
func (w *world) budget() uint64 { return w.s.GasLimit() * 100 }

// ready gives an address with one confirmed coin that is enough for a seat.
func (w *world) ready(extra uint64) (cirrus.Address, cirrus.Outpoint) {
	w.t.Helper()
	at := w.address(WalletOne)
	coin := w.fund(at, price+2*w.budget()+extra)
	w.mine(1)
	return at, coin
}

// qr makes the text of a ticket's QR out of an answer to ReserveTicket.
func (w *world) qr(reserved answer, seat cirrus.Seat) (cirrus.TxID, string) {
	w.t.Helper()
	if reserved.status != http.StatusCreated {
		w.t.Fatalf("reserve: %d %s", reserved.status, reserved.body)
	}
	place, _ := json.Marshal(seat)
	var names struct {
		CustomerName *keyOut `json:"customerName"`
	}
	_ = json.Unmarshal(reserved.body, &names)
	name := ""
	if names.CustomerName != nil {
		name = fmt.Sprintf(`,"nameKey":%q,"nameIV":%q`, names.CustomerName.Key, names.CustomerName.IV)
	}
	if w.s.options.Generation == Hashed {
		body := readAs[reservedHashed](w, reserved)
		return body.TransactionHash, fmt.Sprintf(`[{"seat":%s,"secret":%q%s}]`, place, body.Secret, name)
	}
	body := readAs[reservedCiphered](w, reserved)
	return body.TransactionHash, fmt.Sprintf(`[{"seat":%s,"secret":%q,"secretKey":%q,"secretIV":%q%s}]`,
		place, body.Secret.Plaintext, body.Secret.Key, body.Secret.IV, name)
}

func (w *world) scan(ticket string) ScanResult {
	w.t.Helper()
	return readAs[ScanResult](w, w.post("/sandbox/scan", map[string]any{"address": w.venue, "ticket": ticket}))
}

// balanced fails the test unless no strat was made or lost.
func (w *world) balanced() {
	w.t.Helper()
	view := readAs[LedgerView](w, w.get("/sandbox/ledger"))
	var unspent uint64
	for _, address := range view.Addresses {
		for _, output := range address.Outputs {
			if (output.State == "mined" || output.State == "mempool") && output.SpentBy == "" {
				unspent += output.Amount
			}
		}
	}
	if unspent != view.Totals.Unspent || view.Totals.Issued != unspent+view.Totals.FeesPending {
		w.t.Fatalf("issued %d, unspent %d (counted %d), pending fees %d", view.Totals.Issued, view.Totals.Unspent, unspent, view.Totals.FeesPending)
	}
}

// everyNode runs a test for both generations of Ticketbooth on both nodes.
func everyNode(t *testing.T, test func(*testing.T, *world)) {
	for _, generation := range []Generation{Ciphered, Hashed} {
		for _, node := range []NodeAge{Node2020, NodeToday} {
			t.Run(string(generation)+"/"+string(node), func(t *testing.T) {
				test(t, newWorld(t, Options{Generation: generation, Node: node}))
			})
		}
	}
}

func contains(a answer, text string) bool { return bytes.Contains(a.body, []byte(text)) }
