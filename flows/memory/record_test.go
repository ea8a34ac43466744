package memory_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
)

// TestWhatIsZeroIsNotStored: most of an order is calls and transactions that were never made. They take no room in its
// record, and come back as they were.
func TestWhatIsZeroIsNotStored(t *testing.T) {
	for _, s := range memory.Samples(time.Unix(1_800_000_000, 0).UTC()) {
		want := s.Order
		record, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for _, zero := range []string{`"0001-01-01T00:00:00Z"`, `:null`, `:{}`, `"hex":""`, `"calling":false`, `"tries":0`} {
			if strings.Contains(string(record), zero) {
				t.Errorf("%s is stored with %s", s.Name, zero)
			}
		}
		var got order.Order
		if err := json.Unmarshal(record, &got); err != nil {
			t.Fatal(err)
		}
		got.Private = want.Private
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s did not come back as it was: %s", s.Name, record)
		}
	}
}

// TestARecordWithItsZeroesReadsTheSame: earlier programs wrote them all.
func TestARecordWithItsZeroesReadsTheSame(t *testing.T) {
	const (
		transfer = `{"hex":"","txId":"","coins":null,"fee":0,"back":0,"tries":0,"again":"0001-01-01T00:00:00Z","block":0,"sent":false,"mined":0}`
		earlier  = `{"format":1,"id":"o1","version":3,"state":"filled","hold":"0001-01-01T00:00:00Z","late":false,"batch":"","due":0,` +
			`"coins":null,"move":` + transfer + `,"tickets":[{"id":"t1","state":"owned","reserve":{"attempt":1,"refused":0,"calling":false,` +
			`"begun":"0001-01-01T00:00:00Z","raw":"","past":null},"top":` + transfer + `,"reason":"","told":false}],"payouts":null,"attempts":0}`
	)
	want := order.Order{Format: 1, ID: "o1", Version: 3, State: order.Filled}
	want.Tickets = []order.Ticket{{ID: "t1", State: order.Owned, Reserve: order.Call{Attempt: 1}}}
	var got order.Order
	if err := json.Unmarshal([]byte(earlier), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, wanted %+v", got, want)
	}
}
