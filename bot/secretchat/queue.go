package secretchat

import (
	"fmt"
	"slices"

	"github.com/gotd/td/tg/e2e"
)

func (c *chat) mark(key string) *mark {
	for i := range c.Marks {
		if c.Marks[i].Key == key {
			return &c.Marks[i]
		}
	}
	return nil
}

// progress moves a caller's message forward, never back, and tells the caller.
func (c *chat) progress(key string, state State) {
	m := c.mark(key)
	if key == "" || m == nil || m.State == Seen || m.State == state || (m.State == Sent && state == Queued) {
		return
	}
	m.State = state
	c.tell(Event{Kind: EventProgress, Key: key, State: state})
}

// enqueue takes a caller's message. Under a key that is known already nothing
// happens but that its state is told.
func (c *chat) enqueue(e env, p pending) (State, error) {
	if m := c.mark(p.Key); m != nil {
		return m.State, nil
	}
	if c.Phase != PhaseOpen {
		return "", fmt.Errorf("queue a message: %w", ErrNoChat)
	}
	if len(c.Outbox)+len(c.Pending) >= maxUnread {
		return "", fmt.Errorf("queue a message: %w", ErrBacklog)
	}
	c.Marks = append(c.Marks, mark{Key: p.Key, State: Queued})
	if over := len(c.Marks) - maxMarks; over > 0 {
		c.Marks = slices.Delete(c.Marks, 0, over)
	}
	if p.Photo != nil || len(c.Pending) > 0 {
		c.Pending = append(c.Pending, p)
		return Queued, nil
	}
	return Queued, c.numberText(e, p)
}

// flushTexts numbers the texts at the head of what is pending.
func (c *chat) flushTexts(e env) error {
	for len(c.Pending) > 0 && c.Pending[0].Photo == nil {
		p := c.Pending[0]
		c.Pending = slices.Delete(c.Pending, 0, 1)
		if err := c.numberText(e, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *chat) numberText(e env, p pending) error {
	id, err := e.randomID()
	if err != nil {
		return err
	}
	body := &e2e.DecryptedMessage{RandomID: id, TTL: c.TTL, Message: p.Text}
	return c.write(e, entry{RandomID: id, Kind: kindText, Key: p.Key}, body)
}

// numberPhoto gives the uploaded picture at the head of what is pending its
// number, and the texts behind it theirs.
func (c *chat) numberPhoto(e env, f encryptedFile) error {
	if c.Phase != PhaseOpen || len(c.Pending) == 0 || c.Pending[0].Photo == nil {
		return nil
	}
	p := c.Pending[0]
	c.Pending = slices.Delete(c.Pending, 0, 1)
	id, err := e.randomID()
	if err != nil {
		return err
	}
	body := &e2e.DecryptedMessage{RandomID: id, TTL: c.TTL}
	body.SetMedia(p.Photo.media(f, c.layer()))
	out := entry{
		RandomID: id, Kind: kindPhoto, Key: p.Key,
		File: &f.Ref, FileKey: f.Key, FileIV: f.IV, Photo: p.Photo, Uploads: 1,
	}
	if err := c.write(e, out, body); err != nil {
		return err
	}
	return c.flushTexts(e)
}

// media is what a message says of its file, in words that the peer's layer has.
func (p *photo) media(f encryptedFile, layer int) e2e.DecryptedMessageMediaClass {
	if p.Name == "" {
		return &e2e.DecryptedMessageMediaPhoto{
			Thumb: p.Thumb, ThumbW: p.ThumbW, ThumbH: p.ThumbH, W: p.W, H: p.H,
			Size: f.Size, Key: f.Key, Iv: f.IV, Caption: p.Caption,
		}
	}
	attributes := []e2e.DocumentAttributeClass{&e2e.DocumentAttributeFilename{FileName: p.Name}}
	if layer < wideFileLayer {
		return &e2e.DecryptedMessageMediaDocument46{
			MimeType: p.MIME, Size: f.Size, Key: f.Key, Iv: f.IV, Attributes: attributes, Caption: p.Caption,
		}
	}
	return &e2e.DecryptedMessageMediaDocument{
		MimeType: p.MIME, Size: int64(f.Size), Key: f.Key, Iv: f.IV, Attributes: attributes, Caption: p.Caption,
	}
}

// abandon gives up a pending message whose bytes are gone.
func (c *chat) abandon(e env, key string) error {
	c.Pending = slices.DeleteFunc(c.Pending, func(p pending) bool { return p.Key == key })
	c.progress(key, Failed)
	return c.flushTexts(e)
}

// filed gives message n the file that was uploaded anew for it.
func (c *chat) filed(n int, f encryptedFile) {
	if out := c.entry(n); out != nil && out.unfiled() {
		out.File = &f.Ref
		out.Uploads++
	}
}

// unfilable gives up message n, whose file is gone: something else takes its number.
func (c *chat) unfilable(e env, n int) error {
	if out := c.entry(n); out != nil && out.unfiled() {
		out.settle()
		return c.refused(e, n)
	}
	return nil
}
