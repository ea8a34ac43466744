package chain

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func TestAnUnfitNodeTurnsSellingOff(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	w := chain.watcher(t, b)
	look(t, w)
	chain.peers = 0
	look(t, w)
	if tip := b.tip(); tip.Healthy || tip.Why == "" {
		t.Fatalf("no peers: posted %+v", tip)
	}
	chain.peers, chain.network = 1, cirrus.MainNet.Name
	coins := b.posts
	if err := w.Look(t.Context()); !errors.Is(err, cirrus.ErrNetwork) || b.tip().Healthy || b.posts != coins {
		t.Fatalf("another network: %v, posted %+v", err, b.tip())
	}
	chain.network = cirrus.TestNet.Name
	look(t, w)
	if !b.tip().Healthy {
		t.Fatalf("all well: posted %+v", b.tip())
	}
	chain.on("/api/Node/status", 503, "")
	if err := w.Look(t.Context()); !errors.Is(err, order.ErrUnknownOutcome) || b.tip().Healthy {
		t.Fatalf("no answer: %v, posted %+v", err, b.tip())
	}
}

func TestTheTipIsPostedAgainWhenItGetsOld(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	now := time.Unix(1_700_000_000, 0)
	w := chain.watcher(t, b, func(w *Watching) { w.Clock = func() time.Time { return now } })
	look(t, w)
	look(t, w)
	if len(b.tips) != 1 {
		t.Fatalf("posted %d times", len(b.tips))
	}
	now = now.Add(heartbeat)
	look(t, w)
	if len(b.tips) != 2 || b.tip().Seen != now {
		t.Fatalf("posted %+v", b.tips)
	}
}

func TestMoneyIsNotMissingWhileAWalletCatchesUp(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.setCoins(coin(txA, "tPaid", 1))
	w := chain.watcher(t, b)
	look(t, w)
	chain.mine()
	chain.setCoins()
	chain.behind = 1
	if err := w.Look(t.Context()); !errors.Is(err, errWalletSoon) || len(b.coins) != 1 || !b.tip().Healthy {
		t.Fatalf("got %v with coins %v, tip %+v", err, b.coins, b.tip())
	}
	chain.behind = 100
	if err := w.Look(t.Context()); !errors.Is(err, errWalletBehind) || len(b.coins) != 1 || b.tip().Healthy {
		t.Fatalf("got %v with coins %v, tip %+v", err, b.coins, b.tip())
	}
	chain.behind = 0
	look(t, w)
	if len(b.coins) != 0 || !b.tip().Healthy {
		t.Fatalf("coins %v, tip %+v", b.coins, b.tip())
	}
}

func TestWhatFailedIsDoneAtTheNextLook(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue("tOpen", 2)
	chain.begin("tOpen", "Dune", 9000)
	b.all = map[cirrus.TxID]order.ID{txA: "mined"}
	w := chain.watcher(t, b)
	look(t, w)
	b.drain()
	chain.mine(txA)
	b.fail = errors.New("board away")
	if err := w.Look(t.Context()); !errors.Is(err, b.fail) {
		t.Fatalf("got %v", err)
	}
	b.fail = nil
	look(t, w)
	if woken := b.drain(); !reflect.DeepEqual(woken, []order.ID{"mined"}) || b.sales["tOpen"].Height != chain.tip().Height {
		t.Fatalf("woke %v, sale %+v", woken, b.sales["tOpen"])
	}
}

func TestWhatCannotBeWokenIsWokenLater(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	b.owners["tPaid"] = "paid"
	chain.setCoins(coin(txA, "tPaid", 0))
	away := errors.New("queue away")
	w := chain.watcher(t, b, func(w *Watching) {
		wake := w.Wake
		w.Wake = func(ctx context.Context, id order.ID) error {
			if away != nil {
				return away
			}
			return wake(ctx, id)
		}
	})
	if err := w.Look(t.Context()); !errors.Is(err, away) {
		t.Fatalf("got %v", err)
	}
	away = nil
	look(t, w)
	if woken := b.drain(); !reflect.DeepEqual(woken, []order.ID{"paid"}) {
		t.Fatalf("woke %v", woken)
	}
}

func TestRunLooksUntilItIsStopped(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	woken := make(chan order.ID, 1)
	b.owners["tPaid"] = "paid"
	w := chain.watcher(t, b, func(w *Watching) {
		w.Wake = func(_ context.Context, id order.ID) error { woken <- id; return nil }
	})
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	chain.setCoins(coin(txA, "tPaid", 0))
	select {
	case <-woken:
	case <-ctx.Done():
		t.Fatal("never woken")
	}
	stop()
	<-done
}

// logged hears what is logged, and does something about it.
type logged struct {
	slog.Handler
	heard func(slog.Record)
}

func (l logged) Enabled(context.Context, slog.Level) bool { return true }

func (l logged) Handle(_ context.Context, r slog.Record) error {
	l.heard(r)
	return nil
}

// TestANodeThatStaysAwayIsLoggedNowAndThen: not with every look, of which there is one a second.
func TestANodeThatStaysAwayIsLoggedNowAndThen(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	w := chain.watcher(t, b)
	look(t, w)
	chain.network = cirrus.MainNet.Name
	ctx, cancel := context.WithCancel(t.Context())
	warned := 0
	w.Poll = time.Millisecond
	w.Log = slog.New(logged{slog.DiscardHandler, func(r slog.Record) {
		if r.Level == slog.LevelInfo {
			cancel()
			return
		}
		if warned++; warned == 2 {
			chain.network = cirrus.TestNet.Name
		}
	}})
	asked := chain.total()["/api/Node/status"]
	w.Run(ctx)
	if got := chain.total()["/api/Node/status"] - asked; warned != 2 || got < patience {
		t.Errorf("warned %d times in %d looks", warned, got)
	}
}
