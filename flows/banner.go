package flows

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"sync"
)

// stage is how far an order is; the picture of a card that has no QR shows it.
type stage string

const (
	stagePay    stage = "pay"
	stageSeen   stage = "seen"
	stagePaid   stage = "paid"
	stageBought stage = "bought"
	stageSent   stage = "sent"
	stageBack   stage = "back"   // money goes back
	stageEnded  stage = "ended"  // nothing more happens
	stagePerson stage = "person" // a person looks after it
)

// Sizes of the banner, in pixels.
const (
	bannerWidth  = 640
	bannerHeight = 160
	dots         = 4
	dotRadius    = 22
	lineHalf     = 4
)

// look is how many dots are filled at a stage, and in which colour.
func (s stage) look() (filled int, paint color.RGBA) {
	green := color.RGBA{R: 0x2e, G: 0xa0, B: 0x6b, A: 0xff}
	amber := color.RGBA{R: 0xd9, G: 0x9a, B: 0x2b, A: 0xff}
	switch s {
	case stageSeen:
		return 1, amber
	case stagePaid:
		return 2, amber
	case stageBought:
		return 3, green
	case stageSent:
		return 4, green
	case stageBack:
		return 4, color.RGBA{R: 0x3b, G: 0x7d, B: 0xd8, A: 0xff}
	case stagePerson:
		return 2, color.RGBA{R: 0xc2, G: 0x4b, B: 0x3f, A: 0xff}
	case stagePay, stageEnded:
	}
	return 0, amber
}

// banner draws four dots in a row, filled as far as the order is: seen, paid, bought, handed over. It carries no
// text, so it needs no translation, and nothing that could be scanned: the QR of the payment must be gone once paid.
func banner(s stage) ([]byte, error) {
	filled, paint := s.look()
	ground := color.RGBA{R: 0xf4, G: 0xf4, B: 0xf1, A: 0xff}
	empty := color.RGBA{R: 0xcf, G: 0xcf, B: 0xc8, A: 0xff}
	img := image.NewPaletted(image.Rect(0, 0, bannerWidth, bannerHeight), color.Palette{ground, empty, paint})
	for y := range bannerHeight {
		for x := range bannerWidth {
			img.SetColorIndex(x, y, shade(x, y, filled))
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("drawing the stage %s: %w", s, err)
	}
	return out.Bytes(), nil
}

// banners draws each stage once, when it is first asked for: they are the same for everybody.
func banners() map[stage]func() ([]byte, error) {
	all := map[stage]func() ([]byte, error){}
	for _, s := range []stage{
		stagePay, stageSeen, stagePaid, stageBought, stageSent, stageBack, stageEnded, stagePerson,
	} {
		all[s] = sync.OnceValues(func() ([]byte, error) { return banner(s) })
	}
	return all
}

// shade gives a pixel's colour: 0 ground, 1 empty, 2 filled.
func shade(x, y, filled int) uint8 {
	const gap, middle = bannerWidth / (dots + 1), bannerHeight / 2
	for i := range dots {
		dx, dy := x-gap*(i+1), y-middle
		if dx*dx+dy*dy <= dotRadius*dotRadius {
			return dye(i < filled)
		}
	}
	if y >= middle-lineHalf && y <= middle+lineHalf && x > gap && x < gap*dots {
		return dye(x < gap*filled)
	}
	return 0
}

func dye(filled bool) uint8 {
	if filled {
		return 2
	}
	return 1
}
