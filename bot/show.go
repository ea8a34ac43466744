package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// Show sends a screen, or edits out.Edit, and gives the id of the message that shows it: another one than out.Edit
// where that cannot be edited so. Noting the message of out.Card is the caller's. Errors: order.ErrBlocked;
// order.ErrGone where the message to edit is not there any more. It waits for Telegram's limits, at most as long as
// Rules.ShowWithin, and lets replies go first.
func (b *Bot) Show(ctx context.Context, out flows.Outgoing) (message int, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.rules.ShowWithin)
	defer cancel()
	return b.put(ctx, out, post{})
}

// post says how a screen goes out.
type post struct {
	urgent  bool // before what is not
	instead bool // a new message where the one to edit is gone
}

// put sends or edits, in the chat's turn.
func (b *Bot) put(ctx context.Context, out flows.Outgoing, p post) (int, error) {
	give, err := b.turns.take(ctx, out.Chat)
	if err != nil {
		return 0, fmt.Errorf("waiting for the chat's turn: %w", err)
	}
	defer give()
	if out.Edit == 0 {
		return b.sendNew(ctx, out, p)
	}
	err = b.edit(ctx, out, p)
	_, moved := movedTo(err)
	switch {
	case err == nil || says(err, asItWas):
		return out.Edit, nil
	case isBlocked(err):
		return 0, fmt.Errorf("%w: %w", order.ErrBlocked, err)
	case says(err, gone) && !p.instead:
		return 0, fmt.Errorf("%w: %w", order.ErrGone, err)
	case says(err, gone) || moved:
		return b.sendNew(ctx, out, p)
	case says(err, fixed):
		return b.replace(ctx, out, p)
	}
	return 0, err
}

// replace shows the screen in a new message and takes the old one away; where that is not possible, its buttons.
func (b *Bot) replace(ctx context.Context, out flows.Outgoing, p post) (int, error) {
	message, err := b.sendNew(ctx, out, p)
	if err != nil {
		return 0, err
	}
	err = b.call(ctx, "deleteMessage", func(ctx context.Context) error {
		_, err := b.api.DeleteMessage(ctx, &bot.DeleteMessageParams{ChatID: out.Chat, MessageID: out.Edit})
		return err
	})
	if err == nil {
		return message, nil
	}
	err = b.call(ctx, "editMessageReplyMarkup", func(ctx context.Context) error {
		_, err := b.api.EditMessageReplyMarkup(ctx, &bot.EditMessageReplyMarkupParams{ChatID: out.Chat, MessageID: out.Edit})
		return err
	})
	if err != nil {
		b.log.Debug("replaced message stays", "chat", out.Chat, "message", out.Edit, "error", err)
	}
	return message, nil
}

// sendNew sends a message, following a group that became a supergroup.
func (b *Bot) sendNew(ctx context.Context, out flows.Outgoing, p post) (int, error) {
	message, err := b.sendOnce(ctx, out, p)
	if to, moved := movedTo(err); moved {
		out.Chat = to
		message, err = b.sendOnce(ctx, out, p)
	}
	if isBlocked(err) {
		return 0, fmt.Errorf("%w: %w", order.ErrBlocked, err)
	}
	if err != nil {
		return 0, err
	}
	b.remember(out, message)
	return message.ID, nil
}

func (b *Bot) sendOnce(ctx context.Context, out flows.Outgoing, p post) (message *models.Message, err error) {
	if len(out.Picture) == 0 {
		text, entities := render(out.Text, maxText)
		err = b.paced(ctx, "sendMessage", out.Chat, p, func(ctx context.Context) (err error) {
			message, err = b.api.SendMessage(ctx, &bot.SendMessageParams{
				ChatID: out.Chat, Text: text, Entities: entities, ReplyMarkup: keyboard(out.Buttons),
				ProtectContent: out.Protect, DisableNotification: out.Silent, LinkPreviewOptions: noPreview(),
			})
			return err
		})
		return message, err
	}
	text, entities := render(out.Text, maxCaption)
	err = b.withPicture(out.Screen, func(file string) error {
		return b.paced(ctx, "sendPhoto", out.Chat, p, func(ctx context.Context) (err error) {
			message, err = b.api.SendPhoto(ctx, &bot.SendPhotoParams{
				ChatID: out.Chat, Photo: photo(out.Screen, file), Caption: text, CaptionEntities: entities,
				ReplyMarkup: keyboard(out.Buttons), ProtectContent: out.Protect, DisableNotification: out.Silent,
			})
			return err
		})
	})
	return message, err
}

