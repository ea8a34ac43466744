package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Memory is how many blocks the watcher remembers, the depth at which a block of Cirrus is final.
const Memory = 240

// trail is the chain as it was last seen: blocks of ascending height without a gap, at most Memory of them.
type trail struct {
	blocks []Block
	doubt  bool // whether the node still has the newest one must be asked
}

func (t *trail) top() (Block, bool) {
	if len(t.blocks) == 0 {
		return Block{}, false
	}
	return t.blocks[len(t.blocks)-1], true
}

func (t *trail) push(block Block) {
	if len(t.blocks) == Memory {
		t.blocks = append(t.blocks[:0], t.blocks[1:]...)
	}
	t.blocks = append(t.blocks, block)
}

// pop takes the newest block off.
func (t *trail) pop() { t.blocks = t.blocks[:len(t.blocks)-1] }

// reader reads blocks; a Client is one.
type reader interface {
	BlockHash(ctx context.Context, height uint64) (string, error)
	Block(ctx context.Context, hash string) (Block, error)
}

// news is what following the chain brought, gathered until it was told.
type news struct {
	touched map[cirrus.TxID]bool // mined, or undone
	blocks  int                  // read
	busy    bool                 // a block held more than its coinbase
	undone  bool                 // blocks were undone
	forked  bool                 // blocks above fork were undone, or may have been
	fork    uint64               // height of the newest block that is certainly still there
	jumped  bool                 // blocks were left out: anything may have happened
}

// forkAt notes that blocks above a height were undone, or may have been.
func (n *news) forkAt(height uint64) {
	if !n.forked || height < n.fork {
		n.forked, n.fork = true, height
	}
}

func (n *news) touch(block Block) {
	if n.touched == nil {
		n.touched = make(map[cirrus.TxID]bool, len(block.Txs))
	}
	for _, id := range block.Txs {
		n.touched[id] = true
	}
	n.busy = n.busy || len(block.Txs) > 1
}

// follow reads the blocks from where the trail ends to height. Where a block does not continue the trail, the newest
// blocks of the trail are undone until one is found that the node still has. Errors leave the trail a part of some
// chain, so following goes on from there the next time.
func (t *trail) follow(ctx context.Context, from reader, height uint64, told *news) error {
	for {
		if err := t.rewind(ctx, from, told); err != nil {
			return err
		}
		top, known := t.top()
		switch {
		case !known || height > top.Height+Memory:
			return t.jump(ctx, from, height, told)
		case height < top.Height:
			t.undo(told)
			continue
		case height == top.Height:
			return nil
		}
		block, err := readBlock(ctx, from, top.Height+1)
		if err != nil {
			return err
		}
		if block.Parent == top.Hash {
			t.push(block)
			told.blocks++
			told.touch(block)
			continue
		}
		t.undo(told)
	}
}

// undo takes the newest block back, and lets the one before it be doubted.
func (t *trail) undo(told *news) {
	top, _ := t.top()
	told.touch(top)
	told.undone, t.doubt = true, true
	told.forkAt(below(top.Height, 1))
	t.pop()
}

// rewind undoes blocks, where there is doubt, until the node still has the newest one.
func (t *trail) rewind(ctx context.Context, from reader, told *news) error {
	for t.doubt {
		top, known := t.top()
		if !known {
			break
		}
		hash, err := from.BlockHash(ctx, top.Height)
		if err != nil && !errors.Is(err, order.ErrRefused) {
			return fmt.Errorf("looking for the fork: %w", err)
		}
		if hash == top.Hash {
			break
		}
		t.undo(told)
	}
	t.doubt = false
	return nil
}

// below is so many blocks below a height.
func below(height, blocks uint64) uint64 { return height - min(height, blocks) }

// jump starts anew at height. What was seen up to now may have been undone unseen, as deep as that goes.
func (t *trail) jump(ctx context.Context, from reader, height uint64, told *news) error {
	block, err := readBlock(ctx, from, height)
	if err != nil {
		return err
	}
	if top, known := t.top(); known {
		told.forkAt(below(top.Height, Memory))
	} else if told.forked {
		told.forkAt(below(told.fork, Memory))
	}
	t.blocks, t.doubt = []Block{block}, false
	told.blocks++
	told.jumped = true
	told.touch(block)
	return nil
}

func readBlock(ctx context.Context, from reader, height uint64) (Block, error) {
	hash, err := from.BlockHash(ctx, height)
	if err != nil {
		return Block{}, fmt.Errorf("finding block %d: %w", height, err)
	}
	block, err := from.Block(ctx, hash)
	if err != nil {
		return Block{}, fmt.Errorf("reading block %d: %w", height, err)
	}
	if block.Height != height || block.Hash != hash {
		return Block{}, fmt.Errorf("reading block %d: %w", height, errGarbage)
	}
	return block, nil
}
