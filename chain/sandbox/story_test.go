package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/door"
)

func TestSeatFromPaymentToTheDoorAndBack(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		fee := 2 * crs
		w.open(100, VenueRequest{ReleaseFee: fee, NoReleaseBlocks: 10})
		at := w.address(WalletOne)
		coin := w.fund(at, price+2*w.budget())
		if coins := w.spendable(WalletOne, at); len(coins) != 1 || coins[0].Confirmations != 0 {
			t.Fatalf("unconfirmed: %+v", coins)
		}
		w.mine(1)
		if coins := w.spendable(WalletOne, at); len(coins) != 1 || coins[0].Confirmations != 1 {
			t.Fatalf("confirmed: %+v", coins)
		}
		bought := w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA))
		if want := "/api/smartContracts/receipt?txHash="; !strings.HasPrefix(bought.header.Get("Location"), want) {
			t.Fatalf("location %q", bought.header.Get("Location"))
		}
		id, qr := w.qr(bought, seatA)
		w.want(w.get("/api/SmartContracts/receipt", "txHash", string(id)), 400, "The receipt was not found.")
		if w.scan(qr).Opens {
			t.Fatal("opens before the purchase is in a block")
		}
		w.mine(1)
		reserved := w.receipt(id, true)
		if result := w.scan(qr); !result.Opens || result.Results[0].Verdict != door.Valid {
			t.Fatalf("scan: %+v", result)
		}
		// change now, unused gas one block later
		left := w.budget()
		if coins := w.spendable(WalletOne, at); len(coins) != 1 || coins[0].Amount != left {
			t.Fatalf("change: %+v, want %d", coins, left)
		}
		w.mine(1)
		back := w.budget() - 100*reserved.GasUsed
		if coins := w.spendable(WalletOne, at); len(coins) != 2 || sumOf(coins) != left+back {
			t.Fatalf("gas: %+v, want %d and %d", coins, left, back)
		}
		w.balanced()

		released := w.booth(http.MethodPost, "/"+string(w.venue)+"/ReleaseTicket", with(w.payer(WalletOne, at), "seat", seatA))
		if released.status != http.StatusCreated {
			t.Fatalf("release: %d %s", released.status, released.body)
		}
		release := readAs[cirrus.TxID](w, released)
		w.mine(2)
		given := w.receipt(release, true)
		want := left + back + price - fee - 100*given.GasUsed
		if coins := w.spendable(WalletOne, at); sumOf(coins) != want {
			t.Fatalf("after the release: %+v, want %d in all", coins, want)
		}
		if result := w.scan(qr); result.Opens || result.Results[0].Verdict != door.NoAnswer {
			t.Fatalf("scan of a released seat: %+v", result)
		}
		w.balanced()
	})
}

func (w *world) receipt(id cirrus.TxID, success bool) receiptBody {
	w.t.Helper()
	receipt := readAs[receiptBody](w, w.get("/api/SmartContracts/receipt", "txHash", string(id)))
	if receipt.Success != success {
		w.t.Fatalf("receipt: %+v", receipt)
	}
	if today := w.s.options.Node == NodeToday; (receipt.BlockNumber != nil) != today {
		w.t.Fatalf("blockNumber %v on node %s", receipt.BlockNumber, w.s.options.Node)
	}
	return receipt
}

func sumOf(coins []spendableBody) (sum uint64) {
	for _, coin := range coins {
		sum += coin.Amount
	}
	return sum
}

func TestNameIsSealedAndShownAtTheDoor(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{Identity: true})
		at, coin := w.ready(0)
		w.want(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA, "customerName", "  ")), 400, "Customer name is required")
		bought := w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA, "customerName", "Zoë Ågren"))
		_, qr := w.qr(bought, seatA)
		w.mine(1)
		if result := w.scan(qr); !result.Opens || result.Results[0].Name != "Zoë Ågren" {
			t.Fatalf("scan: %+v", result)
		}
		if view := w.get("/sandbox/ledger"); contains(view, "Zoë") {
			t.Fatal("the ledger shows a name")
		}
	})
}

