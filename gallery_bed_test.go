package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/usherbot/usher/bot"
	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/memory"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/ticketgen"
)

// A phone's page, in CSS pixels.
const phoneWidth, phoneHeight = 390, 844

// gallery is a chat with the bot, on a page as wide as a phone, in which time stands still.
type gallery struct {
	*visitor
	now      time.Time
	db       *memory.DB
	desk     *galleryDesk
	flows    *flows.Flows
	bot      *bot.Bot
	customer int64
}

// galleryDesk is a courier who has a secret chat with everybody, and a desk with one order.
type galleryDesk struct {
	nobody
	flows.Desk
	order order.Order
}

func (*galleryDesk) Contact(context.Context, int64) (flows.Contact, error) {
	return flows.Contact{Username: "QuayTickets", Name: "Quay Tickets"}, nil
}

func (*galleryDesk) Chat(context.Context, int64) (flows.ChatState, error) { return flows.ChatOpen, nil }
func (*galleryDesk) List(context.Context, int64) ([]order.Order, error)   { return nil, nil }
func (d *galleryDesk) Load(context.Context, int64, order.ID) (order.Order, error) {
	return d.order, nil
}

// unlimited lets every message go at once.
type unlimited struct{}

func (unlimited) Wait(ctx context.Context, _ int64, _ bool) error { return ctx.Err() }
func (unlimited) Pause(int64, time.Duration)                      {}

func newGallery(t *testing.T) *gallery {
	t.Helper()
	g := &gallery{now: time.Date(2026, time.December, 10, 17, 24, 0, 0, time.UTC)}
	g.desk = &galleryDesk{order: g.sample("awaiting").Order}
	clock := func() time.Time { return g.now }
	g.db = memory.New(clock)
	telegram, err := simulator.New(t.Context(), simulator.Options{
		Token: "4839201:local_GGGGGGGGGGGGGGGGGGGGGGGG", BotUsername: "QuayTicketsBot", BotName: "Quay Tickets",
		CourierUsername: "QuayTickets", Clock: clock,
	})
	must(t, err)
	server := galleryServer(t, telegram)
	handler := &late{}
	g.bot, err = bot.New(t.Context(), bot.Config{
		Token: "4839201:local_GGGGGGGGGGGGGGGGGGGGGGGG", URL: server, Handler: handler, Limiter: unlimited{},
		Sites: order.Straight{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	must(t, err)
	g.flows, err = flows.New(flows.Deps{
		Sessions: g.db, Courier: g.desk, Desk: g.desk, View: g.db, Holds: g.db, Messenger: g.bot, Artist: ticketgen.Artist{},
		Clock: clock, WordsWrong: func(err error) { t.Errorf("words: %v", err) },
		Config: flows.Config{
			Support: "@LanternLane", BotUsername: "QuayTicketsBot", Network: cirrus.MainNet, Gas: order.Gas{Limit: 100_000, Price: 100},
			Hold: 15 * time.Minute, SellingOff: func(context.Context) (string, bool) { return "", false },
		},
	})
	must(t, err)
	handler.Flows = g.flows
	must(t, g.db.PostTip(t.Context(), memory.SampleTip(g.now)))
	g.run(t)
	g.open(t, server)
	return g
}

// galleryServer serves the local Telegram and its page; it gives its address.
func galleryServer(t *testing.T, telegram *simulator.Telegram) string {
	t.Helper()
	page, err := telegram.Page(simulator.PageOptions{Name: "Imre"})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/telegram/", telegram.Control())
	mux.Handle("/bot4839201:", telegram.BotAPI())
	mux.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/bot") {
			telegram.BotAPI().ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		must(t, telegram.Close())
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// run has the bot take updates until the test ends.
func (g *gallery) run(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.bot.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
	})
}

// open shows the page on a phone and begins the chat.
func (g *gallery) open(t *testing.T, url string) {
	g.visitor = browse(t, url)
	command(g.visitor, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/London"})
	command(g.visitor, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en-GB"})
	stopped := fmt.Sprintf(`const at = %d, Real = Date; window.Date = class extends Real {
		constructor(...from) { from.length ? super(...from) : super(at) } static now() { return at } }`, g.now.UnixMilli())
	command(g.visitor, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: stopped})
	g.do("a phone", onPhone(phoneHeight), chromedp.Navigate(url), click("start"), reads("message-text", "secret chat"))
	id, err := chromedp.Run(g.ctx, chromedp.Evaluate[string](`localStorage.getItem("usher-demo-person").split(" ")[1]`))
	must(t, err)
	g.customer, err = strconv.ParseInt(id, 10, 64)
	must(t, err)
}

func onPhone(height int64) step {
	return chromedp.EmulateViewport(phoneWidth, height, chromedp.EmulateScale(2))
}

// shootMessage renews the picture of a message, only when asked.
func (g *gallery) shootMessage(name string, message int) {
	g.t.Helper()
	if !*update {
		return
	}
	const tall = 4000
	g.do("the whole message at once", onPhone(tall))
	article := articleOf(message)
	box, err := chromedp.Run(g.ctx, chromedp.Evaluate[page.Viewport](`(() => {
		const m = document.querySelector('`+article+`');
		for (const other of m.parentElement.children) other.style.visibility = other === m ? '' : 'hidden';
		m.scrollIntoView();
		const b = m.getBoundingClientRect(); return { x: 0, y: Math.floor(b.top) - 6, width: `+strconv.Itoa(phoneWidth)+`, height: Math.ceil(b.height) + 12, scale: 1 } })()`))
	must(g.t, err)
	yes := true
	out := command(g.visitor, page.CaptureScreenshot, page.CaptureScreenshotParams{Clip: &box, FromSurface: &yes})
	g.do("a phone again", onPhone(phoneHeight))
	small, err := fewColours(out.Data)
	must(g.t, err)
	path := filepath.Join("docs", "pictures", name+".png")
	must(g.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(g.t, os.WriteFile(path, small, 0o600))
}

// fewColours makes a PNG a small one: of its colours the 256 commonest stay, the others become the nearest of these.
func fewColours(raw []byte) ([]byte, error) {
	from, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("reading a screenshot: %w", err)
	}
	bounds, counts := from.Bounds(), map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(from.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	var palette color.Palette
	for _, c := range commonest(counts, 256) {
		palette = append(palette, c)
	}
	nearest, to := map[color.RGBA]uint8{}, image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := at(x, y)
			index, known := nearest[c]
			if !known {
				index = uint8(palette.Index(c)) // #nosec G115 -- 256 colours
				nearest[c] = index
			}
			to.SetColorIndex(x, y, index)
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, to); err != nil {
		return nil, fmt.Errorf("writing a screenshot: %w", err)
	}
	return out.Bytes(), nil
}

func commonest(counts map[color.RGBA]int, most int) []color.RGBA {
	all := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	return all[:min(len(all), most)]
}

// command asks the browser for something that chromedp has no action for.
func command[P, R any](v *visitor, c cdp.Command[P, R], params P) R {
	v.t.Helper()
	got, err := chromedp.Call(v.ctx, c, params)
	must(v.t, err)
	return got
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
