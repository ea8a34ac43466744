package flows

import (
	"slices"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// Limits of a message's buttons.
const (
	maxRow     = 8
	maxButtons = 100
	// maxWords is how many buttons of a word and a number a phone shows beside each other without cutting them.
	maxWords = 4
	// maxGrid leaves room for the buttons below the seats.
	maxGrid = maxButtons - 14
)

// grid lays the seats out: a row of the hall is a row of buttons, broken evenly where it is longer than a message
// allows.
func (f *Flows) grid(t *turn, o offer, mine []cirrus.Seat) [][]Button {
	st := standing(o.Seats)
	seats := o.Seats[:min(len(o.Seats), maxGrid)]
	rows := make([][]Button, len(st.rows))
	for _, on := range seats {
		row := st.places[on.Seat].row
		rows[row] = append(rows[row], f.seatButton(t, o, on.Seat, slices.Contains(mine, on.Seat)))
	}
	var grid [][]Button
	blanks := maxGrid - len(seats)
	for _, row := range rows {
		parts := evenly(row, maxRow)
		grid = append(grid, aligned(parts, &blanks)...)
	}
	return grid
}

// aligned fills up the end of a hall's row that was broken, so that its seats stand under each other, each as wide as
// the others, while the message has room for that many blanks.
func aligned(parts [][]Button, blanks *int) [][]Button {
	if len(parts) == 0 {
		return nil
	}
	last := len(parts) - 1
	missing := len(parts[0]) - len(parts[last])
	if missing > *blanks {
		return parts
	}
	*blanks -= missing
	blank := Button{Text: " "} // a text may be blank, but not empty
	parts[last] = append(slices.Clip(parts[last]), slices.Repeat([]Button{blank}, missing)...)
	return parts
}

// evenly breaks buttons into as few rows of at most so many as there can be, all about as long.
func evenly(buttons []Button, most int) [][]Button {
	if len(buttons) == 0 {
		return nil
	}
	parts := (len(buttons) + most - 1) / most
	return slices.Collect(slices.Chunk(buttons, (len(buttons)+parts-1)/parts))
}

func (f *Flows) seatButton(t *turn, o offer, seat cirrus.Seat, marked bool) Button {
	if f.seatState(o, seat, t.now) != seatFree {
		return Button{Text: "·"}
	}
	text := seatName(seat)
	if marked {
		text += " ✓"
	}
	return Button{Text: text, Action: act(doPick, showKey(o.Show.TxID), seatKey(seat))}
}

// seatsBelow are the buttons under the grid: several seats together, the other way to read the hall, and on.
func (f *Flows) seatsBelow(t *turn, o offer, mine []cirrus.Seat) [][]Button {
	key := showKey(o.Show.TxID)
	count, _, _ := f.free(o, t.now)
	var best []Button
	for n := 2; n <= min(count, order.MaxSeats); n++ {
		best = append(best, t.button("button.best", args{"Number": n}, act(doBest, key, strconv.Itoa(n))))
	}
	id := "button.as_list"
	if t.session.Draft.List {
		id = "button.as_picture"
	}
	last := []Button{t.button("button.back", nil, act(doShow, key)), t.button(id, nil, act(doList, key))}
	below := evenly(best, maxWords)
	switch len(mine) {
	case 0:
		return append(below, last)
	case 1:
		last = append(last, t.button("button.continue_seat", args{"Seat": seatName(mine[0])}, act(doGo, key)))
		return append(below, last)
	}
	return append(below, append(last, t.button("button.clear", nil, act(doClear, key))),
		[]Button{t.button("button.continue_seats", args{"Number": len(mine)}, act(doGo, key))})
}