// Two buyers both get 201 for one seat; the block decides, and the loser's money comes back at once.
func TestTwoBuyersOneSeat(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{})
		at, coin := w.ready(0)
		id, qr := w.qr(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), seatA)
		other := readAs[transactionBody](w, w.post("/sandbox/reserve", map[string]any{"address": w.venue, "seat": seatA, "first": true}))
		slow := readAs[transactionBody](w, w.post("/sandbox/reserve", map[string]any{"address": w.venue, "seat": seatB, "sender": w.address(WalletTwo)}))
		w.mine(1)
		lost := w.receipt(id, false)
		if lost.Error == nil || !strings.HasPrefix(*lost.Error, "Stratis.SmartContracts.SmartContractAssertException: Ticket not available") {
			t.Fatalf("error %v", lost.Error)
		}
		w.receipt(other.TransactionID, true)
		w.receipt(slow.TransactionID, true)
		if w.scan(qr).Opens {
			t.Fatal("opens for the loser")
		}
		w.mine(1)
		want := price + 2*w.budget() - 100*lost.GasUsed
		if coins := w.spendable(WalletOne, at); sumOf(coins) != want || len(coins) != 3 {
			t.Fatalf("coins %+v, want %d in three", coins, want)
		}
		w.balanced()
	})
}

func TestLogShapesOfBothNodes(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{})
		found := readAs[[]struct {
			Logs []struct {
				Topics []string        `json:"topics"`
				Log    json.RawMessage `json:"log"`
			} `json:"logs"`
		}](w, w.get("/api/SmartContracts/receipt-search", "contractAddress", string(w.venue), "eventName", "Show"))
		if len(found) != 1 || found[0].Logs[0].Topics[0] != "53686F77" {
			t.Fatalf("%+v", found)
		}
		log := string(found[0].Logs[0].Log)
		if wrapped := strings.HasPrefix(log, `{"event":"Show","data":{`); wrapped != (w.s.options.Node == NodeToday) {
			t.Fatalf("log %s", log)
		}
		w.want(w.get("/api/SmartContracts/receipt-search", "contractAddress", string(w.address(WalletOne)), "eventName", "Show"), 500, "No code exists")
	})
}

func TestReorgUndoesAndRedoes(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{})
		at, coin := w.ready(0)
		id, qr := w.qr(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), seatA)
		height := w.mine(1)
		hash := readAs[string](w, w.get("/api/Consensus/getblockhash", "height", decimal(height)))
		readAs[struct{}](w, w.post("/sandbox/reorg", `{"depth":1}`))
		w.want(w.get("/api/SmartContracts/receipt", "txHash", string(id)), 400, "The receipt was not found.")
		w.want(w.get("/api/Consensus/getblockhash", "height", decimal(height)), 400, "No block found at height")
		if w.scan(qr).Opens {
			t.Fatal("opens for an undone purchase")
		}
		if pool := readAs[[]cirrus.TxID](w, w.get("/api/Mempool/getrawmempool")); len(pool) != 1 || pool[0] != id {
			t.Fatalf("mempool %v", pool)
		}
		w.mine(1)
		if again := readAs[string](w, w.get("/api/Consensus/getblockhash", "height", decimal(height))); again == hash {
			t.Fatal("the new block has the hash of the old one")
		}
		w.receipt(id, true)
		if !w.scan(qr).Opens {
			t.Fatal("stays shut after the purchase was mined again")
		}
		w.want(w.post("/sandbox/reorg", `{"depth":241}`), 400, `{"error":"depth: deeper than any node undoes`)
		w.balanced()
	})
}

func TestEndOfSale(t *testing.T) {
	w := newWorld(t, Options{})
	w.open(5, VenueRequest{})
	at, coin := w.ready(0)
	end := w.post("/sandbox/endsale", map[string]any{"address": w.venue})
	if end.status != 400 || !contains(end, "mine") {
		t.Fatalf("%d %s", end.status, end.body)
	}
	for w.s.Height() < 6 {
		w.mine(1)
	}
	w.want(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), 201, "")
	w.mine(2)
	w.want(w.reserve(with(w.payer(WalletOne, at), "seat", seatB)), 409, "Sale is not currently open")
	readAs[struct{}](w, w.post("/sandbox/endsale", map[string]any{"address": w.venue}))
	tickets := readAs[[]ticketBody](w, w.booth(http.MethodGet, "/"+string(w.venue)+"/Tickets", nil))
	if tickets[0].Price != 0 || tickets[0].Address != cirrus.TestNet.Zero() || tickets[0].Secret != nil {
		t.Fatalf("%+v", tickets[0])
	}
	w.balanced()
}
