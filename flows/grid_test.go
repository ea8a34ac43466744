package flows_test

import (
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func TestSeatsOfABrokenRowStandUnderEachOther(t *testing.T) {
	for columns, width := range map[int]int{5: 5, 8: 8, 9: 5, 13: 7, 17: 6} {
		w := newWorld(t)
		w.sale.Seats = nil
		for i := range 2 * columns {
			seat := cirrus.Seat{Number: int32(1 + i/columns), Letter: cirrus.Char('A' + i%columns)}
			w.sale.Seats = append(w.sale.Seats, order.SeatOnSale{Seat: seat, Price: 1_000_000_000})
		}
		w.post()
		for _, line := range []string{"write /shows", "tap Night Trains", "tap Choose a seat"} {
			w.happens(line)
		}
		seats := 0
		for _, screen := range w.chat(ann).messages {
			for _, row := range screen.Buttons {
				if row[0].Text[0] != '1' && row[0].Text[0] != '2' {
					break // the buttons below the hall
				}
				if len(row) != width {
					t.Errorf("a hall of %d seats a row has %d buttons in one row, want %d", columns, len(row), width)
				}
				for _, button := range row {
					if blank := button.Text == " "; blank != (button.Action == "") {
						t.Errorf("button %q does %q", button.Text, button.Action)
					} else if !blank {
						seats++
					}
				}
			}
		}
		if seats != 2*columns {
			t.Errorf("%d seats can be tapped, want %d", seats, 2*columns)
		}
	}
}
