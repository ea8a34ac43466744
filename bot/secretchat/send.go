package secretchat

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of what may be sent, Telegram's own where it has any.
const (
	maxText    = 4096     // UTF-16 units
	maxCaption = 1024     // UTF-16 units
	maxName    = 255      // UTF-16 units
	maxFile    = 32 << 20 // bytes
	maxThumb   = 32 << 10 // bytes
	maxThumbWH = 90       // pixels
)

// Photo is a picture to send: the bytes as they are, without recompression.
type Photo struct {
	Data    []byte // PNG or JPEG
	W, H    int    // pixels
	Caption string
	Thumb   []byte // JPEG of at most 90x90
	ThumbW  int
	ThumbH  int
}

// Document is a file to send, shown as one.
type Document struct {
	Data    []byte
	Name    string
	MIME    string
	Caption string
}

// SendText queues a text for a chat, of at most 4096 UTF-16 units. The key is the
// caller's: a second call with the same key sends nothing and returns how far the
// first one's message is, as long as it is among the last 500 of the chat. Errors:
// ErrNoChat, ErrBacklog, ErrUnfit, ErrHalted.
func (c *Client) SendText(ctx context.Context, id int, key, text string) (State, error) {
	if text == "" {
		return "", fmt.Errorf("%w: no text", ErrUnfit)
	}
	if err := checkText(text, maxText); err != nil {
		return "", err
	}
	return c.send(ctx, id, pending{Key: key, Text: text})
}

// SendPhoto queues a picture for a chat, behind what was queued before, under the
// same rules as SendText.
func (c *Client) SendPhoto(ctx context.Context, id int, key string, p Photo) (State, error) {
	if err := p.check(); err != nil {
		return "", err
	}
	return c.sendFile(ctx, id, key, p.Data, &photo{
		W: p.W, H: p.H, Caption: p.Caption, Thumb: p.Thumb, ThumbW: p.ThumbW, ThumbH: p.ThumbH,
	})
}

// SendDocument queues a file for a chat, behind what was queued before, under the
// same rules as SendText.
func (c *Client) SendDocument(ctx context.Context, id int, key string, d Document) (State, error) {
	if d.Name == "" {
		return "", fmt.Errorf("%w: a file without a name", ErrUnfit)
	}
	err := errors.Join(checkData(d.Data), checkText(d.Name, maxName), checkText(d.MIME, maxName), checkText(d.Caption, maxCaption))
	if err != nil {
		return "", err
	}
	return c.sendFile(ctx, id, key, d.Data, &photo{Name: d.Name, MIME: d.MIME, Caption: d.Caption})
}

// sendFile keeps the bytes, then the message that needs them.
func (c *Client) sendFile(ctx context.Context, id int, key string, data []byte, p *photo) (State, error) {
	if state, known, err := c.State(ctx, id, key); err != nil || known {
		return state, err
	}
	p.Blob = blobName(id, key)
	if err := c.put(ctx, p.Blob, data); err != nil {
		return "", err
	}
	state, err := c.send(ctx, id, pending{Key: key, Photo: p})
	if errors.Is(err, ErrNoChat) || errors.Is(err, ErrBacklog) || errors.Is(err, ErrUnfit) {
		err = errors.Join(err, c.remove(ctx, p.Blob))
	}
	return state, err
}

func (c *Client) send(ctx context.Context, id int, p pending) (state State, err error) {
	if p.Key == "" {
		return "", fmt.Errorf("%w: no key", ErrUnfit)
	}
	err = c.change(ctx, id, func(ch *chat, e env) error {
		if state, err = ch.enqueue(e, p); err != nil {
			return err
		}
		return ch.renewKey(e)
	})
	if err != nil {
		return "", err
	}
	c.wake(id)
	return state, nil
}

// State says how far the message with that key is; known is false when there is
// none.
func (c *Client) State(ctx context.Context, id int, key string) (state State, known bool, err error) {
	ch, err := c.load(ctx, id)
	if err != nil || ch == nil {
		return "", false, err
	}
	if m := ch.mark(key); m != nil {
		return m.State, true, nil
	}
	return "", false, nil
}

func checkText(text string, limit int) error {
	if !utf8.ValidString(text) || len(utf16.Encode([]rune(text))) > limit {
		return fmt.Errorf("%w: a text that is no UTF-8, or too long", ErrUnfit)
	}
	return nil
}

func checkData(data []byte) error {
	if len(data) == 0 || len(data) > maxFile {
		return fmt.Errorf("%w: a file of %d bytes", ErrUnfit, len(data))
	}
	return nil
}

func (p Photo) check() error {
	switch {
	case len(p.Thumb) > maxThumb || p.ThumbW > maxThumbWH || p.ThumbH > maxThumbWH:
		return fmt.Errorf("%w: a thumbnail of %d bytes, %d by %d", ErrUnfit, len(p.Thumb), p.ThumbW, p.ThumbH)
	case p.W <= 0 || p.H <= 0:
		return fmt.Errorf("%w: a picture of %d by %d", ErrUnfit, p.W, p.H)
	}
	return errors.Join(checkData(p.Data), checkText(p.Caption, maxCaption))
}
