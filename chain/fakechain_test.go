package chain

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// fakeChain is a chain behind a fakeNode that a test moves by hand. Its first block has height 1000.
type fakeChain struct {
	*fakeNode
	mu      sync.Mutex
	blocks  []Block
	behind  uint64 // how many blocks the wallets lag
	peers   int
	network string
	mempool []cirrus.TxID
	coins   []cirrus.Coin
	venues  map[cirrus.Address]*fakeVenue
	fork    int
}

type fakeVenue struct {
	tickets  []cirrus.Ticket
	receipts []map[string]any
}

const firstHeight = 1000

func newFakeChain(t testing.TB) *fakeChain {
	t.Helper()
	chain := &fakeChain{fakeNode: newFakeNode(t), peers: 1, network: cirrus.TestNet.Name, venues: map[cirrus.Address]*fakeVenue{}}
	chain.mine()
	for path, answer := range map[string]func(r *http.Request) any{
		"/api/Node/status":                   chain.status,
		"/api/Consensus/getblockhash":        chain.hash,
		"/api/BlockStore/block":              chain.block,
		"/api/Mempool/getrawmempool":         func(*http.Request) any { return append([]cirrus.TxID{}, chain.mempool...) },
		"/api/wallet/spendable-transactions": chain.spendable,
		"/api/wallet/general-info":           chain.wallet,
		"/api/SmartContracts/receipt-search": chain.receipts,
	} {
		chain.answer(path, answer)
	}
	return chain
}

// answer writes what a function gives; nil is a refusal.
func (c *fakeChain) answer(path string, make func(r *http.Request) any) {
	c.handle(path, func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		value := make(r)
		c.mu.Unlock()
		if value == nil {
			w.WriteHeader(http.StatusBadRequest)
			value = "not found"
		}
		_ = json.NewEncoder(w).Encode(value)
	})
}

func (c *fakeChain) tip() Block { return c.blocks[len(c.blocks)-1] }

// mine adds a block with a coinbase and these transactions.
func (c *fakeChain) mine(txs ...cirrus.TxID) Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	block := Block{Height: firstHeight, Parent: testHash("parent", 0, 0)}
	if len(c.blocks) > 0 {
		block.Height, block.Parent = c.tip().Height+1, c.tip().Hash
	}
	block.Hash = testHash("block", int(block.Height), c.fork)
	coinbase := cirrus.TxID(testHash("coinbase", int(block.Height), c.fork))
	block.Txs = append([]cirrus.TxID{coinbase}, txs...)
	c.blocks = append(c.blocks, block)
	c.mempool = slices.DeleteFunc(c.mempool, func(id cirrus.TxID) bool { return slices.Contains(txs, id) })
	return block
}

// undo takes the last n blocks back; what is mined next is another fork.
func (c *fakeChain) undo(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks = c.blocks[:len(c.blocks)-n]
	c.fork++
}

func testHash(what string, n, fork int) string {
	return hex.EncodeToString([]byte(fmt.Sprintf("%-16.16s%08d%08d", what, n, fork)))
}

func (c *fakeChain) status(*http.Request) any {
	return map[string]any{
		"version": "1.4.0.7", "network": c.network, "coinTicker": "TCRS", "consensusHeight": c.tip().Height,
		"blockStoreHeight": c.tip().Height, "bestPeerHeight": c.tip().Height, "inIbd": false, "state": "Started",
		"inboundPeers": []int{}, "outboundPeers": make([]struct{}, c.peers),
	}
}

func (c *fakeChain) hash(r *http.Request) any {
	height, _ := strconv.ParseUint(r.URL.Query().Get("height"), 10, 64)
	for _, block := range c.blocks {
		if block.Height == height {
			return block.Hash
		}
	}
	return nil
}

func (c *fakeChain) block(r *http.Request) any {
	for _, block := range c.blocks {
		if block.Hash == r.URL.Query().Get("hash") {
			return json.RawMessage(blockBody(block.Height, block.Hash, block.Parent, block.Txs...))
		}
	}
	return nil
}

func (c *fakeChain) spendable(*http.Request) any {
	list := []map[string]any{}
	for _, coin := range c.coins {
		list = append(list, map[string]any{
			"id": coin.TxID, "index": coin.Index, "address": coin.Address, "amount": coin.Amount, "confirmations": coin.Confirmations,
		})
	}
	return map[string]any{"transactions": list}
}

func (c *fakeChain) wallet(*http.Request) any {
	return map[string]any{"lastBlockSyncedHeight": c.tip().Height - c.behind, "chainTip": c.tip().Height}
}

func (c *fakeChain) receipts(r *http.Request) any {
	query := r.URL.Query()
	venue := c.venues[cirrus.Address(query.Get("contractAddress"))]
	if venue == nil {
		return nil
	}
	from, _ := strconv.ParseUint(query.Get("fromBlock"), 10, 64)
	found := []map[string]any{}
	for _, receipt := range venue.receipts {
		if receipt["event"] == query.Get("eventName") && receipt["blockNumber"].(uint64) >= from {
			found = append(found, receipt)
		}
	}
	return found
}

