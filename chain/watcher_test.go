package chain

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func coin(tx cirrus.TxID, address cirrus.Address, confirmations uint64) cirrus.Coin {
	return cirrus.Coin{Outpoint: cirrus.Outpoint{TxID: tx}, Address: address, Amount: 5, Confirmations: confirmations}
}

func TestCallsForABlockDoNotGrowWithOrders(t *testing.T) {
	counted := map[int]map[string]int{}
	for _, orders := range []int{10, 1000} {
		chain, b := newFakeChain(t), newBoard()
		chain.venue("tOpen", 5)
		chain.venue("tClosed", 5)
		chain.begin("tOpen", "Dune", 9000)
		var coins []cirrus.Coin
		for n := range orders {
			id := order.ID(fmt.Sprint("order", n))
			address := cirrus.Address(fmt.Sprint("t", n))
			tx := cirrus.TxID(testHash("pay", n, 0))
			b.owners[address] = id
			switch n % 3 {
			case 0: // waits for its payment
			case 1: // paid
				coins = append(coins, coin(tx, address, 1))
			case 2: // its call waits for a block
				chain.mempool = append(chain.mempool, tx)
				b.waiting[tx], b.all[tx] = id, id
			}
		}
		chain.setCoins(coins...)
		w := chain.watcher(t, b)
		look(t, w)
		b.drain()
		chain.total()
		chain.mine()
		look(t, w)
		if woken := b.drain(); len(woken) != 0 {
			t.Fatalf("woke %v although nothing happened to them", woken)
		}
		counted[orders] = chain.total()
		look(t, w)
		if idle, want := chain.total(), map[string]int{"/api/Node/status": 1, "/api/wallet/spendable-transactions": 1}; !reflect.DeepEqual(idle, want) {
			t.Fatalf("a look without a new block asked %v", idle)
		}
	}
	want := map[string]int{
		"/api/Node/status": 1, "/api/wallet/spendable-transactions": 1, "/api/Consensus/getblockhash": 1, "/api/BlockStore/block": 1,
		"/api/Mempool/getrawmempool": 1, "/api/v1.0/ticketbooth/tOpen/Tickets": 1,
	}
	for orders, asked := range counted {
		if !reflect.DeepEqual(asked, want) {
			t.Errorf("with %d orders a block asked %v", orders, asked)
		}
	}
}

func TestNoMempoolIsReadWhereNothingOfOursIsInIt(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	w := chain.watcher(t, b)
	look(t, w)
	chain.mine()
	look(t, w)
	if chain.count("/api/Mempool/getrawmempool") != 0 {
		t.Fatal("read the mempool for nothing")
	}
}

func TestAPaymentWakesItsOrderBeforeItIsMined(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	b.owners["tPaid"] = "paid"
	w := chain.watcher(t, b)
	look(t, w)
	chain.setCoins(coin(txA, "tPaid", 0))
	look(t, w)
	if woken := b.drain(); !reflect.DeepEqual(woken, []order.ID{"paid"}) {
		t.Fatalf("woke %v", woken)
	}
	look(t, w)
	if woken := b.drain(); len(woken) != 0 || b.posts != 2 {
		t.Fatalf("woke %v, posted coins %d times", woken, b.posts)
	}
}

func TestMinedAndVanishedCallsWakeTheirOrders(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	b.waiting = map[cirrus.TxID]order.ID{txA: "mined", txB: "vanished", "c": "waits"}
	b.all = map[cirrus.TxID]order.ID{txA: "mined", txB: "vanished", "c": "waits"}
	chain.mempool = []cirrus.TxID{txA, txB, "c"}
	w := chain.watcher(t, b)
	look(t, w)
	b.drain()
	chain.mempool = []cirrus.TxID{txA, "c"}
	chain.mine(txA)
	look(t, w)
	if woken := b.drain(); !reflect.DeepEqual(woken, []order.ID{"mined", "vanished"}) {
		t.Fatalf("woke %v", woken)
	}
	if tip := b.tip(); tip.Height != chain.tip().Height || tip.Hash != chain.tip().Hash || !tip.Healthy {
		t.Fatalf("posted %+v", tip)
	}
}

func TestBlocksMissedInBetweenAreReadOneByOne(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	b.all = map[cirrus.TxID]order.ID{txA: "early", txB: "late"}
	w := chain.watcher(t, b)
	look(t, w)
	chain.mine(txA)
	chain.mine()
	chain.mine(txB)
	look(t, w)
	if woken := b.drain(); !reflect.DeepEqual(woken, []order.ID{"early", "late"}) {
		t.Fatalf("woke %v", woken)
	}
}

