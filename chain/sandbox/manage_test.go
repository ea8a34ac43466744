package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// An organiser does everything through the Ticketbooth API with a wallet of the node.
func TestOrganiserThroughTheAPI(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		at := w.address(WalletTwo)
		send := func(path string, more ...any) answer {
			w.fund(at, w.budget())
			w.mine(1)
			return w.booth(http.MethodPost, path, with(w.payer(WalletTwo, at), more...))
		}
		done := func(a answer) receiptBody {
			id := readAs[cirrus.TxID](w, a)
			w.mine(1)
			return w.receipt(id, true)
		}
		seats := []cirrus.Seat{seatA, seatB}
		w.want(send("", "seats", []cirrus.Seat{seatA, seatA}, "venue", "Hall"), 400, `{"errors":{"Seats"`)
		made := done(send("", "seats", seats, "venue", "Hall"))
		if made.NewContractAddress == nil || made.To != nil {
			t.Fatalf("%+v", made)
		}
		venue := "/" + string(*made.NewContractAddress)
		done(send(venue+"/TicketReleaseFee", "fee", 7))
		done(send(venue+"/NoReleaseBlocks", "count", 8))
		done(send(venue+"/IdentityVerificationPolicy", "requireIdentityVerification", true))
		for name, want := range map[string]string{"TicketReleaseFee": "7", "NoReleaseBlocks": "8", "IdentityVerificationPolicy": "true"} {
			if got := w.booth(http.MethodGet, venue+"/"+name, nil); string(got.body) != want {
				t.Errorf("%s is %s, want %s", name, got.body, want)
			}
		}
		details := map[string]any{"name": "Show", "organiser": "Club", "time": w.clock.Now().Add(time.Hour).Unix(), "endOfSale": w.s.Height() + 12}
		prices := []map[string]any{{"seat": seatA, "price": 5}, {"seat": seatB, "price": 6}}
		w.want(send(venue+"/EndSale"), 409, "Sale is not currently active or has not ended")
		w.want(send(venue+"/BeginSale", "seatPrices", prices[:1], "details", details), 400, "Must supply prices for all seats")
		w.want(send(venue+"/BeginSale", "seatPrices", prices, "details", with(map[string]any{}, "name", "x", "organiser", "y", "time", 1)), 400, `{"errors":{"Details.Time"`)
		done(send(venue+"/BeginSale", "seatPrices", prices, "details", details))
		w.want(send(venue+"/BeginSale", "seatPrices", prices, "details", details), 409, "Sale is currently active")
		w.want(send(venue+"/TicketReleaseFee", "fee", 7), 409, "Sale is currently active")
		w.mine(12)
		done(send(venue + "/EndSale"))
		w.balanced()
	})
}

// The smaller calls of the node answer in the forms that clients expect.
func TestSmallNodeCalls(t *testing.T) {
	w := newWorld(t, Options{})
	w.open(50, VenueRequest{})
	at, coin := w.ready(0)
	for path, want := range map[string]string{
		"/api/wallet/list-wallets?":                                           `{"walletNames":["usher1","usher2","float"]}`,
		"/api/wallet/accounts?walletName=usher1":                              `["account 0","account 1"]`,
		"/api/wallet/accounts?walletName=x":                                   `{"errors":[{"status":400,"message":"No wallet with name 'x' could be found."`,
		"/api/wallet/balance?walletName=usher1&accountName=account%200":       `{"balances":[{"accountName":"account 0"`,
		"/api/wallet/general-info?name=usher1":                                `{"walletName":"usher1","network":"CirrusTest"`,
		"/api/wallet/unusedaddress?walletName=usher1":                         `"t`,
		"/api/wallet/spendable-transactions?walletName=usher1&accountName=no": `{"errors":[{"status":400,"message":"Account 'no' in wallet 'usher1' not found."`,
		"/api/BlockStore/getblockcount?":                                      decimal(w.s.Height()),
		"/api/SmartContractWallet/account-addresses?walletName=usher1":        `["` + string(at),
		"/api/SmartContracts/balance?address=" + string(w.venue):              `"0"`,
		"/api/Node/validateaddress?address=" + string(at):                     `{"isvalid":true`,
		"/api/Node/gettxout?vout=0&trxid=" + string(coin.TxID):                `{"bestblock":`,
		"/api/Node/gettxout?vout=7&trxid=" + string(coin.TxID):                `null`,
		"/api/Node/getrawtransaction?trxid=" + string(coin.TxID):              `null`,
		"/api/wallet/history?walletName=usher1&skip=5&take=5":                 `{"history":[{"accountName":"account 0"`,
	} {
		if got := w.do(http.MethodGet, w.s.NodeURL()+path, nil); !strings.HasPrefix(string(got.body), want) {
			t.Errorf("%s: %s, want %s", path, got.body, want)
		}
	}
	local := w.post("/api/SmartContracts/local-call", map[string]any{
		"contractAddress": w.venue, "methodName": "Reserve", "amount": "1", "gasPrice": 100, "gasLimit": 100000, "sender": at,
		"parameters": []string{"10#C8840100000082410000", "10#AA"},
	})
	if result := readAs[localResult](w, local); !result.Revert || !strings.HasSuffix(result.ErrorMessage.Value, "Not enough funds") {
		t.Errorf("%+v", result)
	}
}

type blockIn struct {
	Hash         string            `json:"hash"`
	Height       uint64            `json:"height"`
	Tx           []cirrus.TxID     `json:"tx"`
	Transactions []json.RawMessage `json:"transactions"`
}

func TestBlockShowsItsTransactions(t *testing.T) {
	w := newWorld(t, Options{})
	coin := w.fund(w.address(WalletOne), crs)
	height := w.mine(1)
	hash := readAs[string](w, w.get("/api/Consensus/getblockhash", "height", decimal(height)))
	block := readAs[blockIn](w, w.get("/api/BlockStore/block", "hash", hash, "outputJson", "true", "showtransactiondetails", "true"))
	if block.Hash != hash || block.Height != height || len(block.Tx) != 2 || block.Tx[1] != coin.TxID || len(block.Transactions) != 2 {
		t.Fatalf("%+v", block)
	}
	w.want(w.get("/api/BlockStore/block", "hash", strings.Repeat("0", 64)), 404, "Block not found")
}

// Many callers, blocks in between: nothing breaks, no strat is lost.
func TestManyCallersAtOnce(t *testing.T) {
	w := newWorld(t, Options{Seed: true})
	venue := w.s.Venues()[1]
	var callers sync.WaitGroup
	for row := range 4 {
		callers.Go(func() {
			for number := range int32(6) {
				seat := cirrus.Seat{Number: number + 1, Letter: cirrus.Char('A' + row)}
				if _, err := w.s.Reserve(ReserveRequest{Address: venue, Seat: seat}); err != nil {
					t.Error(err)
				}
				w.get("/api/wallet/spendable-transactions", "walletName", WalletFloat)
				if _, err := w.s.Mine(1); err != nil {
					t.Error(err)
				}
				w.s.Ledger()
			}
		})
	}
	callers.Wait()
	w.mine(1)
	sold := 0
	for _, ticket := range readAs[[]ticketBody](w, w.booth(http.MethodGet, "/"+string(venue)+"/Tickets", nil)) {
		if ticket.Address != cirrus.TestNet.Zero() {
			sold++
		}
	}
	if sold != 24 {
		t.Errorf("%d seats sold", sold)
	}
	w.balanced()
}
