package secretchat

import (
	"slices"
	"time"
)

// EventKind says what an Event is about.
type EventKind string

// What a Handler is told.
const (
	EventOpened     EventKind = "opened"     // the chat can be written into
	EventClosed     EventKind = "closed"     // it is over; Chat.Reason says why
	EventText       EventKind = "text"       // Text came, as Message
	EventFile       EventKind = "file"       // File came with the caption Text, as Message
	EventProgress   EventKind = "progress"   // the message sent under Key has got to State
	EventDeleted    EventKind = "deleted"    // the other side wants Messages deleted here
	EventFlushed    EventKind = "flushed"    // the other side wants everything deleted here
	EventScreenshot EventKind = "screenshot" // the other side says that it took one
	EventTimer      EventKind = "timer"      // the other side has set Timer for what is to come
)

// Event is something that happened in a chat.
type Event struct {
	// Number counts the events of a chat from 0. An event that comes with a number
	// that was there before is told again, because of a crash or an error. Only the
	// EventClosed of a chat that ends for ReasonStale may have a number of another
	// event: the store has forgotten it.
	Number int       `json:"id"`
	Kind   EventKind `json:"kind"`

	Message  int64         `json:"message,omitempty"` // names a message that came
	Date     int           `json:"date,omitempty"`    // when the server took it, Unix seconds
	Text     string        `json:"text,omitempty"`
	File     *File         `json:"file,omitempty"`
	Key      string        `json:"key,omitempty"`
	State    State         `json:"state,omitempty"`
	Messages []int64       `json:"messages,omitempty"`
	Timer    time.Duration `json:"timer,omitempty"`
	// Erased comes with an EventClosed: the other side wants the history deleted here.
	Erased bool `json:"erased,omitempty"`
}

// String says what kind of event it is and nothing of what is in it.
func (e Event) String() string { return "secret chat event: " + string(e.Kind) }

// GoString keeps %#v from printing contents.
func (e Event) GoString() string { return e.String() }

// maxTold bounds what is kept for a handler that never takes it. What the other side
// writes beyond it is counted and lost.
const maxTold = 200

// tell keeps an event until the handler has taken it.
func (c *chat) tell(ev Event) {
	ev.Number = c.Told
	c.Told++
	c.Events = append(c.Events, ev)
}

// pass tells what the other side made happen, as far as there is room.
func (c *chat) pass(ev Event) {
	if len(c.Events) < maxTold {
		c.tell(ev)
	}
}

// told forgets an event that its handler has taken.
func (c *chat) told(number int) {
	c.Events = slices.DeleteFunc(c.Events, func(ev Event) bool { return ev.Number == number })
}

// deleted drops what the other side takes back before anybody was told, and tells
// the rest.
func (c *chat) deleted(messages []int64) {
	c.Events = slices.DeleteFunc(c.Events, func(ev Event) bool {
		return ev.incoming() && slices.Contains(messages, ev.Message)
	})
	c.pass(Event{Kind: EventDeleted, Messages: messages[:min(len(messages), maxHole)]})
}

// flushed drops everything that nobody was told of yet.
func (c *chat) flushed() {
	c.Events = slices.DeleteFunc(c.Events, Event.incoming)
	c.pass(Event{Kind: EventFlushed})
}

// discarded ends the chat for the other side, which may want its history to go too.
func (c *chat) discarded(e env, erase bool) {
	if erase && c.live() {
		c.Erased = true
		c.Events = slices.DeleteFunc(c.Events, Event.incoming)
	}
	c.end(e, PhaseClosed, ReasonPeer)
}

func (e Event) incoming() bool { return e.Kind == EventText || e.Kind == EventFile }
