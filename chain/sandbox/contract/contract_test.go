package contract_test

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

// Who calls in these tests.
var (
	owner = cirrus.Hash{1}
	alice = cirrus.Hash{2}
	bob   = cirrus.Hash{3}
)

func params(t testing.TB, texts ...string) []contract.Param {
	t.Helper()
	read, err := contract.ParseParams(cirrus.TestNet, texts)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func call(t testing.TB, height uint64, sender cirrus.Hash, value uint64, method string, texts ...string) contract.Call {
	t.Helper()
	return contract.Call{Height: height, Sender: sender, Value: value, Method: method, Params: params(t, texts...)}
}

// row gives seats 1A, 2A, …
func row(count int) []cirrus.Seat {
	seats := make([]cirrus.Seat, count)
	for i := range seats {
		seats[i] = cirrus.Seat{Number: int32(i + 1), Letter: 'A'}
	}
	return seats
}

func tryCreate(t testing.TB, seats []cirrus.Seat) (*contract.Contract, contract.Result) {
	t.Helper()
	return contract.Create(owner, call(t, 100, owner, 0, "",
		contract.ParamBytes(contract.EncodeSeats(seats)), contract.ParamString("Hall")))
}

func create(t testing.TB, seats ...cirrus.Seat) *contract.Contract {
	t.Helper()
	created, result := tryCreate(t, seats)
	if !result.OK {
		t.Fatalf("creation failed: %+v", result.Failure)
	}
	return created
}

func must(t testing.TB, result contract.Result) contract.Result {
	t.Helper()
	if !result.OK {
		t.Fatalf("the call failed: %+v", *result.Failure)
	}
	return result
}

func mustFail(t testing.TB, result contract.Result, message string) {
	t.Helper()
	if result.OK || result.Failure.Message != message {
		t.Errorf("result %+v, failure %+v, want %q", result, result.Failure, message)
	}
}

func begin(t testing.TB, c *contract.Contract, height, end uint64, prices ...uint64) contract.Result {
	t.Helper()
	tickets := c.Tickets()
	for i := range tickets {
		tickets[i].Price = prices[i%len(prices)]
	}
	return c.Execute(call(t, height, owner, 0, "BeginSale",
		contract.ParamBytes(contract.EncodeTickets(tickets)), contract.ParamString("Show"),
		contract.ParamString("Organiser"), contract.ParamUlong(1_900_000_000), contract.ParamUlong(end)))
}

func seatParam(seat cirrus.Seat) string { return contract.ParamBytes(contract.EncodeSeat(seat)) }

func reserve(t testing.TB, c *contract.Contract, height uint64, who cirrus.Hash, value uint64, seat cirrus.Seat) contract.Result {
	t.Helper()
	return c.Execute(call(t, height, who, value, "Reserve", seatParam(seat), "10#AB"))
}

func release(t testing.TB, c *contract.Contract, height uint64, who cirrus.Hash, seat cirrus.Seat) contract.Result {
	t.Helper()
	return c.Execute(call(t, height, who, 0, "ReleaseTicket", seatParam(seat)))
}

func TestSixtyFiveSeatsFitAndSixtySixDoNot(t *testing.T) {
	if created, result := tryCreate(t, row(65)); created == nil || len(created.Tickets()) != 65 {
		t.Errorf("65 seats: %+v", result.Failure)
	}
	created, result := tryCreate(t, row(66))
	if created != nil || result.GasMetered != 12_000 {
		t.Errorf("66 seats: %v, %+v", created, result)
	}
	mustFail(t, result, "Cannot handle more than 65 seats")
}

func TestContractWithoutSeatsSellsAShowOfNothing(t *testing.T) {
	c := create(t)
	must(t, begin(t, c, 101, 200, 1))
	mustFail(t, reserve(t, c, 102, alice, 1, cirrus.Seat{Number: 1, Letter: 'A'}), "Seat not found")
}

func TestSeatWithoutNumberOrLetterMakesTheContractUnsellable(t *testing.T) {
	for _, seat := range []cirrus.Seat{{Letter: 'A'}, {Number: 1}, {}} {
		mustFail(t, begin(t, create(t, append(row(2), seat)...), 101, 200, 1), "Invalid seat provided")
	}
}

func TestOfDuplicateSeatsOnlyTheFirstIsReached(t *testing.T) {
	seat := cirrus.Seat{Number: 7, Letter: 'Z'}
	c := create(t, seat, seat)
	must(t, begin(t, c, 101, 200, 5, 6))
	must(t, reserve(t, c, 102, alice, 5, seat))
	mustFail(t, reserve(t, c, 102, bob, 6, seat), "Ticket not available")
	if tickets := c.Tickets(); tickets[0].Owner != alice || tickets[1].Owner != (cirrus.Hash{}) {
		t.Errorf("tickets %+v", tickets)
	}
}

func TestPricesGoByPositionWhateverSeatTheyName(t *testing.T) {
	c := create(t, row(2)...)
	reversed := []contract.Ticket{{Seat: row(2)[1], Price: 11}, {Seat: row(2)[0], Price: 22}}
	must(t, c.Execute(call(t, 101, owner, 0, "BeginSale", contract.ParamBytes(contract.EncodeTickets(reversed)),
		"4#S", "4#O", "7#1", "7#200")))
	if tickets := c.Tickets(); tickets[0].Price != 11 || tickets[1].Price != 22 || tickets[0].Seat != row(2)[0] {
		t.Errorf("tickets %+v", tickets)
	}
}

func TestOverPaymentComesBackInTheCall(t *testing.T) {
	c := create(t, row(1)...)
	must(t, begin(t, c, 101, 200, 1_000))
	mustFail(t, reserve(t, c, 102, alice, 999, row(1)[0]), "Not enough funds")
	result := must(t, reserve(t, c, 102, alice, 1_001, row(1)[0]))
	if want := []contract.Transfer{{To: alice, Amount: 1}}; !reflect.DeepEqual(result.Transfers, want) {
		t.Errorf("transfers %+v, want %+v", result.Transfers, want)
	}
	if c.Balance() != 1_000 {
		t.Errorf("balance %d", c.Balance())
	}
}

func TestReleasePaysThePriceLessTheFeeOrNothing(t *testing.T) {
	for _, test := range []struct{ price, fee, paid uint64 }{
		{1_000, 0, 1_000}, {1_000, 999, 1}, {1_000, 1_000, 0}, {1_000, math.MaxUint64, 0}, {0, 0, 0},
	} {
		c := create(t, row(1)...)
		must(t, c.Execute(call(t, 101, owner, 0, "SetTicketReleaseFee", contract.ParamUlong(test.fee))))
		must(t, begin(t, c, 101, 200, test.price))
		must(t, reserve(t, c, 102, alice, test.price, row(1)[0]))
		mustFail(t, release(t, c, 103, bob, row(1)[0]), "You do not own this ticket")
		result := must(t, release(t, c, 103, alice, row(1)[0]))
		var paid uint64
		for _, transfer := range result.Transfers {
			paid += transfer.Amount
		}
		if paid != test.paid || c.Tickets()[0].Owner != (cirrus.Hash{}) || c.Tickets()[0].Secret != nil {
			t.Errorf("%+v: paid %d, ticket %+v", test, paid, c.Tickets()[0])
		}
	}
}

func TestRefundWindowEndsWhereTheRuleSays(t *testing.T) {
	const end, window = 200, 10
	for height, ok := range map[uint64]bool{end - window - 1: true, end - window: false, end - 1: false} {
		c := create(t, row(1)...)
		must(t, c.Execute(call(t, 101, owner, 0, "SetNoReleaseBlocks", contract.ParamUlong(window))))
		must(t, begin(t, c, 101, end, 1))
		must(t, reserve(t, c, 102, alice, 1, row(1)[0]))
		if result := release(t, c, height, alice, row(1)[0]); result.OK != ok {
			t.Errorf("at %d: %+v", height, result.Failure)
		}
		mustFail(t, release(t, c, end, alice, row(1)[0]), "Sale not open")
	}
}

func TestHugeRefundWindowOverflows(t *testing.T) {
	c := create(t, row(1)...)
	must(t, c.Execute(call(t, 101, owner, 0, "SetNoReleaseBlocks", contract.ParamUlong(math.MaxUint64))))
	must(t, begin(t, c, 101, math.MaxUint64, 1))
	result := release(t, c, 102, alice, row(1)[0])
	want := contract.Failure{Kind: contract.KindOverflow, Message: "Arithmetic operation resulted in an overflow."}
	if result.OK || *result.Failure != want {
		t.Errorf("failure %+v, want %+v", result.Failure, want)
	}
}

func TestFailedCallGivesTheValueBackAndChangesNothing(t *testing.T) {
	c := create(t, row(2)...)
	must(t, begin(t, c, 101, 200, 10))
	must(t, reserve(t, c, 102, alice, 10, row(2)[0]))
	before := c.Clone()
	result := reserve(t, c, 103, bob, 77, row(2)[0])
	mustFail(t, result, "Ticket not available")
	if result.Refund != 77 || result.Transfers != nil || result.Logs != nil || !reflect.DeepEqual(c, before) {
		t.Errorf("%+v", result)
	}
	if got, want := result.Failure.ReceiptError(),
		"Stratis.SmartContracts.SmartContractAssertException: Ticket not available"; got != want {
		t.Errorf("receipt says %q, want %q", got, want)
	}
}

func TestIdentityPolicyAsksForAName(t *testing.T) {
	c := create(t, row(1)...)
	must(t, c.Execute(call(t, 101, owner, 0, "SetIdentityVerificationPolicy", "1#True")))
	must(t, begin(t, c, 101, 200, 1))
	mustFail(t, reserve(t, c, 102, alice, 1, row(1)[0]), "Invalid customer identifier")
	must(t, c.Execute(call(t, 102, alice, 1, "Reserve", seatParam(row(1)[0]), "10#AB", "10#CD")))
	if ticket := c.Tickets()[0]; !bytes.Equal(ticket.Identifier, []byte{0xCD}) {
		t.Errorf("ticket %+v", ticket)
	}
}

func TestEndSaleWipesTicketsAndKeepsTheTerms(t *testing.T) {
	c := create(t, row(2)...)
	must(t, c.Execute(call(t, 101, owner, 0, "SetTicketReleaseFee", "7#3")))
	must(t, begin(t, c, 101, 200, 10))
	must(t, reserve(t, c, 102, alice, 10, row(2)[1]))
	mustFail(t, c.Execute(call(t, 199, owner, 0, "EndSale")), "Sale contract not fulfilled")
	mustFail(t, begin(t, c, 200, 300, 1), "Sale currently in progress")
	must(t, c.Execute(call(t, 200, owner, 0, "EndSale")))
	if want := (contract.State{ReleaseFee: 3}); c.State() != want || c.Balance() != 10 {
		t.Errorf("state %+v, balance %d", c.State(), c.Balance())
	}
	for i, ticket := range c.Tickets() {
		if !reflect.DeepEqual(ticket, contract.Ticket{Seat: row(2)[i]}) {
			t.Errorf("ticket %+v", ticket)
		}
	}
}

func TestMethodsAreFoundByNameAndTypes(t *testing.T) {
	for _, test := range []struct {
		method string
		params []string
		kind   string // "" where it is found
	}{
		{"SetTicketReleaseFee", []string{"7#1"}, ""},
		{"SetTicketReleaseFee", []string{"5#1"}, ""}, // a uint widens
		{"SetTicketReleaseFee", []string{"2#1"}, ""},
		{"SetTicketReleaseFee", []string{"6#1"}, contract.KindNoMethod}, // an int does not
		{"SetTicketReleaseFee", []string{"8#1"}, contract.KindNoMethod},
		{"SetTicketReleaseFee", nil, contract.KindNoMethod},
		{"setTicketReleaseFee", []string{"7#1"}, contract.KindNoMethod},
		{"Reserve", []string{"10#AB"}, contract.KindNoMethod},
		{"Reserve", []string{"10#AB", "10#"}, contract.KindParameters},
		{"Nothing", []string{"10#"}, contract.KindParameters},
		{"", nil, contract.KindNoMethod},
		{"Receive", nil, contract.KindNoMethod},
		{"get_Tickets", nil, ""},
	} {
		c := create(t, row(1)...)
		result := c.Execute(call(t, 101, owner, 5, test.method, test.params...))
		got := ""
		if result.Failure != nil {
			got = result.Failure.Kind
		}
		if got != test.kind {
			t.Errorf("%s%v: %q, want %q", test.method, test.params, got, test.kind)
		}
		if (got != "") != (result.Refund == 5) {
			t.Errorf("%s%v: refund %d", test.method, test.params, result.Refund)
		}
	}
}

func TestGasUsedIsTwoPercentAboveTheMeterRoundedUp(t *testing.T) {
	for metered, want := range map[uint64]uint64{0: 0, 1: 2, 49: 50, 50: 51, 51: 53, 10_000: 10_200, 10_001: 10_202} {
		if got := contract.GasUsed(metered); got != want {
			t.Errorf("GasUsed(%d) = %d, want %d", metered, got, want)
		}
	}
}

// TestMoneyAndTicketsAddUp runs random calls and checks what must hold after each of them.
func TestMoneyAndTicketsAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seats := row(rapid.IntRange(1, 5).Draw(rt, "seats"))
		c := create(t, seats...)
		people := []cirrus.Hash{owner, alice, bob}
		height, held := uint64(101), uint64(0)
		for range rapid.IntRange(1, 30).Draw(rt, "calls") {
			height += rapid.Uint64Range(0, 20).Draw(rt, "blocks")
			value := rapid.Uint64Range(0, 30).Draw(rt, "value")
			next := drawCall(t, rt, c, height, value, seats)
			next.Sender = rapid.SampledFrom(people).Draw(rt, "sender")
			before := c.Clone()
			result := c.Execute(next)
			if !result.OK {
				if !reflect.DeepEqual(before, c) || result.Refund != value {
					rt.Fatalf("a failed %s left traces: %+v", next.Method, result)
				}
				continue
			}
			held += value
			for _, transfer := range result.Transfers {
				held -= transfer.Amount
			}
			checkState(rt, c, held, len(seats))
		}
	})
}