// edit changes a message in place. A picture that the message shows already is not sent again.
func (b *Bot) edit(ctx context.Context, out flows.Outgoing, p post) error {
	if len(out.Picture) == 0 {
		text, entities := render(out.Text, maxText)
		return b.paced(ctx, "editMessageText", out.Chat, p, func(ctx context.Context) error {
			_, err := b.api.EditMessageText(ctx, &bot.EditMessageTextParams{
				ChatID: out.Chat, MessageID: out.Edit, Text: text, Entities: entities,
				ReplyMarkup: keyboard(out.Buttons), LinkPreviewOptions: noPreview(),
			})
			return err
		})
	}
	text, entities := render(out.Text, maxCaption)
	shown, known := b.shown.get(place{out.Chat, out.Edit})
	if known && out.PictureName != "" && shown == out.PictureName {
		return b.paced(ctx, "editMessageCaption", out.Chat, p, func(ctx context.Context) error {
			_, err := b.api.EditMessageCaption(ctx, &bot.EditMessageCaptionParams{
				ChatID: out.Chat, MessageID: out.Edit, Caption: text, CaptionEntities: entities,
				ReplyMarkup: keyboard(out.Buttons),
			})
			return err
		})
	}
	return b.withPicture(out.Screen, func(file string) error {
		var message *models.Message
		err := b.paced(ctx, "editMessageMedia", out.Chat, p, func(ctx context.Context) (err error) {
			message, err = b.api.EditMessageMedia(ctx, &bot.EditMessageMediaParams{
				ChatID: out.Chat, MessageID: out.Edit, Media: media(out.Screen, file, text, entities),
				ReplyMarkup: keyboard(out.Buttons),
			})
			return err
		})
		if err == nil {
			b.remember(out, message)
		}
		return err
	})
}

func noPreview() *models.LinkPreviewOptions {
	return &models.LinkPreviewOptions{IsDisabled: bot.True()}
}

// withPicture does with Telegram's id of the picture, where it is known, and without where Telegram forgot it.
func (b *Bot) withPicture(s flows.Screen, do func(file string) error) error {
	file := ""
	if s.PictureName != "" {
		file, _ = b.files.get(s.PictureName)
	}
	err := do(file)
	if file != "" && says(err, noFile) {
		return do("")
	}
	return err
}

func photo(s flows.Screen, file string) models.InputFile {
	if file != "" {
		return &models.InputFileString{Data: file}
	}
	return &models.InputFileUpload{Filename: "picture.png", Data: bytes.NewReader(s.Picture)}
}

func media(s flows.Screen, file, caption string, entities []models.MessageEntity) *models.InputMediaPhoto {
	m := &models.InputMediaPhoto{Media: file, Caption: caption, CaptionEntities: entities}
	if file == "" {
		m.Media, m.MediaAttachment = "attach://picture.png", bytes.NewReader(s.Picture)
	}
	return m
}

// remember notes which picture a message shows, and what Telegram calls it.
func (b *Bot) remember(out flows.Outgoing, m *models.Message) {
	if len(out.Picture) == 0 || out.PictureName == "" || m == nil || len(m.Photo) == 0 {
		return
	}
	b.shown.put(place{out.Chat, m.ID}, out.PictureName)
	b.files.put(out.PictureName, m.Photo[len(m.Photo)-1].FileID)
}

// How often a message is tried again when no answer came.
const (
	editTries = 4
	// A send whose answer got lost is repeated once: a message that comes twice is a nuisance, one that never comes
	// leaves somebody waiting for a ticket.
	sendTries = 2
)

// paced makes a call that sends or edits, when Telegram's limits allow it, and again where that helps.
func (b *Bot) paced(ctx context.Context, method string, chat int64, p post, do func(context.Context) error) error {
	most := editTries
	if method == "sendMessage" || method == "sendPhoto" {
		most = sendTries
	}
	for try := 1; ; {
		if err := b.limiter.Wait(ctx, chat, p.urgent); err != nil {
			return fmt.Errorf("waiting to write into chat %s: %w", strconv.FormatInt(chat, 10), err)
		}
		err := b.call(ctx, method, do)
		if pause, slow := retryAfter(err); slow {
			b.limiter.Pause(chat, pause)
			continue
		}
		if !isLost(err) || ctx.Err() != nil || try >= most && !isUnsent(err) || try >= editTries {
			return err
		}
		if waitErr := b.cfg.Wait(ctx, b.rules.pause(try)); waitErr != nil {
			return errors.Join(err, waitErr)
		}
		try++
	}
}
