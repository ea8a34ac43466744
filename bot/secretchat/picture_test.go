package secretchat

import (
	"bytes"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

// The vectors were worked out apart from this library, from the description: SHA1 of
// the key cut to 16 bytes, SHA256 of it cut to 20; digits from the first 32 bytes;
// cells of two bits each, the lowest bits of each byte first.
var (
	vectorDigits = []string{
		"6a a0 e6 2c  d3 73 dc 2e",
		"b2 bd 8d 9d  9e d6 e6 ef",
		"d9 c7 6f a3  49 78 cb 96",
		"20 da b8 c3  f4 6b be 07",
	}
	vectorCells = []string{
		"222100222123",
		"032030133031",
		"031323202032",
		"133213021312",
		"231221132123",
		"332312133103",
		"332130221201",
		"023132032112",
		"002022130232",
		"300301333221",
		"233231003311",
		"131310031101",
	}
)

// vectorKey is 3, 10, 17, … 256 bytes of it.
func vectorKey() secret {
	key := make(secret, keyLen)
	for i := range key {
		key[i] = byte(7*i + 3)
	}
	return key
}

func TestKeyPictureOfAKnownKey(t *testing.T) {
	p := KeyPicture(keyPicture(vectorKey()))
	for i, line := range p.Lines() {
		if line != vectorDigits[i] {
			t.Errorf("line %d is %q, want %q", i, line, vectorDigits[i])
		}
	}
	for y, row := range p.Cells() {
		var got strings.Builder
		for _, cell := range row {
			got.WriteByte('0' + cell)
		}
		if got.String() != vectorCells[y] {
			t.Errorf("row %d is %s, want %s", y, got.String(), vectorCells[y])
		}
	}
}

func TestKeyPictureAsPNG(t *testing.T) {
	const cell = 5
	p := KeyPicture(keyPicture(vectorKey()))
	var out bytes.Buffer
	must(t, p.WritePNG(&out, cell))
	if out.Len() > 2000 {
		t.Errorf("the picture has %d bytes", out.Len())
	}
	img, err := png.Decode(&out)
	must(t, err)
	if size := img.Bounds().Size(); size.X != 12*cell || size.Y != 12*cell {
		t.Fatalf("the picture is %v", size)
	}
	android := map[byte]color.RGBA{
		'0': {0xFF, 0xFF, 0xFF, 0xFF}, '1': {0xD5, 0xE6, 0xF3, 0xFF},
		'2': {0x2D, 0x57, 0x75, 0xFF}, '3': {0x2F, 0x99, 0xC9, 0xFF},
	}
	for y := range 12 * cell {
		for x := range 12 * cell {
			want := android[vectorCells[y/cell][x/cell]]
			if got := color.RGBAModel.Convert(img.At(x, y)); got != want {
				t.Fatalf("the dot at %d,%d is %v, want %v", x, y, got, want)
			}
		}
	}
}
