package contract_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

func drawSeat(rt *rapid.T) cirrus.Seat {
	return cirrus.Seat{Number: rapid.Int32().Draw(rt, "number"), Letter: cirrus.Char(rapid.Uint16().Draw(rt, "letter"))}
}

func drawTicket(rt *rapid.T) contract.Ticket {
	ticket := contract.Ticket{Seat: drawSeat(rt), Price: rapid.Uint64().Draw(rt, "price")}
	if rapid.Bool().Draw(rt, "sold") {
		copy(ticket.Owner[:], rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(rt, "owner"))
		ticket.Secret = rapid.SliceOfN(rapid.Byte(), 1, 80).Draw(rt, "secret")
		ticket.Identifier = rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(rt, "identifier")
	}
	return ticket
}

func TestSeatsAndTicketsComeBackAsTheyWentIn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seats := rapid.SliceOfN(rapid.Custom(drawSeat), 1, 70).Draw(rt, "seats")
		if got := contract.DecodeSeats(contract.EncodeSeats(seats)); !reflect.DeepEqual(got, seats) {
			rt.Fatalf("seats %v came back as %v", seats, got)
		}
		if got := contract.DecodeSeat(contract.EncodeSeat(seats[0])); got != seats[0] {
			rt.Fatalf("seat %v came back as %v", seats[0], got)
		}
		tickets := rapid.SliceOfN(rapid.Custom(drawTicket), 1, 70).Draw(rt, "tickets")
		if got := contract.DecodeTickets(contract.EncodeTickets(tickets)); !reflect.DeepEqual(got, tickets) {
			rt.Fatalf("tickets %v came back as %v", tickets, got)
		}
	})
}

func TestUnreadableBytesAreNoError(t *testing.T) {
	for _, data := range [][]byte{nil, {}, {0}, {0xFF}, {0xC1}, {0x80}, {0xF8}, {0xBF, 0xFF}, {0xFB, 0xFF, 0xFF, 0xFF, 0xFF}} {
		if seat := contract.DecodeSeat(data); seat != (cirrus.Seat{}) {
			t.Errorf("% X is seat %v", data, seat)
		}
		if seats := contract.DecodeSeats(data); len(seats) != 0 {
			t.Errorf("% X is seats %v", data, seats)
		}
	}
}

// TestNestedListsDoNotExplode: lists that reach beyond their parents make the same bytes be read again and again.
func TestNestedListsDoNotExplode(t *testing.T) {
	var data []byte
	for len(data) < 3_000 {
		data = append(data, 0xC1, 0xF8, 0x40)
	}
	contract.DecodeTickets(data)
	deep := make([]byte, 100_000)
	for i := range deep {
		deep[i] = 0xC1
	}
	contract.DecodeTickets(deep)
}

func FuzzDecodeSeat(f *testing.F) {
	f.Add(contract.EncodeSeat(cirrus.Seat{Number: 3, Letter: 'D'}))
	f.Add([]byte{0xC6, 0x84, 1, 0, 0, 0, 0x81, 0x41})
	f.Fuzz(func(t *testing.T, data []byte) {
		seat := contract.DecodeSeat(data)
		if again := contract.DecodeSeat(contract.EncodeSeat(seat)); again != seat {
			t.Errorf("% X is seat %v and then %v", data, seat, again)
		}
	})
}

func FuzzDecodeTickets(f *testing.F) {
	f.Add(contract.EncodeTickets([]contract.Ticket{{Seat: cirrus.Seat{Number: 3, Letter: 'D'}, Price: 5}}))
	f.Add([]byte{0xF8, 0x02, 0xC1, 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		tickets := contract.DecodeTickets(data)
		if again := contract.DecodeTickets(contract.EncodeTickets(tickets)); len(again) != len(tickets) {
			t.Errorf("%d tickets and then %d", len(tickets), len(again))
		}
	})
}
