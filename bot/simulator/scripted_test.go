package simulator_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/skip2/go-qrcode"
)

// scripted is a bot that plays one story.
type scripted struct {
	stage *stage
	chat  int64
}

func (s *scripted) person() int64 { return s.chat }

func (s *scripted) handle(ctx context.Context, c *bot.Bot, u *models.Update) {
	if u.Message != nil {
		s.chat = u.Message.Chat.ID
		if strings.HasPrefix(u.Message.Text, "/start") {
			s.begin(ctx, c)
		}
		return
	}
	answer := &bot.AnswerCallbackQueryParams{CallbackQueryID: u.CallbackQuery.ID}
	switch u.CallbackQuery.Data {
	case "tell":
		answer.Text = "You will be told."
	case "share":
		answer.Text, answer.ShowAlert = "Share it with care.", true
	}
	_, err := c.AnswerCallbackQuery(ctx, answer)
	s.check(err)
	switch u.CallbackQuery.Data {
	case "choose":
		s.seats(ctx, c)
	case "continue":
		s.instructions(ctx, c)
	case "done":
		s.pay(ctx, c)
	}
}

func (s *scripted) check(err error) {
	if err != nil {
		s.stage.t.Errorf("the scripted bot: %v", err)
	}
}

func (s *scripted) begin(ctx context.Context, c *bot.Bot) {
	_, err := c.SetMyCommands(ctx, &bot.SetMyCommandsParams{Commands: []models.BotCommand{
		{Command: "shows", Description: "What is on"},
		{Command: "tickets", Description: "Your tickets"},
		{Command: "refund", Description: "Give a ticket back"},
	}})
	s.check(err)
	s.send(ctx, c, "<b>Night Trains — live at Harbour Hall</b>\n<tg-time unix=\"1796414400\" format=\"wDt\">Fri 4 Dec, 20:00</tg-time> · by Quay Collective\n\n"+
		"23 of 60 seats free · 120 to 240 CRS\nRefunds cost 5 CRS. More with /help.",
		[]models.InlineKeyboardButton{data("Choose seats", "choose")}, []models.InlineKeyboardButton{data("Share", "share"), data("Tell me about this show", "tell")})
}

func (s *scripted) seats(ctx context.Context, c *bot.Bot) {
	var row []models.InlineKeyboardButton
	for _, name := range []string{"3A", "3B", "", "3D ✓", "3E ✓", "3F", "3G", "3H"} {
		b := data(name, "seat "+name)
		if name == "" {
			b = models.InlineKeyboardButton{Text: "·", Disabled: &models.DisabledButton{}}
		}
		if strings.HasSuffix(name, "✓") {
			b.Style = "success"
		}
		row = append(row, b)
	}
	s.photo(ctx, c, hall(s.stage.t), "Row 3 · seats 3D, 3E · 2 × 180 = 360 CRS\nTap a seat to add or remove it.",
		row, []models.InlineKeyboardButton{data("‹ Rows", "rows"), {Text: "Continue", CallbackData: "continue", Style: "primary"}})
}

func (s *scripted) instructions(ctx context.Context, c *bot.Bot) {
	s.send(ctx, c, "Your ticket comes in a secret chat: end-to-end encrypted, on your phone.\n\n1. On your phone, open @QuayTickets\n2. Start Secret Chat\n3. That's all: this message goes on by itself",
		[]models.InlineKeyboardButton{{Text: "Open @QuayTickets", URL: "https://t.me/QuayTickets"}},
		[]models.InlineKeyboardButton{{Text: "Let it write to me", URL: "https://t.me/QuayTickets?text=code%204711"}}, []models.InlineKeyboardButton{data("I did it", "done")})
}

func (s *scripted) pay(ctx context.Context, c *bot.Bot) {
	s.photo(ctx, c, qr(s.stage.t, "cirrus:CUtNvY1Jxpn4V4RD1tgphsUKpQdo4q5i54?amount=361.0001"),
		"<b>Send exactly 361.0001 CRS</b> to\n<code>CUtNvY1Jxpn4V4RD1tgphsUKpQdo4q5i54</code>\n\n  seats 3D, 3E   360.00\n  deposit   1.00\n\nYour seats are held until "+
			"<tg-time unix=\""+strconv.FormatInt(time.Now().Unix()+14*60, 10)+"\" format=\"r\">14 minutes</tg-time>.",
		[]models.InlineKeyboardButton{
			{Text: "Copy address", CopyText: &models.CopyTextButton{Text: "CUtNvY1Jxpn4V4RD1tgphsUKpQdo4q5i54"}},
			{Text: "Copy sum", CopyText: &models.CopyTextButton{Text: "361.0001"}},
		}, []models.InlineKeyboardButton{data("Cancel", "cancel")})
}

func (s *scripted) send(ctx context.Context, c *bot.Bot, html string, rows ...[]models.InlineKeyboardButton) {
	_, err := c.SendMessage(ctx, &bot.SendMessageParams{ChatID: s.chat, Text: html, ParseMode: models.ParseModeHTML, ReplyMarkup: keyboard(rows...)})
	s.check(err)
}

func (s *scripted) photo(ctx context.Context, c *bot.Bot, content []byte, html string, rows ...[]models.InlineKeyboardButton) {
	_, err := c.SendPhoto(ctx, &bot.SendPhotoParams{
		ChatID: s.chat, Photo: &models.InputFileUpload{Filename: "card.png", Data: bytes.NewReader(content)},
		Caption: html, ParseMode: models.ParseModeHTML, ReplyMarkup: keyboard(rows...),
	})
	s.check(err)
}

func qr(t *testing.T, text string) []byte {
	content, err := qrcode.Encode(text, qrcode.Medium, 512)
	if err != nil {
		t.Error(err)
	}
	return content
}

// hall draws something that looks like the seats of a hall.
func hall(t *testing.T) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 640, 320))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{R: 246, G: 247, B: 248, A: 255}), image.Point{}, draw.Src)
	for row := range 5 {
		for seat := range 12 {
			c := color.RGBA{R: 70, G: 150, B: 155, A: 255}
			if (row*5+seat*3)%7 < 3 {
				c = color.RGBA{R: 205, G: 211, B: 214, A: 255}
			}
			draw.Draw(img, image.Rect(40+seat*48, 40+row*52, 76+seat*48, 76+row*52), image.NewUniform(c), image.Point{}, draw.Src)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Error(err)
	}
	return out.Bytes()
}
