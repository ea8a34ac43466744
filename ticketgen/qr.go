package ticketgen

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"github.com/makiuchi-d/gozxing"
	reader "github.com/makiuchi-d/gozxing/qrcode"
	"github.com/skip2/go-qrcode"
)

// ErrTooMuch says that a text does not fit into a QR of the size asked for.
var ErrTooMuch = errors.New("too much for a QR of this size")

// recovery is the error correction of every QR: level M, which repairs 15 % of it.
//
// A QR on a phone's screen is seldom torn or stained. What it meets is picture compression, a camera's blur and
// distance, and against these large modules help more than correction: a ciphered ticket with a name takes 69 modules
// a side at level M, 81 at Q and 93 at H, so that H would make each module a quarter smaller. Level L would gain one
// step in size and leave little for a reflection on the glass.
const recovery = qrcode.Medium

// minModule is the least number of pixels a side that a module gets. JPEG works on blocks of 8 pixels, and Telegram
// scales pictures down to 1280 pixels or less: with fewer than 4 pixels a module drowns in either.
const minModule = 4

// QR draws a QR of the payload on a white square of the given number of pixels a side. Modules are whole pixels, as
// large as fit with the quiet zone of 4 modules; what is left goes around. It was read back before it is given.
// Errors: ErrTooMuch, ErrUnreadable.
func QR(payload []byte, pixels int) (image.Image, error) {
	return firstReadable(string(payload), pixels, bare)
}

// ErrUnreadable says that no way to draw a QR was found that reads back.
var ErrUnreadable = errors.New("QR does not read back")

// layouts is how many sizes of the same QR are tried: of random contents about one in a hundred makes a pattern that
// readers of the ZXing family, which most scanners are built on, take for a corner. The next size has another pattern.
const layouts = 5

// firstReadable draws a text in one size after another until the finished picture reads back.
func firstReadable(text string, pixels int, finish func(*image.Gray) (image.Image, error)) (image.Image, error) {
	for larger := range layouts {
		code, err := drawQR(text, pixels, larger)
		if err != nil {
			return nil, err
		}
		picture, err := finish(code)
		if err != nil {
			return nil, err
		}
		if readsBack(picture, text) {
			return picture, nil
		}
	}
	return nil, ErrUnreadable
}

// readsBack tells whether a reader that shares nothing with what drew the picture finds the text in it.
func readsBack(picture image.Image, text string) bool {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return false
	}
	read, err := reader.NewQRCodeReader().Decode(bitmap, nil)
	return err == nil && read.GetText() == text
}

// drawQR draws a text; larger asks for a version of the code so many steps above the smallest that holds it.
func drawQR(text string, pixels, larger int) (*image.Gray, error) {
	code, err := qrcode.New(text, recovery)
	if err == nil && larger > 0 {
		code, err = qrcode.NewWithForcedVersion(text, code.VersionNumber+larger, recovery)
	}
	if err != nil {
		return nil, fmt.Errorf("drawing a QR of %d bytes: %w", len(text), ErrTooMuch)
	}
	modules := code.Bitmap() // with the quiet zone
	size := pixels / len(modules)
	if size < minModule {
		return nil, fmt.Errorf("drawing a QR of %d bytes on %d pixels: %w", len(text), pixels, ErrTooMuch)
	}
	return drawModules(modules, size, pixels), nil
}

func drawModules(modules [][]bool, size, pixels int) *image.Gray {
	picture := image.NewGray(image.Rect(0, 0, pixels, pixels))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	margin := (pixels - size*len(modules)) / 2
	black := image.NewUniform(color.Black)
	for y, row := range modules {
		for x, dark := range row {
			if dark {
				at := image.Rect(0, 0, size, size).Add(image.Pt(margin+x*size, margin+y*size))
				draw.Draw(picture, at, black, image.Point{}, draw.Src)
			}
		}
	}
	return picture
}

// PaymentQR gives a PNG with the QR of a payment: "cirrus:<address>?amount=<CRS>", or an address alone. It is no
// ticket and holds no secret. Errors: ErrTooMuch, ErrUnreadable.
func PaymentQR(text string, pixels int) ([]byte, error) {
	picture, err := firstReadable(text, pixels, bare)
	if err != nil {
		return nil, fmt.Errorf("payment: %w", err)
	}
	return encodePNG(picture)
}

func encodePNG(picture image.Image) ([]byte, error) {
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, picture); err != nil {
		return nil, fmt.Errorf("encoding a picture: %w", err)
	}
	return encoded.Bytes(), nil
}

// bare adds nothing to a code.
func bare(code *image.Gray) (image.Image, error) { return code, nil }