func drawCall(t *testing.T, rt *rapid.T, c *contract.Contract, height, value uint64, seats []cirrus.Seat) contract.Call {
	seat := seatParam(rapid.SampledFrom(append(seats, cirrus.Seat{})).Draw(rt, "seat"))
	small := contract.ParamUlong(rapid.Uint64Range(0, 30).Draw(rt, "number"))
	switch rapid.IntRange(0, 5).Draw(rt, "method") {
	case 0:
		tickets := c.Tickets()
		for i := range tickets {
			tickets[i].Price = rapid.Uint64Range(0, 20).Draw(rt, "price")
		}
		return call(t, height, owner, value, "BeginSale", contract.ParamBytes(contract.EncodeTickets(tickets)),
			"4#S", "4#O", "7#1", contract.ParamUlong(height+rapid.Uint64Range(0, 60).Draw(rt, "end")))
	case 1:
		return call(t, height, owner, value, "EndSale")
	case 2:
		return call(t, height, owner, value, "SetTicketReleaseFee", small)
	case 3:
		return call(t, height, owner, value, "SetNoReleaseBlocks", small)
	case 4:
		return call(t, height, owner, value, "ReleaseTicket", seat)
	}
	return call(t, height, owner, value, "Reserve", seat, "10#AB")
}

func checkState(rt *rapid.T, c *contract.Contract, held uint64, seats int) {
	if c.Balance() != held {
		rt.Fatalf("balance %d, want %d", c.Balance(), held)
	}
	tickets := c.Tickets()
	if len(tickets) != seats {
		rt.Fatalf("%d tickets, want %d", len(tickets), seats)
	}
	for _, ticket := range tickets {
		if (ticket.Owner == cirrus.Hash{}) != (ticket.Secret == nil) {
			rt.Fatalf("half a ticket: %+v", ticket)
		}
	}
}

func TestCloneIsIndependent(t *testing.T) {
	c := create(t, row(1)...)
	must(t, begin(t, c, 101, 200, 10))
	clone := c.Clone()
	must(t, reserve(t, clone, 102, alice, 10, row(1)[0]))
	if c.Tickets()[0].Owner == alice || c.Balance() != 0 || clone.Balance() != 10 {
		t.Error("the original saw what its clone did")
	}
	if c.Owner() != owner {
		t.Errorf("owner %x", c.Owner())
	}
}
