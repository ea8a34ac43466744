package secretchat

import (
	"crypto/sha1" // #nosec G505 -- the key picture is defined with it
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
)

// pictureLen is the number of bytes that a key picture is made of.
const pictureLen = 36

// pictureSide is the number of cells on each side of a key picture.
const pictureSide = 12

// KeyPicture lets two people compare the key of their chat by eye: a square of
// 12x12 cells in four colours, or 64 hexadecimal digits. It is computed once from
// the first key and stays the same when keys change.
type KeyPicture [pictureLen]byte

// keyPicture computes the bytes: SHA1 of the key for the cells that old clients
// showed, continued with SHA256 of it.
func keyPicture(key secret) []byte {
	first := sha1.Sum(key) // #nosec G401
	second := sha256.Sum256(key)
	return append(first[:16:16], second[:20]...)
}

// Cells returns the colour numbers 0..3, row by row.
func (p KeyPicture) Cells() [pictureSide][pictureSide]uint8 {
	var cells [pictureSide][pictureSide]uint8
	for i := range pictureSide * pictureSide {
		cells[i/pictureSide][i%pictureSide] = p[i/4] >> (2 * (i % 4)) & 3
	}
	return cells
}

// Image draws the picture with square cells of that many pixels.
func (p KeyPicture) Image(cell int) image.Image {
	cell = max(1, cell)
	palette := color.Palette{}
	for _, c := range p.Palette() {
		palette = append(palette, c)
	}
	side, cells := pictureSide*cell, p.Cells()
	img := image.NewPaletted(image.Rect(0, 0, side, side), palette)
	for y := range side {
		for x := range side {
			img.SetColorIndex(x, y, cells[y/cell][x/cell])
		}
	}
	return img
}

// WritePNG writes the picture with square cells of that many pixels: some hundred
// bytes, whatever the size.
func (p KeyPicture) WritePNG(w io.Writer, cell int) error {
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(w, p.Image(cell)); err != nil {
		return fmt.Errorf("write a key picture: %w", err)
	}
	return nil
}

// Palette returns the colours 0..3 as Android shows them.
func (p KeyPicture) Palette() [4]color.RGBA {
	return [4]color.RGBA{
		{0xFF, 0xFF, 0xFF, 0xFF},
		{0xD5, 0xE6, 0xF3, 0xFF},
		{0x2D, 0x57, 0x75, 0xFF},
		{0x2F, 0x99, 0xC9, 0xFF},
	}
}

// Lines returns the 64 hexadecimal digits as phones show them: four lines of
// eight bytes with a gap in the middle. Android writes them in capitals, iOS not.
func (p KeyPicture) Lines() [4]string {
	var lines [4]string
	for i := range lines {
		row := p[8*i : 8*i+8]
		for j, b := range row {
			if j > 0 {
				lines[i] += " "
			}
			if j == 4 {
				lines[i] += " "
			}
			lines[i] += hex.EncodeToString([]byte{b})
		}
	}
	return lines
}
