package simulator

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed web
var webFiles embed.FS

// Chain is what the page can do with the chain on behalf of a customer and of
// the people at the door. Errors are shown to the customer as they are.
type Chain interface {
	// View is the chain as the page shows it.
	View(ctx context.Context) (ChainView, error)
	// Pay sends amount CRS, as typed, from the customer's wallet.
	Pay(ctx context.Context, address, amount string) (transactionID string, err error)
	// NextBlock makes a block now.
	NextBlock(ctx context.Context) (height int64, err error)
	// Scan shows the picture of a ticket to the scanner at a door, which is
	// the address of a venue's contract.
	Scan(ctx context.Context, door string, picture []byte) (Verdict, error)
}

// ChainView is the chain at one moment. Sums are in its unit, as text.
type ChainView struct {
	Height  int64       `json:"height"`
	Network string      `json:"network"`
	Unit    string      `json:"unit"`
	Wallet  WalletView  `json:"wallet"`
	Doors   []DoorView  `json:"doors"`
	Waiting []TxView    `json:"waiting"` // in the mempool
	Blocks  []BlockView `json:"blocks"`  // the newest first
	Manual  bool        `json:"manual"`  // blocks come only when asked for
}

// WalletView is the wallet that the customer pays from.
type WalletView struct {
	Address string `json:"address"`
	Balance string `json:"balance"`
}

// DoorView is a door with a scanner. Name is the venue's.
type DoorView struct {
	Address string `json:"address"`
	Name    string `json:"name"`
}

// BlockView is a block. Time is Unix seconds.
type BlockView struct {
	Height       int64    `json:"height"`
	Time         int64    `json:"time"`
	Transactions []TxView `json:"transactions"`
}

// TxView is a transaction and what it does in a few words.
type TxView struct {
	ID   string `json:"id"`
	What string `json:"what"`
}

// Verdict is what the scanner at the door says; it opens only if every seat of
// the ticket is valid.
type Verdict struct {
	Opens   bool          `json:"opens"`
	Results []SeatVerdict `json:"results"`
}

// SeatVerdict is the scanner's word on one seat: valid, denied, faulted,
// refused or no-answer.
type SeatVerdict struct {
	Verdict string `json:"verdict"`
	Seat    string `json:"seat"`
	Name    string `json:"name"`
	Reason  string `json:"reason"`
}

// PageOptions say what the page has besides Telegram.
type PageOptions struct {
	Chain Chain  // without one the page has no pane for it
	Name  string // of the person who visits; "Robin" by default
}

// securityPolicy lets the page use nothing but its own files.
const securityPolicy = "default-src 'self'; img-src 'self' data:; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page serves the web page at / with its files under /web/, and what it asks
// for under /demo/. The page also uses the control API, which has to be served
// at /telegram/ of the same origin.
func (t *Telegram) Page(o PageOptions) (http.Handler, error) {
	setDefault(&o.Name, "Robin")
	files, err := fs.Sub(webFiles, "web")
	if err != nil {
		return nil, fmt.Errorf("opening the page's files: %w", err)
	}
	static := http.FileServerFS(files)
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", static)
	mux.Handle("GET /web/", http.StripPrefix("/web", static))
	mux.Handle("GET /demo/state", control(t.pageState(o)))
	mux.HandleFunc("GET /demo/events", t.pageEvents)
	if o.Chain != nil {
		mountChain(mux, o.Chain)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", securityPolicy)
		w.Header().Set("Cache-Control", "no-cache")
		mux.ServeHTTP(w, r)
	}), nil
}

// pageView is everything that the page shows of Telegram.
type pageView struct {
	Run      string     `json:"run"` // tells one run of the local Telegram from the next, in which ids are others'
	Person   string     `json:"person"`
	Bot      botView    `json:"bot"`
	Couriers []botView  `json:"couriers"`
	Chain    bool       `json:"chain"`
	Chats    []ChatView `json:"chats,omitempty"` // of the person asked for
}

type botView struct {
	Name        string    `json:"name"`
	Username    string    `json:"username"`
	Description string    `json:"description,omitempty"`
	Commands    []Command `json:"commands,omitempty"`
}

// pageState answers for ?user=<id>, or without a person, for whom the page has
// not been anybody yet.
func (t *Telegram) pageState(o PageOptions) func(*http.Request, controlBody) (any, error) {
	return func(r *http.Request, _ controlBody) (any, error) {
		v := pageView{Run: t.began, Person: o.Name, Chain: o.Chain != nil}
		for _, c := range t.couriers() {
			v.Couriers = append(v.Couriers, botView{Name: c.Name, Username: c.Username})
		}
		language := r.URL.Query().Get("language")
		if raw := r.URL.Query().Get("user"); raw != "" {
			user, err := strconv.ParseInt(raw, 10, 64)
			if err != nil {
				return nil, ErrUnknownUser
			}
			if v.Chats, err = t.Chats(user); err != nil {
				return nil, err
			}
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		v.Bot = botView{
			Name: t.bot.FirstName, Username: t.bot.Username,
			Description: t.textFor("description", language), Commands: t.commandsFor(language),
		}
		return v, nil
	}
}

const (
	eventGap  = 100 * time.Millisecond // at least so long between two events
	heartbeat = 15 * time.Second
)

// pageEvents tells the page, as server-sent events, that something changed.
func (t *Telegram) pageEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	stream := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for line := "data: change\n\n"; ; {
		t.mu.Lock()
		wake := t.wake
		t.mu.Unlock()
		if _, err := w.Write([]byte(line)); err != nil {
			return
		}
		if err := stream.Flush(); err != nil {
			return
		}
		if !pause(r.Context(), eventGap) {
			return
		}
		select {
		case <-wake:
			line = "data: change\n\n"
		case <-beat.C:
			line = ": still here\n\n"
		case <-r.Context().Done():
			return
		case <-t.closing:
			return
		}
	}
}

// mountChain serves the chain's part of the page.
func mountChain(mux *http.ServeMux, c Chain) {
	mux.Handle("GET /demo/chain", control(func(r *http.Request, _ controlBody) (any, error) {
		return c.View(r.Context())
	}))
	mux.Handle("POST /demo/pay", control(func(r *http.Request, b controlBody) (any, error) {
		if strings.TrimSpace(b.Address) == "" || b.Amount == "" {
			return nil, badInput("a payment needs an address and an amount")
		}
		id, err := c.Pay(r.Context(), strings.TrimSpace(b.Address), strings.TrimSpace(string(b.Amount)))
		return map[string]string{"transactionId": id}, shown(err)
	}))
	mux.Handle("POST /demo/block", control(func(r *http.Request, _ controlBody) (any, error) {
		height, err := c.NextBlock(r.Context())
		return map[string]int64{"height": height}, shown(err)
	}))
	mux.Handle("POST /demo/scan", control(func(r *http.Request, b controlBody) (any, error) {
		if len(b.Picture) == 0 {
			return nil, badInput("there is no ticket to scan yet")
		}
		v, err := c.Scan(r.Context(), b.Address, b.Picture)
		return v, shown(err)
	}))
}

// shown makes an error of the chain one that the page shows to the customer.
func shown(err error) error {
	if err == nil {
		return nil
	}
	return &inputError{what: err.Error()}
}
