package courier

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	stddraw "image/draw"
	"image/jpeg"
	"image/png"

	"github.com/usherbot/usher/bot/secretchat"
	"golang.org/x/image/draw"
)

const (
	// pictureQuality keeps the edges of a QR's modules sharp.
	pictureQuality = 95
	thumbQuality   = 60
	thumbSide      = 90   // pixels, Telegram's limit for thumbnails in secret chats
	maxSide        = 4096 // pixels; more is no ticket
)

var errPicture = errors.New("not a usable picture")

// newPicture makes what a phone shows as a photo of a PNG or JPEG. Phones expect
// JPEG; a PNG is turned into one of high quality.
func newPicture(raw []byte) (secretchat.Photo, error) {
	img, data, err := decodePicture(raw)
	if err != nil {
		return secretchat.Photo{}, err
	}
	size := img.Bounds().Size()
	if data == nil {
		if data, err = encodeJPEG(flatten(img), pictureQuality); err != nil {
			return secretchat.Photo{}, err
		}
	}
	small := thumbnail(img)
	thumb, err := encodeJPEG(small, thumbQuality)
	if err != nil {
		return secretchat.Photo{}, err
	}
	return secretchat.Photo{
		Data: data, W: size.X, H: size.Y,
		Thumb: thumb, ThumbW: small.Bounds().Dx(), ThumbH: small.Bounds().Dy(),
	}, nil
}

// decodePicture returns the picture, and its bytes if they can go as they are.
func decodePicture(raw []byte) (img image.Image, asIs []byte, err error) {
	decode, config := png.Decode, png.DecodeConfig
	if bytes.HasPrefix(raw, []byte{0xFF, 0xD8}) {
		decode, config, asIs = jpeg.Decode, jpeg.DecodeConfig, raw
	}
	size, err := config(bytes.NewReader(raw))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errPicture, err)
	}
	if size.Width > maxSide || size.Height > maxSide || size.Width < 1 || size.Height < 1 {
		return nil, nil, fmt.Errorf("%w: %d by %d pixels", errPicture, size.Width, size.Height)
	}
	if img, err = decode(bytes.NewReader(raw)); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errPicture, err)
	}
	return img, asIs, nil
}

// flatten puts a picture on white: JPEG knows no transparency.
func flatten(img image.Image) image.Image {
	flat := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	stddraw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, stddraw.Src)
	stddraw.Draw(flat, flat.Bounds(), img, img.Bounds().Min, stddraw.Over)
	return flat
}

// thumbnail scales a picture into the square that Telegram allows.
func thumbnail(img image.Image) image.Image {
	size := img.Bounds().Size()
	longest := max(size.X, size.Y, thumbSide)
	w, h := max(1, size.X*thumbSide/longest), max(1, size.Y*thumbSide/longest)
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	stddraw.Draw(small, small.Bounds(), image.NewUniform(color.White), image.Point{}, stddraw.Src)
	draw.ApproxBiLinear.Scale(small, small.Bounds(), img, img.Bounds(), draw.Over, nil)
	return small
}

func encodeJPEG(img image.Image, quality int) ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode a picture: %w", err)
	}
	return out.Bytes(), nil
}
