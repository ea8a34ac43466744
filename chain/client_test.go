package chain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	reservePath = "/api/v1.0/ticketbooth/" + string(testContract) + "/ReserveTicket"
	releasePath = "/api/v1.0/ticketbooth/" + string(testContract) + "/ReleaseTicket"
	buildPath   = "/api/wallet/build-transaction"
	sendPath    = "/api/wallet/send-transaction"
	receiptPath = "/api/SmartContracts/receipt"
)

var testCall = order.BoothCall{
	Contract: testContract, Account: testAccount, Sender: "tSender", GasPrice: 100, Name: "Ada Lovelace",
	Coin: cirrus.Outpoint{TxID: txA, Index: 3}, Seat: cirrus.Seat{Number: 3, Letter: 'D'},
}

// Every message of a node that means something, in the words of either generation, and what is known after it.
var messages = []struct {
	path    string
	status  int
	message string
	want    error
}{
	{reservePath, 400, "Ticket for seat 3D not available to purchase", order.ErrSeatTaken},
	{reservePath, 400, "Invalid seat 99Z", order.ErrSeatUnknown},
	{reservePath, 400, "Customer name is required", order.ErrNameNeeded},
	{reservePath, 400, "Invalid address xyz", order.ErrRefused},
	{reservePath, 404, "No smart contract found at address tNui", order.ErrNoContract},
	{reservePath, 409, "Sale is not currently open", order.ErrSaleClosed},
	{reservePath, 409, "Sale is currently active", order.ErrRefused},
	{reservePath, 403, "Can't send transaction as the node requires at least one connection.", order.ErrNoPeers},
	{reservePath, 400, "Invalid password (or invalid Network)", order.ErrPassword},
	{reservePath, 400, "The 'Sender' address you're trying to spend from doesn't have a balance available to spend. Please check the address and try again.", order.ErrOutpoints},
	{reservePath, 400, "An invalid list of request outpoints have been passed to the method, please ensure that the outpoints are spendable by the sender address.", order.ErrOutpoints},
	{reservePath, 400, "Invalid list of request outpoints have been passed to the method. Please ensure that the outpoints are spendable by the sender address", order.ErrOutpoints},
	{reservePath, 400, "All of the selected inputs are currently reserved, please try again in 60 seconds.", order.ErrInputsReserved},
	{reservePath, 400, "Not enough funds to cover the target with missing amount 0.25", order.ErrCoins},
	{reservePath, 400, "Not enough funds.", order.ErrCoins},
	{reservePath, 400, "No spendable transactions found.", order.ErrCoins},
	{reservePath, 400, "The wallet does not contain any spendable inputs.", order.ErrCoins},
	{reservePath, 400, "No wallet with name 'usher1' could be found.", order.ErrWallet},
	{reservePath, 400, "No account with the name 'account 0' could be found.", order.ErrWallet},
	{reservePath, 400, "Account 'account 7' in wallet 'usher1' not found.", order.ErrWallet},
	{reservePath, 500, "txn-mempool-conflict", order.ErrUnknownOutcome},
	{reservePath, 500, "Ticket for seat 3D not available to purchase", order.ErrUnknownOutcome},
	{reservePath, 503, "", order.ErrUnknownOutcome},
	{reservePath, 408, "", order.ErrUnknownOutcome},
	{reservePath, 418, "something new", order.ErrRefused},
	{releasePath, 400, "Ticket for seat 3D not owned by tSender", order.ErrNotOwner},
	{releasePath, 409, "Ticket release is no longer available", order.ErrReleaseOver},
	{releasePath, 409, "Sale is not currently open", order.ErrSaleClosed},
	{releasePath, 500, "", order.ErrUnknownOutcome},
	{buildPath, 400, "Not all the selected inputs were found in the wallet.", order.ErrOutpoints},
	{buildPath, 400, "Not all the selected inputs were found on the wallet.", order.ErrOutpoints},
	{buildPath, 400, "Change address not found.", order.ErrRefused},
	{buildPath, 400, "Could not build the transaction. Details: Dust", order.ErrRefused},
	{sendPath, 400, "", order.ErrRefused},
	{sendPath, 400, "txn-already-in-mempool", order.ErrRefused},
	{sendPath, 400, "txn-mempool-conflict", order.ErrRefused},
	{sendPath, 400, "bad-txns-inputs-missingorspent", order.ErrRefused},
	{sendPath, 403, "Can't send transaction: sending transaction requires at least one connection.", order.ErrNoPeers},
	{sendPath, 403, "Can't send transaction: sending transaction requires at least one connection!", order.ErrNoPeers},
	{receiptPath, 400, "The receipt was not found.", order.ErrNotMined},
	{receiptPath, 500, "", order.ErrUnknownOutcome},
	{"/api/SmartContracts/receipt-search", 500, "No code exists", order.ErrNoContract},
}

