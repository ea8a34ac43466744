package sandbox

import (
	"net/http"
	"slices"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
)

// A dropped transaction is gone from the chain but not from the wallet, until it is sent again or removed.
func TestDroppedCallStillCountsInTheWallet(t *testing.T) {
	everyNode(t, func(t *testing.T, w *world) {
		w.open(100, VenueRequest{})
		at, coin := w.ready(0)
		id, qr := w.qr(w.reserve(with(w.payer(WalletOne, at, coin), "seat", seatA)), seatA)
		hex := readAs[string](w, w.get("/api/Node/getrawtransaction", "trxid", string(id), "verbose", "false"))
		raw := readAs[struct {
			Hex string    `json:"hex"`
			Vin []vinBody `json:"vin"`
		}](w, w.get("/api/Node/getrawtransaction", "trxid", string(id), "verbose", "true"))
		if raw.Hex != hex || raw.Vin[0].TxID != coin.TxID || *raw.Vin[0].Vout != coin.Index {
			t.Fatalf("%+v", raw)
		}
		readAs[struct{}](w, w.post("/sandbox/drop", map[string]any{"transactionId": id}))
		if out := w.get("/api/Node/gettxout", "trxid", string(coin.TxID), "vout", "0", "includeMemPool", "true"); string(out.body) == "null" {
			t.Fatal("the coin is still spent on chain")
		}
		if coins := w.spendable(WalletOne, at); slices.ContainsFunc(coins, func(c spendableBody) bool { return c.ID == coin.TxID }) {
			t.Fatal("the wallet has the coin back")
		}
		calls := readAs[[]callItemBodyIn](w, w.get("/api/SmartContractWallet/history", "walletName", WalletOne, "address", string(at)))
		if len(calls) != 1 || calls[0].Hash != id || calls[0].BlockHeight != nil || calls[0].Type != itemCall {
			t.Fatalf("%+v", calls)
		}
		readAs[sentBody](w, w.post("/api/wallet/send-transaction", map[string]string{"hex": hex}))
		readAs[struct{}](w, w.post("/sandbox/drop", map[string]any{"transactionId": id}))
		removed := readAs[[]removedBody](w, w.do(http.MethodDelete, w.s.NodeURL()+"/api/wallet/remove-transactions?walletName=usher1&ids="+string(id)+"&reSync=false", nil))
		if len(removed) != 1 || removed[0].TransactionID != id {
			t.Fatalf("%+v", removed)
		}
		if coins := w.spendable(WalletOne, at); len(coins) != 1 || coins[0].ID != coin.TxID {
			t.Fatalf("%+v", coins)
		}
		readAs[sentBody](w, w.post("/api/wallet/send-transaction", map[string]string{"hex": hex}))
		w.mine(1)
		if !w.scan(qr).Opens {
			t.Fatal("the same bytes do not buy the seat")
		}
		w.balanced()
	})
}

type callItemBodyIn struct {
	BlockHeight *uint64        `json:"blockHeight"`
	Type        int            `json:"type"`
	Hash        cirrus.TxID    `json:"hash"`
	To          cirrus.Address `json:"to"`
	Amount      float64        `json:"amount"`
	GasFee      float64        `json:"gasFee"`
}

func TestDoubleSpentPaymentVanishes(t *testing.T) {
	w := newWorld(t, Options{})
	at := w.address(WalletOne)
	coin := w.fund(at, 5*crs)
	w.mine(1)
	readAs[struct{}](w, w.post("/sandbox/reorg", `{"depth":1}`))
	thief := readAs[transactionBody](w, w.post("/sandbox/doublespend", map[string]any{"transactionId": coin.TxID}))
	w.mine(1)
	if coins := w.spendable(WalletOne, at); len(coins) != 0 {
		t.Fatalf("%+v", coins)
	}
	if got := w.address(WalletOne); got != at {
		t.Fatalf("the address is used: the next one is %s", got)
	}
	if pool := readAs[[]cirrus.TxID](w, w.get("/api/Mempool/getrawmempool")); len(pool) != 0 || thief.TransactionID == coin.TxID {
		t.Fatalf("%v", pool)
	}
	w.balanced()
}

func TestUnusedAddressesStayTheSameUntilUsed(t *testing.T) {
	w := newWorld(t, Options{})
	ask := func(what, n string) []cirrus.Address {
		return readAs[[]cirrus.Address](w, w.get("/api/wallet/"+what, "walletName", WalletOne, "accountName", Account, "count", n))
	}
	before := ask("unusedaddresses", "30")
	if again := ask("unusedaddresses", "3"); !slices.Equal(again, before[:3]) {
		t.Fatalf("%v, then %v", before[:3], again)
	}
	w.fund(before[0], crs)
	if again := ask("unusedaddresses", "2"); !slices.Equal(again, before[1:3]) {
		t.Fatalf("after a payment: %v", again)
	}
	if fresh := ask("newaddresses", "2"); slices.Contains(before, fresh[0]) || slices.Contains(before, fresh[1]) {
		t.Fatalf("not new: %v", fresh)
	}
	old := newWorld(t, Options{Node: Node2020})
	if got := old.get("/api/wallet/newaddresses", "walletName", WalletOne, "count", "1"); got.status != 404 {
		t.Fatalf("2020: %d", got.status)
	}
}
