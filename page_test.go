package main

import (
	"context"
	"flag"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/sync/errgroup"
)

var update = flag.Bool("update", false, "renew docs/pictures and what else tests compare with")

// visitor is a browser on the demo's page.
type visitor struct {
	t   *testing.T
	ctx context.Context
}

type step = chromedp.Action[chromedp.Void]

func browse(t *testing.T, url string) *visitor {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("USHER_NEED_BROWSER") != "" {
			t.Fatal("no Chromium here, and it is needed: make test installs it")
		}
		t.Skip("no Chromium here: the page is not tried in a browser; make test installs it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(90*time.Second))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	v := &visitor{t, ctx}
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this first context
		t.Fatalf("starting the browser: %v", err)
	}
	v.do("open the page", chromedp.EmulateViewport(1440, 900), chromedp.Navigate(url), seen("start"))
	return v
}

func (v *visitor) do(what string, steps ...step) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 2*time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		v.picture("failed")
		v.t.Fatalf("%s: %v", what, err)
	}
}

func element(testid string) chromedp.CSS { return chromedp.CSS(`[data-testid="` + testid + `"]`) }

func seen(testid string) step { return chromedp.WaitVisible(element(testid)) }

func click(testid string) step {
	return chromedp.Steps(chromedp.WaitEnabled(element(testid)), chromedp.Click(element(testid)))
}

// tap presses the newest button whose text begins so. It is found and pressed in one go: the page may draw a message
// anew at any time.
func tap(text string) step {
	return holds(`(() => { const last = [...document.querySelectorAll('[data-testid=chat-log] [data-testid=button]')]
		.filter(b => (b.dataset.text || '').startsWith(` + strconv.Quote(text) + `)).at(-1);
		if (!last || last.disabled || !last.checkVisibility()) return false;
		last.scrollIntoView({block: 'nearest'}); last.click(); return true })()`)
}

// holds waits until a JavaScript expression is true.
func holds(js string) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Poll[bool](js, chromedp.WithPollingTimeout(50*time.Second))(ctx, t)
		return chromedp.Void{}, err
	}
}

func reads(testid, text string) step {
	return holds(`[...document.querySelectorAll('[data-testid="` + testid + `"]')].some(e => e.textContent.includes(` + strconv.Quote(text) + `))`)
}

// reads tells whether a text appears within two seconds.
func (v *visitor) reads(testid, text string) bool {
	ctx, cancel := context.WithTimeout(v.ctx, 2*time.Second)
	defer cancel()
	return chromedp.Do(ctx, reads(testid, text)) == nil
}

// shoot renews a picture under docs/pictures, only when asked.
func (v *visitor) shoot(name string) {
	v.t.Helper()
	if !*update {
		return
	}
	v.picture(name)
	v.do("a phone", chromedp.EmulateViewport(390, 844))
	for _, pane := range []string{"chat", "phone", "chain"} {
		v.do("a pane", click("tab-"+pane))
		v.picture(name + "-" + pane)
	}
	v.do("a wide screen", click("tab-chat"), chromedp.EmulateViewport(1440, 900))
}

func (v *visitor) picture(name string) {
	out, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		v.t.Log(err)
		return
	}
	dir := filepath.Join("docs", "pictures")
	if name == "failed" {
		dir = os.TempDir()
		v.t.Logf("what the page showed: %s", filepath.Join(dir, "failed.png"))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), out, 0o600); err != nil {
		v.t.Fatal(err)
	}
}

// TestTheStoryOnThePage is a customer with a browser: from /start to the door, and back for the money.
func TestTheStoryOnThePage(t *testing.T) {
	f := demoFlags{generation: "ciphered", node: "today", block: "manual"}
	d, err := startDemo(t.Context(), f, streams{strings.NewReader(""), io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := d.handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	ctx, stop := context.WithCancel(t.Context())
	group, serving := errgroup.WithContext(ctx)
	group.Go(func() error { return d.serve(serving) })
	t.Cleanup(func() {
		stop()
		_ = group.Wait()
		_ = d.close()
		server.CloseClientConnections()
		server.Close()
	})
	d.app.waitReady(serving)
	visit(browse(t, server.URL), string(d.wallet))
}

func visit(v *visitor, wallet string) {
	v.t.Helper()
	v.shoot("1-start")
	v.do("press Start", click("start"), reads("message-text", "secret chat"))
	v.do("see what is on", tap("Shows"), reads("message-text", "on sale"))
	v.shoot("2-shows")
	v.do("choose a show", tap("An Evening"), reads("message-text", "seats are free"))
	v.shoot("3-show")
	v.do("choose a seat", tap("Choose a seat"), reads("message-text", "Tap a seat"), tap("2B"), reads("message-text", "Chosen"))
	v.shoot("4-seats")
	v.do("go on", tap("Continue with 2B"), reads("message-text", "Where should money go back to?"))
	v.do("give an address", chromedp.SendKeys(element("composer-input"), wallet+"\r"), reads("message-text", "Start Secret Chat"))
	v.shoot("5-secret-chat")
	v.do("open the courier", tap("Open @QuayTickets"), seen("phone-start-secret"), click("phone-start-secret"))
	v.do("see the screen go on", reads("message-text", "in all"))
	v.shoot("6-price")
	v.do("order", tap("Order and pay"), reads("message-text", "Send exactly"))
	v.shoot("7-pay")
	v.do("see which money is paid", reads("unit", "TCRS"))
	v.do("pay", click("pay"), reads("message-text", "Your payment of"))
	v.shoot("8-seen")
	v.do("a block", click("next-block"), reads("message-text", "as good as bought"))
	v.do("another", click("next-block"), reads("message-text", "is yours (block"))
	v.shoot("9-ticket")
	v.do("the door opens", click("scan"), reads("verdict", "opens"), holds(`document.querySelector('[data-opens]').dataset.opens === 'true'`))
	v.shoot("10-door")
	v.do("ask for the money back", tap("Refund"), reads("message-text", "goes back"))
	v.shoot("11-refund")
	v.do("wait for the undo time", reads("message-text", "is being given back"))
	for range 10 {
		v.do("a block", holds(`(() => { window.before = document.querySelector('[data-testid=height]').dataset.height; return true })()`),
			click("next-block"), holds(`document.querySelector('[data-testid=height]').dataset.height !== window.before`))
		if v.reads("message-text", "has arrived at") {
			break
		}
	}
	v.do("the money is back", reads("message-text", "has arrived at"), reads("message-text", "CRS arrived at")) // told, and on the card
	v.shoot("12-money-back")
	v.do("the door stays shut", click("scan"), holds(`document.querySelector('[data-opens]').dataset.opens === 'false'`))
	v.shoot("13-door-shut")
}
