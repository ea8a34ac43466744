package flows

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// HallPlan is a hall as its picture shows it. It holds no word that it was not given.
type HallPlan struct {
	Rows    []HallRow // from the front
	Classes []string  // of price, the cheapest first, as the legend names them
	Yours   string    // the legend's words
	Held    string
	Taken   string
}

// HallRow is a line of seats. A row too long for a phone takes several lines.
type HallRow struct {
	Name  string
	Seats []HallSeat
}

// HallSeat is one seat of a line.
type HallSeat struct {
	Name   string
	Column int // its place in the line, from 0; places in between are empty
	State  HallState
	Class  int // index into Classes; -1: its price is out of bounds
}

// HallState is how a seat is drawn.
type HallState string

// The states of a seat in the picture.
const (
	HallFree  HallState = "free"
	HallYours HallState = "yours" // chosen by who looks at it
	HallHeld  HallState = "held"  // somebody is about to pay for it
	HallTaken HallState = "taken"
)

// Widest is how many columns the longest line has.
func (p HallPlan) Widest() int {
	widest := 0
	for _, row := range p.Rows {
		for _, seat := range row.Seats {
			widest = max(widest, seat.Column+1)
		}
	}
	return widest
}

// name tells pictures apart, so that an unchanged one is not sent again.
func (p HallPlan) name() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", p))
	return "hall:" + hex.EncodeToString(sum[:6])
}

// place is where a seat stands: rows from the front, columns from the left, both from 0.
type place struct{ row, column int }

// stand is how the seats of a hall stand.
type stand struct {
	rows    []string // their names; empty where seats are only counted through
	columns int
	places  map[cirrus.Seat]place
}

// counted is how many seats stand in a row where nothing says what a row is.
const counted = 10

// standing finds out how the seats stand. A contract lists seats row by row: whether the number or the letter names
// the row is what neighbours in the list share more often.
func standing(seats []order.SeatOnSale) stand {
	numbers, letters := 0, 0
	for i := 1; i < len(seats); i++ {
		a, b := seats[i-1].Seat, seats[i].Seat
		if a.Number == b.Number && a.Number != 0 {
			numbers++
		}
		if a.Letter == b.Letter && a.Letter != 0 {
			letters++
		}
	}
	number := func(s cirrus.Seat) int64 { return int64(s.Number) }
	letter := func(s cirrus.Seat) int64 { return int64(s.Letter) }
	switch {
	case numbers == 0 && letters == 0:
		return countedThrough(seats)
	case numbers >= letters:
		return inRows(seats, number, letter, func(s cirrus.Seat) string { return strconv.Itoa(int(s.Number)) })
	}
	return inRows(seats, letter, number, func(s cirrus.Seat) string { return s.Letter.String() })
}

// inRows places seats by what names their row and what names their place in it. A place that no row has, such as the
// letter I in many halls, is no gap.
func inRows(seats []order.SeatOnSale, row, column func(cirrus.Seat) int64, name func(cirrus.Seat) string) stand {
	st := stand{places: make(map[cirrus.Seat]place, len(seats))}
	var rows, columns []int64
	for _, on := range seats {
		if !slices.Contains(rows, row(on.Seat)) {
			rows = append(rows, row(on.Seat))
			st.rows = append(st.rows, Clean(name(on.Seat), rowRoom))
		}
		if !slices.Contains(columns, column(on.Seat)) {
			columns = append(columns, column(on.Seat))
		}
	}
	slices.Sort(columns)
	st.columns = len(columns)
	for _, on := range seats {
		st.places[on.Seat] = place{slices.Index(rows, row(on.Seat)), slices.Index(columns, column(on.Seat))}
	}
	return st
}

const rowRoom = 4

func countedThrough(seats []order.SeatOnSale) stand {
	st := stand{places: make(map[cirrus.Seat]place, len(seats)), columns: min(counted, len(seats))}
	for i, on := range seats {
		st.places[on.Seat] = place{i / counted, i % counted}
		if i%counted == 0 {
			st.rows = append(st.rows, "")
		}
	}
	return st
}

// beside tells whether two seats are next to each other in one row.
func (st stand) beside(a, b cirrus.Seat) bool {
	at, to := st.places[a], st.places[b]
	return at.row == to.row && (at.column-to.column == 1 || to.column-at.column == 1)
}

// maxColumns is how many seats stand next to each other in a picture before they are too small to read on a phone.
const maxColumns = 14

// maxClasses is how many price classes a picture keeps apart; more are put together.
const maxClasses = 6

// plan is the hall as the customer sees it now.
func (f *Flows) plan(t *turn, o offer, chosen []cirrus.Seat) HallPlan {
	st := standing(o.Seats)
	classes, classOf := f.classes(t, o)
	parts := (st.columns + maxColumns - 1) / maxColumns
	width := (st.columns + max(parts, 1) - 1) / max(parts, 1)
	rows := make([]HallRow, len(st.rows)*max(parts, 1))
	for _, on := range o.Seats {
		at := st.places[on.Seat]
		line := &rows[at.row*max(parts, 1)+at.column/max(width, 1)]
		line.Name = st.rows[at.row]
		line.Seats = append(line.Seats, HallSeat{
			Name: seatName(on.Seat), Column: at.column % max(width, 1), Class: classOf(on), State: f.drawn(t, o, on.Seat, chosen),
		})
	}
	rows = slices.DeleteFunc(rows, func(r HallRow) bool { return len(r.Seats) == 0 })
	return HallPlan{
		Rows: rows, Classes: classes, Yours: t.plain("hall.yours", nil), Held: t.plain("hall.held", nil),
		Taken: t.plain("hall.taken", nil),
	}
}

func (f *Flows) drawn(t *turn, o offer, seat cirrus.Seat, chosen []cirrus.Seat) HallState {
	switch f.seatState(o, seat, t.now) {
	case seatFree:
		if slices.Contains(chosen, seat) {
			return HallYours
		}
		return HallFree
	case seatHeld, seatMine:
		return HallHeld
	case seatTaken, seatResold, seatUnpriced, seatUnknown:
	}
	return HallTaken
}

// classes names the prices of the hall, and tells each seat's. Where there are many, neighbours are put together.
func (f *Flows) classes(t *turn, o offer) (names []string, of func(order.SeatOnSale) int) {
	var prices []cirrus.Strats
	for _, on := range o.Seats {
		if price, fits := cirrus.StratsOf(on.Price); fits && !slices.Contains(prices, price) {
			prices = append(prices, price)
		}
	}
	slices.Sort(prices)
	bands := min(len(prices), maxClasses)
	for i := range bands {
		first, last := len(prices)*i/bands, len(prices)*(i+1)/bands-1
		names = append(names, f.prices(t.voice, prices[first], prices[last]))
	}
	return names, func(on order.SeatOnSale) int {
		price, fits := cirrus.StratsOf(on.Price)
		if !fits {
			return -1
		}
		at := slices.Index(prices, price)
		for i := range bands {
			if at < len(prices)*(i+1)/bands {
				return i
			}
		}
		return -1
	}
}
