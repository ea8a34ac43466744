package bot

import (
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-telegram/bot/models"
	"pgregory.net/rapid"

	"github.com/usherbot/usher/flows"
)

func TestEntitiesMarkTheirSpansInUTF16(t *testing.T) {
	styles := []flows.Style{flows.Plain, flows.Bold, flows.Code, flows.Time, flows.Until}
	rapid.Check(t, func(t *rapid.T) {
		var text flows.Text
		for range rapid.IntRange(0, 8).Draw(t, "spans") {
			text = append(text, flows.Span{
				Text:  rapid.StringOfN(rapid.RuneFrom([]rune("aé🎭 \n漢")), 0, 12, -1).Draw(t, "text"),
				Style: rapid.SampledFrom(styles).Draw(t, "style"), Unix: 1_900_000_000,
			})
		}
		room := rapid.IntRange(0, 60).Draw(t, "room")
		words, entities := render(text, room)
		coded := utf16.Encode([]rune(words))
		if len(coded) > room || !utf8.ValidString(words) {
			t.Fatalf("%q has %d units, room is %d", words, len(coded), room)
		}
		if whole := text.String(); units(whole) <= room && words != whole {
			t.Fatalf("%q is not %q", words, whole)
		}
		var styled []string
		for _, span := range text {
			if span.Style != flows.Plain && span.Text != "" {
				styled = append(styled, span.Text)
			}
		}
		for i, e := range entities {
			marked := string(utf16.Decode(coded[e.Offset : e.Offset+e.Length]))
			if units(text.String()) <= room && marked != styled[i] {
				t.Fatalf("entity %d marks %q, not %q", i, marked, styled[i])
			}
			if e.Length == 0 {
				t.Fatalf("entity %d marks nothing", i)
			}
		}
	})
}

func TestTimesCarryTheirMomentAndWithoutOneAreText(t *testing.T) {
	_, entities := render(flows.Text{
		{Text: "soon", Style: flows.Until, Unix: 1_900_000_000}, {Text: "some day", Style: flows.Time},
	}, maxText)
	if len(entities) != 1 || entities[0].Type != models.MessageEntityTypeDateTime ||
		entities[0].UnixTime != 1_900_000_000 || entities[0].DateTimeFormat != "r" {
		t.Errorf("entities are %+v", entities)
	}
}

func TestBytesThatAreNoTextAreReplaced(t *testing.T) {
	if words, _ := render(flows.Text{{Text: "a\xffb"}}, maxText); words != "a\ufffdb" {
		t.Errorf("%q", words)
	}
}
