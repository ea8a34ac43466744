package chain

import (
	"context"
	"errors"
	"testing"

	"github.com/usherbot/usher/flows/order"
)

// undoneAt has the watcher tell of undone blocks here, failing as long as told.
func undoneAt(heights *[]uint64, failures int) func(*Watching) {
	return func(w *Watching) {
		w.Undone = func(_ context.Context, height uint64) error {
			if failures > 0 {
				failures--
				return errors.New("not now")
			}
			*heights = append(*heights, height)
			return nil
		}
	}
}

func TestUndoneBlocksAreCountedOnTheTipAndToldOnce(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	var told []uint64
	w := chain.watcher(t, b, undoneAt(&told, 0))
	for range 5 {
		chain.mine()
		look(t, w)
	}
	if b.tip().Forks != 0 || len(told) != 0 {
		t.Fatalf("told %v of %+v although nothing was undone", told, b.tip())
	}
	at := chain.tip().Height
	chain.undo(3)
	for range 4 {
		chain.mine()
	}
	look(t, w)
	look(t, w)
	if tip := b.tip(); tip.Forks != 1 || tip.Fork != at-3 || len(told) != 1 || told[0] != at+1 {
		t.Fatalf("told %v of %+v", told, tip)
	}
}

func TestTheDeepestOfSeveralForksIsRememberedUntilItIsFinal(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	w := chain.watcher(t, b)
	look(t, w)
	for range 6 {
		chain.mine()
	}
	look(t, w)
	at := chain.tip().Height
	for _, depth := range []int{4, 1} {
		chain.undo(depth)
		for range depth + 1 {
			chain.mine()
		}
		look(t, w)
	}
	if tip := b.tip(); tip.Forks != 2 || tip.Fork != at-4 {
		t.Fatalf("posted %+v", tip)
	}
	for range Memory {
		chain.mine()
	}
	look(t, w)
	chain.undo(1)
	chain.mine()
	chain.mine()
	look(t, w)
	if tip := b.tip(); tip.Forks != 3 || tip.Fork != chain.tip().Height-2 {
		t.Fatalf("posted %+v at %d", tip, chain.tip().Height)
	}
}

func TestOrdersAreToldOfUndoneBlocksAlthoughThatFailedAtFirst(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	var told []uint64
	w := chain.watcher(t, b, undoneAt(&told, 2))
	chain.mine()
	look(t, w)
	chain.undo(1)
	chain.mine()
	chain.mine()
	for range 2 {
		if err := w.Look(t.Context()); err == nil {
			t.Error("a failure was kept back")
		}
	}
	look(t, w)
	look(t, w)
	if len(told) != 1 {
		t.Fatalf("told %v", told)
	}
}

// The watcher before this one posted a block that is gone: how deep the chain was undone nobody knows.
func TestWhatWasUndoneWhileNobodyWatchedCountsAsAFork(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	gone := order.Tip{Height: chain.tip().Height, Hash: string(txB), Network: "CirrusTest", Forks: 7, Fork: 3}
	var told []uint64
	w := chain.watcher(t, b, undoneAt(&told, 0), func(w *Watching) { w.View = seen{tip: gone} })
	chain.mine()
	look(t, w)
	if tip := b.tip(); tip.Forks != 8 || tip.Fork > below(gone.Height, Memory) || len(told) != 1 {
		t.Fatalf("told %v of %+v", told, tip)
	}
}
