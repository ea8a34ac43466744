package phone

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
)

func TestWhatARealPhoneOverlooksIsNoted(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*forged)
		want string
	}{
		"layer":        {func(f *forged) { f.layer.Layer = 17 }, "layer 17"},
		"random bytes": {func(f *forged) { f.layer.RandomBytes = make([]byte, 8) }, "only 8 random bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			p.forge(say(1, "x"), c.edit)
			p.expect(c.want)
		})
	}
	t.Run("no NotifyLayer", func(t *testing.T) {
		p := newPair(t)
		p.a.notified = false
		p.forge(say(1, "x"), func(*forged) {})
		p.expect("before any NotifyLayer")
	})
}

// expect wants the message shown all the same, and one complaint.
func (p *pair) expect(complaint string) {
	p.t.Helper()
	if p.a.state != StateOpen || len(p.a.shown) != 1 {
		p.t.Errorf("the chat is %s with %d messages", p.a.state, len(p.a.shown))
	}
	all := p.ada.Complaints()
	if len(all) != 1 || !strings.Contains(all[0], complaint) {
		p.t.Errorf("the complaints are %q, not %q", all, complaint)
	}
}

func TestFaultsOfPicturesAreNoted(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit  func(*e2e.DecryptedMessageMediaPhoto, *tg.InputEncryptedFileUploaded)
		want  string
		shown bool
	}{
		"fingerprint": {func(_ *e2e.DecryptedMessageMediaPhoto, f *tg.InputEncryptedFileUploaded) { f.KeyFingerprint++ }, "fingerprint", true},
		"dimensions":  {func(m *e2e.DecryptedMessageMediaPhoto, _ *tg.InputEncryptedFileUploaded) { m.W++ }, "said to be", true},
		"size":        {func(m *e2e.DecryptedMessageMediaPhoto, _ *tg.InputEncryptedFileUploaded) { m.Size -= 16 }, "could not be loaded", false},
		"thumbnail":   {func(m *e2e.DecryptedMessageMediaPhoto, _ *tg.InputEncryptedFileUploaded) { m.ThumbW = 91 }, "thumbnail", true},
		"key": {func(m *e2e.DecryptedMessageMediaPhoto, f *tg.InputEncryptedFileUploaded) {
			m.Key = bytes.Clone(m.Key)
			m.Key[0] ^= 1
			f.KeyFingerprint = filePrint(m.Key, m.Iv)
		}, "wrong media key", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			media := &e2e.DecryptedMessageMediaPhoto{
				W: 30, H: 20, Size: b.Len(), Key: make([]byte, 32), Iv: make([]byte, 32), Thumb: []byte{},
			}
			in, err := p.eve.upload(t.Context(), b.Bytes(), media.Key, media.Iv)
			if err != nil {
				t.Fatal(err)
			}
			c.edit(media, in.(*tg.InputEncryptedFileUploaded))
			m := say(1, "")
			m.SetMedia(media)
			p.forge(m, func(f *forged) { f.file = in })
			p.expect(c.want)
			if got := p.a.shown[0].Picture != nil; got != c.shown {
				t.Errorf("the picture is shown: %t", got)
			}
		})
	}
}
