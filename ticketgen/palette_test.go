package ticketgen

import (
	"image"
	"image/color"
	"testing"

	"github.com/usherbot/usher/flows"
)

// TestAPaletteChangesNothingThatIsSeen: large areas keep their colour exactly, and smooth edges nearly.
func TestAPaletteChangesNothingThatIsSeen(t *testing.T) {
	p, err := newPainter()
	if err != nil {
		t.Fatal(err)
	}
	frame := Frame{Show: "Songs for a Late Ferry", Venue: "Tidewater Rooms", Seat: "3B", Time: "Mon 4 May 2026, 12:00"}
	if err := p.head(frame); err != nil {
		t.Fatal(err)
	}
	if err := p.foot("Show this to nobody but the door"); err != nil {
		t.Fatal(err)
	}
	h, err := newHall(everySeat())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.draw(); err != nil {
		t.Fatal(err)
	}
	for name, picture := range map[string]*image.RGBA{"ticket": p.picture, "hall": h.p.picture} {
		t.Run(name, func(t *testing.T) { looksTheSame(t, picture) })
	}
}

// everySeat is a hall with each price class and each state of a seat.
func everySeat() flows.HallPlan {
	plan := flows.HallPlan{Yours: "yours", Held: "held", Taken: "taken"}
	for class := range hallPaint() {
		plan.Classes = append(plan.Classes, "100 CRS")
		row := flows.HallRow{Name: string(rune('A' + class))}
		for i, state := range []flows.HallState{flows.HallFree, flows.HallYours, flows.HallHeld, flows.HallTaken} {
			row.Seats = append(row.Seats, flows.HallSeat{Name: string(rune('1' + i)), Column: i, Class: class, State: state})
		}
		plan.Rows = append(plan.Rows, row)
	}
	return plan
}

func looksTheSame(t *testing.T, picture *image.RGBA) {
	small, counts := withPalette(picture), map[color.RGBA]int{}
	eachRun(picture, func(c color.RGBA, _, length int) { counts[c] += length })
	if len(counts) <= mostColours {
		t.Fatalf("%d colours all fit", len(counts))
	}
	width := picture.Bounds().Dx()
	eachRun(picture, func(was color.RGBA, at, _ int) {
		is, ok := small.Palette[small.ColorIndexAt(at%width, at/width)].(color.RGBA)
		if was == is {
			return
		}
		if _, apart := nearest([]color.RGBA{is}, was); !ok || counts[was] >= area || apart > 2*alike {
			t.Errorf("%v, in %d pixels, became %v at %d,%d", was, counts[was], is, at%width, at/width)
		}
	})
}
