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

	"github.com/usherbot/usher/flows/order"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
		"echo":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400); _, _ = w.Write([]byte(quoted(echo))) },
		"not HTTP": notHTTP,
		"secret":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"secret":"h8pqqc2_r90je7v"}`)) },
		"bad type": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"transactionHash":"h8pqqc2_r90je7v"}`))
		},
		"validator": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			_, _ = w.Write([]byte(`{"errors":{"$.password":[` + quoted(echo) + `]}}`))
		},
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
		"no node":    func(c *Config) { c.NodeURL = "" },
		"no scheme":  func(c *Config) { c.NodeURL = "localhost:37223" },
		"odd scheme": func(c *Config) { c.TicketboothURL = "ftp://localhost" },
		"no PEM":     func(c *Config) { c.TicketboothCert = []byte("nonsense") },
		"broken PEM": func(c *Config) {
			c.TicketboothCert = []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
		},
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
