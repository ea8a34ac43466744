package flows

import "unicode/utf16"

// Style says how a span looks, or what it is.
type Style string

// The styles of a span.
const (
	Plain Style = ""
	Bold  Style = "bold"
	Code  Style = "code" // tapped to copy: addresses, sums
	Time  Style = "time" // shown in the reader's own zone; Unix says when, Text is the fallback
	Until Style = "until"
)

// Span is a piece of text in one style.
type Span struct {
	Text  string
	Style Style
	Unix  int64 // Time and Until (which counts down by itself): seconds since 1970
}

// Text is what a screen says.
type Text []Span

// String gives the words without styles.
func (t Text) String() string {
	var all string
	for _, span := range t {
		all += span.Text
	}
	return all
}

// captionRoom is how long the text of a screen with a picture may be, in UTF-16 units.
const captionRoom = 1024

// size is how long a text is, in UTF-16 units.
func (t Text) size() int {
	n := 0
	for _, span := range t {
		for _, r := range span.Text {
			n += utf16.RuneLen(r)
		}
	}
	return n
}

// Button is tapped. Exactly one of Action, URL, Copy is set, or none: a button that cannot be tapped with effect.
type Button struct {
	Text   string
	Action string // at most 64 bytes
	URL    string
	Copy   string // at most 256 characters, put into the clipboard
}

// Screen is what a message shows, as data: it may be rendered by a bot, answered from a webhook, or recorded.
type Screen struct {
	Text    Text // 4096 UTF-16 units, with a picture 1024
	Picture []byte
	// PictureName tells pictures apart, so that an unchanged one is not sent again.
	PictureName string
	Buttons     [][]Button // at most 8 a row, 100 in all
	Protect     bool       // clients don't forward or save it
	Silent      bool       // doesn't ring
}

// Reply is what an event leads to.
type Reply struct {
	// Answer is the short text that a tap is answered with; every tap is answered, with or without text.
	Answer  string
	Alert   bool // Answer is shown in a box that must be closed
	Screens []Outgoing
}

// Outgoing is a screen and where it goes.
type Outgoing struct {
	Chat int64
	Edit int    // message to edit in place; 0: a new message. If it can't be edited, a new one is sent
	Card string // the order whose living card this is, or a hall: who sends it reports the message id to CardShown
	Screen
}
