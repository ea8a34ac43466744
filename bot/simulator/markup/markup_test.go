package markup_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/bot/simulator/markup"
)

func TestHTMLBecomesEntities(t *testing.T) {
	tests := map[string]markup.Text{
		"plain &lt;b&gt; &amp; &#128512;": {Text: "plain <b> & 😀"},
		"😀<b>bold <i>both</i></b>": {Text: "😀bold both", Entities: []markup.Entity{
			{Type: "bold", Offset: 2, Length: 9}, {Type: "italic", Offset: 7, Length: 4},
		}},
		`<a href="https://x.org/?a=1&amp;b=2">x</a>`: {Text: "x", Entities: []markup.Entity{
			{Type: "text_link", Length: 1, URL: "https://x.org/?a=1&b=2"},
		}},
		`<tg-time unix="1647531900" format="wDT">soon</tg-time>`: {Text: "soon", Entities: []markup.Entity{
			{Type: "date_time", Length: 4, UnixTime: 1647531900, Format: "wDT"},
		}},
		`<pre><code class="language-go">x := 1</code></pre>`: {Text: "x := 1", Entities: []markup.Entity{
			{Type: "pre", Length: 6, Language: "go"},
		}},
		"<blockquote expandable>q</blockquote>": {Text: "q", Entities: []markup.Entity{{Type: "expandable_blockquote", Length: 1}}},
		`<span class="tg-spoiler">s</span>`:     {Text: "s", Entities: []markup.Entity{{Type: "spoiler", Length: 1}}},
		"<b></b>nothing":                        {Text: "nothing"},
	}
	for source, want := range tests {
		got, err := markup.ParseHTML(source)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s became %+v (%v), want %+v", source, got, err, want)
		}
	}
}

func TestBrokenHTMLIsRefused(t *testing.T) {
	for source, want := range map[string]string{
		"<b>x":                     `Can't find end tag corresponding to start tag "b"`,
		"<b><i>x</b></i>":          `Unmatched end tag at byte offset 7, expected "</i>", found "</b>"`,
		"x</b>":                    "Unexpected end tag at byte offset 1",
		"<h1>x</h1>":               `Unsupported start tag "h1" at byte offset 0`,
		"a < b":                    "Unclosed start tag at byte offset 2",
		`<tg-time unix="x">x</b>`:  `Tag "tg-time" must have a Unix time`,
		`<span class="x">x</span>`: `Tag "span" must have class`,
	} {
		_, err := markup.ParseHTML(source)
		if !errors.Is(err, markup.ErrEntity) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}

func TestEntitiesAreChecked(t *testing.T) {
	for name, e := range map[string]markup.Entity{
		"behind the end":     {Type: "bold", Offset: 1, Length: 9},
		"before the start":   {Type: "bold", Offset: -1, Length: 1},
		"empty":              {Type: "bold"},
		"half a character":   {Type: "bold", Offset: 0, Length: 1},
		"unknown":            {Type: "blink", Offset: 0, Length: 2},
		"link to nowhere":    {Type: "text_link", Offset: 0, Length: 2},
		"time without time":  {Type: "date_time", Offset: 0, Length: 2},
		"unknown time style": {Type: "date_time", Offset: 0, Length: 2, UnixTime: 5, Format: "tD"},
	} {
		if err := (markup.Text{Text: "😀ab", Entities: []markup.Entity{e}}).Check(); !errors.Is(err, markup.ErrEntity) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrimMovesEntities(t *testing.T) {
	text := markup.Text{Text: " \n a bold \n", Entities: []markup.Entity{
		{Type: "bold", Offset: 5, Length: 6}, {Type: "italic", Offset: 0, Length: 2},
	}}
	want := markup.Text{Text: "a bold", Entities: []markup.Entity{{Type: "bold", Offset: 2, Length: 4}}}
	if got := text.Trim(); !reflect.DeepEqual(got, want) {
		t.Errorf("trimmed to %+v, want %+v", got, want)
	}
}

func TestCommandsMentionsAndLinksAreFound(t *testing.T) {
	text := markup.Text{
		Text:     "😀 /refund_k3x9, ask @QuayTickets or https://x.org/a. not a/b me@x.org",
		Entities: []markup.Entity{{Type: "bold", Offset: 0, Length: 15}},
	}
	var got []string
	for _, e := range text.Detect().Entities {
		units := utf16.Encode([]rune(text.Text))
		got = append(got, e.Type+" "+string(utf16.Decode(units[e.Offset:e.Offset+e.Length])))
	}
	want := "bold 😀 /refund_k3x9|bot_command /refund_k3x9|mention @QuayTickets|url https://x.org/a"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("found %s\nwant  %s", s, want)
	}
}

func TestTrimKeepsEntitiesInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune(" \nab😀"))).Draw(t, "text")
		n := markup.Length(text)
		from := rapid.IntRange(0, n).Draw(t, "from")
		e := markup.Entity{Type: "bold", Offset: from, Length: rapid.IntRange(0, n-from).Draw(t, "length")}
		in := markup.Text{Text: text, Entities: []markup.Entity{e}}
		if in.Check() != nil {
			return
		}
		if out := in.Trim(); out.Check() != nil {
			t.Fatalf("%+v trimmed to %+v: %v", in, out, out.Check())
		}
	})
}

func FuzzParseHTML(f *testing.F) {
	for _, seed := range []string{"<b>x</b>", `<a href='x"'>y</a>`, "<tg-time unix=5 format=r>x</tg-time>", "&#x110000;<", "<pre><code>x</code></pre>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		text, err := markup.ParseHTML(source)
		if err != nil {
			return
		}
		for _, e := range text.Entities {
			if e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > markup.Length(text.Text) {
				t.Errorf("%q: entity %+v is outside of %q", source, e, text.Text)
			}
		}
		text.Trim().Detect()
	})
}