// venue makes a contract with seats 1A, 2A, … that nobody sells yet.
func (c *fakeChain) venue(address cirrus.Address, seats int) *fakeVenue {
	c.mu.Lock()
	defer c.mu.Unlock()
	venue := &fakeVenue{}
	for n := range seats {
		venue.tickets = append(venue.tickets, cirrus.Ticket{
			Seat: cirrus.Seat{Number: int32(n + 1), Letter: 'A'}, Address: cirrus.TestNet.Zero(),
		})
	}
	c.venues[address] = venue
	venue.log(address, "Venue", c.tip().Height, map[string]any{"Name": "Odeon"})
	c.venueAnswers(address)
	return venue
}

// venueAnswers makes the Ticketbooth API answer for a venue.
func (c *fakeChain) venueAnswers(address cirrus.Address) {
	venue, booth := c.venues[address], "/api/v1.0/ticketbooth/"+string(address)
	c.answer(booth+"/Tickets", func(*http.Request) any { return venue.list() })
	c.answer(booth+"/TicketReleaseFee", func(*http.Request) any { return 500 })
	c.answer(booth+"/NoReleaseBlocks", func(*http.Request) any { return 20 })
	c.answer(booth+"/IdentityVerificationPolicy", func(*http.Request) any { return true })
}

func (v *fakeVenue) list() any {
	list := []map[string]any{}
	for _, ticket := range v.tickets {
		secret := any(nil)
		if ticket.Secret != nil {
			secret = strings.ToUpper(hex.EncodeToString(ticket.Secret))
		}
		list = append(list, map[string]any{"seat": ticket.Seat, "price": ticket.Price, "address": ticket.Address, "secret": secret})
	}
	return list
}

func (v *fakeVenue) log(address cirrus.Address, event string, height uint64, fields map[string]any) {
	v.receipts = append(v.receipts, map[string]any{
		"event": event, "transactionHash": testHash(event, int(height), len(v.receipts)), "blockHash": testHash("block", int(height), 0),
		"blockNumber": height, "success": true, "gasUsed": 1000,
		"logs": []map[string]any{{
			"address": address, "topics": []string{hex.EncodeToString([]byte(event))},
			"log": map[string]any{"event": event, "data": fields},
		}},
	})
}

// begin begins a sale in a block of its own.
func (c *fakeChain) begin(address cirrus.Address, name string, end uint64) {
	height := c.mine(cirrus.TxID(testHash("begin", int(end), 0))).Height
	c.mu.Lock()
	defer c.mu.Unlock()
	venue := c.venues[address]
	for i := range venue.tickets {
		venue.tickets[i].Price = 230_000_000
	}
	venue.log(address, "Show", height, map[string]any{"Name": name, "Organiser": "Ada", "Time": 1895075621, "EndOfSale": end})
}

// own gives a seat to somebody, or frees it, in a block of its own.
func (c *fakeChain) own(address cirrus.Address, seat int, owner cirrus.Address) {
	height := c.mine(cirrus.TxID(testHash("own", seat, int(c.tip().Height)))).Height
	c.mu.Lock()
	defer c.mu.Unlock()
	ticket := &c.venues[address].tickets[seat]
	ticket.Address, ticket.Secret = owner, []byte{byte(height)}
	if owner == cirrus.TestNet.Zero() {
		ticket.Secret = nil
	}
	c.venues[address].log(address, "Ticket", height, map[string]any{"Seat": ticket.Seat, "Price": ticket.Price})
}

// end ends the sale in a block of its own.
func (c *fakeChain) end(address cirrus.Address) {
	c.mine(cirrus.TxID(testHash("end", int(c.tip().Height), 0)))
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.venues[address].tickets {
		c.venues[address].tickets[i] = cirrus.Ticket{Seat: c.venues[address].tickets[i].Seat, Address: cirrus.TestNet.Zero()}
	}
}

func (c *fakeChain) setCoins(coins ...cirrus.Coin) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.coins = coins
}

// watcher makes a watcher of the chain that follows these venues.
func (c *fakeChain) watcher(t testing.TB, b *board, change ...func(*Watching)) *Watcher {
	t.Helper()
	watching := Watching{
		Client: c.client(t), Network: cirrus.TestNet, Accounts: []cirrus.Account{testAccount}, Board: b, Wake: b.wake,
		Poll: time.Millisecond, Clock: func() time.Time { return time.Unix(1_700_000_000, 0) },
		Venues: func(context.Context) ([]cirrus.Address, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			var all []cirrus.Address
			for address := range c.venues {
				all = append(all, address)
			}
			return all, nil
		},
	}
	for _, each := range change {
		each(&watching)
	}
	return NewWatcher(watching)
}

func look(t testing.TB, w *Watcher) {
	t.Helper()
	if err := w.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
}
