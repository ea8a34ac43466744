package storage

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/goleak"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Unix(1_790_000_000, 0).UTC()

// database is everything that both implementations are.
type database interface {
	order.Store
	order.Heights
	order.Locks
	order.Holds
	order.Addresses
	order.FloatClaims
	order.View
	order.Board
	flows.Sessions
	flows.Lookers
	DropSale(ctx context.Context, contract cirrus.Address) error
}

func ring(t testing.TB) *Keyring {
	t.Helper()
	keys, err := NewKeyring(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// openAt opens a store that is closed with the test. Each change may alter its configuration.
func openAt(t testing.TB, url string, change ...func(*Config)) *DB {
	t.Helper()
	cfg := Config{URL: url, Network: "CirrusTest"}
	for _, f := range change {
		f(&cfg)
	}
	if cfg.Keys == nil {
		cfg.Keys = ring(t)
	}
	db, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// backend opens an empty store of one kind.
type backend struct {
	name string
	open func(t *testing.T, clock func() time.Time) database
}

// backends starts one server of each kind for the whole test; every store gets a network of its own there.
func backends(t *testing.T) []backend {
	urls := map[string]string{
		"redis":     redistest.Start(t).URL,
		"cluster":   redistest.StartCluster(t).URL,
		"sentinel":  redistest.StartSentinel(t).URL,
		"miniredis": "redis://" + miniredis.RunT(t).Addr(),
	}
	list := []backend{{"memory", func(_ *testing.T, clock func() time.Time) database { return memory.New(clock) }}}
	for name, url := range urls {
		list = append(list, backend{name, func(t *testing.T, clock func() time.Time) database {
			return openAt(t, url, func(c *Config) {
				c.Network = strings.NewReplacer("/", "-", "#", "-").Replace(t.Name())
				c.Clock = clock
			})
		}})
	}
	return list
}

// tx gives a transaction id.
func tx(n int) cirrus.TxID { return cirrus.TxID(fmt.Sprintf("%064x", n)) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sample is an order with something in every corner.
func sample(id order.ID, next time.Time) order.Order {
	return order.Order{
		ID: id, Customer: 7, State: order.Filled, Created: start, Next: next,
		Address: cirrus.Address("address-of-" + string(id)),
		Show:    cirrus.Show{Contract: "contract", TxID: tx(1), Name: "Show", Time: start.Add(time.Hour)},
		Tickets: []order.Ticket{{
			ID: "t1", Seat: cirrus.Seat{Number: 1, Letter: 'A'}, State: order.Reserved, Price: 5 * cirrus.CRS,
			Reserve: order.Call{TxID: tx(100)},
		}},
		Private: order.Private{
			Refund:  "refund-address",
			Secrets: map[string][]order.Secret{"t1": {{TxID: tx(100), Plaintext: "plain", Key: []byte{1}, IV: []byte{2}}}},
			Names:   map[string]string{"t1": "Ada"},
		},
	}
}
