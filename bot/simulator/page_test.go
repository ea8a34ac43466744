package simulator_test

import (
	"bytes"
	"context"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/skip2/go-qrcode"

	"github.com/usherbot/usher/bot/simulator"
)

// picturesDir is where TestThePage leaves what it sees, if anywhere.
var picturesDir = flag.String("pictures", "", "folder for screenshots of the page")

// browser starts a headless browser with a profile of its own.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium here: the page is not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(90*time.Second))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this first context
		t.Fatalf("starting the browser: %v", err)
	}
	return ctx
}

// stage is a page with a scripted bot, a fake chain and phones without
// protocol.
type stage struct {
	*bed
	url    string
	phones *phones
	chain  *fakeChain
	page   context.Context
}

func newStage(t *testing.T) *stage {
	s := &stage{phones: newPhones(), chain: &fakeChain{height: 1_198_021, opens: true}}
	s.bed = newBed(t, func(o *simulator.Options) { o.Phones = s.phones; o.Clock = time.Now })
	mux := http.NewServeMux()
	page, err := s.tg.Page(simulator.PageOptions{Chain: s.chain})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/telegram/", s.tg.Control())
	mux.Handle("/", page)
	server := httptest.NewServer(mux)
	s.url = server.URL
	t.Cleanup(func() { _ = s.tg.Close(); server.CloseClientConnections(); server.Close() })
	return s
}

// do runs steps in the browser; the test fails with what they were for.
func (s *stage) do(what string, actions ...step) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.page, 40*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

// step is something done in the browser.
type step = chromedp.Action[chromedp.Void]

func byID(testid string) chromedp.CSS { return chromedp.CSS(`[data-testid="` + testid + `"]`) }

func visible(testid string) step { return chromedp.WaitVisible(byID(testid)) }

func click(testid string) step { return chromedp.Click(byID(testid)) }

// tap presses a button under the newest message of the bot.
func tap(text string) step {
	b := chromedp.CSS(`[data-testid=chat-log] .msg:last-child [data-text="` + text + `"]`)
	return chromedp.Steps(chromedp.WaitVisible(b), chromedp.Click(b))
}

// holds waits until a JavaScript expression is true.
func holds(js string) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Poll[bool](js, chromedp.WithPollingTimeout(30*time.Second))(ctx, t)
		return chromedp.Void{}, err
	}
}

// says waits until an element shows a text.
func says(testid, text string) step {
	js := `[...document.querySelectorAll('[data-testid="` + testid + `"]')].some(e => e.textContent.includes(` + strconv.Quote(text) + `))`
	return holds(js)
}

func TestThePage(t *testing.T) {
	s := newStage(t)
	s.page = browser(t)
	card := &scripted{stage: s}
	s.poll(card.handle)
	s.do("open the page", chromedp.EmulateViewport(1440, 900), chromedp.Navigate(s.url), visible("start"))
	s.shoot("start")
	s.do("press Start", click("start"), says("message-text", "Night Trains"))
	s.shoot("show")
	s.do("read a notice", tap("Tell me about this show"), says("toast", "You will be told."))
	s.do("read an alert", tap("Share"), visible("alert-ok"), says("alert", "with care"), click("alert-ok"), chromedp.WaitNotVisible(byID("alert-ok")))
	s.do("choose seats", tap("Choose seats"), says("message-text", "Row 3"))
	s.shoot("seats")
	s.do("go on to the secret chat", tap("Continue"), says("message-text", "end-to-end"))
	s.do("open the courier", tap("Open @QuayTickets"), visible("phone-start-secret"))
	s.shoot("courier")
	s.do("start the secret chat", click("phone-start-secret"), says("phone-note", "Waiting"))
	s.phones.accept(card.person())
	s.do("see it open", says("phone-note", "is open"))
	s.do("see the card", tap("I did it"), says("message-text", "Send exactly"), filled("pay-amount", "361.0001"))
	s.shoot("pay")
	s.do("pay", click("pay"), says("pay-outcome", "Sent"))
	s.do("make a block", click("next-block"), holds(`document.getElementById('height').dataset.height === "1198022"`))
	s.phones.courierSends(card.person(), simulator.SecretMessage{Text: warning, Date: time.Now()})
	s.phones.courierSends(card.person(), simulator.SecretMessage{
		Text: "Night Trains · Harbour Hall\nFri 4 Dec 20:00 · Seat 3D", Picture: qr(t, "a ticket"), Date: time.Now(),
	})
	s.do("scan the ticket", chromedp.WaitEnabled(byID("scan")), click("scan"), says("verdict", "The door opens"))
	s.shoot("door")
	s.do("enlarge the ticket", chromedp.Click(chromedp.CSS(`[data-testid=phone-log] [data-testid=picture]`)), visible("viewer-close"))
	s.shootOne("viewer")
	s.do("close it", click("viewer-close"))
	s.do("open the menu", click("menu"), visible("command-tickets"))
	s.shootOne("menu")
	s.do("choose from it", click("command-tickets"), says("message-text", "/tickets"))
	s.do("come back later", chromedp.Reload(), says("message-text", "Send exactly"), says("verdict", ""))
	s.do("write by keyboard", chromedp.SendKeys(byID("composer-input"), "hello\r"), says("message-text", "hello"))
}

const warning = "This picture is your ticket. Whoever shows it first gets in. Don't share it, don't post it, " +
	"don't let anyone photograph it.\nNobody from Usher or the venue will ever ask you for it."

// filled waits until a field has a value.
func filled(testid, value string) step {
	return holds(`document.querySelector('[data-testid="` + testid + `"]').value === ` + strconv.Quote(value))
}

// shoot takes pictures on a wide screen and, pane by pane, on a phone, light
// and dark.
func (s *stage) shoot(name string) {
	if *picturesDir == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		s.do("colours", colours(scheme))
		s.picture(name+"-wide-"+scheme, 1440, 900)
		for _, pane := range []string{"chat", "phone", "chain"} {
			s.do("a phone", chromedp.EmulateViewport(390, 844), click("tab-"+pane))
			s.picture(name+"-phone-"+pane+"-"+scheme, 390, 844)
		}
		s.do("a wide screen", click("tab-chat"), chromedp.EmulateViewport(1440, 900))
	}
}

func (s *stage) shootOne(name string) {
	if *picturesDir != "" {
		s.picture(name, 1440, 900)
	}
}

// colours sets the colour scheme that the page is asked for.
func colours(scheme string) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return chromedp.Void{}, err
	}
}

func (s *stage) picture(name string, w, h int64) {
	s.do("a picture", chromedp.EmulateViewport(w, h))
	out, err := chromedp.Run(s.page, chromedp.CaptureScreenshot())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*picturesDir, name+".png"), out, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

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
		[]models.InlineKeyboardButton{{Text: "Open @QuayTickets", URL: "https://t.me/QuayTickets"}}, []models.InlineKeyboardButton{data("I did it", "done")})
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
