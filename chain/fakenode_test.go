package chain

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

const (
	testPassword = "correct horse battery staple"
	testContract = cirrus.Address("tNuiVJiEhvbQgXu4P32S4TnAVEG3kgLnu8")
	txA          = cirrus.TxID("aa00000000000000000000000000000000000000000000000000000000000001")
	txB          = cirrus.TxID("bb00000000000000000000000000000000000000000000000000000000000002")
)

var testAccount = cirrus.Account{Wallet: "usher1", Name: "account 0"}

// fakeNode answers both APIs from handlers by path, and remembers what it was asked.
type fakeNode struct {
	*httptest.Server
	mu       sync.Mutex
	handlers map[string]http.HandlerFunc
	asked    map[string]int
	bodies   map[string]string // last body by path
	queries  map[string]string // last query by path
}

func newFakeNode(t testing.TB) *fakeNode {
	t.Helper()
	node := &fakeNode{
		handlers: map[string]http.HandlerFunc{}, asked: map[string]int{},
		bodies: map[string]string{}, queries: map[string]string{},
	}
	node.Server = httptest.NewServer(node)
	t.Cleanup(node.Close)
	return node
}

func (n *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	n.mu.Lock()
	n.asked[r.URL.Path]++
	n.bodies[r.URL.Path], n.queries[r.URL.Path] = string(body), r.URL.RawQuery
	handler := n.handlers[r.URL.Path]
	n.mu.Unlock()
	if handler == nil {
		http.NotFound(w, r)
		return
	}
	handler(w, r)
}

// on answers a path with a status and a body.
func (n *fakeNode) on(path string, status int, body string) {
	n.handle(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func (n *fakeNode) handle(path string, handler http.HandlerFunc) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.handlers[path] = handler
}

// count tells how often a path was asked.
func (n *fakeNode) count(path string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[path]
}

// total tells how often anything was asked, and forgets it.
func (n *fakeNode) total() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	asked := n.asked
	n.asked = map[string]int{}
	return asked
}

func (n *fakeNode) body(path string) map[string]any {
	n.mu.Lock()
	defer n.mu.Unlock()
	var read map[string]any
	_ = json.Unmarshal([]byte(n.bodies[path]), &read)
	return read
}

func (n *fakeNode) query(path string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.queries[path]
}

// client makes a client of the fake node that waits for nothing.
func (n *fakeNode) client(t testing.TB, change ...func(*Config)) *Client {
	t.Helper()
	config := Config{
		NodeURL: n.URL, TicketboothURL: n.URL, Timeout: 5 * time.Second, Patience: 5 * time.Second, Pause: time.Millisecond,
		Passwords: func(string) (string, error) { return testPassword, nil },
	}
	for _, each := range change {
		each(&config)
	}
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// refusal is the Cirrus node's shape of an error.
func refusal(status int, message string) string {
	text, _ := json.Marshal(map[string]any{
		"errors": []map[string]any{{"status": status, "message": message, "description": "…"}},
	})
	return string(text)
}

func quoted(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}
