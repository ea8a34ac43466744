package flows

import (
	"strings"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/flows/words"
)

// args fill a message in.
type args = words.Args

// voice says things in one customer's language.
type voice struct {
	words *words.Words
	lang  string
	// wrong notes what could not be said; the screen goes out all the same, with the message id in its place.
	wrong func(error)
}

func (f *Flows) voice(lang string) voice {
	if lang == "" {
		lang = "en"
	}
	return voice{words: f.words, lang: lang, wrong: f.WordsWrong}
}

// say gives a message as text.
func (v voice) say(id string, a args) Text {
	spans, err := v.words.Say(v.lang, id, a)
	if err != nil && v.wrong != nil {
		v.wrong(err)
	}
	text := make(Text, len(spans))
	for i, span := range spans {
		text[i] = Span{Text: span.Text, Style: Style(span.Kind), Unix: span.Unix}
	}
	return text
}

// plain gives a message without styles: for buttons and answers to taps.
func (v voice) plain(id string, a args) string { return v.say(id, a).String() }

func (v voice) button(id string, a args, action string) Button {
	return Button{Text: v.plain(id, a), Action: action}
}

func (v voice) link(id string, a args, url string) Button {
	return Button{Text: v.plain(id, a), URL: url}
}

func (v voice) copies(id string, a args, text string) Button {
	return Button{Text: v.plain(id, a), Copy: text}
}

// join puts parts under each other, leaving empty ones out.
func join(between string, parts ...Text) Text {
	var all Text
	for _, part := range parts {
		if len(part) == 0 {
			continue
		}
		if len(all) > 0 {
			all = append(all, Span{Text: between})
		}
		all = append(all, part...)
	}
	return all
}

func paragraphs(parts ...Text) Text { return join("\n\n", parts...) }

func lines(parts ...Text) Text { return join("\n", parts...) }

// How much room strangers' texts get, in characters.
const (
	nameRoom  = 60
	venueRoom = 40
	seatRoom  = 12
)

func showName(s cirrus.Show) string  { return Clean(s.Name, nameRoom) }
func venueName(s cirrus.Show) string { return Clean(s.Venue, venueRoom) }

// seatName is the seat as people read it; its letter is a stranger's.
func seatName(s cirrus.Seat) string {
	if name := Clean(s.String(), seatRoom); name != "" {
		return name
	}
	return "?"
}

// crs shows a sum with the network's ticker.
func (f *Flows) crs(s cirrus.Strats) string { return s.String() + " " + f.Config.Network.Ticker }

// about shows a sum that is an estimate: four decimals, rounded down.
func (f *Flows) about(s cirrus.Strats) string {
	const step = cirrus.CRS / 10_000
	return f.crs(s / step * step)
}

// block shows a height in groups of three digits.
func block(height uint64) string {
	var digits []byte
	for n := height; ; n /= 10 {
		digits = append(digits, byte('0'+n%10))
		if n < 10 {
			break
		}
	}
	var out strings.Builder
	for i := len(digits) - 1; i >= 0; i-- {
		out.WriteByte(digits[i])
		if i > 0 && i%3 == 0 {
			out.WriteRune('\u00a0')
		}
	}
	return out.String()
}

// when estimates the time of a block, to whole minutes, for it is no better than that.
func when(tip order.Tip, height uint64) words.Moment {
	return words.Moment{At: time.Unix(tip.When(height), 0).Truncate(time.Minute)}
}

func moment(at time.Time) words.Moment { return words.Moment{At: at} }

// until is a moment that clients count down to.
func until(at time.Time) words.Moment { return words.Moment{At: at, Until: true} }

// soon is a moment within seconds that clients count down to.
func soon(at time.Time) words.Moment { return words.Moment{At: at, Until: true, Exact: true} }
