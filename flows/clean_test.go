package flows

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCleanKeepsHonestNames(t *testing.T) {
	for _, name := range []string{
		"Night Trains", "AC/DC", "Rock 'n' Roll", "Łódź – koncert", "東京の夜", "Mozart: Requiem", "Vol 2.5", "50 % off?", "Ärzte & Co",
	} {
		if got := Clean(name, 60); got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
}

func TestCleanMakesLinksHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"see evil.example.com":        "see evil. example. com",
		"https://evil.com":            "https: / / evil. com",
		"t.me/evil":                   "t. me/evil",
		"@evil_bot":                   "@ evil_bot",
		"#tag $CRS":                   "# tag $ CRS",
		"/refund_k3x9":                "/ refund_k3x9",
		"a\u202eb\u200bc\u2066d":      "abcd",
		"two\nlines\r\n\tand  spaces": "two lines and spaces",
		"\x00\x1b[31mred":             "[31mred",
		"e\u0301\u0301\u0301\u0301":   "e\u0301\u0301",
		"1.2.3.4":                     "1.2.3.4",
		"me@mail.com":                 "me@ mail. com",
		"tg:resolve":                  "tg: resolve",
	} {
		if got := Clean(text, 60); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// linkish is what a client of Telegram turns into something to tap.
var linkish = regexp.MustCompile(`(?i)://|\w\.[a-z]{2}|(^|\s)/\w|@\w|#\w|\$[a-z]`)

func checkClean(t interface{ Fatalf(string, ...any) }, text string, limit int) {
	got := Clean(text, limit)
	if n := utf8.RuneCountInString(got); n > max(limit, 0) {
		t.Fatalf("%q: %d characters, at most %d", got, n, limit)
	}
	if linkish.MatchString(got) {
		t.Fatalf("%q became %q, which has a link", text, got)
	}
	if strings.TrimSpace(got) != got {
		t.Fatalf("%q became %q, with space around", text, got)
	}
	for _, r := range got {
		if r != ' ' && (!unicode.IsPrint(r) || unicode.Is(unicode.Cf, r)) {
			t.Fatalf("%q became %q, with %U in it", text, got, r)
		}
	}
}

func TestCleanedTextIsOneHarmlessLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.OneOf(
			rapid.String(), rapid.SampledFrom([]string{"http://", "t.me", "/x", "@y", ".", "\u202e", "\u200b", "#z", "…", "a", "b"}),
		)).Draw(t, "parts")
		checkClean(t, strings.Join(parts, ""), rapid.IntRange(0, 80).Draw(t, "limit"))
	})
}

func FuzzClean(f *testing.F) {
	f.Add("https://evil.example/@x", 20)
	f.Add("\u202egnp.exe", 3)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		checkClean(t, text, min(limit, 1000))
	})
}
