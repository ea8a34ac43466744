package ticketgen

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"maps"
	"slices"
)

const (
	mostColours = 256  // in a palette
	alike       = 4    // of 255: so far apart, in each of red, green and blue, colours are not told apart side by side
	area        = 1000 // pixels of one colour that keep it exactly
)

// withPalette gives the picture with a palette: one byte a pixel instead of three, in a third of the time. Whatever
// covers an area keeps its colour. The many shades at the smooth edges of letters share one with their likes.
func withPalette(picture *image.RGBA) *image.Paletted {
	counts := map[color.RGBA]int{}
	eachRun(picture, func(c color.RGBA, _, length int) { counts[c] += length })
	colours := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), bytes.Compare([]byte{a.R, a.G, a.B, a.A}, []byte{b.R, b.G, b.B, b.A}))
	})
	var kept []color.RGBA
	places := map[color.RGBA]uint8{}
	for _, c := range colours {
		place, apart := nearest(kept, c)
		if len(kept) < mostColours && (apart > alike || counts[c] >= area) {
			place, kept = len(kept), append(kept, c)
		}
		places[c] = uint8(place) // #nosec G115 -- below 256
	}
	small := image.NewPaletted(picture.Bounds(), make(color.Palette, len(kept)))
	for i, c := range kept {
		small.Palette[i] = c
	}
	eachRun(picture, func(c color.RGBA, at, length int) {
		if place := places[c]; place != 0 { // it is made of zeroes
			fill(small.Pix[at:at+length], place)
		}
	})
	return small
}

// nearest is the colour that is the least apart from c, by the largest of its differences, in red, green, blue or
// opacity.
func nearest(colours []color.RGBA, c color.RGBA) (place, apart int) {
	apart = mostColours
	for i, k := range colours {
		if by := max(differ(k.R, c.R), differ(k.G, c.G), differ(k.B, c.B), differ(k.A, c.A)); by < apart {
			place, apart = i, by
		}
	}
	return place, apart
}

func differ(a, b uint8) int { return int(max(a, b) - min(a, b)) }

// fill sets all of a line at once, by copying what is set already.
func fill(line []uint8, place uint8) {
	line[0] = place
	for done := 1; done < len(line); done *= 2 {
		copy(line[done:], line[:done])
	}
}

// eachRun goes through the picture by runs of pixels of one colour in a row, each with where it begins among all pixels.
func eachRun(picture *image.RGBA, do func(c color.RGBA, at, length int)) {
	width := picture.Bounds().Dx()
	for y := range picture.Bounds().Dy() {
		row := picture.Pix[y*picture.Stride:][:4*width]
		for from := 0; from < width; {
			pixel := row[4*from : 4*from+4]
			to := from + 1
			for to < width && bytes.Equal(row[4*to:4*to+4], pixel) {
				to++
			}
			do(color.RGBA{pixel[0], pixel[1], pixel[2], pixel[3]}, y*width+from, to-from)
			from = to
		}
	}
}
