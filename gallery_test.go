package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/memory"
)

// TestGallery shows every card and halls of several sizes on a phone's page and looks at what a person would see. With
// -update it renews the pictures of them.
func TestGallery(t *testing.T) {
	g := newGallery(t)
	for _, s := range memory.Samples(g.now) {
		t.Run(s.Name, func(t *testing.T) { g.at(t).card(s) })
	}
	t.Run(plainQR, func(t *testing.T) { g.at(t).plainQR() })
	for _, h := range halls() {
		t.Run(h.name, func(t *testing.T) { g.at(t).hall(h) })
	}
}

// plainQR names the picture of a card with its other QR, which comes by a tap.
const plainQR = "awaiting-address"

func (g *gallery) plainQR() {
	g.t.Helper()
	message := g.showCard(g.sample("awaiting"))
	g.do("see the card", holds(lastMessage+`.dataset.id === '`+strconv.Itoa(message)+`'`))
	g.do("ask for the other QR", tap("QR with the address only"), holds(lastMessage+`.textContent.includes('QR with address and sum')`))
	g.look(message)
	g.shootMessage(filepath.Join("cards", plainQR), message)
}

// at is the gallery for a part of the test.
func (g *gallery) at(t *testing.T) *gallery {
	part := *g
	part.visitor = &visitor{t, g.ctx}
	return &part
}

// card shows the card of a sample.
func (g *gallery) card(s memory.Sample) {
	g.t.Helper()
	message := g.showCard(s)
	g.look(message)
	g.shootMessage(filepath.Join("cards", s.Name), message)
}

// showCard sends a card as Usher does; it gives its message.
func (g *gallery) showCard(s memory.Sample) int {
	g.t.Helper()
	screen, err := g.flows.Card(s.Order, g.now, s.Around)
	must(g.t, err)
	message, err := g.bot.Show(g.ctx, flows.Outgoing{Chat: g.customer, Screen: screen})
	must(g.t, err)
	return message
}

func (g *gallery) sample(name string) memory.Sample {
	all := memory.Samples(g.now)
	return all[slices.IndexFunc(all, func(s memory.Sample) bool { return s.Name == name })]
}

// flaw is what a person would mind about a message.
type flaw struct{ What, Text string }

