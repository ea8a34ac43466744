package secretchat

import (
	"context"

	"github.com/gotd/td/telegram/uploader"
	"github.com/gotd/td/tg"
)

// converse sends the next message, or makes the next picture ready to be one.
func (c *Client) converse(ctx context.Context, w *worker, ch *chat) (step, error) {
	if out := ch.next(); out != nil {
		if out.unfiled() {
			return c.uploadAnew(ctx, w, ch, *out)
		}
		return c.transmit(ctx, w, ch, *out)
	}
	if len(ch.Pending) > 0 {
		return c.upload(ctx, w, ch)
	}
	if len(ch.Blobs) > 0 {
		return step{more: true}, c.clean(ctx, ch)
	}
	if len(ch.Events) == 0 {
		c.markRead(ctx, w, ch)
	}
	return step{}, nil
}

func (c *Client) transmit(ctx context.Context, w *worker, ch *chat, out entry) (step, error) {
	var result tg.MessagesSentEncryptedMessageClass
	a, err := c.call(ctx, w, "send_"+string(out.Kind), callTimeout, func(ctx context.Context) (err error) {
		result, err = c.transmission(ctx, ch.peer(), out)
		return err
	})
	if err != nil {
		return step{}, err
	}
	switch {
	case a.verdict == verdictDone || a.name == errRandomIDDuplicate:
		file := lastingFile(result, out.File)
		err := c.change(ctx, ch.ID, func(ch *chat, _ env) error {
			ch.sent(out.N, dateOf(result), file)
			return nil
		})
		if err == nil && out.Photo != nil && file != nil {
			err = c.remove(ctx, out.Photo.Blob)
		}
		return step{more: true}, err
	case a.verdict == verdictRefused:
		return step{more: true}, c.change(ctx, ch.ID, func(ch *chat, e env) error { return ch.refused(e, out.N) })
	default:
		return c.unless(ctx, w, ch.ID, a)
	}
}

func (c *Client) transmission(ctx context.Context, peer tg.InputEncryptedChat, out entry) (tg.MessagesSentEncryptedMessageClass, error) {
	switch out.Kind {
	case kindService:
		return c.cfg.API.MessagesSendEncryptedService(ctx, &tg.MessagesSendEncryptedServiceRequest{
			Peer: peer, RandomID: out.RandomID, Data: out.Data,
		})
	case kindPhoto:
		return c.cfg.API.MessagesSendEncryptedFile(ctx, &tg.MessagesSendEncryptedFileRequest{
			Peer: peer, RandomID: out.RandomID, Data: out.Data, File: out.File.input(),
		})
	default:
		return c.cfg.API.MessagesSendEncrypted(ctx, &tg.MessagesSendEncryptedRequest{
			Peer: peer, RandomID: out.RandomID, Data: out.Data,
		})
	}
}

// dateOf is when the server took a message, in Unix seconds; 0 if it did not say.
func dateOf(result tg.MessagesSentEncryptedMessageClass) int {
	if result == nil {
		return 0
	}
	return result.GetDate()
}

// lastingFile is the name under which a sent file may be sent again.
func lastingFile(result tg.MessagesSentEncryptedMessageClass, sent *fileRef) *fileRef {
	answered, ok := result.(*tg.MessagesSentEncryptedFile)
	if !ok || sent == nil {
		return nil
	}
	if file, ok := answered.File.(*tg.EncryptedFile); ok {
		return &fileRef{ID: file.ID, AccessHash: file.AccessHash}
	}
	return nil
}

// upload brings the picture at the head of what is pending to the server, and only
// then gives it a number. Its key is new at every try.
func (c *Client) upload(ctx context.Context, w *worker, ch *chat) (step, error) {
	head := ch.Pending[0]
	if head.Photo == nil {
		return step{more: true}, c.change(ctx, ch.ID, func(ch *chat, e env) error { return ch.flushTexts(e) })
	}
	plain, err := c.get(ctx, head.Photo.Blob)
	if err != nil {
		return step{}, c.halted(err)
	}
	if plain == nil {
		return step{more: true}, c.change(ctx, ch.ID, func(ch *chat, e env) error { return ch.abandon(e, head.Key) })
	}
	file, err := encryptFile(plain, c.cfg.Random)
	if err != nil {
		return step{}, err
	}
	return c.bring(ctx, w, ch, &file, func(ch *chat, e env) error {
		if len(ch.Pending) == 0 || ch.Pending[0].Key != head.Key {
			return nil
		}
		return ch.numberPhoto(e, file)
	})
}

// uploadAnew brings the file of a message that is written already to the server, under
// the key that the message tells.
func (c *Client) uploadAnew(ctx context.Context, w *worker, ch *chat, out entry) (step, error) {
	var plain []byte
	if out.Photo != nil {
		var err error
		if plain, err = c.get(ctx, out.Photo.Blob); err != nil {
			return step{}, c.halted(err)
		}
	}
	if plain == nil {
		return step{more: true}, c.change(ctx, ch.ID, func(ch *chat, e env) error { return ch.unfilable(e, out.N) })
	}
	file, err := encryptFileUnder(out.FileKey, out.FileIV, plain, c.cfg.Random)
	if err != nil {
		return step{}, err
	}
	return c.bring(ctx, w, ch, &file, func(ch *chat, _ env) error {
		ch.filed(out.N, file)
		return nil
	})
}

// bring uploads a file and notes what is to become of it.
func (c *Client) bring(ctx context.Context, w *worker, ch *chat, file *encryptedFile, then func(*chat, env) error) (step, error) {
	a, err := c.call(ctx, w, "upload", uploadTimeout, func(ctx context.Context) error {
		input, err := uploader.NewUploader(c.cfg.API).FromBytes(ctx, "", file.Data)
		if err != nil {
			return err
		}
		return file.Ref.uploaded(input)
	})
	if err != nil {
		return step{}, err
	}
	if a.verdict != verdictDone {
		return c.unless(ctx, w, ch.ID, a)
	}
	return step{more: true}, c.change(ctx, ch.ID, then)
}
