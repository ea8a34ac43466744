package simulator_test

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

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
	if path == "" && os.Getenv("USHER_NEED_BROWSER") != "" {
		t.Fatal("no Chromium here, and it is needed: make test installs it")
	}
	if path == "" {
		t.Skip("no Chromium here: the page is not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(90*time.Second))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 8*time.Minute)
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
	mail   *mailbox
	chain  *fakeChain
	page   context.Context
}

func newStage(t *testing.T) *stage {
	s := &stage{phones: newPhones(), mail: newMailbox(), chain: &fakeChain{height: 1_198_021, opens: true}}
	s.bed = newBed(t, func(o *simulator.Options) { o.Phones, o.Accounts, o.Clock = s.phones, s.mail, time.Now })
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
	ctx, cancel := context.WithTimeout(s.page, 2*time.Minute)
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
