package ledger

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

// Whatever happens, no strat is made or lost, and contracts hold what they count.
func TestMoneyIsConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newChain(t, Rules{MaxGasLimit: 100_000, BlockGas: 200_000})
		at := c.hall(t, 5, 1000)
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { c.check(t) },
			"reserve": func(t *rapid.T) {
				call := reserve(t, at, rapid.IntRange(1, 6).Draw(t, "seat"))
				call.GasLimit = rapid.Uint64Range(10_000, 100_000).Draw(t, "gas")
				call.GasPrice = rapid.Uint64Range(100, 300).Draw(t, "price")
				c.order(t, who(byte(rapid.IntRange(1, 4).Draw(t, "who"))), rapid.Uint64Range(0, 12*crs).Draw(t, "value"), call)
			},
			"release": func(t *rapid.T) {
				c.order(t, who(byte(rapid.IntRange(1, 4).Draw(t, "who"))), 0, release(t, at, rapid.IntRange(1, 6).Draw(t, "seat")))
			},
			"pay":  func(t *rapid.T) { c.payAnything(t) },
			"mine": func(t *rapid.T) { c.mined(t, 1) },
			"reorg": func(t *rapid.T) {
				if err := c.Reorg(uint64(rapid.IntRange(1, int(min(c.Height(), 4))).Draw(t, "depth"))); err != nil {
					t.Fatal(err)
				}
				if _, ok := c.contracts[at]; !ok {
					c.mined(t, 1)
				}
			},
			"drop": func(t *rapid.T) {
				if pool := c.Mempool(); len(pool) > 0 && c.contracts[at] != nil {
					_ = c.Drop(rapid.SampledFrom(pool).Draw(t, "which").ID)
				}
			},
			"steal": func(t *rapid.T) {
				if pool := c.Mempool(); len(pool) > 0 {
					_, _ = c.DoubleSpend(rapid.SampledFrom(pool).Draw(t, "which").ID)
				}
			},
		})
	})
}

// payAnything spends some coin of somebody, if there is one.
func (c *Chain) payAnything(t *rapid.T) {
	from := who(byte(rapid.IntRange(1, 4).Draw(t, "from")))
	for _, coin := range c.Owned(from) {
		if coin.Amount > 2*MinFee+2*Dust && !coin.Contract {
			half := (coin.Amount - MinFee) / 2
			tx := c.signedTx([]Out{{half, Pay(who(byte(rapid.IntRange(1, 4).Draw(t, "to"))))}, {half, Pay(from)}}, coin.Outpoint)
			_, _ = c.Accept(tx) // it may be spent; that is for the mempool to say
		}
	}
}

func TestTransactionsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tx := &Tx{}
		for range rapid.IntRange(0, 300).Draw(t, "ins") {
			id := cirrus.TxID(fmt.Sprintf("%064x", rapid.Uint64().Draw(t, "id")))
			tx.Ins = append(tx.Ins, In{cirrus.Outpoint{TxID: id, Index: rapid.Uint32().Draw(t, "index")}, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "script")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "outs") {
			tx.Outs = append(tx.Outs, Out{rapid.Uint64().Draw(t, "amount"), rapid.SliceOfN(rapid.Byte(), 0, 700).Draw(t, "script")})
		}
		back, err := ParseTx(tx.Hex())
		if err != nil || back.Hex() != tx.Hex() || back.ID() != tx.ID() {
			t.Fatalf("%v", err)
		}
	})
}

func FuzzParseTx(f *testing.F) {
	c := newChain(f, Rules{})
	point, err := c.Issue(who(1), crs)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.signedTx(paid(who(2), crs-MinFee), point).Hex())
	f.Add("0100000001")
	f.Add("01000000fdffff")
	f.Fuzz(func(t *testing.T, text string) {
		tx, err := ParseTx(text)
		if err != nil {
			return
		}
		if again, err := ParseTx(tx.Hex()); err != nil || !reflect.DeepEqual(tx, again) {
			t.Fatalf("%v", err)
		}
		_, _ = c.Accept(tx)
	})
}

func FuzzParseCall(f *testing.F) {
	f.Add(CallData{GasPrice: 100, GasLimit: 10_000, Method: "Reserve", Params: []contract.Param{{Type: 10, Value: []byte{1}}}}.Script())
	f.Add([]byte{opCall})
	f.Fuzz(func(t *testing.T, script []byte) {
		call, ok := ParseCall(script)
		if ok && !slices.Equal(call.Script(), script) {
			t.Fatalf("%x became %x", script, call.Script())
		}
	})
}