// askFor makes the call that belongs to a path.
func askFor(ctx context.Context, client *Client, path string) error {
	var err error
	switch path {
	case reservePath:
		_, err = client.Reserve(ctx, testCall)
	case releasePath:
		_, err = client.Release(ctx, testCall)
	case buildPath:
		_, err = client.Build(ctx, order.Payment{Account: testAccount, Coins: []cirrus.Outpoint{testCall.Coin}, Fee: 10_000})
	case sendPath:
		err = client.Send(ctx, "00")
	case receiptPath:
		_, err = client.Receipt(ctx, txA)
	default:
		_, err = client.Receipts(ctx, testContract, "Show", 0)
	}
	return err
}

func TestEachMessageOfANodeMeansOneThing(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	for _, said := range messages {
		shapes := map[string]string{"list": refusal(said.status, said.message), "string": quoted(said.message)}
		for shape, body := range shapes {
			t.Run(fmt.Sprintf("%s %d %q as %s", said.path, said.status, said.message, shape), func(t *testing.T) {
				node.on(said.path, said.status, body)
				err := askFor(t.Context(), client, said.path)
				if !errors.Is(err, said.want) {
					t.Fatalf("got %v, want %v", err, said.want)
				}
				wrapsOne(t, err)
			})
		}
	}
}

// wrapsOne demands that an error says one thing about the outcome, not two.
func wrapsOne(t *testing.T, err error) {
	t.Helper()
	var found []error
	for _, outcome := range outcomes {
		if errors.Is(err, outcome) {
			found = append(found, outcome)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%v says %v", err, found)
	}
}

func TestMessageIsFoundInEveryShapeOfAnError(t *testing.T) {
	for body, want := range map[string]string{
		`"Sale is not currently open"`:                                  "Sale is not currently open",
		`{"errors":[{"status":400,"message":"No.","description":"x"}]}`: "No.",
		`{"errors":{"Sender":["The Sender field is required.","Bad."],"Seat":["?"]},"title":"One or more validation errors occurred.","status":400}`: "Seat: ?; Sender: The Sender field is required. Bad.",
		`{"title":"Not Found","status":404}`:                      "Not Found",
		`{"fee":0,"message":"it failed","success":false}`:         "it failed",
		`<html>502 Bad Gateway</html>`:                            "",
		``:                                                        "",
		`{"errors":[]}`:                                           "",
		`[]`:                                                      "",
		`null`:                                                    "",
		`{"errors":[{"status":400,"message":"","description":""}]}`: "",
	} {
		if got := messageOf([]byte(body)); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}

func TestCallsThatChangeSomethingAreNeverRepeated(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	for name, answer := range map[string]http.HandlerFunc{
		"dropped": func(w http.ResponseWriter, _ *http.Request) {
			connection, _, _ := w.(http.Hijacker).Hijack()
			_ = connection.Close()
		},
		"refused by the server": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(201)
			_, _ = w.Write([]byte(`{"transactionHash":`))
		},
		"garbage":          func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"a`)) },
		"another shape":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`[17]`)) },
		"not HTTP":         notHTTP,
		"far too long":     endless,
		"nothing but null": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`null`)) },
	} {
		for _, path := range []string{reservePath, releasePath, buildPath} {
			t.Run(name+" "+path, func(t *testing.T) {
				node.handle(path, answer)
				before := node.count(path)
				err := askFor(t.Context(), client, path)
				if !errors.Is(err, order.ErrUnknownOutcome) {
					t.Fatalf("got %v, want an unknown outcome", err)
				}
				wrapsOne(t, err)
				if asked := node.count(path) - before; asked != 1 {
					t.Fatalf("asked %d times", asked)
				}
			})
		}
	}
}

func notHTTP(w http.ResponseWriter, _ *http.Request) {
	connection, _, _ := w.(http.Hijacker).Hijack()
	_, _ = connection.Write([]byte(testPassword + "\r\n\r\n"))
	_ = connection.Close()
}

func endless(w http.ResponseWriter, r *http.Request) {
	chunk := []byte(strings.Repeat(" ", 1<<20))
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func TestReadingIsRepeatedWhileItMayHelp(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	failures := 2
	node.handle("/api/BlockStore/getblockcount", func(w http.ResponseWriter, _ *http.Request) {
		if failures > 0 {
			failures--
			w.WriteHeader(503)
			return
		}
		_, _ = w.Write([]byte(`4711`))
	})
	height, err := client.BlockCount(t.Context())
	if err != nil || height != 4711 {
		t.Fatalf("got %d, %v", height, err)
	}
	node.on(receiptPath, 400, refusal(400, "The receipt was not found."))
	if _, err := client.Receipt(t.Context(), txA); !errors.Is(err, order.ErrNotMined) {
		t.Fatalf("got %v", err)
	}
	if asked := node.count(receiptPath); asked != 1 {
		t.Fatalf("an answer was asked for %d times", asked)
	}
}

func TestNothingWasSentWhereNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	_ = listener.Close()
	client := newFakeNode(t).client(t, func(c *Config) { c.NodeURL, c.TicketboothURL = address, address })
	_, err = client.Reserve(t.Context(), testCall)
	if !errors.Is(err, order.ErrUnreachable) {
		t.Fatalf("got %v", err)
	}
	wrapsOne(t, err)
	if _, err := client.Status(t.Context()); !errors.Is(err, order.ErrUnreachable) {
		t.Fatalf("got %v", err)
	}
}

