package flows

import (
	"slices"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// picked are the seats of the draft, where it belongs to this show.
func (t *turn) picked(o offer) []cirrus.Seat {
	if d := t.session.Draft; d.Show == o.Show.TxID {
		return d.Seats
	}
	return nil
}

// choose changes the draft. Names were given for other seats, so they are asked for again.
func (t *turn) choose(o offer, seats []cirrus.Seat) {
	if t.session.Draft.Show != o.Show.TxID {
		t.session.Own = "" // it was given for another order
	}
	st := standing(o.Seats)
	slices.SortStableFunc(seats, st.order)
	t.session.Draft = Draft{Contract: o.Contract, Show: o.Show.TxID, Seats: seats, List: t.session.Draft.List}
	t.session.Names = nil
}

// pick adds a seat, or takes it away.
func (f *Flows) pick(t *turn, o offer, a action) (Reply, error) {
	seat, err := parseSeat(a.args[1])
	if err != nil {
		return f.seatsAnswering(t, o, t.answer("tap.old"))
	}
	if state := f.seatState(o, seat, t.now); state != seatFree {
		return f.seatsAnswering(t, o, cut(t.plain("seat."+string(state), args{"Seat": seatName(seat)}), answerRoom))
	}
	seats := slices.Clone(t.picked(o))
	if i := slices.Index(seats, seat); i >= 0 {
		t.choose(o, slices.Delete(seats, i, i+1))
		return f.seats(t, o)
	}
	if len(seats) >= order.MaxSeats {
		return f.seatsAnswering(t, o, cut(t.plain("seats.most", args{"Count": order.MaxSeats}), answerRoom))
	}
	t.choose(o, append(seats, seat))
	return f.seats(t, o)
}

// best chooses n seats together; tapped again, the next ones.
func (f *Flows) best(t *turn, o offer, a action) (Reply, error) {
	n, err := strconv.Atoi(a.args[1])
	if err != nil || n > order.MaxSeats {
		return f.seatsAnswering(t, o, t.answer("tap.old"))
	}
	free := func(s cirrus.Seat) bool { return f.seatState(o, s, t.now) == seatFree }
	groups, apart := together(o.Seats, free, n)
	if len(groups) == 0 {
		return f.seatsAnswering(t, o, cut(t.plain("seats.too_few", args{"Count": n}), answerRoom))
	}
	mine := t.picked(o)
	next := slices.IndexFunc(groups, func(g []cirrus.Seat) bool { return slices.Equal(g, mine) }) + 1
	t.choose(o, slices.Clone(groups[next%len(groups)]))
	if apart {
		return f.seatsAnswering(t, o, cut(t.plain("seats.apart", args{"Count": n}), answerRoom))
	}
	return f.seats(t, o)
}

func (f *Flows) seatsAnswering(t *turn, o offer, answer string) (Reply, error) {
	reply, err := f.seats(t, o)
	reply.Answer = answer
	return reply, err
}

// dropGone takes seats out of the draft that cannot be had any more, and gives them.
func (f *Flows) dropGone(t *turn, o offer) (gone []cirrus.Seat) {
	var kept []cirrus.Seat
	for _, seat := range t.picked(o) {
		if f.seatState(o, seat, t.now) == seatFree {
			kept = append(kept, seat)
		} else {
			gone = append(gone, seat)
		}
	}
	if len(gone) > 0 {
		t.choose(o, kept)
	}
	return gone
}
