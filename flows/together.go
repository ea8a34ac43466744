package flows

import (
	"math"
	"slices"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// together finds groups of n free seats, the best first: side by side in one row, near the middle and not far from the
// front. Groups that share a seat with a better one are left out, so that the next one is a real alternative. Where no
// row has n side by side there is at most one group: seats as close to each other as there are; apart says so.
func together(seats []order.SeatOnSale, free func(cirrus.Seat) bool, n int) (groups [][]cirrus.Seat, apart bool) {
	st := standing(seats)
	var open []cirrus.Seat
	for _, on := range seats {
		if free(on.Seat) && !slices.Contains(open, on.Seat) {
			open = append(open, on.Seat)
		}
	}
	if n < 1 || len(open) < n {
		return nil, false
	}
	runs := st.runs(open, n)
	slices.SortStableFunc(runs, func(a, b []cirrus.Seat) int { return compare(st.cost(a), st.cost(b)) })
	for _, run := range runs {
		if !slices.ContainsFunc(groups, func(g []cirrus.Seat) bool { return overlap(g, run) }) {
			groups = append(groups, run)
		}
	}
	if groups != nil {
		return groups, false
	}
	return [][]cirrus.Seat{st.closest(open, n)}, true
}

// runs lists all n seats side by side.
func (st stand) runs(open []cirrus.Seat, n int) [][]cirrus.Seat {
	sorted := slices.Clone(open)
	slices.SortStableFunc(sorted, st.order)
	var runs [][]cirrus.Seat
	start := 0
	for i := range sorted {
		if i > 0 && !st.beside(sorted[i-1], sorted[i]) {
			start = i
		}
		if i-start+1 >= n {
			runs = append(runs, slices.Clone(sorted[i-n+1:i+1]))
		}
	}
	return runs
}

// order sorts seats by row, then by place.
func (st stand) order(a, b cirrus.Seat) int {
	at, to := st.places[a], st.places[b]
	if at.row != to.row {
		return at.row - to.row
	}
	return at.column - to.column
}

// cost is how far a group is from where one would like to sit: the middle of the hall, a third of the way back.
func (st stand) cost(group []cirrus.Seat) float64 {
	middle, depth := float64(st.columns-1)/2, float64(len(st.rows)-1)/3
	sum := 0.0
	for _, seat := range group {
		at := st.places[seat]
		sum += math.Hypot(float64(at.column)-middle, float64(at.row)-depth)
	}
	return sum
}

// closest gathers n seats around the one that has its nearest neighbours closest.
func (st stand) closest(open []cirrus.Seat, n int) []cirrus.Seat {
	var best []cirrus.Seat
	least := math.Inf(1)
	for _, center := range open {
		near := slices.Clone(open)
		slices.SortStableFunc(near, func(a, b cirrus.Seat) int { return compare(st.distance(center, a), st.distance(center, b)) })
		sum := 0.0
		for _, seat := range near[:n] {
			sum += st.distance(center, seat)
		}
		if sum < least {
			least, best = sum, near[:n]
		}
	}
	slices.SortStableFunc(best, st.order)
	return best
}

// distance counts another row as one and a half places: people talk to their neighbour, less so over a back-rest.
func (st stand) distance(a, b cirrus.Seat) float64 {
	const row = 1.5
	at, to := st.places[a], st.places[b]
	return math.Abs(float64(at.column-to.column)) + row*math.Abs(float64(at.row-to.row))
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func overlap(a, b []cirrus.Seat) bool {
	return slices.ContainsFunc(a, func(s cirrus.Seat) bool { return slices.Contains(b, s) })
}
