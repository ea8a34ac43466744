package chain

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// memoryChain is a reader of a chain in memory that sometimes fails.
type memoryChain struct {
	blocks []Block
	made   int
	fail   func() bool
}

var errFlaky = errors.New("flaky")

func (m *memoryChain) mine() {
	m.made++
	block := Block{
		Height: uint64(len(m.blocks)) + firstHeight, Hash: testHash("block", m.made, 0),
		Txs: []cirrus.TxID{cirrus.TxID(testHash("tx", m.made, 0))},
	}
	if len(m.blocks) > 0 {
		block.Parent = m.blocks[len(m.blocks)-1].Hash
	}
	m.blocks = append(m.blocks, block)
}

func (m *memoryChain) BlockHash(_ context.Context, height uint64) (string, error) {
	if m.fail() {
		return "", errFlaky
	}
	if height < firstHeight || height-firstHeight >= uint64(len(m.blocks)) {
		return "", order.ErrRefused
	}
	return m.blocks[height-firstHeight].Hash, nil
}

func (m *memoryChain) Block(_ context.Context, hash string) (Block, error) {
	if m.fail() {
		return Block{}, errFlaky
	}
	for _, block := range m.blocks {
		if block.Hash == hash {
			return block, nil
		}
	}
	return Block{}, order.ErrRefused
}

// Whatever the chain does, and however often reading fails, the trail ends where the chain does, and each transaction
// that was mined or undone since the last time is told, unless blocks were left out, which is told too.
func TestTheTrailTellsAllThatHappened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chain := &memoryChain{fail: func() bool { return rapid.IntRange(0, 9).Draw(t, "fails") == 0 }}
		chain.mine()
		var followed trail
		seen := map[cirrus.TxID]bool{}
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			undone := rapid.IntRange(0, min(4, len(chain.blocks)-1)).Draw(t, "undone")
			chain.blocks = chain.blocks[:len(chain.blocks)-undone]
			for range rapid.IntRange(0, 5).Draw(t, "mined") {
				chain.mine()
			}
			var told news
			height := uint64(len(chain.blocks)) + firstHeight - 1
			before, _ := followed.top()
			for followed.follow(t.Context(), chain, height, &told) != nil {
			}
			top, _ := followed.top()
			now := map[cirrus.TxID]bool{}
			for _, block := range chain.blocks {
				now[block.Txs[0]] = true
			}
			same := top.Hash == chain.blocks[len(chain.blocks)-1].Hash
			if top.Height != height || (!same && before.Height != height) {
				t.Fatalf("at %s of height %d, not %d", top.Hash, top.Height, height)
			}
			if same {
				missing(t, told, seen, now)
				seen = now
			}
			linked(t, followed.blocks)
		}
	})
}

// missing finds transactions that came or went without being told.
func missing(t *rapid.T, told news, before, now map[cirrus.TxID]bool) {
	if told.jumped {
		return
	}
	for _, pair := range [][2]map[cirrus.TxID]bool{{before, now}, {now, before}} {
		for id := range pair[0] {
			if !pair[1][id] && !told.touched[id] {
				t.Fatalf("%s is not told", id.Short())
			}
		}
	}
}

func linked(t *rapid.T, blocks []Block) {
	for i := 1; i < len(blocks); i++ {
		if blocks[i].Parent != blocks[i-1].Hash || blocks[i].Height != blocks[i-1].Height+1 {
			t.Fatalf("block %d does not follow the one before it", blocks[i].Height)
		}
	}
}
