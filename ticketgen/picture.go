package ticketgen

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/math/fixed"
)

// Frame is what is written around a QR. The texts may be a stranger's and of any length.
type Frame struct {
	Show, Venue, Seat, Time, Warning string
}

// The picture, in pixels: a phone held upright shows all of it, and no side is beyond the 1280 that Telegram keeps
// for photos. The QR takes nearly the whole width.
const (
	pictureWidth  = 1024
	pictureHeight = 1280
	margin        = 56
	seatWidth     = 240
	headHeight    = 208
	qrTop         = margin + headHeight
	qrSide        = 928 // 12 pixels a module for a ciphered ticket with a name
)

// Picture gives a PNG with the QR of the payload and what the holder wants to see around it. The QR was read back
// from the finished picture. Errors: ErrTooMuch, ErrUnreadable.
func Picture(payload []byte, frame Frame) ([]byte, error) {
	p, err := newPainter()
	if err == nil {
		err = errors.Join(p.head(frame), p.foot(frame.Warning))
	}
	if err != nil {
		return nil, fmt.Errorf("ticket picture: %w", err)
	}
	picture, err := firstReadable(string(payload), qrSide, func(code *image.Gray) (image.Image, error) {
		at := image.Rect(0, 0, qrSide, qrSide).Add(image.Pt((pictureWidth-qrSide)/2, qrTop))
		draw.Draw(p.picture, at, code, image.Point{}, draw.Src)
		return withPalette(p.picture), nil
	})
	if err != nil {
		return nil, fmt.Errorf("ticket picture: %w", err)
	}
	return encodePNG(picture)
}

type painter struct {
	picture       *image.RGBA
	regular, bold typeface
	ink, grey     image.Image
}

func newPainter() (*painter, error) {
	regular, err := parseTypeface(goregular.TTF)
	if err != nil {
		return nil, err
	}
	bold, err := parseTypeface(gobold.TTF)
	if err != nil {
		return nil, err
	}
	picture := image.NewRGBA(image.Rect(0, 0, pictureWidth, pictureHeight))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	return &painter{
		picture: picture, regular: regular, bold: bold,
		ink:  image.NewUniform(color.RGBA{0x14, 0x21, 0x3D, 0xFF}),
		grey: image.NewUniform(color.RGBA{0x4A, 0x55, 0x68, 0xFF}),
	}, nil
}

// head writes show, venue and time on the left and the seat, large, on the right.
func (p *painter) head(frame Frame) error {
	width := pictureWidth - 2*margin
	if frame.Seat != "" {
		if err := p.seat(frame.Seat); err != nil {
			return err
		}
		width -= seatWidth + margin/2
	}
	y, err := p.block(textBlock{
		text: frame.Show, typeface: p.bold, fits: []fit{{60, 1}, {52, 1}, {46, 2}, {40, 2}},
		at: image.Pt(margin, margin), width: width, color: p.ink,
	})
	if err != nil {
		return err
	}
	for _, line := range []string{frame.Venue, frame.Time} {
		if y, err = p.block(textBlock{
			text: line, typeface: p.regular, fits: []fit{{34, 1}, {30, 1}},
			at: image.Pt(margin, y+6), width: width, color: p.grey,
		}); err != nil {
			return err
		}
	}
	return nil
}

// seat writes the seat in white on a dark, rounded plate.
func (p *painter) seat(text string) error {
	plate := image.Rect(pictureWidth-margin-seatWidth, margin, pictureWidth-margin, margin+headHeight-16)
	draw.DrawMask(p.picture, plate, p.ink, image.Point{}, rounded{plate.Dx(), plate.Dy(), 28}, image.Point{}, draw.Over)
	text = p.bold.clean(text)
	const inside = seatWidth - 36
	for size := 120.0; ; size -= 8 {
		face, err := p.bold.face(size)
		if err != nil {
			return err
		}
		if size > 24 && !fits(face, text, inside) {
			continue
		}
		if !fits(face, text, inside) {
			text = cut(face, text, inside)
		}
		height := face.Metrics().CapHeight.Ceil()
		baseline := plate.Min.Y + (plate.Dy()+height)/2
		left := plate.Min.X + (plate.Dx()-font.MeasureString(face, text).Ceil())/2
		p.line(face, text, left, baseline, image.White)
		return nil
	}
}

// foot writes the warning in the middle of what is left under the QR.
func (p *painter) foot(text string) error {
	_, err := p.block(textBlock{
		text: text, typeface: p.bold, fits: []fit{{32, 1}, {28, 2}, {25, 2}},
		at: image.Pt(margin, qrTop+qrSide), width: pictureWidth - 2*margin, color: p.ink, centred: true,
		height: pictureHeight - qrTop - qrSide - 12,
	})
	return err
}

// fit is one way to set a text.
type fit struct {
	size  float64 // pixels
	lines int     // at most
}

// textBlock is a text in a box.
type textBlock struct {
	text     string
	typeface typeface
	fits     []fit // the first in which there is room for the whole text, else the last
	at       image.Point
	width    int
	height   int // of the box, to stand in its middle; 0 to stand at its top
	color    image.Image
	centred  bool
}

// block writes a text and gives the y below it.
func (p *painter) block(b textBlock) (below int, err error) {
	text := b.typeface.clean(b.text)
	var face font.Face
	var lines []string
	for _, try := range b.fits {
		if face, err = b.typeface.face(try.size); err != nil {
			return 0, err
		}
		whole := false
		if lines, whole = wrap(face, text, b.width, try.lines); whole {
			break
		}
	}
	height := face.Metrics().Height.Ceil()
	y := b.at.Y
	if free := b.height - height*len(lines); free > 0 {
		y += free / 2
	}
	for _, line := range lines {
		x := b.at.X
		if b.centred {
			x += (b.width - font.MeasureString(face, line).Ceil()) / 2
		}
		p.line(face, line, x, y+face.Metrics().Ascent.Ceil(), b.color)
		y += height
	}
	return y, nil
}

func (p *painter) line(face font.Face, text string, x, baseline int, colour image.Image) {
	drawer := font.Drawer{Dst: p.picture, Src: colour, Face: face, Dot: fixed.P(x, baseline)}
	drawer.DrawString(text)
}

// rounded is a mask: a rectangle with round corners and smooth edges.
type rounded struct {
	width, height, radius int
}

func (r rounded) ColorModel() color.Model { return color.AlphaModel }

func (r rounded) Bounds() image.Rectangle { return image.Rect(0, 0, r.width, r.height) }

// At counts which of 16 points inside the pixel lie within the shape.
func (r rounded) At(x, y int) color.Color {
	inside := 0
	for i := range 16 {
		if r.has(8*x+2*(i%4)+1, 8*y+2*(i/4)+1) {
			inside++
		}
	}
	return color.Alpha{A: uint8(inside * 255 / 16)}
}

// has works in eighths of a pixel.
func (r rounded) has(x, y int) bool {
	dx := max(8*r.radius-x, x-8*(r.width-r.radius), 0)
	dy := max(8*r.radius-y, y-8*(r.height-r.radius), 0)
	return dx*dx+dy*dy <= 64*r.radius*r.radius
}
