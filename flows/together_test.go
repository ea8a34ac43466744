package flows

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// hall makes seats from their names, such as "1A 1B 2A", in that order.
func hall(names string) []order.SeatOnSale {
	var seats []order.SeatOnSale
	for name := range strings.FieldsSeq(names) {
		var s cirrus.Seat
		for _, r := range name {
			if r >= '0' && r <= '9' {
				s.Number = s.Number*10 + r - '0'
			} else {
				s.Letter = cirrus.Char(r)
			}
		}
		seats = append(seats, order.SeatOnSale{Seat: s, Price: uint64(cirrus.CRS)})
	}
	return seats
}

func joined(seats []cirrus.Seat) string { return strings.Join(seatNames(seats), " ") }

func TestBestSeatsAreSideBySideInTheMiddle(t *testing.T) {
	square := "1A 1B 1C 1D 1E 2A 2B 2C 2D 2E 3A 3B 3C 3D 3E"
	for _, test := range []struct {
		name, hall, gone string
		n                int
		want             string
		apart            bool
	}{
		{"an empty hall", square, "", 3, "2B 2C 2D", false},
		{"the middle is gone", square, "2C", 2, "1B 1C", false},
		{"an aisle does not count as beside", "1A 1B 1D 1E 2A 2B 2C 2D 2E", "2A 2B 2C 2D 2E", 2, "1A 1B", false},
		{"a letter that no row has is no gap", "1H 1J 1K", "", 2, "1H 1J", false},
		{"rows by letter", "1A 2A 3A 1B 2B 3B", "2B", 3, "1A 2A 3A", false},
		{"only numbers", "1 2 3 4", "1", 2, "2 3", false},
		{"none side by side", square, "1B 1D 2A 2C 2E 3B 3D", 2, "2B 1C", true},
		{"too few", square, "", 16, "", false},
	} {
		free := func(s cirrus.Seat) bool { return !slices.Contains(strings.Fields(test.gone), s.String()) }
		groups, apart := together(hall(test.hall), free, test.n)
		got := ""
		if len(groups) > 0 {
			slices.SortFunc(groups[0], standing(hall(test.hall)).order)
			got = joined(groups[0])
		}
		if apart != test.apart || !test.apart && got != test.want || test.apart && len(groups[0]) != test.n {
			t.Errorf("%s: %q, apart %v", test.name, got, apart)
		}
	}
}

// TestSeatsTogetherAreFreeAndNeighbours: whatever the hall and whatever is gone, each group has as many free seats as
// were asked for, each once; side by side unless it says apart; and no seat is in two groups.
func TestSeatsTogetherAreFreeAndNeighbours(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var seats []order.SeatOnSale
		gone := map[cirrus.Seat]bool{}
		byLetter := rapid.Bool().Draw(r, "by letter")
		columns := rapid.IntRange(1, 9).Draw(r, "columns")
		for i := range rapid.IntRange(0, 65).Draw(r, "seats") {
			a, b := i/columns, i%columns
			if byLetter {
				a, b = b, a
			}
			seat := cirrus.Seat{Number: int32(a + 1), Letter: cirrus.Char('A' + b)}
			seats = append(seats, order.SeatOnSale{Seat: seat})
			gone[seat] = rapid.Bool().Draw(r, "gone")
		}
		n := rapid.IntRange(1, 8).Draw(r, "n")
		groups, apart := together(seats, func(s cirrus.Seat) bool { return !gone[s] }, n)
		seen := map[cirrus.Seat]bool{}
		st := standing(seats)
		for _, group := range groups {
			if len(group) != n {
				r.Fatalf("%d of %d seats", len(group), n)
			}
			for i, seat := range group {
				if gone[seat] || seen[seat] {
					r.Fatalf("%s is gone or chosen twice", seat)
				}
				if seen[seat] = true; !apart && i > 0 && !st.beside(group[i-1], seat) {
					r.Fatalf("%s and %s are apart", group[i-1], seat)
				}
			}
		}
	})
}

// TestEverySeatHasAPlaceOfItsOwn: no two seats are drawn on one place, whatever their numbers and letters.
func TestEverySeatHasAPlaceOfItsOwn(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var seats []order.SeatOnSale
		for range rapid.IntRange(0, 65).Draw(r, "seats") {
			seat := cirrus.Seat{
				Number: rapid.SampledFrom([]int32{0, 1, 2, 3, -5, 2147483647}).Draw(r, "number"),
				Letter: cirrus.Char(rapid.SampledFrom([]rune{0, 'A', 'B', 'C', 'Ж', 0xD800}).Draw(r, "letter")),
			}
			if !slices.ContainsFunc(seats, func(on order.SeatOnSale) bool { return on.Seat == seat }) {
				seats = append(seats, order.SeatOnSale{Seat: seat})
			}
		}
		taken := map[place]bool{}
		st := standing(seats)
		for _, on := range seats {
			at, known := st.places[on.Seat]
			if !known || taken[at] || at.row >= len(st.rows) || at.column >= st.columns {
				r.Fatalf("%s stands at %v of %d rows, %d columns", on.Seat, at, len(st.rows), st.columns)
			}
			taken[at] = true
		}
	})
}
