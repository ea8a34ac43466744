package simulator_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/usherbot/usher/bot/simulator"
)

func TestARealClientTalksAndIsTapped(t *testing.T) {
	b := newBed(t)
	ctx := t.Context()
	seen := make(chan string, 10)
	b.poll(func(ctx context.Context, c *bot.Bot, u *models.Update) {
		switch {
		case u.Message != nil:
			_, err := c.SendMessage(ctx, &bot.SendMessageParams{
				ChatID: u.Message.Chat.ID, Text: "Hello, " + u.Message.From.FirstName,
				ReplyMarkup: keyboard([]models.InlineKeyboardButton{data("Shows", "v1:shows"), {Text: "Copy", CopyText: &models.CopyTextButton{Text: "361.0001"}}}),
			})
			if err != nil {
				t.Error(err)
			}
			seen <- "message " + u.Message.Text
		case u.CallbackQuery != nil:
			_, err := c.AnswerCallbackQuery(ctx, &bot.AnswerCallbackQueryParams{
				CallbackQueryID: u.CallbackQuery.ID, Text: "You tapped " + u.CallbackQuery.Data, ShowAlert: true,
			})
			if err != nil {
				t.Error(err)
			}
			seen <- "tap " + u.CallbackQuery.Data
		}
	})
	ada := b.person("Ada")
	if got := <-seen; got != "message /start" {
		t.Fatalf("the bot saw %q", got)
	}
	m := b.last(ada)
	if m.From != "bot" || m.Text != "Hello, Ada" || len(m.Buttons) != 2 {
		t.Fatalf("Ada sees %+v", m)
	}
	answer := must[simulator.Answer](t)(b.tg.Tap(ctx, ada, "bot", int(m.ID), m.Buttons[0].ID))
	if answer.Text != "You tapped v1:shows" || !answer.Alert {
		t.Errorf("the tap answered %+v", answer)
	}
	if got := <-seen; got != "tap v1:shows" {
		t.Errorf("the bot saw %q", got)
	}
	answer = must[simulator.Answer](t)(b.tg.Tap(ctx, ada, "", int(m.ID), "Copy"))
	if answer.Copy != "361.0001" {
		t.Errorf("the copy button answered %+v", answer)
	}
}

func TestARealClientEditsACard(t *testing.T) {
	b := newBed(t)
	ctx, c := t.Context(), b.client(nil)
	ada := b.person("Ada")
	card := must[*models.Message](t)(c.SendPhoto(ctx, &bot.SendPhotoParams{
		ChatID: ada, Caption: "Pay", Photo: &models.InputFileUpload{Filename: "qr.png", Data: bytes.NewReader(picture(t, 90, 90))},
		ReplyMarkup: keyboard([]models.InlineKeyboardButton{data("Cancel", "x")}),
	}))
	if len(card.Photo) != 1 || card.Photo[0].Width != 90 || card.Caption != "Pay" {
		t.Fatalf("the card came back as %+v", card)
	}
	edited := must[*models.Message](t)(c.EditMessageMedia(ctx, &bot.EditMessageMediaParams{
		ChatID: ada, MessageID: card.ID,
		Media: &models.InputMediaPhoto{
			Media: "attach://new.png", MediaAttachment: bytes.NewReader(picture(t, 120, 60)), Caption: "Paid in 5 minutes",
			CaptionEntities: []models.MessageEntity{{Type: "date_time", Offset: 8, Length: 9, UnixTime: 1_796_000_300, DateTimeFormat: "r"}},
		},
	}))
	if edited.Photo[0].Width != 120 || edited.ReplyMarkup != nil || edited.EditDate == 0 {
		t.Errorf("the edited card came back as %+v", edited)
	}
	if e := edited.CaptionEntities; len(e) != 1 || e[0].UnixTime != 1_796_000_300 || e[0].DateTimeFormat != "r" {
		t.Errorf("its entities are %+v", e)
	}
	same := &bot.EditMessageCaptionParams{
		ChatID: ada, MessageID: card.ID, Caption: edited.Caption, CaptionEntities: edited.CaptionEntities,
	}
	_, err := c.EditMessageCaption(ctx, same)
	if !errors.Is(err, bot.ErrorBadRequest) || !strings.Contains(err.Error(), "message is not modified") {
		t.Errorf("an edit to the same: %v", err)
	}
	seen := b.last(ada)
	if seen.Text != "Paid in 5 minutes" || len(seen.Buttons) != 0 || seen.Picture == "" {
		t.Errorf("Ada sees %+v", seen)
	}
	if ok := must[bool](t)(c.DeleteMessage(ctx, &bot.DeleteMessageParams{ChatID: ada, MessageID: card.ID})); !ok {
		t.Error("the card was not deleted")
	}
	if got := b.last(ada).Text; got != "/start" {
		t.Errorf("after deleting, the last message is %q", got)
	}
}

func TestARealClientMeetsRefusals(t *testing.T) {
	b := newBed(t)
	ctx, c := t.Context(), b.client(nil)
	ada := b.person("Ada")
	send := func() error {
		_, err := c.SendMessage(ctx, &bot.SendMessageParams{ChatID: ada, Text: "Hello"})
		return err
	}
	must[int64](t)(b.tg.Do(ctx, ada, simulator.Action{Action: "block"}))
	if err := send(); !errors.Is(err, bot.ErrorForbidden) || !strings.Contains(err.Error(), "bot was blocked by the user") {
		t.Errorf("writing to somebody who blocked the bot: %v", err)
	}
	must[int64](t)(b.tg.Do(ctx, ada, simulator.Action{Action: "unblock"}))
	if err := b.tg.AddFault(simulator.Fault{Method: "^sendMessage$", Kind: "status:429", RetryAfter: 7}); err != nil {
		t.Fatal(err)
	}
	var wait *bot.TooManyRequestsError
	if err := send(); !errors.As(err, &wait) || wait.RetryAfter != 7 {
		t.Errorf("after the fault 429: %v", err)
	}
	if err := send(); err != nil {
		t.Errorf("the fault was for one call only: %v", err)
	}
}

func TestDroppedCalls(t *testing.T) {
	b := newBed(t)
	ada := b.person("Ada")
	for kind, happens := range map[string]bool{"drop-before": false, "drop-after": true} {
		before := len(b.chat(ada, "bot").Messages)
		if err := b.tg.AddFault(simulator.Fault{Method: "sendMessage", Kind: kind}); err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/bot"+token+"/sendMessage?text=hi&chat_id="+path("%d", ada), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := b.http.Do(r); err == nil {
			_ = answer.Body.Close()
			t.Errorf("%s: an answer came: %s", kind, answer.Status)
		}
		if got := len(b.chat(ada, "bot").Messages) > before; got != happens {
			t.Errorf("%s: the message was sent: %v", kind, got)
		}
	}
}
