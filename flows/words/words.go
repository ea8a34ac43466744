package words

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

//go:embed active.en.json
var english []byte

// Args fill a message in. Strings and everything that prints itself are escaped; a Moment becomes a span; Count
// chooses the plural form.
type Args map[string]any

// Moment is a point in time for a message.
type Moment struct {
	At    time.Time
	Until bool // counted down to; the sentence around it reads well with "in 5 minutes" and with "at 20:40 UTC"
	Exact bool // with Until: the fallback has seconds
}

// Words says things in a customer's language.
type Words struct {
	bundle *i18n.Bundle
	ids    []string
	plural map[string]bool // messages with a form for one
}

// New reads the languages that the program carries.
func New() (*Words, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	file, err := bundle.ParseMessageFileBytes(english, "active.en.json")
	if err != nil {
		return nil, fmt.Errorf("reading the English words: %w", err)
	}
	w := &Words{bundle: bundle, plural: map[string]bool{}}
	for _, message := range file.Messages {
		w.ids = append(w.ids, message.ID)
		w.plural[message.ID] = message.One != ""
	}
	sort.Strings(w.ids)
	return w, nil
}

// IDs lists all message ids, sorted.
func (w *Words) IDs() []string { return w.ids }

// Say gives a message as spans. An unknown id or a missing argument gives an error and the id as text, so that a
// customer sees something even then.
func (w *Words) Say(lang, id string, args Args) ([]Span, error) {
	markup, err := w.localize(lang, id, args)
	if err != nil {
		return []Span{{Text: id}}, err
	}
	spans, err := Parse(markup)
	if err != nil {
		return []Span{{Text: id}}, fmt.Errorf("words %q: %w", id, err)
	}
	return spans, nil
}

func (w *Words) localize(lang, id string, args Args) (string, error) {
	config := &i18n.LocalizeConfig{
		MessageID:      id,
		TemplateData:   filled(args),
		TemplateParser: &template.TextParser{Option: "missingkey=error"},
	}
	if count, ok := args["Count"]; ok && w.plural[id] {
		config.PluralCount = count
	}
	text, err := i18n.NewLocalizer(w.bundle, lang).Localize(config)
	if err != nil {
		return "", fmt.Errorf("words %q in %q: %w", id, lang, err)
	}
	return text, nil
}

// filled turns arguments into what the templates see.
func filled(args Args) map[string]any {
	data := make(map[string]any, len(args))
	for name, value := range args {
		switch value := value.(type) {
		case Moment:
			data[name] = value.markup()
		case string:
			data[name] = Escape(value)
		case fmt.Stringer:
			data[name] = Escape(value.String())
		default:
			data[name] = value
		}
	}
	return data
}

func (m Moment) markup() string {
	at := m.At.UTC()
	mark, text := "<t:", at.Format("Mon 2 Jan 2006, 15:04")+" UTC"
	switch {
	case m.Until && m.Exact:
		mark, text = "<u:", "at "+at.Format("15:04:05")+" UTC"
	case m.Until:
		mark, text = "<u:", "at "+at.Format("15:04")+" UTC"
	}
	return mark + strconv.FormatInt(at.Unix(), 10) + "|" + Escape(text) + ">"
}