func TestAServerThatDoesNotAnswerEndsWithItsDeadline(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t, func(c *Config) { c.Timeout, c.Patience = 50*time.Millisecond, 50*time.Millisecond })
	for _, path := range []string{reservePath, receiptPath} {
		node.handle(path, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		err := askFor(t.Context(), client, path)
		if !errors.Is(err, order.ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%s: got %v", path, err)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	node.handle(reservePath, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if _, err := client.Reserve(t.Context(), testCall); !errors.Is(err, order.ErrRefused) {
		t.Fatalf("got %v", err)
	}
	if node.count("/elsewhere") != 0 {
		t.Fatal("the password went elsewhere")
	}
}

func TestNoErrorTellsASecret(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t, func(c *Config) {
		c.NodeURL = strings.Replace(node.URL, "http://", "http://operator:hunter2@", 1)
		c.TicketboothURL = c.NodeURL
	})
	echo := fmt.Sprintf("could not convert %q of %q\nstack", testPassword, testCall.Name)
	answers := map[string]http.HandlerFunc{
		"echo":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400); _, _ = w.Write([]byte(quoted(echo))) },
		"not HTTP":  notHTTP,
		"secret":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"secret":"h8pqqc2_r90je7v"}`)) },
		"bad type":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"transactionHash":"h8pqqc2_r90je7v"}`)) },
		"validator": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400); _, _ = w.Write([]byte(`{"errors":{"$.password":[` + quoted(echo) + `]}}`)) },
	}
	for name, answer := range answers {
		node.handle(reservePath, answer)
		_, err := client.Reserve(t.Context(), testCall)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		for _, secret := range []string{testPassword, testCall.Name, "h8pqqc2_r90je7v", "hunter2"} {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err.Error()), secret) {
				t.Errorf("%s: %q is in %v", name, secret, err)
			}
		}
	}
}

func TestAMissingPasswordIsSaidWithoutCalling(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t, func(c *Config) { c.Passwords = nil })
	for _, path := range []string{reservePath, releasePath, buildPath} {
		if err := askFor(t.Context(), client, path); !errors.Is(err, order.ErrPassword) {
			t.Fatalf("got %v", err)
		}
		if node.count(path) != 0 {
			t.Fatal("called all the same")
		}
	}
}

// faultySites fails at one site, before or after the call.
type faultySites struct {
	site   string
	before bool
	calls  map[string]int
}

var errInjected = errors.New("injected")

func (f *faultySites) Do(ctx context.Context, site string, call func(context.Context) error) error {
	f.calls[site]++
	if site == f.site && f.before {
		return fmt.Errorf("%w: %w", order.ErrUnreachable, errInjected)
	}
	err := call(ctx)
	if site == f.site {
		return errInjected
	}
	return err
}

func TestEachAttemptPassesItsSite(t *testing.T) {
	node := newFakeNode(t)
	sites := &faultySites{calls: map[string]int{}}
	client := node.client(t, func(c *Config) { c.Sites = sites })
	node.on(reservePath, 201, `{"transactionHash":"`+string(txA)+`","secret":"h8pqqc2_r90je7v","customerName":null}`)
	if _, err := client.Reserve(t.Context(), testCall); err != nil {
		t.Fatal(err)
	}
	sites.site = SiteReserve
	if _, err := client.Reserve(t.Context(), testCall); !errors.Is(err, order.ErrUnknownOutcome) || !errors.Is(err, errInjected) {
		t.Fatalf("a lost answer: got %v", err)
	}
	sites.before = true
	if _, err := client.Reserve(t.Context(), testCall); !errors.Is(err, order.ErrUnreachable) {
		t.Fatalf("a call never made: got %v", err)
	}
	if sites.calls[SiteReserve] != 3 || node.count(reservePath) != 2 {
		t.Fatalf("site passed %d times, node asked %d times", sites.calls[SiteReserve], node.count(reservePath))
	}
	node.on("/api/BlockStore/getblockcount", 503, "")
	if _, err := client.BlockCount(t.Context()); err == nil {
		t.Fatal("no error")
	}
	if sites.calls[SiteBlockCount] != readTries {
		t.Fatalf("site passed %d times for %d attempts", sites.calls[SiteBlockCount], readTries)
	}
}

func TestABadConfigurationIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no node":       func(c *Config) { c.NodeURL = "" },
		"no scheme":     func(c *Config) { c.NodeURL = "localhost:37223" },
		"odd scheme":    func(c *Config) { c.TicketboothURL = "ftp://localhost" },
		"no PEM":        func(c *Config) { c.TicketboothCert = []byte("nonsense") },
		"broken PEM":    func(c *Config) { c.TicketboothCert = []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") },
		"secret in URL": func(c *Config) { c.NodeURL = "http://u:hunter2@:bad port/" },
	} {
		config := Config{NodeURL: "http://localhost:1", TicketboothURL: "https://localhost:2"}
		change(&config)
		_, err := New(config)
		if !errors.Is(err, ErrConfig) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
