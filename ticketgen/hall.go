package ticketgen

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/vector"

	"github.com/usherbot/usher/flows"
)

// The picture of a hall, in pixels. It is as wide as Telegram keeps photos without scaling on most phones. A message
// shows it at about a third of that, so letters are drawn three times as large as those of a small print.
const (
	hallWidth   = 1080
	hallMargin  = 24
	hallLabel   = 56 // room for the name of a row, on both sides
	largestRow  = 44 // of the letters that name a row
	largestSeat = 170
	legendLine  = 78
	legendSeat  = 60
	legendText  = 42
)

// hallPaint is the colour of each price class. The palette is one that people with any colour vision tell apart; each
// class has a shape of its own besides.
func hallPaint() []color.RGBA {
	return []color.RGBA{
		{0x8F, 0xCB, 0xF0, 0xFF},
		{0xF2, 0xB8, 0x4B, 0xFF},
		{0x6F, 0xCF, 0xA8, 0xFF},
		{0xF3, 0xEA, 0x7A, 0xFF},
		{0xE0, 0xA3, 0xC4, 0xFF},
		{0xF0, 0x97, 0x6B, 0xFF},
	}
}

// Hall draws a hall: every seat in its place, its price class by colour and shape, what is gone crossed out, what is
// held with three dots, what is chosen dark with a ring; a legend below. Errors: only what drawing itself can come to.
func (Artist) Hall(plan flows.HallPlan) ([]byte, error) {
	h, err := newHall(plan)
	if err == nil {
		err = h.draw()
	}
	if err != nil {
		return nil, fmt.Errorf("drawing a hall: %w", err)
	}
	return encodePNG(withPalette(h.p.picture))
}

type hall struct {
	p      *painter
	plan   flows.HallPlan
	cell   int
	left   int
	prices []legendEntry // the legend's left column
	states []legendEntry // and its right one
}

type legendEntry struct {
	seat flows.HallSeat
	text string
}

func newHall(plan flows.HallPlan) (*hall, error) {
	p, err := newPainter()
	if err != nil {
		return nil, err
	}
	columns := max(plan.Widest(), 1)
	h := &hall{p: p, plan: plan}
	h.cell = min(largestSeat, (hallWidth-2*hallMargin-2*hallLabel)/columns)
	h.left = (hallWidth - columns*h.cell) / 2
	for i, class := range plan.Classes {
		h.prices = append(h.prices, legendEntry{flows.HallSeat{Class: i, State: flows.HallFree}, class})
	}
	h.states = []legendEntry{
		{flows.HallSeat{State: flows.HallYours}, plan.Yours},
		{flows.HallSeat{State: flows.HallHeld}, plan.Held},
		{flows.HallSeat{State: flows.HallTaken}, plan.Taken},
	}
	height := 2*hallMargin + len(plan.Rows)*h.cell + hallMargin + h.legendLines()*legendLine
	p.picture = image.NewRGBA(image.Rect(0, 0, hallWidth, height))
	draw.Draw(p.picture, p.picture.Bounds(), image.White, image.Point{}, draw.Src)
	return h, nil
}

func (h *hall) legendLines() int { return max(len(h.prices), len(h.states)) }

func (h *hall) draw() error {
	for i, row := range h.plan.Rows {
		y := hallMargin + i*h.cell + h.cell/2
		if err := h.label(row.Name, y); err != nil {
			return err
		}
		for _, seat := range row.Seats {
			if err := h.seat(seat, h.left+seat.Column*h.cell+h.cell/2, y, h.cell); err != nil {
				return err
			}
		}
	}
	return h.drawLegend(hallMargin + len(h.plan.Rows)*h.cell + hallMargin)
}

// label writes the name of a row on both sides of it.
func (h *hall) label(name string, y int) error {
	columns := max(h.plan.Widest(), 1)
	for _, x := range []int{h.left - hallLabel/2, h.left + columns*h.cell + hallLabel/2} {
		if err := h.centred(name, x, y, hallLabel, min(largestRow, h.cell/2), h.p.grey); err != nil {
			return err
		}
	}
	return nil
}

// seat draws one seat around its middle.
func (h *hall) seat(seat flows.HallSeat, x, y, size int) error {
	ink, grey := color.RGBA{0x14, 0x21, 0x3D, 0xFF}, color.RGBA{0xB4, 0xBA, 0xC4, 0xFF}
	shape, radius := shapeOf(seat.Class), float64(size)*0.46
	switch seat.State {
	case flows.HallYours:
		h.fill(shape, x, y, radius*1.03, color.RGBA{0xD5, 0x2B, 0x1E, 0xFF})
		h.fill(shape, x, y, radius*0.88, color.RGBA{0xFF, 0xFF, 0xFF, 0xFF})
		h.fill(shape, x, y, radius*0.8, ink)
		return h.centred(seat.Name, x, y, size*min(70, room(seat.Class))/100, size*46/100, image.White)
	case flows.HallHeld:
		h.fill(shape, x, y, radius, grey)
		h.fill(shape, x, y, radius*0.86, color.RGBA{0xF1, 0xF2, 0xF5, 0xFF})
		for i := -1; i <= 1; i++ {
			h.fill(shapeOf(0), x+i*size/6, y, float64(size)*0.06, color.RGBA{0x6B, 0x74, 0x85, 0xFF})
		}
		return nil
	case flows.HallTaken:
		h.fill(shape, x, y, radius*0.8, color.RGBA{0xE6, 0xE8, 0xEC, 0xFF})
		h.cross(x, y, float64(size)*0.17, grey)
		return nil
	case flows.HallFree:
	}
	h.fill(shape, x, y, radius, ink)
	h.fill(shape, x, y, radius*0.93, h.paint(seat.Class))
	return h.centred(seat.Name, x, y, size*room(seat.Class)/100, size*50/100, h.p.ink)
}

