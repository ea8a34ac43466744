package ledger

import (
	"errors"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

const crs = uint64(cirrus.CRS)

func newChain(t rapid.TB, rules Rules) *Chain {
	t.Helper()
	if rules.MaxGasLimit == 0 {
		rules.MaxGasLimit, rules.BlockGas = 250_000, 2_500_000
	}
	now := time.Unix(1_800_000_000, 0)
	c, err := New(Config{Rules: rules, Rand: rand.NewChaCha8([32]byte{1}), Clock: func() time.Time {
		now = now.Add(time.Second)
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func who(n byte) cirrus.Hash { return cirrus.Hash{n} }

func (c *Chain) issue(t rapid.TB, to cirrus.Hash, amount uint64) cirrus.Outpoint {
	t.Helper()
	point, err := c.Issue(to, amount)
	if err != nil {
		t.Fatal(err)
	}
	return point
}

func (c *Chain) signedTx(outs []Out, coins ...cirrus.Outpoint) *Tx {
	tx := &Tx{Outs: outs}
	for _, coin := range coins {
		tx.Ins = append(tx.Ins, In{Prev: coin})
	}
	c.Sign(tx)
	return tx
}

func (c *Chain) mined(t rapid.TB, blocks int) {
	t.Helper()
	for range blocks {
		if _, err := c.Mine(); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *Chain) mustAccept(t rapid.TB, tx *Tx) *Entry {
	t.Helper()
	entry, err := c.Accept(tx)
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

func paid(to cirrus.Hash, amount uint64) []Out { return []Out{{Amount: amount, Script: Pay(to)}} }

// params are text forms as the node API has them.
func params(t rapid.TB, texts ...string) []contract.Param {
	t.Helper()
	parsed, err := contract.ParseParams(cirrus.TestNet, texts)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// hall makes a contract with a sale of n seats at 10 CRS.
func (c *Chain) hall(t rapid.TB, n int, endOfSale uint64) cirrus.Hash {
	t.Helper()
	var seats []cirrus.Seat
	var tickets []contract.Ticket
	for i := range n {
		seat := cirrus.Seat{Number: int32(i + 1), Letter: 'A'}
		seats = append(seats, seat)
		tickets = append(tickets, contract.Ticket{Seat: seat, Price: 10 * crs})
	}
	made := c.order(t, who(200), 0, CallData{Create: true, Params: params(t, contract.ParamBytes(contract.EncodeSeats(seats)), "4#Hall")})
	c.mined(t, 1)
	at := Created(made.ID)
	c.order(t, who(200), 0, CallData{Contract: at, Method: "BeginSale", Params: params(t,
		contract.ParamBytes(contract.EncodeTickets(tickets)), "4#Show", "4#Club", "7#1900000000", contract.ParamUlong(endOfSale))})
	c.mined(t, 1)
	if found, ok := c.Contract(at); !ok || found.State().EndOfSale != endOfSale {
		t.Fatal("no sale")
	}
	return at
}

// order puts a call with a coin of its own into the mempool.
func (c *Chain) order(t rapid.TB, sender cirrus.Hash, value uint64, call CallData) *Entry {
	t.Helper()
	if call.GasPrice == 0 {
		call.GasPrice = MinGasPrice
	}
	if call.GasLimit == 0 {
		call.GasLimit = c.rules.MaxGasLimit
	}
	coin := c.issue(t, sender, value+call.Budget())
	return c.mustAccept(t, c.signedTx([]Out{{Amount: value, Script: call.Script()}}, coin))
}

func reserve(t rapid.TB, at cirrus.Hash, seat int) CallData {
	return CallData{Contract: at, Method: "Reserve", Params: params(t,
		contract.ParamBytes(contract.EncodeSeat(cirrus.Seat{Number: int32(seat), Letter: 'A'})), "10#AABB")}
}

func release(t rapid.TB, at cirrus.Hash, seat int) CallData {
	return CallData{Contract: at, Method: "ReleaseTicket", Params: params(t,
		contract.ParamBytes(contract.EncodeSeat(cirrus.Seat{Number: int32(seat), Letter: 'A'})))}
}

func (c *Chain) check(t rapid.TB) {
	t.Helper()
	if sum := c.Sum(); sum.Issued != sum.Unspent+sum.Fees {
		t.Fatalf("issued %d, unspent %d, pending fees %d", sum.Issued, sum.Unspent, sum.Fees)
	}
	for at, venue := range c.contracts {
		var held uint64
		for _, coin := range c.Owned(at) {
			if coin.Contract && c.Unspent(coin.Outpoint, false) && c.entries[coin.TxID].State == Mined {
				held += coin.Amount
			}
		}
		if held != venue.Balance() {
			t.Fatalf("contract %x holds %d in coins and %d by its own count", at[:4], held, venue.Balance())
		}
	}
}

func TestMempoolRefuses(t *testing.T) {
	for _, split := range []bool{false, true} {
		c := newChain(t, Rules{SplitMissing: split, MaxGasLimit: 100_000, BlockGas: 1_000_000})
		a, b := c.issue(t, who(1), crs), c.issue(t, who(1), crs)
		c.Mark(who(66))
		budget := CallData{GasPrice: 100, GasLimit: 50_000, Method: "X"}
		unsigned := c.signedTx(paid(who(2), crs-MinFee), b)
		unsigned.Outs[0].Amount--
		missing, spent := ErrMissingSpent, ErrMissingSpent
		if split {
			missing, spent = ErrMissing, ErrSpent
		}
		first := c.mustAccept(t, c.signedTx(paid(who(2), crs-MinFee), a))
		for name, row := range map[string]struct {
			tx   *Tx
			want error
		}{
			"again":          {first.Tx, ErrInMempool},
			"no inputs":      {c.signedTx(paid(who(2), crs)), ErrNoInputs},
			"no outputs":     {c.signedTx(nil, b), ErrNoOutputs},
			"coin twice":     {c.signedTx(paid(who(2), crs), b, b), ErrTwice},
			"dust":           {c.signedTx(paid(who(2), Dust-1), b), ErrDust},
			"to a contract":  {c.signedTx(paid(who(66), crs/2), b), ErrToContract},
			"odd script":     {c.signedTx([]Out{{Amount: crs / 2, Script: []byte{1}}}, b), ErrScript},
			"conflict":       {c.signedTx(paid(who(3), crs-MinFee), a), ErrConflict},
			"unknown coin":   {c.signedTx(paid(who(2), crs), cirrus.Outpoint{TxID: nullTxID}), missing},
			"too much":       {c.signedTx(paid(who(2), crs+1), b), ErrBelowOut},
			"no fee":         {c.signedTx(paid(who(2), crs-MinFee+1), b), ErrFee},
			"signature":      {unsigned, ErrSignature},
			"gas not paid":   {c.signedTx([]Out{{Amount: crs - MinFee, Script: budget.Script()}}, b), ErrGas},
			"gas limit high": {c.signedTx([]Out{{Script: CallData{GasPrice: 100, GasLimit: 100_001}.Script()}}, b), ErrGas},
			"gas limit low":  {c.signedTx([]Out{{Script: CallData{GasPrice: 100, GasLimit: 9_999}.Script()}}, b), ErrGas},
			"gas price low":  {c.signedTx([]Out{{Script: CallData{GasPrice: 99, GasLimit: 10_000}.Script()}}, b), ErrGas},
			"two calls":      {c.signedTx([]Out{{Script: budget.Script()}, {Script: budget.Script()}}, b), ErrManyContracts},
		} {
			if _, err := c.Accept(row.tx); !errors.Is(err, row.want) {
				t.Errorf("%s: %v, want %v", name, err, row.want)
			}
		}
		c.mined(t, 1)
		if _, err := c.Accept(first.Tx); !errors.Is(err, ErrKnown) {
			t.Errorf("mined: %v", err)
		}
		if _, err := c.Accept(c.signedTx(paid(who(3), crs-MinFee), a)); !errors.Is(err, spent) {
			t.Errorf("spent: %v", err)
		}
		next := cirrus.Outpoint{TxID: first.ID}
		c.mustAccept(t, c.signedTx(paid(who(3), crs-2*MinFee), next))
		c.mined(t, 1)
		if _, err := c.Accept(first.Tx); !errors.Is(err, spent) {
			t.Errorf("mined and spent: %v", err)
		}
		c.check(t)
	}
}

func TestChainsOfUnconfirmedTransactionsEndAt25(t *testing.T) {
	c := newChain(t, Rules{})
	coin := c.issue(t, who(1), crs)
	left := crs
	for i := range MaxAncestry + 1 {
		left -= MinFee
		entry, err := c.Accept(c.signedTx(paid(who(1), left), coin))
		if i == MaxAncestry {
			if !errors.Is(err, ErrLongChain) {
				t.Fatalf("number %d: %v", i+1, err)
			}
			break
		}
		if err != nil {
			t.Fatalf("number %d: %v", i+1, err)
		}
		coin = cirrus.Outpoint{TxID: entry.ID}
	}
	c.mined(t, 1)
	if len(c.pool) != 0 {
		t.Fatalf("%d left", len(c.pool))
	}
	var outs []Out
	wide := c.issue(t, who(1), crs)
	for range MaxAncestry {
		outs = append(outs, Out{Amount: crs / 50, Script: Pay(who(1))})
	}
	parent := c.mustAccept(t, c.signedTx(outs, wide))
	for i := range MaxAncestry {
		_, err := c.Accept(c.signedTx(paid(who(2), crs/100), cirrus.Outpoint{TxID: parent.ID, Index: uint32(i)}))
		if want := i == MaxAncestry-1; errors.Is(err, ErrLongChain) != want {
			t.Fatalf("child %d: %v", i+1, err)
		}
	}
}

func TestGasComesBackInTheCoinbaseAfterTheFirstOutput(t *testing.T) {
	c := newChain(t, Rules{})
	at := c.hall(t, 4, 100)
	one := c.order(t, who(1), 10*crs, reserve(t, at, 1))
	two := c.order(t, who(2), 10*crs, func() CallData { call := reserve(t, at, 1); call.GasPrice = 200; return call }())
	c.mined(t, 1)
	block := c.Tip()
	coinbase := c.entries[block.Txs[0]]
	if coinbase.Kind != Coinbase || len(coinbase.Tx.Outs) != 3 || block.Txs[1] != two.ID {
		t.Fatalf("%+v", block.Txs)
	}
	won, lost := c.receipts[two.ID], c.receipts[one.ID]
	if !won.Success || lost.Success {
		t.Fatal("the higher gas price did not go first")
	}
	for i, want := range []*Receipt{won, lost} {
		back := (250_000 - want.GasUsed) * want.GasPrice
		if out := coinbase.Tx.Outs[i+1]; out.Amount != back || !slices.Equal(out.Script, Pay(want.From)) {
			t.Errorf("return %d: %d, want %d", i, out.Amount, back)
		}
	}
	generated := c.entries[block.Txs[3]]
	if generated.Kind != Generated || generated.Cause != one.ID || generated.Tx.Outs[0].Amount != 10*crs || len(generated.Tx.Outs) != 1 {
		t.Fatalf("%+v", generated)
	}
	coin := cirrus.Outpoint{TxID: coinbase.ID, Index: 1}
	spend := c.signedTx(paid(who(9), coinbase.Tx.Outs[1].Amount-MinFee), coin)
	if _, err := c.Accept(spend); !errors.Is(err, ErrImmature) {
		t.Fatalf("%v", err)
	}
	c.mined(t, 1)
	c.mustAccept(t, spend)
	c.check(t)
}

func TestBlockGasLimitLeavesCallsForTheNextBlock(t *testing.T) {
	c := newChain(t, Rules{MaxGasLimit: 100_000, BlockGas: 40_000})
	at := c.hall(t, 4, 100)
	for i := range 4 {
		c.order(t, who(byte(i+1)), 10*crs, reserve(t, at, i+1))
	}
	blocks := 0
	for len(c.pool) > 0 && blocks < 10 {
		c.mined(t, 1)
		blocks++
		var gas uint64
		for _, id := range c.Tip().Calls {
			gas += c.receipts[id].GasUsed
		}
		if gas > 40_000 {
			t.Fatalf("a block with %d gas", gas)
		}
	}
	if blocks < 2 || blocks == 10 {
		t.Fatalf("%d blocks", blocks)
	}
	c.check(t)
}

func TestReorgDropsWhatSpendsAVanishedCoinbase(t *testing.T) {
	c := newChain(t, Rules{})
	at := c.hall(t, 4, 100)
	call := c.order(t, who(1), 10*crs, reserve(t, at, 1))
	c.mined(t, 2)
	block, _ := c.BlockAt(c.Height() - 1)
	back := cirrus.Outpoint{TxID: block.Txs[0], Index: 1}
	spend := c.mustAccept(t, c.signedTx(paid(who(9), c.coins[back].Amount-MinFee), back))
	child := c.mustAccept(t, c.signedTx(paid(who(9), c.coins[back].Amount-2*MinFee), cirrus.Outpoint{TxID: spend.ID}))
	c.mined(t, 1)
	if err := c.Reorg(3); err != nil {
		t.Fatal(err)
	}
	if call.State != InMempool || spend.State != Vanished || child.State != Vanished {
		t.Fatalf("call %s, spend %s, child %s", call.State, spend.State, child.State)
	}
	c.check(t)
	c.mined(t, 1)
	if call.State != Mined || !c.receipts[call.ID].Success {
		t.Fatal("the call was not mined again")
	}
	c.check(t)
}

func TestDoubleSpendTakesTheInputs(t *testing.T) {
	c := newChain(t, Rules{})
	coin := c.issue(t, who(1), crs)
	entry := c.mustAccept(t, c.signedTx(paid(who(2), crs-MinFee), coin))
	child := c.mustAccept(t, c.signedTx(paid(who(3), crs-2*MinFee), cirrus.Outpoint{TxID: entry.ID}))
	thief, err := c.DoubleSpend(entry.ID)
	if err != nil || entry.State != Vanished || child.State != Vanished || thief.State != InMempool {
		t.Fatalf("%v: %s %s", err, entry.State, child.State)
	}
	if _, err := c.Accept(entry.Tx); !errors.Is(err, ErrConflict) {
		t.Fatalf("%v", err)
	}
	c.mined(t, 1)
	c.check(t)
}

func TestContractsAreReplacedNotChanged(t *testing.T) {
	c := newChain(t, Rules{})
	at := c.hall(t, 2, 100)
	before, _ := c.Contract(at)
	was := maps.Clone(before.Storage())
	c.order(t, who(1), 10*crs, reserve(t, at, 1))
	c.mined(t, 1)
	if !reflect.DeepEqual(was, before.Storage()) {
		t.Fatal("a block changed a contract that a reorganisation needs")
	}
	if err := c.Reorg(1); err != nil {
		t.Fatal(err)
	}
	if now, _ := c.Contract(at); now != before {
		t.Fatal("the reorganisation gives another contract")
	}
}
