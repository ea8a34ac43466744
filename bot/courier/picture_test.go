package courier

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

func encodePNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPictureBecomesASharpJPEGWithAThumbnail(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 200, 600)) // transparent but for one square
	for y := range 100 {
		for x := range 100 {
			img.Set(x, y, color.Black)
		}
	}
	p, err := newPicture(encodePNG(t, img))
	if err != nil {
		t.Fatal(err)
	}
	got, err := jpeg.Decode(bytes.NewReader(p.Data))
	if err != nil {
		t.Fatal(err)
	}
	dark, _, _, _ := got.At(50, 50).RGBA()
	light, _, _, _ := got.At(150, 300).RGBA()
	if p.W != 200 || p.H != 600 || dark > 0x1000 || light < 0xf000 {
		t.Errorf("%dx%d, dark %x, light %x", p.W, p.H, dark, light)
	}
	thumb, err := jpeg.Decode(bytes.NewReader(p.Thumb))
	if err != nil {
		t.Fatal(err)
	}
	if size := thumb.Bounds().Size(); size != image.Pt(30, 90) || p.ThumbW != 30 || p.ThumbH != 90 {
		t.Errorf("thumbnail %v, told %dx%d", size, p.ThumbW, p.ThumbH)
	}
}

func TestJPEGGoesAsItIs(t *testing.T) {
	raw, err := encodeJPEG(image.NewGray(image.Rect(0, 0, 40, 20)), 80)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPicture(raw)
	if err != nil || !bytes.Equal(p.Data, raw) || p.W != 40 || p.H != 20 || p.ThumbW != 40 {
		t.Errorf("%dx%d, thumbnail %d wide, error %v", p.W, p.H, p.ThumbW, err)
	}
}

func TestUnusablePicturesAreNamed(t *testing.T) {
	whole := encodePNG(t, image.NewGray(image.Rect(0, 0, 10, 10)))
	for name, raw := range map[string][]byte{
		"empty": nil, "text": []byte("text"), "cut": whole[:len(whole)-20], "JPEG without content": {0xFF, 0xD8},
		"too large": encodePNG(t, image.NewGray(image.Rect(0, 0, maxSide+1, 1))),
	} {
		if _, err := newPicture(raw); !errors.Is(err, errPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