// room is how wide the name of a seat may be in the shape of a price class, in hundredths of the seat.
func room(class int) int {
	switch max(class, 0) % len(hallPaint()) {
	case 1:
		return 80
	case 0, 3:
		return 75
	}
	return 66
}

func (h *hall) paint(class int) color.RGBA {
	paints := hallPaint()
	if class < 0 {
		return color.RGBA{0xE6, 0xE8, 0xEC, 0xFF}
	}
	return paints[class%len(paints)]
}

// shape gives the edge of a seat at an angle, as a share of its radius.
type shape func(angle float64) float64

// shapeOf is the shape of a price class: circle, square, diamond, hexagon, and two more.
func shapeOf(class int) shape {
	switch max(class, 0) % len(hallPaint()) {
	case 1:
		return rounder(6, 0)
	case 2:
		return rounder(1.25, 0)
	case 3:
		return polygon(6, 0)
	case 4:
		return polygon(5, -math.Pi/2)
	case 5:
		return polygon(5, math.Pi/2)
	}
	return rounder(2, 0)
}

// rounder is a superellipse: 1 a diamond, 2 a circle, more a square with soft corners.
func rounder(power, turn float64) shape {
	return func(angle float64) float64 {
		x, y := math.Abs(math.Cos(angle+turn)), math.Abs(math.Sin(angle+turn))
		r := math.Pow(math.Pow(x, power)+math.Pow(y, power), -1/power)
		return min(r, 1.25)
	}
}

// polygon is a regular one, a corner at the turn.
func polygon(corners int, turn float64) shape {
	step := 2 * math.Pi / float64(corners)
	return func(angle float64) float64 {
		within := math.Mod(angle-turn+8*math.Pi, step) - step/2
		return 1.03 * math.Cos(step/2) / math.Cos(within)
	}
}

// fill paints a shape around its middle.
func (h *hall) fill(s shape, x, y int, radius float64, paint color.RGBA) {
	const steps = 240
	size := int(radius*1.3) + 2
	raster := vector.NewRasterizer(2*size, 2*size)
	for i := range steps {
		angle := 2 * math.Pi * float64(i) / steps
		r := s(angle) * radius
		px, py := float32(float64(size)+r*math.Cos(angle)), float32(float64(size)+r*math.Sin(angle))
		if i == 0 {
			raster.MoveTo(px, py)
		} else {
			raster.LineTo(px, py)
		}
	}
	raster.ClosePath()
	at := image.Rect(x-size, y-size, x+size, y+size)
	raster.Draw(h.p.picture, at, image.NewUniform(paint), image.Point{})
}

// cross strikes a seat out.
func (h *hall) cross(x, y int, half float64, paint color.RGBA) {
	size, thick := int(half)+6, float32(half*0.28)
	for _, way := range []float32{1, -1} {
		raster := vector.NewRasterizer(2*size, 2*size)
		c, d := float32(size), float32(half)
		raster.MoveTo(c-d-thick, c-way*(d-thick))
		raster.LineTo(c-d+thick, c-way*(d+thick))
		raster.LineTo(c+d+thick, c+way*(d-thick))
		raster.LineTo(c+d-thick, c+way*(d+thick))
		raster.ClosePath()
		raster.Draw(h.p.picture, image.Rect(x-size, y-size, x+size, y+size), image.NewUniform(paint), image.Point{})
	}
}

// centred writes a text in the middle of a place, as large as fits.
func (h *hall) centred(text string, x, y, width, size int, colour image.Image) error {
	text = h.p.bold.clean(text)
	if text == "" {
		return nil
	}
	const smallest = 12
	for ; ; size-- {
		face, err := h.p.bold.face(float64(max(size, smallest)))
		if err != nil {
			return err
		}
		if size > smallest && !fits(face, text, width) {
			continue
		}
		if !fits(face, text, width) {
			text = cut(face, text, width)
		}
		left := x - font.MeasureString(face, text).Round()/2
		h.p.line(face, text, left, y+face.Metrics().CapHeight.Round()/2, colour)
		return nil
	}
}

// drawLegend explains colours and shapes on the left, marks on the right.
func (h *hall) drawLegend(top int) error {
	face, err := h.p.regular.face(legendText)
	if err != nil {
		return err
	}
	const width = (hallWidth - 2*hallMargin) / 2
	for column, entries := range [][]legendEntry{h.prices, h.states} {
		for i, entry := range entries {
			x, y := hallMargin+column*width, top+i*legendLine+legendLine/2
			if err := h.seat(entry.seat, x+legendSeat/2, y, legendSeat); err != nil {
				return err
			}
			text := h.p.regular.clean(entry.text)
			if room := width - legendSeat - 24; !fits(face, text, room) {
				text = cut(face, text, room)
			}
			h.p.line(face, text, x+legendSeat+18, y+face.Metrics().CapHeight.Round()/2, h.p.ink)
		}
	}
	return nil
}