func TestAReorganisationWakesWhatWasUndone(t *testing.T) {
	for name, depth := range map[string]int{"one block": 1, "three blocks": 3} {
		t.Run(name, func(t *testing.T) {
			chain, b := newFakeChain(t), newBoard()
			b.all = map[cirrus.TxID]order.ID{txA: "undone", txB: "kept"}
			w := chain.watcher(t, b)
			look(t, w)
			chain.mine(txB)
			look(t, w)
			chain.mine(txA)
			for range depth - 1 {
				chain.mine()
			}
			look(t, w)
			b.drain()
			chain.undo(depth)
			for range depth + 1 {
				chain.mine()
			}
			look(t, w)
			if woken := b.drain(); !reflect.DeepEqual(woken, []order.ID{"undone"}) {
				t.Fatalf("woke %v", woken)
			}
			if b.tip().Hash != chain.tip().Hash {
				t.Fatalf("posted %+v", b.tip())
			}
		})
	}
}

func TestAChainThatBecameShorterIsFollowedBack(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	b.all = map[cirrus.TxID]order.ID{txA: "undone"}
	w := chain.watcher(t, b)
	look(t, w)
	chain.mine()
	chain.mine(txA)
	chain.mine()
	look(t, w)
	b.drain()
	chain.undo(2)
	look(t, w)
	if woken := b.drain(); !reflect.DeepEqual(woken, []order.ID{"undone"}) || b.tip().Height != firstHeight+1 {
		t.Fatalf("woke %v, at %d", woken, b.tip().Height)
	}
}

func TestAWatcherGoesOnWhereTheLastOneStopped(t *testing.T) {
	for name, test := range map[string]struct {
		stopped func(Block) seen
		want    []order.ID
	}{
		"a block ago": {
			func(at Block) seen {
				return seen{tip: order.Tip{Height: at.Height, Hash: at.Hash, Network: "CirrusTest"}}
			},
			[]order.ID{"mined"},
		},
		"on a block that is gone": {
			func(at Block) seen {
				return seen{tip: order.Tip{Height: at.Height, Hash: string(txB), Network: "CirrusTest"}}
			},
			[]order.ID{"waits"},
		},
		"never":              {func(Block) seen { return seen{err: order.ErrNotFound} }, []order.ID{"waits"}},
		"on another network": {func(Block) seen { return seen{tip: order.Tip{Height: 1, Hash: "x", Network: "CirrusMain"}} }, []order.ID{"waits"}},
	} {
		t.Run(name, func(t *testing.T) {
			chain, b := newFakeChain(t), newBoard()
			stopped := chain.tip()
			chain.mine(txA)
			chain.mine()
			chain.mempool = []cirrus.TxID{"c"}
			b.all = map[cirrus.TxID]order.ID{txA: "mined"}
			b.waiting = map[cirrus.TxID]order.ID{"c": "waits"}
			w := chain.watcher(t, b, func(w *Watching) { w.View = test.stopped(stopped) })
			look(t, w)
			if woken := b.drain(); !reflect.DeepEqual(woken, test.want) {
				t.Fatalf("woke %v", woken)
			}
		})
	}
}

func TestAWatcherThatDiedInALookLosesNothing(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue("tOpen", 2)
	chain.begin("tOpen", "Dune", 9000)
	at := chain.mine(txA)
	b.waiting = map[cirrus.TxID]order.ID{txA: "mined"}
	w := chain.watcher(t, b, func(w *Watching) {
		w.View = seen{tip: order.Tip{Height: at.Height, Hash: at.Hash, Network: "CirrusTest"}}
	})
	look(t, w)
	if woken := b.drain(); !reflect.DeepEqual(woken, []order.ID{"mined"}) || b.sales["tOpen"].Show == nil || b.posts != 1 {
		t.Fatalf("woke %v, sales %v, coins posted %d times", woken, b.sales, b.posts)
	}
}

func TestAGapTooLongToReadWakesAllThatWait(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	b.waiting = map[cirrus.TxID]order.ID{txA: "waits"}
	chain.mempool = []cirrus.TxID{txA}
	w := chain.watcher(t, b)
	look(t, w)
	b.drain()
	for range Memory + 2 {
		chain.mine()
	}
	chain.total()
	look(t, w)
	if woken := b.drain(); !reflect.DeepEqual(woken, []order.ID{"waits"}) {
		t.Fatalf("woke %v", woken)
	}
	if read := chain.count("/api/BlockStore/block"); read != 1 {
		t.Fatalf("read %d blocks", read)
	}
}

func TestNoMoreThanItsMemoryIsKept(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	w := chain.watcher(t, b)
	for range Memory + 20 {
		look(t, w)
		chain.mine()
	}
	if kept := len(w.trail.blocks); kept != Memory {
		t.Fatalf("keeps %d blocks", kept)
	}
}
