package words

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func load(t testing.TB) *Words {
	t.Helper()
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// every argument that any message takes, with values that try to be markup.
func everything() Args {
	all := Args{"Count": 2, "Hold": "15 minutes", "Refused": 1, "All": 12, "Number": 2, "Given": 1, "Most": 64}
	for _, name := range []string{
		"Address", "Back", "Before", "Block", "Bot", "By", "Contract", "Courier", "Due", "Each", "Fee", "From", "ID", "Missing", "Name",
		"Gas", "Network", "Next", "Order", "Price", "Seat", "Seats", "Seen", "Show", "State", "Sum", "Support", "Ticker", "To", "Tx", "Venue", "Wallet",
		"Was", "Key", "Minutes", "WasPrice", "Why", "One", "Two", "Three", "Four", "Session", "Free", "Needed",
	} {
		all[name] = "*a`b<t:1|c>\\"
	}
	for _, name := range []string{"About", "Time", "Until"} {
		all[name] = Moment{At: time.Unix(1_766_000_000, 0), Until: name == "Until"}
	}
	return all
}

func TestEveryMessageIsSaidWhateverIsFilledIn(t *testing.T) {
	w := load(t)
	for _, id := range w.IDs() {
		for _, count := range []int{1, 2} {
			filled := everything()
			filled["Count"] = count
			spans, err := w.Say("en", id, filled)
			if err != nil {
				t.Errorf("%s: %v", id, err)
			}
			for _, span := range spans {
				if strings.ContainsAny(strings.ReplaceAll(span.Text, "*a`b<t:1|c>\\", ""), "`|{}") || strings.Contains(span.Text, "<no value>") {
					t.Errorf("%s: markup left in %q", id, span.Text)
				}
			}
		}
	}
}

func TestTheToneIsCalm(t *testing.T) {
	raw := map[string]any{}
	if err := json.Unmarshal(english, &raw); err != nil {
		t.Fatal(err)
	}
	jargon := regexp.MustCompile(`(?i)!|\b(strats?|utxo|receipt|saga|mempool|outpoint|hash)\b`)
	for id, message := range raw {
		text, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(id, "operator.") && jargon.Match(text) {
			t.Errorf("%s: %s", id, text)
		}
	}
}

// used finds message ids in the code around; those that are put together from a state or reason end in a dot there.
func used(t *testing.T) (whole, begun map[string]bool) {
	t.Helper()
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no code: %v", err)
	}
	whole, begun = map[string]bool{}, map[string]bool{}
	literal := regexp.MustCompile(`"([a-z][a-z_]*(?:\.[a-z_]+)*\.?)"`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range literal.FindAllStringSubmatch(string(code), -1) {
			if strings.HasSuffix(found[1], ".") {
				begun[found[1]] = true
			} else {
				whole[found[1]] = true
			}
		}
	}
	return whole, begun
}

func TestEveryMessageIsUsedAndEveryUsedOneExists(t *testing.T) {
	whole, begun := used(t)
	known := map[string]bool{}
	for _, id := range load(t).IDs() {
		known[id] = true
		if !whole[id] && !startsWithAny(id, begun) && !chosenPhone(id) {
			t.Errorf("%s is not used", id)
		}
	}
	for id := range whole {
		if strings.Contains(id, ".") && !known[id] {
			t.Errorf("%s is used, but there is no such message", id)
		}
	}
}

func startsWithAny(id string, begun map[string]bool) bool {
	for prefix := range begun {
		if strings.HasPrefix(id, prefix) && prefix != "button." {
			return true
		}
	}
	return false
}

func chosenPhone(id string) bool {
	return regexp.MustCompile(`^button\.(android|iphone|mac)(_chosen)?$`).MatchString(id)
}

func TestUnknownMessageShowsItsID(t *testing.T) {
	spans, err := load(t).Say("en", "no.such", nil)
	if err == nil || len(spans) != 1 || spans[0].Text != "no.such" {
		t.Fatalf("got %v, %v", spans, err)
	}
	if _, err := load(t).Say("en", "show.head", Args{"Show": "x"}); err == nil {
		t.Fatal("a missing argument was not noticed")
	}
}

func TestOtherLanguagesFallBackToEnglish(t *testing.T) {
	for _, lang := range []string{"", "xx", "pt-BR", "not a language"} {
		if spans, err := load(t).Say(lang, "shows.none", nil); err != nil || len(spans) == 0 {
			t.Errorf("%q: %v %v", lang, spans, err)
		}
	}
}

func TestMomentsAreSpans(t *testing.T) {
	at := time.Date(2026, 12, 4, 20, 0, 5, 0, time.UTC)
	for _, test := range []struct {
		moment Moment
		want   Span
	}{
		{Moment{At: at}, Span{"Fri 4 Dec 2026, 20:00 UTC", Time, at.Unix()}},
		{Moment{At: at, Until: true}, Span{"at 20:00 UTC", Until, at.Unix()}},
		{Moment{At: at, Until: true, Exact: true}, Span{"at 20:00:05 UTC", Until, at.Unix()}},
	} {
		spans, err := Parse(test.moment.markup())
		if err != nil || len(spans) != 1 || spans[0] != test.want {
			t.Errorf("got %v %v, want %v", spans, err, test.want)
		}
	}
}

func TestEscapedTextMeansItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		spans, err := Parse("*bold* " + Escape(text))
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, span := range spans[1:] {
			if span.Kind != Plain {
				t.Fatalf("%q became %v", text, span)
			}
			got.WriteString(span.Text)
		}
		if got.String() != " "+text {
			t.Fatalf("got %q, want %q", got.String(), " "+text)
		}
	})
}

func TestWrongMarkup(t *testing.T) {
	for _, text := range []string{"*open", "`open", "<", "<x:1|a>", "<t:1", "<t:x|a>", "<t:1|a", `end\`} {
		if spans, err := Parse(text); err == nil {
			t.Errorf("%q: got %v", text, spans)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"*a* `b` <t:1|c> <u:2|d> \\*", "<t:99999999999999999999|x>", "**", "\xff*\xff*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spans, err := Parse(text)
		if err != nil {
			return
		}
		for _, span := range spans {
			if span.Text == "" {
				t.Fatalf("%q: an empty span", text)
			}
		}
	})
}
