package wallet

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/sandbox/ledger"
)

// The choice covers the target whenever all coins together do, and holds no coin that it does not need.
func TestChoiceOfCoins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var coins []Spendable
		var all uint64
		for _, amount := range rapid.SliceOfN(rapid.Uint64Range(1, 50), 1, 8).Draw(t, "amounts") {
			coins = append(coins, Spendable{Coin: &ledger.Coin{Amount: amount}})
			all += amount
		}
		target := rapid.Uint64Range(1, 200).Draw(t, "target")
		chosen, have := choose(coins, target)
		if (chosen == nil) != (all < target) {
			t.Fatalf("%d of %d: %v", target, all, chosen)
		}
		if chosen == nil {
			return
		}
		var sum uint64
		for _, coin := range chosen {
			sum += coin.Amount
		}
		if sum != have || have < target {
			t.Fatalf("have %d, sum %d, target %d", have, sum, target)
		}
		for _, coin := range chosen {
			if sum-coin.Amount >= target {
				t.Fatalf("does not need %d for %d", coin.Amount, target)
			}
		}
	})
}