// look holds a message against what makes it readable, by day and by night.
func (g *gallery) look(message int) {
	g.t.Helper()
	article := articleOf(message)
	g.do("see the message", holds(`(() => { const m = document.querySelector('`+article+`');
		return !!m && [...m.querySelectorAll('img')].every(i => i.complete) })()`))
	for _, scheme := range []string{"dark", "light"} {
		command(g.visitor, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		raw, err := chromedp.Run(g.ctx, chromedp.Evaluate[string](`JSON.stringify((`+flaws+`)(document.querySelector('`+article+`')))`))
		must(g.t, err)
		var found []flaw
		must(g.t, json.Unmarshal([]byte(raw), &found))
		for _, f := range found {
			g.t.Errorf("%s: %q (%s)", f.What, f.Text, scheme)
		}
	}
}

func articleOf(message int) string {
	return `[data-testid=chat-log] article[data-id="` + strconv.Itoa(message) + `"]`
}

// flaws finds what is wrong with how a message looks.
const flaws = `m => {
	const found = [], say = (What, Text) => found.push({ What, Text: (Text || '').slice(0, 80) });
	const page = document.documentElement, log = m.parentElement;
	if (page.scrollWidth > innerWidth || log.scrollWidth > log.clientWidth) say('the page is wider than the phone', m.innerText);
	const text = m.querySelector('[data-testid=message-text]');
	const raw = /<no value>|\{\{|\}\}|%!|<[tu]:|\*\S[^*\n]*\*|` + "`" + `|undefined|NaN/.exec(text.innerText);
	if (raw) say('raw markup', raw[0]);
	for (const e of m.querySelectorAll('*')) {
		const box = e.getBoundingClientRect();
		if (box.left < 0 || box.right > innerWidth + .5) say('beyond the edge', e.textContent);
		if (e.clientWidth && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1) && getComputedStyle(e).display !== 'inline') say('cut', e.textContent);
	}
	const broken = (node, word) => {
		const range = document.createRange();
		for (const part of node.data.matchAll(/[^\s…-]+/g)) {
			if (part[0].length > 25) continue;
			range.setStart(node, part.index); range.setEnd(node, part.index + part[0].length);
			if (new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1) say('a word is broken: ' + part[0], word);
		}
	};
	const nodes = root => { const all = [], walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT); while (walk.nextNode()) all.push(walk.currentNode); return all };
	nodes(text).forEach(node => broken(node, node.data));
	for (const b of m.querySelectorAll('[data-testid=button]')) {
		const box = b.getBoundingClientRect(), style = getComputedStyle(b);
		if (box.height < 40) say('a button only ' + box.height + ' px high', b.textContent);
		if (!b.disabled && !b.textContent.trim()) say('a button without words', b.dataset.button);
		if (parseFloat(style.fontSize) < 12) say('a button in tiny letters', b.textContent);
		nodes(b).forEach(node => broken(node, b.textContent));
	}
	const rgba = colour => { const n = colour.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n };
	const over = (top, ground) => [0, 1, 2].map(i => top[i] * top[3] + ground[i] * (1 - top[3]));
	const ground = e => { const its = rgba(getComputedStyle(e).backgroundColor); return its[3] === 1 || !e.parentElement ? its.slice(0, 3) : over(its, ground(e.parentElement)) };
	const light = colour => { const [r, g, b] = colour.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
	for (const node of nodes(m)) {
		const e = node.parentElement, under = ground(e);
		if (!node.data.trim() || e.disabled) continue;
		const [a, b] = [light(over(rgba(getComputedStyle(e).color), under)), light(under)];
		const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (contrast < 4.5) say('a contrast of only ' + contrast.toFixed(1), node.data);
	}
	for (const i of m.querySelectorAll('img')) if (!i.naturalWidth || i.getBoundingClientRect().width < 200) say('no picture', i.alt);
	return found;
}`

// TestEveryPictureIsListed: docs/pictures/README.md shows each card and each hall in one line, and nothing else lies there.
func TestEveryPictureIsListed(t *testing.T) {
	index := pictureIndex()
	path := filepath.Join("docs", "pictures", "README.md")
	if *update {
		must(t, os.WriteFile(path, []byte(index), 0o600))
	}
	written, err := os.ReadFile(path)
	must(t, err)
	if string(written) != index {
		t.Errorf("%s lists other pictures than there are: make pictures renews it", path)
	}
	for _, folder := range []string{"cards", "halls"} {
		files, err := os.ReadDir(filepath.Join("docs", "pictures", folder))
		must(t, err)
		listed := strings.Count(index, `"`+folder+"/")
		if len(files) != listed {
			t.Errorf("%d pictures in %s, %d are listed", len(files), folder, listed)
		}
		for _, file := range files {
			if !strings.Contains(index, folder+"/"+file.Name()) {
				t.Errorf("%s/%s is not listed", folder, file.Name())
			}
		}
	}
}

// pictureIndex is the page that shows all pictures.
func pictureIndex() string {
	var page strings.Builder
	line := func(folder, name, says string) {
		fmt.Fprintf(&page, "| %s | <img src=\"%s/%s.png\" width=\"300\" alt=\"%s\"> |\n", says, folder, name, name)
	}
	page.WriteString(indexHead)
	for _, h := range halls() {
		line("halls", h.name, h.says)
		line("halls", h.name+"-list", "the same as a list, for who has it read aloud")
	}
	page.WriteString(indexCards)
	for _, s := range memory.Samples(time.Unix(0, 0)) {
		line("cards", s.Name, s.Says)
		if s.Name == "awaiting" {
			line("cards", plainQR, "the same with a QR of the address alone, for wallets that read no sum")
		}
	}
	return page.String()
}

const indexHead = `# Pictures

What a customer sees, on a page as wide as a phone. They are made by a test, which also looks for what would be cut,
broken, too small or beyond the edge there; ` + "`make pictures`" + ` renews them. The pictures with a number show the
[demo's story](../../README.md), step by step.

## Halls

| | |
|---|---|
`

const indexCards = `
## Cards

An order has one message, its card, which goes on as the order does. These are the cards of orders in all states.

| | |
|---|---|
`
