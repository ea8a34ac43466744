package flows

import "time"

// Kind says where an event came from.
type Kind string

// The kinds of events.
const (
	Private    Kind = "private"    // the customer's chat with the bot
	Group      Kind = "group"      // a group or supergroup
	Channel    Kind = "channel"    // a channel
	Inline     Kind = "inline"     // an inline query
	Membership Kind = "membership" // the bot was added, removed, blocked, unblocked
)

// Actor is who did it.
type Actor struct {
	ID       int64  // Telegram id
	Name     string // as Telegram shows it; a stranger's text
	Language string // language_code of the client, e.g. "en"; may be empty
}

// Event is something that somebody did. Exactly one of Command, Action, Text, Other or Membership is set.
type Event struct {
	ID       int64 // update id
	Kind     Kind
	Actor    Actor
	Chat     int64
	Message  int       // the message it is or was tapped on
	Date     time.Time // when Telegram saw it
	Command  string    // "start", "refund": without slash and bot name, lower case
	Argument string    // of the command: "k3x9" of /start k3x9; "m7q2" of /refund_m7q2 with Command "refund"
	Action   string    // data of a tapped button
	Callback string    // id to answer the tap with
	Text     string    // what was written
	Other    string    // "sticker", "photo", "edited", "forward", …: what we have no use for
	Blocked  bool      // Membership, Private: the bot was blocked; false: unblocked
}
